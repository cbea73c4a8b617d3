"""Anomalies of time series: what a recurrent network did not expect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from ..data import Sequences, give_steps
from ..engine import limit_threads
from ..training import AdditiveOutliers, Data, Objective, Pairs, SquaredError, Trainer
from ._detection import BaseDetector
from ._every_step import BaseStepNetwork
from ._guards import unchanged_on_error
from ._held_out import Part, last_aside
from ._parameters import parameters
from ._prediction_errors import aligned_errors, predictors, steps_ahead, training_windows
from ._reconstruction_errors import autoencoder, mirrored, window_pairs, windows_until, written
from ._targets import Encoded, moments

Array = NDArray[np.float64]


@parameters
class RNNAnomalyDetector(BaseStepNetwork, BaseDetector):
    """Find the time steps that a recurrent network did not expect (Malhotra et al., 2015, 2016).

    The network learns from a normal series to predict the next ``horizon`` steps at every step. The errors that it makes on the last part of the
    series, from which it did not learn, are what is normal; a step whose errors are unlikely beside them is an anomaly. Choose it for series whose
    next steps can be told from the steps before; where only the season counts, :class:`SeasonalNaiveDetector` is hard to beat and the yardstick.
    ``mode="reconstruct"`` is for series that cannot be predicted but have a shape: an encoder makes a code of each window, a decoder writes the
    window again, from its end, and what was not seen before comes out wrong.

    Predict several steps ahead: an anomaly that lasts is soon what the last steps lead to, but not what the steps before it did. Let the network
    see the calendar (``covariates``), without which it does not know what is usual on a Sunday.

    Parameters
    ----------
    <shared parameters>
    mode : {"predict", "reconstruct"}, default="predict"
        What a step is compared with: what was predicted for it, or what is left of it in the code of the window that ends with it.
    horizon : int, default=10
        Steps that are predicted ahead; more find anomalies that last longer, and are harder to learn. With "reconstruct", how many of the window's
        last steps are looked at.
    window : int, default=100
        Steps of the overlapping pieces that the series is cut into to be learned from; the network begins afresh in each. With "reconstruct", also
        the steps that are read and written again.
    outlier_rate : float, default=0.1
        Share of the values that are made outliers while training (:class:`~skrnn.training.AdditiveOutliers`), so that the network does not follow an
        anomaly and the steps after it are not blamed for it; 0 is none, which follows fast changes better.

    Attributes
    ----------
    network_ : skrnn.networks.StepNetwork or skrnn.networks.Seq2Seq
        The trained torch module; its outputs are standardised targets.
    target_mean_ : ndarray of shape (n_targets,)
        Means of the targets.
    loss_curve_ : list of float
        Mean squared error of the standardised targets in each epoch.
    <shared attributes>

    Raises
    ------
    ValueError
        From ``fit``, if a parameter or X is not as described, or a series is too short for ``horizon``. Missing values are refused:
        :class:`~skrnn.preprocessing.SequenceImputer` fills them.

    Notes
    -----
    ::

        x̂(t+1), …, x̂(t+l) = layers of cells over x(1), c(2), …, x(t), c(t+1)
        e(t) = x(t) minus what was predicted for it at t-1, …, t-l

        x̂(t), x̂(t-1), … = decoder(encoder(x(t-window+1), …, x(t)))            with mode="reconstruct"
        e(t) = x(t) − x̂(t), …, x(t-l+1) − x̂(t-l+1)

        score(t) = −½ (e(t) − μ)ᵀ Σ⁻¹ (e(t) − μ)

    with targets x and covariates c. No score depends on later steps. What is predicted at the first l steps of a series, of which the network has
    seen little, does not count; where predictions are missing, the score is what is usual, given the others. Differs from the papers in that Σ is
    shrunk, which keeps it regular if there are few held-out steps or constant channels, in that the threshold needs no labelled anomalies, in
    ``outlier_rate``, and in that windows are reconstructed at every step, by a decoder that sees nothing of what it wrote before. The first
    ``window`` - 1 steps then have no window. Errors are standardised, so scores do not depend on the scale of a channel. O((l d)²) a step besides
    the network, which with "reconstruct" runs over ``window`` steps for each step.

    References
    ----------
    P. Malhotra, L. Vig, G. Shroff, P. Agarwal, "Long short term memory networks for anomaly detection in time series", ESANN 2015.
    P. Malhotra, A. Ramakrishnan, G. Anand, L. Vig, P. Agarwal, G. Shroff, "LSTM-based encoder-decoder for multi-sensor anomaly detection",
    arXiv:1607.00148, 2016.
    O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", Journal of Multivariate Analysis 88, 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNAnomalyDetector
    >>> wave = np.sin(0.3 * np.arange(800))[:, None] + 0.05 * np.random.default_rng(0).normal(size=(800, 1))
    >>> detector = RNNAnomalyDetector(horizon=5, hidden_size=16, max_epochs=30, random_state=0).fit(wave[:600])
    >>> test = wave[600:].copy()
    >>> test[100] += 1
    >>> int(detector.score_samples(test).argmin())
    100
    """

    _: KW_ONLY
    batch_size: int | None = 8
    mode: str = "predict"
    horizon: int = 10
    window: int = 100
    outlier_rate: float = 0.1

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = (
        BaseStepNetwork._parameter_constraints
        | BaseDetector._parameter_constraints
        | {
            "mode": [StrOptions({"predict", "reconstruct"})],
            "horizon": [Interval(Integral, 1, None, closed="left")],
            "window": [Interval(Integral, 1, None, closed="left")],
            "outlier_rate": [Interval(Real, 0, 1, closed="left")],
        }
    )

    _built_from: ClassVar[tuple[str, ...]] = (*BaseStepNetwork._built_from, "mode", "horizon")

    _descriptions = f"{BaseStepNetwork._descriptions}\n{BaseDetector._descriptions}"
    _attributes = f"{BaseDetector._attributes}\n{BaseStepNetwork._attributes}"

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        X : array (n_steps, n_features), list of arrays (n_steps, n_features), array (n_sequences, n_steps, n_features) or Sequences
            Normal series, regularly sampled; a 2-D array is one, whose rows are the time steps.
        y : ignored

        Returns
        -------
        self
        """
        with unchanged_on_error(self):
            self._fit(X, y, None, (None, None))
            self._calibrate(self._sequences(X, reset=False)[0])
        return self

    def errors(self, X: Any) -> Any:
        """What each time step was, minus what was expected.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray (n_steps, horizon, n_targets) for a 2-D X, (n_sequences, n_steps, horizon, n_targets) for a 3-D X, else list of the former
            ``[t, j]`` is of the prediction made ``j + 1`` steps before; with ``mode="reconstruct"`` of the step ``j`` steps before, in the window
            that ends at ``t``. NaN where there is none: at the beginning of a series.
        """
        check_is_fitted(self)
        sequences, layout = self._sequences(X, reset=False)
        return give_steps(self._errors(sequences), sequences, layout)

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Array, None]:
        """The windows to learn from, and what is to be expected at each of their steps."""
        if self.bidirectional and self.mode == "predict":
            raise ValueError("A prediction does not look ahead: mode='predict' needs bidirectional=False; got True")
        sequences, _ = self._sequences(X, reset=reset)
        if reset:
            self._choose_targets(sequences.n_features)
        lots = list(self._lots(sequences))
        rows = np.concatenate([lot.ravel() for lot in lots])
        lengths = np.concatenate([np.full(len(lot), lot.shape[1]) for lot in lots])
        shown = predictors(sequences, self.target_channels_) if self.mode == "predict" else sequences
        windows = Sequences(shown.values[rows], np.concatenate([[0], np.cumsum(lengths)]))
        ahead = self.mode == "predict"
        targets = steps_ahead(sequences.values, rows, self.horizon) if ahead else mirrored(windows)[:, None]
        return windows, targets[..., self.target_channels_].reshape(len(rows), -1).astype(np.float64), None

    def _lots(self, sequences: Sequences) -> Iterator[NDArray[np.intp]]:
        """Rows of the windows (n_windows, n_steps) to learn from, of each series."""
        n_held = np.add.reduceat(self._held_out(sequences).astype(int), sequences.offsets[:-1])
        ahead, least = (self.horizon, self.horizon + 1) if self.mode == "predict" else (0, self.window)
        for k, (low, n_steps, held) in enumerate(zip(sequences.offsets[:-1].tolist(), sequences.lengths.tolist(), n_held.tolist(), strict=True)):
            if n_steps - held < least:
                raise ValueError(
                    f"series {k} has n_samples = {n_steps}: calibration_fraction={self.calibration_fraction} leaves {n_steps - held} steps to learn "
                    f"from, but mode={self.mode!r} with horizon={self.horizon} and window={self.window} needs {least}"
                )
            yield low + training_windows(n_steps - held - ahead, self.window)

    def _encode(self, y: Array, weight: Array | None, *, reset: bool, classes: Any = None) -> Encoded:
        n_targets = len(self.target_channels_)
        if reset:
            self.target_mean_, self.target_scale_ = moments(y[:, :n_targets], None)
        standardised = (y.reshape(len(y), -1, n_targets) - self.target_mean_) / self.target_scale_
        return Encoded(standardised.reshape(y.shape), SquaredError())

    def _decode(self, outputs: Array) -> Array:
        """Predictions (n_steps, horizon, n_targets)."""
        return self.target_mean_ + self.target_scale_ * outputs.reshape(len(outputs), -1, len(self.target_mean_))

    def _split(self, part: Part, X_val: Any, y_val: Any, seed: int) -> tuple[Part, Part | None]:
        return last_aside(part, self.validation_fraction) if self.early_stopping is True else (part, None)

    def _trainer(self, objective: Objective, *, early: bool) -> Trainer:
        trainer = super()._trainer(objective, early=early)
        outliers = AdditiveOutliers(self.outlier_rate, columns=self.target_channels_.tolist())
        return replace(trainer, penalties=(*trainer.penalties, outliers))

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Any:
        if self.mode == "predict":
            return super()._assemble(bias, generator)
        return autoencoder(self._recurrent(len(self.mean_), generator), len(self.mean_) - len(self.target_channels_), self.dropout, bias)

    def _data(self, part: Part) -> Data:
        data = super()._data(part)
        return data if self.mode == "predict" else replace(data, source=self._pairs(part.sequences, data.source, data.target))

    def _pairs(self, windows: Sequences, batches: Any, like: torch.Tensor) -> Pairs:
        """Windows to read and write, with their covariates."""
        columns = np.setdiff1d(np.arange(windows.n_features), self.target_channels_)
        return window_pairs(windows, batches, ((mirrored(windows) - self.mean_) / self.scale_)[:, columns], like)

    def _errors(self, sequences: Sequences) -> Array:
        values = sequences.values[:, self.target_channels_].astype(np.float64)
        if self.mode == "predict":
            predicted = self._decode(self._rows(predictors(sequences, self.target_channels_)))
            return aligned_errors(predicted, values, sequences, self.horizon)
        network: Any = self.network_
        n_steps = min(self.horizon, self.window)
        errors = np.full((len(values), n_steps, values.shape[1]), np.nan)
        with limit_threads(self.n_threads), torch.inference_mode():
            for ends, windows in windows_until(sequences, self.window):
                pairs = self._pairs(windows, self._batches(windows), network.head.W)
                back = written(network, pairs, n_steps).reshape(-1, values.shape[1])
                errors[ends] = values[ends[:, None] - np.arange(n_steps)] - self._decode(back).reshape(len(ends), n_steps, -1)
        return errors

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags
