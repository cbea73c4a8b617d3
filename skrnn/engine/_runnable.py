"""What a learning rule asks of a network: to run at once, or piece after piece."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from torch.nn.utils.rnn import PackedSequence

from ..cells import Module, State


class Runnable(Module, ABC):
    """A network that runs over whole batches, which is enough for :class:`BPTT` and :class:`Guessing`."""

    @abstractmethod
    def forward(self, packed: Any, detach_every: int | None = None, grad_path: str = "full") -> Any:
        """Outputs of a batch; the gradient's way back as in :func:`skrnn.engine.scan`."""


class PiecewiseRunnable(Runnable):
    """A network that also runs over one piece of the time steps after the other, as :class:`TruncatedBPTT` and :class:`RTRL` need it.

    A piece holds one part of the time steps for each direction. What goes from piece to piece is the memory: the states of the layers, and what
    was collected from the outputs so far. What the steps of a piece put out by themselves are its rows.
    """

    recurrent: Any  # layers of cells

    @property
    @abstractmethod
    def streams(self) -> bool:
        """Whether the network, as it was built, can run piece after piece."""

    @abstractmethod
    def pieces(self, packed: PackedSequence, n_steps: int) -> Sequence[Sequence[PackedSequence]]:
        """Pieces of ``n_steps`` time steps in running order, for each direction."""

    @abstractmethod
    def start(self, packed: PackedSequence) -> tuple[State, State]:
        """States and what is collected for all sequences before the first piece."""

    @abstractmethod
    def advance(self, piece: list[PackedSequence], memory: tuple[State, State], grad_path: str = "full") -> tuple[tuple[State, State], State]:
        """Run one piece in each direction: states and what is collected after it, and its rows for each direction."""

    @abstractmethod
    def run(self, piece: list[PackedSequence], states: State, grad_path: str = "full") -> State:
        """States after one piece in each direction, whose outputs nobody needs."""

    @abstractmethod
    def finish(self, collected: State, rows: tuple[State, ...], packed: PackedSequence) -> Any:
        """The outputs, from what all pieces collected and from the rows of each."""
