"""Recurrent layers with something on top."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..cells import Module, State
from ..cells._rows import product
from ..engine import PiecewiseRunnable, TimeSlices
from ..frontends import Frontend
from ._readout import on_every_row
from ._recurrent import Recurrent

PIECE = 1024  # time steps run at once where nothing needs the gradient: bounds the memory of long sequences


class Linear(Module):
    """x Wᵀ + b, where W starts at zero and b at given values, so that training starts from the best constant output."""

    def __init__(self, input_size: int, bias: Tensor) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.zeros(len(bias), input_size))
        self.b = nn.Parameter(bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        return product(x, self.W, self.b)


class Network(PiecewiseRunnable):
    """Recurrent layers with something on top, which runs over whole sequences or piece after piece.

    Pieces, and all methods but ``forward`` and ``see``, are of what is seen: of what the frontend, if there is one, makes of a batch.
    """

    frontend: Frontend | None
    recurrent: Recurrent
    head: Any
    n_static: int = 0  # channels at the end that are the same at every step, and go past the frontend

    @abstractmethod
    def read(self, outputs: list[PackedSequence], packed: PackedSequence) -> Any:
        """The network's outputs from those of the top layer over a whole batch, one packed batch for each direction."""

    @abstractmethod
    def empty(self, packed: PackedSequence) -> State:
        """What is collected for all sequences before the first piece."""

    @abstractmethod
    def collect(self, outputs: list[PackedSequence], collected: State) -> tuple[State, State]:
        """Read the top layer's outputs of one piece in each direction: what is collected after it, and its rows for each direction."""

    def forward(self, packed: PackedSequence, detach_every: int | None = None, grad_path: str = "full") -> Any:
        packed = self.see(packed)
        return self.read(self.recurrent(packed, detach_every, grad_path), packed)

    def see(self, packed: PackedSequence, *, goes_on: bool = False) -> PackedSequence:
        """What the recurrent layers see of a batch; a batch that ``goes_on`` from another, or will be gone on from, needs steps by themselves."""
        if self.frontend is None:
            return packed
        if goes_on and self.frontend.mixes_steps:
            raise ValueError(
                f"A stream needs a frontend that takes each step by itself: where a piece begins, {self.frontend!r} would not know the steps before"
            )
        if not self.n_static:
            return self.frontend(packed)
        seen = self.frontend(packed._replace(data=packed.data[:, : -self.n_static].contiguous()))
        static = packed.data[: int(packed.batch_sizes[0]), -self.n_static :]
        return seen._replace(data=torch.cat([seen.data, on_every_row(seen, static)], -1))

    def start(self, packed: PackedSequence) -> tuple[State, State]:
        return self.recurrent.start(packed), self.empty(packed)

    def advance(self, piece: list[PackedSequence], memory: tuple[State, State], grad_path: str = "full") -> tuple[tuple[State, State], State]:
        outputs, states = self.recurrent.advance(piece, memory[0], grad_path)
        collected, rows = self.collect(outputs, memory[1])
        return (states, collected), rows

    @property
    def streams(self) -> bool:
        return self.recurrent.streams

    def pieces(self, packed: PackedSequence, n_steps: int) -> list[TimeSlices]:
        return self.recurrent.pieces(packed, n_steps)

    def run(self, piece: list[PackedSequence], states: State, grad_path: str = "full") -> State:
        return self.recurrent.advance(piece, states, grad_path)[1]
