"""What a cell of trees is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from ..kernels import Layout, time_sums
from ._base import Parametrised, count
from ._rows import as_array, keeps_rows_apart
from ._state import State, map_state


class Children(NamedTuple):
    """The children of the nodes of a level: first all first children, then all second ones, and so on.

    Nodes are sorted by how many children they have, those with the most first, so that the k-th children belong to the first ``sizes[k]`` nodes.

    Attributes
    ----------
    state : State
        Of the children, a row each; ``None`` where no node has any.
    sizes : ndarray of int64 of shape (most children,)
        How many nodes have a first child, a second one, …
    owner : Tensor of int64 of shape (n_children,)
        The node of each child.
    n_nodes : int
        Nodes of the level, those without children among them.
    """

    state: State
    sizes: NDArray[np.int64]
    owner: Tensor
    n_nodes: int

    @property
    def n_inner(self) -> int:
        """Nodes with children; these stand first."""
        return int(self.sizes[0]) if len(self.sizes) else 0

    def sums(self, rows: Tensor) -> Tensor:
        """For each node with children (n_inner, …) the sum of their rows, from the first to the last, whatever other nodes there are."""
        if not keeps_rows_apart(rows):
            return rows.new_zeros(self.n_inner, rows.shape[1]).index_add(0, self.owner, rows)
        return torch.from_numpy(time_sums(Layout.of(self.sizes), as_array(rows)))

    def of_owner(self, rows: Tensor) -> Tensor:
        """For each child the row of its node."""
        return rows.index_select(0, self.owner)

    def side_by_side(self, n: int) -> State:
        """For each node with children the states of the first ``n`` of them in a row (n_inner, n · size); zeros for those that it does not have."""
        starts = np.cumsum(self.sizes) - self.sizes

        def beside(rows: Tensor) -> Tensor:
            places = [_filled(rows[low : low + size], self.n_inner) for low, size in zip(starts.tolist(), self.sizes.tolist(), strict=True)]
            places += [rows.new_zeros(self.n_inner, rows.shape[1])] * (n - len(places))
            return torch.cat(places, -1)

        return map_state(beside, self.state)

    def for_all(self, rows: Tensor) -> Tensor:
        """Rows of the nodes with children, and zeros for the others (n_nodes, …)."""
        return _filled(rows, self.n_nodes)


def _filled(rows: Tensor, n: int) -> Tensor:
    """Zeros behind some rows, so that there are ``n``."""
    return torch.cat([rows, rows.new_zeros(n - len(rows), rows.shape[1])]) if len(rows) < n else rows


class TreeCell(Parametrised, ABC):
    """What happens at a node of a tree: its state from its own input and the states of its children.

    As a :class:`~skrnn.cells.Cell` it stores hyper-parameters now and makes weights at :meth:`build`, so that :func:`sklearn.base.clone` and
    ``GridSearchCV`` treat it like an estimator. It never sees trees: it is run over all nodes of a level at once, of all trees of a batch.

    Attributes
    ----------
    input_size : int
        Channels of the input; set by ``build``.
    hidden_size : int
        Size of the output; set by ``build``.
    most_children : int
        Of a node; set by ``build``. Cells that tell children apart by their places have weights for so many.
    """

    input_size: int
    hidden_size: int
    most_children: int
    tells_places = False  # whether a child counts by its place among its siblings

    def build(self, input_size: int, hidden_size: int, generator: Generator | None = None, *, most_children: int = 2) -> Self:
        """Make the weights.

        Parameters
        ----------
        input_size, hidden_size : int
            Channels of the input, and size of the state and output.
        generator : torch.Generator or None
            Where the weights are drawn from; ``None`` is torch's global generator.
        most_children : int, default=2
            Of a node.

        Returns
        -------
        self
        """
        self.input_size, self.hidden_size, self.generator = input_size, hidden_size, generator
        self.most_children = self.room(most_children)
        self._build(generator)
        return self

    def room(self, most_children: int) -> int:
        """For how many children of a node there are weights, where nodes of a training set have so many: a hyper-parameter may say it."""
        told = self.get_params(deep=False).get("n_children")
        if told is None:
            return max(most_children, 1)
        count(self, "n_children")
        return int(told)

    @abstractmethod
    def _build(self, generator: Generator | None) -> None:
        """Check the hyper-parameters and make the weights."""

    @abstractmethod
    def project(self, x: Tensor) -> Tensor:
        """The part that needs no children, without bias, called once for all nodes with an input (n, input_size); the others get zeros."""

    @abstractmethod
    def step(self, u: Tensor, children: Children) -> State:
        """The states of the nodes of a level, from projected inputs (n_nodes, k) and those of their children; the first tensor is the output."""
