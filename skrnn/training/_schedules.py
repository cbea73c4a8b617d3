"""Learning-rate schedules: what the learning rate is multiplied by."""

from __future__ import annotations

import math
from collections.abc import Callable

SCHEDULES = ("constant", "one_cycle", "cosine", "plateau")
_WARM_UP = 0.25  # share of the training in which one_cycle rises
_PATIENCE = 5  # epochs without improvement before plateau halves


def over_time(schedule: str) -> Callable[[float], float]:
    """The factor as a function of the share of the training that is done, in [0, 1]."""
    return {"constant": _constant, "plateau": _constant, "cosine": _cosine, "one_cycle": _one_cycle}[schedule]


def _constant(done: float) -> float:
    return 1.0


def _cosine(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * done))


def _one_cycle(done: float) -> float:
    """From 1/25 up to 1 and down to 0, along cosines (Smith & Topin, 2019)."""
    if done < _WARM_UP:
        return 0.04 + 0.96 * 0.5 * (1 - math.cos(math.pi * done / _WARM_UP))
    return _cosine((done - _WARM_UP) / (1 - _WARM_UP))


class Plateau:
    """Halve the factor whenever the loss has not fallen for five epochs."""

    def __init__(self) -> None:
        self.factor, self._best, self._waited = 1.0, math.inf, 0

    def see(self, loss: float) -> None:
        """Take in the loss of an epoch."""
        self._waited = 0 if loss < self._best else self._waited + 1
        self._best = min(loss, self._best)
        if self._waited == _PATIENCE:
            self.factor, self._waited = self.factor / 2, 0
