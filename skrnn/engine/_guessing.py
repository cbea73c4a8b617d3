"""Random weight guessing."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .._constraints import POSITIVE, check_parameters
from ._rules import Loss, Rule, Stream


@dataclass(frozen=True)
class Guessing(Rule):
    """Random weight guessing (Schmidhuber & Hochreiter, 1996): draw all weights anew in every epoch, and keep the best.

    The yardstick that a learning task has to beat: long time lags that guessing bridges are no challenge. Needs ``batch_size=None``; one epoch is
    one trial, so give ``max_epochs`` in thousands, and few units.

    Parameters
    ----------
    scale : float, default=100.0
        Weights are drawn uniformly between minus and plus this.
    goal : float, default=0.05
        Mean training loss at which the guessing ends.

    References
    ----------
    J. Schmidhuber, S. Hochreiter, "Guessing can outperform many long time lag algorithms", technical note IDSIA-19-96, 1996.
    """

    _parameter_constraints = {"scale": [POSITIVE], "goal": [Real]}
    scale: float = 100.0
    goal: float = 0.05
    follows_gradient: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_parameters(self)

    def gradient(self, network: Any, packed: PackedSequence, loss: Loss, stream: Stream | None = None) -> Tensor:
        """Draw the weights; their loss. The weights' ``grad`` stays as it is."""
        with torch.no_grad():
            for weight in filter(lambda weight: weight.requires_grad, network.parameters()):
                drawn = torch.empty(weight.shape, dtype=torch.float32).uniform_(-self.scale, self.scale, generator=network.generator)
                weight.copy_(drawn)
            return loss(network(packed))
