"""Points in time, read from whatever holds them: clock times as numpy's datetime64, in microseconds."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from ..data._frames import columns_of, kind_of
from ..data._reading import LIST, ROWS
from ..data._sequences import Array

CLOCK_TIME = np.dtype("M8[us]")
LONGEST = 9e12  # seconds from 1970 that still fit


def read_time_tables(transformer: Any, X: Any, *, reset: bool) -> tuple[list[Any], str]:
    """Read the tables of one series, or of several in a list, and which of both it was; rows are time steps."""
    several = isinstance(X, list) and bool(X) and (bool(kind_of(X[0])) or (isinstance(X[0], np.ndarray) and X[0].ndim > 0))
    tables = [as_table(series) for series in (X if several else [X])]
    for k, table in enumerate(tables):
        of_numbers = not kind_of(table) and table.dtype.kind != "M"
        validate_data(transformer, table, reset=reset and k == 0, skip_check_array=not of_numbers)
    return tables, LIST if several else ROWS


def give_time_tables(tables: list[Array], layout: str) -> Any:
    """Give back what `read_time_tables` has read."""
    return tables if layout == LIST else tables[0]


def as_table(X: Any) -> Any:
    """Give a 2-D array of times or of numbers, or a frame; one column of times may come without an axis for it."""
    kind = kind_of(X)
    if kind.endswith("Series"):
        return X.to_frame()
    if kind.endswith("DataFrame"):
        return X
    array = np.asarray(X) if isinstance(X, list | tuple) or type(X).__name__.endswith("Index") else X
    if not isinstance(array, np.ndarray):
        array = check_array(array, ensure_all_finite=False)
    if array.dtype == object and array.size and isinstance(array.flat[0], datetime.date):
        array = np.array([_naive(value) for value in array.flat], dtype=CLOCK_TIME).reshape(array.shape)
    if array.dtype.kind != "M":
        return array
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(f"X should have shape (n_steps,) or (n_steps, n_columns), with a minimum of 1 step; got {array.shape}")
    return array.reshape(len(array), -1)


def clock_times(table: Any) -> Array:
    """The times of a table as wall clocks show them, of shape (n_steps, n_columns); numbers are seconds since 1970."""
    kind = kind_of(table)
    if not kind and table.dtype.kind != "M":
        return _from_seconds(check_array(table, dtype=np.float64, input_name="X"))
    columns = [_of_column(column, label, kind) for label, column in columns_of(table, kind)] if kind else list(table.T)
    times = np.column_stack([column.astype(CLOCK_TIME) for column in columns])
    missing = np.isnat(times)
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise ValueError(f"Input X contains NaN: there is no time in row {row}, column {column}")
    return times


def days_of(table: Any) -> Array:
    """The times of a table in days since 1970; numbers are left as they are."""
    kind = kind_of(table)
    is_time = kind and any(_is_time(column) or column.dtype == object for _, column in columns_of(table, kind))
    if is_time or (not kind and table.dtype.kind == "M"):
        return clock_times(table).astype(np.int64) / 86_400e6
    return check_array(table, dtype=np.float64, input_name="X")


def _naive(value: Any) -> Any:
    """A time without its zone, or a date."""
    return value.replace(tzinfo=None) if isinstance(value, datetime.datetime) else value


def _is_time(column: Any) -> bool:
    return str(column.dtype).lower().startswith(("date", "period"))


def _of_column(column: Any, label: str, kind: str) -> Array:
    """The times of a column of a frame, in its own time zone."""
    if str(column.dtype).startswith("period"):
        return column.dt.to_timestamp().to_numpy()
    if _is_time(column):
        zoned = kind.startswith("pandas") and column.dt.tz is not None
        naive = column.dt.tz_localize(None) if zoned else column.dt.replace_time_zone(None) if "time_zone" in str(column.dtype) else column
        return naive.to_numpy()
    array = as_table(np.asarray(column)[:, None])
    if array.dtype.kind in "OUST":
        raise TypeError(f"column {label!r} of X has the type {column.dtype}: parse it into datetimes first")
    return array[:, 0] if array.dtype.kind == "M" else _from_seconds(check_array(array, dtype=np.float64, input_name="X"))[:, 0]


def _from_seconds(seconds: Array) -> Array:
    if (np.abs(seconds) > LONGEST).any():
        raise ValueError(f"X holds numbers that are no seconds since 1970: {np.abs(seconds).max():g} is more than {LONGEST:g}")
    return np.round(seconds * 1e6).astype(np.int64).view(CLOCK_TIME)
