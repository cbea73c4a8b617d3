"""A compiled step and its gradient: which numbers go from one pass to the other, the arrays of all, and the runs over a packed batch.

Forward and backward go through time. What follows from the input alone is computed before, for all rows at once, and what only the gradient of the
input needs after them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._arrays import Allotment, Arrays, Own, Piece, Spare
from ._big_product import TallSum
from ._emit import ProgramText
from ._entries import Buffer
from ._graph import COSTLY, OVER_ROWS, PATCHED, SOURCES, VIEWS, Graph, Node, above
from ._layout import Layout
from ._machine import Compiled, lanes
from ._products import lying, whole_vectors
from ._schedule import Destination, Loop, Product, Schedule, schedule
from ._threads import WORTH_THREADS, run_blocks

_MOST_ALLOTMENTS, _MOST_STEPS = 16, 2**12  # that are kept, and of batches how long
_OVER_TIME = ("forward", "backward")  # passes; the others are over rows, before and after


class _Pass(NamedTuple):
    plan: Schedule
    names: list[str]
    work: int  # multiplications for a row


class Program:
    """Runs a step over all steps of a batch, forward and backward.

    Parameters
    ----------
    graph : Graph
    learns : bool
        Whether there is a backward pass; else nothing is kept for one.
    """

    def __init__(self, graph: Graph, learns: bool) -> None:
        self.graph, self.learns, self._lanes = graph, learns, lanes()
        self.passing = [new is old for new, old in zip(graph.new_states, graph.states, strict=True)]
        self.tall: list[tuple[Node, Node, Node]] = []  # sums of outer products, and what of
        self.factors: list[Node] = []  # the latter, bare
        self.gradients: list[Buffer] = []  # of the states that learn
        self.sums: list[tuple[Node, Node, Buffer]] = []  # sums of rows, of what, and where they are added up
        back = self._backward_roots() if learns else []
        self.early = {n: Buffer(f"p{k}", "steps", self._lying(n), n.dtype) for k, n in enumerate(self._of_input_alone(back))}
        forward = self._plan_forward(self._wanted(back))
        plans: dict[str, tuple[Schedule, list[tuple[Buffer, Buffer]]]] = {}
        if self.early:
            plans["before"] = schedule("x", {graph.input: self.given[graph.input]}, [], self.early, self._lanes), []
        plans["forward"] = forward
        if learns:
            edge = self._edge()
            plans["backward"] = self._plan_backward(edge)
            if edge is not None:
                there = {n: a for n, a in self.places.items() if a.place == "steps" and n is not graph.of_input}
                plans["after"] = schedule("a", there, [Destination(graph.of_input, self.places[graph.of_input])], {}, self._lanes), []
        given = {"u", "y", "dy", "du", *(a.name for a in (*self.states, *self.gradients, *(array for _, _, array in self.sums)))}
        module, self.passes, places = ProgramText(), dict[str, _Pass](), dict[str, dict[str, Buffer]]()
        for name, (plan, copies) in plans.items():
            arrays = module.add_pass(name, plan, copies)
            self.passes[name] = _Pass(plan, [a.name for a in arrays], _work(plan))
            places[name] = {a.name: a for a in arrays if a.place != "weights" and a.name not in given}
        self._own = self._own_arrays(places)
        self.text = module.text()
        self._compiled: Compiled | None = None
        self.is_right: bool | None = None  # where it has been compared with the steps
        self._spare: list[Spare] = []
        self._allotments: dict[bytes, Allotment] = {}

    def _own_arrays(self, of_pass: dict[str, dict[str, Buffer]]) -> list[Own]:
        """What there has to be memory for: of all steps where the passes forward hand something to those backward, else of a piece."""
        forth, back = ({a for name in names for a in of_pass.get(name, ())} for names in (("before", "forward"), ("backward", "after")))
        across = forth & (back | {self.places[n].name for n in self.factors})
        own = dict[str, Own]()
        for name, arrays in of_pass.items():
            for a in arrays.values():
                place = "blocks" if a.place == "sequences" and name not in _OVER_TIME else a.place
                own[a.name] = Own(a.name, "moving" if place == "steps" and a.name not in across else place, _length(a, self._lanes), a.dtype)
        return list(own.values())

    # -- what the backward pass needs

    def _backward_roots(self) -> list[Node]:
        """What of rows the gradients are made of."""
        graph = self.graph
        roots = [graph.of_input, *graph.of_states]
        for node in above([n for n in graph.of_weights if n is not None], lambda n: n.op in OVER_ROWS or not n.late):
            if node.op == "outer_sum":
                self.tall.append((node, node.inputs[0], node.inputs[1]))
            elif node.op == "row_sum":
                self.sums.append((node, node.inputs[0], Buffer(f"sum{len(self.sums)}", "sequences", node.inputs[0].shape, node.dtype)))
        self.factors = [_bare(n) for _, a, b in self.tall for n in (a, b)]
        return roots + self.factors + [n for _, n, _ in self.sums]

    def _of_input_alone(self, roots: list[Node]) -> list[Node]:
        """Dear nodes that follow from the input alone: they are computed for all steps at once, before the loop."""
        goals = [self.graph.output, *self.graph.new_states, *roots]
        bound, alone = dict[Node, bool](), set[Node]()
        for node in above(goals):
            bound[node] = (node.op in SOURCES and node.op != "input") or any(bound[i] for i in node.inputs)
            if node.op == "input" or (not bound[node] and any(i in alone for i in node.inputs)):
                alone.add(node)
        dear = {n for n in alone if n.op in COSTLY}
        return [n for n in above(goals, dear.__contains__) if n in dear]

    def _edge(self) -> list[Node] | None:
        """Where the gradient of the input leaves the loop: what it is made of by products that nothing else needs; ``None`` if there are none."""
        graph = self.graph
        loop = set(above([*graph.of_states, *self.factors, *(n for _, n, _ in self.sums)]))
        there = {n for n, a in {**self.given, **self.kept}.items() if a.place == "steps"} | {graph.of_output}
        beyond = [n for n in above([graph.of_input], lambda n: n in loop or n in there) if n not in loop and n not in there]
        edge = dict.fromkeys(_bare(i) for n in beyond for i in n.inputs if i in loop and self.returning[i])
        if not any(n.op == "product" for n in beyond):
            return None
        known = there | set(edge)
        lost = [n for n in above([graph.of_input], known.__contains__) if n not in known and n.op in ("state", "gradient")]
        return None if lost else [n for n in edge if n not in there]

    def _is_backward(self, roots: list[Node]) -> dict[Node, bool]:
        """Of all nodes above, whether they are made of gradients that come back."""
        found: dict[Node, bool] = {}
        for node in above(roots):
            found[node] = node.op == "gradient" or any(found[i] for i in node.inputs)
        return found

    def _wanted(self, roots: list[Node]) -> list[Node]:
        """Nodes of the forward pass that the backward pass is to find in arrays: dear ones, and those that cheap ones are made of."""
        self.returning = self._is_backward(roots)
        given = {self.graph.input, *self.early, *self.graph.draws, *(s for s, p in zip(self.graph.states, self.passing, strict=True) if p)}
        whole = {n for n in self.factors if not self.returning[n] and n.rows} - given
        cheap, kept = [], set(whole)
        for node in roots + [i for n in above(roots) if self.returning[n] for i in n.inputs]:
            while node.op in VIEWS:
                node = node.inputs[0]
            if self.returning.get(node) or not node.rows or node in given or node.op == "number":
                continue
            if node.op in COSTLY or node.op == "state":
                kept.add(node)
            else:
                cheap.append(node)
        for node in dict.fromkeys(cheap):
            leaves = set(_leaves(node, kept, given))
            if node.op in PATCHED:
                kept |= leaves
            elif not leaves <= kept:
                kept.add(node)
        order = {n: k for k, n in enumerate(above([*self.graph.new_states, self.graph.output, *roots]))}
        return sorted(kept, key=order.__getitem__)

    # -- the two passes

    def _plan_forward(self, wanted: list[Node]) -> tuple[Schedule, list[tuple[Buffer, Buffer]]]:
        graph = self.graph
        self.states = [Buffer(f"s{k}", "sequences", s.shape, s.dtype) for k, s in enumerate(graph.states)]
        given = {graph.input: Buffer("u", "steps", graph.input.shape, graph.input.dtype), **self.early}
        copies = []
        for node, array, passes in zip(graph.states, self.states, self.passing, strict=True):
            given[node] = array
            if not passes:
                given[node] = Buffer(f"h{array.name[1:]}", "steps" if node in wanted else "sequences", array.shape, array.dtype)
                copies.append((array, given[node]))
        self.given = given
        self.kept = {n: given[n] if n in given else Buffer(f"k{k}", "steps", self._lying(n), n.dtype) for k, n in enumerate(wanted)}
        targets = [Destination(graph.output, Buffer("y", "steps", graph.output.shape, graph.output.dtype))]
        targets += [Destination(n, a) for n, a, p in zip(graph.new_states, self.states, self.passing, strict=True) if not p]
        plan = schedule("f", given, targets, {n: a for n, a in self.kept.items() if n not in given}, self._lanes)
        return plan, _used(copies, plan)

    def _lying(self, node: Node) -> tuple[int, ...]:
        """The shape of a kept node in memory: products fill whole vectors."""
        if node.op != "product":
            return node.shape
        return lying(node.shape, node.dtype, self._lanes)

    def _plan_backward(self, edge: list[Node] | None) -> tuple[Schedule, list[tuple[Buffer, Buffer]]]:
        graph, apart = self.graph, edge or []
        self.gradients = [Buffer(f"d{k}", "sequences", n.shape, n.dtype) for k, n in enumerate(graph.of_new_states)]
        unchanged = [new is old and old not in apart for new, old in zip(graph.of_states, graph.of_new_states, strict=True)]
        sources = {**self.given, **self.kept}
        sources = {n: a for n, a in sources.items() if a.place == "steps" or a in self.states}
        copies = []
        for node, array, same in zip(graph.of_new_states, self.gradients, unchanged, strict=True):
            sources[node] = array if same else Buffer(f"e{array.name[1:]}", "steps" if node in apart else "sequences", array.shape, array.dtype)
            if not same:
                copies.append((array, sources[node]))
        sources[graph.of_output] = Buffer("dy", "steps", graph.of_output.shape, graph.of_output.dtype)
        du = Buffer("du", "steps", graph.input.shape, graph.input.dtype)
        targets = [Destination(graph.of_input, du)] if edge is None else []
        targets += [Destination(n, a) for n, a, same in zip(graph.of_states, self.gradients, unchanged, strict=True) if not same]
        targets += [Destination(n, a, "add") for _, n, a in self.sums]
        whole = dict.fromkeys([*self.factors, *apart])
        of_loop = {n: Buffer(f"t{k}", "steps", self._lying(n), n.dtype) for k, n in enumerate(whole) if n not in sources}
        if edge is None and graph.of_input in of_loop:
            of_loop[graph.of_input] = du
        self.places = {graph.of_input: du, **sources, **of_loop}
        plan = schedule("b", sources, targets, of_loop, self._lanes)
        return plan, _used(copies, plan)

    # -- runs

    def compile(self) -> None:
        """Compile what has not been compiled."""
        if self._compiled is None:
            self._compiled = Compiled(self.text, list(self.passes))

    def arrays(self, layout: Layout) -> Arrays:
        """Arrays of a batch, with memory for all that is not given."""
        key = layout.sizes.tobytes()
        allotment = self._allotments.get(key)
        if allotment is None:
            own = Layout(layout.sizes.copy(), layout.starts)
            allotment = Allotment(own, self._own, self.passes["forward"].work)
            if len(layout.sizes) <= _MOST_STEPS:
                if len(self._allotments) >= _MOST_ALLOTMENTS:
                    self._allotments.clear()
                self._allotments[key] = allotment
        return Arrays(allotment, self._spare)

    def forward(self, batch: Arrays, descending: bool) -> None:
        """Go through a batch forward; outputs and the states are written where they have been given."""
        for piece in _in_order(batch.allotment.pieces, descending):
            for name in ("before", "forward"):
                self._run(name, batch, piece, descending)

    def backward(self, batch: Arrays, descending: bool, of_input: bool) -> Iterator[tuple[Node, NDArray[Any]]]:
        """Go through a batch backward, which writes the gradients that have been given; what its rows sum up to comes back.

        Parameters
        ----------
        batch : Arrays
            After :meth:`forward`.
        descending : bool
            The other way than forward.
        of_input : bool
            Whether the gradient of the input is wanted.
        """
        sums = [TallSum(a.shape[-1], b.shape[-1], a.dtype) for _, a, b in self.tall]
        for piece in _in_order(batch.allotment.pieces, descending):
            for name in ("backward", "after") if of_input else ("backward",):
                self._run(name, batch, piece, descending)
            for total, (_, a, b) in zip(sums, self.tall, strict=True):
                total.add(self._factor(a, batch, piece), self._factor(b, batch, piece))
        for total, (node, _, _) in zip(sums, self.tall, strict=True):
            yield node, total.value
        for node, of, array in self.sums:
            yield node, batch[array.name].sum(0).reshape(of.shape)

    def _factor(self, node: Node, batch: Arrays, piece: Piece) -> NDArray[Any]:
        """The rows of a node in a piece, one for each step or, where a sequence has several, for each of those; without what fills up vectors."""
        place, width = self.places[_bare(node)], node.shape[-1]
        lying = place.shape[-1] if place.shape[:-1] == node.shape[:-1] else width
        return batch.rows(place.name, piece, lying)[:, :width]

    def _run(self, name: str, batch: Arrays, piece: Piece, descending: bool) -> None:
        """Run a pass over a piece, if there is such a pass."""
        if name not in self.passes:
            return
        self.compile()
        assert self._compiled is not None
        part, walk = self.passes[name], self._compiled.passes[name]
        steps, table = piece.over_time if name in _OVER_TIME else piece.over_rows, batch.table(part.names, piece)
        if (piece.end - piece.first) * part.work <= WORTH_THREADS:
            walk(steps.n_steps, descending, 0, steps.batch, steps.sizes, steps.starts, table)
            return
        edges = steps.edges
        run_blocks(
            lambda k: walk(steps.n_steps, descending, edges[k], edges[k + 1], steps.sizes, steps.starts, table), len(edges) - 1, worth_threads=True
        )


def _in_order(pieces: list[Piece], descending: bool) -> list[Piece]:
    return pieces[::-1] if descending else pieces


def _length(array: Buffer, lanes: int) -> int:
    """Bytes of a row."""
    size = array.shape[0] * whole_vectors(array.shape[1], array.dtype, lanes) if array.place == "panels" else array.size
    return size * np.dtype(array.dtype).itemsize


def _bare(node: Node) -> Node:
    """A node without what leaves its entries as they lie; those of a product lie in vectors that are filled up."""
    while node.op == "reshape" and node.rows and node.inputs[0].op != "product":
        node = node.inputs[0]
    return node


def _leaves(node: Node, kept: set[Node], given: set[Node]) -> list[Node]:
    """The dear nodes, states and kept ones that a cheap one is made of."""
    found, stack = [], [node]
    while stack:
        n = stack.pop()
        if n in given:
            continue
        if n in kept or (n is not node and (n.op in COSTLY or n.op == "state")):
            found.append(n)
        elif n.rows and n.op not in SOURCES:
            stack += n.inputs
    return found


def _used(copies: list[tuple[Buffer, Buffer]], plan: Schedule) -> list[tuple[Buffer, Buffer]]:
    """Copies of a step that are read, or kept."""
    read = {id(load.args[0]) for level in plan.levels for item in level if isinstance(item, Loop) for load in item.reads()}
    read |= {id(item.left) for level in plan.levels for item in level if isinstance(item, Product)}
    return [(a, b) for a, b in copies if b.place == "steps" or id(b) in read]


def _work(plan: Schedule) -> int:
    return sum(p.folded * p.inner * p.out.shape[-1] for level in plan.levels for p in level if isinstance(p, Product)) + 64
