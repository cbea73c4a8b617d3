"""What a learning rule asks of a network: to run at once, or piece after piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..cells import Module, State
from ..engine import TimeSlices
from ..frontends import Frontend
from ._recurrent import Recurrent

PIECE = 1024  # time steps run at once where nothing needs the gradient: bounds the memory of long sequences


class Linear(Module):
    """x Wᵀ + b, where W starts at zero and b at given values, so that training starts from the best constant output."""

    def __init__(self, input_size: int, bias: Tensor) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.zeros(len(bias), input_size))
        self.b = nn.Parameter(bias.clone())

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.W, self.b)


class Network(Module, ABC):
    """Recurrent layers with something on top, which runs over whole sequences or piece after piece.

    A piece holds one part of the time steps for each direction. What goes from piece to piece is the memory: the states of the layers, and what
    was collected from the outputs so far. What the steps of a piece put out by themselves are its rows. Pieces, and all methods but ``forward`` and
    ``see``, are of what is seen: of what the frontend, if there is one, makes of a batch.
    """

    frontend: Frontend | None
    recurrent: Recurrent
    head: Any

    @abstractmethod
    def read(self, outputs: list[PackedSequence], packed: PackedSequence) -> Any:
        """The network's outputs from those of the top layer over a whole batch, one packed batch for each direction."""

    @abstractmethod
    def empty(self, packed: PackedSequence) -> State:
        """What is collected for all sequences before the first piece."""

    @abstractmethod
    def collect(self, outputs: list[PackedSequence], collected: State) -> tuple[State, State]:
        """Read the top layer's outputs of one piece in each direction: what is collected after it, and its rows for each direction."""

    @abstractmethod
    def finish(self, collected: State, rows: tuple[State, ...], packed: PackedSequence) -> Any:
        """The outputs, from what all pieces collected and from the rows of each."""

    def forward(self, packed: PackedSequence, detach_every: int | None = None, grad_path: str = "full") -> Any:
        """Outputs of a whole batch; the gradient's way back as in :func:`skrnn.engine.scan`."""
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
        return self.frontend(packed)

    def start(self, packed: PackedSequence) -> tuple[State, State]:
        """States and what is collected for all sequences before the first piece."""
        return self.recurrent.start(packed), self.empty(packed)

    def advance(self, piece: list[PackedSequence], memory: tuple[State, State], grad_path: str = "full") -> tuple[tuple[State, State], State]:
        """Run one piece in each direction: states and what is collected after it, and its rows for each direction."""
        outputs, states = self.recurrent.advance(piece, memory[0], grad_path)
        collected, rows = self.collect(outputs, memory[1])
        return (states, collected), rows

    @property
    def streams(self) -> bool:
        """Whether the network can run piece after piece."""
        return self.recurrent.streams

    def pieces(self, packed: PackedSequence, n_steps: int) -> list[TimeSlices]:
        """Pieces of ``n_steps`` time steps in running order, for each direction."""
        return self.recurrent.pieces(packed, n_steps)

    def run(self, piece: list[PackedSequence], states: State, grad_path: str = "full") -> State:
        """States after one piece in each direction, whose outputs nobody needs."""
        return self.recurrent.advance(piece, states, grad_path)[1]
