"""States are tensors or (named) tuples of states, batch on axis 0 of every tensor; the first tensor is the hidden state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

State = Any  # Tensor | NamedTuple | tuple, nested


def map_state(fn: Callable[..., Tensor], *states: State) -> State:
    """Apply ``fn`` to the tensors of one or several states of the same structure."""
    first = states[0]
    if torch.is_tensor(first):
        return fn(*states)
    parts = [map_state(fn, *parts) for parts in zip(*states, strict=True)]
    return tuple(parts) if type(first) is tuple else type(first)(*parts)


def flat(state: State) -> list[Tensor]:
    """The tensors of a state."""
    return [state] if torch.is_tensor(state) else [leaf for part in state for leaf in flat(part)]


def put_first(part: State, whole: State) -> State:
    """``whole`` with its first rows replaced by ``part``."""
    return map_state(lambda p, w: p if len(p) == len(w) else torch.cat([p, w[len(p) :]]), part, whole)


def map_hidden(fn: Callable[[Tensor], Tensor], state: State) -> State:
    """Apply ``fn`` to the first tensor of a state, and keep the others."""
    if torch.is_tensor(state):
        return fn(state)
    parts = (map_hidden(fn, state[0]), *state[1:])
    return parts if type(state) is tuple else type(state)(*parts)


class FeedsBack:
    """Marks a state whose last tensor, like the hidden state, is what a step puts out for the next one to see, and no memory."""


def map_outputs(fn: Callable[[Tensor], Tensor], state: State) -> State:
    """Apply ``fn`` to the first tensor of a state and to what is fed back with it, and keep the memory."""
    if torch.is_tensor(state):
        return fn(state)
    first, *rest = state
    if isinstance(state, FeedsBack):
        rest[-1] = fn(rest[-1])
    parts = (map_outputs(fn, first), *rest)
    return parts if type(state) is tuple else type(state)(*parts)


def hidden(state: State) -> Tensor:
    """The first tensor of a state."""
    return state if torch.is_tensor(state) else hidden(state[0])
