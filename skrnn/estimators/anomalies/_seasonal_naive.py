"""The yardstick of anomaly detection: the same moment of the season before."""

from __future__ import annotations

from dataclasses import KW_ONLY
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import Interval

from ..data import Sequences, check_sequences_and_layout
from ._described import parameters
from ._detection import Array, BaseDetector
from ._guards import unchanged_on_error
from ._targets import moments


@parameters
class SeasonalNaiveDetector(BaseDetector):
    """Find the time steps that differ from the same moment of the season before: the yardstick of every detector.

    Nothing is learned but how large such differences are where all is well. On series that people make (traffic, sales, load) it finds whole days
    that are unlike their weekday, at which networks without a calendar fail; each anomaly echoes one season later. Report it beside whatever is more
    elaborate, as :class:`RNNAnomalyDetector`.

    Parameters
    ----------
    period : int, default=1
        Length of the season in time steps: 336 for a week of half-hours; 1 compares with the step before.
    <shared parameters>

    Attributes
    ----------
    <shared attributes>
    n_features_in_ : int
        Channels of the series.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a frame of numbers.

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
    >>> wave = np.sin(2 * np.pi / 24 * np.arange(480))[:, None] + 0.05 * np.random.default_rng(0).normal(size=(480, 1))
    >>> detector = SeasonalNaiveDetector(period=24).fit(wave[:360])
    >>> test = wave[360:].copy()
    >>> test[100] += 1
    >>> int(detector.score_samples(test).argmin())
    100
    """

    period: int = 1
    _: KW_ONLY

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = BaseDetector._parameter_constraints | {
        "period": [Interval(Integral, 1, None, closed="left")]
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn how large differences are where all is well.

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
            sequences, _ = self._sequences(X, reset=True)
            if self.period >= sequences.lengths.max():
                raise ValueError(f"period={self.period} needs a longer series: the longest has n_samples = {sequences.lengths.max()} (steps)")
            self._choose_targets(sequences.n_features)
            self.target_scale_ = moments(sequences.values[:, self.target_channels_].astype(np.float64), None)[1]
            self._calibrate(sequences)
        return self

    def _sequences(self, X: Any, *, reset: bool) -> tuple[Sequences, str]:
        return check_sequences_and_layout(self, X, reset=reset, rows_are_steps=True)

    def _errors(self, sequences: Sequences) -> Array:
        values = sequences.values[:, self.target_channels_].astype(np.float64)
        before = np.arange(len(values)) - self.period
        errors = values - values[before % len(values)]
        errors[before < np.repeat(sequences.offsets[:-1], sequences.lengths)] = np.nan
        return np.asarray(errors[:, None])
