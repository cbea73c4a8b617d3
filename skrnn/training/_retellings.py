"""Sequences that are read, written again, and gone on with."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from torch import Generator, Tensor

from ..networks import Retelling
from ._objectives import SquaredError
from ._pairs import Pairs
from ._sources import Index, Source


class Retellings(Source):
    """Batches of :class:`~skrnn.networks.Retelling`; its rows are those of ``again``, and then those of ``ahead``.

    Parameters
    ----------
    again : Pairs
        What is read, and its steps in the order in which they are written.
    ahead : Pairs or None, default=None
        What follows; what it reads is not looked at.
    """

    def __init__(self, again: Pairs, ahead: Pairs | None = None) -> None:
        self.again, self.ahead = again, ahead

    def __len__(self) -> int:
        return len(self.again)

    @property
    def lengths(self) -> Index:
        return self.again.lengths

    def rows(self, index: Index) -> Index:
        rows = self.again.rows(index)
        return rows if self.ahead is None else np.concatenate([rows, len(self.again.known) + self.ahead.rows(index)])

    def packed(self, index: Index) -> Retelling:
        pair = self.again.packed(index)
        return Retelling(pair.source, pair, None if self.ahead is None else self.ahead.beside(index, pair.source))

    def shuffled(self, batch_size: int | None, generator: Generator) -> list[Index]:
        return self.again.shuffled(batch_size, generator)

    def chunks(self) -> Iterator[Index]:
        return self.again.chunks()


class RetellingError(SquaredError):
    """Squared error of what is written, mean over the channels; outputs may have a column more, which is added."""

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        n = target.shape[1]
        return super().losses(outputs[:, :n], target) + outputs[:, n:].sum(-1)
