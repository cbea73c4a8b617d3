"""Closed loop: what a model puts out is what it gets in the next step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from ..cells import State, map_state

Advance = Callable[[Tensor, State], tuple[Tensor, State]]


def rollout(
    advance: Advance,
    state: State,
    n_steps: int,
    *,
    first: Tensor,
    inputs: Sequence[Tensor] | Tensor | None = None,
    emit: Callable[[Tensor], Tensor] | None = None,
    teacher: Sequence[Tensor] | Tensor | None = None,
    p_teacher: float = 1.0,
    generator: Generator | None = None,
    ended: Callable[[Tensor], bool] | None = None,
) -> tuple[list[Tensor], State]:
    """Run a model on its own output, or, as often as a teacher is asked, on the true one (scheduled sampling; Bengio et al., 2015).

    Parameters
    ----------
    advance : callable
        One step: input (batch, n_features) and state to output (batch, n_outputs) and next state.
    state : State
        Before the first step.
    n_steps : int
    first : Tensor of shape (batch, n_fed)
        What stands for the output before the first step.
    inputs : Tensor of shape (n_steps, batch, n_inputs), or one for each step, default=None
        What comes from outside in each step; it stands before what is fed back in the input. Tensors of the steps may hold fewer and fewer
        sequences: the first ones go on.
    emit : callable, default=None
        What is fed back of an output (batch, n_outputs): (batch, n_fed). ``None`` is the output itself.
    teacher : Tensor of shape (n_steps, batch, n_fed), or one for each step, default=None
        What should have been fed back after each step.
    p_teacher : float, default=1.0
        How probable it is that a sequence gets the teacher's instead of its own in a step: drawn for each sequence and step.
    generator : torch.Generator or None
        Where that is drawn from; not used where the probability is 0 or 1.
    ended : callable, default=None
        Whether nothing more is wanted, from each step's output; ``None``: all steps are.

    Returns
    -------
    outputs : list of Tensor of shape (batch, n_outputs)
        For each step that was run.
    state : State
        After the last step, of the sequences that have one.

    References
    ----------
    S. Bengio, O. Vinyals, N. Jaitly, N. Shazeer, "Scheduled sampling for sequence prediction with recurrent neural networks", NIPS 2015.
    """
    fed, outputs = first, []
    for t in range(n_steps):
        if inputs is not None and len(inputs[t]) < len(fed):
            n = len(inputs[t])
            fed, state = fed[:n], map_state(lambda s, n=n: s[:n], state)
        y, state = advance(fed if inputs is None else torch.cat([inputs[t], fed], -1), state)
        outputs.append(y)
        if ended is not None and ended(y):
            break
        fed = y if emit is None else emit(y)
        if teacher is not None and p_teacher > 0:
            fed = _taught(fed, teacher[t], p_teacher, generator)
    return outputs, state


def _taught(own: Tensor, true: Tensor, p: float, generator: Generator | None) -> Tensor:
    if p >= 1:
        return true
    asked = torch.empty(len(own), 1).bernoulli_(p, generator=generator).bool().to(own.device)
    return torch.where(asked, true, own)
