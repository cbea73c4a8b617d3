"""Closed loop: what a model puts out is what it gets in the next step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..cells import State

Advance = Callable[[Tensor, State], tuple[Tensor, State]]


def rollout(advance: Advance, state: State, n_steps: int, *, first: Tensor, inputs: Tensor | None = None) -> tuple[Tensor, State]:
    """Run a model on its own output.

    Parameters
    ----------
    advance : callable
        One step: input (batch, n_features) and state to output (batch, n_outputs) and next state.
    state : State
        Before the first step.
    n_steps : int
    first : Tensor of shape (batch, n_outputs)
        What stands for the output before the first step.
    inputs : Tensor of shape (n_steps, batch, n_inputs), default=None
        What comes from outside in each step; it stands before the fed-back output in the input.

    Returns
    -------
    outputs : Tensor of shape (n_steps, batch, n_outputs)
    state : State
        After the last step.
    """
    y, outputs = first, []
    for t in range(n_steps):
        y, state = advance(y if inputs is None else torch.cat([inputs[t], y], -1), state)
        outputs.append(y)
    return torch.stack(outputs), state
