"""The yardstick of anomaly detection: the same moment of the season before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from ..._bases import BaseEstimator, OutlierMixin, _fit_context
from ...data import Sequences, check_index, with_index_of
from ..face._declared import parameters
from ..face._guards import unchanged_on_error
from ..face._noted import as_fitted, note_parameters
from ..face._readers import Given, Steps
from ..face._state import ReadState
from ..face._targets import moments
from ._scores import Array, ErrorModel, Judge, last_parts, target_channels
from ._settings import Detection, DetectionState


@dataclass(frozen=True)
class SeasonalErrors(ErrorModel):
    """Each step is compared with the same moment of the season before.

    Parameters
    ----------
    channels : ndarray of shape (n_targets,)
    period : int
    """

    channels: NDArray[np.intp]
    period: int

    def errors(self, sequences: Sequences) -> Array:
        values = sequences.values[:, self.channels].astype(np.float64)
        before = np.arange(len(values)) - self.period
        errors = values - values[before % len(values)]
        errors[before < np.repeat(sequences.offsets[:-1], sequences.lengths)] = np.nan
        return np.asarray(errors[:, None])


@parameters
class SeasonalNaiveDetector(OutlierMixin, Detection, BaseEstimator, DetectionState, ReadState):
    """Find the time steps that differ from the same moment of the season before: the yardstick of every detector.

    Nothing is learned but how large such differences are where all is well. On series that people make (traffic, sales, load) it finds whole days
    that are unlike their weekday, at which networks without a calendar fail; each anomaly echoes one season later. Report it beside whatever is more
    elaborate, as :class:`RNNAnomalyDetector`.

    Parameters
    ----------
    period : int, default=1
        Length of the season in time steps: 336 for a week of half-hours; 1 compares with the step before.

    Raises
    ------
    ValueError
        From ``fit``, if a parameter or X is not as described, or no series is longer than a season.

    Notes
    -----
    ::

        e(t) = x(t) − x(t − period)
        score(t) = −½ (e(t) − μ)ᵀ Σ⁻¹ (e(t) − μ)

    with μ and Σ as in :class:`RNNAnomalyDetector`. The first season of a series has nothing before it; its score is the mean held-out one.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import SeasonalNaiveDetector
    >>> wave = np.sin(2 * np.pi / 24 * np.arange(480))[
    ...     :, None
    ... ] + 0.05 * np.random.default_rng(0).normal(size=(480, 1))
    >>> detector = SeasonalNaiveDetector(period=24).fit(wave[:360])
    >>> test = wave[360:].copy()
    >>> test[100] += 1
    >>> int(detector.score_samples(test).argmin())
    100
    """

    period: int = field(default=1, kw_only=False)

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"period": [Interval(Integral, 1, None, closed="left")]}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how large differences are where all is well.

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
        with unchanged_on_error(self):
            sequences = self._read(X, reset=True).sequences
            if self.period >= sequences.lengths.max():
                raise ValueError(f"period={self.period} needs a longer series: the longest has n_samples = {sequences.lengths.max()} (steps)")
            names = [*vars(self).get("feature_names_in_", ())]
            self.target_channels_ = target_channels(self.covariates, sequences.n_features, names)
            self.target_scale_ = moments(sequences.values[:, self.target_channels_].astype(np.float64), None)[1]
            errors = SeasonalErrors(self.target_channels_, self.period).errors(sequences)
            judge = Judge.of(errors, last_parts(sequences, self.calibration_fraction), self.target_scale_, self)
            self.error_gaussian_, self.offset_ = judge.gaussian, judge.offset
            note_parameters(self)
        return self

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

    def _read(self, X: Any, *, reset: bool) -> Given:
        check_index(X)
        return Steps("float64").read(self, X, reset=reset)

    def _judged(self, X: Any, said: Callable[[Judge, Array], NDArray[Any]]) -> Any:
        """What is said of the scores, as the sequences came."""
        check_is_fitted(self)
        given = self._read(X, reset=False)
        judge = Judge(self.error_gaussian_, self.target_scale_, self.offset_)
        scores = judge.scores(SeasonalErrors(self.target_channels_, as_fitted(self).period).errors(given.sequences))
        return with_index_of(X, Steps("float64").give(said(judge, scores), given))
