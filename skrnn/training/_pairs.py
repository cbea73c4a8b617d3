"""Sequences that are read and sequences that are written, each of a length of its own, as batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from torch import Generator, Tensor

from ..engine import as_packed, packed_rows
from ..networks import Pair
from ._batches import Batches
from ._sources import Index, Source, chunks_by_length, shuffled_by_length


class Pairs(Source):
    """Batches of :class:`~skrnn.networks.Pair`.

    Parameters
    ----------
    source : Source
        Of n packed sequences.
    offsets : ndarray of shape (n + 1,)
        Where the steps to be written begin and end, in rows of ``known`` and ``teacher``, and of the targets.
    known : Tensor of shape (n_target_steps_total, n_known)
        What is known about each step; 0 columns where nothing is.
    first : Tensor of shape (n, n_fed)
        What stands for the output before the first step.
    teacher : Tensor of shape (n_target_steps_total, n_fed), default=None
        What should be fed back after each step. Without it the decoder runs on its own output, in training as well.
    """

    def __init__(self, source: Source, offsets: Index, known: Tensor, first: Tensor, teacher: Tensor | None = None) -> None:
        self.source, self.known, self.first, self.teacher = source, known, first, teacher
        self._starts, self._n_steps = offsets[:-1], np.diff(offsets)

    @classmethod
    def of_steps(cls, source: Batches, offsets: Index, first: Tensor, teacher: Tensor | None = None) -> Self:
        """Of steps of which nothing is known but where they begin and end."""
        known = torch.empty(int(offsets[-1]), 0, dtype=source.dtype, device=source.device)
        return cls(source, offsets, known, first.to(known), teacher)

    def __len__(self) -> int:
        return len(self._n_steps)

    @property
    def lengths(self) -> Index:
        """Steps that are read and written."""
        return self.source.lengths + self._n_steps

    def rows(self, index: Index) -> Index:
        return packed_rows(self._starts[index], self._n_steps[index])[0]

    def packed(self, index: Index) -> Pair:
        return self.beside(index, self.source.packed(index))

    def beside(self, index: Index, source: Any) -> Pair:
        """The pairs ``index``, of which what is read is packed already."""
        rows, sizes, order = packed_rows(self._starts[index], self._n_steps[index])
        taken = torch.from_numpy(rows).to(self.known.device)
        steps = as_packed(self.known[taken], sizes, order)
        first = self.first[torch.from_numpy(index).to(self.first.device)]
        return Pair(source, steps, first, None if self.teacher is None else self.teacher[taken])

    def shuffled(self, batch_size: int | None, generator: Generator) -> list[Index]:
        return shuffled_by_length(self.lengths, batch_size, generator)

    def chunks(self) -> Iterator[Index]:
        return chunks_by_length(self.lengths)


class Lattices(Pairs):
    """Pairs of which every step that is read meets every step that is written."""

    @property
    def lengths(self) -> Index:
        """How often they meet."""
        return self.source.lengths * self._n_steps
