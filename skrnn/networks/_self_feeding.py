"""Layers that run on their own output, as one cell: a closed loop is a scan like any other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers, Module, State
from ..engine import scan
from ._feedback import Feedback
from ._recurrent import Dropout

_loops: WeakKeyDictionary[Module, SelfFeeding] = WeakKeyDictionary()  # not in the network, whose weights would be there twice


class SelfFeeding(Cell):
    """Layers with a head whose outputs are fed back.

    Parameters
    ----------
    layers : sequence of Cell
        Built, from the lowest to the topmost.
    head : Module
        Makes the outputs of what the topmost layer puts out.
    feedback : Feedback
    dropout : Dropout or None, default=None
        Between layers.

    Notes
    -----
    An input is what comes from outside and, where a teacher is asked (``taught``), what it would feed back and 1 where it is asked, else 0. The
    state is what is fed back, and the states of the layers. Used on a built network: there is nothing to build.
    """

    layers: Any  # of cells

    def __init__(
        self, layers: Sequence[Cell] = (), head: Module | None = None, feedback: Feedback | None = None, dropout: Dropout | None = None
    ) -> None:
        super().__init__()
        self.layers, self.feedback = Layers(layers), feedback
        self.head: Any = head
        self.dropout: Any = dropout
        self.taught = False

    def _build(self, generator: Generator | None) -> None:
        """Everything is built."""

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        assert self.feedback is not None
        fed, states = state
        size = self.feedback.size if self.taught else 0
        u, true, asked = u.split([u.shape[-1] - size - self.taught, size, int(self.taught)], -1)
        x, now = torch.cat([u, self.feedback.vectors(fed)], -1), []
        for k, (layer, before) in enumerate(zip(self.layers, states, strict=True)):
            if k and self.dropout is not None:
                x = self.dropout(x)
            x, after = layer.step(layer.project(x), before)
            now.append(after)
        y = self.head(x)
        fed = self.feedback.emit(y)
        return y, (torch.where(asked > 0, true, fed) if self.taught else fed, tuple(now))


def run_on_own_output(
    network: Any,
    layers: Sequence[Cell],
    inputs: PackedSequence,
    first: Tensor,
    states: State,
    *,
    dropout: Dropout | None = None,
    taught: bool = False,
) -> Tensor:
    """Outputs of all steps of a network with a ``head`` and a ``feedback``.

    Parameters
    ----------
    network : Network or Seq2Seq
    layers : sequence of Cell
        Of the network.
    inputs : PackedSequence of (n_steps_total, n_inputs)
        What comes from outside, which stands before what is fed back.
    first : Tensor of shape (batch, n_fed)
        What stands for the output before the first step.
    states : tuple of State
        Of the layers, before the first step.
    dropout : Dropout or None, default=None
        Between layers.
    taught : bool, default=False
        Whether a teacher's columns stand behind the inputs: see :class:`SelfFeeding`.

    Returns
    -------
    Tensor of shape (n_steps_total, n_outputs)
    """
    if network not in _loops:
        _loops[network] = SelfFeeding(layers, network.head, network.feedback, dropout)
    loop = _loops[network]
    loop.taught = taught
    return scan(loop, inputs, (first, states))[0].data
