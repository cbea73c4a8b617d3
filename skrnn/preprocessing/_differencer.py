"""Differencer: changes in the place of values, and back."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from ..data._checks import check_sequences_and_layout
from ..data._reading import ROWS
from ..data._sequences import Sequences
from ._containers import give_back, names_in

Array = npt.NDArray[Any]
EDGES = ("zero", "nan", "drop")
ORIGINS = ("end", "start")


class Differencer(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
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

    def __init__(self, lags: int | Sequence[int] = 1, edge: str = "zero", origin: str = "end") -> None:
        self.lags = lags
        self.edge = edge
        self.origin = origin

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def fit(self, X: Any, y: Any = None) -> Self:
        """Remember the ends of each series.

        Parameters
        ----------
        X : array (n_steps, n_features), or several series: list of arrays (n_steps, n_features), 3-D array or Sequences
            The series; a 2-D array is one, whose rows are the time steps.
        y : None
            Not looked at.

        Returns
        -------
        self : Differencer
            The fitted transformer.
        """
        lags = self._lags()
        for parameter, value, known in (("edge", self.edge, EDGES), ("origin", self.origin, ORIGINS)):
            if value not in known:
                raise ValueError(f"The {parameter!r} parameter of Differencer must be one of {known}; got {value!r}")
        sequences, _ = check_sequences_and_layout(self, X, reset=True, rows_are_steps=True)
        self.n_lost_ = sum(lags)
        self._refuse_short(sequences)
        self.start_, self.end_ = [], []
        for series in sequences:
            stages = [series]
            for lag in lags:
                stages.append(stages[-1][lag:] - stages[-1][:-lag])
            self.start_.append([stage[:lag].copy() for stage, lag in zip(stages, lags, strict=False)])
            self.end_.append([stage[-lag:].copy() for stage, lag in zip(stages, lags, strict=False)])
        return self

    def transform(self, X: Any) -> Any:
        """Give the changes.

        Parameters
        ----------
        X : as in ``fit``
            The series; their lengths and number need not be those of ``fit``.

        Returns
        -------
        Xt : same container as X
            The changes; with ``edge="drop"`` of fewer steps.
        """
        check_is_fitted(self)
        sequences, layout = check_sequences_and_layout(self, X, reset=False, rows_are_steps=True)
        if self.edge == "drop":
            self._refuse_short(sequences)
        return self._pack([self._changes(series) for series in sequences], layout)

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
        sequences, layout = check_sequences_and_layout(self, X, reset=False, rows_are_steps=True, allow_nan=self.edge == "nan")
        if len(sequences) != len(self.end_):
            raise ValueError(f"X has {len(sequences)} series, but Differencer was fitted on {len(self.end_)}, whose ends it goes on from")
        lost = self.n_lost_ if self.origin == "start" and self.edge != "drop" else 0
        known = self.start_ if self.origin == "start" else self.end_
        return self._pack([self._sums(series[lost:], ends) for series, ends in zip(sequences, known, strict=True)], layout)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Names of the channels, which are those that came in.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the channels that go in; None makes names as scikit-learn does.

        Returns
        -------
        names : ndarray of str
            The names.
        """
        return names_in(self, input_features)

    def _lags(self) -> list[int]:
        lags: Any = [self.lags] if isinstance(self.lags, Integral) else self.lags
        if (
            not isinstance(lags, Sequence)
            or not lags
            or not all(isinstance(k, int | np.integer) and not isinstance(k, bool) and k >= 1 for k in lags)
        ):
            raise ValueError(f"The 'lags' parameter of Differencer must be an int of at least 1, or a sequence of such; got {self.lags!r}")
        return [int(k) for k in lags]

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

    def _pack(self, parts: list[Array], layout: str) -> Any:
        if layout == ROWS:
            return parts[0]
        return give_back(Sequences(np.vstack(parts), np.cumsum([0, *(len(part) for part in parts)])), layout)
