"""Trees level by level: the nodes of all trees of a batch that are equally far from their roots are computed at once."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..cells import State, map_state
from ..cells.trees import Children, TreeCell
from ..data import Trees, places_in
from ..data._sequences import rows_of
from ._scan import GRAD_PATHS

Index = NDArray[np.int64]


class TreeLevel(NamedTuple):
    """How the nodes of a level hang together with those of the level below, the one before it.

    Attributes
    ----------
    children : Tensor of int64 of shape (n_children,)
        The places of the children in the level below: all first children, then all second ones, …
    owner : Tensor of int64 of shape (n_children,)
        The place of the parent of each in this level.
    sizes : ndarray of int64
        How many nodes have a first child, a second one, …; nodes with the most children stand first.
    """

    children: Tensor
    owner: Tensor
    sizes: Index


class Forest(NamedTuple):
    """A batch of trees as a network reads them: nodes sorted by their level, the deepest first, and the roots last.

    A level holds the nodes that are equally far from their roots, so that the children of a level are the whole level below it, and nothing has to
    be kept for levels above the next.

    Attributes
    ----------
    data : Tensor of shape (n_tokens, n_features)
        The inputs of the nodes that have one.
    where : Tensor of int64 of shape (n_tokens,) or None
        Places of these among all nodes; ``None``: all nodes have an input.
    n_nodes : list of int
        Of each level.
    levels : list of TreeLevel
    roots : Tensor of int64 of shape (n_trees,)
        Places of the roots in the last level.
    """

    data: Tensor
    where: Tensor | None
    n_nodes: list[int]
    levels: list[TreeLevel]
    roots: Tensor


class LevelOrder(NamedTuple):
    """The nodes of some trees in the order in which they are computed.

    Attributes
    ----------
    nodes : ndarray of int64 of shape (n_nodes_total,)
        Their places among the nodes of all trees.
    n_nodes : list of int
        Of each level.
    levels : list of TreeLevel
    roots : Tensor
    """

    nodes: Index
    n_nodes: list[int]
    levels: list[TreeLevel]
    roots: Tensor


class Grove:
    """Trees that are asked for in batches: what is the same for each batch is found once.

    Parameters
    ----------
    trees : Trees
    device : torch.device
        Where indices go.
    """

    def __init__(self, trees: Trees, device: torch.device) -> None:
        self.offsets, self.device = trees.offsets, device
        self._depths, self._parents = trees.depths, trees.parents
        self._n_children = np.diff(trees.child_offsets)
        self._root_of = np.flatnonzero(trees.parents < 0) - trees.offsets[:-1]  # by its number in its tree
        below = trees.below()
        self._ranks = np.zeros(len(trees.parents), dtype=np.int64)  # the place of each node among its siblings
        self._ranks[below] = np.arange(len(below)) - trees.child_offsets[trees.above()[below]]

    def plan(self, index: Index) -> LevelOrder:
        """The nodes of the trees ``index``, level by level."""
        rows, offsets = rows_of(self.offsets, index)
        depths, n_children = self._depths[rows], self._n_children[rows]
        level = depths.max() - depths
        order = np.lexsort((-n_children, level))
        sizes = np.bincount(level)
        place = np.empty_like(order)
        place[order] = places_in(sizes)  # within its level
        child = np.flatnonzero(depths > 0)
        parent = self._parents[rows[child]] + np.repeat(offsets[:-1], np.diff(offsets))[child]
        ranks = self._ranks[rows[child]]
        child, parent, ranks = (array[np.lexsort((place[parent], ranks, level[parent]))] for array in (child, parent, ranks))
        ends = np.cumsum(np.bincount(level[parent], minlength=len(sizes)))[:-1]
        of_levels = (torch.from_numpy(place[array]).to(self.device).tensor_split(torch.from_numpy(ends)) for array in (child, parent))
        levels = [TreeLevel(c, p, np.bincount(r)) for c, p, r in zip(*of_levels, np.split(ranks, ends), strict=True)]
        roots = torch.from_numpy(place[offsets[:-1] + self._root_of[index]]).to(self.device)
        return LevelOrder(rows[order], sizes.tolist(), levels, roots)


def climb(cell: TreeCell, forest: Forest, *, grad_path: str = "full") -> list[State]:
    """Apply a cell at all nodes of a batch of trees, from the leaves to the roots.

    Parameters
    ----------
    cell : TreeCell
        Built, on the device and with the dtype of the data.
    forest : Forest
    grad_path : {"full", "cell_only", "none"}, default="full"
        What of the state the gradient flows back through, from each node to its children, as in :func:`scan`.

    Returns
    -------
    states : list of State
        Of the nodes of each level, the roots last.
    """
    u = cell.project(forest.data)
    if forest.where is not None:
        u = u.new_zeros(sum(forest.n_nodes), u.shape[1]).index_copy(0, forest.where, u)
    states: list[State] = []
    cut = GRAD_PATHS[grad_path]
    for inputs, level in zip(u.split(forest.n_nodes), forest.levels, strict=True):
        below = None
        if len(level.children):
            below = map_state(lambda s, places=level.children: s.index_select(0, places), cut(states[-1]))
        states.append(cell.step(inputs, Children(below, level.sizes, level.owner, len(inputs))))
    return states
