"""The cells of whatever holds sequences: looked at channel by channel, and put back as numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from itertools import chain
from numbers import Real
from typing import Any

import numpy as np

from ._encoding import STEPS
from ._finite import STRINGS_HINT
from ._frames import LONG_HINT, cells_of, columns_of, has_instances, kind_of, names_categories, order_of_instances, tensor_to_array
from ._ids import Ids
from ._sequences import Array, Sequences, offsets_of

Columns = dict[int, Array]
_NUMBERS = ("int", "uint", "float", "double", "bool", "decimal")  # how a frame names types of numbers


class Table(ABC):
    """The cells (n_rows, n_channels) of one or several whole sequences of X.

    Attributes
    ----------
    n_channels : int
    names : list of str or None
        Of the channels.
    """

    n_channels: int
    names: list[str] | None = None

    @abstractmethod
    def is_plain(self, channel: int) -> bool:
        """Whether the type of a channel, without a look at its cells, says that they are numbers."""

    @abstractmethod
    def is_category(self, channel: int) -> bool:
        """Whether a channel holds categories by its type; where cells have none, whether they are tokens of the only channel."""

    @abstractmethod
    def cells(self, channel: int) -> list[Any]:
        """The cells of a channel."""

    @abstractmethod
    def replaced(self, columns: Columns) -> Any:
        """What the table was made of, with numbers in some channels; cells of others stay."""

    @abstractmethod
    def place(self, row: int) -> tuple[int, int]:
        """The sequence, counted from the first of the table, and the step of a cell."""


class ArrayTable(Table):
    """Of an array of cells whose last axis are the channels, or which has one channel."""

    def __init__(self, array: Array, *, one_channel: bool, per_sequence: int | None = None) -> None:
        self._array = array
        self.n_channels = 1 if one_channel else array.shape[-1]
        self._rows = array.reshape(-1, self.n_channels) if array.size else array.reshape(0, self.n_channels)
        self._per_sequence = per_sequence or max(len(self._rows), 1)

    def is_plain(self, channel: int) -> bool:
        return self._array.dtype.kind in "biufc"

    def is_category(self, channel: int) -> bool:
        if self.is_plain(channel):
            return isinstance(self._array, Ids)
        return self.n_channels == 1 and are_tokens(self.cells(channel))

    def cells(self, channel: int) -> list[Any]:
        return self._rows[:, channel].tolist()

    def replaced(self, columns: Columns) -> Array:
        if not columns:
            return self._array
        filled = self._rows.astype(object)
        for channel, numbers in columns.items():
            filled[:, channel] = numbers
        return filled.reshape(self._array.shape) if len(columns) < self.n_channels else filled.astype(np.float64).reshape(self._array.shape)

    def place(self, row: int) -> tuple[int, int]:
        return divmod(row, self._per_sequence)


class FrameTable(Table):
    """Of a data frame: a channel is a column, of cells or of sequences of them; or columns are the steps of one channel."""

    def __init__(self, frame: Any, kind: str, *, one_channel: bool = False, item: bool = False) -> None:
        self._frame, self._kind, self._is_item = frame, kind, item
        self._columns = columns_of(frame, kind)
        self._nested = [cells_of(column, kind) for _, column in self._columns]
        several = not one_channel or any(cells is not None for cells in self._nested) or has_instances(frame, kind, "X")
        self._groups = [[k] for k in range(len(self._columns))] if several else [[*range(len(self._columns))]]
        self.n_channels = len(self._groups)
        self.names = [label for label, _ in self._columns] if several else None

    def is_plain(self, channel: int) -> bool:
        types = [str(column.dtype).lower() for column in self._of(channel)]
        return all(name.startswith(_NUMBERS) for name in types)

    def is_category(self, channel: int) -> bool:
        return all(
            names_categories(self._columns[k][1]) if self._nested[k] is None else are_tokens(self._cells_of_column(k)) for k in self._groups[channel]
        )

    def cells(self, channel: int) -> list[Any]:
        return [cell for k in self._groups[channel] for cell in self._cells_of_column(k)]

    def _cells_of_column(self, k: int) -> list[Any]:
        nested = self._nested[k]
        if nested is None:
            return list(self._columns[k][1])
        for i, cell in enumerate(nested):
            if isinstance(cell, str) or not isinstance(cell, Sequence | np.ndarray):
                raise ValueError(f"column {self._columns[k][0]!r} of X holds sequences, but {cell!r} in row {i}")
        return list(chain.from_iterable(nested))

    def _of(self, channel: int) -> list[Any]:
        return [self._columns[k][1] for k in self._groups[channel]]

    def replaced(self, columns: Columns) -> Any:
        new: dict[int, Any] = {}
        for channel, numbers in columns.items():
            group = self._groups[channel]
            parts = np.split(numbers, len(group))
            new |= {k: self._nested_again(k, part) for k, part in zip(group, parts, strict=True)}
        rest = [k for k in range(len(self._columns)) if k not in new]
        if self._is_item and new and all(self.is_plain(k) for k in rest):  # the door would take milliseconds for each frame of a list
            return np.column_stack([new[k] if k in new else _floats(column) for k, (_, column) in enumerate(self._columns)])
        return with_columns(self._frame, self._kind, new)

    def _nested_again(self, k: int, numbers: Array) -> Any:
        nested = self._nested[k]
        if nested is None:
            return numbers
        return [part.tolist() for part in np.split(numbers, offsets_of([len(cell) for cell in nested])[1:-1])]

    def place(self, row: int) -> tuple[int, int]:
        nested = next((cells for cells in self._nested if cells is not None), None)
        if nested is not None:
            return _within(offsets_of([len(cell) for cell in nested]), row)
        if self.names is None:  # rows of the frame are sequences, and columns are their steps
            step, sequence = divmod(row, len(self._frame))
            return sequence, step
        if has_instances(self._frame, self._kind, "X"):
            order, offsets = order_of_instances(self._frame)
            return _within(offsets, int(np.flatnonzero(order == row)[0]))
        return 0, row


def _within(offsets: Array, row: int) -> tuple[int, int]:
    sequence = int(np.searchsorted(offsets, row, side="right")) - 1
    return sequence, row - int(offsets[sequence])


def _floats(column: Any) -> Array:
    given = {"na_value": np.nan} if kind_of(column).startswith("pandas") else {}
    return np.asarray(column.to_numpy(**given), dtype=np.float64)


def with_columns(frame: Any, kind: str, new: dict[int, Any]) -> Any:
    """A frame with other values in some columns; its own stay."""
    if kind.startswith("polars"):
        columns = frame.get_columns()
        return frame.with_columns(*(type(columns[k])(columns[k].name, values) for k, values in new.items()))
    frame = frame.copy(deep=False)
    for k, values in new.items():
        frame.isetitem(k, values)
    return frame


def tables_of(X: Any, rows: str, *, tokens: bool) -> tuple[list[Table], Callable[[list[Any]], Any]]:
    """The tables of X, and what makes a container like X from what they become; no table of what are numbers for sure.

    ``rows`` are what the rows of a 2-D X are. With ``tokens`` a list of lists is a list of sequences,
    whatever their lengths.
    """
    kind, one_channel = kind_of(X), rows != STEPS
    if kind == "pandas.Series" and has_instances(X, kind, "X"):
        X, kind = X.to_frame(), "pandas.DataFrame"
    if kind.endswith("DataFrame"):
        return [FrameTable(X, kind, one_channel=one_channel)], lambda parts: parts[0]
    if isinstance(X, Sequences | str | bytes) or kind.startswith("torch"):
        return [], lambda parts: X
    if isinstance(X, np.ndarray) and X.ndim > 1:
        return _of_array(X, one_channel)
    if not kind and not isinstance(X, Sequence | np.ndarray):
        return [], lambda parts: X
    items = list(X)
    if not tokens and _is_grid(items):
        return _of_array(np.array(items, dtype=object), one_channel)
    tables = [_of_item(item, i) for i, item in enumerate(items)]
    if None in tables:
        _refuse_what_is_no_text(items, tables)
        return [], lambda parts: X  # the door says what is wrong
    return [table for table in tables if table is not None], list


def holds_texts(X: Any) -> bool:
    """Whether X is a list or a series of strings, not of lists of them."""
    if kind_of(X).endswith("DataFrame") or not (kind_of(X) or isinstance(X, list | tuple | np.ndarray)):
        return False
    return np.ndim(X) == 1 and isinstance(_first(X), str) if isinstance(X, np.ndarray) else isinstance(_first(X), str)


def may_hold_categories(X: Any) -> bool:
    """Whether the first of what X holds is a token, or a column of categories; quick, as it is asked of numbers too."""
    kind = kind_of(X)
    if kind.endswith("DataFrame"):
        return any(names_categories(column) or isinstance(_first(_first(cells_of(column, kind))), str) for _, column in columns_of(X, kind))
    if isinstance(X, np.ndarray) and X.dtype.kind in "biufc":
        return isinstance(X, Ids)
    first = _first(X)
    return isinstance(first, str) or (first is not None and not kind.startswith("torch") and may_hold_categories(first))


def _first(X: Any) -> Any:
    """The first of several; None where there are none."""
    if isinstance(X, np.ndarray):
        return X.flat[0] if X.size else None
    if not isinstance(X, Sequence) and not kind_of(X).endswith("Series"):
        return None
    return None if isinstance(X, Sequences | str | bytes) or len(X) == 0 else next(iter(X))


def are_tokens(cells: list[Any]) -> bool:
    """Whether there are strings among cells, and fewer than half of them spell numbers."""
    strings = {cell for cell in cells if isinstance(cell, str)}
    return 2 * sum(map(spells_number, strings)) < len(strings)


@contextmanager
def telling_where(X: Any, rows: str, name: str) -> Iterator[None]:
    """Say where the string is that the door takes for a number."""
    try:
        yield
    except ValueError as error:
        told, hint, _ = str(error).partition(STRINGS_HINT)
        if not hint:
            raise
        raise ValueError(f"{told}{_where_strings_are(X, rows, name)}{hint}") from error


def _where_strings_are(X: Any, rows: str, name: str) -> str:
    """The channel, sequence and step of the first string that spells no number, or of the first of all; nothing where X cannot be searched."""
    with suppress(ValueError, TypeError):
        tables = tables_of(X, rows, tokens=False)[0]
        for is_wrong in (lambda cell: not spells_number(cell), lambda cell: True):
            for channel in range(min((table.n_channels for table in tables), default=0)):
                cells = [] if all(table.is_plain(channel) for table in tables) else [cell for table in tables for cell in table.cells(channel)]
                row = next((row for row, cell in enumerate(cells) if isinstance(cell, str) and is_wrong(cell)), None)
                if row is not None:
                    names, (sequence, step) = tables[0].names, place_of(tables, row, channel)
                    column = f"channel {channel}" if names is None else f"column {names[channel]!r}"
                    long = LONG_HINT if names is None and kind_of(X).endswith("DataFrame") else ""
                    return f" The first is {cells[row]!r} in {column} of {name} (sequence {sequence}, step {step}).{long}"
    return ""


def spells_number(cell: str) -> bool:
    """Whether a string would become a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _refuse_what_is_no_text(items: list[Any], tables: list[Table | None]) -> None:
    """Among sequences of strings: beside numbers the door will say it."""
    texts = (table is not None and not all(map(table.is_plain, range(table.n_channels))) for table in tables)
    if any(texts):
        i = tables.index(None)
        raise TypeError(f"sequence {i} of X must hold tokens or steps, as a string, a list or an array; got {items[i]!r}")


def holds_numbers(X: Any) -> bool:
    """Whether X is an array, or another container that may hold sequences of numbers."""
    return kind_of(X) != "" or (isinstance(X, Sequences | Sequence | np.ndarray) and not isinstance(X, str | bytes) and len(X) > 0)


def _of_array(X: Array, one_channel: bool) -> tuple[list[Table], Callable[[list[Any]], Any]]:
    if X.dtype.kind in "biufc" or X.ndim not in (2, 3):
        return [], lambda parts: X
    steps = X.shape[1] if X.ndim == 3 or one_channel else None
    return [ArrayTable(X, one_channel=one_channel and X.ndim == 2, per_sequence=steps)], lambda parts: parts[0]


def _is_grid(items: list[Any]) -> bool:
    """Whether lists of cells have equal lengths, which makes a 2-D array of them, as for scikit-learn."""
    lists = all(isinstance(item, list | tuple) for item in items)
    return lists and len({len(item) for item in items}) == 1 and not any(isinstance(cell, list | tuple) for item in items for cell in item)


def _of_item(item: Any, i: int) -> Table | None:
    """The table of one sequence; the cells of a string are its characters."""
    kind = kind_of(item)
    if kind.endswith("DataFrame"):
        return FrameTable(item, kind, item=True)
    if kind == "torch.Tensor":
        array = tensor_to_array(item)
    elif isinstance(item, np.ndarray):
        array = item
    elif kind or isinstance(item, Sequence):
        array = _cells(list(item), i)
    else:
        return None
    return ArrayTable(array, one_channel=array.ndim == 1) if array.ndim in (1, 2) else None


def _cells(item: list[Any], i: int) -> Array:
    """Numbers as they are; numpy would turn them into strings beside others."""
    try:
        array = np.asarray(item)
        return array if array.dtype.kind in "biuf" else np.array(item, dtype=object)
    except ValueError as error:
        raise ValueError(f"sequence {i} of X is no table: every step needs the same number of channels ({error})") from error


def place_of(tables: list[Table], channel_row: int, channel: int) -> tuple[int, int]:
    """The sequence and step of a cell of a channel, counted through all tables."""
    first = 0
    for table in tables:
        n = len(table.cells(channel))
        if channel_row < n:
            sequence, step = table.place(channel_row)
            return first + sequence, step
        channel_row, first = channel_row - n, first + 1
    raise IndexError(channel_row)


def kind_of_cells(cells: list[Any]) -> tuple[str, int]:
    """Whether cells are "numbers" or "strings", or what is wrong with them; and the place of the first wrong one."""
    kinds = {cell_type: _kind_of_type(cell_type) for cell_type in set(map(type, cells))}
    if set(kinds.values()) <= {"numbers"}:
        return "numbers", 0
    if set(kinds.values()) == {"strings"}:
        return "strings", 0
    missing = next((k for k, cell in enumerate(cells) if is_missing(cell)), None)
    if missing is not None:
        return "missing", missing
    strange = next((k for k, cell in enumerate(cells) if kinds[type(cell)] not in ("numbers", "strings")), None)
    if strange is not None:
        return f"a {type(cells[strange]).__name__}", strange
    return "mixed", next(k for k, cell in enumerate(cells) if kinds[type(cell)] != kinds[type(cells[0])])


def _kind_of_type(cell_type: type) -> str:
    if issubclass(cell_type, str):
        return "strings"
    return "numbers" if issubclass(cell_type, Real | Decimal | np.bool_) else "others"


def is_missing(cell: Any) -> bool:
    """Whether a cell is None, NaN, or NA of pandas, which is equal to nothing and to nothing not."""
    return cell is None or type(cell).__name__ in ("NAType", "NaTType") or bool(cell != cell)
