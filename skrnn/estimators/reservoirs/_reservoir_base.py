"""From sequences to the states of reservoirs: what all echo state estimators share."""

from __future__ import annotations

import warnings
from abc import ABC
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..cells import Cell, Reservoir, State, map_state, resolve
from ..data import Sequences
from ..networks import Reservoirs
from ..training import Batches, channel_statistics
from ._guards import device_of, infinite_states
from ._reservoir_parameters import ReservoirParameters, parameters
from ._shared_work import shared, shared_network, shared_states
from ._step_values import as_arrays

_FORGOTTEN = 1e-6  # weights of a readout may be in the thousands: what is left of the start must be small against their inverse
_LARGEST = 1e100  # state whose square can be summed

Block = tuple[NDArray[np.int64], NDArray[Any]]  # where rows of states lie end to end, and the rows


@parameters
class BaseReservoir(ReservoirParameters, ABC):
    """Standardises, builds, and runs."""

    def _measure(self, sequences: Sequences, weight: NDArray[np.float64] | None = None) -> None:
        """Learn the standardisation of the channels."""
        if self.fan_in is not None and self.fan_in > self.hidden_size:
            raise ValueError(f"The 'fan_in' parameter of {type(self).__name__} must be at most hidden_size={self.hidden_size}; got {self.fan_in}")
        if self.standardize:
            self.mean_, self.scale_ = channel_statistics(sequences, weight)
        else:
            self.mean_, self.scale_ = np.zeros(sequences.n_features), np.ones(sequences.n_features)

    def _warn_of_constants(self, sequences: Sequences) -> None:
        values = sequences.values
        if all((values[:, k] == values[0, k]).all() for k in range(values.shape[1])):
            warnings.warn("All channels of X are constant: the reservoir sees nothing that tells steps or sequences apart", UserWarning, stacklevel=4)

    def _cells(self, settings: dict[str, Any], fed_back: tuple[float, ...]) -> list[list[Cell]]:
        """The layers of each group; the last channels of the input may be outputs that are fed back, with scalings of their own."""
        if self.cell is not None:
            return [[resolve(self.cell)] * self.n_layers] * self.n_groups
        rates, scaling, n_channels = settings["leak_rate"], settings["input_scaling"], len(self.mean_)
        self._require_as_many("leak_rate", rates, *(("n_groups", self.n_groups) if self.n_groups > 1 else ("hidden_size", self.hidden_size)))
        self._require_as_many("input_scaling", scaling, "channels of X", n_channels)
        rates = rates if isinstance(rates, tuple) and self.n_groups > 1 else (rates,) * self.n_groups
        names = ("activation", "bias_scaling", "fan_in", "density", "topology", "noise")
        same = {name: getattr(self, name) for name in names} | {"spectral_radius": settings["spectral_radius"]}
        lowest = (*(scaling if isinstance(scaling, tuple) else (scaling,) * n_channels), *fed_back) if fed_back else scaling
        scalings = [lowest] + [float(np.mean(scaling))] * (self.n_layers - 1)
        return [[Reservoir(leak_rate=rate, input_scaling=s, **same) for s in scalings] for rate in rates]

    def _require_as_many(self, name: str, value: Any, of: str, n: int) -> None:
        if isinstance(value, tuple) and len(value) != n:
            raise ValueError(f"The {name!r} parameter of {type(self).__name__} must be a number or a tuple of {n} ({of}); got {len(value)} numbers")

    def _build(self, settings: dict[str, Any], seed: int, fed_back: tuple[float, ...] = ()) -> Reservoirs:
        sizes = len(self.mean_) + len(fed_back), self.hidden_size

        def draw(cells: list[list[Cell]]) -> Reservoirs:
            return Reservoirs(cells, *sizes, include_input=self.include_input, generator=torch.Generator().manual_seed(seed))

        with torch.inference_mode(False):  # users may ask the network for gradients
            cells, place = self._cells(settings, fed_back), (device_of(self), getattr(torch, self.dtype))
            if self.noise > 0:
                return draw(cells).to(*place)
            return shared_network(draw, cells, (*sizes, self.include_input, seed), place)

    def _memory(self, values: NDArray[Any], moments: tuple[NDArray[Any], NDArray[Any]], seed: int) -> int:
        """Steps after which a millionth is left of a difference in the state before the first."""
        network, sequence = self.network_, Sequences(values, np.array([0, len(values)]))

        def measure() -> int:
            packed = Batches(sequence, *moments, network.dtype, network.device).packed(np.array([0]))
            left = network.forgetting(packed, 5, torch.Generator().manual_seed(seed)).cpu().numpy()
            return int(np.flatnonzero(left > _FORGOTTEN).max(initial=-1)) + 1

        return int(shared(network, (values, moments, seed), measure))

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in self.__dict__

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class Pass:
    """One pass of a network over sequences, block after block; afterwards ``after`` is the state of each sequence.

    Parameters
    ----------
    network : Reservoirs
    sequences : Sequences
    moments : tuple of ndarray of shape (n_features,)
        Subtracted from every step, and divided by.
    states : State, default=None
        Of each sequence before its first step; ``None``: as the network begins.
    alone : bool, default=False
        Sequence after sequence, each from its first step to its last.
    noisy : bool, default=False
        With the noise of training.
    """

    after: State

    def __init__(
        self,
        network: Reservoirs,
        sequences: Sequences,
        moments: tuple[NDArray[Any], NDArray[Any]],
        states: State | None = None,
        *,
        alone: bool = False,
        noisy: bool = False,
    ) -> None:
        self._network, self._states, self._noisy = network, states, noisy
        self._sequences, self._moments = sequences, moments
        self._batches = Batches(sequences, *moments, network.dtype, network.device)
        self._indices = list(np.arange(len(sequences))[:, None]) if alone else list(self._batches.chunks())

    def __iter__(self) -> Iterator[Block]:
        if not self._noisy:  # a network that predicts is never touched
            recorded = None if self._states is not None else shared_states(self._network, self._sequences, self._moments, self._record)
            yield from self._blocks() if recorded is None else self._replay(*recorded)
            return
        self._network.train()
        try:
            yield from self._blocks()
        finally:
            self._network.eval()

    def _record(self, sequences: Sequences, states: State | None) -> tuple[NDArray[Any], State]:
        """Features of all steps of sequences, end to end, and their states afterwards."""
        run = Pass(self._network, sequences, self._moments, states)
        features = np.empty((sequences.n_steps_total, self._network.output_size), str(self._network.dtype).removeprefix("torch."))
        for rows, block in run._blocks():
            features[rows] = block
        return features, run.after

    def _replay(self, features: NDArray[Any], after: State) -> Iterator[Block]:
        n = self._network.block_rows
        for low in range(0, len(features), n):
            block = features[low : low + n]
            _require_finite(block)
            yield np.arange(low, low + len(block)), block
        self.after = after

    def _blocks(self) -> Iterator[Block]:
        ends = []
        for index in self._indices:
            packed, rows, done = self._batches.packed(index), self._batches.rows(index), 0
            now = self._network.start(len(index)) if self._states is None else map_state(lambda s, i=index: s[i], self._states)
            for features, end in self._network.blocks(packed, now):
                block, now = features.cpu().numpy(), end
                _require_finite(block)
                yield rows[done : done + len(block)], block
                done += len(block)
            ends.append(now)
        back = np.argsort(np.concatenate(self._indices))
        self.after = as_arrays(map_state(lambda *parts: torch.cat(parts)[back], *ends))


def _require_finite(block: NDArray[Any]) -> None:
    if not -_LARGEST < float(block.min()) <= float(block.max()) < _LARGEST:
        raise infinite_states()
