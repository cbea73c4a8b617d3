"""The memory of a program's passes over a packed batch, and the pieces of time in which they go through it."""

from __future__ import annotations

from collections.abc import Callable
from ctypes import c_int64
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._layout import Layout, even_blocks
from ._threads import WORTH_THREADS

_LINE = 64
_MOST_SPARE = 2**25  # bytes
_BLOCK = 512  # rows that a pass over rows takes at once
_CACHED = 2**21  # bytes of a piece that one pass writes and the next one reads

Spare = tuple[NDArray[np.uint8], int]  # memory, and the address of its first line


class Own(NamedTuple):
    """An array with as many rows as there are steps, sequences, rows in a block, or steps in a piece (``moving``); panels have one."""

    name: str
    place: str
    length: int  # of a row, in bytes
    dtype: str


class Extent:
    """What a compiled pass has to know of a layout: steps, sequences, and where its arrays lie."""

    def __init__(self, layout: Layout) -> None:
        self._kept = layout
        self.n_steps, self.batch = len(layout.sizes), int(layout.sizes[0])
        self.sizes, self.starts = layout.sizes.ctypes.data, layout.starts.ctypes.data

    @cached_property
    def edges(self) -> list[int]:
        """Of blocks of sequences that are worth a thread each."""
        return even_blocks(self._kept)


class Piece:
    """Some time steps, whose rows are those from ``first`` to ``end``.

    Parameters
    ----------
    layout : Layout
    first, end : int
    """

    def __init__(self, layout: Layout, first: int, end: int) -> None:
        self.first, self.end, self.over_time = first, end, Extent(layout)

    @cached_property
    def over_rows(self) -> Extent:
        """The same rows in blocks that stay in the cache, as if none followed another."""
        starts = np.arange(self.first, self.end, _BLOCK)
        return Extent(Layout(np.minimum(_BLOCK, self.end - starts), starts))


class Allotment:
    """Where a program's own arrays lie for a packed batch, and the pieces of time in which its passes go through it.

    Passes that follow each other go through a piece of time after the other, so that what one writes is in the cache when the next one reads it. Of
    what only they need there is memory for one piece, which moves along.

    Parameters
    ----------
    layout : Layout
    own : list of Own
        The arrays that are not given.
    work : int
        Multiplications for a row. A piece is worth a second thread.
    """

    def __init__(self, layout: Layout, own: list[Own], work: int) -> None:
        self.n_rows, self.batch = int(layout.starts[-1] + layout.sizes[-1]), int(layout.sizes[0])
        self.moving = {a.name: a.length for a in own if a.place == "moving"}
        self.pieces = _pieces(layout, self.n_rows, max(_CACHED // max(1, sum(self.moving.values())), 2 * WORTH_THREADS // work))
        self.longest = max(p.end - p.first for p in self.pieces)
        rows = {"steps": self.n_rows, "sequences": self.batch, "blocks": min(self.longest, _BLOCK), "moving": self.longest, "panels": 1}
        self.own, self.length = dict[str, tuple[int, int, str]](), 0
        for name, place, length, dtype in own:
            length *= rows[place]
            self.own[name] = self.length, length, dtype
            self.length += -(-length // _LINE) * _LINE


class Arrays:
    """The arrays of a program's passes over a packed batch by their names: those that are given, and memory for the others.

    Parameters
    ----------
    allotment : Allotment
    store : list of Spare
        Memory that has been used before.
    """

    def __init__(self, allotment: Allotment, store: list[Spare]) -> None:
        self.allotment = allotment
        self._given = dict[str, Callable[[], NDArray[Any]]]()
        self._memory = Workspace(allotment.length, store)
        base = self._memory.start
        self.address = {name: base + low for name, (low, _, _) in allotment.own.items()}

    def give(self, name: str, address: int, array: Callable[[], NDArray[Any]]) -> None:
        """An array by its address, and by what keeps it there and gives it if it is asked."""
        self.address[name], self._given[name] = address, array

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self._given:
            return self._given[name]()
        low, length, dtype = self.allotment.own[name]
        return self._memory[low, length].view(dtype)

    def table(self, names: list[str], piece: Piece) -> Any:
        """Where the first row of the batch is, or would be if there were memory for it: an array of C."""
        address, moving, first = self.address, self.allotment.moving, piece.first
        if first:
            return (c_int64 * len(names))(*[address[name] - first * moving.get(name, 0) for name in names])
        return (c_int64 * len(names))(*[address[name] for name in names])

    def rows(self, name: str, piece: Piece, width: int) -> NDArray[Any]:
        """The rows of a piece of an array for all steps, ``width`` entries long; several for a step where it has more."""
        n, first = (self.allotment.longest, 0) if name in self.allotment.moving else (self.allotment.n_rows, piece.first)
        return self[name].reshape(n, -1)[first : first + piece.end - piece.first].reshape(-1, width)


def _pieces(layout: Layout, n_rows: int, most: int) -> list[Piece]:
    """Pieces of about the same number of rows."""
    count = -(-n_rows // max(1, most))
    if count == 1:
        return [Piece(layout, 0, n_rows)]
    edges = np.unique(np.searchsorted(layout.starts[:-1], n_rows * np.arange(count) / count))
    sizes, starts = (np.split(part, edges[1:]) for part in layout)
    return [Piece(Layout(n, at), int(at[0]), int(at[-1] + n[-1])) for n, at in zip(sizes, starts, strict=True)]


class Workspace:
    """Memory on a line of the cache, which goes back to a small store when nobody needs it: new pages cost as much as a pass over them."""

    _whole, start = np.empty(0, np.uint8), 0  # until there is some

    def __init__(self, length: int, store: list[Spare]) -> None:
        self._store = store
        found = next((k for k, (spare, _) in enumerate(store) if len(spare) >= length + _LINE), None)
        try:
            self._whole, self.start = _aligned(length) if found is None else store.pop(found)
        except IndexError:  # another thread was faster
            self._whole, self.start = _aligned(length)

    def __getitem__(self, part: tuple[int, int]) -> NDArray[np.uint8]:
        """So many bytes from a place."""
        low, length = part
        low += self.start - self._whole.ctypes.data
        return self._whole[low : low + length]

    def __del__(self) -> None:
        if len(self._whole) <= _MOST_SPARE:
            self._store.append((self._whole, self.start))
            del self._store[:-2]


def _aligned(length: int) -> Spare:
    memory = np.empty(length + _LINE, np.uint8)
    base = memory.ctypes.data
    return memory, base + -base % _LINE
