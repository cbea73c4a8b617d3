"""Trees whose answer follows from their parts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ..data import Trees
from ..data._sequences import offsets_of
from ._recall import _at_least

_OPERATORS = ("and", "or", "xor")


def make_boolean_trees(
    n_trees: int = 256, *, min_depth: int = 2, max_depth: int = 4, per_node: bool = False, random_state: Any = None
) -> tuple[Trees, Any]:
    """Boolean formulas as trees: "and", "or" and "xor" of two parts each, down to "0" and "1"; say what they come to.

    Parameters
    ----------
    n_trees : int, default=256
    min_depth, max_depth : int, default=2 and 4
        Edges from the root to the deepest leaf; every depth between is as probable. A tree of depth 0 is a leaf.
    per_node : bool, default=False
        Whether `y` tells it of every node, or of the root alone.
    random_state : int, RandomState instance or None, default=None
        Source of the shapes, the operators and the leaves.

    Returns
    -------
    X : Trees
        Of strings. One part of a formula, at either side, has one level less than the whole, the other any number of levels that is less.
    y : ndarray of int of shape (n_trees,), or list of ndarray of int (n_nodes,)
        0 or 1: of each tree, or of each of its nodes.

    Examples
    --------
    >>> from skrnn.datasets import make_boolean_trees
    >>> X, y = make_boolean_trees(1, min_depth=2, max_depth=2, random_state=0)
    >>> X[0], y
    ((['and', 'and', '1', '1', 'or', '1', '0'], [-1, 0, 1, 1, 0, 4, 4]), array([1]))
    """
    for name, value, least in (("n_trees", n_trees, 1), ("min_depth", min_depth, 0), ("max_depth", max_depth, min_depth)):
        _at_least(name, value, least)
    rng = check_random_state(random_state)
    read = [_formula(int(depth), rng) for depth in rng.randint(min_depth, max_depth + 1, size=n_trees)]
    tokens = np.array([token for tree, _, _ in read for token in tree], dtype=object)
    X = Trees(tokens, offsets_of([len(tree) for tree, _, _ in read]), np.concatenate([parents for _, parents, _ in read]))
    values = [value for _, _, value in read]
    return X, values if per_node else np.array([value[0] for value in values])


def _formula(depth: int, rng: np.random.RandomState) -> tuple[list[str], list[int], NDArray[np.int64]]:
    """Tokens, parents and values of a formula, each node before its parts."""
    tokens: list[str] = []
    parents: list[int] = []
    waiting = [(depth, -1)]
    while waiting:
        levels, parent = waiting.pop()
        me = len(tokens)
        parents.append(parent)
        tokens.append(_OPERATORS[rng.randint(3)] if levels else str(rng.randint(2)))
        if levels:
            parts = [(levels - 1, me), (rng.randint(levels), me)]
            waiting += parts if rng.randint(2) else parts[::-1]
    return tokens, parents, _worth(tokens, parents)


def _worth(tokens: list[str], parents: list[int]) -> NDArray[np.int64]:
    values = np.zeros(len(tokens), dtype=np.int64)
    parts: list[list[int]] = [[] for _ in tokens]
    for node in reversed(range(len(tokens))):  # parts stand behind what they are parts of
        a, b = parts[node] or (0, 0)
        values[node] = {"and": a & b, "or": a | b, "xor": a ^ b}.get(tokens[node], tokens[node] == "1")
        if parents[node] >= 0:
            parts[parents[node]].append(int(values[node]))
    return values
