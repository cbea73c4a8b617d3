"""Cells that are watched while they run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from torch import Tensor

from ..cells import Cell, State, Wrapper, map_state
from ..cells._wrappers import output_of
from ._recurrent import Recurrent


class Step(NamedTuple):
    """What a cell saw and what it gave in one step."""

    u: Tensor
    before: State
    y: Tensor
    after: State


class Watched(Wrapper):
    """A cell, step by step and never fused, that keeps its steps in running order.

    ``apart`` gives every tensor of the state a place of its own after a step, so that no gradient reaches one through another of the same step,
    as the LSTM's cell through its hidden state.
    """

    steps: list[Step]
    keeps_steps = True

    def __init__(self, cell: Cell | None = None, apart: bool = False) -> None:
        super().__init__()
        self.cell = cell
        self.apart = apart

    @classmethod
    def around(cls, built: Cell, *, apart: bool = False) -> Watched:
        """Watch a cell that has its weights."""
        watched = cls(apart=apart)
        watched.cell_, watched.input_size, watched.hidden_size = built, built.input_size, built.hidden_size
        watched.steps = []
        return watched

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        """With a gradient, as there may be no other way to one: a spike has none, and in a reservoir nothing is trained."""
        return map_state(lambda s: s.requires_grad_() if s.is_floating_point() else s, super().initial_state(batch_size, like=like))

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y, new = self.cell_.step(u, state)
        if self.apart:
            copied = map_state(lambda s: s.view_as(s), new)
            y, new = output_of(y, new, copied), copied
        self.steps.append(Step(u, state, y, new))
        return y, new


def watch(recurrent: Recurrent, layer: int, direction: int) -> Watched:
    """Put a watched cell in the place of one of the cells of a stack."""
    for name, given, n in (("layer", layer, len(recurrent.layers)), ("direction", direction, recurrent.n_directions)):
        if given not in range(n):
            raise ValueError(f"{name} must be one of {list(range(n))} in this network; got {given!r}")
    watched = Watched.around(recurrent.layers[layer][direction])
    recurrent.layers[layer][direction] = watched
    return watched


@contextmanager
def watching(recurrent: Recurrent) -> Iterator[list[Watched]]:
    """Watched cells, whose states are apart, in the places of all cells of a stack; at the end the cells are put back."""
    layers = [[*layer] for layer in recurrent.layers]
    watched = [[Watched.around(cell, apart=True) for cell in layer] for layer in layers]
    try:
        _put(recurrent, watched)
        yield [cell for layer in watched for cell in layer]
    finally:
        _put(recurrent, layers)


def _put(recurrent: Recurrent, layers: list[list[Any]]) -> None:
    for layer, cells in zip(recurrent.layers, layers, strict=True):
        for d, cell in enumerate(cells):
            layer[d] = cell


def innermost(watched: Watched) -> Watched:
    """Watch the cell inside all wrappers as well."""
    parent: Any = watched
    while isinstance(parent.cell_, Wrapper):
        parent = parent.cell_
    if parent is watched:
        return watched
    parent.cell_ = Watched.around(parent.cell_)
    return parent.cell_
