"""What each operation of torch computes from the entries of one sequence: entry by entry, many to one, and products."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..kernels import Node
from ._nodes import ROWS, Operation, Refused, Traced, broadcast, cast, dtype_name, expanded, register, reshaped

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
    shape = (*full[:axis], *full[axis + 1 :])
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


@_called("clamp", "clamp_min", "clamp_max")
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
    if ROWS not in out.shape:
        return Traced(_number_of(out.reshape(-1)[0].item() if out.numel() else 0, tuple(out.shape), dtype_name(out.dtype)))
    axis = out.shape.index(ROWS)
    shape = (*out.shape[:axis], *out.shape[axis + 1 :])
    return Traced(_number_of(out.reshape(-1)[0].item(), shape, dtype_name(out.dtype)), axis)


def _number_of(value: Any, shape: tuple[int, ...], dtype: str) -> Node:
    kind = getattr(torch, dtype)
    return Node("number", (), shape, dtype, False, (value,), lambda: torch.full(shape, value, dtype=kind))


def _number_like(node: Node, value: float) -> Node:
    return expanded(reshaped(_number_of(value, (), node.dtype), (1,) * len(node.shape)), node.shape)


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
        return Traced(reshaped(node, (*out.shape[:axis], *out.shape[axis + 1 :])), axis)

    return apply


COMPUTED |= {name: _folded(name) for name in ("sum", "mean", "amax")}


def _sum(node: Node, axes: tuple[int, ...], op: str = "sum") -> Node:
    axes = tuple(a for a in axes if node.shape[a] > 1)
    shape = tuple(1 if a in axes else size for a, size in enumerate(node.shape))
    return Node(op, (node,), shape, node.dtype, facts=axes) if axes else node


@_called("mm")
def _mm(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    (a, i, fold_a), (b, j, fold_b) = map(tracer.value, args)
    dtype = dtype_name(out.dtype)
    if i == 0 and j is None:
        return Traced(Node("product", (a, b), (*a.shape[:-1], b.shape[1]), dtype), 0, fold_a)
    if i is None and j == 1:
        turned = Node("made", (a,), a.shape[::-1], a.dtype, False, (), lambda w: w.t(), a.late)
        return Traced(Node("product", (b, turned), (*b.shape[:-1], a.shape[0]), dtype), 1, fold_b)
    if i == 1 and j == 0 and fold_a == fold_b:
        return Traced(Node("outer_sum", (a, b), tuple(out.shape), dtype, rows=False, late=True))
    raise Refused("a product of sequences with sequences")


@_called("bmm")
def _bmm(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    (a, i, _), (b, j, _) = map(tracer.value, args)
    if i != 0 or j != 0:
        raise Refused("a batch of products that is not one for each sequence")
    (n, k), m = a.shape, b.shape[1]
    left, right = (expanded(reshaped(node, shape), (n, k, m)) for node, shape in ((a, (n, k, 1)), (b, (1, k, m))))
    dtype = dtype_name(out.dtype)
    return Traced(reshaped(_sum(Node("mul", (left, right), (n, k, m), dtype), (1,)), (n, m)), 0)
