"""Anomalies of time series: what a recurrent network did not expect."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ..._bases import OutlierMixin, _fit_context
from ...cells import resolve
from ...data import Sequences, check_index, mirrored, with_index_of
from ...networks import Autoencoder, StepNetwork
from ...training import AdditiveOutliers, Batches, Retellings
from ..face._declared import parameters
from ..face._guards import learning, predicting
from ..face._readers import Given, Steps
from ..face._settings import Decayed, Directed, Recurrence, Stacked, Standardized
from ..face._state import Fitted
from ..face._trained import Trained, recurrent_layers
from ._prediction_errors import PredictionErrors
from ._reconstruction_errors import ReconstructionErrors, retellings_of, written
from ._scores import Array, ErrorModel, Judge, last_parts, target_channels
from ._series_windows import ExpectedState, ExpectedSteps, SeriesWindows, sizes_for
from ._settings import Detection, DetectionState


@parameters
class RNNAnomalyDetector(OutlierMixin, Detection, Decayed, Trained, Standardized, Directed, Stacked, Recurrence, DetectionState, ExpectedState):
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
    mode : {"predict", "reconstruct"}, default="predict"
        What a step is compared with: what was predicted for it, or what is left of it in the code of the window that ends with it.
    horizon : int, default=10
        Steps that are predicted ahead; more find anomalies that last longer, and are harder to learn. With "reconstruct", how many of the window's
        last steps are looked at. The default becomes less where the series are too short for it, and a warning says so; any other number is taken
        at its word.
    window : int, default=100
        Steps of the overlapping pieces that the series is cut into to be learned from; the network begins afresh in each. With "reconstruct", also
        the steps that are read and written again; then the default, too, becomes less where the series are too short for it.
    outlier_rate : float, default=0.1
        Share of the values that are made outliers while training (:class:`~skrnn.training.AdditiveOutliers`), so that the network does not follow an
        anomaly and the steps after it are not blamed for it; 0 is none, which follows fast changes better.

    Raises
    ------
    ValueError
        From ``fit``, if a parameter or X is not as described, or a series is too short for ``horizon``. Missing values are refused:
        :class:`~skrnn.preprocessing.SequenceImputer` fills them (``rows="steps"`` for a table of steps).

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
    >>> wave = np.sin(0.3 * np.arange(800))[
    ...     :, None
    ... ] + 0.05 * np.random.default_rng(0).normal(size=(800, 1))
    >>> detector = RNNAnomalyDetector(
    ...     horizon=5, hidden_size=16, max_epochs=30, random_state=0
    ... ).fit(wave[:600])
    >>> test = wave[600:].copy()
    >>> test[100] += 1
    >>> int(detector.score_samples(test).argmin())
    100
    """

    bidirectional: bool = False
    batch_size: int | None = 8
    mode: str = "predict"
    horizon: int = 10
    window: int = 100
    outlier_rate: float = 0.1

    _built_from: ClassVar[tuple[str, ...]] = ("mode", "horizon")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "mode": [StrOptions({"predict", "reconstruct"})],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
        "outlier_rate": [Interval(Real, 0, 1, closed="left")],
    }
    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("network_", "torch.nn.Module", (), "The trained StepNetwork or Autoencoder; its outputs are standardised targets."),
        Fitted("loss_curve_", "list of float", (), "Mean squared error of the standardised targets in each epoch."),
        Fitted("horizon_, window_", "int", (), "What was used."),
    )

    def _reader(self) -> SeriesWindows:
        told = (self.target_channels_, self.mode, self.horizon_, self.window_, self.calibration_fraction)
        return SeriesWindows(self.dtype, self.standardize, *told)

    def _target(self) -> ExpectedSteps:
        return ExpectedSteps(len(self.target_channels_), None if self.mode == "predict" else self._retellings)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Any:
        layers = recurrent_layers(self, len(self.mean_), generator)
        if self.mode == "predict":
            return StepNetwork(layers, bias)
        n_known = len(self.mean_) - len(self.target_channels_)
        return Autoencoder(layers, resolve(self.cell), self.hidden_size, bias, n_known=n_known, dropout=self.dropout, generator=generator)

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn what is normal.

        Parameters
        ----------
        X : array (n_steps, n_features), list of arrays (n_steps, n_features), array (n_sequences, n_steps, n_features) or Sequences
            Normal series, regularly sampled; a 2-D array is one, whose rows are the time steps. Where they have an index of times, it must run on
            without a gap.
        y : ignored

        Returns
        -------
        self
        """
        if self.bidirectional and self.mode == "predict":
            raise ValueError("A prediction does not look ahead: mode='predict' needs bidirectional=False; got True")
        with learning(self):
            going_on = self.warm_start and self.__sklearn_is_fitted__()
            check_index(X)
            sequences = Steps(self.dtype).read(self, X, reset=not going_on).sequences
            if not going_on:
                self._choose(sequences)
            lesson = replace(self._prepare(X, X, None, going_on=going_on), given=(X, y))
            trainer = self._trainer(lesson, self.alpha)
            outliers = AdditiveOutliers(self.outlier_rate, columns=self.target_channels_.tolist())
            held = last_parts(sequences, self.calibration_fraction)

            def conclude(model: Self) -> None:
                judge = Judge.of(model._error_model().errors(sequences), held, model.target_scale_, model)
                model.error_gaussian_, model.offset_ = judge.gaussian, judge.offset

            self._train(lesson, replace(trainer, penalties=(*trainer.penalties, outliers)), conclude)
        return self

    def _choose(self, sequences: Sequences) -> None:
        """What is to be expected, and how far ahead."""
        names = [*vars(self).get("feature_names_in_", ())]
        self.target_channels_ = target_channels(self.covariates, sequences.n_features, names)
        self.horizon_, self.window_ = sizes_for(self, sequences.lengths)
        name, asked, used = ("horizon", self.horizon, self.horizon_)
        if self.mode == "reconstruct":
            name, asked, used = ("window", self.window, self.window_)
        if used < asked:
            warnings.warn(
                f"{name}={asked} is too long for series of up to {sequences.lengths.max()} steps: {name}_={used} is used, "
                "and what is normal is learned from little",
                stacklevel=4,
            )

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
        predictor = self._predictor()
        given = predictor.read(X)
        return predictor.reader.give(predictor.model._error_model().errors(given.sequences), given)

    def score_samples(self, X: Any) -> Any:
        """How normal each time step is, given the steps before it: higher is more normal.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray (n_steps,) for a 2-D X, (n_sequences, n_steps) for a 3-D X, else list of ndarray (n_steps,)
            Pandas series, with the index of X, where that holds times.
        """
        return self._judged(X, lambda judge, scores: scores)

    def decision_function(self, X: Any) -> Any:
        """``score_samples`` minus ``offset_``: negative for anomalies.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        as of ``score_samples``
        """
        return self._judged(X, lambda judge, scores: scores - judge.offset)

    def predict(self, X: Any) -> Any:
        """-1 for anomalous time steps, +1 for others.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        as of ``score_samples``, of int
        """
        return self._judged(X, Judge.verdicts)

    def _judged(self, X: Any, said: Callable[[Judge, Array], NDArray[Any]]) -> Any:
        """What is said of the scores, as the sequences came."""
        check_index(X)
        predictor = self._predictor()
        given = predictor.read(X)
        judge = Judge(self.error_gaussian_, self.target_scale_, self.offset_)
        scores = judge.scores(predictor.model._error_model().errors(given.sequences))
        return with_index_of(X, predictor.reader.give(said(judge, scores), given))

    # -- what is expected ----------------------------------------------------------------------------------------------------------------------

    def _error_model(self) -> ErrorModel:
        if self.mode == "predict":
            return PredictionErrors(self.target_channels_, self.horizon_, self._predicted)
        return ReconstructionErrors(self.target_channels_, self.horizon_, self.window_, self._written)

    def _predicted(self, shown: Sequences) -> Array:
        """Predictions (n_steps_total, horizon, n_targets) at each step."""
        predictor = self._predictor()
        return predictor.target.decode(predictor.outputs(Given(shown, "")))

    def _written(self, windows: Sequences) -> Array:
        """What is written of each window, from its end (n_windows, horizon, n_targets)."""
        predictor = self._predictor()
        with predicting(self):
            rows = written(self.network_, self._retellings(windows, predictor.source(windows)), self.horizon_)
        return predictor.target.decode(rows)

    def _retellings(self, windows: Sequences, batches: Batches) -> Retellings:
        """Windows to read and write, with their covariates."""
        columns = np.setdiff1d(np.arange(windows.n_features), self.target_channels_)
        return retellings_of(windows, batches, ((mirrored(windows) - self.mean_) / self.scale_)[:, columns])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags
