"""Learning rules: how the gradient of a loss reaches the weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import State, map_state

Loss = Callable[[Tensor], Tensor]


class Rule(ABC):
    """Puts the gradient of a loss into the weights of a network."""

    @abstractmethod
    def gradient(self, network: Any, packed: PackedSequence, loss: Loss) -> Tensor:
        """Add the gradient of ``loss(network(packed))`` to the weights' ``grad``; the loss, detached."""


@dataclass(frozen=True)
class BPTT(Rule):
    """Back-propagation through time over whole sequences (Werbos, 1990).

    Exact. Time and memory grow with the length of the longest sequence of a batch.

    References
    ----------
    P. J. Werbos, "Backpropagation through time: what it does and how to do it", Proceedings of the IEEE 78(10), 1990.
    """

    def gradient(self, network: Any, packed: PackedSequence, loss: Loss) -> Tensor:
        """Add the gradient of ``loss(network(packed))`` to the weights' ``grad``; the loss, detached."""
        value = loss(network(packed))
        value.backward()
        return value.detach()


@dataclass(frozen=True)
class TruncatedBPTT(Rule):
    """Truncated back-propagation through time (Williams & Peng, 1990): the state crosses from piece to piece, its gradient does not.

    For sequences of many thousand steps. The network runs twice: once to the end without gradient, then each piece again from the state in which
    it began. The memory is that of one piece, plus one state for each piece. Layers above a bidirectional layer need the outputs of all steps:
    such a stack is truncated alike, but its memory grows with the length.

    Parameters
    ----------
    n_steps : int, default=500
        Time steps of a piece. Sequences no longer than this get the exact gradient.

    References
    ----------
    R. J. Williams, J. Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
    Neural Computation 2(4), 1990.
    """

    n_steps: int = 500

    def gradient(self, network: Any, packed: PackedSequence, loss: Loss) -> Tensor:
        """Add the truncated gradient of ``loss(network(packed))`` to the weights' ``grad``; the loss, detached."""
        if len(packed.batch_sizes) <= self.n_steps or not network.streams:
            value = loss(network(packed, self.n_steps if len(packed.batch_sizes) > self.n_steps else None))
            value.backward()
            return value.detach()
        pieces = network.pieces(packed, self.n_steps)
        memory = (*network.start(packed), _draws(network))
        kept = map_state(lambda s: s.new_empty(len(pieces[0]), *s.shape), memory)  # in one place: thousands of small tensors would scatter the heap
        with torch.no_grad():
            for k in range(len(pieces[0])):
                map_state(lambda room, s, k=k: room[k].copy_(s), kept, memory)
                memory = (*network.advance([p[k] for p in pieces], memory[:2]), _draws(network))
        collected = _leaves(memory[1])
        value = loss(network.finish(collected, packed))
        value.backward()
        for k in reversed(range(len(pieces[0]))):
            states, before, draws = map_state(lambda room, k=k: room[k], kept)
            _redraw(network, draws)
            before = _leaves(before)
            after = network.advance([p[k] for p in pieces], (states, before))[1]
            reached = [(t, leaf.grad) for t, leaf in zip(_flat(after), _flat(collected), strict=True) if t.requires_grad and leaf.grad is not None]
            torch.autograd.backward([t for t, _ in reached], [g for _, g in reached])
            collected = before
        _redraw(network, memory[2])
        return value.detach()


def _flat(collected: State) -> list[Tensor]:
    return [collected] if torch.is_tensor(collected) else [tensor for part in collected for tensor in _flat(part)]


def _leaves(collected: State) -> State:
    return map_state(lambda t: t.detach().clone().requires_grad_(), collected)


def _draws(network: Any) -> Tensor:
    """Where the network's source of random numbers stands."""
    return torch.empty(0) if network.generator is None else network.generator.get_state()


def _redraw(network: Any, draws: Tensor) -> None:
    if network.generator is not None:
        network.generator.set_state(draws.clone())


def resolve_rule(rule: str | Rule) -> Rule:
    """A rule for its name or itself."""
    known: dict[str, type[Rule]] = {"bptt": BPTT, "truncated_bptt": TruncatedBPTT}
    if isinstance(rule, Rule):
        return rule
    if rule in known:
        return known[rule]()
    raise ValueError(f"The 'rule' parameter must be a Rule or one of {sorted(known)}; got {rule!r}")
