"""One step of a built cell and its gradient, as the plain list of nodes that the compiler of cells reads.

The step runs once, on numbers that mean nothing, for ``ROWS`` sequences; a dispatch mode sees every operation that torch does, of the step and of
its backward pass. An axis of sequences is followed by rules, so that what would mix sequences is seen, and refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from ..cells import Cell, State, flat, in_torch, map_state
from ..kernels import Graph, Node
from ._decompose import DECOMPOSED
from ._nodes import ROWS, Refused, Traced, dtype_name, expanded, number, reshaped, without
from ._operations import COMPUTED
from ._views import MOVED

OPERATIONS = COMPUTED | MOVED


@torch.inference_mode(False)  # in which torch shows operations whole that it else takes apart
def trace(cell: Cell, x: Tensor, state: State, learns: bool = True) -> Graph:
    """The graph of a step.

    Parameters
    ----------
    cell : Cell
        Built; its own random numbers are not drawn.
    x : Tensor of shape (1, input_size)
        Like an input.
    state : State
        Like a state, of one sequence.
    learns : bool, default=True
        Whether there is to be a gradient.

    Raises
    ------
    Refused
        A branch on values, a tensor from outside the cell, a write into what is seen elsewhere, an operation across sequences, an unknown one.
    """
    tracer, wanted = _Tracer(), [t.requires_grad for t in flat(state)]
    with in_torch(), torch.no_grad():
        x, *leaves = (t.detach().expand(ROWS, *t.shape[1:]).clone() for t in (x, *flat(state)))
        new = flat(tracer.unseen(_step, cell, x, rebuilt(state, leaves))[1])
    given = {**dict(cell.named_parameters()), **dict(cell.named_buffers())}
    if ROWS in {size for t in (x, *leaves, *given.values()) for size in t.shape[t is x or any(t is leaf for leaf in leaves) :]}:
        raise Refused(f"a size of {ROWS}")
    changed = [old is not now for old, now in zip(leaves, new, strict=True)]
    learning = [i for i, old in enumerate(leaves) if learns and old.is_floating_point() and (changed[i] or wanted[i])]
    leaves = [leaf.requires_grad_(i in learning) for i, leaf in enumerate(leaves)]
    x.requires_grad_(learns)
    graph = Graph([tracer.give("weight", t, rows=False) for t in given.values()], tracer.give("input", x), [], learning)
    graph.states = [tracer.give("state", leaf) for leaf in leaves]
    with in_torch(), torch.set_grad_enabled(learns):
        _record(tracer, graph, cell, x, rebuilt(state, leaves), list(given.values()))
    graph.draws = tracer.draws
    return graph.merged()


def _step(cell: Cell, x: Tensor, state: State) -> tuple[Tensor, State]:
    return cell.step(cell.project(x), state)


def _record(tracer: _Tracer, graph: Graph, cell: Cell, x: Tensor, state: State, weights: list[Tensor]) -> None:
    leaves = flat(state)
    with tracer:
        y, new_state = _step(cell, x, state)
    new = flat(new_state)
    graph.output, *graph.new_states = map(tracer.of_sequences, (y, *new))
    outputs = [y, *(new[i] for i in graph.learning)]
    gradients = [torch.zeros_like(t) for t in outputs]
    graph.of_output, *graph.of_new_states = (tracer.give("gradient", g) for g in gradients)
    wanted = [x, *(leaves[i] for i in graph.learning), *(w for w in weights if w.requires_grad)]
    learned = [(t, g) for t, g in zip(outputs, gradients, strict=True) if t.requires_grad]
    with tracer:
        end = _End.apply([g for _, g in learned], *(t for t, _ in learned))
        gone_back = torch.autograd.grad(end, wanted, allow_unused=True) if learned else [None] * len(wanted)
        n = 1 + len(graph.learning)
        found: list[Any] = [torch.zeros_like(t) if g is None and k < n else g for k, (t, g) in enumerate(zip(wanted, gone_back, strict=True))]
    graph.of_input, *graph.of_states = map(tracer.of_sequences, found[:n])
    of_weights = iter(found[n:])
    graph.of_weights = [None if not w.requires_grad or (g := next(of_weights)) is None else tracer.value(g).node for w in weights]


class _End(Function):
    """A number whose gradients are those that are given (where torch is asked for them directly, it loads its compiler)."""

    @staticmethod
    def forward(ctx: Any, gradients: list[Tensor], *outputs: Tensor) -> Tensor:
        ctx.gradients = gradients
        return torch.zeros(())

    @staticmethod
    def backward(ctx: Any, one: Tensor) -> tuple[Any, ...]:
        return None, *ctx.gradients


def rebuilt(like: State, leaves: list[Tensor]) -> State:
    rest = iter(leaves)
    return map_state(lambda _: next(rest), like)


class _Light(TorchDispatchMode):
    """A mode for which torch need not load its compiler."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False


class _Tracer(_Light):
    def __init__(self) -> None:
        super().__init__()
        self.draws: list[Node] = []
        self._values: dict[int, Traced] = {}
        self._alive: list[Tensor] = []  # a tensor that is gone leaves its id to another
        self._views: dict[int, int] = {}  # tensors that share a storage
        self._turned: dict[Node, Node] = {}  # what is the transpose of what
        self._looks_on = True
        self.operation = ""

    def unseen(self, function: Callable[..., Any], *args: Any) -> Any:
        """What a function gives, with draws that cost no random numbers."""
        self._looks_on = False
        try:
            with self:
                return function(*args)
        finally:
            self._looks_on = True

    def give(self, op: str, tensor: Tensor, rows: bool = True) -> Node:
        shape = tuple(tensor.shape[rows:])
        node = Node(op, (), shape, dtype_name(tensor.dtype), rows)
        self._bind(tensor, Traced(node, 0 if rows else None))
        return node

    def _bind(self, tensor: Tensor, value: Traced) -> None:
        if id(tensor) not in self._values:
            self._alive.append(tensor)
            storage = tensor.untyped_storage().data_ptr()
            self._views[storage] = self._views.get(storage, 0) + 1
        self._values[id(tensor)] = value

    def value(self, tensor: Any) -> Traced:
        """What a tensor or a number is."""
        if not isinstance(tensor, Tensor):
            kind = "bool" if isinstance(tensor, bool) else "int64" if isinstance(tensor, int) else "float64"
            return Traced(number(tensor, (), kind))
        if id(tensor) not in self._values:
            if tensor.ndim or tensor.dtype not in (torch.float64, torch.int64, torch.bool):  # else a number that torch has wrapped
                raise Refused(f"a tensor of shape {tuple(tensor.shape)} from outside the cell: register it as a buffer or parameter")
            return Traced(number(tensor.item(), (), dtype_name(tensor.dtype)))
        return self._values[id(tensor)]

    def of_sequences(self, tensor: Tensor) -> Node:
        """What stands for each sequence; what is alike for all is repeated."""
        node, axis, folded = self.value(tensor)
        if axis == 0 and not folded:
            return node
        if axis is None and tensor.shape[:1] == (ROWS,) and node.shape[:1] != (ROWS,):
            return node
        raise Refused(f"an output or gradient of shape {tuple(tensor.shape)} without sequences on axis 0")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.split("::")[1]
        if name == "_local_scalar_dense":
            raise Refused("a branch on values, or a tensor that becomes a number")
        if name == "bernoulli_":
            return self._drawn(args[0], args[1] if len(args) > 1 else 0.5, kwargs.get("generator"))  # torch leaves its default out
        if func in DECOMPOSED and self._looks_on:
            with self:
                return DECOMPOSED[func](*args, **kwargs)
        if name.endswith("_") and self._looks_on and (fresh := _not_in_place(func)) in DECOMPOSED:
            self._refuse_shared(name, args[0])
            with self:
                new = DECOMPOSED[fresh](*args, **kwargs)
            args[0].copy_(new)
            self._bind(args[0], self.value(new))
            return args[0]
        out = func(*args, **kwargs)
        if self._looks_on:
            self._see(func, name, out, args, {k: v for k, v in kwargs.items() if k != "generator"})
        return out

    def _drawn(self, into: Tensor, p: float, generator: Any) -> Tensor:
        into.fill_(1.0)
        if self._looks_on:
            if into.shape[:1] != (ROWS,) or not isinstance(p, float | int):
                raise Refused(f"random numbers of shape {tuple(into.shape)}: draw a row for every sequence")
            self.draws.append(Node("draw", (), tuple(into.shape[1:]), dtype_name(into.dtype), facts=(float(p), len(self.draws), generator)))
            self._bind(into, Traced(self.draws[-1], 0))
        return into

    def _see(self, func: Any, name: str, out: Any, args: Any, kwargs: Any) -> None:
        tensors = [a for a in tree_leaves((args, kwargs)) if isinstance(a, Tensor)]
        if name.endswith("_") and not name.startswith("_"):
            self._refuse_shared(name, args[0])
            name = name[:-1]
        values = [self.value(t) for t in tensors]
        if not any(v.axis is not None for v in values):
            made = self._outside(func, out, args, kwargs)
        elif any(v.node.late for v in values):
            raise Refused(f"{name} of what couples the sequences")
        elif name in OPERATIONS:
            self.operation = name
            made = OPERATIONS[name](self, out, args, kwargs)
        else:
            raise Refused(f"{func} is not known to the compiler")
        for tensor, value in zip([out], [made], strict=True) if isinstance(out, Tensor) else zip(out, made, strict=True):
            self._bind(tensor, value)

    def _refuse_shared(self, name: str, tensor: Tensor) -> None:
        if self._views.get(tensor.untyped_storage().data_ptr(), 0) != 1 or self.value(tensor).node.op in ("weight", "input", "state", "gradient"):
            raise Refused(f"{name} writes into a tensor that is seen elsewhere")

    def _outside(self, func: Any, out: Any, args: Any, kwargs: Any) -> Any:
        """What is made of weights, or of sums over sequences: torch computes it before or after the loop."""
        if isinstance(out, Tensor) and not any(isinstance(a, Tensor) for a in tree_leaves((args, kwargs))):
            return _constant(func, out, args, kwargs)
        if isinstance(out, Tensor) and ROWS in out.shape:
            return self._spread(func, out, args)
        name = func._schema.name.split("::")[1]
        if name in ("detach", "alias", "clone"):
            return self.value(args[0])
        if name == "t" and (turned := self._turned.get(self.value(args[0]).node)) is not None:
            return Traced(turned)
        if name in ("view", "_unsafe_view"):  # what was cloned before may lie otherwise
            func = torch.ops.aten.reshape.default
        leaves: list[Node] = []

        def placed(a: Any) -> Any:
            if not isinstance(a, Tensor):
                return a
            leaves.append(self.value(a).node)
            return _Slot(len(leaves) - 1)

        pattern = tuple(tree_map(placed, args)), tree_map(placed, kwargs)
        late = any(leaf.late for leaf in leaves)
        single = isinstance(out, Tensor)
        parts = [out] if single else list(out)
        made = [
            Traced(Node("made", tuple(leaves), tuple(t.shape), dtype_name(t.dtype), False, (), _Call(func, *pattern, None if single else k), late))
            for k, t in enumerate(parts)
        ]
        if name == "t":
            self._turned[made[0].node] = leaves[0]
        return made[0] if single else made

    def _spread(self, func: Any, out: Tensor, args: Any) -> Traced:
        """A weight, repeated for all sequences."""
        name, source = func._schema.name.split("::")[1], args[0]
        if name != "expand" or source.ndim > out.ndim:
            raise Refused(f"{name} of weights with as many rows as there are sequences")
        axis = out.shape.index(ROWS)
        return Traced(self.aligned(source, tuple(out.shape), axis), axis)

    def full(self, tensor: Any) -> tuple[int, ...]:
        """The shape of a tensor, with the axis that lies inside of that of the sequences."""
        if not isinstance(tensor, Tensor):
            return ()
        value = self.value(tensor)
        if not value.folded:
            return tuple(tensor.shape)
        return (*tensor.shape[: value.axis], ROWS, value.node.shape[0], *tensor.shape[(value.axis or 0) + 1 :])

    def aligned(self, tensor: Any, full: tuple[int, ...], axis: int) -> Node:
        """An operand of what has the shape ``full`` and its sequences on ``axis``, of the shape of one sequence."""
        value, own = self.value(tensor), self.full(tensor)
        missing = len(full) - len(own)
        if value.axis is not None and value.axis + missing != axis:
            raise Refused(f"sequences on axis {value.axis + missing} meet those on axis {axis}")
        if value.axis is None and axis >= missing and own[axis - missing] != 1:
            raise Refused("a weight for every sequence")
        shape = [size for k, size in enumerate(own) if k + missing != axis]
        shape = [1] * (len(full) - 1 - len(shape)) + shape
        target = [size for k, size in enumerate(full) if k != axis]
        if value.node.op == "number":
            return number(value.node.facts[0], tuple(target), value.node.dtype)
        return expanded(reshaped(value.node, tuple(shape)), tuple(target))


class _Slot(NamedTuple):
    k: int


class _Call:
    """An operation of torch on the nodes that it is made of."""

    def __init__(self, func: Any, args: Any, kwargs: Any, part: int | None) -> None:
        self.func, self.args, self.kwargs, self.part = func, args, kwargs, part
        self.flat = not kwargs and all(isinstance(a, _Slot) or not _has_slot(a) for a in args)  # nothing inside of lists: the usual case

    def __call__(self, *values: Tensor) -> Any:
        if self.flat:
            out = self.func(*(values[a.k] if isinstance(a, _Slot) else a for a in self.args))
        else:
            filled = tree_map(lambda a: values[a.k] if isinstance(a, _Slot) else a, (self.args, self.kwargs), is_leaf=_is_slot)
            out = self.func(*filled[0], **filled[1])
        return out if self.part is None else out[self.part]

    def __repr__(self) -> str:
        return f"{self.func} {self.args} {self.kwargs} {self.part}"


def _not_in_place(func: Any) -> Any:
    """What gives as a new tensor what ``func`` writes over an old one."""
    packet = getattr(torch.ops.aten, func._schema.name.split("::")[1][:-1], None)
    return getattr(packet, func._overloadname, None)


def _is_slot(a: Any) -> bool:
    return isinstance(a, _Slot)


def _has_slot(a: Any) -> bool:
    return any(map(_is_slot, tree_leaves(a, is_leaf=_is_slot)))


def _constant(func: Any, out: Tensor, args: Any, kwargs: Any) -> Traced:
    name = func._schema.name.split("::")[1]
    if name.startswith(("rand", "normal", "multinomial", "poisson")):
        raise Refused(f"{name}: draw by bernoulli_, from the cell's generator")
    axis = out.shape.index(ROWS) if ROWS in out.shape else None
    fill = name.startswith(("full", "zeros", "ones", "empty", "scalar_tensor", "new_"))
    if fill:
        value = 0 if "empty" in name else out.reshape(-1)[0].item() if out.numel() else 0
        shape = tuple(out.shape) if axis is None else without(out.shape, axis)
        node = number(value, shape, dtype_name(out.dtype))
        if axis is not None:
            node = Node("expand", (node,), shape, node.dtype)
        return Traced(node, axis)
    if axis is not None:
        raise Refused(f"{name} along the sequences")
    return Traced(Node("made", (), tuple(out.shape), dtype_name(out.dtype), False, (), _Call(func, args, kwargs, None)))


@contextmanager
def replayed(draws: Iterator[Tensor]) -> Iterator[None]:
    """Let ``bernoulli_`` give the numbers of ``draws``, one after the other: to compare with what was compiled."""
    with _Replay(draws):
        yield


class _Replay(_Light):
    def __init__(self, draws: Iterator[Tensor]) -> None:
        super().__init__()
        self._draws = draws

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is torch.ops.aten.bernoulli_.float:
            return args[0].copy_(next(self._draws).view_as(args[0]))
        return func(*args, **(kwargs or {}))
