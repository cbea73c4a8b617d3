"""The loop over time that every compiled kernel shares: packed batches, both directions, blocks of sequences on threads."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._jit import JIT
from ._layout import Layout, even_blocks
from ._threads import WORTH_THREADS, run_blocks

STEP: Any = None  # what `time_loop` binds


def _walk(sizes, starts, descending, low, high, arrays):
    for k in range(len(sizes)):
        t = len(sizes) - 1 - k if descending else k
        n = min(sizes[t], high) - low
        if n > 0:
            STEP(arrays, starts[t] + low, low, n)


def time_loop(step: Callable[..., None], *, per_entry: int = 0, **bound: Any) -> Callable[..., None]:
    """Compile the loop over time around ``step(arrays, row, first, n)``, in which the names ``bound`` stand for compiled functions or constants.

    The first two arrays are the projected input (or its gradient) and the recurrent weights. ``step`` advances
    sequences ``first … first + n - 1``, whose inputs stand in rows ``row … row + n - 1`` of the packed arrays. Returned is
    ``run(layout, descending, arrays)``: over all steps, last first if ``descending``, blocks of sequences shared among the allowed threads.
    A recurrence without products has no such weights: ``per_entry`` says to how many multiplications an entry of the first array comes.
    """
    variant = [v.__name__ if callable(v) else f"{k}{v}" for k, v in bound.items()]
    name = "_".join([step.__module__.rpartition("._")[2] + step.__name__, *variant, _digest(Path(step.__code__.co_filename))])
    # After its qualified name numba calls the file of a compiled loop, in which it would only see changes of this file here, and the symbols in it:
    # of two files that are loaded, what is called alike in both is what the first one says.
    inner = FunctionType(step.__code__, step.__globals__ | bound, name)
    inner.__qualname__ = f"{name}_step"
    walk = FunctionType(_walk.__code__, globals() | {"STEP": njit(**JIT)(inner)}, name)
    walk.__qualname__ = name
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
