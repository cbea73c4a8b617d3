"""What each operation of torch computes from the entries of one sequence: entry by entry, many to one, and products."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

import torch
from torch import Tensor

from ..kernels import Node
from ._nodes import ROWS, Operation, Refused, Traced, broadcast, cast, cut, dtype_name, expanded, number, of_rows, register, reshaped, without

COMPUTED: dict[str, Operation] = {}
_called = register(COMPUTED)

# -- entry by entry ------------------------------------------------------------------------------------------------------------------------------

_ONE = (
    "neg",
    "sigmoid",
    "tanh",
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "abs",
    "sin",
    "cos",
    "floor",
    "sign",
    "sgn",
    "erf",
    "logical_not",
    "bitwise_not",
)
_TWO = ("add", "sub", "mul", "div", "maximum", "minimum", "bitwise_and", "bitwise_or", "logical_and", "logical_or", "remainder")
_COMPARED = ("gt", "ge", "lt", "le", "eq", "ne")
_SAME = {
    "sgn": "sign",
    "bitwise_not": "not",
    "logical_not": "not",
    "bitwise_and": "and",
    "logical_and": "and",
    "bitwise_or": "or",
    "logical_or": "or",
}


def _each(tracer: Any, out: Tensor, op: str, *operands: Any, dtype: str | None = None) -> Traced:
    """A node of operands that are repeated to the shape of the result; computed in ``dtype``, that of the result if it is not told."""
    fulls = [tracer.full(a) for a in operands]
    values = [tracer.value(a) for a in operands]
    full = broadcast(*fulls)
    k = next(k for k, v in enumerate(values) if v.axis is not None)
    axis = values[k].axis + len(full) - len(fulls[k])
    of = dtype or dtype_name(out.dtype)
    nodes = tuple(cast(tracer.aligned(a, full, axis), of) for a in operands)
    shape = without(full, axis)
    return Traced(Node(op, nodes, shape, dtype_name(out.dtype)), axis, values[k].folded)


def _with_one(name: str) -> Operation:
    return lambda tracer, out, args, kwargs: _each(tracer, out, _SAME.get(name, name), args[0])


def _with_two(name: str) -> Operation:
    def apply(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
        if kwargs.get("rounding_mode"):
            raise Refused("division without a rest")
        a, b = args[:2]
        alpha = args[2] if len(args) > 2 else kwargs.get("alpha", 1)
        kind = _SAME.get(name, "and" if name == "mul" and out.dtype == torch.bool else name)
        if alpha == 1:
            return _each(tracer, out, kind, a, b)
        scaled = _each(tracer, out, "mul", b, alpha) if tracer.value(b).axis is not None else None
        if scaled is None:
            raise Refused(f"{name} with alpha")
        full = tracer.full(b)
        mine = tracer.aligned(a, broadcast(tracer.full(a), full), scaled.axis)
        return Traced(Node(kind, (cast(mine, dtype_name(out.dtype)), scaled.node), scaled.node.shape, dtype_name(out.dtype)), scaled.axis)

    return apply


def _with_compared(name: str) -> Operation:
    return lambda tracer, out, args, kwargs: _each(tracer, out, name, *args[:2], dtype=dtype_name(torch.result_type(*args[:2])))


COMPUTED |= {name: _with_one(name) for name in _ONE} | {name: _with_two(name) for name in _TWO} | {name: _with_compared(name) for name in _COMPARED}


@_called("rsub")
def _rsub(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    return COMPUTED["sub"](tracer, out, (args[1], args[0], *args[2:]), kwargs)


@_called("reciprocal")
def _reciprocal(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    return _each(tracer, out, "div", 1.0, args[0])


@_called("rsqrt")
def _rsqrt(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    value = _each(tracer, out, "sqrt", args[0])
    return value._replace(node=Node("div", (_number_like(value.node, 1.0), value.node), value.node.shape, value.node.dtype))


@_called("relu")
def _relu(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    return _each(tracer, out, "maximum", args[0], 0.0)


@_called("clamp", "clamp_min")
def _clamp(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    bounds = {**dict(zip(("min", "max"), args[1:], strict=False)), **kwargs}
    value = tracer.value(args[0])
    node = value.node
    for which, op in (("min", "maximum"), ("max", "minimum")):
        bound = bounds.get(which)
        if isinstance(bound, Tensor):
            raise Refused("clamp with bounds for each entry: use maximum and minimum")
        if bound is not None:
            node = Node(op, (node, _number_like(node, bound)), node.shape, node.dtype)
    return value._replace(node=node)


@_called("clamp_max")
def _clamp_max(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    return _clamp(tracer, out, args[:1], {"max": args[1]})


@_called("pow")
def _pow(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    base, power = args[:2]
    if isinstance(base, Tensor) and not isinstance(power, Tensor):
        if power in (2, 3):
            square = _each(tracer, out, "mul", base, base)
            node = square.node
            return square if power == 2 else square._replace(node=Node("mul", (node, node.inputs[0]), node.shape, node.dtype))
        if power == 0.5:
            return _each(tracer, out, "sqrt", base)
        if power == 1:
            return _each(tracer, out, "add", base, 0.0)
    return _each(tracer, out, "pow", base, power)


@_called("where")
def _where(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    value = _each(tracer, out, "where", *args)
    condition, *others = value.node.inputs
    raw = condition.inputs[0] if condition.op == "cast" else condition
    return value._replace(node=Node("where", (cast(raw, "bool"), *others), value.node.shape, value.node.dtype))


@_called("_to_copy", "to")
def _to_copy(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    value = tracer.value(args[0])
    return value._replace(node=cast(value.node, dtype_name(out.dtype)))


@_called("clone", "alias", "detach", "contiguous", "lift_fresh")
def _same(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    return tracer.value(args[0])


@_called("zeros_like", "ones_like", "full_like", "empty_like", "new_zeros", "new_ones", "new_full", "new_empty")
def _alike(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    """Of a tensor only its shape and type is used; that of an empty one is written over."""
    value = out.reshape(-1)[0].item() if out.numel() else 0
    if ROWS not in out.shape:
        return Traced(number(value, tuple(out.shape), dtype_name(out.dtype)))
    axis = out.shape.index(ROWS)
    return Traced(number(value, without(out.shape, axis), dtype_name(out.dtype)), axis)


def _number_like(node: Node, value: float) -> Node:
    return number(value, node.shape, node.dtype)


# -- many entries to one -------------------------------------------------------------------------------------------------------------------------


def _folded(op: str) -> Operation:
    def apply(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
        x = args[0]
        value = tracer.value(x)
        given = args[1] if len(args) > 1 else kwargs.get("dim")
        axes = {a % x.ndim for a in (range(x.ndim) if given is None or given == [] else given if isinstance(given, list | tuple) else [given])}
        keeps = (args[2] if len(args) > 2 else kwargs.get("keepdim", False)) is True
        if value.folded:
            if value.axis not in axes or op != "sum":
                raise Refused(f"{op} inside of the axis of sequences")
            axes = {value.axis, *(a + (a > value.axis) for a in axes), value.axis + 1}
        over_rows = value.axis in axes
        own = tuple(sorted(a - (a > value.axis) for a in axes if a != value.axis))
        node = cast(value.node, dtype_name(out.dtype))
        entries = 1
        for a in own:
            entries *= node.shape[a]
        if op in ("mean", "amax") and over_rows:
            raise Refused(f"{op} over sequences")
        node = _sum(node, own, "max" if op == "amax" else "sum")
        if op == "mean":
            node = Node("mul", (node, _number_like(node, 1 / entries)), node.shape, node.dtype)
        if over_rows:
            shape = tuple(out.shape)
            summed = Node("row_sum", (node,), node.shape, node.dtype, rows=False, late=True)
            return Traced(Node("made", (summed,), shape, node.dtype, False, (), lambda total: total.view(shape), True))
        axis = value.axis if keeps else value.axis - sum(a < value.axis for a in axes)
        return Traced(reshaped(node, without(out.shape, axis)), axis)

    return apply


COMPUTED |= {name: _folded(name) for name in ("sum", "mean", "amax")}


def _sum(node: Node, axes: tuple[int, ...], op: str = "sum") -> Node:
    axes = tuple(a for a in axes if node.shape[a] > 1)
    shape = tuple(1 if a in axes else size for a, size in enumerate(node.shape))
    return Node(op, (node,), shape, node.dtype, facts=axes) if axes else node


@_called("mm")
def _mm(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    return _product(tracer.value(args[0]), tracer.value(args[1]), tuple(out.shape))


def _product(left: Traced, right: Traced, shape: tuple[int, ...]) -> Traced:
    """Of rows with weights, of weights with rows on the second axis, or over the rows of both."""
    (a, i, fold_a), (b, j, fold_b) = left, right
    a, b = (node if axis is None else of_rows(node) for node, axis in ((a, i), (b, j)))
    if i == 0 and j is None:
        return Traced(Node("product", (a, b), (*a.shape[:-1], b.shape[1]), a.dtype), 0, fold_a)
    if i is None and j == 1:
        turned = Node("made", (a,), a.shape[::-1], a.dtype, False, (), lambda w: w.t(), a.late)
        return Traced(Node("product", (b, turned), (*b.shape[:-1], a.shape[0]), a.dtype), 1, fold_b)
    if i == 1 and j == 0 and fold_a == fold_b:
        return Traced(Node("outer_sum", (a, b), shape, a.dtype, rows=False, late=True))
    raise Refused("a product of sequences with sequences")


@_called("bmm")
def _bmm(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    left, right = map(tracer.value, args)
    if left.folded or right.folded:
        raise Refused("a batch of products inside of the axis of sequences")
    if 0 in (left.axis, right.axis):
        return _of_each_sequence(tracer, out, *args)
    parts = [_product(_one_of(left, k), _one_of(right, k), tuple(out.shape[1:])) for k in range(len(out))]
    if parts[0].axis is None:
        stacked = Node("made", tuple(p.node for p in parts), tuple(out.shape), parts[0].node.dtype, False, (), lambda *w: torch.stack(w), True)
        return Traced(stacked)
    nodes = tuple(reshaped(p.node, (1, *p.node.shape)) for p in parts)
    shape = (len(nodes), *parts[0].node.shape)
    joined = nodes[0] if len(nodes) == 1 else Node("join", nodes, shape, nodes[0].dtype, facts=(0,))
    return Traced(joined, 1 + (parts[0].axis or 0))


def _one_of(value: Traced, k: int) -> Traced:
    """One of the matrices of a batch."""
    node, shape = value.node, value.node.shape[1:]
    if value.axis is None:
        return Traced(Node("made", (node,), shape, node.dtype, False, (), itemgetter(k), node.late))
    return Traced(reshaped(cut(node, 0, k, 1), shape), value.axis - 1)


def _of_each_sequence(tracer: Any, out: Tensor, a: Tensor, b: Tensor) -> Traced:
    """A product for every sequence, of its own matrices: sums of entries."""
    _, n, m = out.shape
    k = a.shape[2]
    left, right = (tracer.aligned(t, (ROWS, *t.shape[1:]), 0) for t in (a, b))
    left, right = (expanded(reshaped(node, shape), (n, k, m)) for node, shape in ((left, (n, k, 1)), (right, (1, k, m))))
    return Traced(reshaped(_sum(Node("mul", (left, right), (n, k, m), left.dtype), (1,)), (n, m)), 0)
