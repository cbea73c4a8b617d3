"""Sequences as packed batches of standardised features."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..data import Sequences
from ..engine import as_packed, packed_rows
from ._sources import Index, Source, chunks_by_length, shuffled_by_length

_RESIDENT = 2**26  # bytes of standardised data that are kept ready on the device; above, each batch is made when it is needed
_STEPS = 2**16  # time steps that statistics look at together


class Batches(Source):
    """Sequences as packed batches of standardised features.

    Parameters
    ----------
    sequences : Sequences
    mean, scale : ndarray of shape (n_features,)
        Subtracted from every step, and divided by, in the precision of the data.
    dtype : torch.dtype
    device : torch.device
    by_length : bool, default=True
        Whether shuffled batches hold sequences of about the same length, which is faster, but not fair where those of a batch are compared.
    """

    def __init__(
        self,
        sequences: Sequences,
        mean: NDArray[np.float64],
        scale: NDArray[np.float64],
        dtype: torch.dtype,
        device: torch.device,
        *,
        by_length: bool = True,
    ) -> None:
        self._values, self._mean, self._scale, self._by_length = sequences.values, mean, scale, by_length
        self._starts, self._lengths = sequences.offsets[:-1], sequences.lengths
        self.dtype, self.device = dtype, device
        self._equal = bool((self._lengths == self._lengths[0]).all())
        self._ready: Tensor | None = None
        if self._values.size * dtype.itemsize <= _RESIDENT:
            values = self._values.reshape(len(self), -1, self._values.shape[-1]).swapaxes(0, 1) if self._equal else self._values
            self._ready = self._standardised(values)

    def __len__(self) -> int:
        return len(self._lengths)

    @property
    def lengths(self) -> Index:
        return self._lengths

    def rows(self, index: Index) -> Index:
        if self._equal:
            return (self._starts[index] + np.arange(self._lengths[0])[:, None]).ravel()
        return packed_rows(self._starts[index], self._lengths[index])[0]

    def packed(self, index: Index) -> PackedSequence:
        if self._equal:
            n_steps, n = int(self._lengths[0]), len(index)
            if self._ready is not None:
                data = self._ready.index_select(1, torch.from_numpy(index).to(self.device))
            else:
                picked = self._values.reshape(len(self), n_steps, -1)[index]
                data = self._standardised(picked.swapaxes(0, 1))
            return PackedSequence(data.reshape(n * n_steps, -1), torch.full((n_steps,), n))
        rows, sizes, order = packed_rows(self._starts[index], self._lengths[index])
        data = self._standardised(self._values[rows]) if self._ready is None else self._ready.index_select(0, torch.from_numpy(rows).to(self.device))
        return as_packed(data, sizes, order)

    def shuffled(self, batch_size: int | None, generator: Generator) -> list[Index]:
        return shuffled_by_length(self._lengths if self._by_length else np.ones_like(self._lengths), batch_size, generator)

    def chunks(self) -> Iterator[Index]:
        return chunks_by_length(self._lengths, self._values.shape[1])

    def _standardised(self, values: NDArray[np.floating]) -> Tensor:
        return standardised(values, self._mean, self._scale, self.dtype, self.device)


def standardised(
    values: NDArray[np.floating], mean: NDArray[np.float64], scale: NDArray[np.float64], dtype: torch.dtype, device: torch.device
) -> Tensor:
    """A copy in units of the channels, C-contiguous, on the device; differences are taken in the precision of the data."""
    out = np.empty(values.shape, str(dtype).removeprefix("torch."))
    with np.errstate(over="ignore"):
        np.subtract(values, mean.astype(values.dtype), out=out, casting="same_kind")
        out /= scale.astype(out.dtype)
    if not np.isfinite(out).all():
        raise ValueError(f"Input X contains a value too large for {out.dtype} when its channel is divided by its scale in fit, {scale}")
    return torch.from_numpy(out).to(device)


def channel_statistics(sequences: Sequences, weight: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean and standard deviation of each channel over all time steps, in pieces of constant memory; a constant channel gets 1."""
    per_step = None if weight is None else np.repeat(weight, sequences.lengths)
    total = 0.0
    first = np.zeros(sequences.n_features)
    second = np.zeros(sequences.n_features)
    with np.errstate(over="ignore", invalid="ignore"):
        for low in range(0, sequences.n_steps_total, _STEPS):
            x = sequences.values[low : low + _STEPS].astype(np.float64)
            w = np.ones(len(x)) if per_step is None else per_step[low : low + _STEPS]
            if (piece := w.sum()) == 0:
                continue
            mean = w @ x / piece
            gap = mean - first
            second += w @ (x - mean) ** 2 + gap**2 * (total * piece / (total + piece))
            first += gap * (piece / (total + piece))
            total += piece
    deviation = np.sqrt(second / total)
    if not np.isfinite(deviation).all():
        raise ValueError("Input X contains values too large to be standardised: the variance of a channel is infinite")
    tiny = deviation <= 10 * np.finfo(np.float64).eps * np.abs(first)
    return first, np.where(tiny | (deviation == 0), 1.0, deviation)
