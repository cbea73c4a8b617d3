"""What reads: recurrent layers over a source, or a vector as it is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Module, State, map_state
from ..cells._kernel import reversal
from ..cells._wrappers import map_units
from ..frontends import Frontend
from ._readout import Last, Mean
from ._recurrent import Recurrent


class Encoded(NamedTuple):
    """What an encoder made of n sequences: one vector for each (n, size), its last states, and its outputs; the latter two may be missing."""

    context: Tensor
    states: tuple[State, ...] | None = None
    outputs: PackedSequence | None = None


class Encoder(Module):
    """Recurrent layers over the source.

    Parameters
    ----------
    recurrent : Recurrent
    frontend : Frontend or None, default=None
        Built, for the source; the recurrent layers take what comes out of it. Outputs are those of the steps behind it.
    reverse : bool, default=False
        Read every sequence from its end (Sutskever et al., 2014). Outputs stay at the places of their steps.
    """

    has_steps = True  # for a decoder to look at

    def __init__(self, recurrent: Recurrent, *, frontend: Frontend | None = None, reverse: bool = False) -> None:
        super().__init__()
        self.recurrent, self.frontend, self.reverse = recurrent, frontend, reverse
        self.output_size = recurrent.output_size

    def forward(self, source: PackedSequence, grad_path: str = "full") -> Encoded:
        if self.frontend is not None:
            source = self.frontend(source)
        turn = reversal(source.batch_sizes).to(source.data.device) if self.reverse else slice(None)
        outputs, states = self.recurrent.run(source._replace(data=source.data[turn]), None, grad_path)
        context = torch.cat([Last()(o, reverse=d == 1) for d, o in enumerate(outputs)], -1)
        rows = torch.cat([o.data for o in outputs], -1)[turn]
        back = source.unsorted_indices
        if back is not None:
            context, states = context[back], map_state(lambda s: s[back], states)
        return Encoded(context, states[0], source._replace(data=rows))


class Vector(Module):
    """No encoder: a vector is the context, as the features of a picture that is described (Vinyals et al., 2015). Sources have one step.

    ``holds_units`` says that a vector is what :func:`unit_columns` gives of the decoder's layers, which begin with it as it is.
    """

    recurrent: Recurrent | None = None
    frontend: Frontend | None = None
    has_steps = False

    def __init__(self, size: int, *, holds_units: bool = False) -> None:
        super().__init__()
        self.output_size, self.holds_units = size, holds_units

    def forward(self, source: PackedSequence, grad_path: str = "full") -> Encoded:
        return Encoded(source.data)


def unit_columns(states: State) -> Tensor:
    """The units (n, n_units) of states of layers, side by side; not counters, nor what is carried along."""
    units: list[Tensor] = []

    def noted(unit: Tensor) -> Tensor:
        units.append(unit.flatten(1))
        return unit

    map_units(noted, noted, states)
    return torch.cat(units, 1)


def with_units(states: State, vectors: Tensor) -> State:
    """The states, whose units are those of vectors (n, n_units)."""
    left = vectors

    def taken(unit: Tensor) -> Tensor:
        nonlocal left
        own, left = left.tensor_split([unit[0].numel()], 1)
        return own.reshape(unit.shape)

    return map_units(taken, taken, states)


class Regions(Module):
    """No encoder: vectors side by side, as the features of a picture's regions, are looked at (Xu et al., 2015); the context is their mean."""

    recurrent: Recurrent | None = None
    frontend: Frontend | None = None
    has_steps = True

    def __init__(self, size: int) -> None:
        super().__init__()
        self.output_size = size

    def forward(self, source: PackedSequence, grad_path: str = "full") -> Encoded:
        context, back = Mean()(source), source.unsorted_indices
        return Encoded(context if back is None else context[back], None, source)
