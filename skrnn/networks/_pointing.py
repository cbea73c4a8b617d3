"""A decoder whose outputs are places in what was read."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..cells import Cell, Layers, Module, State, map_state
from ..cells._rows import product, softmax, weighted_sums
from ..cells._starts import input_weights
from ..engine import Runnable
from ..frontends import Frontend
from ..kernels import Layout
from ._attention import Additive, Memory
from ._copying import log_shares
from ._encoder import Encoder
from ._readout import sequence_of_row
from ._recurrent import Recurrent
from ._seq2seq import Bridge, Pair, fed_before


class Choices(NamedTuple):
    """What can be pointed at, for each of n sources: the end, and then its steps.

    ``vectors`` (n, 1 + n_steps, n_features) are what the decoder sees of it next, of the end what stands for nothing yet; ``memory`` is what it is
    found by, without values, as nothing but the place is asked for; ``glimpsed`` is what each glimpse looks at.
    """

    vectors: Tensor
    memory: Memory
    glimpsed: tuple[Memory, ...] = ()


class Glimpse(Module):
    """A look at all steps, after which something else is asked for (Bello et al., 2017).

    ::

        a = softmax over j of v tanh(W' q + U h(j) + b)
        q' = tanh(W q + Σ_j a_j V h(j))

    Differs from the paper, where the sum alone is what is asked for next.

    Parameters
    ----------
    size : int
        Of what is asked for, q.
    memory_size : int
        Of the steps, h(j).
    generator : torch.Generator or None
        Where weights are drawn from.

    References
    ----------
    I. Bello, H. Pham, Q. V. Le, M. Norouzi, S. Bengio, "Neural combinatorial optimization with reinforcement learning", ICLR workshop 2017.
    """

    def __init__(self, size: int, memory_size: int, generator: Generator | None) -> None:
        super().__init__()
        self.scores = Additive(size, memory_size, False, generator)
        self.W = input_weights(size, size, generator)
        self.V = input_weights(size, memory_size, generator)

    def memory(self, values: Tensor, absent: Tensor) -> Memory:
        """What is looked at: computed once for all steps of a decoder."""
        return Memory(product(values, self.V), self.scores.keys(values), absent, absent[:, :0])

    def forward(self, query: Tensor, memory: Memory) -> Tensor:
        a = softmax(self.scores(query, memory, query) + memory.absent)
        return torch.tanh(product(query, self.W) + weighted_sums(a, memory.values))


class Pointing(Runnable):
    """An encoder, and a decoder that points at steps of the source until it points at the end (Vinyals et al., 2015).

    Parameters
    ----------
    recurrent : Recurrent
        Of the encoder.
    cell : Cell
        Of every layer of the decoder, which has as many as the encoder.
    hidden_size : int
        Units of each layer of the decoder.
    input_size : int
        Channels that the recurrent layers of the encoder see.
    frontend : Frontend or None, default=None
        Built, for the source. It keeps the steps.
    dropout : float, default=0.0
        Share of the features set to zero between layers while training.
    once : bool, default=True
        Whether no step is pointed at twice.
    n_glimpses : int, default=0
        How often a step of the decoder looks at all steps of the source before it points.
    generator : torch.Generator or None
        Where weights and dropout masks are drawn from.

    Notes
    -----
    ::

        h(1), …, h(T) = encoder(x(1), …, x(T)), h(0) is learned and stands for the end
        s(k) = decoder(x(p(k-1)), s(k-1))               x(p(0)) is learned
        a_j(k) = softmax_j(v' tanh(W' s(k) + U' h(j) + b'))
        q(k) = tanh(W_q s(k) + Σ_j a_j(k) V h(j))       a glimpse; the next one has q(k) for s(k). Without one q(k) = s(k)
        u_j(k) = v tanh(W q(k) + U h(j) + b),           -∞ for j among p(1), …, p(k-1) if each is visited once
        P(p(k) = j) = softmax_j(u(k))

    References
    ----------
    O. Vinyals, M. Fortunato, N. Jaitly, "Pointer networks", NIPS 2015, section 2.3. I. Bello, H. Pham, Q. V. Le, M. Norouzi, S. Bengio, "Neural
    combinatorial optimization with reinforcement learning", ICLR workshop 2017, for glimpses.
    """

    glimpses: Any  # Layers of Glimpse

    def __init__(
        self,
        recurrent: Recurrent,
        cell: Cell,
        hidden_size: int,
        input_size: int,
        *,
        frontend: Frontend | None = None,
        dropout: float = 0.0,
        once: bool = True,
        n_glimpses: int = 0,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if frontend is not None and frontend.changes_lengths:
            raise ValueError(f"Steps that are pointed at need a frontend that keeps them; {frontend!r} makes fewer of them")
        self.encoder, self.frontend, self.once = Encoder(recurrent), frontend, once
        n_layers, size = len(recurrent.layers), recurrent.output_size
        self.decoder = Recurrent(cell, input_size, hidden_size, n_layers=n_layers, dropout=dropout, generator=generator)
        self.bridges = Layers(Bridge(size, start, generator) for start in self._starts(torch.zeros(1, input_size), 1))
        self.scores = Additive(hidden_size, size, False, generator)
        self.glimpses = Layers(Glimpse(hidden_size, size, generator) for _ in range(n_glimpses))
        self.begin = input_weights(1, input_size, generator)
        self.end = nn.Parameter(torch.zeros(1, size))
        self.draw_from(generator)

    @property
    def recurrent(self) -> Layers:
        """All recurrent layers."""
        return Layers([self.encoder.recurrent, self.decoder])

    def _starts(self, like: Tensor, batch_size: int) -> tuple[State, ...]:
        return tuple(layer[0].initial_state(batch_size, like=like) for layer in self.decoder.layers)

    def start(self, pair: Pair, grad_path: str = "full") -> tuple[tuple[State, ...], Choices]:
        """States of the decoder before the first step, and what it can point at, in the order of ``steps``."""
        seen = pair.source if self.frontend is None else self.frontend(pair.source)
        encoded = self.encoder(seen, grad_path)
        if encoded.outputs is None:
            raise ValueError("A vector has no steps to point at")
        values, lengths = pad_packed_sequence(encoded.outputs, batch_first=True)
        vectors, _ = pad_packed_sequence(seen, batch_first=True)
        n = len(values)
        values, vectors = torch.cat([self.end.expand(n, 1, -1), values], 1), torch.cat([self.begin.expand(n, 1, -1), vectors], 1)
        present = torch.arange(values.shape[1]) <= lengths[:, None]
        absent = torch.zeros(present.shape).masked_fill_(~present, -torch.inf).to(values)
        memory, glimpsed = Memory(values[..., :0], self.scores.keys(values), absent, absent[:, :0]), [g.memory(values, absent) for g in self.glimpses]
        choices, context = Choices(vectors, memory, tuple(glimpsed)), encoded.context
        if pair.steps.sorted_indices is not None:
            order = pair.steps.sorted_indices
            choices, context = map_state(lambda s: s[order], choices), context[order]
        states = self._starts(vectors[:, 0], n)
        return tuple(bridge(context, state) for bridge, state in zip(self.bridges, states, strict=True)), choices

    def forward(self, pair: Pair, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """Scores (n_target_steps_total, 1 + most steps of a source) of the end and of each step, in the order of ``steps``, with the teacher."""
        if pair.teacher is None:
            raise ValueError("Pointing is taught which steps were pointed at before; got no teacher")
        states, choices = self.start(pair, grad_path)
        before, sizes = fed_before(pair, pair.teacher)[:, 0].long(), pair.steps.batch_sizes
        sequence = sequence_of_row(pair.steps)
        visited = _visited(before, sizes, choices.vectors.shape[1]) if self.once else None
        rows = PackedSequence(choices.vectors[sequence, before], sizes)
        (outputs,), _ = self.decoder.advance([rows], (states,), grad_path)
        memory, glimpsed = map_state(lambda s: s.index_select(0, sequence), (choices.memory, choices.glimpsed))
        return self._scores(outputs.data, memory, glimpsed, visited)

    def step(self, fed: Tensor, states: tuple[tuple[State, ...], Choices, Tensor]) -> tuple[Tensor, tuple[tuple[State, ...], Choices, Tensor]]:
        """One step: what was pointed at (batch, 1), states, choices, and what was visited, to log probabilities and the same after it."""
        inner, choices, visited = states
        at = fed[:, 0].long()
        visited = visited.scatter(1, at[:, None], True)
        visited[:, 0] = False
        x = choices.vectors[torch.arange(len(at), device=at.device), at]
        (outputs,), (inner,) = self.decoder.advance([PackedSequence(x, torch.tensor([len(x)]))], (inner,))
        scores = self._scores(outputs.data, choices.memory, choices.glimpsed, visited if self.once else None)
        return log_shares(scores), (inner, choices, visited)

    def _scores(self, query: Tensor, memory: Memory, glimpsed: tuple[Memory, ...], visited: Tensor | None) -> Tensor:
        for glimpse, looked_at in zip(self.glimpses, glimpsed, strict=True):
            query = glimpse(query, looked_at)
        scores = self.scores(query, memory, query) + memory.absent
        return scores if visited is None else scores.masked_fill(visited, -torch.inf)

    def pick(self, states: tuple[tuple[State, ...], Choices, Tensor], rows: Tensor) -> tuple[tuple[State, ...], Choices, Tensor]:
        """States of other rows, each of the same source as the row before: what can be pointed at stays."""
        inner, choices, visited = states
        return map_state(lambda s: s[rows], inner), choices, visited[rows]


def _visited(before: Tensor, sizes: Tensor, n_choices: int) -> Tensor:
    """For each packed row what was pointed at in the rows of its sequence before (n_rows, n_choices); nobody visits the end."""
    at = nn.functional.one_hot(before, n_choices)
    padded, _ = pad_packed_sequence(PackedSequence(at, sizes))
    step, sequence = (torch.from_numpy(place).to(before.device) for place in Layout.of(sizes.numpy()).places)
    visited = padded.cumsum(0)[step, sequence] > 0
    visited[:, 0] = False
    return visited
