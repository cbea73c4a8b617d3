"""A loss, and beside it what another network knows (Schmidhuber, 1992)."""

from __future__ import annotations

import torch
from torch import Tensor

from ._objectives import Objective


class Distilling(Objective):
    """An objective, and the mean squared error of ``n_states`` more outputs, which stand behind its own, as their targets do.

    Nothing is asked where these are NaN.

    Parameters
    ----------
    objective : Objective
        Of what is told beside.
    n_states : int
        Numbers of what another network knows; 0 is none.
    of_indices : bool, default=False
        Whether the targets of ``objective`` are indices of classes, in one column.
    """

    def __init__(self, objective: Objective, n_states: int, *, of_indices: bool = False) -> None:
        self.objective, self.n_states, self.of_indices = objective, n_states, of_indices

    def losses(self, outputs: Tensor, target: Tensor) -> Tensor:
        told, known = self._parts(target)
        outputs, states = outputs.split([outputs.shape[-1] - self.n_states, self.n_states], -1)
        error = (states - torch.where(known.isnan(), states.detach(), known)) ** 2
        return self.objective.losses(outputs, told) + error.sum(-1) / max(self.n_states, 1)

    def best_constant(self, target: Tensor, weight: Tensor) -> Tensor:
        return torch.cat([self.objective.best_constant(self._parts(target)[0], weight), weight.new_zeros(self.n_states)])

    def _parts(self, target: Tensor) -> tuple[Tensor, Tensor]:
        told, known = target.split([target.shape[-1] - self.n_states, self.n_states], -1)
        return (told[:, 0].long() if self.of_indices else told), known
