"""Fixed recurrent layers whose every state is seen from outside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from sklearn.base import clone
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers, Module, State, map_state, put_first
from ..engine import TimeSlices, scan

_NUMBERS = 2**20  # of features that exist at once: they stay in the cache between what is done to them


class Reservoirs(Module):
    """Layers of fixed cells side by side: the states of all of them, and the input, are features for a readout.

    Parameters
    ----------
    groups : sequence of sequences of Cell
        The layers of each group, the lowest first. A group gets the input and knows nothing of the others; a layer's input is the output of the
        one below.
    input_size, hidden_size : int
        Channels of the input; units of each layer of each group.
    include_input : bool, default=True
        Whether the input itself is a feature too, before the states.
    generator : torch.Generator or None
        Where the weights are drawn from.

    Attributes
    ----------
    output_size : int
        Number of features.

    Notes
    -----
    Nothing here is trained: the weights stay as they were drawn.
    """

    groups: Any  # of groups of layers
    like: Tensor

    def __init__(
        self,
        groups: Sequence[Sequence[Cell]],
        input_size: int,
        hidden_size: int,
        *,
        include_input: bool = True,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.include_input = include_input
        self.output_size = input_size * include_input + sum(map(len, groups)) * hidden_size
        self.groups = Layers(
            Layers(clone(cell).build(hidden_size if above else input_size, hidden_size, generator) for above, cell in enumerate(cells))
            for cells in groups
        )
        self.register_buffer("like", torch.zeros(()), persistent=False)
        self.requires_grad_(False)
        self.draw_from(generator)
        self.eval()

    @property
    def dtype(self) -> torch.dtype:
        """Of the states."""
        return self.like.dtype

    @property
    def device(self) -> torch.device:
        """Where the states are."""
        return self.like.device

    @property
    def block_rows(self) -> int:
        """Rows of features that exist at once."""
        return max(1, _NUMBERS // self.output_size)

    def start(self, n_sequences: int) -> State:
        """States before the first step, for each group and layer."""
        return tuple(tuple(cell.initial_state(n_sequences, like=self.like) for cell in layers) for layers in self.groups)

    def forward(self, piece: PackedSequence, states: State) -> tuple[Tensor, State]:
        """Features of all steps of a piece, and the states of all sequences after it; a piece may hold the first sequences only."""
        n = int(piece.batch_sizes[0])
        features, after = [piece.data] if self.include_input else [], []
        for layers, before in zip(self.groups, states, strict=True):
            part, now = piece, []
            for cell, state in zip(layers, before, strict=True):
                part, new = scan(cell, part, map_state(lambda s: s[:n], state))
                now.append(put_first(new, state))
                features.append(part.data)
            after.append(tuple(now))
        return torch.cat(features, 1) if len(features) > 1 else features[0], tuple(after)

    def forgetting(self, packed: PackedSequence, n_starts: int, generator: Generator | None) -> Tensor:
        """How far apart the features of each step are when the states before the first differ: the largest distance from the run that begins as
        usual, relative to that of the first step.

        Parameters
        ----------
        packed : PackedSequence of one sequence
        n_starts : int
            Random states to begin with: uniform noise in [-1, 1] on every number of the usual one.
        generator : torch.Generator or None

        Returns
        -------
        Tensor of shape (n_steps,)
        """
        n_steps, n = len(packed.batch_sizes), n_starts + 1
        many = PackedSequence(packed.data.repeat_interleave(n, 0), torch.full((n_steps,), n))
        states = map_state(lambda s: _disturbed(s, generator), self.start(n))
        runs = torch.cat([features for features, _ in self.blocks(many, states)]).view(n_steps, n, -1).double()
        distances = (runs[:, 1:] - runs[:, :1]).norm(dim=2).amax(1)
        return distances / distances[0].clamp(min=torch.finfo(distances.dtype).tiny)

    def blocks(self, packed: PackedSequence, states: State) -> Iterator[tuple[Tensor, State]]:
        """:meth:`forward` in pieces of about ``block_rows`` rows."""
        for piece in TimeSlices(packed, max(1, self.block_rows // int(packed.batch_sizes[0]))):
            features, states = self(piece, states)
            yield features, states


def _disturbed(state: Tensor, generator: Generator | None) -> Tensor:
    """All but the first row with noise; what counts steps stays."""
    if not state.is_floating_point():
        return state
    noise = torch.empty(state.shape, dtype=torch.float32).uniform_(-1, 1, generator=generator).to(state)
    noise[0] = 0
    return state + noise
