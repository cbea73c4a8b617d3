"""Networks that are driven by sequences, and channels in the units in which they get them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...cells import State, map_state
from ...data import Sequences
from ...networks import Reservoirs
from ...training import Batches
from ..face._guards import infinite_states
from ..face._step_values import as_arrays
from ._shared_work import Recorded, Standardisation, shared_states

Array = NDArray[np.float64]
Block = tuple[NDArray[np.int64], NDArray[Any]]  # where rows of features lie end to end, and the rows

_LARGEST = 1e100  # state whose square can be summed


@dataclass(eq=False)
class Drive:
    """A network over sequences: :meth:`blocks` gives the features of all steps, block after block.

    Parameters
    ----------
    network : Reservoirs
    sequences : Sequences
        As the user has them, maybe with outputs that are fed back behind the channels.
    standardisation : tuple of ndarray of shape (n_channels,)
        Subtracted from every step, and divided by.
    states : State, default=None
        Of each sequence before its first step; ``None``: as the network begins.
    noisy : bool, default=False
        With the noise of training.

    Attributes
    ----------
    after : State
        Of each sequence after its last step, once all blocks are through.
    """

    network: Reservoirs
    sequences: Sequences
    standardisation: Standardisation
    states: State | None = None
    noisy: bool = False
    after: State = field(init=False)

    def blocks(self, *, alone: bool = False) -> Iterator[Block]:
        """Features of all steps; ``alone`` is sequence after sequence, each from its first step to its last."""
        if not self.noisy:  # a network that predicts is never touched
            recorded = None if self.states is not None else shared_states(self.network, self.sequences, self.standardisation, self._record)
            yield from self._run(alone) if recorded is None else self._replay(*recorded)
            return
        self.network.train()
        try:
            yield from self._run(alone)
        finally:
            self.network.eval()

    def features(self) -> NDArray[Any]:
        """Features of all steps, end to end."""
        return self._end_to_end(self.blocks())

    @cached_property
    def _batches(self) -> Batches:
        return Batches(self.sequences, *self.standardisation, self.network.dtype, self.network.device)

    def _record(self, sequences: Sequences, states: State | None) -> Recorded:
        """Features of all steps of sequences, end to end, and their states afterwards."""
        drive = Drive(self.network, sequences, self.standardisation, states)
        return drive._end_to_end(drive._run()), drive.after

    def _end_to_end(self, blocks: Iterator[Block]) -> NDArray[Any]:
        features = np.empty((self.sequences.n_steps_total, self.network.output_size), str(self.network.dtype).removeprefix("torch."))
        for rows, block in blocks:
            features[rows] = block
        return features

    def _replay(self, features: NDArray[Any], after: State) -> Iterator[Block]:
        n = self.network.block_rows
        for low in range(0, len(features), n):
            block = features[low : low + n]
            _require_finite(block)
            yield np.arange(low, low + len(block)), block
        self.after = after

    def _run(self, alone: bool = False) -> Iterator[Block]:
        ends, indices = [], list(np.arange(len(self.sequences))[:, None]) if alone else list(self._batches.chunks())
        for index in indices:
            packed, rows, done = self._batches.packed(index), self._batches.rows(index), 0
            now = self.network.start(len(index)) if self.states is None else map_state(lambda s, i=index: s[i], self.states)
            for features, end in self.network.blocks(packed, now):
                block, now = features.cpu().numpy(), end
                _require_finite(block)
                yield rows[done : done + len(block)], block
                done += len(block)
            ends.append(now)
        back = np.argsort(np.concatenate(indices))
        self.after = as_arrays(map_state(lambda *parts: torch.cat(parts)[back], *ends))


@dataclass(frozen=True)
class Units:
    """Channels and targets in units of their own; with ``feedback`` a network gets the targets too, one step late.

    Parameters
    ----------
    mean, scale : ndarray of shape (n_channels,)
    target_mean, target_scale : ndarray of shape (n_targets,)
    feedback : bool
    """

    mean: Array
    scale: Array
    target_mean: Array
    target_scale: Array
    feedback: bool

    @property
    def of_inputs(self) -> Standardisation:
        """Means and scales of all that the network gets."""
        if not self.feedback:
            return self.mean, self.scale
        return np.concatenate([self.mean, self.target_mean]), np.concatenate([self.scale, self.target_scale])

    @property
    def of_fed_back(self) -> Standardisation:
        """Means and scales of outputs that are the next inputs."""
        return (self.target_mean, self.target_scale) if self.feedback else (self.mean, self.scale)

    def driving(self, sequences: Sequences, targets: Array, last: Array) -> Sequences:
        """What the network gets: maybe the targets one step late beside the channels; ``last`` are those before the first steps."""
        if not self.feedback:
            return sequences
        late = np.empty_like(targets)
        late[1:] = targets[:-1]
        late[sequences.offsets[:-1]] = last
        return sequences.with_values(np.hstack([sequences.values, late]))


def warn_of_constants(sequences: Sequences) -> None:
    """Say that nothing can be learned from channels that are all constant."""
    values = sequences.values
    if all((values[:, k] == values[0, k]).all() for k in range(values.shape[1])):
        warnings.warn("All channels of X are constant: the reservoir sees nothing that tells steps or sequences apart", UserWarning, stacklevel=4)


def _require_finite(block: NDArray[Any]) -> None:
    if not -_LARGEST < float(block.min()) <= float(block.max()) < _LARGEST:
        raise infinite_states()
