"""The memory of a program's passes over a packed batch, and the pieces of time in which they go through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._layout import Layout
from ._threads import WORTH_THREADS

_LINE = 64
_MOST_SPARE = 2**25  # bytes
_BLOCK = 512  # rows that a pass over rows takes at once
_CACHED = 2**21  # bytes of a piece that one pass writes and the next one reads


class Own(NamedTuple):
    """An array with as many rows as there are steps, sequences, rows in a block, or steps in a piece (``moving``); panels have one."""

    name: str
    place: str
    length: int  # of a row, in bytes
    dtype: str


class Piece(NamedTuple):
    """Some time steps, whose rows are those from ``first`` to ``end``."""

    layout: Layout
    first: int
    end: int

    @property
    def rows(self) -> Layout:
        """The same rows in blocks that stay in the cache, as if none followed another."""
        starts = np.arange(self.first, self.end, _BLOCK)
        return Layout(np.minimum(_BLOCK, self.end - starts), starts)


class Arrays:
    """The arrays of a program's passes over a packed batch by their names: those that are given, and memory for the others.

    Passes that follow each other go through a piece of time after the other, so that what one writes is in the cache when the next one reads it. Of
    what only they need there is memory for one piece, which moves along.

    Parameters
    ----------
    layout : Layout
    own : list of Own
        The others.
    work : int
        Multiplications for a row. A piece is worth a second thread.
    store : list of array of uint8
        Memory that has been used before.
    """

    def __init__(self, layout: Layout, own: list[Own], work: int, store: list[NDArray[np.uint8]]) -> None:
        self.layout, self.n_rows = layout, int(layout.starts[-1] + layout.sizes[-1])
        self._moving = {a.name: a.length for a in own if a.place == "moving"}
        self.pieces = _pieces(layout, self.n_rows, max(_CACHED // max(1, sum(self._moving.values())), 2 * WORTH_THREADS // work))
        self._given = dict[str, Callable[[], NDArray[Any]]]()
        self._longest = max(p.end - p.first for p in self.pieces)
        rows = {"steps": self.n_rows, "sequences": int(layout.sizes[0]), "blocks": min(self._longest, _BLOCK), "moving": self._longest, "panels": 1}
        self._places, high = dict[str, tuple[int, int, str]](), 0
        for name, place, length, dtype in own:
            length *= rows[place]
            self._places[name] = high, length, dtype
            high += -(-length // _LINE) * _LINE
        self._memory = Workspace(high, store)
        self.address = {name: self._memory.start + low for name, (low, _, _) in self._places.items()}

    def give(self, name: str, address: int, array: Callable[[], NDArray[Any]]) -> None:
        """An array by its address, and by what keeps it there and gives it if it is asked."""
        self.address[name], self._given[name] = address, array

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name in self._given:
            return self._given[name]()
        low, length, dtype = self._places[name]
        return self._memory.bytes[low : low + length].view(dtype)

    def table(self, names: Iterable[str], piece: Piece) -> NDArray[np.uintp]:
        """Where the first row of the batch is, or would be if there were memory for it."""
        return np.array([self.address[name] - piece.first * self._moving.get(name, 0) for name in names], np.int64).view(np.uintp)

    def rows(self, name: str, piece: Piece, width: int) -> NDArray[Any]:
        """The rows of a piece of an array for all steps, ``width`` entries long; several for a step where it has more."""
        n, first = (self._longest, 0) if name in self._moving else (self.n_rows, piece.first)
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

    _whole = np.empty(0, np.uint8)  # until there is some

    def __init__(self, length: int, store: list[NDArray[np.uint8]]) -> None:
        self._store = store
        found = next((k for k, spare in enumerate(store) if len(spare) >= length + _LINE), None)
        try:
            self._whole = np.empty(length + _LINE, np.uint8) if found is None else store.pop(found)
        except IndexError:  # another thread was faster
            self._whole = np.empty(length + _LINE, np.uint8)
        base = self._whole.ctypes.data
        self.start = base + -base % _LINE
        self.bytes = self._whole[self.start - base :]

    def __del__(self) -> None:
        if len(self._whole) <= _MOST_SPARE:
            self._store.append(self._whole)
            del self._store[:-2]
