"""Trees: many trees of different shapes, stored node by node, tree after tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from ._sequences import Array, key_of, offsets_of, read_only, rows_of

ROOT = -1  # the parent of a root


@dataclass(frozen=True, eq=False, repr=False)
class Trees(Sequence[Any]):
    """Trees of different shapes, stored node by node, with the table of their children in compressed rows.

    Choose it over a list when the same trees are used several times: they are read and checked once, indexing is vectorised, and scikit-learn's
    splitters, searches and pipelines keep the type. `as_trees` makes one from nested tuples, tokens with parents, texts in brackets and graphs.

    Parameters
    ----------
    tokens : ndarray of shape (n_nodes_total, n_features), float32 or float64; or (n_nodes_total,) of strings
        What stands at the nodes of all trees, one tree after the other.
    offsets : array-like of int of shape (n_trees + 1,)
        Where the trees begin and end, in nodes: tree ``i`` has the nodes ``offsets[i]`` to ``offsets[i + 1] - 1``. A tree has at least one.
    parents : array-like of int of shape (n_nodes_total,)
        The parent of each node by its number in its own tree, from 0; -1 for the root, of which each tree has one. The children of a node stand in
        the order of their numbers.
    has_token : array-like of bool of shape (n_nodes_total,), default=None
        Whether there is a token at a node; ``None``: at all, or, where tokens are strings, where they are not None.

    Attributes
    ----------
    n_nodes : ndarray of int64 of shape (n_trees,)
        The nodes of each tree.
    depths : ndarray of int64 of shape (n_nodes_total,)
        Edges from each node to its root: trees are gone through level by level, from the greatest depth to the root.
    children : ndarray of int64 of shape (n_nodes_total - n_trees,)
        The children of all nodes, by their numbers in their tree: those of the k-th node are
        ``children[child_offsets[k]:child_offsets[k + 1]]``.
    child_offsets : ndarray of int64 of shape (n_nodes_total + 1,)
        Where the children of each node begin and end.
    shape : tuple of one int
        ``(n_trees,)``, which is what scikit-learn's splitters look at.

    Raises
    ------
    TypeError
        If `tokens` are neither numbers nor strings.
    ValueError
        If the arrays do not fit together, or parents make no trees: no root or several, a parent that is not there, a cycle. The message names tree
        and node.

    Examples
    --------
    >>> from skrnn.data import as_trees
    >>> X = as_trees([("and", "0", ("or", "1", "0")), ("1",)])
    >>> X
    Trees(n_trees=2, n_nodes=1..5, tokens=strings)
    >>> X[0]
    (['and', '0', 'or', '1', '0'], [-1, 0, 0, 2, 2])
    """

    tokens: Array
    offsets: Array
    parents: Array
    has_token: Array = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        tokens = _checked_tokens(self.tokens)
        offsets, parents = _whole(self.offsets, "offsets"), _whole(self.parents, "parents")
        _check_borders(offsets, len(tokens))
        if len(parents) != len(tokens):
            raise ValueError(f"parents must have an entry for each of the {len(tokens)} nodes; got {len(parents)}")
        has_token = np.ones(len(tokens), dtype=bool) if tokens.ndim == 2 else np.array([token is not None for token in tokens], dtype=bool)
        if self.has_token is not None:
            told = np.asarray(self.has_token)
            if told.dtype != bool or told.shape != parents.shape:
                raise ValueError(f"has_token must be True or False for each of the {len(tokens)} nodes; got {told.dtype} of shape {told.shape}")
            has_token = has_token & told
        for name, array in {"tokens": tokens, "offsets": offsets, "parents": parents, "has_token": has_token}.items():
            object.__setattr__(self, name, read_only(array))
        _refuse_what_is_no_tree(self)

    @property
    def shape(self) -> tuple[int]:
        """``(n_trees,)``."""
        return (len(self),)

    @property
    def n_features(self) -> int:
        """Channels of a token; 1 where tokens are strings."""
        return 1 if self.tokens.ndim == 1 else self.tokens.shape[1]

    @property
    def n_nodes(self) -> Array:
        """The nodes of each tree, int64 of shape (n_trees,)."""
        return np.diff(self.offsets)

    @cached_property
    def depths(self) -> Array:
        """Edges from each node to its root, int64 of shape (n_nodes_total,)."""
        return _climbed(self)[0]

    @cached_property
    def child_offsets(self) -> Array:
        """Where the children of each node begin and end, int64 of shape (n_nodes_total + 1,)."""
        up = self.above()
        return offsets_of(np.bincount(up[up >= 0], minlength=len(up)))

    @cached_property
    def children(self) -> Array:
        """The children of all nodes, by their numbers in their tree, int64 of shape (n_nodes_total - n_trees,)."""
        below = self.below()
        return below - np.repeat(self.offsets[:-1], self.n_nodes)[below]

    def above(self) -> Array:
        """The parent of each node by its place among the nodes of all trees, int64 of shape (n_nodes_total,); -1 for roots."""
        return np.where(self.parents < 0, ROOT, self.parents + np.repeat(self.offsets[:-1], self.n_nodes))

    def below(self) -> Array:
        """The children of all nodes by their places among the nodes of all trees, int64 of shape (n_nodes_total - n_trees,)."""
        up = self.above()
        return np.argsort(up, kind="stable")[len(self) :]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[tuple[list[Any], list[int]]]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        n_nodes = f"{self.n_nodes.min()}..{self.n_nodes.max()}" if len(self) else "none"
        tokens = "strings" if self.tokens.ndim == 1 else f"{self.tokens.dtype} ({self.n_features})"
        return f"Trees(n_trees={len(self)}, n_nodes={n_nodes}, tokens={tokens})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.tokens, self.offsets, self.parents, self.has_token)

    @overload
    def __getitem__(self, key: int) -> tuple[list[Any], list[int]]: ...

    @overload
    def __getitem__(self, key: Any) -> Any: ...

    def __getitem__(self, key: Any) -> Any:
        key = key_of(key, "Trees")
        if isinstance(key, Integral):
            return self._one(int(key))
        rows, offsets = rows_of(self.offsets, np.arange(len(self))[key])
        return Trees(self.tokens[rows], offsets, self.parents[rows], self.has_token[rows])

    def _one(self, i: int) -> tuple[list[Any], list[int]]:
        """The tokens and the parents of tree `i`, as `as_trees` reads them."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"tree {i} is out of range: there are {len(self)} trees")
        nodes = slice(self.offsets[i % len(self)], self.offsets[i % len(self) + 1])
        tokens = self.tokens[nodes].tolist()
        return [token if there else None for token, there in zip(tokens, self.has_token[nodes], strict=True)], self.parents[nodes].tolist()

    def with_tokens(self, new_tokens: npt.NDArray[np.floating]) -> Trees:
        """Give trees of the same shapes with other tokens at the same nodes.

        Parameters
        ----------
        new_tokens : ndarray of shape (n_nodes_total, n_features_new), float32 or float64

        Returns
        -------
        trees : Trees
        """
        return Trees(new_tokens, self.offsets, self.parents, self.has_token)

    def place(self, node: int) -> str:
        """How errors speak of a node, given its place among the nodes of all trees.

        Parameters
        ----------
        node : int

        Returns
        -------
        str
        """
        tree = int(np.searchsorted(self.offsets, node, side="right")) - 1
        return f"tree {tree}, node {node - int(self.offsets[tree])}"


def _checked_tokens(tokens: Any) -> Array:
    if not isinstance(tokens, np.ndarray) or tokens.dtype.kind not in "fOU":
        found = tokens.dtype if isinstance(tokens, np.ndarray) else type(tokens).__name__
        raise TypeError(f"tokens must be an array of strings, or of float32 or float64, got {found}; as_trees converts other data")
    if tokens.dtype.kind == "f":
        if tokens.dtype not in (np.float32, np.float64):
            raise TypeError(f"tokens must be of float32 or float64, got {tokens.dtype}; as_trees converts other data")
        if tokens.ndim != 2 or tokens.shape[1] == 0:
            raise ValueError(f"tokens that are numbers must be 2-D (n_nodes_total, n_features), got shape {tokens.shape}")
        return tokens
    if tokens.ndim != 1:
        raise ValueError(f"tokens that are strings must be 1-D (n_nodes_total,), got shape {tokens.shape}")
    wrong = [k for k, token in enumerate(tokens) if not (token is None or isinstance(token, str))]
    if wrong:
        raise TypeError(f"tokens[{wrong[0]}] must be a string, or None where a node has none; got {tokens[wrong[0]]!r}")
    return tokens.astype(object)


def _whole(numbers: Any, name: str) -> Array:
    array = np.array(numbers)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ValueError(f"{name} must be 1-D and of whole numbers; got {array.dtype} of shape {array.shape}")
    return array.astype(np.int64)


def _check_borders(offsets: Array, n_nodes_total: int) -> None:
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != n_nodes_total:
        raise ValueError(f"offsets must begin with 0 and end with the number of nodes, {n_nodes_total}; got {offsets.tolist()[:1]} to {offsets[-1:]}")
    n_nodes = np.diff(offsets)
    if (n_nodes < 0).any():
        raise ValueError(f"offsets must increase, but offsets[{int(np.argmax(n_nodes < 0)) + 1}] is less than the one before it")
    if (n_nodes == 0).any():
        raise ValueError(f"tree {int(np.argmax(n_nodes == 0))} is empty: it has no node")


def _climbed(trees: Trees) -> tuple[Array, Array]:
    """How many edges each node has climbed, and where it then is: at its root, unless there is a cycle. By doubling what is climbed at once."""
    up = trees.above()
    at = np.where(up < 0, np.arange(len(up)), up)
    depth = (up >= 0).astype(np.int64)
    for _ in range(int(trees.n_nodes.max(initial=1)).bit_length()):
        depth, at = depth + depth[at], at[at]
    return depth, at


def _refuse_what_is_no_tree(trees: Trees) -> None:
    parents, sizes = trees.parents, np.repeat(trees.n_nodes, trees.n_nodes)
    outside = (parents < ROOT) | (parents >= sizes)
    if outside.any():
        k = int(np.argmax(outside))
        raise ValueError(
            f"{trees.place(k)} has the parent {parents[k]}, but the nodes of the tree are 0 to {sizes[k] - 1}, and -1 is the parent of the root"
        )
    of_tree = np.repeat(np.arange(len(trees)), trees.n_nodes)
    n_roots = np.bincount(of_tree[parents == ROOT], minlength=len(trees))
    if (n_roots != 1).any():
        i = int(np.argmax(n_roots != 1))
        roots = np.flatnonzero(parents[trees.offsets[i] : trees.offsets[i + 1]] == ROOT).tolist()
        told = f"has several roots, the nodes {roots}" if roots else "has no root; heads that count from 1, with 0 for the root, are these plus 1"
        raise ValueError(f"tree {i} {told}: one node, and only one, needs the parent -1")
    depth, at = _climbed(trees)
    lost = parents[at] != ROOT
    if lost.any():
        raise ValueError(_cycle_in_words(trees, int(np.argmax(lost))))
    trees.__dict__["depths"] = depth


def _cycle_in_words(trees: Trees, node: int) -> str:
    """Of which nodes the cycle is that a node is in or under."""
    up = trees.above().tolist()
    for _ in range(len(up)):
        node = up[node]
    cycle = [node]
    while up[cycle[-1]] != node:
        cycle.append(up[cycle[-1]])
    tree = int(np.searchsorted(trees.offsets, node, side="right")) - 1
    numbers = [k - int(trees.offsets[tree]) for k in (*cycle, node)]
    return f"tree {tree} has a cycle: its node {numbers[0]} is above itself, by way of the parents {' → '.join(map(str, numbers))}"
