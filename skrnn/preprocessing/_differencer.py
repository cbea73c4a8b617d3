"""Differencer: changes in the place of values, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from .._constraints import COUNT, SequenceOf
from ..data._sequences import Array, Sequences
from ._containers import give_back, read_series
from ._transformer import SequenceTransformer


class Differencer(SequenceTransformer):
    """Replace values by their change since the step, or the season, before (Box & Jenkins, 1970).

    Choose it where the level of a series drifts and its changes do not: a network that never saw the level of the test data can still forecast its
    changes. Forecasts of changes become forecasts of values by ``inverse_transform``, which goes on from the end of the training data.

    Parameters
    ----------
    lags : int or sequence of int, default=1
        Steps over which the change is taken: 1 takes out a level, the length of a season the season. Several are applied in turn: (1, 12).
    edge : {"zero", "nan", "drop"}, default="zero"
        What stands in the first steps, which have nothing to be compared with: zero, NaN, or no steps at all.
    origin : {"end", "start"}, default="end"
        Where ``inverse_transform`` starts: behind the last step of ``fit``, for forecasts, or with its first, to restore what ``fit`` saw.

    Attributes
    ----------
    n_lost_ : int
        How many first steps have nothing to be compared with: the sum of the lags.
    start_, end_ : list of list of ndarray of shape (lag, n_features)
        For each series the values from which each difference starts and goes on.
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, a series that is not longer than the lags together, and what `as_sequences` refuses.

    Notes
    -----
    ::

        d(t) = x(t) - x(t - lag)

    Each series is differenced for itself. As the transformer of a :class:`~sklearn.compose.TransformedTargetRegressor` around a forecaster it needs
    ``check_inverse=False``, because predictions and training targets are not of the same steps.

    References
    ----------
    G. E. P. Box, G. M. Jenkins, "Time Series Analysis: Forecasting and Control", Holden-Day, 1970, chapter 4.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import Differencer
    >>> ramp = np.array([[1.0], [3.0], [5.0], [7.0]])
    >>> changes = Differencer().fit(ramp)
    >>> changes.transform(ramp).ravel()
    array([0., 2., 2., 2.])
    >>> changes.inverse_transform([[2.0], [2.0]]).ravel()
    array([ 9., 11.])
    """

    _parameter_constraints = {
        "lags": [COUNT, SequenceOf(COUNT)],
        "edge": [StrOptions({"zero", "nan", "drop"})],
        "origin": [StrOptions({"end", "start"})],
    }

    def __init__(self, lags: int | Sequence[int] = 1, edge: str = "zero", origin: str = "end") -> None:
        self.lags = lags
        self.edge = edge
        self.origin = origin

    _read = read_series

    def _learn(self, sequences: Sequences, y: Any) -> None:
        lags = self._lags()
        self.n_lost_ = sum(lags)
        self._refuse_short(sequences)
        self.start_, self.end_ = [], []
        for series in sequences:
            stages = [series]
            for lag in lags:
                stages.append(stages[-1][lag:] - stages[-1][:-lag])
            self.start_.append([stage[:lag].copy() for stage, lag in zip(stages, lags, strict=False)])
            self.end_.append([stage[-lag:].copy() for stage, lag in zip(stages, lags, strict=False)])

    def _change(self, sequences: Sequences, layout: str) -> Any:
        if self.edge == "drop":
            self._refuse_short(sequences)
        return give_back(_end_to_end([self._changes(series) for series in sequences]), layout)

    def _names(self, names: Array) -> Array:
        return names

    def inverse_transform(self, X: Any) -> Any:
        """Give the values that belong to changes.

        Parameters
        ----------
        X : as in ``fit``
            Changes, of as many series as ``fit`` saw. With ``origin="start"`` they begin as ``transform`` gives them.

        Returns
        -------
        Xt : same container as X
            With ``origin="end"`` the values of the steps behind ``fit``; with "start" those of ``fit``, all of them.
        """
        check_is_fitted(self)
        sequences, layout = read_series(self, X, reset=False, allow_nan=self.edge == "nan")
        if len(sequences) != len(self.end_):
            raise ValueError(f"X has {len(sequences)} series, but Differencer was fitted on {len(self.end_)}, whose ends it goes on from")
        lost = self.n_lost_ if self.origin == "start" and self.edge != "drop" else 0
        known = self.start_ if self.origin == "start" else self.end_
        return give_back(_end_to_end([self._sums(series[lost:], ends) for series, ends in zip(sequences, known, strict=True)]), layout)

    def _lags(self) -> list[int]:
        return [int(lag) for lag in (self.lags if isinstance(self.lags, Sequence) else [self.lags])]

    def _refuse_short(self, sequences: Sequences) -> None:
        short = sequences.lengths <= self.n_lost_
        if short.any():
            i = int(np.argmax(short))
            n = sequences.lengths[i]
            raise ValueError(f"series {i} has {n} steps (n_samples={n}); lags={self.lags} need at least {self.n_lost_ + 1}")

    def _changes(self, series: Array) -> Array:
        changes = series
        for lag in self._lags():
            changes = changes[lag:] - changes[:-lag]
        if self.edge == "drop":
            return changes
        edge = np.full((len(series) - len(changes), series.shape[1]), 0 if self.edge == "zero" else np.nan, dtype=series.dtype)
        return np.vstack([edge, changes])

    def _sums(self, changes: Array, ends: list[Array]) -> Array:
        """Undo the differences, the last one first."""
        values = changes
        for lag, end in zip(reversed(self._lags()), reversed(ends), strict=True):
            n = len(values)
            rounds = np.zeros((-(-n // lag) * lag, values.shape[1]), dtype=values.dtype)
            rounds[:n] = values
            summed = end + np.cumsum(rounds.reshape(-1, lag, values.shape[1]), axis=0)
            values = summed.reshape(len(rounds), -1)[:n]
            if self.origin == "start":
                values = np.vstack([end, values])
        return values


def _end_to_end(series: list[Array]) -> Sequences:
    return Sequences(np.vstack(series), np.cumsum([0, *(len(one) for one in series)]))
