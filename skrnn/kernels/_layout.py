"""Where the steps of a packed batch lie, and what a kernel over all of them is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BLOCK = 16  # sequences that one thread steps together; fixed, so that results do not depend on the number of threads
_MOST_BLOCKS = 8


class Layout(NamedTuple):
    """Where the steps of a packed batch lie: step ``t`` of the ``sizes[t]`` sequences that have one starts at row ``starts[t]``."""

    sizes: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, sizes: NDArray[np.int64]) -> Layout:
        return cls(sizes, np.cumsum(sizes) - sizes)

    @classmethod
    def of_lengths(cls, lengths: NDArray[np.int64]) -> Layout:
        """Of sequences of these lengths, longest first."""
        return cls.of(np.searchsorted(-lengths, -np.arange(lengths[0]), side="left"))

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


def even_blocks(layout: Layout) -> list[int]:
    """Edges of blocks of sequences (longest first) with about the same number of steps each."""
    batch = int(layout.sizes[0])
    n_blocks = min(-(-batch // _BLOCK), _MOST_BLOCKS)
    if layout.sizes[-1] == batch:
        return [batch * k // n_blocks for k in range(n_blocks + 1)]
    done = np.concatenate(([0], np.cumsum(layout.lengths)))
    return np.searchsorted(done, done[-1] * np.arange(n_blocks + 1) / n_blocks).tolist()
