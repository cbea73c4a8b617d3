"""From the parameters of an estimator to its reservoirs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from ...cells import Cell, Reservoir, resolve
from ...data import Sequences
from ...networks import Reservoirs
from ...training import Batches
from ..face._guards import device_of
from ._shared_work import Standardisation, shared, shared_network

_FORGOTTEN = 1e-6  # weights of a readout may be in the thousands: what is left of the start must be small against their inverse
_MEASURED_STEPS = 1000


class Scales(NamedTuple):
    """What is searched first of a reservoir; ``None`` where a cell has its own."""

    spectral_radius: Any
    leak_rate: Any
    input_scaling: Any


class Drawn(NamedTuple):
    """Reservoirs with their scales, and the steps after which they have forgotten the state before the first; 0 if it was not measured."""

    scales: Scales
    network: Reservoirs
    memory: int


@dataclass(frozen=True)
class Blueprint:
    """Reservoirs as the parameters of an estimator describe them.

    Parameters
    ----------
    model : estimator
        With the parameters of ``ReservoirSettings``, and where to compute.
    n_channels : int
        Of the input.
    seed : int
        Of the weights.
    fed_back : tuple of float
        The scalings of outputs that are fed back: channels behind those of the input.
    n_copies : int
        How many of all of them there are, side by side, each with weights of its own.
    """

    model: Any
    n_channels: int
    seed: int
    fed_back: tuple[float, ...] = ()
    n_copies: int = 1

    def __post_init__(self) -> None:
        model = self.model
        if model.fan_in is not None and model.fan_in > model.hidden_size:
            raise ValueError(f"The 'fan_in' parameter of {type(model).__name__} must be at most hidden_size={model.hidden_size}; got {model.fan_in}")

    def build(self, scales: Scales) -> Reservoirs:
        """All of them, with their weights."""
        model, sizes = self.model, (self.n_channels + len(self.fed_back), self.model.hidden_size)

        def draw(cells: list[list[Cell]]) -> Reservoirs:
            return Reservoirs(cells, *sizes, include_input=model.include_input, generator=torch.Generator().manual_seed(self.seed))

        with torch.inference_mode(False):  # users may ask the network for gradients
            cells, place = self.cells(scales) * self.n_copies, (device_of(model), getattr(torch, model.dtype))
            if model.noise > 0:
                return draw(cells).to(*place)
            return shared_network(draw, cells, (*sizes, model.include_input, self.seed), place)

    def build_first_that_forgets(self, ranked: list[Scales], values: NDArray[Any], standardisation: Standardisation, *, measured: bool) -> Drawn:
        """The first that forgets where it began, if there are several: what forgets with few units may not with all of them.

        ``values`` is a long sequence to see that on; of one reservoir the memory is ``measured`` only if that is asked for.
        """
        steps, memory = values[:_MEASURED_STEPS], 0
        for scales in [*ranked, ranked[0]]:
            network = self.build(scales)
            if measured or len(ranked) > 1:
                memory = memory_of(network, steps, standardisation, self.seed)
            if len(ranked) == 1 or len(steps) < _MEASURED_STEPS or memory < len(steps):
                break
        return Drawn(scales, network, memory)

    def build_small(self, n_units: int, channel_scalings: Any) -> Reservoir:
        """A reservoir of few units on the input alone whose scales are 1; scalings that are given for each channel are in its weights."""
        cell, fan_in = self.cells(Scales(1.0, 1.0, 1.0 if channel_scalings is None else channel_scalings))[0][0], self.model.fan_in
        small: Any = clone(cell).set_params(fan_in=None if fan_in is None else min(fan_in, n_units))
        return small.build(self.n_channels + len(self.fed_back), n_units, torch.Generator().manual_seed(self.seed))

    def cells(self, scales: Scales) -> list[list[Cell]]:
        """The layers of each group."""
        model, rates, scaling, n_groups = self.model, scales.leak_rate, scales.input_scaling, self.model.n_groups
        if model.cell is not None:
            return [[resolve(model.cell)] * model.n_layers] * n_groups
        self._require_as_many("leak_rate", rates, *(("n_groups", n_groups) if n_groups > 1 else ("hidden_size", model.hidden_size)))
        self._require_as_many("input_scaling", scaling, "channels of X", self.n_channels)
        rates = rates if isinstance(rates, tuple) and n_groups > 1 else (rates,) * n_groups
        lowest = (*(scaling if isinstance(scaling, tuple) else (scaling,) * self.n_channels), *self.fed_back) if self.fed_back else scaling
        scalings = [lowest] + [float(np.mean(scaling))] * (model.n_layers - 1)
        same = {
            "activation": model.activation,
            "spectral_radius": scales.spectral_radius,
            "bias_scaling": model.bias_scaling,
            "fan_in": model.fan_in,
            "density": model.density,
            "topology": model.topology,
            "noise": model.noise,
        }
        return [[Reservoir(leak_rate=rate, input_scaling=s, **same) for s in scalings] for rate in rates]

    def _require_as_many(self, name: str, value: Any, of: str, n: int) -> None:
        if isinstance(value, tuple) and len(value) != n:
            owner = type(self.model).__name__
            raise ValueError(f"The {name!r} parameter of {owner} must be a number or a tuple of {n} ({of}); got {len(value)} numbers")


def memory_of(network: Reservoirs, values: NDArray[Any], standardisation: Standardisation, seed: int) -> int:
    """Steps of a sequence after which a millionth is left of a difference in the state before the first."""

    def measure() -> int:
        sequence = Sequences(values, np.array([0, len(values)]))
        packed = Batches(sequence, *standardisation, network.dtype, network.device).packed(np.array([0]))
        left = network.forgetting(packed, 5, torch.Generator().manual_seed(seed)).cpu().numpy()
        return int(np.flatnonzero(left > _FORGOTTEN).max(initial=-1)) + 1

    return int(shared(network, (values, standardisation, seed), measure))
