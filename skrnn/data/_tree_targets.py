"""The door for trees: checked against those of a fit, in numbers; and what belongs to them, in rows for each node."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_consistent_length

from ._categories import Categories
from ._checks import check_sequences
from ._encoding import Encoding
from ._frames import kind_of
from ._reading import NO_SAMPLES, unmasked
from ._sequences import Array, Sequences, offsets_of
from ._tree_forms import as_trees
from ._trees import Trees

_PLACE = re.compile(r"sequence (\d+)(, step (\d+))?")


def check_trees(estimator: Any, X: Any, *, reset: bool, compute_dtype: npt.DTypeLike | None = None, encoding: Encoding | None = None) -> Trees:
    """Read the X of an estimator's method: `as_trees`, and `check_sequences` for the tokens of each tree; in numbers, 0 where there is no token."""
    trees = as_trees(X)
    if len(trees) == 0:
        raise ValueError(NO_SAMPLES.format(shape=trees.shape))
    offsets, rows = _token_offsets(trees), trees.tokens[trees.has_token]
    without = np.flatnonzero(np.diff(offsets) == 0)
    if len(without):
        raise ValueError(f"tree {without[0]} has no token at any node: there is nothing to read")
    given = Sequences(rows, offsets) if rows.ndim == 2 else [part.tolist() for part in np.split(rows, offsets[1:-1])]
    if reset and rows.ndim == 1 and isinstance(encoding, Categories) and encoding.by_type:
        encoding.channels = None  # strings are tokens, even if most of them spell numbers
    with _speaking_of_nodes(trees, offsets):
        read = check_sequences(estimator, given, reset=reset, compute_dtype=compute_dtype, encoding=encoding)
    tokens = np.zeros((len(trees.parents), read.n_features), read.dtype)
    tokens[trees.has_token] = read.values
    return trees.with_tokens(tokens)


@contextmanager
def _speaking_of_nodes(trees: Trees, offsets: Array) -> Iterator[None]:
    """Let errors about the tokens of a tree, which are read as a sequence, say at which node they stand."""
    nodes = np.flatnonzero(trees.has_token)

    def place(match: re.Match[str]) -> str:
        if match[3] is None:
            return f"tree {match[1]}"
        return trees.place(int(nodes[offsets[int(match[1])] + int(match[3])]))

    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(_PLACE.sub(place, str(error))) from error


def tokens_of(trees: Trees) -> Sequences:
    """The tokens of each tree, which are numbers, in the order of its nodes."""
    return Sequences(trees.tokens[trees.has_token], _token_offsets(trees))


def _token_offsets(trees: Trees) -> Array:
    """Where the tokens of each tree begin and end."""
    return offsets_of(np.add.reduceat(trees.has_token.astype(np.int64), trees.offsets[:-1]))


def refuse_more_children(trees: Trees, most: int, why: str) -> None:
    """Refuse a node of more children than a network has weights for."""
    n_children = np.diff(trees.child_offsets)
    if (n_children > most).any():
        node = int(np.argmax(n_children > most))
        raise ValueError(f"{trees.place(node)} of X has {n_children[node]} children, but {why}")


def are_of_nodes(y: Any, trees: Trees) -> bool:
    """Whether y holds a target for each node: a list of them for each tree.

    Raises
    ------
    ValueError
        If there are as many columns as every tree has nodes.
    """
    y = unmasked(y)
    if kind_of(y).endswith("DataFrame") or (isinstance(y, np.ndarray) and y.dtype != object):
        widths = [y.shape[1]] * len(y) if y.ndim == 2 else []
    else:
        widths = [len(part) for part in _parts_of(y)]
    if len(set(widths)) != 1:
        return bool(widths)
    if widths != trees.n_nodes.tolist():
        return False
    raise ValueError(
        f"y has {widths[0]} columns, and every tree has {widths[0]} nodes: per_node=True says that y holds a target for each node, per_node=False "
        "that it holds several for each tree"
    )


def tree_rows(y: Any, trees: Trees) -> Any:
    """One row for each tree."""
    y = unmasked(y)
    widths = {len(part) for part in _parts_of(y)}
    if len(widths) > 1:
        raise ValueError(
            f"y must hold one target, or equally many, for each tree; got lists of {min(widths)} to {max(widths)} "
            "(per_node=True is for one at each node)"
        )
    check_consistent_length(trees, y)
    return y


def _parts_of(y: Any) -> list[Any]:
    """The items of y, if each of them holds several targets."""
    if isinstance(y, str) or not (isinstance(y, Sequence | np.ndarray) or kind_of(y)):
        return []
    parts = list(y)
    return parts if all(isinstance(part, Sequence | np.ndarray) and not isinstance(part, str) and np.ndim(part) > 0 for part in parts) else []


def node_rows(y: Any, trees: Trees, name: str = "y") -> Array:
    """One row for each node, end to end: (n_nodes_total,) or (n_nodes_total, n_outputs), of a list of arrays (n_nodes,) or (n_nodes, n_outputs)."""
    parts = _parts_of(unmasked(y))
    if len(parts) != len(trees):
        told = f"{len(parts)} of them" if parts else f"an entry that is no list among {len(y)}"
        raise ValueError(f"{name} must hold a list of targets for each of the {len(trees)} trees, one for each node; got {told}")
    rows = [np.asarray(unmasked(part)) for part in parts]
    for i, (part, n_nodes) in enumerate(zip(rows, trees.n_nodes.tolist(), strict=True)):
        if len(part) != n_nodes:
            raise ValueError(f"{name}[{i}] has {len(part)} entries, but tree {i} has {n_nodes} nodes: there must be one for each node")
        if part.ndim > 2 or part.shape[1:] != rows[0].shape[1:]:
            raise ValueError(f"{name}[{i}] has shape {part.shape}, but {name}[0] has {rows[0].shape}: all need the same number of outputs")
    return np.concatenate(rows)


def node_weights(sample_weight: Any, trees: Trees) -> npt.NDArray[np.float64]:
    """A weight for each node, from one for each tree or one for each node."""
    sample_weight = unmasked(sample_weight)
    if _parts_of(sample_weight):
        weight = node_rows(sample_weight, trees, "sample_weight").astype(float)
    else:
        of_trees = np.asarray(sample_weight, dtype=float)
        if of_trees.shape != (len(trees),):
            raise ValueError(f"sample_weight must have an entry for each of the {len(trees)} trees, or for each node; got shape {of_trees.shape}")
        weight = np.repeat(of_trees, trees.n_nodes)
    if weight.ndim != 1 or not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError("sample_weight must hold one finite number ≥ 0 for each tree or each node, and not only zeros")
    return weight
