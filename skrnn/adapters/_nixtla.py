"""The long frame of Nixtla's libraries, one row for each series and time, in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from ..data._sequences import Array
from ..data._stepping import Stepping
from ._time_axis import find_frequency, in_order, like_column, part_of, read_times


def from_nixtla(df: Any, *, id_col: str = "unique_id", time_col: str = "ds", target_col: str = "y", freq: str | int | None = None) -> NixtlaPanel:
    """Read the series of a long frame: a row for each series and time.

    Choose it to fit one global model of many series that stand in a pandas or polars frame (anything that narwhals reads).

    Parameters
    ----------
    df : frame
        Columns of ids, of times (datetimes, dates or whole numbers) and of targets; all others are numeric covariates. Rows may stand in any
        order, but the times of each series must be those of even steps, or of a calendar's (months, business days …), without a gap.
    id_col, time_col, target_col : str
        Names of the columns.
    freq : str, int or None, default=None
        The step of the time: "15min", "1d", "MS", "B" …, or a whole number for times that are; ``None`` is that of the times.

    Returns
    -------
    panel : NixtlaPanel
        Its ``X`` and ``y`` go into ``fit``.

    Raises
    ------
    ValueError, TypeError
        If a column is missing or holds something else, or a time is missing, occurs twice or skips a step; the message names the series and the
        place.

    Examples
    --------
    >>> import pandas as pd
    >>> from skrnn.adapters import from_nixtla
    >>> days = pd.date_range("2024-01-30", periods=3)
    >>> df = pd.DataFrame({"unique_id": ["a"] * 3 + ["b"] * 2, "ds": [*days, *days[:2]], "y": [1.0, 2.0, 3.0, 10.0, 20.0]})
    >>> panel = from_nixtla(df)
    >>> panel.y
    [array([1., 2., 3.]), array([10., 20.])]
    >>> panel.frame({"model": [[4.0], [30.0]]})
      unique_id         ds  model
    0         a 2024-02-02    4.0
    1         b 2024-02-01   30.0
    """
    frame = nw.from_native(df, eager_only=True)
    _need(frame, [id_col, time_col, target_col], "df")
    features = [name for name in frame.columns if name not in (id_col, time_col, target_col)]
    ids, rows = _rows_by_id(frame[id_col])
    clock = read_times(frame[time_col])
    rows = [in_order(clock, row, name) for row, name in zip(rows, ids, strict=True)]
    times = [part_of(clock, row) for row in rows]
    frequency = find_frequency(times, ids, freq)
    target = _numbers(frame, [target_col], "df")[:, 0]
    table = _numbers(frame, features, "df")
    return NixtlaPanel(
        ids=ids,
        y=[target[row] for row in rows],
        X=[table[row] for row in rows] if features else None,
        features=features,
        last=[int(when.ticks[-1]) for when in times],
        steps=frequency,
        keys=frame.select(id_col, time_col)[[int(row[0]) for row in rows]],
    )


@dataclass(frozen=True, eq=False)
class NixtlaPanel:
    """The series of a long frame, as `from_nixtla` gives them.

    Attributes
    ----------
    ids : list
        The series, in the order of their first rows.
    y : list of ndarray of shape (n_steps,)
        The target of each.
    X : list of ndarray of shape (n_steps, n_features), or None
        Its covariates; None if there are none.
    features : list of str
        Their names.
    last : list of int
        The last time of each series: microseconds since 1970 in UTC, or the number that it is.
    steps : object
        How the time goes on.
    keys : frame
        The first id and time of each series, for narwhals.
    """

    ids: list[Any]
    y: list[Array]
    X: list[Array] | None
    features: list[str]
    last: list[int]
    steps: Stepping
    keys: Any

    def of(self, ids: Sequence[Any]) -> NixtlaPanel:
        """Some of the series.

        Parameters
        ----------
        ids : sequence
            Which, in this order.

        Returns
        -------
        panel : NixtlaPanel

        Raises
        ------
        ValueError
            If there is no such series, or it is asked for twice.
        """
        wanted = list(ids)
        unseen = [name for name in wanted if name not in set(self.ids)]
        if unseen or len(set(wanted)) < len(wanted) or not wanted:
            raise ValueError(f"ids must hold series that are there, each once; got {(unseen or wanted)[:3]}")
        place = [self.ids.index(name) for name in wanted]
        X = None if self.X is None else [self.X[k] for k in place]
        return replace(self, ids=wanted, y=[self.y[k] for k in place], X=X, last=[self.last[k] for k in place], keys=self.keys[place])

    def future(self, df: Any, n_steps: int | None = None, past: Sequence[str] = ()) -> list[NDArray[np.float64]]:
        """Read covariates of the steps to come.

        Parameters
        ----------
        df : frame
            The columns of ids and times, and those of ``features``; for each series the times that follow its last.
        n_steps : int or None, default=None
            How many steps; None is as many as the first series has rows.
        past : sequence of str, default=()
            Those of ``features`` of which only the past is known: their columns may be missing, and are 0.

        Returns
        -------
        X : list of ndarray of shape (n_steps, n_features)
            In the order of ``ids``; it goes into ``predict``.

        Raises
        ------
        ValueError
            If a series is missing, was not seen in ``fit``, has too few rows, or a time is not the one that follows.
        """
        frame = nw.from_native(df, eager_only=True)
        id_col, time_col = self.keys.columns
        known = [name for name in self.features if name not in past]
        _need(frame, [id_col, time_col, *known], "X_df")
        given, rows = _rows_by_id(frame[id_col])
        unseen = [name for name in given if name not in set(self.ids)]
        if unseen:
            raise ValueError(f"X_df has the series {unseen[0]!r}, which is none of those that are forecast")
        place = dict(zip(given, rows, strict=True))
        n_steps = len(rows[0]) if n_steps is None else n_steps
        clock, table = read_times(frame[time_col]), np.zeros((len(frame), len(self.features)))
        table[:, [self.features.index(name) for name in known]] = _numbers(frame, known, "X_df")
        tables = []
        for name, last in zip(self.ids, self.last, strict=True):
            row = place.get(name, np.arange(0))
            if len(row) < n_steps:
                raise ValueError(f"X_df has {len(row)} steps of series {name!r}, expected {n_steps}")
            row = in_order(clock, row, name)[:n_steps]
            wrong = clock.ticks[row] != self.steps.after(last, n_steps)
            if wrong.any():
                k = int(np.argmax(wrong))
                expected = self._times_of(self.steps.after(last, n_steps))[k]
                raise ValueError(f"step {k} of series {name!r} in X_df (row {row[k]}) is at {clock.labels[row[k]]}, expected {expected}")
            tables.append(table[row])
        return tables

    def _times_of(self, ticks: Array) -> list[Any]:
        """Times as the frame has them, for messages."""
        return like_column(ticks, self.keys[self.keys.columns[1]], self.keys.implementation).to_list()

    def static(self, df: Any) -> NDArray[np.float64]:
        """Read what holds for each series as a whole.

        Parameters
        ----------
        df : frame
            The column of ids, and numbers; one row for each series.

        Returns
        -------
        static : ndarray of shape (n_series, n_static)
            In the order of ``ids``; it goes into ``fit``.

        Raises
        ------
        ValueError
            If a series is missing, or has several rows.
        """
        frame = nw.from_native(df, eager_only=True)
        id_col = self.keys.columns[0]
        _need(frame, [id_col], "static_df")
        place = dict(zip(*_rows_by_id(frame[id_col]), strict=True))
        for name in self.ids:
            if len(place.get(name, ())) != 1:
                raise ValueError(f"static_df has {len(place.get(name, ()))} rows of series {name!r}, expected one")
        table = _numbers(frame, [name for name in frame.columns if name != id_col], "static_df")
        return table[[place[name][0] for name in self.ids]]

    def frame(self, forecasts: Mapping[str, Sequence[Any]]) -> Any:
        """Write forecasts into a long frame.

        Parameters
        ----------
        forecasts : dict of str to list of array-like of shape (n_steps,)
            For each column, as "RNNForecaster" or "RNNForecaster-lo-90", the steps behind the end of each series.

        Returns
        -------
        frame : frame
            Of the library of the frame that came: ids, times, and a column for each entry.
        """
        if not forecasts:
            raise ValueError("forecasts must have an entry; got none")
        lengths = {name: [len(part) for part in parts] for name, parts in forecasts.items()}
        counts = next(iter(lengths.values()))
        for name, found in lengths.items():
            if len(found) != len(self.ids) or found != counts:
                raise ValueError(f"{name!r} has forecasts of {found} steps, expected {counts} of the {len(self.ids)} series")
        times = np.concatenate([self.steps.after(last, n) for last, n in zip(self.last, counts, strict=True)])
        frame = nw.maybe_reset_index(self.keys[np.repeat(np.arange(len(self.ids)), counts).tolist()])
        columns = [like_column(times, frame[self.keys.columns[1]], frame.implementation)]
        for name, parts in forecasts.items():
            values = np.concatenate([np.asarray(part, dtype=float) for part in parts])
            columns.append(nw.new_series(name, values, backend=frame.implementation))
        return frame.with_columns(*columns).to_native()


def _need(frame: Any, names: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ValueError(f"{what} has no column {missing[0]!r}; its columns are {frame.columns}")
    if len(frame) == 0:
        raise ValueError(f"{what} has no rows")


def _rows_by_id(column: Any) -> tuple[list[Any], list[NDArray[np.intp]]]:
    """The ids in the order of their first appearance, and the rows of each."""
    numbers: dict[Any, int] = {}
    codes = np.array([numbers.setdefault(value, len(numbers)) for value in column.to_list()])
    order = np.argsort(codes, kind="stable")
    return list(numbers), np.split(order, np.cumsum(np.bincount(codes))[:-1])


def _numbers(frame: Any, names: list[str], what: str) -> NDArray[np.float64]:
    columns = []
    for name in names:
        if not (frame[name].dtype.is_numeric() or frame[name].dtype == nw.Boolean):
            raise TypeError(f"column {name!r} of {what} has the type {frame[name].dtype}, expected numbers")
        columns.append(frame[name].cast(nw.Float64).to_numpy())
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))
