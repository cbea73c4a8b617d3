"""What each operation of torch that only moves entries does to those of one sequence: views, parts put together, tables of places."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..kernels import Node
from ._nodes import ROWS, Operation, Refused, Traced, cast, cut, dtype_name, register, reshaped, without

MOVED: dict[str, Operation] = {}
_called = register(MOVED)

# -- the same entries elsewhere ------------------------------------------------------------------------------------------------------------------


def _one_sequence(value: Traced, axis: int) -> int:
    """An axis of a tensor as one of its node."""
    if value.folded or axis == value.axis:
        raise Refused("a view along the sequences")
    return axis - (value.axis is not None and axis > value.axis)


@_called("view", "_unsafe_view", "reshape", "unsqueeze", "squeeze", "flatten", "unflatten", "_reshape_alias")
def _view(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    value, full = tracer.value(args[0]), tracer.full(args[0])
    before = 1
    for size in full[: value.axis]:
        before *= size
    product = 1
    for axis, size in enumerate(out.shape):
        if product == before and size == ROWS:
            return Traced(reshaped(value.node, without(out.shape, axis)), axis)
        if product == before and size % ROWS == 0 and size and axis == 0:
            return Traced(reshaped(value.node, (size // ROWS, *out.shape[1:])), 0, folded=True)
        product *= size
    raise Refused(f"a view of {tuple(args[0].shape)} as {tuple(out.shape)}, which mixes sequences")


@_called("permute", "transpose", "t")
def _permute(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    value, n = tracer.value(args[0]), args[0].ndim
    order = list(range(n))
    if len(args) == 2:
        order = [a % n for a in args[1]]
    elif len(args) == 3:
        i, j = (a % n for a in args[1:])
        order[i], order[j] = order[j], order[i]
    else:
        order = order[::-1]
    if value.folded:
        if n != 2:
            raise Refused("axes in another order, one of them inside of that of the sequences")
        return value._replace(axis=order.index(value.axis or 0))
    own = tuple(_one_sequence(value, a) for a in order if a != value.axis)
    node, shape = value.node, tuple(value.node.shape[a] for a in own)
    turned = node if own == tuple(range(len(own))) else Node("permute", (node,), shape, node.dtype, node.rows, own)
    return Traced(turned, order.index(value.axis))


@_called("expand")
def _expand(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    value = tracer.value(args[0])
    if value.folded or value.axis is None:
        raise Refused("an expansion along the sequences")
    axis = value.axis + out.ndim - args[0].ndim
    return Traced(tracer.aligned(args[0], tuple(out.shape), axis), axis)


_WHOLE: tuple[Any, ...] = (0, None, None, 1)  # what a slice is where it is not told


def _bounds(length: int, start: int | None, end: int | None) -> tuple[int, int]:
    first, last = (0 if start is None else start), (length if end is None else end)
    first, last = (bound + length if bound < 0 else bound for bound in (first, last))
    return min(max(first, 0), length), min(max(last, 0), length)


@_called("slice")
def _slice(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    x = args[0]
    axis, start, end, step = tuple(args[1:]) + _WHOLE[len(args) - 1 :]
    value, axis = tracer.value(x), axis % x.ndim
    first, last = _bounds(x.shape[axis], start, end)
    if axis == value.axis:
        if (first, last, step) != (0, x.shape[axis], 1):
            raise Refused("some of the sequences")
        return value
    return value._replace(node=cut(value.node, _one_sequence(value, axis), first, out.shape[axis], step))


@_called("select")
def _select(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    x, axis, k = args
    value, axis = tracer.value(x), axis % x.ndim
    own = _one_sequence(value, axis)
    node = cut(value.node, own, k % x.shape[axis], 1)
    return Traced(reshaped(node, without(node.shape, own)), value.axis - (axis < value.axis))


@_called("split_with_sizes")
def _split(tracer: Any, out: Any, args: Any, kwargs: Any) -> list[Traced]:
    x = args[0]
    axis = (args[2] if len(args) > 2 else kwargs.get("dim", 0)) % x.ndim
    value, low, found = tracer.value(x), 0, []
    own = _one_sequence(value, axis)
    for part in out:
        size = part.shape[axis]
        found.append(value._replace(node=cut(value.node, own, low, size)))
        low += size
    return found


@_called("unbind")
def _unbind(tracer: Any, out: Any, args: Any, kwargs: Any) -> list[Traced]:
    axis = args[1] if len(args) > 1 else 0
    return [_select(tracer, part, (args[0], axis, k), {}) for k, part in enumerate(out)]


@_called("cat")
def _cat(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    parts = [part for part in args[0] if part.shape != (0,)]
    axis = (args[1] if len(args) > 1 else 0) % out.ndim
    values = [tracer.value(part) for part in parts]
    row = next(v.axis for v in values if v.axis is not None)
    if axis == row or any(v.folded for v in values):
        raise Refused("sequences behind sequences")
    own = axis - (axis > row)
    full = [(*out.shape[:axis], part.shape[axis], *out.shape[axis + 1 :]) for part in parts]
    nodes = tuple(cast(tracer.aligned(part, f, row), dtype_name(out.dtype)) for part, f in zip(parts, full, strict=True))
    shape = without(out.shape, row)
    return Traced(nodes[0] if len(nodes) == 1 else Node("join", nodes, shape, dtype_name(out.dtype), facts=(own,)), row)


def _put(tracer: Any, out: Tensor, gradient: Node, axis: int, start: int, step: int) -> Traced:
    """A gradient at its place among zeros."""
    row = out.shape.index(ROWS)
    own, shape = axis - (axis > row), without(out.shape, row)
    if step != 1:
        raise Refused("the gradient of every so many entries")
    if gradient.shape == shape:
        return Traced(gradient, row)
    return Traced(Node("put", (gradient,), shape, gradient.dtype, facts=(own, start)), row)


@_called("constant_pad_nd")
def _pad(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    x, widths = args[:2]
    value = args[2] if len(args) > 2 else 0
    got = tracer.value(x)
    if value:
        raise Refused("padding with other numbers than 0")
    for k, (before, after) in enumerate(zip(widths[::2], widths[1::2], strict=True)):
        axis = _one_sequence(got, x.ndim - 1 - k)
        node, size = got.node, got.node.shape[axis]
        node = cut(node, axis, max(-before, 0), size + min(before, 0) + min(after, 0))
        shape = (*node.shape[:axis], size + before + after, *node.shape[axis + 1 :])
        if shape != node.shape:
            node = Node("put", (node,), shape, node.dtype, facts=(axis, max(before, 0)))
        got = got._replace(node=node)
    return got


@_called("slice_backward")
def _slice_backward(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    gradient, _, axis, start, end, step = args
    value, axis = tracer.value(gradient), axis % out.ndim
    return value if axis == value.axis else _put(tracer, out, value.node, axis, _bounds(out.shape[axis], start, end)[0], step)


@_called("select_backward")
def _select_backward(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    gradient, _, axis, k = args
    value, axis = tracer.value(gradient), axis % out.ndim
    row = out.shape.index(ROWS)
    own, node = axis - (axis > row), value.node
    return _put(tracer, out, reshaped(node, (*node.shape[:own], 1, *node.shape[own:])), axis, k % out.shape[axis], 1)


# -- entries by tables of places ------------------------------------------------------------------------------------------------------------------


def _table(tracer: Any, places: Any) -> tuple[Traced, int]:
    """The table of ``x[:, …, table]``, and the axis on which it stands."""
    given = [k for k, p in enumerate(places) if p is not None]
    if len(given) != 1 or places[given[0]].dtype != torch.int64:
        raise Refused("places on several axes at once, or where a mask is true")
    return tracer.value(places[given[0]]), given[0]


@_called("index")
def _index(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    x, places = args
    value, (table, axis) = tracer.value(x), _table(tracer, places)
    if value.folded or table.folded or (value.axis is not None and table.axis is not None):
        raise Refused("other places for every sequence: use gather")
    n = len(table.node.shape)
    if table.axis is None:
        own = _one_sequence(value, axis)
        row = value.axis if axis > value.axis else value.axis + n - 1
    elif axis or table.axis:
        raise Refused("weights by a table that is not on their first axis")
    else:
        own = row = 0
    shape = without(out.shape, row)
    return Traced(Node("gather", (value.node, table.node), shape, dtype_name(out.dtype), facts=(own, n, False)), row)


@_called("gather")
def _gather(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    x, axis, places = args[:3]
    value, table, row = _beside(tracer, x, places)
    if x.shape[:axis] + x.shape[axis + 1 :] != places.shape[:axis] + places.shape[axis + 1 :]:
        raise Refused("gather from a part of the other axes")
    own = axis % x.ndim - (axis % x.ndim > row)
    return Traced(Node("gather", (value, table), table.shape, dtype_name(out.dtype), facts=(own, 1, True)), row)


def _beside(tracer: Any, *tensors: Tensor) -> tuple[Any, ...]:
    """Nodes of tensors of as many axes, and the axis of the sequences."""
    values = [tracer.value(t) for t in tensors]
    row = next(v.axis for v in values if v.axis is not None)
    if any(v.folded for v in values):
        raise Refused("tables of places inside of the axis of sequences")
    full = [tuple(ROWS if k == row else size for k, size in enumerate(t.shape)) for t in tensors]
    return (*(tracer.aligned(t, f, row) for t, f in zip(tensors, full, strict=True)), row)


@_called("scatter_add", "scatter")
def _scatter(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    x, axis, places, source = args[:4]
    if kwargs.get("reduce") or not isinstance(source, Tensor) or source.shape != places.shape:
        raise Refused("scatter of a number, with a reduction, or from a part of a tensor")
    base, table, source, row = _beside(tracer, x, places, source)
    own = axis % x.ndim - (axis % x.ndim > row)
    how = "add" if tracer.operation == "scatter_add" else "put"
    return Traced(Node("scatter", (base, table, source), base.shape, base.dtype, facts=(own, 1, True, how)), row)


@_called("index_put", "_index_put_impl", "_unsafe_index_put", "index_add")
def _index_put(tracer: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    if tracer.operation == "index_add":
        x, axis, places, source = args[:4]
        given, accumulate = [None] * axis + [places], True
    else:
        x, given, source = args[:3]
        accumulate = args[3] if len(args) > 3 else kwargs.get("accumulate", False)
    value, (table, axis) = tracer.value(x), _table(tracer, given)
    if value.axis is None or value.folded or table.axis is not None:
        raise Refused("entries put at other places for every sequence: use scatter")
    own, n = _one_sequence(value, axis), len(table.node.shape)
    shape = (*x.shape[:axis], *table.node.shape, *x.shape[axis + 1 :])
    row = value.axis if axis > value.axis else value.axis + n - 1
    put = tracer.aligned(source, tuple(shape), row)
    how = "add" if accumulate else "put"
    return Traced(Node("scatter", (value.node, table.node, put), value.node.shape, value.node.dtype, facts=(own, n, False, how)), value.axis)
