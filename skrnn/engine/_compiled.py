"""Steps of cells compiled by torch, several at a time: for GPUs, where to start the small operations of a step takes longer than to do them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from types import FunctionType
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, State, flat, map_state, put_first
from ..kernels import Layout

Run = Callable[[Cell, Tensor, Tensor, State], tuple[Tensor, State]]


class When(NamedTuple):
    """When steps are compiled: on which devices, how many together, and after how many steps that the cell has learned from."""

    devices: frozenset[str] = frozenset({"cuda"})
    together: int = 8  # more start fewer kernels a step, and take longer to compile
    after: int = 20_000  # these take about as long as compiling does, so a short fit never waits for more than it gains


_USUAL = When()
_when: ContextVar[When] = ContextVar("when")
_learned: WeakKeyDictionary[Cell, int] = WeakKeyDictionary()  # steps; not in the cell, whose pickle holds no more than its weights


@contextmanager
def compiling(*devices: str, together: int = _USUAL.together, after: int = 0) -> Iterator[None]:
    """Compile steps on these devices and no others, in this thread: for tests, and to compare."""
    token = _when.set(When(frozenset(devices), together, after))
    try:
        yield
    finally:
        _when.reset(token)


def scan_compiled(cell: Cell, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
    """Outputs and final state of a cell that learns, by its compiled steps; ``None`` where they do not pay, or cannot be had.

    Predictions are never compiled, so that they are the same bits before and after a cell has learned for long. Nor is what comes too early: each
    cell first learns from as many steps as compiling is worth.
    """
    when, x = _when.get(_USUAL), packed.data
    if x.device.type not in when.devices or not _learns(cell) or len(packed.batch_sizes) < 2 * when.together:
        return None
    learned = _learned.get(cell, 0)
    _learned[cell] = learned + len(packed.batch_sizes)
    if learned < when.after or any(isinstance(m, Cell) and (m.couples_sequences or m.keeps_steps) for m in cell.modules()):
        return None
    way = _Way.of(packed.batch_sizes.numpy(), when.together, reverse)
    rows, alive, places = (torch.from_numpy(part).to(x.device) for part in (way.rows, way.alive, way.places))
    sizes = (when.together * way.widths).tolist()
    inputs, there = cell.project(x).index_select(0, rows).split(sizes), alive.split(sizes)
    state = map_state(_with_gradient, state)
    steps = _steps_of(repr(cell), cell.input_size, cell.hidden_size, when.together, x.device, x.dtype)
    outputs = []
    for u, here, n in zip(inputs, there, way.widths.tolist(), strict=True):
        given = u.unflatten(0, (-1, n)), here.unflatten(0, (-1, n)), map_state(lambda s, n=n: s[:n].contiguous(), state)
        done = steps(cell, *given)
        if done is None:
            return None
        outputs.append(done[0])
        state = put_first(done[1], state)
    return torch.cat(outputs).index_select(0, places), state


def _learns(cell: Cell) -> bool:
    """Whether a backward pass will follow, outside torch's function transforms and compilers."""
    plain = torch._C._functorch.maybe_current_level() is None and not torch.compiler.is_compiling()
    return cell.training and torch.is_grad_enabled() and plain


def _with_gradient(s: Tensor) -> Tensor:
    """The state of the first piece as that of all later ones, for which else another function would be compiled."""
    return s.detach().requires_grad_() if s.is_floating_point() and not s.requires_grad else s


class _Way(NamedTuple):
    """Where the rows of a packed batch go when it is cut into pieces of equally many steps, each as wide as its widest step.

    A sequence that has ended, or not begun, is there with the row that is nearest to it, but not alive.
    """

    rows: NDArray[np.int64]  # of the packed batch, piece after piece in running order
    alive: NDArray[np.bool_]
    places: NDArray[np.int64]  # among them, of each packed row
    widths: NDArray[np.int64]  # sequences in each piece

    @classmethod
    def of(cls, sizes: NDArray[np.int64], together: int, reverse: bool) -> _Way:
        layout, batch = Layout.of(sizes), int(sizes[0])
        order = np.arange(-(-len(sizes) // together) * together)
        t = (len(sizes) - 1 - order if reverse else order)[:, None]
        alive = (t >= 0) & (t < layout.lengths)
        widths = alive.reshape(-1, together, batch).any(1).sum(1)
        widths = np.maximum(widths, min(batch, 2))  # torch compiles another function for a single sequence
        there = np.arange(batch) < np.repeat(widths, together)[:, None]
        rows = layout.starts[t.clip(0, layout.lengths - 1)] + np.arange(batch)
        places = np.empty(sizes.sum(), np.int64)
        places[rows[alive]] = np.flatnonzero(alive[there])
        return cls(rows[there], alive[there], places, widths)


class _Steps:
    """The steps of all cells of the same settings and sizes: compiled and found right, or not to be had."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._tried = False

    def __call__(self, cell: Cell, u: Tensor, alive: Tensor, state: State) -> tuple[Tensor, State] | None:
        try:
            with self._lock:
                if not self._tried:
                    self._tried = True
                    self._run = _compiled_and_right(cell, u, alive, state)
            return None if self._run is None else self._run(cell, *_of_any_width(u, alive, state))
        except Exception:  # no compiler on this machine, a step that torch cannot read, a fault of torch's: the eager loop needs none of it
            self._run = None
            return None


@lru_cache(maxsize=64)
def _steps_of(*kind: Any) -> _Steps:
    return _Steps()


def _piece(cell: Cell, u: Tensor, alive: Tensor, state: State) -> tuple[Tensor, State]:
    """Outputs (n_steps n, H) and last state of n sequences; one that is not alive holds its state."""
    outputs = []
    for now, here in zip(u, alive, strict=True):
        y, new = cell.step(now, state)
        state = map_state(lambda b, a, here=here: torch.where(here.view(-1, *[1] * (a.ndim - 1)), b, a), new, state)
        outputs.append(y)
    return torch.cat(outputs), state


def _compiled_and_right(cell: Cell, u: Tensor, alive: Tensor, state: State) -> Run:
    own = FunctionType(_piece.__code__.replace(), globals(), _piece.__name__)  # torch keeps only a few compiled functions for one piece of code
    run: Run = torch.compile(own, fullgraph=True, options={"triton.autotune_pointwise": False})  # by time, and bits would change with it
    for got, expected in zip(_values(run, cell, u, alive, state), _values(_piece, cell, u, alive, state), strict=True):
        tolerance = torch.finfo(expected.dtype).eps ** 0.5
        torch.testing.assert_close(got, expected, rtol=0, atol=tolerance * float(expected.detach().abs().max()), equal_nan=True)
    return run


def _values(run: Run, cell: Cell, u: Tensor, alive: Tensor, state: State) -> list[Tensor]:
    """What a piece gives, and the gradient of the sum of its squares in all that it is made from."""
    u, state = map_state(lambda s: s.detach().requires_grad_(s.requires_grad), (u, state))
    y, last = run(cell, *_of_any_width(u, alive, state))
    values = [v for v in (y, *flat(last)) if v.is_floating_point()]
    into = [t for t in (u, *flat(state), *cell.parameters()) if t.requires_grad]
    total = torch.stack([v.square().sum() for v in values]).sum()
    return values + list(torch.autograd.grad(total, into, materialize_grads=True))


def _of_any_width(u: Tensor, alive: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
    """Marked, so that one compiled function does for all batch sizes."""
    mark = torch._dynamo.maybe_mark_dynamic  # this loads the compiler
    for tensor in (u, alive):
        mark(tensor, 1)
    for tensor in flat(state):
        mark(tensor, 0)
    return u, alive, state
