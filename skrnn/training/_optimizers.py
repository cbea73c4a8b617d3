"""Torch's optimisers in their functional, fused form.

The classes of ``torch.optim`` import torch's compiler when the first one is made: 1.5 seconds of CPU and 74 MB in every process, more than a
small fit takes. The functions behind them do not.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd


class Optimizer(ABC):
    """One step of gradient descent on parameters that have a ``grad``."""

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.weight_decay = weight_decay
        self._slots = [[torch.zeros_like(p) for p in self.parameters] for _ in range(self.n_slots)]
        self._n_steps = torch.zeros((), device=self.parameters[0].device)

    n_slots = 0

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Move the parameters against their gradients."""
        moved = [(k, p, p.grad) for k, p in enumerate(self.parameters) if p.grad is not None]
        slots = [[slot[k] for k, _, _ in moved] for slot in self._slots]
        if not moved:
            return
        self._n_steps += 1
        self._move([p for _, p, _ in moved], [g for _, _, g in moved], slots, [self._n_steps] * len(moved), learning_rate)

    @abstractmethod
    def _move(self, parameters: list[Tensor], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], lr: float) -> None:
        """Call torch's function."""


class Adam(Optimizer):
    """Kingma & Ba (2015), with torch's default moments."""

    n_slots = 2
    _fused: Any = staticmethod(torch._fused_adam_)

    def _move(self, parameters: list[Tensor], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], lr: float) -> None:
        self._fused(
            parameters, gradients, slots[0], slots[1], [], steps, amsgrad=False, lr=lr, beta1=0.9, beta2=0.999,
            weight_decay=self.weight_decay, eps=1e-8, maximize=False,
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay does not pass through the moments (Loshchilov & Hutter, 2019)."""

    _fused: Any = staticmethod(torch._fused_adamw_)


class SGD(Optimizer):
    """Gradient descent with Nesterov's momentum 0.9."""

    n_slots = 1

    def _move(self, parameters: list[Tensor], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], lr: float) -> None:
        sgd(
            parameters, gradients, [*slots[0]], foreach=False, fused=True, weight_decay=self.weight_decay, momentum=0.9, lr=lr,
            dampening=0.0, nesterov=True, maximize=False,
        )  # fmt: skip


class RMSprop(Optimizer):
    """Tieleman & Hinton (2012), with torch's default smoothing."""

    n_slots = 1

    def _move(self, parameters: list[Tensor], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], lr: float) -> None:
        rmsprop(
            parameters, gradients, slots[0], [], [], steps, foreach=True, lr=lr, alpha=0.99, eps=1e-8, weight_decay=self.weight_decay,
            momentum=0.0, centered=False,
        )  # fmt: skip


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD, "rmsprop": RMSprop}
