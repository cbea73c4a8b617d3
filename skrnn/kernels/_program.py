"""A compiled step and its gradient: which numbers go from one pass to the other, the arrays of both, and the runs over a packed batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ._emit import ProgramText
from ._entries import Buffer
from ._graph import COSTLY, OVER_ROWS, PATCHED, SOURCES, VIEWS, Graph, Node, above
from ._loop import Layout, even_blocks
from ._machine import Compiled, lanes
from ._product import tall_product
from ._products import as_panels, lying
from ._schedule import Destination, Loop, Product, Schedule, schedule
from ._threads import WORTH_THREADS, run_blocks

Arrays = dict[str, NDArray[Any]]
_LINE = 64
_MOST_SPARE = 2**25  # bytes


class _Pass(NamedTuple):
    plan: Schedule
    names: list[str]
    own: list[tuple[str, str, int, np.dtype[Any]]]  # arrays with rows: name, place, size and type
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
        self.sums: list[tuple[Node, Node, Buffer]] = []  # sums of rows, of what, and where they are added up
        back = self._backward_roots() if learns else []
        module, plans = ProgramText(), {"forward": self._plan_forward(self._wanted(back))}
        if learns:
            plans["backward"] = self._plan_backward()
        self.passes = {}
        for name, (plan, copies) in plans.items():
            arrays = module.add_pass(name, plan, copies)
            own = [(a.name, a.place, a.size, np.dtype(a.dtype)) for a in arrays if a.place in ("steps", "sequences")]
            self.passes[name] = _Pass(plan, [a.name for a in arrays], own, _work(plan))
        self.text = module.text()
        self._compiled: Compiled | None = None
        self.is_right: bool | None = None  # where it has been compared with the steps
        self._spare: list[NDArray[np.uint8]] = []

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
        return roots + [_bare(n) for _, a, b in self.tall for n in (a, b)] + [n for _, n, _ in self.sums]

    def _is_backward(self, roots: list[Node]) -> dict[Node, bool]:
        """Of all nodes above, whether they are made of gradients that come back."""
        found: dict[Node, bool] = {}
        for node in above(roots):
            found[node] = node.op == "gradient" or any(found[i] for i in node.inputs)
        return found

    def _wanted(self, roots: list[Node]) -> list[Node]:
        """Nodes of the forward pass that the backward pass is to find in arrays: dear ones, and those that cheap ones are made of."""
        self.backward = self._is_backward(roots)
        given = {self.graph.input, *self.graph.draws, *(s for s, p in zip(self.graph.states, self.passing, strict=True) if p)}
        whole = {_bare(n) for _, a, b in self.tall for n in (a, b) if not self.backward[_bare(n)] and n.rows} - given
        cheap, kept = [], set(whole)
        for node in roots + [i for n in above(roots) if self.backward[n] for i in n.inputs]:
            while node.op in VIEWS:
                node = node.inputs[0]
            if self.backward.get(node) or not node.rows or node in given or node.op == "number":
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
        given = {graph.input: Buffer("u", "steps", graph.input.shape, graph.input.dtype)}
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

    def _plan_backward(self) -> tuple[Schedule, list[tuple[Buffer, Buffer]]]:
        graph = self.graph
        self.gradients = [Buffer(f"d{k}", "sequences", n.shape, n.dtype) for k, n in enumerate(graph.of_new_states)]
        unchanged = [new is old for new, old in zip(graph.of_states, graph.of_new_states, strict=True)]
        sources = {**self.given, **self.kept}
        sources = {n: a for n, a in sources.items() if a.place == "steps" or a in self.states}
        copies = []
        for node, array, same in zip(graph.of_new_states, self.gradients, unchanged, strict=True):
            sources[node] = array if same else Buffer(f"e{array.name[1:]}", "sequences", array.shape, array.dtype)
            if not same:
                copies.append((array, sources[node]))
        sources[graph.of_output] = Buffer("dy", "steps", graph.of_output.shape, graph.of_output.dtype)
        du = Buffer("du", "steps", graph.input.shape, graph.input.dtype)
        targets = [Destination(graph.of_input, du)]
        targets += [Destination(n, a) for n, a, same in zip(graph.of_states, self.gradients, unchanged, strict=True) if not same]
        targets += [Destination(n, a, "add") for _, n, a in self.sums]
        tall = dict.fromkeys(_bare(n) for _, a, b in self.tall for n in (a, b) if _bare(n) not in sources)
        self.packed = {n: du if n is graph.of_input else Buffer(f"t{k}", "steps", self._lying(n), n.dtype) for k, n in enumerate(tall)}
        self.places = {**sources, **self.packed}
        plan = schedule("b", sources, targets, self.packed, self._lanes)
        return plan, _used(copies, plan)

    # -- runs

    def compile(self) -> None:
        """Compile what has not been compiled."""
        if self._compiled is None:
            self._compiled = Compiled(self.text, list(self.passes))

    def weights(self, name: str, value: Callable[[Node], NDArray[Any]]) -> Arrays:
        """The arrays of weights of a pass, from the numbers of nodes."""
        arrays = {}
        for array, node in self.passes[name].plan.weights.items():
            w = np.ascontiguousarray(value(node))
            if self.passes[name].plan.arrays[array].place == "panels":
                w = as_panels(w, self._lanes * 4 // w.itemsize)
            arrays[array] = w
        return arrays

    def totals(self, arrays: Arrays) -> Iterator[tuple[Node, NDArray[Any]]]:
        """What the rows of a batch sum up to, after the backward pass."""
        for node, a, b in self.tall:
            i, j = (stacked_rows(arrays, self.places[_bare(n)], n) for n in (a, b))
            yield node, tall_product(i, j)
        for node, of, array in self.sums:
            yield node, arrays[array.name].sum(0).reshape(of.shape)

    def run(self, name: str, layout: Layout, descending: bool, arrays: Arrays) -> Workspace | None:
        """Run a pass: arrays that it needs and that are not there are made in memory that lasts as long as what is returned."""
        self.compile()
        assert self._compiled is not None
        part, walk = self.passes[name], self._compiled.passes[name]
        n_steps, batch = len(arrays["u"]), int(layout.sizes[0])
        memory = self._lay(part, arrays, {"steps": n_steps, "sequences": batch})
        table = np.array([arrays[key].ctypes.data for key in part.names], np.uintp)
        worth = n_steps * part.work > WORTH_THREADS
        edges = even_blocks(layout) if worth else [0, batch]
        fixed = layout.sizes.ctypes.data, layout.starts.ctypes.data, table.ctypes.data
        run_blocks(lambda k: walk(len(layout.sizes), int(descending), edges[k], edges[k + 1], *fixed), len(edges) - 1, worth_threads=worth)
        return memory

    def _lay(self, part: _Pass, arrays: Arrays, rows: dict[str, int]) -> Workspace | None:
        missing = [(key, kind, rows[place], size) for key, place, size, kind in part.own if key not in arrays]
        lengths = [-(-n * size * kind.itemsize // _LINE) * _LINE for _, kind, n, size in missing]
        if not missing:
            return None
        memory = Workspace(sum(lengths), self._spare)
        low = 0
        for (key, kind, n, size), length in zip(missing, lengths):
            arrays[key] = memory.bytes[low : low + n * size * kind.itemsize].view(kind).reshape(n, size)
            low += length
        return memory


class Workspace:
    """Memory on a line of the cache, which goes back to a small store when nobody needs it: new pages cost as much as a pass over them."""

    _whole = np.empty(0, np.uint8)  # until there is some

    def __init__(self, length: int, store: list[NDArray[np.uint8]]) -> None:
        self._store = store
        found = next((k for k, spare in enumerate(store) if len(spare) >= length + _LINE), None)
        try:
            self._whole = np.empty(length + _LINE, np.uint8) if found is None else store.pop(found)
        except IndexError:  # another thread was faster
            self._whole = np.empty(length + _LINE, np.uint8)
        start = -self._whole.ctypes.data % _LINE
        self.bytes = self._whole[start : start + length]

    def __del__(self) -> None:
        if len(self._whole) <= _MOST_SPARE:
            self._store.append(self._whole)
            del self._store[:-2]


def stacked_rows(arrays: Arrays, place: Buffer, node: Node) -> NDArray[Any]:
    """The rows of a node, one for each step or, where a sequence has several, for each of those; without what fills up vectors."""
    width = node.shape[-1]
    lying = place.shape[-1] if place.shape[:-1] == node.shape[:-1] else width
    return arrays[place.name].reshape(-1, lying)[:, :width]


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
        if n in kept or (n is not node and (n.op in COSTLY or n.op == "state")):
            found.append(n)
        elif n.rows and n not in given and n.op not in SOURCES:
            stack += n.inputs
    return found


def _used(copies: list[tuple[Buffer, Buffer]], plan: Schedule) -> list[tuple[Buffer, Buffer]]:
    """Copies of a step that are read, or kept."""
    read = {id(load.args[0]) for level in plan.levels for item in level if isinstance(item, Loop) for load in item.reads()}
    read |= {id(item.left) for level in plan.levels for item in level if isinstance(item, Product)}
    return [(a, b) for a, b in copies if b.place == "steps" or id(b) in read]


def _work(plan: Schedule) -> int:
    return sum(p.folded * p.inner * p.out.shape[-1] for level in plan.levels for p in level if isinstance(p, Product)) + 64
