"""Any cell as a compiled program: its step is traced, planned and compiled once, and then runs over whole batches without Python.

See ``docs/compiler.rst`` for the way of an LSTM through the stages.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, State, flat, in_torch, map_state
from ..kernels import OVER_ROWS, Arrays, Graph, Layout, Node, Program, above, bernoulli, lay_panels
from ._likeness import likeness_of
from ._nodes import Refused
from ._steps import run_steps
from ._trace import rebuilt, replayed, trace

_generating: ContextVar[bool] = ContextVar("generating", default=True)
_ways: WeakKeyDictionary[Cell, dict[Any, _Generated | str]] = WeakKeyDictionary()  # not in the cell, whose pickle holds no more than its weights
_shared: dict[Any, _Generated | str] = {}  # of cells that are alike in all but the numbers in their weights
_programs: dict[tuple[str, ...], Program] = {}
_lock = threading.RLock()
_MOST_PROGRAMS = 256
_PLAIN = frozenset({bool, int, float, str, type(None), torch.Generator})  # types of settings
_MOST_WAYS = 32  # of a cell: training or not, several precisions


@contextmanager
def generating(wanted: bool) -> Iterator[None]:
    """Whether steps of cells are compiled for the CPU, in this thread: for tests, and to compare."""
    token = _generating.set(wanted)
    try:
        yield
    finally:
        _generating.reset(token)


def scan_generated(cell: Cell, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
    """Outputs and final state of a cell by its compiled program; ``None`` where there is none."""
    x = packed.data
    plain = torch._C._functorch.maybe_current_level() is None and not torch.compiler.is_compiling() and not torch.is_autocast_enabled("cpu")
    if not _generating.get() or not plain or x.device.type != "cpu" or x.dtype not in (torch.float32, torch.float64) or not len(x):
        return None
    way = _way_of(cell, x, state)
    return None if isinstance(way, str) else way.run(cell, x, state, Layout.of(packed.batch_sizes.numpy()), reverse)


def explain(cell: Cell, dtype: torch.dtype = torch.float32) -> str | None:
    """Why the steps of a cell are not compiled on a CPU.

    Parameters
    ----------
    cell : Cell
        Built. What a step does may depend on whether it trains.
    dtype : {torch.float32, torch.float64}, default=torch.float32
        That of its weights.

    Returns
    -------
    str or None
        ``None`` where they are compiled.
    """
    x = torch.zeros(1, cell.input_size, dtype=dtype)
    with torch.no_grad():
        way = _way_of(cell, x, cell.initial_state(1, like=x))
    return way if isinstance(way, str) else None


def _way_of(cell: Cell, x: Tensor, state: State) -> _Generated | str:
    """The program of a cell in its present settings, or why there is none."""
    learns = torch.is_grad_enabled()
    given = learns, x.dtype, x.shape[1:], tuple((s.dtype, s.shape[1:], learns and s.requires_grad) for s in flat(state))
    key = given, _settings(cell)
    found = _ways.get(cell, {}).get(key)
    if found is None:
        with _lock:
            kind = likeness_of(cell)
            found = None if kind is None else _shared.get((given, kind))
            if found is None:
                found = _made(cell, x[:1].detach(), map_state(lambda s: s[:1].detach().requires_grad_(learns and s.requires_grad), state), learns)
                if kind is not None and (isinstance(found, str) or None not in found.drawers):
                    _keep(_shared, (given, kind), found, _MOST_PROGRAMS)
            _keep(_ways.setdefault(cell, {}), key, found, _MOST_WAYS)
    return found


def _keep(store: dict[Any, Any], key: Any, value: Any, most: int) -> None:
    while len(store) >= most:
        del store[next(iter(store))]
    store[key] = value


def _made(cell: Cell, x: Tensor, state: State, learns: bool) -> _Generated | str:
    cells = [m for m in cell.modules() if isinstance(m, Cell)]
    if any(m.keeps_steps for m in cells):
        return "a cell keeps what passes through it"
    if any(m.couples_sequences and m.training for m in cells):
        return "a cell lets the sequences of a batch influence each other while training"
    if any(m.state_varies for m in cells):
        return "the shape of a state differs from batch to batch"
    before = [b.clone() for b in cell.buffers()]
    try:
        way = _Generated(cell, x, state, learns)
        way.program.compile()
    except (Refused, RuntimeError) as e:  # a step that runs only on real numbers, or a fault of ours that LLVM finds
        for buffer, was in zip(cell.buffers(), before, strict=True):
            buffer.copy_(was)
        return str(e)
    if way.program.is_right is None:
        way.program.is_right = _is_right(way, cell, x, state)
    return way if way.program.is_right else "the program does not compute what the steps do"


def _is_right(way: _Generated, cell: Cell, x: Tensor, state: State) -> bool:
    """Whether a program and the steps agree on three short sequences, and their gradients do."""
    draw = torch.Generator().manual_seed(0)
    sizes = torch.tensor([3, 2, 1])
    inputs = torch.randn(6, *x.shape[1:], generator=draw, dtype=x.dtype)
    state = map_state(lambda s: s.detach().expand(3, *s.shape[1:]).clone().requires_grad_(s.requires_grad), state)
    seeds = list(range(len(way.graph.draws)))
    rows = way.numbers(seeds, sizes.tolist())
    results = []
    for run in (
        lambda v, s: way.run(cell, v, s, Layout.of(sizes.numpy()), False, seeds),
        lambda v, s: run_steps(cell.step, cell.project(v).split(sizes.tolist()), s, False),
    ):
        v = inputs.clone().requires_grad_(way.learns)
        with in_torch(), replayed(iter(rows)):
            y, last = run(v, state)
        values = [t for t in (y, *flat(last)) if t.is_floating_point()]
        into = [t for t in (v, *flat(state), *cell.parameters()) if t.requires_grad]
        total = sum((t.square().sum() for t in values), torch.zeros(()))
        results.append(values + (list(torch.autograd.grad(total, into, materialize_grads=True)) if way.learns and total.requires_grad else []))
    return all(_agree(a, b) for a, b in zip(*results, strict=True))


def _agree(got: Tensor, expected: Tensor) -> bool:
    if not expected.numel():
        return True
    tolerance = torch.finfo(expected.dtype).eps ** 0.5
    return torch.allclose(got, expected, rtol=0, atol=tolerance * max(1.0, float(expected.detach().abs().max())), equal_nan=True)


def _settings(cell: Cell) -> tuple[Any, ...]:
    """What a step may depend on beside numbers in tensors: all plain attributes of all modules, and which weights learn."""
    found: list[Any] = []
    for module in cell.modules():
        own = module.__dict__
        found.append(type(module))
        found += [v if type(v) in _PLAIN else repr(v) for v in own.values() if type(v) in _PLAIN or type(v) is tuple]
        found += [(w.dtype, w.requires_grad) for w in own["_parameters"].values() if w is not None]
    return tuple(found)


class _Generated:
    """A cell's graph, and the program that it shares with all cells whose graphs are alike."""

    def __init__(self, cell: Cell, x: Tensor, state: State, learns: bool) -> None:
        self.learns, self.graph = learns, trace(cell, x, state, learns)
        key = (str(learns), *_described(self.graph))
        if key not in _programs:
            _keep(_programs, key, Program(self.graph, learns), _MOST_PROGRAMS)
        self.program = _programs[key]
        self.twin = dict(zip(_all(self.program.graph), _all(self.graph), strict=True))
        of_weights = [n for n in self.graph.of_weights if n is not None and learns]
        plans = {name: part.plan for name, part in self.program.passes.items()}
        self.of_pass = {name: [(a, self.twin[n], plan.arrays[a].place == "panels") for a, n in plan.weights.items()] for name, plan in plans.items()}
        needed = [node for weights in self.of_pass.values() for _, node, _ in weights]
        made = list(above([*needed, *of_weights], lambda n: n.op in OVER_ROWS))
        self.before = [n for n in made if n.call is not None and not n.late]
        self.after = [n for n in made if n.call is not None and n.late]
        drawing = {m.__dict__["generator"]._cdata: k for k, m in enumerate(cell.modules()) if m.__dict__.get("generator") is not None}
        self.drawers = [None if d.facts[2] is None else drawing.get(d.facts[2]._cdata) for d in self.graph.draws]  # whose generators draw

    def run(self, cell: Cell, x: Tensor, state: State, layout: Layout, reverse: bool, seeds: list[int] | None = None) -> tuple[Tensor, State]:
        """Outputs and final state; random numbers follow from ``seeds``, which the cell's generator gives where they are not told."""
        leaves, weights = flat(state), [*cell.parameters(), *cell.buffers()]
        seeds = self._seeds(cell) if seeds is None else seeds
        way = self, layout, reverse, len(leaves), seeds
        if self.learns:
            y, *last = _Run.apply(way, x, *leaves, *weights)
        else:
            (y, *last), _ = _forward(way, x, leaves, dict(zip(self.graph.weights, weights, strict=True)))
        passed = self.program.passing
        return y, rebuilt(state, [old if same else new for old, new, same in zip(leaves, last, passed, strict=True)])

    def _seeds(self, cell: Cell) -> list[int]:
        if not self.graph.draws:
            return []
        modules: list[Any] = list(cell.modules())
        generators = [d.facts[2] if k is None else modules[k].generator for d, k in zip(self.graph.draws, self.drawers, strict=True)]
        return [int(torch.randint(2**62, (), generator=g)) for g in generators]

    def give_weights(self, name: str, batch: Arrays, known: dict[Node, Tensor]) -> None:
        """Give a batch the weights of a pass, those of products as panels."""
        for array, node, is_matrix in self.of_pass.get(name, ()):
            w = known[node]
            if is_matrix:
                lay_panels(w.element_size(), w.shape, w.stride(), w.data_ptr(), batch.address[array])
            else:
                _lend(batch, array, w)

    def numbers(self, seeds: list[int], sizes: list[int], reverse: bool = False) -> list[Tensor]:
        """The random numbers of a packed batch in the order in which its steps draw them."""
        drawn = [
            torch.from_numpy(bernoulli(seed, sum(sizes), d.size, d.facts[0])).split(sizes) for seed, d in zip(seeds, self.graph.draws, strict=True)
        ]
        return [part[t] for t in (reversed(range(len(sizes))) if reverse else range(len(sizes))) for part in drawn]


def _forward(way: tuple[Any, ...], x: Tensor, leaves: Sequence[Tensor], known: dict[Node, Tensor]) -> tuple[list[Tensor], Arrays]:
    """Outputs and final states (nothing for those that stay what they are), and the batch; more of what is made of weights becomes known."""
    this, layout, reverse, _, seeds = way
    _compute(this.before, known)
    batch = this.program.arrays(layout)
    outputs = [torch.empty(len(x), *this.graph.output.shape, dtype=x.dtype)]
    _lend(batch, "u", x)
    _lend(batch, "y", outputs[0])
    if seeds:
        _lend(batch, "seeds", torch.tensor(seeds))
    for k, (leaf, same) in enumerate(zip(leaves, this.program.passing, strict=True)):
        outputs.append(torch.empty(0) if same else leaf.detach().clone(memory_format=torch.contiguous_format))
        _lend(batch, f"s{k}", leaf if same else outputs[-1])
    for name in ("before", "forward"):
        this.give_weights(name, batch, known)
    this.program.forward(batch, reverse)
    return outputs, batch


class _Run(Function):
    @staticmethod
    def forward(ctx: Any, way: tuple[Any, ...], x: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        this, _, _, n_leaves, _ = ctx.way = way
        leaves, weights = given[:n_leaves], given[n_leaves:]
        ctx.known = {node: w.detach() for node, w in zip(this.graph.weights, weights, strict=True)}
        outputs, ctx.batch = _forward(way, x, leaves, ctx.known)
        ctx.save_for_backward(*weights)
        ctx.mark_non_differentiable(*(s for k, s in enumerate(outputs[1:]) if k not in this.graph.learning))
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor, *dstates: Tensor) -> tuple[Any, ...]:
        this, _, reverse, n_leaves, _ = ctx.way
        _ = ctx.saved_tensors  # an error where weights have changed since
        program, graph, known, batch = this.program, this.graph, dict(ctx.known), ctx.batch
        n, dx = batch.allotment.batch, torch.empty(len(dy), *graph.input.shape, dtype=dy.dtype)
        _lend(batch, "dy", dy)
        _lend(batch, "du", dx)
        of_states: list[Tensor | None] = [None] * n_leaves
        for k, i in enumerate(graph.learning):
            d = of_states[i] = _zeros(graph.states[i], n) if program.passing[i] else dstates[i].clone(memory_format=torch.contiguous_format)
            _lend(batch, f"d{k}", d)
        for _, node, array in program.sums:
            _lend(batch, array.name, _zeros(node, n))
        of_input = ctx.needs_input_grad[1]
        for name in ("backward", "after") if of_input else ("backward",):
            this.give_weights(name, batch, known)
        totals = program.backward(batch, not reverse, of_input)
        known |= {this.twin[node]: torch.from_numpy(total) for node, total in totals}
        _compute(this.after, known)
        of_weights = [None if node is None else known[node] for node in graph.of_weights]
        return None, dx if of_input else None, *of_states, *of_weights


def _compute(nodes: list[Node], known: dict[Node, Tensor]) -> None:
    """Add what torch makes of weights, or of sums over rows."""
    for node in nodes:
        assert node.call is not None
        known[node] = node.call(*[known[i] for i in node.inputs])


def _lend(batch: Arrays, name: str, tensor: Tensor) -> None:
    tensor = tensor.detach().contiguous()
    batch.give(name, tensor.data_ptr(), tensor.numpy)


def _zeros(node: Node, n: int) -> Tensor:
    return torch.zeros(n, *node.shape, dtype=getattr(torch, node.dtype))


def _all(graph: Graph) -> Iterator[Node]:
    """Every node, in an order that is the same for graphs that are alike."""
    return above([*graph.weights, graph.input, *graph.states, *graph.draws, graph.of_output, *graph.of_new_states, *graph.ends()])


def _described(graph: Graph) -> Iterator[str]:
    """All that a program depends on, in words."""
    number = {n: k for k, n in enumerate(_all(graph))}
    for n in number:
        facts = n.facts[:2] if n.op == "draw" else n.facts
        yield f"{n.op} {[number[i] for i in n.inputs]} {n.shape} {n.dtype} {n.rows} {facts} {n.late}"
    ends = [graph.output, *graph.new_states, None, *graph.of_weights, None, graph.of_input, *graph.of_states, None, *graph.states, *graph.draws]
    yield f"{[None if n is None else number[n] for n in ends]} {graph.learning}"
