"""Torch's optimisers in their functional, fused form.

The classes of ``torch.optim`` import torch's compiler when the first one is made: 1.5 seconds of CPU and 74 MB in every process, more than a
small fit takes. The functions behind them do not.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

Rates = tuple[float, float]  # of learning and of decay


class Optimizer(ABC):
    """One step of gradient descent on parameters that have a ``grad``.

    Parameters
    ----------
    parameters : iterable of Parameter
    decayed : iterable of Parameter, default=()
        Those of them that weight decay is for.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], decayed: Iterable[nn.Parameter] = ()) -> None:
        self.parameters = list(parameters)
        shrinking = {id(p) for p in decayed}
        self._shrinks = [id(p) in shrinking for p in self.parameters]
        self._slots = [[torch.zeros_like(p) for p in self.parameters] for _ in range(self.n_slots)]
        self._n_steps = torch.zeros((), device=self.parameters[0].device)

    n_slots = 0

    def twin(self) -> Self:
        """The same optimiser, with moments of its own."""
        other = copy.copy(self)
        other._slots, other._n_steps = [[moment.clone() for moment in slot] for slot in self._slots], self._n_steps.clone()
        return other

    @torch.no_grad()
    def step(self, learning_rate: float, weight_decay: float = 0.0) -> None:
        """Move the parameters against their gradients, to which ``weight_decay`` times the parameter is added where there is to be decay."""
        moved = [k for k, p in enumerate(self.parameters) if p.grad is not None]
        if not moved:
            return
        self._n_steps += 1
        for shrinks, decay in ((False, 0.0), (True, weight_decay)):
            group = [k for k in moved if (self._shrinks[k] and weight_decay > 0) == shrinks]
            if group:
                gradients: list[Any] = [self.parameters[k].grad for k in group]
                slots = [[slot[k] for k in group] for slot in self._slots]
                self._move([self.parameters[k] for k in group], gradients, slots, [self._n_steps] * len(group), (learning_rate, decay))

    @abstractmethod
    def _move(self, parameters: list[Any], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], rates: Rates) -> None:
        """Call torch's function."""


class Adam(Optimizer):
    """Kingma & Ba (2015), with torch's default moments."""

    n_slots = 2
    _fused: Any = staticmethod(torch._fused_adam_)

    def _move(self, parameters: list[Any], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], rates: Rates) -> None:
        self._fused(
            parameters, gradients, slots[0], slots[1], [], steps, amsgrad=False, lr=rates[0], beta1=0.9, beta2=0.999,
            weight_decay=rates[1], eps=1e-8, maximize=False,
        )  # fmt: skip


class AdamW(Adam):
    """Adam whose weight decay does not pass through the moments (Loshchilov & Hutter, 2019)."""

    _fused: Any = staticmethod(torch._fused_adamw_)


class SGD(Optimizer):
    """Gradient descent with Nesterov's momentum 0.9."""

    n_slots = 1

    def _move(self, parameters: list[Any], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], rates: Rates) -> None:
        sgd(
            parameters, gradients, [*slots[0]], foreach=False, fused=True, weight_decay=rates[1], momentum=0.9, lr=rates[0],
            dampening=0.0, nesterov=True, maximize=False,
        )  # fmt: skip


class RMSprop(Optimizer):
    """Tieleman & Hinton (2012), with torch's default smoothing."""

    n_slots = 1

    def _move(self, parameters: list[Any], gradients: list[Tensor], slots: list[list[Tensor]], steps: list[Tensor], rates: Rates) -> None:
        rmsprop(
            parameters, gradients, slots[0], [], [], steps, foreach=True, lr=rates[0], alpha=0.99, eps=1e-8, weight_decay=rates[1],
            momentum=0.0, centered=False,
        )  # fmt: skip


def clip_norm(parameters: Iterable[nn.Parameter], most: float) -> None:
    """Shrink the gradients so that their Euclidean norm, all of them together, is at most ``most``.

    Same bits as torch's function, which sorts them by device and type at every call and takes four times as long.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    if gradients:
        norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        torch._foreach_mul_(gradients, (most / (norm + 1e-6)).clamp_(max=1.0))


OPTIMIZERS: dict[str, type[Optimizer]] = {"adam": Adam, "adamw": AdamW, "sgd": SGD, "rmsprop": RMSprop}
