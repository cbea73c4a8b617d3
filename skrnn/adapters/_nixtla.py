"""The long frame of Nixtla's libraries, one row for each series and time, in and out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from ..data._sequences import Array
from ._time_axis import Frequency, check_order, find_frequency


def from_nixtla(df: Any, *, id_col: str = "unique_id", time_col: str = "ds", target_col: str = "y", freq: str | int | None = None) -> NixtlaPanel:
    """Read the series of a long frame: a row for each series and time.

    Choose it to fit one global model of many series that stand in a pandas or polars frame (anything that narwhals reads).

    Parameters
    ----------
    df : frame
        Columns of ids, of times (datetimes, dates or whole numbers) and of targets; all others are numeric covariates. Series may be interleaved, but
        the times of each must increase in even steps (or in months), without a gap.
    id_col, time_col, target_col : str
        Names of the columns.
    freq : str, int or None, default=None
        The step of the time: "15min", "1d", "MS" …, or a whole number for times that are; ``None`` is that of the times.

    Returns
    -------
    panel : NixtlaPanel
        Its ``X`` and ``y`` go into ``fit``.

    Raises
    ------
    ValueError, TypeError
        If a column is missing or holds something else, or a time is missing, occurs twice, is out of order or skips a step; the message names the
        series and the place.

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
    clock = _clock_times(frame[time_col])
    times = [clock[row] for row in rows]
    check_order(times, ids, rows)
    frequency = find_frequency(times, ids, freq)
    target = _numbers(frame, [target_col], "df")[:, 0]
    table = _numbers(frame, features, "df")
    return NixtlaPanel(
        ids=ids,
        y=[target[row] for row in rows],
        X=[table[row] for row in rows] if features else None,
        features=features,
        last=[when[-1] for when in times],
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
    last : list
        The last time of each series.
    steps : object
        How the time goes on.
    keys : frame
        The first id and time of each series, for narwhals.
    """

    ids: list[Any]
    y: list[Array]
    X: list[Array] | None
    features: list[str]
    last: list[Any]
    steps: Frequency
    keys: Any

    def future(self, df: Any, n_steps: int | None = None) -> list[NDArray[np.float64]]:
        """Read covariates of the steps to come.

        Parameters
        ----------
        df : frame
            The columns of ids and times, and those of ``features``; for each series the times that follow its last.
        n_steps : int or None, default=None
            How many steps; None is as many as the first series has rows.

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
        _need(frame, [id_col, time_col, *self.features], "X_df")
        given, rows = _rows_by_id(frame[id_col])
        unseen = [name for name in given if name not in set(self.ids)]
        if unseen:
            raise ValueError(f"X_df has the series {unseen[0]!r}, which was not fitted")
        place = dict(zip(given, rows, strict=True))
        n_steps = len(rows[0]) if n_steps is None else n_steps
        clock, table = _clock_times(frame[time_col]), _numbers(frame, self.features, "X_df")
        tables = []
        for name, last in zip(self.ids, self.last, strict=True):
            row = place.get(name, np.arange(0))
            if len(row) < n_steps:
                raise ValueError(f"X_df has {len(row)} steps of series {name!r}, expected {n_steps}")
            expected = self.steps.after(last, n_steps)
            wrong = clock[row[:n_steps]] != expected
            if wrong.any():
                k = int(np.argmax(wrong))
                raise ValueError(f"step {k} of series {name!r} in X_df (row {row[k]}) is at {clock[row[k]]}, expected {expected[k]}")
            tables.append(table[row[:n_steps]])
        return tables

    def static(self, df: Any) -> Any:
        """Read what holds for each series as a whole.

        Parameters
        ----------
        df : frame
            The column of ids, and numbers or categories; one row for each series.

        Returns
        -------
        static : frame of shape (n_series, n_static)
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
        rows = [int(place[name][0]) for name in self.ids]
        return frame.drop(id_col)[rows].to_native()

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
        first = frame[self.keys.columns[1]]
        columns = [_like(nw.new_series(first.name, times, backend=frame.implementation), first)]
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


def _clock_times(column: Any) -> Array:
    """Times as datetime64 in microseconds, as wall clocks show them, or whole numbers."""
    if column.is_null().any():
        raise ValueError(f"column {column.name!r} has no time in row {int(np.argmax(column.is_null().to_numpy()))}")
    if column.dtype.is_integer():
        return column.to_numpy().astype(np.int64)
    if column.dtype == nw.Date:
        column = column.cast(nw.Datetime("us"))
    if not isinstance(column.dtype, nw.Datetime):
        raise TypeError(f"column {column.name!r} has the type {column.dtype}: parse it into datetimes first")
    naive = column if column.dtype.time_zone is None else column.dt.replace_time_zone(None)
    return naive.to_numpy().astype("M8[us]")


def _like(times: Any, column: Any) -> Any:
    """New times in the type of those that came."""
    zone = column.dtype.time_zone if isinstance(column.dtype, nw.Datetime) else None
    return (times if zone is None else times.dt.replace_time_zone(zone)).cast(column.dtype)


def _numbers(frame: Any, names: list[str], what: str) -> NDArray[np.float64]:
    columns = []
    for name in names:
        if not (frame[name].dtype.is_numeric() or frame[name].dtype == nw.Boolean):
            raise TypeError(f"column {name!r} of {what} has the type {frame[name].dtype}, expected numbers")
        columns.append(frame[name].cast(nw.Float64).to_numpy())
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))
