"""Learning rules: how the gradient of a loss reaches the weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar

import torch
from sklearn.utils._param_validation import StrOptions
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .._constraints import COUNT, check_parameters, refusal
from ..cells import Module, State, flat, map_state
from ._runnable import PiecewiseRunnable, Runnable
from ._scan import GRAD_PATHS

Loss = Callable[[Any], Tensor]


@dataclass
class Stream:
    """What goes on from one piece of a stream to the next: the states, and the influence of the weights on them where a rule carries it."""

    states: State | None = None
    influence: Tensor | None = None


class Rule(ABC):
    """Puts the gradient of a loss into the weights of a network, or changes the weights by itself."""

    needs: ClassVar[type[Module]] = Runnable  # the kind of network that it can train
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {}
    follows_gradient: ClassVar[bool] = True
    goal: float = -inf  # the loss at which there is nothing left to learn

    @abstractmethod
    def gradient(self, network: Any, packed: PackedSequence, loss: Loss, stream: Stream | None = None) -> Tensor:
        """Add the gradient of ``loss(network(packed))`` to the weights' ``grad``; the loss, detached.

        With a stream the batch goes on from it, and the stream goes on.
        """


@dataclass(frozen=True)
class BPTT(Rule):
    """Back-propagation through time over whole sequences (Werbos, 1990).

    Exact with the full path. Time and memory grow with the length of the longest sequence of a batch.

    Parameters
    ----------
    grad_path : {"full", "cell_only", "none"}, default="full"
        What of the state the gradient flows back through, from each step to the one before: all of it; all but the hidden state and gates that
        are fed back, which is the truncated learning of the 1997 LSTM and, with the network's own output weights as feedback, e-prop; or
        nothing, which is Elman's copy-back of 1990.

    References
    ----------
    P. J. Werbos, "Backpropagation through time: what it does and how to do it", Proceedings of the IEEE 78(10), 1990.
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, appendix A.
    J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990.
    G. Bellec et al., "A solution to the learning dilemma for recurrent networks of spiking neurons", Nature Communications 11, 2020.
    """

    _parameter_constraints = {"grad_path": [StrOptions(set(GRAD_PATHS))]}
    grad_path: str = "full"

    def __post_init__(self) -> None:
        check_parameters(self)

    def gradient(self, network: Any, packed: PackedSequence, loss: Loss, stream: Stream | None = None) -> Tensor:
        """Add the gradient of ``loss(network(packed))`` to the weights' ``grad``; the loss, detached."""
        if stream is not None:
            return Streamed(network, packed, len(packed.batch_sizes), self.grad_path, stream).gradient(loss)
        value = loss(network(packed, grad_path=self.grad_path))
        value.backward()
        return value.detach()


@dataclass(frozen=True)
class TruncatedBPTT(Rule):
    """Truncated back-propagation through time (Williams & Peng, 1990): the state goes on for ever, its gradient ``n_steps`` back.

    For sequences of many thousand steps. The network runs twice: once to the end without gradient, then piece after piece again from the state in
    which each began. The memory is that of one piece, plus one state for each piece. Layers above a bidirectional layer need the outputs of all
    steps: such a stack is truncated alike, but its memory grows with the length. A frontend runs once, over whole sequences: its gradient is not
    truncated, its memory grows with their length, and ``n_steps`` counts the steps behind it.

    Parameters
    ----------
    n_steps : int, default=500
        Time steps that the gradient flows back at most (k2). Sequences no longer than this get the exact gradient.
    stride : int or None, default=None
        Time steps of a piece (k1); a divisor of ``n_steps``. The gradient of what a piece puts out flows back through the pieces before it, up to
        ``n_steps`` from its end. ``None`` is ``n_steps``: the gradient stops where the piece begins. A smaller stride costs
        ``n_steps / stride`` times as much; 1 lets every step see ``n_steps`` back.
    grad_path : {"full", "cell_only", "none"}, default="full"
        As in :class:`BPTT`, within the truncated gradient.

    References
    ----------
    R. J. Williams, J. Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
    Neural Computation 2(4), 1990.
    """

    needs: ClassVar[type[Module]] = PiecewiseRunnable
    _parameter_constraints = BPTT._parameter_constraints | {"n_steps": [COUNT], "stride": [COUNT, None]}
    n_steps: int = 500
    stride: int | None = None
    grad_path: str = "full"

    def __post_init__(self) -> None:
        check_parameters(self)
        if self.stride is not None and self.n_steps % self.stride:
            raise refusal(self, "stride", f"a divisor of n_steps={self.n_steps}")

    def gradient(self, network: Any, packed: PackedSequence, loss: Loss, stream: Stream | None = None) -> Tensor:
        """Add the truncated gradient of ``loss(network(packed))`` to the weights' ``grad``; the loss, detached."""
        stride = self.stride or self.n_steps
        longer = len(packed.batch_sizes) > self.n_steps
        if longer and not network.streams and stride < self.n_steps:
            raise ValueError(
                f"stride={stride} below n_steps={self.n_steps} needs a network that runs piece after piece, not layers above both directions"
            )
        if stream is None and not (longer and network.streams):
            value = loss(network(packed, self.n_steps if longer else None, self.grad_path))
            value.backward()
            return value.detach()
        return Streamed(network, packed, stride, self.grad_path, stream).gradient(loss, self.n_steps // stride - 1)


class Seen:
    """What the recurrent layers see of a batch, piece after piece in running order, and the gradient that comes back to it.

    A frontend runs once, over the whole batch, whose rows may depend on neighbours in other pieces. The gradients of the pieces are gathered, and go
    back through it at once when all are there.
    """

    def __init__(self, network: Any, packed: PackedSequence, n_steps: int, goes_on: bool) -> None:
        self._whole = network.see(packed, goes_on=goes_on)
        self.packed = self._whole._replace(data=self._whole.data.detach())
        self._pieces = network.pieces(self.packed, n_steps)
        self._gradient = torch.zeros_like(self.packed.data) if self._whole.data.requires_grad else None
        self._rooms = [] if self._gradient is None else network.pieces(self.packed._replace(data=self._gradient), n_steps)

    def __len__(self) -> int:
        return len(self._pieces[0])

    def __getitem__(self, k: int) -> list[PackedSequence]:
        """The k-th piece in each direction; with leaves of its own where there is a frontend to be reached."""
        pieces = [of_direction[k] for of_direction in self._pieces]
        if self._gradient is None:
            return pieces
        return [piece._replace(data=piece.data.detach().requires_grad_()) for piece in pieces]

    def gather(self, k: int, piece: list[PackedSequence]) -> None:
        """Take in what came back to the k-th piece."""
        for of_direction, part in zip(self._rooms, piece, strict=bool(self._rooms)):
            if part.data.grad is not None:
                of_direction[k].data.add_(part.data.grad)

    def backward(self) -> None:
        """Send what was gathered back through the frontend."""
        if self._gradient is not None:
            self._whole.data.backward(self._gradient)


class Streamed:
    """Two passes over a batch in pieces: forward, which keeps the memory before each piece, and backward, which runs each again."""

    def __init__(self, network: Any, packed: PackedSequence, stride: int, grad_path: str, stream: Stream | None = None) -> None:
        self.network, self.grad_path, self.stream = network, grad_path, stream
        self.seen = Seen(network, packed, stride, stream is not None)
        self.packed = self.seen.packed

    def gradient(self, loss: Loss, lead: int = 0) -> Tensor:
        """Add the gradient; the loss."""
        value = self.forward(loss)
        self.backward(lead)
        return value

    def forward(self, loss: Loss) -> Tensor:
        """The loss, whose gradient reaches what the pieces collected and put out."""
        states, collected = self.network.start(self.packed)
        if self.stream is not None and self.stream.states is not None:
            states = self.stream.states
        memory = (states, collected, _draws(self.network))
        self.kept = map_state(lambda s: s.new_empty(len(self.seen), *s.shape), memory)  # thousands of small tensors would scatter the heap
        rows = []
        with torch.no_grad():
            for k in range(len(self.seen)):
                map_state(lambda room, s, k=k: room[k].copy_(s), self.kept, memory)
                carried, out = self.network.advance(self.seen[k], memory[:2], self.grad_path)
                rows.append(out)
                memory = (*carried, _draws(self.network))
        if self.stream is not None:
            self.stream.states = memory[0]
        self.collected, self.rows, self.draws = _leaves(memory[1]), _leaves(tuple(rows)), memory[2]
        value = loss(self.network.finish(self.collected, self.rows, self.packed))
        value.backward()
        return value.detach()

    def backward(self, lead: int) -> None:
        """The gradient of each piece, which flows back through the ``lead`` pieces before it too."""
        collected = self.collected
        for k in reversed(range(len(self.seen))):
            first = max(k - lead, 0)
            pieces = [self.seen[j] for j in range(first, k + 1)]
            states, _, draws = map_state(lambda room, j=first: room[j], self.kept)
            _redraw(self.network, draws)
            for piece in pieces[:-1]:
                states = self.network.run(piece, states, self.grad_path)
            before = _leaves(map_state(lambda room, k=k: room[k], self.kept[1]))
            (_, after), out = self.network.advance(pieces[-1], (states, before), self.grad_path)
            pairs = zip(flat((after, out)), flat((collected, self.rows[k])), strict=True)
            reached = [(value, leaf.grad) for value, leaf in pairs if value.requires_grad and leaf.grad is not None]
            torch.autograd.backward([value for value, _ in reached], [gradient for _, gradient in reached])
            collected = before
            for j, piece in enumerate(pieces, start=first):
                self.seen.gather(j, piece)
        self.seen.backward()
        _redraw(self.network, self.draws)


def _leaves(collected: State) -> State:
    return map_state(lambda t: t.detach().clone().requires_grad_(), collected)


def _draws(network: Any) -> Tensor:
    """Where the network's source of random numbers stands."""
    return torch.empty(0) if network.generator is None else network.generator.get_state()


def _redraw(network: Any, draws: Tensor) -> None:
    if network.generator is not None:
        network.generator.set_state(draws.clone())
