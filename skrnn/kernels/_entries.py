"""The entries of nodes as expressions over the entries of arrays: views become arithmetic with places, and vanish."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from ._graph import FOLDED, PATCHED, VIEWS, Node
from ._index import Index, at, highest, joined, loaded, plus, split, times, values_in


@dataclass(eq=False, slots=True)
class Buffer:
    """Numbers in rows, one for each step (``steps``) or each sequence (``sequences``), or one row for all (``weights``, ``panels``)."""

    name: str
    place: str
    shape: tuple[int, ...]  # of a row, as it lies in memory
    dtype: str

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(eq=False, slots=True)
class Expression:
    """An operation on expressions, a number, or an entry of an array; alike ones are one object."""

    op: str
    dtype: str
    args: tuple[Any, ...]
    serial: int

    def __repr__(self) -> str:
        return f"e{self.serial}"

    def inputs(self) -> list[Expression]:
        """What it is made of, with what says where an entry stands."""
        of_place = list(values_in(self.args[-1])) if self.op in ("load", "draw") else []
        return of_place + [a for a in self.args if isinstance(a, Expression)]


class Across(Exception):
    """An entry is read from several parts at once: the node has to be put together in an array."""

    def __init__(self, node: Node) -> None:
        self.node = node


class Entries:
    """Makes expressions.

    Parameters
    ----------
    home : dict of Node to Buffer
        Nodes whose entries are read from an array; all others are computed where they are needed.
    weight : callable
        The array of a node that is the same for all sequences.
    """

    def __init__(self, home: dict[Node, Buffer], weight: Callable[[Node], Buffer]) -> None:
        self._home, self._weight = home, weight
        self._known: dict[tuple[Any, ...], Expression] = {}
        self._found: dict[tuple[Node, tuple[Index, ...]], Expression] = {}
        self._cuts: dict[Node, frozenset[tuple[int, int]]] = {}

    def make(self, op: str, dtype: str, *args: Any) -> Expression:
        simpler = _simpler(op, args)
        if simpler is not None:
            return self.number(0, dtype) if simpler == 0 else simpler
        key = (op, dtype, *(id(a) if isinstance(a, Expression | Buffer) else a for a in args))
        if key not in self._known:
            self._known[key] = Expression(op, dtype, args, len(self._known))
        return self._known[key]

    def number(self, value: Any, dtype: str) -> Expression:
        value = bool(value) if dtype == "bool" else int(value) if dtype == "int64" else float(value)
        key = ("number", dtype, repr(value))
        if key not in self._known:
            self._known[key] = Expression("number", dtype, (value,), len(self._known))
        return self._known[key]

    def load(self, array: Buffer, index: tuple[Index, ...]) -> Expression:
        return self.make("load", array.dtype, array, joined(index, array.shape))

    def read(self, node: Node, index: tuple[Index, ...]) -> Expression:
        """An entry of a node: out of its array, if it has one."""
        if node in self._home:
            return self.load(self._home[node], index)
        key = node, index
        if key not in self._found:
            self._found[key] = self.compute(node, index)
        return self._found[key]

    def compute(self, node: Node, index: tuple[Index, ...]) -> Expression:
        """An entry of a node, from its inputs."""
        op = node.op
        if op == "number":
            return self.number(node.facts[0], node.dtype)
        if op in VIEWS:
            return self.read(node.inputs[0], viewed(node, index))
        if op == "draw":
            return self.make("draw", node.dtype, node.facts[1], node.facts[0], joined(index, node.shape))
        if not node.rows and op in ("weight", "made"):
            return self.load(self._weight(node), index)
        if op in PATCHED:
            return self._patched(node, index)
        if op == "gather":
            return self.read(node.inputs[0], self.gathered(node, index))
        if op == "cast":
            (source,) = node.inputs
            return self._cast(self.read(source, index), node.dtype)
        return self.make(op, node.dtype, *(self.read(i, index) for i in node.inputs))

    def gathered(self, node: Node, index: tuple[Index, ...]) -> tuple[Index, ...]:
        """Where an entry comes from, or goes to, whose place on an axis is read from a table."""
        axis, n, along = node.facts[:3]
        table, size = node.inputs[1], node.inputs[0].shape[axis]
        k = self.read(table, index if along else index[axis : axis + n])
        zero, length = self.number(0, "int64"), self.number(size, "int64")
        k = self.make("where", "int64", self.make("lt", "bool", k, zero), self.make("add", "int64", k, length), k)
        k = self.make("minimum", "int64", self.make("maximum", "int64", k, zero), self.number(size - 1, "int64"))
        place = loaded(k, size)
        return (*index[:axis], place, *index[axis + (1 if along else n) :])

    def _cast(self, value: Expression, dtype: str) -> Expression:
        if value.dtype == dtype:
            return value
        return self.number(value.args[0], dtype) if value.op == "number" else self.make("cast", dtype, value)

    def _patched(self, node: Node, index: tuple[Index, ...]) -> Expression:
        axis, place = node.facts[0], index[node.facts[0]]
        for part, low in parts(node):
            high = low + part.shape[axis]
            if low <= place[0] and highest(place) < high:
                return self.read(part, (*index[:axis], plus(place, at(-low)), *index[axis + 1 :]))
            if node.op == "put" and (highest(place) < low or place[0] >= high):
                return self.number(0, node.dtype)
        raise Across(node)

    def cuts(self, node: Node) -> frozenset[tuple[int, int]]:
        """Places (axis, place) where a node is put together from parts: loops run between them."""
        if node in self._home or not node.inputs or not node.rows or node.op in FOLDED or node.op in ("product", "scatter"):
            return frozenset()
        return self.own_cuts(node)

    def own_cuts(self, node: Node) -> frozenset[tuple[int, int]]:
        """The same for what computes a node, whether it has an array or not."""
        if node not in self._cuts:
            self._cuts[node] = frozenset((a, p) for a, p in self._found_cuts(node) if 0 < p < node.shape[a])
        return self._cuts[node]

    def _found_cuts(self, node: Node) -> Iterator[tuple[int, int]]:
        if node.op in PATCHED:
            axis = node.facts[0]
            for part, low in parts(node):
                yield from ((a, p + low * (a == axis)) for a, p in self.cuts(part))
                yield from ((axis, low), (axis, low + part.shape[axis]))
        elif node.op == "slice":
            axis, start, step = node.facts
            yield from ((a, p - start if a == axis else p) for a, p in self.cuts(node.inputs[0]) if step == 1 or a != axis)
        elif node.op == "permute":
            yield from ((node.facts.index(a), p) for a, p in self.cuts(node.inputs[0]))
        elif node.op == "reshape":
            yield from _through_reshape(node, self.cuts(node.inputs[0]))
        elif node.op != "gather" and (node.op != "expand" or node.inputs[0].shape):
            for i in node.inputs:
                yield from ((a, p) for a, p in self.cuts(i) if i.shape[a] > 1)


def _through_reshape(node: Node, cuts: frozenset[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Cuts of axes that stay as they are, but for axes of length 1 before them."""
    old, new = node.inputs[0].shape, node.shape
    for axis, place in cuts:
        before = math.prod(old[:axis])
        for k, size in enumerate(new):
            if size == old[axis] and math.prod(new[:k]) == before:
                yield k, place


def parts(node: Node) -> Iterator[tuple[Node, int]]:
    """The parts of a patched node, and where each begins."""
    if node.op == "put":
        yield node.inputs[0], node.facts[1]
        return
    low = 0
    for part in node.inputs:
        yield part, low
        low += part.shape[node.facts[0]]


def viewed(node: Node, index: tuple[Index, ...]) -> tuple[Index, ...]:
    """Where an entry of a view stands in what is viewed."""
    source = node.inputs[0].shape
    if node.op == "reshape":
        return split(joined(index, node.shape), source)
    if node.op == "permute":
        return tuple(index[node.facts.index(a)] for a in range(len(source)))
    if node.op == "slice":
        axis, start, step = node.facts
        return tuple(plus(times(i, step), at(start)) if a == axis else i for a, i in enumerate(index))
    return tuple(at(0) if size == 1 else i for i, size in zip(index[len(index) - len(source) :], source))


def _is(value: Any, number: float) -> bool:
    return isinstance(value, Expression) and value.op == "number" and value.dtype != "bool" and value.args[0] == number


def _simpler(op: str, args: tuple[Any, ...]) -> Any:
    """An expression that an operation with 0 or 1 comes to, 0 for zero, or None."""
    if op == "add":
        return args[1] if _is(args[0], 0) else args[0] if _is(args[1], 0) else None
    if op == "sub":
        return args[0] if _is(args[1], 0) else None
    if op == "mul":
        if _is(args[0], 0) or _is(args[1], 0):
            return 0
        return args[1] if _is(args[0], 1) else args[0] if _is(args[1], 1) else None
    if op == "div":
        return args[0] if _is(args[1], 1) else None
    return 0 if op == "neg" and _is(args[0], 0) else None


def loads(values: list[Expression]) -> set[Expression]:
    """The entries of arrays that expressions read."""
    seen: set[Expression] = set()
    stack = list(values)
    while stack:
        value = stack.pop()
        if value not in seen:
            seen.add(value)
            stack += value.inputs()
    return {value for value in seen if value.op == "load"}
