"""Reading trees: nested tuples, tokens with parents, texts in brackets and graphs of networkx become Trees."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ._finite import to_float
from ._frames import kind_of
from ._reading import unmasked
from ._sequences import Array, Sequences, offsets_of
from ._trees import ROOT, Trees

_PIECES = re.compile(r"[()]|[^\s()]+")
_FORMS = (
    "a nested tuple (token, child, …), a pair of two lists (tokens, parents), a text in brackets as '(3 (2 good) (1 film))', "
    "or a networkx.DiGraph whose edges lead to the children"
)


class _Read(NamedTuple):
    """What was read of one tree, node by node."""

    tokens: Any  # a list, or an array of numbers; None where a node has none
    parents: Any
    labels: list[str | None] | None = None


def as_trees(X: Any) -> Trees:
    """Read trees from whatever holds them, and check them.

    Parameters
    ----------
    X : list, 1-D array of objects, series, or Trees
        A tree in each item, in one of these forms:

        - a nested tuple ``(token, child, …)``, where a child is such a tuple, or a token alone for a leaf. Nodes are counted as they are written, the
          parent before its children;
        - a pair ``(tokens, parents)`` of two lists or arrays: the parent of each token by its number, from 0, and -1 (or None) for the root. The
          children of a node stand in the order of their numbers;
        - a text in brackets, as the Penn Treebank and the Stanford Sentiment Treebank have them: ``"(3 (2 good) (1 film))"``. Tokens are the words
          at the leaves; the labels behind the opening brackets are no tokens, and `read_ptb` gives them as targets. Nodes are counted as they are
          written;
        - a ``networkx.DiGraph`` whose edges lead from parents to children; the token of a node is its attribute ``"token"``. Nodes are counted
          parent before children, as ``networkx.dfs_preorder_nodes`` does.

        Tokens are strings, or numbers, or vectors of numbers (lists or arrays) of the same length. None is no token: the node then has no input.

    Returns
    -------
    trees : Trees

    Raises
    ------
    TypeError
        If `X` is no list of trees, or an item is none of these forms.
    ValueError
        If a tree is empty, has no root or several, a cycle or a node with two parents, if a bracket is missing, or if tokens mix strings and numbers
        or differ in their length. The message names tree and node.

    Examples
    --------
    >>> from skrnn.data import as_trees
    >>> as_trees([("and", "0", "1"), (["it", "rains"], [1, -1])])
    Trees(n_trees=2, n_nodes=2..3, tokens=strings)
    """
    return X if isinstance(X, Trees) else _joined([_read(item, i) for i, item in enumerate(_items(X))])


def read_ptb(texts: Any) -> tuple[Trees, list[Array]]:
    """Read trees in brackets, with their labels, as the Penn Treebank and the Stanford Sentiment Treebank have them.

    Parameters
    ----------
    texts : list, array or series of str
        As ``"(3 (2 good) (1 film))"``: behind an opening bracket stands the label of the node, then its children, or the word of a leaf.

    Returns
    -------
    trees : Trees
        The words are the tokens of the leaves; inner nodes have none.
    labels : list of ndarray of object (n_nodes,)
        The label of each node, a string, in the order in which they are written: targets of a ``TreeClassifier``. None where a node has none, as a
        word beside others has.

    Raises
    ------
    TypeError
        If an item is no string.
    ValueError
        If a bracket is missing or holds nothing; the message names the tree.

    Examples
    --------
    >>> from skrnn.data import read_ptb
    >>> trees, labels = read_ptb(["(3 (2 good) (1 film))"])
    >>> trees[0], labels[0].tolist()
    (([None, 'good', 'film'], [-1, 0, 0]), ['3', '2', '1'])
    """
    items = _items(texts)
    for i, item in enumerate(items):
        if not isinstance(item, str):
            raise TypeError(f"tree {i} must be a text in brackets; got {type(item).__name__}")
    read = [_of_brackets(item, i) for i, item in enumerate(items)]
    return _joined(read), [np.array(part.labels, dtype=object) for part in read]


def _items(X: Any) -> list[Any]:
    if isinstance(X, tuple):
        raise TypeError("X must be a list of trees; got a tuple, which is one tree, or a part of one: pass [tree]")
    listed = isinstance(X, list) or kind_of(X).endswith("Series") or (isinstance(X, Sequence) and not isinstance(X, str | bytes | Sequences))
    if not listed and not (isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype.kind in "OU"):
        told = f"an array of {X.dtype} and shape {X.shape}" if isinstance(X, np.ndarray) else type(X).__name__
        raise TypeError(f"X must be a list of trees, each {_FORMS}; got {told}")
    items = list(X)
    if not items:
        raise ValueError("Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is required.")
    return items


def _read(item: Any, i: int) -> _Read:
    if isinstance(item, str):
        return _of_brackets(item, i)
    if isinstance(item, tuple):
        parts = [unmasked(part) for part in item] if len(item) == 2 else []
        is_pair = parts and all(isinstance(part, list | np.ndarray) for part in parts)
        return _of_pair(parts[0], parts[1], i) if is_pair else _of_nested(item, i)
    if any(cls.__module__.partition(".")[0] == "networkx" for cls in type(item).__mro__):
        return _of_graph(item, i)
    raise TypeError(f"tree {i} must be {_FORMS}; got {type(item).__name__}")


def _of_nested(tree: tuple[Any, ...], i: int) -> _Read:
    read, waiting = _Read([], []), [(tree, ROOT)]  # no recursion: trees may be deeper than Python's stack
    if not tree:
        raise ValueError(f"tree {i} is empty: it has no node")
    while waiting:
        node, parent = waiting.pop()
        me = len(read.tokens)
        token, *children = node if isinstance(node, tuple) and node else (node,)
        if isinstance(token, tuple):
            told = "is an empty tuple" if not token else f"begins with a tuple, {token!r}"
            raise ValueError(f"tree {i}, node {me} {told}: the first of a tuple is the token of a node, None where it has none")
        read.tokens.append(token)
        read.parents.append(parent)
        waiting += [(child, me) for child in reversed(children)]
    return read


def _of_pair(tokens: Any, parents: Any, i: int) -> _Read:
    if len(tokens) != len(parents):
        raise ValueError(f"tree {i} has {len(tokens)} tokens, but {len(parents)} parents")
    up = np.array([ROOT if parent is None else parent for parent in (parents.tolist() if isinstance(parents, np.ndarray) else parents)])
    if len(up) and (up.ndim != 1 or up.dtype.kind not in "iu"):
        raise ValueError(f"The parents of tree {i} must be whole numbers, those of nodes, or -1 for the root; got {parents!r}")
    return _Read(tokens, up.tolist())


def _of_brackets(text: str, i: int) -> _Read:
    tokens: list[str | None] = []
    labels: list[str | None] = []
    parents: list[int] = []
    is_open: list[int] = []  # brackets
    fresh = False  # whether the last piece was an opening bracket, behind which a label may stand

    def add(token: str | None) -> None:
        if not is_open and tokens:
            raise ValueError(f"tree {i}: something stands behind the last bracket of the first tree in {_cut(text)!r}")
        tokens.append(token)
        labels.append(None)
        parents.append(is_open[-1] if is_open else ROOT)

    for piece in _PIECES.findall(text):
        if piece == "(":
            add(None)
            is_open.append(len(tokens) - 1)
        elif not is_open:
            told = "a closing bracket has no opening one" if piece == ")" else f"{piece!r} stands in no bracket"
            raise ValueError(f"tree {i}: {told} in {_cut(text)!r}; a text is a tree in brackets, as '(3 (2 good) (1 film))'")
        elif piece == ")":
            _close(is_open.pop(), tokens, labels, parents, i)
        elif fresh:
            labels[-1] = piece
        else:
            add(piece)
        fresh = piece == "("
    if not tokens:
        raise ValueError(f"tree {i} is empty: it has no node")
    if is_open:
        raise ValueError(f"tree {i}: {len(is_open)} brackets are not closed in {_cut(text)!r}")
    if labels[0] is None and parents.count(0) == 1 and len(tokens) > 1:  # the bracket around a whole sentence in the Penn Treebank
        return _Read(tokens[1:], [parent - 1 for parent in parents[1:]], labels[1:])
    return _Read(tokens, parents, labels)


def _close(node: int, tokens: list[str | None], labels: list[str | None], parents: list[int], i: int) -> None:
    """A bracket that holds nothing but a word is a leaf."""
    if node == len(tokens) - 1:
        raise ValueError(f"tree {i}, node {node} is a bracket that holds neither a word nor another bracket")
    if node == len(tokens) - 2 and tokens[-1] is not None and labels[-1] is None:
        tokens[node] = tokens.pop()
        labels.pop()
        parents.pop()


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _of_graph(graph: Any, i: int) -> _Read:
    if not graph.is_directed():
        raise TypeError(f"tree {i} must be a networkx.DiGraph, whose edges lead from parents to children; got {type(graph).__name__}")
    if not len(graph):
        raise ValueError(f"tree {i} is empty: it has no node")
    for node, n_parents in graph.in_degree():
        if n_parents > 1:
            raise ValueError(f"tree {i}, node {node!r} has {n_parents} parents, {[*graph.predecessors(node)]!r}: edges must lead to the children")
    roots = [node for node, n_parents in graph.in_degree() if n_parents == 0]
    if len(roots) > 1:
        raise ValueError(f"tree {i} has several roots, the nodes {roots!r}")
    read, waiting, seen = _Read([], []), [(root, ROOT) for root in roots], set()
    while waiting:
        node, parent = waiting.pop()
        me = len(read.tokens)
        seen.add(node)
        read.tokens.append(graph.nodes[node].get("token"))
        read.parents.append(parent)
        waiting += [(child, me) for child in reversed([*graph.successors(node)])]
    if len(read.tokens) < len(graph):
        lost = next(node for node in graph if node not in seen)
        raise ValueError(f"tree {i} has a cycle: no root is above its node {lost!r}")
    return read


def _joined(parts: list[_Read]) -> Trees:
    """All trees in one container."""
    n_nodes = [len(part.tokens) for part in parts]
    if 0 in n_nodes:
        raise ValueError(f"tree {n_nodes.index(0)} is empty: it has no node")
    parents = np.array([parent for part in parts for parent in part.parents])
    offsets = offsets_of(n_nodes)
    if all(isinstance(part.tokens, np.ndarray) and part.tokens.dtype.kind in "biuf" for part in parts):
        arrays = [part.tokens.reshape(len(part.tokens), -1) if part.tokens.ndim == 1 else part.tokens for part in parts]
        _refuse_other_widths([array.shape[1] for array in arrays], lambda k: f"tree {k}")
        tokens = to_float(np.concatenate(arrays), "X")
        there = np.ones(len(tokens), dtype=bool)
    else:
        tokens, there = _tokens_of([token for part in parts for token in part.tokens], offsets)
    trees = Trees(tokens, offsets, parents, there)
    if tokens.ndim == 2 and not np.isfinite(tokens).all():
        k = int(np.argmin(np.isfinite(tokens).all(axis=1)))
        raise ValueError(f"Input X contains NaN or infinity ({trees.place(k)}). A node without a token holds None.")
    return trees


def _tokens_of(cells: list[Any], offsets: Array) -> tuple[Array, Array]:
    """Tokens as strings or as rows of numbers, and at which nodes there are any."""

    def place(k: int) -> str:
        tree = int(np.searchsorted(offsets, k, side="right")) - 1
        return f"tree {tree}, node {k - int(offsets[tree])}"

    there = np.array([cell is not None for cell in cells])
    nodes = np.flatnonzero(there)
    if len(nodes) == 0:
        raise ValueError("No node of X has a token")
    strings = [isinstance(cells[k], str) for k in nodes]
    if any(strings) and not all(strings):
        k = int(nodes[strings.index(not strings[0])])
        raise ValueError(f"Tokens must be strings or numbers, not both: {place(k)} holds {cells[k]!r}, unlike {place(int(nodes[0]))}")
    if strings[0]:
        tokens = np.empty(len(cells), dtype=object)
        tokens[:] = cells
        return tokens, there
    vectors = [_vector(cells[k], place(int(k))) for k in nodes]
    _refuse_other_widths([len(vector) for vector in vectors], lambda k: place(int(nodes[k])))
    read = to_float(np.stack(vectors), "X")
    tokens = np.zeros((len(cells), read.shape[1]), read.dtype)
    tokens[nodes] = read
    return tokens, there


def _vector(cell: Any, place: str) -> Array:
    try:
        vector = np.atleast_1d(np.asarray(unmasked(cell)))
    except ValueError as error:
        raise ValueError(f"The token of {place} is no vector of numbers: {error}") from error
    if vector.ndim != 1 or vector.dtype.kind not in "biuf" or len(vector) == 0:
        raise TypeError(f"The token of {place} must be a string, a number or a vector of numbers; got {cell!r}")
    return vector


def _refuse_other_widths(widths: list[int], place: Any) -> None:
    for k, width in enumerate(widths):
        if width != widths[0]:
            raise ValueError(f"The tokens of {place(k)} have {width} features, those of {place(0)} have {widths[0]}; all need the same number")
