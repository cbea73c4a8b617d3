"""What one step of a cell and its gradient compute, as a plain list of nodes: what the tracer writes and the compiler of cells reads.

A node is a number of entries for every sequence of a batch (``rows``), or one set of entries for all of them. Its shape is that of one sequence:
nothing here knows the batch, lengths, or torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

VIEWS = frozenset({"reshape", "permute", "expand", "slice"})  # the same entries in another order
PATCHED = frozenset({"join", "put"})  # entries from several nodes, side by side; from one, among zeros
FOLDED = frozenset({"sum", "max"})  # one entry from many of a sequence
COSTLY = frozenset(
    {"sigmoid", "tanh", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "erf", "div", "pow", "product", "scatter", *FOLDED}
)  # dearer to compute again than to read
SOURCES = frozenset({"input", "state", "gradient", "draw"})  # what a step is given for every sequence
OVER_ROWS = frozenset({"row_sum", "outer_sum"})  # what the whole batch sums up to: gradients of weights


@dataclass(eq=False, slots=True)
class Node:
    """One operation of a step."""

    op: str
    inputs: tuple[Node, ...]
    shape: tuple[int, ...]
    dtype: str  # of numpy
    rows: bool = True
    facts: tuple[Any, ...] = ()  # what else the operation needs: axes, bounds, a number
    call: Callable[..., Any] | None = None  # of weights alone, and of sums over rows: how it is computed, before or after the loop
    late: bool = False  # made of sums over rows

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass
class Graph:
    """A step: what it is given, what it gives, and the gradients that go back."""

    weights: list[Node]  # as they were named
    input: Node
    states: list[Node]
    learning: list[int]  # states that gradients go through
    draws: list[Node] = field(default_factory=list)
    output: Node = field(init=False)
    of_output: Node = field(init=False)  # the gradient that comes back
    of_input: Node = field(init=False)
    new_states: list[Node] = field(default_factory=list)
    of_new_states: list[Node] = field(default_factory=list)  # of those that learn
    of_weights: list[Node | None] = field(default_factory=list)
    of_states: list[Node] = field(default_factory=list)

    def ends(self) -> list[Node]:
        """What is computed."""
        return [n for n in (self.output, *self.new_states, *self.of_weights, self.of_input, *self.of_states) if n is not None]

    def merged(self) -> Graph:
        """The same with every operation on the same nodes once."""
        known: dict[Any, Node] = {}
        same: dict[Node, Node] = {}
        for node in above(self.ends()):
            node.inputs = tuple(same[i] for i in node.inputs)
            call = repr(node.call) if node.op == "made" else ""
            key = node.op, tuple(map(id, node.inputs)), node.shape, node.dtype, node.rows, repr(node.facts), call
            alone = node.op in SOURCES or node.op == "weight"
            same[node] = node if alone else known.setdefault(key, node)

        def kept(nodes: list[Any]) -> list[Any]:
            return [None if n is None else same.get(n, n) for n in nodes]

        (self.output,), (self.of_input,) = kept([self.output]), kept([self.of_input])
        self.new_states, self.of_weights, self.of_states = kept(self.new_states), kept(self.of_weights), kept(self.of_states)
        return self


def above(roots: list[Node], stop: Callable[[Node], bool] = lambda node: False) -> Iterator[Node]:
    """All nodes that ``roots`` are made of, inputs first, none twice; not beyond those where ``stop``."""
    seen: set[Node] = set()
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, done = stack.pop()
        if done:
            yield node
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            if not stop(node):
                stack += [(i, False) for i in reversed(node.inputs) if i not in seen]
