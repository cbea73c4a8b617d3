"""Windows that a network reads and writes again from the end: windows, batches, the network, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...data import Sequences
from ...networks import Encoder, Recurrent, Seq2Seq
from ...training import Batches, Pairs
from ._scores import ErrorModel

Array = NDArray[np.float64]

_CHUNK_STEPS = 2**18  # steps of windows that are made at once


@dataclass(frozen=True)
class ReconstructionErrors(ErrorModel):
    """The last steps of each window are compared with what is written of them.

    Parameters
    ----------
    channels : ndarray of shape (n_targets,)
    n_steps, window : int
        Steps that are looked at, and steps of a window.
    written : callable
        From windows to what is written of each, from its end (n_windows, n_steps, n_targets).
    """

    channels: NDArray[np.intp]
    n_steps: int
    window: int
    written: Callable[[Sequences], Array]

    def errors(self, sequences: Sequences) -> Array:
        values = sequences.values[:, self.channels].astype(np.float64)
        errors = np.full((len(values), self.n_steps, values.shape[1]), np.nan)
        for ends, windows in windows_until(sequences, self.window):
            errors[ends] = values[ends[:, None] - np.arange(self.n_steps)] - self.written(windows)
        return errors


def mirrored(windows: Sequences) -> NDArray[np.floating]:
    """The rows of all windows, each from its end."""
    ends = np.repeat(windows.offsets[1:] + windows.offsets[:-1] - 1, windows.lengths)
    return np.asarray(windows.values[ends - np.arange(windows.n_steps_total)])


def window_pairs(windows: Sequences, batches: Batches, known: NDArray[np.floating]) -> Pairs:
    """Windows to read, and their steps from the end to write, about which something is ``known``."""
    columns = torch.from_numpy(known).to(batches.device, batches.dtype)
    return Pairs(batches, windows.offsets, columns, columns.new_empty(len(windows), 0))


def autoencoder(recurrent: Recurrent, n_known: int, dropout: float, bias: Tensor) -> Seq2Seq:
    """A decoder as the encoder, which starts from its last state and sees nothing else but what is known about a step."""
    cell: Any = recurrent.layers[0][0]
    return Seq2Seq(
        Encoder(recurrent),
        cell,
        cell.hidden_size,
        bias,
        n_layers=len(recurrent.layers),
        dropout=dropout,
        n_known=n_known,
        generator=recurrent.generator,
    )


def windows_until(sequences: Sequences, window: int) -> Iterator[tuple[NDArray[np.intp], Sequences]]:
    """Lots of windows, one for each step that has as many steps before it in its sequence, and the rows where they end."""
    step = np.arange(sequences.n_steps_total) - np.repeat(sequences.offsets[:-1], sequences.lengths)
    ends = np.flatnonzero(step >= window - 1)
    n = max(1, _CHUNK_STEPS // window)
    for rows in np.split(ends, range(n, len(ends), n)) if len(ends) else ():
        values = sequences.values[rows[:, None] + np.arange(1 - window, 1)]
        yield rows, Sequences(values.reshape(len(rows) * window, -1), np.arange(len(rows) + 1) * window)


def written(network: Seq2Seq, pairs: Pairs, n_steps: int) -> Array:
    """The first steps that are written of each window (n_windows, n_steps, n_outputs)."""
    outputs = np.empty((len(pairs.known), len(network.head.b)))
    for index in pairs.chunks():
        outputs[pairs.rows(index)] = network(pairs.packed(index)).double().cpu().numpy()
    return outputs.reshape(len(pairs), -1, outputs.shape[1])[:, :n_steps]
