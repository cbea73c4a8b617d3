"""Trees as batches of standardised tokens, level by level."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator

from ..data import Trees
from ..engine import Forest, Grove
from ._batches import standardised
from ._sources import Index, Source, chunks_by_length, shuffled_by_length


class Forests(Source):
    """Batches of :class:`~skrnn.engine.Forest`.

    Parameters
    ----------
    trees : Trees
        Whose tokens are numbers.
    mean, scale : ndarray of shape (n_features,)
        Subtracted from every token, and divided by, in the precision of the data.
    dtype : torch.dtype
    device : torch.device
    """

    def __init__(self, trees: Trees, mean: NDArray[np.float64], scale: NDArray[np.float64], dtype: torch.dtype, device: torch.device) -> None:
        self.dtype, self.device = dtype, device
        self._grove, self._n_nodes, self._there = Grove(trees, device), trees.n_nodes, trees.has_token
        self._width = trees.n_features
        self._ready = standardised(trees.tokens[trees.has_token], mean, scale, dtype, device)
        self._row = np.cumsum(trees.has_token) - 1  # of each node, among those that have a token

    def __len__(self) -> int:
        return len(self._n_nodes)

    @property
    def lengths(self) -> Index:
        """Nodes of each tree."""
        return self._n_nodes

    def rows(self, index: Index) -> Index:
        return self._grove.plan(index).nodes

    def packed(self, index: Index) -> Forest:
        nodes, n_nodes, levels, roots = self._grove.plan(index)
        there = self._there[nodes]
        where = None if there.all() else torch.from_numpy(np.flatnonzero(there)).to(self.device)
        data = self._ready.index_select(0, torch.from_numpy(self._row[nodes[there]]).to(self.device))
        return Forest(data, where, n_nodes, levels, roots)

    def shuffled(self, batch_size: int | None, generator: Generator) -> list[Index]:
        return shuffled_by_length(self._n_nodes, batch_size, generator)

    def chunks(self) -> Iterator[Index]:
        return chunks_by_length(self._n_nodes, self._width)
