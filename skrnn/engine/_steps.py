"""A cell step by step: any cell, on any device, under any of torch's transforms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ..cells import State, hidden, map_state


def run_steps(
    step: Callable[[Tensor, State], tuple[Tensor, State]],
    inputs: Sequence[Tensor],
    initial: State,
    reverse: bool,
    seen: Callable[[State], State] = lambda s: s,
) -> tuple[Tensor, State]:
    """Outputs and final state of a packed batch whose projected inputs are given for each step, with autograd; ``seen`` is what of a state is."""
    outputs: list[Tensor] = list(inputs)
    ended: list[State] = []
    state = map_state(lambda s: s[: len(inputs[-1])], initial) if reverse else initial
    for t in reversed(range(len(inputs))) if reverse else range(len(inputs)):
        n, now = len(inputs[t]), len(hidden(state))
        if n < now:  # forward: the shortest sequences have ended
            ended.append(map_state(lambda s, n=n: s[n:], state))
            state = map_state(lambda s, n=n: s[:n], state)
        elif n > now:  # backward: longer and longer sequences begin
            state = map_state(lambda s, first, a=now, b=n: torch.cat([s, first[a:b]]), state, initial)
        outputs[t], state = step(inputs[t], seen(state))
    if ended:
        state = map_state(lambda *parts: torch.cat(parts), state, *reversed(ended))
    return torch.cat(outputs), state
