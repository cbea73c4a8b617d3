"""A cell that is watched while it runs."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor

from ..cells import Cell, State, Wrapper
from ..networks import Recurrent


class Step(NamedTuple):
    """What a cell saw and what it gave in one step."""

    u: Tensor
    before: State
    y: Tensor
    after: State


class Watched(Wrapper):
    """A cell, step by step and never fused, that keeps its steps in running order."""

    steps: list[Step]

    def __init__(self, cell: Cell | None = None) -> None:
        super().__init__()
        self.cell = cell

    @classmethod
    def around(cls, built: Cell) -> Watched:
        """Watch a cell that has its weights."""
        watched = cls()
        watched.cell_, watched.input_size, watched.hidden_size = built, built.input_size, built.hidden_size
        watched.steps = []
        return watched

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y, new = self.cell_.step(u, state)
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


def innermost(watched: Watched) -> Watched:
    """Watch the cell inside all wrappers as well."""
    parent: Any = watched
    while isinstance(parent.cell_, Wrapper):
        parent = parent.cell_
    if parent is watched:
        return watched
    parent.cell_ = Watched.around(parent.cell_)
    return parent.cell_
