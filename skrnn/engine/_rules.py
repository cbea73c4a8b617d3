"""Learning rules: how the gradient of a loss reaches the weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import map_state

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
        memory, before = network.start(packed), []
        with torch.no_grad():
            for pieces in network.pieces(packed, self.n_steps):
                before.append((pieces, memory, _draws(network)))
                memory = network.advance(pieces, memory)
        after_draws = _draws(network)
        collected = _leaves(memory[1])
        value = loss(network.finish(collected, packed))
        value.backward()
        gradient = [leaf.grad for leaf in _flat(collected)]
        while before:
            pieces, (states, collected), draws = before.pop()
            _redraw(network, draws)
            collected = _leaves(collected)
            new = _flat(network.advance(pieces, (states, collected))[1])
            reached = [(n, g) for n, g in zip(new, gradient, strict=True) if n.requires_grad and g is not None]
            torch.autograd.backward([n for n, _ in reached], [g for _, g in reached])
            gradient = [leaf.grad for leaf in _flat(collected)]
        _redraw(network, after_draws)
        return value.detach()


def _flat(collected: list[Any]) -> list[Tensor]:
    tensors: list[Tensor] = []
    for part in collected:
        tensors.extend(part if type(part) is tuple else [part])
    return tensors


def _leaves(collected: list[Any]) -> list[Any]:
    return [map_state(lambda t: t.detach().requires_grad_(), part) for part in collected]


def _draws(network: Any) -> Tensor | None:
    return None if network.generator is None else network.generator.get_state()


def _redraw(network: Any, draws: Tensor | None) -> None:
    if draws is not None:
        network.generator.set_state(draws)


def resolve_rule(rule: str | Rule) -> Rule:
    """A rule for its name or itself."""
    known: dict[str, type[Rule]] = {"bptt": BPTT, "truncated_bptt": TruncatedBPTT}
    if isinstance(rule, Rule):
        return rule
    if rule in known:
        return known[rule]()
    raise ValueError(f"The 'rule' parameter must be a Rule or one of {sorted(known)}; got {rule!r}")
