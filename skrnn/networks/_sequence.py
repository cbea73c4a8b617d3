"""One output vector for each sequence: recurrent layers, pooling over time, a linear head."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Layers, State
from ..frontends import Frontend
from ._network import PIECE, Linear, Network
from ._readout import WHOLE_POOLINGS, RecurrentConvolution, pooling
from ._recurrent import Recurrent


class SequenceNetwork(Network):
    """Recurrent layers, pooling over time in each direction, and a linear head.

    Parameters
    ----------
    recurrent : Recurrent
    pool : {"last", "mean", "max", "attention", "hopfield", "recurrent_convolution"}
    bias : Tensor of shape (n_outputs,)
        Start of the head's bias.
    frontend : Frontend or None, default=None
        Built, for the input; the recurrent layers take what comes out of it.
    n_static : int, default=0
        Channels at the end of the input that are the same at every step: they go past the frontend.
    """

    pools: Any  # of a Pooling for each direction, which run piece after piece
    convolution: RecurrentConvolution | None  # or what pools both at once

    def __init__(self, recurrent: Recurrent, pool: str, bias: Tensor, frontend: Frontend | None = None, n_static: int = 0) -> None:
        super().__init__()
        self.recurrent, self.frontend, self.n_static = recurrent, frontend, n_static
        n, size, generator = recurrent.n_directions, recurrent.output_size // recurrent.n_directions, recurrent.generator
        whole = pool in WHOLE_POOLINGS
        self.pools = Layers(pooling(pool, size, generator) for _ in range(0 if whole else n))
        self.convolution = RecurrentConvolution(recurrent.layers[0][0].input_size, size, n, generator) if whole else None
        self.head = Linear(recurrent.output_size, bias)
        self.draw_from(recurrent.generator)

    @property
    def streams(self) -> bool:
        return self.convolution is None and super().streams

    def read(self, outputs: list[PackedSequence], packed: PackedSequence) -> Tensor:
        """Outputs (n_sequences, n_outputs) in the order before packing."""
        return self.head(_user_order(self._pooled(outputs, packed), packed))

    def features(self, packed: PackedSequence) -> Tensor:
        """Pooled hidden states (n_sequences, output_size), without gradient and with memory that, beside what is seen, does not grow."""
        packed = self.see(packed)
        if len(packed.batch_sizes) <= PIECE or not self.streams:
            pooled = self._pooled(self.recurrent(packed), packed)
        else:
            memory = self.start(packed)
            for piece in zip(*self.pieces(packed, PIECE), strict=True):
                memory, _ = self.advance(list(piece), memory)
            pooled = self._finished(memory[1])
        return _user_order(pooled, packed)

    def answer(self, packed: PackedSequence) -> Tensor:
        """Outputs (n_sequences, n_outputs) in the order before packing, without gradient and with memory that does not grow with the length."""
        return self.head(self.features(packed))

    def empty(self, packed: PackedSequence) -> State:
        """What the poolings of both directions begin with."""
        if self.convolution is not None:
            raise ValueError("pooling='recurrent_convolution' needs all of a sequence at once: use rule='bptt' or 'truncated_bptt'")
        like = packed.data.new_empty(0, self.recurrent.output_size // self.recurrent.n_directions)
        batch = int(packed.batch_sizes[0])
        return tuple(pool.start(batch, like=like) for pool in self.pools)

    def collect(self, outputs: list[PackedSequence], collected: State) -> tuple[State, State]:
        """Pool the outputs of one piece in each direction; it has no rows."""
        parts = zip(self.pools, collected, outputs, strict=True)
        return tuple(pool.update(c, o, reverse=d == 1) for d, (pool, c, o) in enumerate(parts)), ()

    def finish(self, collected: State, rows: tuple[State, ...], packed: PackedSequence) -> Tensor:
        """Outputs (n_sequences, n_outputs) in the order before packing."""
        return self.head(_user_order(self._finished(collected), packed))

    def _pooled(self, outputs: list[PackedSequence], packed: PackedSequence) -> Tensor:
        if self.convolution is not None:
            return self.convolution(outputs, packed)
        return _side_by_side([pool(o, reverse=d == 1) for d, (pool, o) in enumerate(zip(self.pools, outputs, strict=True))])

    def _finished(self, collected: State) -> Tensor:
        return _side_by_side([pool.finish(c) for pool, c in zip(self.pools, collected, strict=True)])


def _side_by_side(directions: list[Tensor]) -> Tensor:
    return directions[0] if len(directions) == 1 else torch.cat(directions, -1)


def _user_order(rows: Tensor, packed: PackedSequence) -> Tensor:
    return rows if packed.unsorted_indices is None else rows[packed.unsorted_indices]
