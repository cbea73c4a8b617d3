"""The rows of a long frame: which belong to which series, and when they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from ..data._sequences import Array
from ..data._stepping import Instants
from ._time_axis import in_order, part_of, read_times


@dataclass(frozen=True, eq=False)
class LongFrame:
    """A frame with a row for each series and time.

    Attributes
    ----------
    frame : frame
        For narwhals, as it came.
    what : str
        What the argument is called, for messages.
    ids : list
        The series, in the order of their first rows.
    rows : list of ndarray of int
        Those of each series, in the order of time.
    clock : Instants
        The times of all rows.
    """

    frame: Any
    what: str
    ids: list[Any]
    rows: list[NDArray[np.intp]]
    clock: Instants

    @classmethod
    def read(cls, df: Any, id_col: str, time_col: str, needed: Sequence[str] = (), what: str = "df") -> Self:
        """Read a frame that must have some columns, and no time of a series twice."""
        frame = with_columns_of(df, [id_col, time_col, *needed], what)
        ids, rows = rows_by_id(frame[id_col], what)
        clock = read_times(frame[time_col])
        return cls(frame, what, ids, [in_order(clock, row, name) for row, name in zip(rows, ids, strict=True)], clock)

    def numbers(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Columns as a table of numbers."""
        columns = []
        for name in names:
            if not (self.frame[name].dtype.is_numeric() or self.frame[name].dtype == nw.Boolean):
                raise TypeError(f"column {name!r} of {self.what} has the type {self.frame[name].dtype}, expected numbers")
            columns.append(self.frame[name].cast(nw.Float64).to_numpy())
        return np.column_stack(columns) if columns else np.empty((len(self.frame), 0))

    def apart(self, table: Array) -> list[Array]:
        """Values of the rows, those of each series by themselves."""
        return [table[row] for row in self.rows]

    def times(self) -> list[Instants]:
        """Those of each series."""
        return [part_of(self.clock, row) for row in self.rows]


def with_columns_of(df: Any, names: Sequence[str], what: str) -> Any:
    """A frame for narwhals, which must have rows, and columns of these names."""
    try:
        frame = nw.from_native(df, eager_only=True)
    except TypeError as error:
        kind = f"{type(df).__module__.partition('.')[0]}.{type(df).__name__}"
        raise TypeError(f"{what} must be a frame of pandas or polars that holds its rows; got {kind}") from error
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise ValueError(f"{what} has no column {missing[0]!r}; its columns are {frame.columns}")
    if len(frame) == 0:
        raise ValueError(f"{what} has no rows")
    return frame


def rows_by_id(column: Any, what: str) -> tuple[list[Any], list[NDArray[np.intp]]]:
    """The ids in the order of their first appearance, and the rows of each."""
    unknown = column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()
    if unknown.any():
        raise ValueError(f"column {column.name!r} of {what} has no id in row {int(np.argmax(unknown.to_numpy()))}")
    numbers: dict[Any, int] = {}
    codes = np.array([numbers.setdefault(value, len(numbers)) for value in column.to_list()])
    order = np.argsort(codes, kind="stable")
    return list(numbers), np.split(order, np.cumsum(np.bincount(codes))[:-1])
