"""From the outputs of all steps to one vector for each sequence, and from there to the outputs of a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from ..cells import Module, Weights, put_first
from ..cells._rows import as_array, keeps_rows_apart, product
from ..cells._starts import input_weights
from ..kernels import Layout, time_sums


class Pooling(Module, ABC):
    """Collects the outputs of all steps, piece after piece, into one vector for each sequence (packed order)."""

    @abstractmethod
    def start(self, batch_size: int, *, like: Tensor) -> Any:
        """What has been collected before the first piece: a tensor or a tuple of tensors, sequences on axis 0."""

    @abstractmethod
    def update(self, collected: Any, piece: PackedSequence, *, reverse: bool) -> Any:
        """Add the steps of a piece, which holds the first sequences of the batch."""

    @abstractmethod
    def finish(self, collected: Any) -> Tensor:
        """The pooled vectors (batch, size)."""

    def forward(self, outputs: PackedSequence, *, reverse: bool = False) -> Tensor:
        """Pool a whole batch."""
        return self.finish(self.update(self.start(int(outputs.batch_sizes[0]), like=outputs.data), outputs, reverse=reverse))


class Last(Pooling):
    """The output after the last step; in the reverse direction, at the first step."""

    def start(self, batch_size: int, *, like: Tensor) -> Tensor:
        return like.new_zeros(batch_size, like.shape[-1])

    def update(self, collected: Tensor, piece: PackedSequence, *, reverse: bool) -> Tensor:
        sizes = piece.batch_sizes
        if reverse:
            return put_first(piece.data[: int(sizes[0])], collected)
        if sizes[-1] == sizes[0]:
            return put_first(piece.data[-int(sizes[0]) :], collected)
        layout = Layout.of(sizes.numpy())
        rows = torch.from_numpy(layout.starts[layout.lengths - 1] + np.arange(int(sizes[0])))
        return put_first(piece.data[rows.to(piece.data.device)], collected)

    def finish(self, collected: Tensor) -> Tensor:
        return collected


class Mean(Pooling):
    """The mean over the steps."""

    def start(self, batch_size: int, *, like: Tensor) -> tuple[Tensor, Tensor]:
        return like.new_zeros(batch_size, like.shape[-1]), like.new_zeros(batch_size, 1)

    def update(self, collected: tuple[Tensor, Tensor], piece: PackedSequence, *, reverse: bool) -> tuple[Tensor, Tensor]:
        ones = piece.data.new_ones(len(piece.data), 1)
        return add_first(row_sums(piece, piece.data), collected[0]), add_first(row_sums(piece, ones), collected[1])

    def finish(self, collected: tuple[Tensor, Tensor]) -> Tensor:
        total, count = collected
        return total / count


class Max(Pooling):
    """The largest value of each unit over the steps."""

    def start(self, batch_size: int, *, like: Tensor) -> Tensor:
        return like.new_full((batch_size, like.shape[-1]), -torch.inf)

    def update(self, collected: Tensor, piece: PackedSequence, *, reverse: bool) -> Tensor:
        largest = _largest(piece, piece.data)
        return put_first(torch.maximum(largest, collected[: len(largest)]), collected)

    def finish(self, collected: Tensor) -> Tensor:
        return collected


class Attention(Pooling):
    """A weighted mean over the steps; the weights are softmax over time of v tanh(A y(t) + b) (Bahdanau et al., 2015, without a query)."""

    def __init__(self, size: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        bound = size**-0.5
        self.A = nn.Parameter(torch.empty(size, size).uniform_(-bound, bound, generator=generator))
        self.b = nn.Parameter(torch.zeros(size))
        self.v = nn.Parameter(torch.empty(size).uniform_(-bound, bound, generator=generator))

    def start(self, batch_size: int, *, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _nothing_weighed(batch_size, 1, like)

    def update(self, collected: tuple[Tensor, Tensor, Tensor], piece: PackedSequence, *, reverse: bool) -> tuple[Tensor, ...]:
        return _weigh(collected, piece, product(torch.tanh(product(piece.data, self.A, self.b)), self.v[None]))

    def finish(self, collected: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return collected[0] / collected[1]


class HopfieldPooling(Pooling):
    """What learned state patterns recall of the steps, which a modern Hopfield network stores, in one update (Ramsauer et al., 2021).

    Each unit has a state pattern ξ of its own: it is its weighted mean over the steps, with softmax over time of ξ · y(t) / √size.
    """

    def __init__(self, size: int, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.xi = nn.Parameter(torch.empty(size, size).normal_(generator=generator))

    def start(self, batch_size: int, *, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _nothing_weighed(batch_size, len(self.xi), like)

    def update(self, collected: tuple[Tensor, Tensor, Tensor], piece: PackedSequence, *, reverse: bool) -> tuple[Tensor, ...]:
        return _weigh(collected, piece, product(piece.data, self.xi * len(self.xi) ** -0.5))

    def finish(self, collected: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        return collected[0] / collected[1]


def _nothing_weighed(batch_size: int, n_scores: int, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Weighted sums of the outputs, sums of the weights, and the highest scores so far: before the first step."""
    return (
        like.new_zeros(batch_size, like.shape[-1]),
        like.new_zeros(batch_size, n_scores),
        like.new_full((batch_size, n_scores), -torch.inf),
    )


def _weigh(collected: tuple[Tensor, Tensor, Tensor], piece: PackedSequence, score: Tensor) -> tuple[Tensor, ...]:
    """Add the steps of a piece, with one score for all units or one for each."""
    total, weight, highest = collected
    n = int(piece.batch_sizes[0])
    peak = torch.maximum(_largest(piece, score), highest[:n]).detach()  # cancels in total / weight; keeps exp in range
    e = torch.exp(score - peak[sequence_of_row(piece)])
    shrink = torch.exp(highest[:n] - peak)
    total = put_first(total[:n] * shrink + row_sums(piece, e * piece.data), total)
    weight = put_first(weight[:n] * shrink + row_sums(piece, e), weight)
    return total, weight, put_first(peak, highest)


class RecurrentConvolution(Module):
    """The largest value of each unit of tanh(W_l h(t-1) + W_e x(t) + W_r g(t+1) + b), over the steps (Lai et al., 2015).

    x(t) is what the layers see at a step, h is the output of the forward direction, which knows the steps before, g that of the other, which knows
    those after it. All of a sequence must be there: it does not run piece after piece.

    Parameters
    ----------
    input_size : int
        Of x(t).
    size : int
        Of the outputs of each direction.
    n_directions : {1, 2}
        Without a second one the steps after t are not seen.
    generator : torch.Generator or None
    """

    def __init__(self, input_size: int, size: int, n_directions: int, generator: torch.Generator | None) -> None:
        super().__init__()
        n_units = n_directions * size
        self.W_e = input_weights(n_units, input_size, generator)
        self.W_c = Weights(input_weights(n_units, size, generator) for _ in range(n_directions))
        self.b = nn.Parameter(torch.zeros(n_units))

    def forward(self, outputs: list[PackedSequence], packed: PackedSequence) -> Tensor:
        """The pooled vectors (batch, n_directions · size), of the outputs of each direction and what the layers saw."""
        sums = product(packed.data, self.W_e, self.b)
        for d, (W, o) in enumerate(zip(self.W_c, outputs, strict=True)):
            sums = sums + product(_neighbours(o, reverse=d == 1), W)
        return _largest(packed, torch.tanh(sums))


def _neighbours(outputs: PackedSequence, *, reverse: bool) -> Tensor:
    """For each row the output of the step before, or, in the reverse direction, of the step after it; zeros where there is none."""
    layout, rows = Layout.of(outputs.batch_sizes.numpy()), outputs.data
    step, sequence = layout.places
    other = step + 1 if reverse else step - 1
    there = (other >= 0) & (sequence < np.append(layout.sizes, 0)[other])
    index = np.where(there, np.append(layout.starts, 0)[other] + sequence, len(rows))
    return torch.cat([rows, rows.new_zeros(1, rows.shape[1])])[torch.from_numpy(index).to(rows.device)]


POOLINGS = ("last", "mean", "max", "attention", "hopfield")  # that run piece after piece
WHOLE_POOLINGS = ("recurrent_convolution",)  # that need all of a sequence


def pooling(name: str, size: int, generator: torch.Generator | None) -> Pooling:
    """A pooling by its name."""
    match name:
        case "last":
            return Last()
        case "mean":
            return Mean()
        case "max":
            return Max()
        case "attention":
            return Attention(size, generator)
        case "hopfield":
            return HopfieldPooling(size, generator)
    raise ValueError(f"pooling must be one of {list(POOLINGS)}; got {name!r}")


def sequence_of_row(packed: PackedSequence) -> Tensor:
    """For each row of a packed batch: which sequence it belongs to, in packed order."""
    sizes = packed.batch_sizes
    starts = (sizes.cumsum(0) - sizes).repeat_interleave(sizes)
    return (torch.arange(len(starts)) - starts).to(packed.data.device)


def on_every_row(packed: PackedSequence, vectors: Tensor) -> Tensor:
    """For each row of a packed batch the vector of its sequence; vectors stand in packed order."""
    n, n_steps = int(packed.batch_sizes[0]), len(packed.batch_sizes)
    return vectors.repeat(n_steps, 1) if len(packed.data) == n * n_steps else vectors[sequence_of_row(packed)]


def row_sums(packed: PackedSequence, rows: Tensor) -> Tensor:
    """Sum of the rows of each sequence; without a gradient from the first step to the last, whatever other sequences there are."""
    if keeps_rows_apart(rows):
        return torch.from_numpy(time_sums(Layout.of(packed.batch_sizes.numpy()), as_array(rows)))
    n, n_steps = int(packed.batch_sizes[0]), len(packed.batch_sizes)
    if len(rows) == n * n_steps:
        return rows.view(n_steps, n, -1).sum(0)
    return rows.new_zeros(n, rows.shape[-1]).index_add(0, sequence_of_row(packed), rows)


def _largest(packed: PackedSequence, rows: Tensor) -> Tensor:
    """Largest row entries of each sequence."""
    n, n_steps = int(packed.batch_sizes[0]), len(packed.batch_sizes)
    if len(rows) == n * n_steps:
        return rows.view(n_steps, n, -1).amax(0)
    padded, _ = pad_packed_sequence(PackedSequence(rows, packed.batch_sizes), padding_value=-torch.inf)
    return padded.amax(0)


def add_first(part: Tensor, whole: Tensor) -> Tensor:
    """``whole`` with ``part`` added to its first rows."""
    return put_first(part + whole[: len(part)], whole)
