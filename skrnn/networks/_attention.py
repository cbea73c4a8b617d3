"""Decoders that look at an encoder's outputs: scores, and a cell whose state carries what is looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..cells import Cell, Module, State, Wrapper, hidden
from ..cells._rows import product, scalar_products, softmax, weighted_sums
from ..cells._starts import input_weights, small
from ..cells._state import FeedsBack

ATTENTIONS = ("bahdanau", "dot", "general")


class Memory(NamedTuple):
    """An encoder's outputs (batch, n_source_steps, size), what they are found by, and −inf where a sequence has no step, else 0.

    Laid out side by side, since every step of the decoder looks at all of them at once. ``tokens`` says which one stands at each step of the source,
    where it may be pointed at; else it has no column.
    """

    values: Tensor
    keys: Tensor
    absent: Tensor
    tokens: Tensor


class _State(NamedTuple):
    inner: State
    memory: Memory
    weights: Tensor
    coverage: Tensor
    fed: Tensor


class AttendingState(_State, FeedsBack):
    """State of the cell inside, what is looked at, the last weights, their sum over the steps so far, and the last output."""


class Score(Module, ABC):
    """How well what a decoder asks for fits to each output of an encoder."""

    @abstractmethod
    def keys(self, values: Tensor) -> Tensor:
        """What needs no query: computed once for all steps of a decoder."""

    @abstractmethod
    def forward(self, query: Tensor, memory: Memory, coverage: Tensor) -> Tensor:
        """Scores (batch, n_source_steps)."""


class Additive(Score):
    """v tanh(W s + U h + w coverage) (Bahdanau et al., 2015; coverage: See et al., 2017)."""

    def __init__(self, query_size: int, memory_size: int, coverage: bool, generator: Generator | None) -> None:
        super().__init__()
        self.W = input_weights(query_size, query_size, generator)
        self.U = input_weights(query_size, memory_size, generator)
        self.b = nn.Parameter(torch.zeros(query_size))
        self.v = small((query_size,), query_size, generator)
        self.w = nn.Parameter(torch.zeros(query_size)) if coverage else None

    def keys(self, values: Tensor) -> Tensor:
        return product(values, self.U, self.b)

    def forward(self, query: Tensor, memory: Memory, coverage: Tensor) -> Tensor:
        sums = product(query, self.W)[:, None] + memory.keys
        if self.w is not None:
            sums = sums + coverage[..., None] * self.w
        return product(torch.tanh(sums), self.v[None])[..., 0]


class Dot(Score):
    """s · h (Luong et al., 2015); the two directions of an encoder are added."""

    def __init__(self, query_size: int, memory_size: int) -> None:
        super().__init__()
        if memory_size % query_size:
            raise ValueError(f"attention='dot' needs outputs of the encoder as large as the decoder's, {query_size}; got {memory_size}")
        self.query_size = query_size

    def keys(self, values: Tensor) -> Tensor:
        return values.unflatten(-1, (-1, self.query_size)).sum(-2)

    def forward(self, query: Tensor, memory: Memory, coverage: Tensor) -> Tensor:
        return scalar_products(memory.keys, query)


class General(Dot):
    """s · W h (Luong et al., 2015)."""

    def __init__(self, query_size: int, memory_size: int, generator: Generator | None) -> None:
        Module.__init__(self)
        self.W = input_weights(query_size, memory_size, generator)

    def keys(self, values: Tensor) -> Tensor:
        return product(values, self.W)


class Attending(Wrapper):
    """A cell that looks, in every step, at the outputs of an encoder.

    Parameters
    ----------
    cell : Cell or None, default=None
        What happens in a step; ``None`` is ``Elman()``.
    score : {"bahdanau", "dot", "general"}, default="bahdanau"
        How outputs are chosen.
    memory_size : int, default=1
        Size of the encoder's outputs.
    input_feeding : bool, default=True
        Whether a step sees the last output, with "dot" and "general".
    coverage : bool, default=False
        Whether the score sees how much each step has been looked at; with "bahdanau".
    points : bool, default=False
        Whether a step puts out, behind y(t), the weights a(t) and the tokens that they point at: what :class:`PointerGenerator` reads.

    Notes
    -----
    ::

        bahdanau        a(t) = softmax over j of score(s(t-1), h(j))        c(t) = Σ_j a_j(t) h(j)
                        s(t) = cell([x(t); c(t)], s(t-1))
        dot, general    s(t) = cell([x(t); y(t-1)], s(t-1))
                        a(t) = softmax over j of score(s(t), h(j))          c(t) = Σ_j a_j(t) h(j)
        y(t) = tanh(W_c [c(t); s(t)])

    h(j) are the encoder's outputs. Steps that a sequence does not have are left out before the softmax. The state carries all that is looked
    at: :meth:`look_at` puts it there.
    """

    state_varies = True  # with the number of steps that are attended to

    def __init__(
        self,
        cell: Cell | None = None,
        score: str = "bahdanau",
        memory_size: int = 1,
        input_feeding: bool = True,
        coverage: bool = False,
        points: bool = False,
    ) -> None:
        super().__init__()
        self.cell = cell
        self.score = score
        self.memory_size = memory_size
        self.input_feeding = input_feeding
        self.coverage = coverage
        self.points = points

    def _build(self, generator: Generator | None) -> None:
        if self.score not in ATTENTIONS:
            raise ValueError(f"The 'attention' parameter must be None or one of {list(ATTENTIONS)}; got {self.score!r}")
        additive, H = self.score == "bahdanau", self.hidden_size
        if self.coverage and not additive:
            raise ValueError(f"coverage=True needs attention='bahdanau', in whose sum it stands; got {self.score!r}")
        self._build_cell(self.input_size + (self.memory_size if additive else H if self.input_feeding else 0), generator)
        match self.score:
            case "bahdanau":
                self.scores: Score = Additive(H, self.memory_size, self.coverage, generator)
            case "dot":
                self.scores = Dot(H, self.memory_size)
            case _:
                self.scores = General(H, self.memory_size, generator)
        self.W_c = input_weights(H, self.memory_size + H, generator)

    def project(self, x: Tensor) -> Tensor:
        return x

    def initial_state(self, batch_size: int, *, like: Tensor) -> AttendingState:
        """With a memory of one step of zeros, until :meth:`look_at`."""
        zeros = like.new_zeros(batch_size, 1)
        values, keys = like.new_zeros(batch_size, 1, self.memory_size), like.new_zeros(batch_size, 1, self.hidden_size)
        memory = Memory(values, keys, zeros, zeros[:, : int(self.points)])
        inner = self.cell_.initial_state(batch_size, like=like)
        return AttendingState(inner, memory, zeros, zeros, like.new_zeros(batch_size, self.hidden_size))

    def look_at(self, outputs: PackedSequence, order: Tensor | None, state: AttendingState, tokens: PackedSequence | None = None) -> AttendingState:
        """``state`` with the outputs of an encoder, of sequences in ``order``; what does not depend on the decoder is computed here.

        ``tokens`` (n_source_steps_total,) are what can be pointed at.
        """
        values, lengths = pad_packed_sequence(outputs, batch_first=True)
        present = torch.arange(values.shape[1]) < lengths[:, None]
        absent = torch.zeros(present.shape).masked_fill_(~present, -torch.inf).to(values)
        named = absent[:, :0] if tokens is None else pad_packed_sequence(tokens, batch_first=True)[0]
        if order is not None:
            values, absent, named = values[order], absent[order], named[order]
        nothing = torch.zeros_like(absent)
        return state._replace(memory=Memory(values, self.scores.keys(values), absent, named), weights=nothing, coverage=nothing)

    def step(self, u: Tensor, state: AttendingState) -> tuple[Tensor, AttendingState]:
        if self.score == "bahdanau":
            a, c = self._look(hidden(state.inner), state)
            s, inner = self._inside(torch.cat([u, c], -1), state.inner)
        else:
            s, inner = self._inside(torch.cat([u, state.fed], -1) if self.input_feeding else u, state.inner)
            a, c = self._look(s, state)
        y = torch.tanh(product(torch.cat([c, s], -1), self.W_c))
        put_out = torch.cat([y, a, state.memory.tokens], -1) if self.points else y
        return put_out, AttendingState(inner, state.memory, a, state.coverage + a, y)

    def _look(self, query: Tensor, state: AttendingState) -> tuple[Tensor, Tensor]:
        """Weights of the encoder's steps, and what they give."""
        a = softmax(self.scores(query, state.memory, state.coverage) + state.memory.absent)
        return a, weighted_sums(a, state.memory.values)

    def _inside(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        return self.cell_.step(self.cell_.project(x), state)


def top_attention(states: tuple[Any, ...]) -> AttendingState:
    """The state of the topmost layer of a decoder that attends."""
    top = states[-1]
    if not isinstance(top, AttendingState):
        raise ValueError("This decoder has attention=None: it looks at no steps")
    return top
