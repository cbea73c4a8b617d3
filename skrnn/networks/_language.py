"""What comes next, told at every step from all steps before: recurrent layers over tokens or frames, whose states go on from piece to piece."""

from __future__ import annotations

import copy
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers, State, Wrapper, map_state
from ..cells._kernel import OnDevice
from ..engine import Runnable, Stream
from ..frontends import TokenVectors
from ._next import Next
from ._recurrent import Dropout, Recurrent

_by_table: WeakKeyDictionary[Recurrent, Recurrent] = WeakKeyDictionary()  # not in the network, whose weights would be there twice


class Passage(NamedTuple):
    """The next piece of some streams.

    ``steps`` is a packed batch of ids (n_steps_total,), or of frames (n_steps_total, n_features); ``target`` is what is to be told at each of its
    rows. Its sequences go on from ``stream``, in which each of ``n_streams`` has a state, and which goes on: ``whose`` (n_sequences,) is the
    stream of each, ``afresh`` (n_sequences,) says which begin anew, and ``last`` (up to n_streams) are the last sequences of their streams.
    ``None``: a sequence for each stream, in their order; none begins anew.
    """

    steps: PackedSequence
    target: Tensor
    stream: Stream
    n_streams: int
    afresh: Tensor | None = None
    whose: Tensor | None = None
    last: Tensor | None = None


class Projected(Wrapper):
    """A built cell whose input is projected already."""

    @classmethod
    def around(cls, built: Cell) -> Projected:
        """The cell, which keeps its weights."""
        projected = cls()
        projected.cell_, projected.input_size, projected.hidden_size = built, built.input_size, built.hidden_size
        projected.couples_sequences, projected.keeps_steps, projected.state_varies = built.couples_sequences, built.keeps_steps, built.state_varies
        return projected

    def __init__(self) -> None:
        super().__init__()
        self.cell = None

    def project(self, x: Tensor) -> Tensor:
        return x

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        return self.cell_.step(u, state)


class LanguageNetwork(Runnable):
    """Vectors of tokens, recurrent layers in one direction, and what is said of the next token; of frames without the first.

    Parameters
    ----------
    recurrent : Recurrent
    head : Next
    vectors : TokenVectors or None, default=None
        Of ids; ``None``: steps are frames.
    tied : bool, default=False
        Whether the vectors of tokens are the head's weights too.
    dropout, embedding_dropout : float, default=0.0
        Share of the features of the last layer, and of whole tokens, that are set to zero while training.

    Notes
    -----
    ::

        y(t) = layers of cells over W[x(1)], …, W[x(t)]
        P(x(t+1)) = what the head makes of y(t)

    Where a batch has more steps than there are tokens, the first cell's projection is computed once for each token and then looked up.
    """

    def __init__(
        self,
        recurrent: Recurrent,
        head: Next,
        vectors: TokenVectors | None = None,
        *,
        tied: bool = False,
        dropout: float = 0.0,
        embedding_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.vectors, self.recurrent, self.head, self.tied = vectors, recurrent, head, tied
        self.dropout, self.embedding_dropout = Dropout(dropout), embedding_dropout
        self.draw_from(recurrent.generator)

    @property
    def weights(self) -> Tensor | None:
        """Those of the head that belong to the vectors."""
        return self.vectors.W[: self.head.n_outputs] if self.tied and self.vectors is not None else None

    def forward(self, passage: Passage, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """The logarithm of the probability of each target (n_steps_total,); the stream goes on, without gradient."""
        return self.head.log_likelihoods(self.dropout(self.follow(passage, grad_path)), passage.target, self.weights)

    def follow(self, passage: Passage, grad_path: str = "full") -> Tensor:
        """What the last layer puts out for each step (n_steps_total, hidden_size); the stream goes on, without gradient."""
        y, after = self.outputs(passage.steps, self._before(passage), grad_path)
        after, stream = map_state(torch.Tensor.detach, after), passage.stream
        if passage.whose is not None and passage.last is not None:
            last, whose = passage.last, passage.whose[passage.last]
            room = stream.states or map_state(lambda s: s.new_empty(passage.n_streams, *s.shape[1:]), after)
            after = map_state(lambda old, new: old.index_copy(0, whose, new[last]), room, after)
        stream.states = after
        return y

    def outputs(self, steps: PackedSequence, states: State, grad_path: str = "full") -> tuple[Tensor, State]:
        """What the last layer puts out for each step, from some states, and the states after them."""
        layers, seen = self.recurrent, steps.data
        if self.vectors is not None:
            W = self._dropped(self.vectors.W)
            if len(seen) > len(W) and (by_table := _looking_up(self.recurrent, W)) is not None:
                layers, W = by_table, self.recurrent.layers[0][0].project(W)
            seen = torch.nn.functional.embedding(seen, W)
        (out,), after = layers.advance([PackedSequence(seen, steps.batch_sizes)], states, grad_path)
        return out.data, after

    def start(self, n: int) -> State:
        """States of ``n`` sequences before the first step."""
        return self.recurrent.start(PackedSequence(self.head.b.new_empty(0), torch.tensor([n])))

    def _before(self, passage: Passage) -> State:
        """The states that the sequences of a passage go on from."""
        states, n = passage.stream.states, int(passage.steps.batch_sizes[0])
        whose, afresh = passage.whose, passage.afresh
        if afresh is None:
            return states if whose is None else map_state(lambda s: s[whose], states)
        if states is None or bool(afresh.all()):
            return self.start(n)
        carried = states if whose is None else map_state(lambda s: s[whose], states)
        return map_state(lambda new, old: torch.where(afresh.view(-1, *[1] * (new.ndim - 1)), new, old), self.start(n), carried)

    def _dropped(self, W: Tensor) -> Tensor:
        if not self.training or self.embedding_dropout == 0:
            return W
        kept = torch.empty(len(W), 1).bernoulli_(1 - self.embedding_dropout, generator=self.generator)
        return W * (kept / (1 - self.embedding_dropout)).to(W)


def _looking_up(recurrent: Recurrent, like: Tensor) -> Recurrent | None:
    """The same layers, of which the first takes what it would project; ``None`` where it has a kernel, or couples sequences."""
    first = recurrent.layers[0][0]
    if first.couples_sequences or _has_kernel(first, like):
        return None
    shadow = _by_table.get(recurrent)
    if shadow is None or shadow.layers[0][0].inner is not first:  # else a cell was put in its place, to be watched
        shadow = copy.copy(recurrent)
        shadow._modules = dict(recurrent._modules)
        shadow.layers = Layers([Layers([Projected.around(first)]), *recurrent.layers[1:]])
        _by_table[recurrent] = shadow
    shadow.training = recurrent.training
    return shadow


def _has_kernel(cell: Cell, like: Tensor) -> bool:
    """Whether a whole-sequence kernel, which projects by itself, works where ``like`` is."""
    kernel = cell.kernel()
    return kernel is not None and (not isinstance(kernel, OnDevice) or (kernel.cpu if like.device.type == "cpu" else kernel.gpu) is not None)
