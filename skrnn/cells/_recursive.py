"""Recursive networks: one layer at every node of a tree."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Generator, Tensor, nn

from ._base import choice
from ._rows import linear, product, scalar_products
from ._starts import input_weights, placed_weights, small
from ._tree import Children, TreeCell
from ._tree_lstm import LEAVES


class PlacedLayer(TreeCell):
    """h = tanh(W x + b, and what the children add), with weights for each place of a child."""

    tells_places = True

    def __init__(self, n_children: int | None = None, leaf: str = "node") -> None:
        super().__init__()
        self.n_children = n_children
        self.leaf = leaf

    def _build(self, generator: Generator | None) -> None:
        choice(self, "leaf", LEAVES)
        H = self.hidden_size
        self.W = input_weights(H, self.input_size, generator)
        self.R = placed_weights([H], H, self.most_children, generator)
        self.b = nn.Parameter(torch.zeros(H))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, None)

    def step(self, u: Tensor, children: Children) -> Tensor:
        a = u + self.b
        if children.state is not None:
            a = a + children.for_all(self._added(children.side_by_side(self.most_children)))
        h = torch.tanh(a)
        return h if self.leaf == "node" else torch.cat([h[: children.n_inner], u[children.n_inner :]])  # inner nodes stand first

    @abstractmethod
    def _added(self, z: Tensor) -> Tensor:
        """What children, side by side (n_inner, most_children · hidden_size), add to the sums."""


class RvNN(PlacedLayer):
    """Recursive network (Goller & Küchler, 1996; Socher et al., 2011): one layer over the children of a node, at every node.

    The oldest and smallest, for shallow trees: what deep leaves say has to pass through many layers. :class:`NAryLSTM` remembers longer,
    :class:`RNTN` multiplies children with each other.

    Parameters
    ----------
    n_children : int or None, default=None
        The most children of a node; ``None``: as many as a node of the training set has. Each place has weights of its own, and a node with more
        children is refused.
    leaf : {"node", "linear"}, default="node"
        What a leaf is: what any node is, without children; or h = W x, as where word vectors themselves are the leaves.

    Notes
    -----
    ::

        h = tanh(W x + Σ_k R_k h_k + b)                         over the places k of the children

    Where there is no child, h_k is 0; a node without a token has no W x. With two children and tokens at the leaves alone it is
    p = tanh(R [h_1; h_2] + b). Weights for N places: H (F + N H + 1); O(N H² + H F) for a node. The state is h.

    References
    ----------
    C. Goller, A. Küchler, "Learning task-dependent distributed representations by backpropagation through structure", ICNN 1996.
    R. Socher, C. C. Lin, A. Y. Ng, C. D. Manning, "Parsing natural scenes and natural language with recursive neural networks", ICML 2011, eq. 1.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells.trees import RvNN
    >>> cell = RvNN().build(3, 8, torch.Generator().manual_seed(0))
    >>> sum(w.numel() for w in cell.parameters())
    160
    """

    def _added(self, z: Tensor) -> Tensor:
        return product(z, self.R)


class RNTN(PlacedLayer):
    """Recursive neural tensor network (Socher et al., 2013): products of the children beside their sums.

    Choose it where one child says what becomes of the other: negation, modifiers, operators as leaves. Its weights grow with the cube of the
    hidden size: 16 to 32 units are usual.

    Parameters
    ----------
    n_children : int or None, default=None
        The most children of a node; ``None``: as many as a node of the training set has. Each place has weights of its own, and a node with more
        children is refused.
    leaf : {"node", "linear"}, default="node"
        What a leaf is: what any node is, without children; or h = W x, as where word vectors themselves are the leaves.

    Notes
    -----
    ::

        z = [h_1; h_2; …]                                       the children, side by side
        h = tanh(W x + zᵀ V z / (N H) + R z + b)                V is a matrix for each unit, N the number of places

    Where there is no child, h_k is 0; a node without a token has no W x. Weights: H (F + N H + N² H² + 1); O(N² H³ + H F) for a node. V starts
    within ± 1. The state is h. Differs from the paper in the divisor, without which an optimiser that moves all of V at once, as Adam does, goes
    too far: what two layers of operators come to is then hardly learned.

    References
    ----------
    R. Socher et al., "Recursive deep models for semantic compositionality over a sentiment treebank", EMNLP 2013, section 4.3.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells.trees import RNTN
    >>> cell = RNTN().build(3, 4, torch.Generator().manual_seed(0))
    >>> sum(w.numel() for w in cell.parameters())
    304
    """

    def _build(self, generator: Generator | None) -> None:
        super()._build(generator)
        size = self.most_children * self.hidden_size
        self.V = small((self.hidden_size * size, size), 1, generator)

    def _added(self, z: Tensor) -> Tensor:
        crossed = product(z, self.V).view(len(z), self.hidden_size, z.shape[1])
        return scalar_products(crossed, z) / z.shape[1] + product(z, self.R)
