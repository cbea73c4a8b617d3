"""Anomalies of time series: what a recurrent network did not expect."""

from __future__ import annotations

from dataclasses import KW_ONLY
from itertools import pairwise
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ..data import Sequences, as_sequences, give_steps
from ..training import SquaredError
from ._detection import BaseDetector
from ._every_step import BaseStepNetwork
from ._guards import unchanged_on_error
from ._held_out import Part
from ._parameters import parameters
from ._prediction_errors import aligned_errors, predictors, steps_ahead, training_windows
from ._targets import Encoded, moments

Array = NDArray[np.float64]


@parameters
class RNNAnomalyDetector(BaseStepNetwork, BaseDetector):
    """Find the time steps that a recurrent network did not expect (Malhotra et al., 2015).

    The network learns from a normal series to predict the next ``horizon`` steps at every step. The errors that it makes on the last part of the
    series, from which it did not learn, are what is normal; a step whose errors are unlikely beside them is an anomaly. Choose it for series whose
    next steps can be told from the steps before; where only the season counts, :class:`SeasonalNaiveDetector` is hard to beat and the yardstick.

    Predict several steps ahead: an anomaly that lasts is soon what the last steps lead to, but not what the steps before it did. Let the network
    see the calendar (``covariates``), without which it cannot know a holiday.

    Parameters
    ----------
    <shared parameters>
    horizon : int, default=10
        Steps that are predicted ahead. More find anomalies that last longer, and are harder to learn.
    window : int, default=100
        Steps of the overlapping pieces that the series is cut into to be learned from; the network begins afresh in each.

    Attributes
    ----------
    network_ : skrnn.networks.StepNetwork
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
        score(t) = −½ (e(t) − μ)ᵀ Σ⁻¹ (e(t) − μ)

    with targets x and covariates c. No score depends on later steps. At the first steps of a series some of the l predictions are missing; the score
    is then what is usual, given the others. Differs from the paper in that Σ is shrunk (Ledoit & Wolf), which keeps it regular if there are
    few held-out steps or constant channels, and in that the threshold needs no labelled anomalies. Errors are standardised, so scores do not depend
    on the scale of a channel. O((l d)²) a step besides the network.

    References
    ----------
    P. Malhotra, L. Vig, G. Shroff, P. Agarwal, "Long short term memory networks for anomaly detection in time series", ESANN 2015.
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
    horizon: int = 10
    window: int = 100

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = (
        BaseStepNetwork._parameter_constraints
        | BaseDetector._parameter_constraints
        | {
            "horizon": [Interval(Integral, 1, None, closed="left")],
            "window": [Interval(Integral, 1, None, closed="left")],
        }
    )

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
        """What each time step was, minus what was predicted for it.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray (n_steps, horizon, n_targets) for a 2-D X, (n_sequences, n_steps, horizon, n_targets) for a 3-D X, else list of the former
            ``[t, j]`` is of the prediction made ``j + 1`` steps before; NaN where the series had not yet begun.
        """
        check_is_fitted(self)
        sequences, layout = self._sequences(X, reset=False)
        return give_steps(self._errors(sequences), sequences, layout)

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Array, None]:
        """The windows to learn from, and what comes after each of their steps."""
        if self.bidirectional:
            raise ValueError("A detector does not look ahead: it needs bidirectional=False; got True")
        sequences, _ = self._sequences(X, reset=reset)
        if reset:
            self._choose_targets(sequences.n_features)
        inputs, values = predictors(sequences, self.target_channels_).values, sequences.values[:, self.target_channels_]
        held_out = self._held_out(sequences)
        windows, targets = [], []
        for k, (low, high) in enumerate(pairwise(sequences.offsets.tolist())):
            n_steps = high - low - int(held_out[low:high].sum())
            if n_steps <= self.horizon:
                raise ValueError(
                    f"series {k} has n_samples = {high - low}: calibration_fraction={self.calibration_fraction} leaves {n_steps} steps to learn "
                    f"from, of which horizon={self.horizon} needs more"
                )
            rows = low + training_windows(n_steps, self.window, self.horizon)
            windows.extend(inputs[rows])
            targets.append(steps_ahead(values, rows.ravel(), self.horizon))
        return as_sequences(windows), np.concatenate(targets).astype(np.float64), None

    def _encode(self, y: Array, weight: None, *, reset: bool, classes: Any = None) -> Encoded:
        n_targets = len(self.target_channels_)
        if reset:
            self.target_mean_, self.target_scale_ = moments(y[:, :n_targets], None)
        standardised = (y.reshape(len(y), -1, n_targets) - self.target_mean_) / self.target_scale_
        return Encoded(standardised.reshape(y.shape), SquaredError())

    def _decode(self, outputs: Array) -> Array:
        """Predictions (n_steps, horizon, n_targets)."""
        return self.target_mean_ + self.target_scale_ * outputs.reshape(len(outputs), -1, len(self.target_mean_))

    def _weigh(self, y: Array, weight: None) -> None:
        return None

    def _split(self, part: Part, X_val: Any, y_val: Any, seed: int) -> tuple[Part, Part | None]:
        """The last windows are held out, not some: neighbours overlap."""
        if self.early_stopping is not True:
            return part, None
        n = len(part.sequences)
        n_held = int(np.ceil(self.validation_fraction * n))
        if n_held == n:
            raise ValueError(f"validation_fraction={self.validation_fraction} of {n} windows leaves none to learn from; use early_stopping=False")
        return part.rows(np.arange(n - n_held)), part.rows(np.arange(n - n_held, n))

    def _errors(self, sequences: Sequences) -> Array:
        predicted = self._decode(self._rows(predictors(sequences, self.target_channels_)))
        return aligned_errors(predicted, sequences.values[:, self.target_channels_].astype(np.float64), sequences)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = False
        return tags
