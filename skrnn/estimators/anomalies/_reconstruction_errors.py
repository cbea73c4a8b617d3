"""Windows that a network reads and writes again from the end: windows, batches, the network, and its errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from ...data import Sequences, places_in
from ...networks import Autoencoder
from ...training import Batches, Pairs, Retellings
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


def retellings_of(windows: Sequences, batches: Batches, known: NDArray[np.floating]) -> Retellings:
    """Windows to read, and their steps from the end to write, about which something is ``known``."""
    columns = torch.from_numpy(known).to(batches.device, batches.dtype)
    return Retellings(Pairs(batches, windows.offsets, columns, columns.new_empty(len(windows), 0)))


def windows_until(sequences: Sequences, window: int) -> Iterator[tuple[NDArray[np.intp], Sequences]]:
    """Lots of windows, one for each step that has as many steps before it in its sequence, and the rows where they end."""
    step = places_in(sequences.lengths)
    ends = np.flatnonzero(step >= window - 1)
    n = max(1, _CHUNK_STEPS // window)
    for rows in np.split(ends, range(n, len(ends), n)) if len(ends) else ():
        values = sequences.values[rows[:, None] + np.arange(1 - window, 1)]
        yield rows, Sequences(values.reshape(len(rows) * window, -1), np.arange(len(rows) + 1) * window)


def written(network: Autoencoder, retellings: Retellings, n_steps: int) -> Array:
    """The first steps that are written of each window (n_windows, n_steps, n_outputs)."""
    outputs = np.empty((len(retellings.again.known), len(network.writer.head.b)))
    for index in retellings.chunks():
        outputs[retellings.rows(index)] = network(retellings.packed(index)).double().cpu().numpy()
    return outputs.reshape(len(retellings), -1, outputs.shape[1])[:, :n_steps]
