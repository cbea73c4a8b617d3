"""Stacks of recurrent layers in one or two directions."""

from __future__ import annotations

from typing import Any

import torch
from sklearn.base import clone
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers, Module, State, map_state, put_first
from ..engine import TimeSlices, scan


class Dropout(Module):
    """Set a share ``rate`` of the features to zero while training and scale the others; draws from its own generator."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        mask = torch.empty(x.shape, dtype=x.dtype).bernoulli_(1 - self.rate, generator=self.generator)
        return x * mask.to(x.device).div_(1 - self.rate)


class Recurrent(Module):
    """Layers of one cell on top of each other, in one or both directions, over packed batches.

    Parameters
    ----------
    cell : Cell
        Copied for every layer and direction.
    input_size, hidden_size : int
        Channels of the input; units of each layer and direction.
    n_layers : int, default=1
    bidirectional : bool, default=False
        A second cell in every layer runs from the last step to the first; the layer above sees both.
    dropout : float, default=0.0
        Share of the features set to zero between layers while training.
    top : Cell or None, default=None
        The cell of the topmost layer, if it is another one.
    generator : torch.Generator or None
        Where weights and dropout masks are drawn from.

    Attributes
    ----------
    output_size : int
        ``hidden_size``, twice if bidirectional.
    """

    layers: Any  # of layers of cells, one for each direction

    def __init__(
        self,
        cell: Cell,
        input_size: int,
        hidden_size: int,
        *,
        n_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        top: Cell | None = None,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_directions = 2 if bidirectional else 1
        self.output_size = self.n_directions * hidden_size
        sizes = [input_size] + [self.output_size] * (n_layers - 1)
        cells = [cell] * (n_layers - 1) + [cell if top is None else top]
        self.layers = Layers(
            Layers(clone(cell).build(size, hidden_size, generator) for _ in range(self.n_directions)) for cell, size in zip(cells, sizes, strict=True)
        )
        self.dropout = Dropout(dropout)
        self.draw_from(generator)

    def forward(self, packed: PackedSequence, detach_every: int | None = None, grad_path: str = "full") -> list[PackedSequence]:
        """Outputs of the top layer, one packed batch for each direction."""
        return self.run(packed, detach_every, grad_path)[0]

    def run(self, packed: PackedSequence, detach_every: int | None = None, grad_path: str = "full") -> tuple[list[PackedSequence], State]:
        """Outputs of the top layer, one packed batch for each direction, and the last states, for each direction and layer."""
        outputs: list[PackedSequence] = []
        states = []
        for k, layer in enumerate(self.layers):
            if k:
                packed = packed._replace(data=self.dropout(torch.cat([o.data for o in outputs], -1)))
            ways = [scan(cell, packed, reverse=d == 1, detach_every=detach_every, grad_path=grad_path) for d, cell in enumerate(layer)]
            outputs = [y for y, _ in ways]
            states.append([state for _, state in ways])
        return outputs, tuple(zip(*states, strict=True))

    @property
    def streams(self) -> bool:
        """Whether each direction can run on its own, piece after piece: not when an upper layer needs both directions of the one below."""
        return self.n_directions == 1 or len(self.layers) == 1

    def pieces(self, packed: PackedSequence, n_steps: int) -> list[TimeSlices]:
        """Pieces of ``n_steps`` time steps in running order, for each direction."""
        return [TimeSlices(packed, n_steps, reverse=d == 1) for d in range(self.n_directions)]

    def start(self, packed: PackedSequence) -> State:
        """States of all sequences before the first step, for each direction and layer."""
        batch = int(packed.batch_sizes[0])
        return tuple(tuple(layer[d].initial_state(batch, like=packed.data) for layer in self.layers) for d in range(self.n_directions))

    def advance(self, piece: list[PackedSequence], states: State, grad_path: str = "full") -> tuple[list[PackedSequence], State]:
        """Run one piece in each direction; its outputs and the states of all sequences after it."""
        outputs, after = [], []
        for d, part in enumerate(piece):
            n, now = int(part.batch_sizes[0]), []
            for k, (layer, state) in enumerate(zip(self.layers, states[d], strict=True)):
                if k:
                    part = part._replace(data=self.dropout(part.data))
                part, new = scan(layer[d], part, map_state(lambda s, n=n: s[:n], state), reverse=d == 1, grad_path=grad_path)
                now.append(put_first(new, state))
            outputs.append(part)
            after.append(tuple(now))
        return outputs, tuple(after)
