"""A controller with a memory of its own, which it reads and writes where it wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from ._base import Cell, choice, count
from ._gru import GRU
from ._lstm import LSTM
from ._rows import linear, product, scalar_products, sigmoid, softmax, weighted_sums
from ._starts import input_weights
from ._state import State
from ._wrappers import Carried

_NEARLY_0 = 1e-16  # a weighting to a power, as the exponential of its logarithm
_SHORT = 1e-8  # square of a length below which the direction of a slot does not count
_UNWRITTEN = 1e-6


class Tape(NamedTuple):
    """The memory M (batch, n_slots, slot_size), the weightings w (batch, n_read + n_write, n_slots), and what was read, r."""

    memory: Tensor
    weightings: Tensor
    read: Tensor


class NTMState(NamedTuple):
    """State of the controller, and a :class:`Tape`, which no wrapper around mixes."""

    controller: State
    tape: Carried


class NTM(Cell):
    """Neural Turing machine: a small network that reads and writes a memory, by content and by place (Graves, Wayne & Danihelka, 2014).

    For tasks with an algorithm: copy, sort, look up, count. What it has learned on short sequences it does on longer ones, as far as the memory
    has slots; what an LSTM keeps in its units it has to learn for every length anew. It learns late, then at once, and needs some ten thousand
    sequences; single gradients are huge, and have to be clipped. A step costs several times that of its controller.

    Parameters
    ----------
    controller : {"lstm", "gru", "feedforward"}, default="lstm"
        The network that moves the heads; it has hidden_size units. "feedforward" has no memory but the slots, learns fastest where these suffice,
        and is easiest to read.
    n_slots : int, default=20
        Slots of the memory, N. As many as a sequence has items to keep, or more: heads that move on come round to the first slot again.
    slot_size : int, default=10
        Numbers in a slot, D.
    n_read, n_write : int, default=1
        Heads that read and that write. Sorting needs several.
    shift_range : int, default=1
        How many slots a head may move in a step, in both directions.
    weighting_start : {"one_hot", "learned"}, default="one_hot"
        Where the heads are before the first step: all at the first slot, or at learned places that start at random. (From everywhere at once,
        heads never learn to move.)
    memory_start : {"constant", "learned"}, default="constant"
        What the slots hold before the first step: 1e-6 each, or numbers that are learned.

    Notes
    -----
    The controller is LSTM or GRU, or h(t) = tanh(W x(t) + R r(t-1) + b); for each head p(t) has a part of its own ::

        h(t), s(t) = controller([x(t); r(t-1)], s(t-1))
        p(t) = P h(t) + d = [k; b; g; q; c; e; a]
        w^c_i = softmax over i of softplus(b) cos(k, M_i(t-1))                  by content
        w^g = σ(g) w^c + (1 − σ(g)) w(t-1)
        w^s_i = Σ_j softmax(q)_j w^g_(i−j)                                      by place, j = −shift_range … shift_range, round the ends
        w_i(t) = w^s_i^γ / Σ_l w^s_l^γ,  γ = 1 + softplus(c)
        r(t) = Σ_i w_i(t) M_i(t-1)                                              of reading heads, side by side
        M_i(t) = M_i(t-1) Π (1 − w_i(t) σ(e)) + Σ w_i(t) tanh(a)                over writing heads
        y(t) = h(t) + V r(t)

    cos(k, m) = k·m / sqrt((k·k + δ) (m·m + δ)), δ = 1e-8. With n = n_read + n_write heads: P has n (D + 3 + 2 shift_range + 1) + 2 n_write D rows of
    H, R is (k, n_read D) where the controller's input has k entries, V is (H, n_read D). O(H (H + F + n D)) for the controller and O(n N D) for the
    memory a step. The state is (s, (M, w, r)); a learned start stands in at the first step, where w is still 0.

    Differs from the paper: a head reads before others write in the same step, as in Collier & Beel; tanh bounds what is added; y is as large as h.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka, "Neural Turing machines", arXiv:1410.5401, 2014, section 3.
    M. Collier, J. Beel, "Implementing neural Turing machines", ICANN 2018, arXiv:1807.08518.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import NTM
    >>> cell = NTM(n_slots=5, slot_size=3).build(
    ...     2, 8, torch.Generator().manual_seed(0)
    ... )
    >>> x = torch.ones(1, 2)
    >>> y, state = cell.step(cell.project(x), cell.initial_state(1, like=x))
    >>> memory, weightings, read = state.tape.value
    >>> memory.shape, weightings.sum(-1).round(decimals=4).tolist()
    (torch.Size([1, 5, 3]), [[1.0, 1.0]])
    """

    undecayed = ("d",)  # the bias of what the heads are told
    first: Tensor
    w_0: Tensor | None
    M_0: Tensor | None

    def __init__(
        self,
        controller: str = "lstm",
        n_slots: int = 20,
        slot_size: int = 10,
        n_read: int = 1,
        n_write: int = 1,
        shift_range: int = 1,
        weighting_start: str = "one_hot",
        memory_start: str = "constant",
    ) -> None:
        super().__init__()
        self.controller = controller
        self.n_slots = n_slots
        self.slot_size = slot_size
        self.n_read = n_read
        self.n_write = n_write
        self.shift_range = shift_range
        self.weighting_start = weighting_start
        self.memory_start = memory_start

    def _build(self, generator: Generator | None) -> None:
        self._check()
        F, H, N, D = self.input_size, self.hidden_size, self.n_slots, self.slot_size
        n, seen = self.n_read + self.n_write, self.n_read * D
        self.controller_ = _CONTROLLERS[self.controller]().build(F, H, generator)
        k = self.controller_.project(torch.zeros(1, F)).shape[-1]
        self.R = input_weights(H, seen, generator, n_blocks=k // H)
        self._parts = [n * D, n, n, n, n * (2 * self.shift_range + 1), self.n_write * D, self.n_write * D]
        self.P = input_weights(sum(self._parts), H, generator)
        self.d = nn.Parameter(torch.zeros(sum(self._parts)))
        self.V = input_weights(H, seen, generator)
        learned = {"w_0": (self.weighting_start, (n, N)), "M_0": (self.memory_start, (N, D))}
        for name, (start, shape) in learned.items():
            drawn = torch.empty(shape, dtype=torch.float32).normal_(generator=generator) if start == "learned" else None
            self.register_parameter(name, None if drawn is None else nn.Parameter(drawn.to(torch.get_default_dtype())))
        self.register_buffer("first", torch.eye(1, N))

    def _check(self) -> None:
        choice(self, "controller", tuple(_CONTROLLERS))
        choice(self, "weighting_start", ("one_hot", "learned"))
        choice(self, "memory_start", ("constant", "learned"))
        for name in ("slot_size", "n_read", "n_write"):
            count(self, name)
        count(self, "shift_range", 0)
        count(self, "n_slots", 2 * int(self.shift_range) + 1)

    def project(self, x: Tensor) -> Tensor:
        return self.controller_.project(x)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        N, D, n = self.n_slots, self.slot_size, self.n_read + self.n_write
        M = like.new_full((batch_size, N, D), _UNWRITTEN if self.M_0 is None else 0.0)
        w = like.new_zeros(batch_size, n, N)
        if self.w_0 is None and self.M_0 is None:
            w = w + self.first
        tape = Tape(M, w, like.new_zeros(batch_size, self.n_read * D))
        return NTMState(self.controller_.initial_state(batch_size, like=like), Carried(tape))

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        s, (tape,) = state
        M, w = self._begun(tape.memory, tape.weightings)
        h, s = self.controller_.step(u + product(tape.read, self.R), s)
        *address, e, a = product(h, self.P, self.d).split(self._parts, -1)
        w = _addressed(M, w, address)
        reading, writing = w.split([self.n_read, self.n_write], 1)
        r = torch.cat([weighted_sums(one, M) for one in reading.unbind(1)], -1)
        M = _written(M, writing, sigmoid(e), torch.tanh(a))
        return h + product(r, self.V), NTMState(s, Carried(Tape(M, w, r)))

    def _begun(self, M: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """Memory and weightings, which are learned where there has been no step: until then weightings sum to 0, not to 1."""
        if self.w_0 is None and self.M_0 is None:
            return M, w
        lacks = 1 - w[:, :1].sum(-1, keepdim=True)
        w = w + lacks * (self.first if self.w_0 is None else torch.softmax(self.w_0, -1))
        return M if self.M_0 is None else M + lacks * self.M_0, w


class _FeedForward(Cell):
    """h = tanh(W x + b): a controller without memory. The state is h, which it does not see."""

    def _build(self, generator: Generator | None) -> None:
        self.W = input_weights(self.hidden_size, self.input_size, generator)
        self.b = nn.Parameter(torch.zeros(self.hidden_size))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h = torch.tanh(u)
        return h, h


_CONTROLLERS = {"lstm": LSTM, "gru": GRU, "feedforward": _FeedForward}


def tapes(state: State) -> Iterator[Tape]:
    """The memories in a state, those of wrappers' insides too."""
    if isinstance(state, Tape):
        yield state
    elif isinstance(state, tuple):
        for part in state:
            yield from tapes(part)


def _square(vectors: Tensor) -> Tensor:
    return (vectors * vectors).sum(-1)


def _addressed(M: Tensor, w: Tensor, address: list[Tensor]) -> Tensor:
    """Where the heads go (batch, n, N): by content, from where they are, by place, and sharper."""
    k, b, g, c, q = (part.unflatten(-1, (w.shape[1], -1)) for part in address)
    alike = torch.stack([scalar_products(M, one) for one in k.unbind(1)], 1)
    lengths = (_square(k) + _SHORT)[..., None] * (_square(M) + _SHORT)[:, None]
    g = sigmoid(g)
    w = g * softmax(functional.softplus(b) * alike / torch.sqrt(lengths)) + (1 - g) * w
    w = _shifted(w, softmax(q))
    return softmax((1 + functional.softplus(c)) * torch.log(w.clamp(min=_NEARLY_0)))


def _shifted(w: Tensor, q: Tensor) -> Tensor:
    """Weightings (batch, n, N), of which a share q_j has moved by j slots."""
    N, reach = w.shape[-1], q.shape[-1] // 2
    round_ = torch.cat([w[..., N - reach :], w, w[..., :reach]], -1)
    moved = [q[..., j : j + 1] * round_[..., 2 * reach - j : 2 * reach - j + N] for j in range(2 * reach + 1)]
    return sum(moved[1:], moved[0])


def _written(M: Tensor, w: Tensor, e: Tensor, a: Tensor) -> Tensor:
    """The memory, in which each head has erased and added something where it is."""
    n = w.shape[1]
    shares = [one[..., None] for one in w.unbind(1)]
    erased, added = ([part[:, None] for part in each.chunk(n, -1)] for each in (e, a))
    for share, part in zip(shares, erased, strict=True):
        M = M * (1 - share * part)
    return sum((share * part for share, part in zip(shares, added, strict=True)), M)
