"""FourierFeatures: sine waves of given periods, which go on after the end of the training data."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils.validation import _num_samples

from .._constraints import COUNT, POSITIVE, SequenceOf, refusal
from ..data._frames import columns_of, kind_of
from ..data._sequences import Array
from ._times import as_table, days_of, give_time_tables, read_time_tables
from ._transformer import SequenceTransformer


class FourierFeatures(SequenceTransformer, auto_wrap_output_keys=("transform",)):
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
    steps after the training end, as a pipeline in front of a forecaster uses it, with as many rows as there shall be steps. Give a column `time`
    where this is not meant.

    `X` is a table, or a list of tables, one for each series; then a list comes back. The columns are called "sin1_12", "cos1_12", "sin2_12" …

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

    _parameter_constraints = {
        "periods": [POSITIVE, SequenceOf(POSITIVE)],
        "n_harmonics": [COUNT, SequenceOf(COUNT)],
        "time": [Integral, str, None],
    }

    def __init__(self, periods: float | Sequence[float] = 12, n_harmonics: int | Sequence[int] = 1, time: int | str | None = None) -> None:
        self.periods = periods
        self.n_harmonics = n_harmonics
        self.time = time

    _takes_3d = False
    _read = read_time_tables

    def _learn(self, tables: list[Any], y: Any) -> None:
        self._waves()
        self.n_steps_ = [len(self._when(table)) for table in tables]

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
        tables, layout = self.fit(X, y)._read(X, reset=False)
        return self._give(tables, layout, [0] * len(tables))

    def _change(self, tables: list[Any], layout: str) -> Any:
        if self.time is None and len(tables) != len(self.n_steps_):
            raise ValueError(f"X has {len(tables)} series, but FourierFeatures was fitted on {len(self.n_steps_)} and goes on behind each")
        return self._give(tables, layout, self.n_steps_ if self.time is None else [0] * len(tables))

    def _names(self, names: Array) -> list[str]:
        return [f"{wave}{k}_{period:g}" for period, k in self._waves() for wave in ("sin", "cos")]

    def _waves(self) -> list[tuple[float, int]]:
        """The period and the number of each wave."""
        periods: Any = [self.periods] if isinstance(self.periods, Real) else self.periods
        counts: Any = [self.n_harmonics] * len(periods) if isinstance(self.n_harmonics, Integral) else self.n_harmonics
        if len(counts) != len(periods):
            raise refusal(self, "n_harmonics", f"a whole number of at least 1, or one for each of the {len(periods)} periods")
        for period, n in zip(periods, counts, strict=True):
            if self.time is None and n > period / 2:
                raise ValueError(f"n_harmonics={n} is more than half the period of {period} rows: faster waves cannot be told from slower ones")
        return [(period, k) for period, n in zip(periods, counts, strict=True) for k in range(1, n + 1)]

    def _when(self, table: Any) -> Array:
        """When each row is."""
        return np.arange(float(_num_samples(table))) if self.time is None else days_of(self._column(table))[:, 0]

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

    def _give(self, tables: list[Any], layout: str, starts: Sequence[int]) -> Any:
        waves = self._waves()
        given = []
        for start, table in zip(starts, tables, strict=True):
            phases = [2 * np.pi * k * (start + self._when(table)) / period for period, k in waves]
            given.append(np.column_stack([wave for phase in phases for wave in (np.sin(phase), np.cos(phase))]))
        return give_time_tables(given, layout)
