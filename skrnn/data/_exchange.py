"""Exchanging values between the steps of sequences, in whatever holds them: numbers, strings and categories stay what they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._flat import TableLayout
from ._frames import cells_of, columns_of, has_instances, kind_of, order_of_instances, sequences_of_packed, tensor_to_array
from ._reading import NO_SAMPLES, SupportsArray, unmasked
from ._sequences import Array, Sequences, offsets_of
from ._tables import with_columns

Places = NDArray[np.intp]


class Laid(ABC):
    """The cells of X, sequence after sequence: a row for each step, a column for each channel.

    Attributes
    ----------
    offsets : ndarray of shape (n_sequences + 1,)
        Where sequences begin and end among the rows.
    n_channels : int or None
        None: what stands at a step is a picture.
    lasting : ndarray of int
        Channels whose values belong to no step, but to a whole sequence.
    """

    offsets: Array
    n_channels: int | None
    lasting: Places = np.empty(0, dtype=np.intp)

    @abstractmethod
    def taken(self, rows: Places, sources: Places, channels: Places) -> Any:
        """What X would be if some rows had, in some channels, the cells of other rows."""


@dataclass(frozen=True, eq=False)
class LaidArray(Laid):
    """Of an array (n_rows, n_channels), or with pictures in its rows."""

    cells: Array
    offsets: Array
    back: Callable[[Array], Any]
    lasting: Places = field(default_factory=lambda: np.empty(0, dtype=np.intp))

    @property
    def n_channels(self) -> int | None:  # type: ignore[override]
        return self.cells.shape[1] if self.cells.ndim == 2 else None

    def taken(self, rows: Places, sources: Places, channels: Places) -> Any:
        new = self.cells.copy()
        if self.cells.ndim == 2:
            new[rows[:, None], channels] = self.cells[sources[:, None], channels]
        else:
            new[rows] = self.cells[sources]
        return self.back(new)


@dataclass(frozen=True, eq=False)
class LaidFrame(Laid):
    """Of a frame or series whose rows are steps; ``order`` are its rows, sequence after sequence."""

    frame: Any
    kind: str
    order: Places
    offsets: Array

    @property
    def n_channels(self) -> int:  # type: ignore[override]
        return len(columns_of(self.frame, self.kind))

    def taken(self, rows: Places, sources: Places, channels: Places) -> Any:
        source = np.arange(len(self.order))
        source[self.order[rows]] = self.order[sources]
        if self.kind.endswith("Series"):
            return _like(self.frame, _taken_of(self.frame, source))
        columns = columns_of(self.frame, self.kind)
        return with_columns(self.frame, self.kind, {k: _taken_of(columns[k][1], source) for k in channels})


@dataclass(frozen=True, eq=False)
class LaidWindows(Laid):
    """Of a frame with a sequence in each row; ``places`` (n_steps, n_channels) are the columns of its cells."""

    frame: Any
    kind: str
    places: Places

    @property
    def offsets(self) -> Array:  # type: ignore[override]
        return np.arange(len(self.frame) + 1) * len(self.places)

    @property
    def n_channels(self) -> int:  # type: ignore[override]
        return self.places.shape[1]

    @property
    def lasting(self) -> Places:  # type: ignore[override]
        return _lasting(self.places)

    def taken(self, rows: Places, sources: Places, channels: Places) -> Any:
        n_steps, columns = len(self.places), columns_of(self.frame, self.kind)
        source = np.arange(len(self.frame) * n_steps)
        source[rows] = sources
        sequence, step = (part.reshape(-1, n_steps) for part in np.divmod(source, n_steps))  # a step has the same source in all rows
        new = {}
        for k in np.unique(rows % n_steps):
            for channel in channels:
                new[int(self.places[k, channel])] = _taken_of(columns[self.places[step[0, k], channel]][1], sequence[:, k])
        return with_columns(self.frame, self.kind, new)


@dataclass(frozen=True, eq=False)
class LaidCells(Laid):
    """Of a frame with a sequence in each of its cells: a column is a channel."""

    frame: Any
    kind: str
    columns: list[LaidArray]

    @property
    def offsets(self) -> Array:  # type: ignore[override]
        return self.columns[0].offsets

    @property
    def n_channels(self) -> int:  # type: ignore[override]
        return len(self.columns)

    def taken(self, rows: Places, sources: Places, channels: Places) -> Any:
        every = {k: np.arange(self.columns[k].cells.shape[1]) for k in channels}
        return with_columns(self.frame, self.kind, {k: self.columns[k].taken(rows, sources, every[k]) for k in channels})


@dataclass(frozen=True, eq=False)
class LaidFrames(Laid):
    """Of a list of frames, each a sequence."""

    frames: list[Any]
    kind: str
    back: Callable[[list[Any]], Any]

    @property
    def offsets(self) -> Array:  # type: ignore[override]
        return offsets_of([len(frame) for frame in self.frames])

    @property
    def n_channels(self) -> int:  # type: ignore[override]
        return self.frames[0].shape[1]

    def taken(self, rows: Places, sources: Places, channels: Places) -> Any:
        offsets = self.offsets
        source = np.arange(offsets[-1])
        source[rows] = sources
        columns = {k: _taken_of(_end_to_end([columns_of(frame, self.kind)[k][1] for frame in self.frames]), source) for k in channels}
        spans = zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
        parts = [{k: column[first:last] for k, column in columns.items()} for first, last in spans]
        return self.back([with_columns(frame, self.kind, part) for frame, part in zip(self.frames, parts, strict=True)])


def lay_out(X: Any, *, rows_are_steps: bool, layout: TableLayout, columns: Callable[[Any], Places]) -> Laid:
    """The cells of X, to be exchanged.

    Parameters
    ----------
    X : object
        What `as_sequences` reads, or lists of tokens.
    rows_are_steps : bool
        Whether a 2-D X is one sequence, whose steps are its rows.
    layout : TableLayout
        The order of the axes.
    columns : callable
        From a 2-D X to the columns (n_steps, n_channels) of its cells, if its rows are sequences.
    """
    kind = kind_of(X)
    X = X if kind else unmasked(X)
    if kind == "torch.PackedSequence":
        X = sequences_of_packed(X, "X")
    elif kind == "torch.Tensor":
        X = [tensor_to_array(part) for part in X.unbind()] if X.is_nested else tensor_to_array(X)
    elif kind:
        return _of_frame(X, kind, rows_are_steps, columns)
    elif not isinstance(X, Sequence | np.ndarray) and isinstance(X, SupportsArray):
        X = np.asarray(X)
    if isinstance(X, Sequences):
        return LaidArray(X.values, X.offsets, X.with_values)
    if isinstance(X, list | tuple) and (grid := _numbers_of_lists(X)) is not None:
        X = grid
    if isinstance(X, np.ndarray) and X.ndim > 1:
        return _of_table(X, rows_are_steps, columns) if X.ndim == 2 else _of_axes(X, layout)
    if isinstance(X, str | bytes) or not isinstance(X, Sequence | np.ndarray):
        raise TypeError(f"X must hold sequences whose values can be exchanged; got {type(X).__name__}")
    return _of_items(list(X), lambda parts: _like(X, parts), layout)


def _of_frame(X: Any, kind: str, rows_are_steps: bool, columns: Callable[[Any], Places]) -> Laid:
    if kind.endswith("Series") and (cells_of(X, kind) is not None or isinstance(X[:1].to_list()[0], str)):
        return _of_items(list(X), lambda parts: _like(X, parts), TableLayout())
    nested = [cells for _, column in columns_of(X, kind) if (cells := cells_of(column, kind)) is not None]
    if nested:  # then all columns are: the door refuses sequences beside single values
        return LaidCells(X, kind, [_of_items(cells, list, TableLayout()) for cells in nested])
    if has_instances(X, kind, "X"):
        return LaidFrame(X, kind, *order_of_instances(X))
    if rows_are_steps:
        return LaidFrame(X, kind, np.arange(len(X)), np.array([0, len(X)]))
    return LaidWindows(X, kind, columns(X))


def _of_table(X: Array, rows_are_steps: bool, columns: Callable[[Any], Places]) -> LaidArray:
    if rows_are_steps:
        return LaidArray(X, np.array([0, len(X)]), np.asarray)
    places = columns(X)

    def back(cells: Array) -> Array:
        table = X.copy()
        table[:, places.ravel()] = cells.reshape(len(X), -1)
        return table

    return LaidArray(X[:, places].reshape(-1, places.shape[1]), np.arange(len(X) + 1) * len(places), back, _lasting(places))


def _of_axes(X: Array, layout: TableLayout) -> LaidArray:
    """Of an array (n_sequences, n_steps, …)."""
    step, arranged = -1 if layout.step_order == "newest_first" else 1, layout.arrange(X)
    cells = arranged[:, ::step]
    n, n_steps = cells.shape[:2]
    return LaidArray(
        cells.reshape(n * n_steps, *cells.shape[2:]),
        np.arange(n + 1) * n_steps,
        lambda new: layout.arrange(new.reshape(cells.shape)[:, ::step]),
    )


def _of_items(items: list[Any], back: Callable[[list[Any]], Any], layout: TableLayout) -> Any:
    """Of sequences one by one: frames, or arrays, lists and strings, which are put end to end."""
    if not items:
        raise ValueError(NO_SAMPLES.format(shape=(0,)))
    kinds = {kind_of(item) for item in items}
    if len(kinds) == 1 and next(iter(kinds)).endswith("DataFrame") and layout.layout == "ntc":
        return LaidFrames(items, next(iter(kinds)), back)
    step, turned = -1 if layout.step_order == "newest_first" else 1, layout.layout == "nct"
    arrays = [(part.T if turned else part)[::step] for part in map(_cells_of_item, items)]
    if {array.shape[1:] for array in arrays} != {arrays[0].shape[1:]}:
        raise ValueError(f"all sequences of X need the same channels at each step; got shapes {sorted({array.shape[1:] for array in arrays})}")
    alike = len({array.dtype.kind in "biufc" for array in arrays}) == 1
    joined = np.concatenate(arrays if alike else [array.astype(object) for array in arrays])
    offsets = offsets_of([len(array) for array in arrays])

    def given_back(cells: Array) -> Any:
        parts = [part[::step] for part in np.split(cells.reshape(joined.shape), offsets[1:-1])]
        return back([_remade(item, part.T if turned else part) for item, part in zip(items, parts, strict=True)])

    return LaidArray(joined.reshape(len(joined), -1) if joined.ndim < 3 else joined, offsets, given_back)


def _cells_of_item(item: Any) -> Array:
    if isinstance(item, str):
        return np.array(list(item), dtype=object)
    if kind_of(item) == "torch.Tensor":
        return tensor_to_array(item)
    if isinstance(item, Sequence) and any(isinstance(cell, str) for cell in item):
        return np.fromiter(item, dtype=object, count=len(item))  # numpy would make strings of numbers beside strings
    return np.asarray(unmasked(item))


def _remade(item: Any, cells: Array) -> Any:
    """Other cells in a container like that of the item."""
    if isinstance(item, str):
        return "".join(cells)
    return _like(item, cells.tolist() if isinstance(item, list | tuple) else cells)


def _like(X: Any, parts: Any) -> Any:
    """Parts or cells in a container like X; an array stays one where X is a tensor."""
    kind = kind_of(X)
    if kind == "pandas.Series":
        return type(X)(parts, index=X.index, name=X.name)
    if kind == "polars.Series":
        return type(X)(X.name, parts, dtype=X.dtype)
    if isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype == object and isinstance(parts, list):
        cells = np.empty(len(parts), dtype=object)
        for k, part in enumerate(parts):
            cells[k] = part
        return cells
    return tuple(parts) if isinstance(X, tuple) else parts


def _taken_of(column: Any, rows: Places) -> Any:
    """The values of a column at some rows, in its own type."""
    if kind_of(column).startswith("polars"):
        return column.gather(rows)
    return column.array.take(rows)


def _end_to_end(columns: list[Any]) -> Any:
    """Columns of several frames as one; categories of pandas that differ become all of them."""
    if kind_of(columns[0]).startswith("polars"):
        import polars

        return polars.concat(columns)
    import pandas as pd

    if all(isinstance(column.dtype, pd.CategoricalDtype) for column in columns):
        return pd.Series(pd.api.types.union_categoricals(columns, ignore_order=True))
    return pd.concat(columns, ignore_index=True)


def _numbers_of_lists(X: Any) -> Array | None:
    """Lists of lists of numbers, all of equal lengths, as the array that the door makes of them; None for anything else."""
    if not len(X) or not all(isinstance(item, list | tuple) for item in X) or len({len(item) for item in X}) > 1:
        return None
    try:
        array = np.asarray(X)
    except ValueError:
        return None
    return array if array.dtype.kind in "biuf" and array.ndim > 1 else None


def _lasting(places: Places) -> Places:
    """Channels that have one column for all steps."""
    return np.flatnonzero((places == places[:1]).all(axis=0)) if len(places) > 1 else np.empty(0, dtype=np.intp)
