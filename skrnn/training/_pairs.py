"""Sources and targets of lengths of their own as batches, which a trainer hands over as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ..engine import as_packed, packed_rows
from ..networks import Pair
from ._batches import Batches, chunks, shuffled


class Pairs:
    """Batches of :class:`~skrnn.networks.Pair`.

    Parameters
    ----------
    source : Batches
        Of n sequences.
    offsets : ndarray of shape (n + 1,)
        Where the steps to be written begin and end, in rows of ``known`` and ``teacher``, and of the targets.
    known : Tensor of shape (n_target_steps_total, n_known)
        What is known about each step; 0 columns where nothing is.
    first : Tensor of shape (n, n_fed)
        What stands for the output before the first step.
    teacher : Tensor of shape (n_target_steps_total, n_fed), default=None
        What should be fed back after each step. Without it the decoder runs on its own output, in training as well.
    """

    def __init__(self, source: Batches, offsets: NDArray[np.int64], known: Tensor, first: Tensor, teacher: Tensor | None = None) -> None:
        self.source, self.known, self.first, self.teacher = source, known, first, teacher
        self._starts, self._n_steps = offsets[:-1], np.diff(offsets)

    def __len__(self) -> int:
        return len(self._n_steps)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps that are read and written."""
        return self.source.lengths + self._n_steps

    def rows(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the outputs of the batch of the sequences ``index`` lie among those of all, end to end."""
        return packed_rows(self._starts[index], self._n_steps[index])[0]

    def packed(self, index: NDArray[np.int64]) -> Pair:
        """The sequences ``index`` as one batch."""
        rows, sizes, order = packed_rows(self._starts[index], self._n_steps[index])
        taken = torch.from_numpy(rows).to(self.known.device)
        steps = as_packed(self.known[taken], sizes, order)
        first = self.first[torch.from_numpy(index).to(self.first.device)]
        return Pair(self.source.packed(index), steps, first, None if self.teacher is None else self.teacher[taken])

    def shuffled(self, batch_size: int | None, generator: Generator) -> list[NDArray[np.int64]]:
        """Every pair once, in batches of about the same length, in random order."""
        return shuffled(self.lengths, batch_size, generator)

    def chunks(self) -> Iterator[NDArray[np.int64]]:
        """Every pair once, longest first, in chunks of bounded work."""
        return chunks(self.lengths)
