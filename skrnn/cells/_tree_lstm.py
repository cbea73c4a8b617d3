"""Long short-term memory over trees."""

from __future__ import annotations

from functools import reduce
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from ._base import choice
from ._rows import linear, product, sigmoid
from ._starts import input_weights, placed_weights, recurrent_weights
from ._tree import Children, TreeCell

LEAVES = ("node", "linear")


class TreeMemory(NamedTuple):
    """Hidden state and cell of a node."""

    h: Tensor
    c: Tensor


class ChildSumLSTM(TreeCell):
    """Child-sum Tree-LSTM (Tai, Socher & Manning, 2015): the children of a node are a set.

    Choose it for trees whose nodes have any number of children, in any order: dependency trees, sets within sets, directories. The order of the
    children does not count; :class:`NAryLSTM` is for trees in which it does.

    Parameters
    ----------
    forget_bias : float, default=1.0
        Start of the forget gates' bias; larger keeps more of the children at the start.

    Notes
    -----
    ::

        s = Σ_k h_k                                             over the children k of a node
        i = σ(W_i x + R_i s + b_i)
        o = σ(W_o x + R_o s + b_o)
        g = tanh(W_g x + R_g s + b_g)
        f_k = σ(W_f x + R_f h_k + b_f)                          a gate for each child
        c = i g + Σ_k f_k c_k
        h = o tanh(c)

    A node without a token has no W x. Rows of W and b: i, o, g, f; of R: i, o, g. Weights: 4 H (F + H + 1), whatever the number of children;
    O(H² + H F) for a node, and as much as R_f for each child.

    References
    ----------
    K. S. Tai, R. Socher, C. D. Manning, "Improved semantic representations from tree-structured long short-term memory networks", ACL 2015,
    eq. 2–8.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells.trees import ChildSumLSTM
    >>> cell = ChildSumLSTM().build(3, 8, torch.Generator().manual_seed(0))
    >>> sum(w.numel() for w in cell.parameters())
    384
    """

    def __init__(self, forget_bias: float = 1.0) -> None:
        super().__init__()
        self.forget_bias = forget_bias

    def _build(self, generator: Generator | None) -> None:
        H = self.hidden_size
        self.W = input_weights(H, self.input_size, generator, n_blocks=4)
        self.R = recurrent_weights([H] * 3, H, "orthogonal", generator)
        self.R_f = recurrent_weights([H], H, "orthogonal", generator)
        self.b = nn.Parameter(torch.cat([torch.zeros(3 * H), torch.full((H,), float(self.forget_bias))]))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, None)

    def step(self, u: Tensor, children: Children) -> TreeMemory:
        H = self.hidden_size
        a, f = (u + self.b).split([3 * H, H], -1)
        kept: Tensor | float = 0.0
        if children.state is not None:
            h, c = children.state
            a = a + children.for_all(product(children.sums(h), self.R))
            kept = children.for_all(children.sums(sigmoid(children.of_owner(f) + product(h, self.R_f)) * c))
        i, o, g = a.split(H, -1)
        c = sigmoid(i) * torch.tanh(g) + kept
        return TreeMemory(sigmoid(o) * torch.tanh(c), c)


class NAryLSTM(TreeCell):
    """N-ary Tree-LSTM (Tai, Socher & Manning, 2015): children have places, first, second and so on.

    Choose it for trees in which the order of the children counts, and no node has many of them: parses into constituents, formulas, binary trees.

    Parameters
    ----------
    n_children : int or None, default=None
        The most children of a node; ``None``: as many as a node of the training set has. Each place has weights of its own, and a node with more
        children is refused.
    leaf : {"node", "linear"}, default="node"
        What happens at a leaf: what happens at any node, without children, as in the paper; or, as in the authors' code, c = W_c x + b_c and
        h = σ(W_l x + b_l) tanh(c), with weights of its own and without an input gate.
    forget_bias : float, default=1.0
        Start of the forget gates' bias; larger keeps more of the children at the start.

    Notes
    -----
    ::

        i = σ(W_i x + Σ_l R_i^l h_l + b_i)                      over the places l of the children
        o = σ(W_o x + Σ_l R_o^l h_l + b_o)
        g = tanh(W_g x + Σ_l R_g^l h_l + b_g)
        f_k = σ(W_f x + Σ_l R_f^{k l} h_l + b_f)                a gate for each child, which sees them all
        c = i g + Σ_k f_k c_k
        h = o tanh(c)

    Where there is no child, h_l and c_l are 0; a node without a token has no W x. Rows of W and b: i, o, g, f (and c, l of leaves); of R: i, o, g,
    f_1, f_2, … Weights for N places: 4 H (F + 1) + (3 + N) N H²; O(N² H² + H F) for a node.

    References
    ----------
    K. S. Tai, R. Socher, C. D. Manning, "Improved semantic representations from tree-structured long short-term memory networks", ACL 2015,
    eq. 9–14.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells.trees import NAryLSTM
    >>> cell = NAryLSTM().build(
    ...     3, 8, torch.Generator().manual_seed(0), most_children=2
    ... )
    >>> sum(w.numel() for w in cell.parameters())
    768
    """

    tells_places = True

    def __init__(self, n_children: int | None = None, leaf: str = "node", forget_bias: float = 1.0) -> None:
        super().__init__()
        self.n_children = n_children
        self.leaf = leaf
        self.forget_bias = forget_bias

    def _build(self, generator: Generator | None) -> None:
        choice(self, "leaf", LEAVES)
        H, N, of_leaves = self.hidden_size, self.most_children, 2 * (self.leaf == "linear")
        self.W = input_weights(H, self.input_size, generator, n_blocks=4 + of_leaves)
        self.R = placed_weights([H] * (3 + N), H, N, generator)
        self.b = nn.Parameter(torch.cat([torch.zeros(3 * H), torch.full((H,), float(self.forget_bias)), torch.zeros(of_leaves * H)]))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, None)

    def step(self, u: Tensor, children: Children) -> TreeMemory:
        H, N = self.hidden_size, self.most_children
        a, f, *leaf = (u + self.b).split([3 * H, H] + [H] * (len(self.b) // H - 4), -1)
        kept: Tensor | float = 0.0
        if children.state is not None:
            h, c = children.side_by_side(N)
            r, r_f = product(h, self.R).split([3 * H, N * H], -1)
            a, f = a + children.for_all(r), f[: children.n_inner]
            kept = children.for_all(reduce(torch.add, [sigmoid(f + r_k) * c_k for r_k, c_k in zip(r_f.split(H, -1), c.split(H, -1), strict=True)]))
        i, o, g = a.split(H, -1)
        c = sigmoid(i) * torch.tanh(g) + kept
        here = TreeMemory(sigmoid(o) * torch.tanh(c), c)
        return self._with_leaves(here, leaf, children.n_inner) if leaf else here

    def _with_leaves(self, here: TreeMemory, leaf: list[Tensor], n_inner: int) -> TreeMemory:
        """The states of the inner nodes, which stand first, and of leaves as in the authors' code."""
        c, o = (rows[n_inner:] for rows in leaf)
        return TreeMemory(torch.cat([here.h[:n_inner], sigmoid(o) * torch.tanh(c)]), torch.cat([here.c[:n_inner], c]))
