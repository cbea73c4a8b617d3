"""What a tensor is while a step is traced, small nodes, and how operations are registered.

An operation gets the tracer, the result that torch computed, and the arguments; it gives what the result is, or a list where there are several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from ..kernels import Node

ROWS = 61  # sequences while tracing; a tensor that is made for so many has an axis of sequences


class Refused(Exception):
    """A step cannot be compiled; the message says why."""


Operation = Callable[[Any, Any, tuple[Any, ...], dict[str, Any]], Any]


def register(known: dict[str, Operation]) -> Callable[..., Callable[[Operation], Operation]]:
    """A decorator that puts what torch calls by some names into ``known``."""

    def called(*names: str) -> Callable[[Operation], Operation]:
        def keep(function: Operation) -> Operation:
            known.update(dict.fromkeys(names, function))
            return function

        return keep

    return called


class Traced(NamedTuple):
    """What a tensor is: a node, the axis of its sequences, and whether an axis of the node lies inside of that one."""

    node: Node
    axis: int | None = None
    folded: bool = False


def dtype_name(dtype: torch.dtype) -> str:
    name = str(dtype).removeprefix("torch.")
    if name not in ("float32", "float64", "int64", "bool"):
        raise Refused(f"numbers of {name}")
    return name


def number(value: Any, shape: tuple[int, ...], dtype: str) -> Node:
    kind = getattr(torch, dtype)
    return Node("number", (), shape, dtype, False, (value,), lambda: torch.full(shape, value, dtype=kind))


def _on(node: Node, op: str, shape: tuple[int, ...], *facts: Any) -> Node:
    return Node(op, (node,), shape, node.dtype, node.rows, facts)


def reshaped(node: Node, shape: tuple[int, ...]) -> Node:
    return node if node.shape == shape else _on(node, "reshape", shape)


def expanded(node: Node, shape: tuple[int, ...]) -> Node:
    return node if node.shape == shape else _on(node, "expand", shape)


def without(shape: Sequence[int], axis: int) -> tuple[int, ...]:
    """A shape but for one of its axes."""
    return (*shape[:axis], *shape[axis + 1 :])


def of_rows(node: Node) -> Node:
    """A node of numbers that are alike for all sequences, as one that has them for each."""
    return node if node.rows else Node("expand", (node,), node.shape, node.dtype)


def cut(node: Node, axis: int, start: int, size: int, step: int = 1) -> Node:
    shape = (*node.shape[:axis], size, *node.shape[axis + 1 :])
    return node if shape == node.shape and step == 1 else _on(node, "slice", shape, axis, start, step)


def cast(node: Node, dtype: str) -> Node:
    if node.dtype == dtype:
        return node
    if node.op == "number":
        return number(node.facts[0], node.shape, dtype)
    return Node("cast", (node,), node.shape, dtype, node.rows)


def broadcast(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of an operation on tensors of these shapes (torch's own function loads its compiler)."""
    n = max(map(len, shapes))
    padded = [(1,) * (n - len(shape)) + tuple(shape) for shape in shapes]
    return tuple(next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True))
