"""FourierFeatures: sine waves of given periods, which go on after the end of the training data."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _num_samples, check_is_fitted, validate_data

from ..data._frames import columns_of, kind_of
from ._calendar import are_parts, parts_of
from ._times import as_table, days_of


class FourierFeatures(TransformerMixin, BaseEstimator):
    """Sine and cosine waves of given periods, as columns (harmonic regression).

    Choose it for seasons of known length, several of them or long ones, and put it beside the exogenous columns with
    :class:`~sklearn.compose.ColumnTransformer` or :class:`~sklearn.pipeline.FeatureUnion`.

    Parameters
    ----------
    periods : float or sequence of float, default=12
        Lengths of the seasons: in rows, or in the unit of the column `time`, which is days where that holds datetimes.
    n_harmonics : int or sequence of int, default=1
        Waves of each period, the k-th with k times its frequency; more follow sharper shapes.
    time : int, str or None, default=None
        The column of `X` that says when; None counts the rows.

    Attributes
    ----------
    n_steps_ : list of int
        Rows of each series of ``fit``: where the counting goes on.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, more harmonics than half the period in rows, or a column that is no time.

    Notes
    -----
    ::

        output(t) = sin(2π k t / period), cos(2π k t / period),   k = 1, …, n_harmonics

    Where rows are counted, ``fit_transform`` starts at 0 and ``transform`` goes on behind the last row of ``fit``, whatever comes: it is for the
    steps after the training end, as a pipeline in front of a forecaster uses it. Give a column `time` where this is not meant.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import FourierFeatures
    >>> waves = FourierFeatures(periods=4)
    >>> waves.fit_transform(np.zeros((3, 1))).round(6) + 0
    array([[ 0.,  1.],
           [ 1.,  0.],
           [ 0., -1.]])
    >>> waves.transform(np.zeros((2, 1))).round(6) + 0
    array([[-1.,  0.],
           [ 0.,  1.]])
    """

    def __init__(self, periods: float | Sequence[float] = 12, n_harmonics: int | Sequence[int] = 1, time: int | str | None = None) -> None:
        self.periods = periods
        self.n_harmonics = n_harmonics
        self.time = time

    def fit(self, X: Any, y: Any = None) -> Self:
        """Count the rows.

        Parameters
        ----------
        X : array or frame of shape (n_steps, n_features), or a list of such, one for each series
            Only the column `time` is looked at.
        y : None
            Not looked at.

        Returns
        -------
        self : FourierFeatures
            The fitted transformer.
        """
        self._waves()
        self.n_steps_ = [len(when) for when in self._times(X, reset=True)]
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        """Give the waves of the training data.

        Parameters
        ----------
        X, y : as in ``fit``

        Returns
        -------
        Xt : ndarray of shape (n_steps, n_waves), or a list of such
            The waves from row 0 on, or at the given times.
        """
        self.fit(X, y)
        return self._give(X, [0] * len(self.n_steps_))

    def transform(self, X: Any) -> Any:
        """Give the waves that go on behind the training data, or those at the given times.

        Parameters
        ----------
        X : as in ``fit``
            As many rows as there shall be steps, of as many series as in ``fit`` if rows are counted.

        Returns
        -------
        Xt : ndarray of shape (n_steps, n_waves), or a list of such
            The waves.
        """
        check_is_fitted(self)
        n_series = len(parts_of(X))
        if self.time is None and n_series != len(self.n_steps_):
            raise ValueError(f"X has {n_series} series, but FourierFeatures was fitted on {len(self.n_steps_)} and goes on behind each")
        return self._give(X, self.n_steps_ if self.time is None else [0] * n_series)

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Name the columns: "sin1_12", "cos1_12", "sin2_12" …

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        names : ndarray of str
            The names.
        """
        check_is_fitted(self)
        return np.array([f"{wave}{k}_{period:g}" for period, k in self._waves() for wave in ("sin", "cos")], dtype=object)

    def _waves(self) -> list[tuple[float, int]]:
        """The period and the number of each wave."""
        periods: Any = [self.periods] if isinstance(self.periods, Real) else self.periods
        if not isinstance(periods, Sequence) or not periods or not all(isinstance(p, int | float | np.number) and p > 0 for p in periods):
            raise ValueError(f"The 'periods' parameter of FourierFeatures must be a number above 0, or a sequence of such; got {self.periods!r}")
        counts: Any = [self.n_harmonics] * len(periods) if isinstance(self.n_harmonics, Integral) else self.n_harmonics
        if (
            not isinstance(counts, Sequence)
            or len(counts) != len(periods)
            or not all(isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1 for n in counts)
        ):
            expected = f"an int of at least 1, or one for each of the {len(periods)} periods"
            raise ValueError(f"The 'n_harmonics' parameter of FourierFeatures must be {expected}; got {self.n_harmonics!r}")
        for period, n in zip(periods, counts, strict=True):
            if self.time is None and n > period / 2:
                raise ValueError(f"n_harmonics={n} is more than half the period of {period} rows: faster waves cannot be told from slower ones")
        return [(period, k) for period, n in zip(periods, counts, strict=True) for k in range(1, n + 1)]

    def _times(self, X: Any, *, reset: bool) -> list[npt.NDArray[np.float64]]:
        """When each row of each series is."""
        times = []
        for k, part in enumerate(parts_of(X)):
            table = as_table(part)
            validate_data(self, table, reset=reset and k == 0, skip_check_array=bool(kind_of(table)) or table.dtype.kind == "M")
            when = np.arange(float(_num_samples(table))) if self.time is None else days_of(self._column(table))[:, 0]
            times.append(when)
        return times

    def _column(self, table: Any) -> Any:
        """The column `time` as a table."""
        kind = kind_of(table)
        labels = [label for label, _ in columns_of(table, kind)] if kind else []
        place = labels.index(self.time) if isinstance(self.time, str) and self.time in labels else self.time
        n_columns = len(labels) if kind else table.shape[-1]
        if not isinstance(place, Integral) or not 0 <= place < n_columns:
            raise ValueError(f"time={self.time!r} is no column of X; there are {labels or n_columns}")
        if kind:
            return as_table(columns_of(table, kind)[int(place)][1])
        return table[:, [int(place)]] if table.ndim == 2 else table

    def _give(self, X: Any, starts: Sequence[int]) -> Any:
        waves = self._waves()
        given = []
        for start, when in zip(starts, self._times(X, reset=False), strict=True):
            phases = [2 * np.pi * k * (start + when) / period for period, k in waves]
            given.append(np.column_stack([wave for phase in phases for wave in (np.sin(phase), np.cos(phase))]))
        return given if are_parts(X) else given[0]
