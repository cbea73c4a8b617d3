"""The loop over time that every compiled kernel shares: packed batches, both directions, blocks of sequences on threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._jit import JIT, ROW
from ._threads import WORTH_THREADS, run_blocks

_BLOCK = 16  # sequences that one thread steps together; fixed, so that results do not depend on the number of threads
_MOST_BLOCKS = 8
STEP: Any = None  # what `time_loop` binds


class Layout(NamedTuple):
    """Where the steps of a packed batch lie: step ``t`` of the ``sizes[t]`` sequences that have one starts at row ``starts[t]``."""

    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, sizes: NDArray[np.int64]) -> Layout:
        return cls(sizes, np.cumsum(sizes) - sizes)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each sequence, longest first."""
        return np.searchsorted(-self.sizes, -np.arange(self.sizes[0]), side="left")

    @property
    def places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Time step and sequence of each row."""
        step = np.repeat(np.arange(len(self.sizes)), self.sizes)
        return step, np.arange(len(step)) - self.starts[step]


class Kernel(NamedTuple):
    """A recurrence over a whole packed batch, and its gradient.

    ``forward(layout, reverse, u, *inputs)`` returns outputs, final state and what the gradient needs; it may write over the projected input ``u``.
    ``backward(layout, reverse, saved, dy, *dstate)`` returns the gradients of ``u`` and ``inputs``, in their order.
    """

    forward: Callable[..., tuple[NDArray[Any], tuple[NDArray[Any], ...], Any]]
    backward: Callable[..., tuple[NDArray[Any] | None, ...]]


def _walk(sizes, starts, descending, low, high, arrays):
    for k in range(len(sizes)):
        t = len(sizes) - 1 - k if descending else k
        n = min(sizes[t], high) - low
        if n > 0:
            STEP(arrays, starts[t] + low, low, n)


def time_loop(step: Callable[..., None], *rows: Callable[..., None], per_entry: int = 0, **bound: Any) -> Callable[..., None]:
    """Compile the loop over time around ``step(arrays, row, first, n)``, in which the names ``bound`` stand for compiled functions or constants.

    So they do in the functions ``rows``, which the step calls by their names: those of arrays that do not overlap (see ``ROW``).

    The first two arrays are the projected input (or its gradient) and the recurrent weights. ``step`` advances
    sequences ``first … first + n - 1``, whose inputs stand in rows ``row … row + n - 1`` of the packed arrays. Returned is
    ``run(layout, descending, arrays)``: over all steps, last first if ``descending``, blocks of sequences shared among the allowed threads.
    A recurrence without products has no such weights: ``per_entry`` says to how many multiplications an entry of the first array comes.
    """
    variant = [v.__name__ if callable(v) else f"{k}{v}" for k, v in bound.items()]
    name = "_".join([step.__module__.rpartition("._")[2] + step.__name__, *variant, _digest(Path(step.__code__.co_filename))])
    names = step.__globals__ | bound
    names |= {row.__name__: njit(**ROW)(FunctionType(row.__code__, names, row.__name__)) for row in rows}
    inner = njit(**JIT)(FunctionType(step.__code__, names, step.__name__))
    walk = FunctionType(_walk.__code__, globals() | {"STEP": inner}, name)
    walk.__qualname__ = name  # numba names the file of the compiled loop after it, and would only see changes of this file
    compiled = njit(nogil=True, cache=True, **JIT)(walk)

    def run(layout: Layout, descending: bool, arrays: tuple[NDArray[Any], ...]) -> None:
        worth = (arrays[0].size * per_entry or len(arrays[0]) * arrays[1].size) > WORTH_THREADS
        edges = even_blocks(layout) if worth else [0, int(layout.sizes[0])]
        run_blocks(lambda k: compiled(*layout, descending, edges[k], edges[k + 1], arrays), len(edges) - 1, worth_threads=worth)

    return run


def or_empty(weights: NDArray[Any] | None, like: NDArray[Any], ndim: int) -> NDArray[Any]:
    """What a step gets for weights that are not there: it never looks at them, but numba has to know their type."""
    return np.empty((0,) * ndim, like.dtype) if weights is None else weights


@cache
def _digest(*files: Path) -> str:
    """Of the source of a step and of what all steps call."""
    shared = (Path(__file__).with_name(name) for name in ("_activations.py", "_jit.py", "_math.py", "_product.py", "_sparse.py"))
    return sha256(b"".join(path.read_bytes() for path in (*files, *shared))).hexdigest()[:8]


def even_blocks(layout: Layout) -> list[int]:
    """Edges of blocks of sequences (longest first) with about the same number of steps each."""
    batch = int(layout.sizes[0])
    n_blocks = min(-(-batch // _BLOCK), _MOST_BLOCKS)
    if layout.sizes[-1] == batch:
        return [batch * k // n_blocks for k in range(n_blocks + 1)]
    done = np.concatenate(([0], np.cumsum(layout.lengths)))
    return np.searchsorted(done, done[-1] * np.arange(n_blocks + 1) / n_blocks).tolist()
