"""Sequences to packed batches and back: time-major, longest first, no padding."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import PackedSequence

from ..data import Sequences
from ..kernels import Layout


def pack(sequences: Sequences, *, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> PackedSequence:
    """Lay sequences out as a packed batch.

    Parameters
    ----------
    sequences : Sequences
    dtype : torch.dtype
        Of the packed data.
    device : torch.device or str
        Where the packed data go; ``batch_sizes`` stay on the CPU.

    Returns
    -------
    torch.nn.utils.rnn.PackedSequence
        ``data`` of shape (n_steps_total, n_features). Sequences of equal length keep their order.
    """
    rows, sizes, order = packed_rows(sequences.offsets[:-1], sequences.lengths)
    data = torch.from_numpy(sequences.values[rows]).to(device, dtype)
    return as_packed(data, sizes, order)


def unpack(packed: PackedSequence) -> Sequences:
    """The sequences of a packed batch, in the order they had before packing.

    Parameters
    ----------
    packed : torch.nn.utils.rnn.PackedSequence
        Of any device; the gradient is left behind.

    Returns
    -------
    Sequences
    """
    layout = Layout.of(packed.batch_sizes.numpy())
    lengths = layout.lengths
    order = np.arange(len(lengths)) if packed.sorted_indices is None else packed.sorted_indices.cpu().numpy()
    offsets = np.zeros(len(order) + 1, dtype=np.int64)
    offsets[order + 1] = lengths
    np.cumsum(offsets, out=offsets)
    step, sequence = layout.places
    data = packed.data.detach().cpu().numpy()
    values = np.empty_like(data)
    values[offsets[order[sequence]] + step] = data
    return Sequences(values, offsets)


def longest_first(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of sequences in a packed batch; those of equal length keep theirs."""
    return np.argsort(-lengths, kind="stable")


def packed_rows(
    starts: NDArray[np.int64], lengths: NDArray[np.int64], order: NDArray[np.int64] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Rows of end-to-end values in packed order, the number of sequences at each step, and the sequences longest first.

    ``order`` is theirs where they were packed before something made them shorter, and some of them equally long.
    """
    order = longest_first(lengths) if order is None else order
    layout = Layout.of_lengths(lengths[order])
    step, sequence = layout.places
    return starts[order][sequence] + step, layout.sizes, order


def as_packed(data: torch.Tensor, sizes: NDArray[np.int64], order: NDArray[np.int64]) -> PackedSequence:
    """A packed batch from its rows, the number of sequences at each step, and the sequences longest first."""
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return PackedSequence(data, torch.from_numpy(sizes), torch.from_numpy(order).to(data.device), torch.from_numpy(back).to(data.device))
