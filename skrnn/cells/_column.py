"""A column of neurons: which of them inhibit, which are connected, and by what kind of synapse."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

# Of synapses from excitatory to excitatory, excitatory to inhibitory, inhibitory to excitatory and inhibitory to inhibitory neurons.
_CHANCE = (0.3, 0.2, 0.4, 0.1)
_AMPLITUDE = (30.0, 60.0, -19.0, -19.0)  # nA
_USE = (0.5, 0.05, 0.25, 0.32)
_RECOVERY = (1100.0, 125.0, 700.0, 144.0)  # ms
_FACILITATION = (50.0, 1200.0, 20.0, 60.0)  # ms
_DELAY = (1.5, 0.8, 0.8, 0.8)  # ms

_AT_ONCE = 1e-9  # ms, after which nothing is left of a spike
_REGULAR = 50.0  # ms between spikes at 20 Hz


class Synapses(NamedTuple):
    """Synapses ordered by the neuron that they come from, a row of each tensor for a synapse; times in ms, amplitudes in nA."""

    pre: Tensor
    post: Tensor
    inhibits: Tensor
    delay: Tensor
    A: Tensor
    U: Tensor
    D: Tensor
    F: Tensor


def chosen(n: int, count: int, generator: Generator | None) -> Tensor:
    """Which ``count`` of ``n`` neurons were chosen at random."""
    return torch.zeros(n, dtype=torch.bool).index_fill(0, torch.randperm(n, generator=generator)[:count], True)


def connect(section: tuple[int, int], length: float, inhibits: Tensor, generator: Generator | None) -> Synapses:
    """Synapses between neurons that fill a column layer by layer: their chance falls with the distance D as ``exp(−(D / length)²)``.

    Amplitudes have an exponential distribution (gamma of shape 1); U, D and F are normal with a standard deviation of half the mean, where values
    outside 0 … twice the mean are replaced by uniform ones within.
    """
    H, kind = len(inhibits), 2 * inhibits[:, None] + inhibits.long()
    drawn = torch.rand(H, H, generator=generator, dtype=torch.float32)
    wanted = _by(kind, _CHANCE) * (-_squared_distances(H, *section) / length**2).exp() if length else torch.zeros(H, H)
    pre, post = (drawn < wanted.fill_diagonal_(0)).nonzero(as_tuple=True)
    if not len(pre):  # one synapse without effect: no part of the state is empty
        pre = post = torch.zeros(1, dtype=torch.int64)
    kind = kind[pre, post]
    sizes = torch.empty(len(pre), dtype=torch.float32).exponential_(generator=generator) * (drawn < wanted)[pre, post]
    U, D, F = (_by(kind, mean) * _around_one(len(pre), generator) for mean in (_USE, _RECOVERY, _FACILITATION))
    return Synapses(pre, post, inhibits[pre], _by(kind, _DELAY), _by(kind, _AMPLITUDE) * sizes, U, D, F)


def static(synapses: Synapses) -> Synapses:
    """Synapses that always have the strength to which dynamic ones settle in regular firing at 20 Hz: used up wholly, and recovered at once."""
    _, _, _, _, A, U, D, F = synapses
    left, lost = torch.exp(-_REGULAR / F), torch.exp(-_REGULAR / D)
    p = U / (1 - (1 - U) * left)
    r = (1 - lost) / (1 - (1 - p) * lost)
    at_once = torch.full_like(D, _AT_ONCE)
    return synapses._replace(A=A * p * r, U=torch.ones_like(U), D=at_once, F=at_once)


def _by(kind: Tensor, values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)[kind]


def _squared_distances(n: int, width: int, depth: int) -> Tensor:
    k = torch.arange(n)
    place = torch.stack([k % width, k // width % depth, k // (width * depth)], 1).to(torch.float32)
    return (place[:, None] - place).square().sum(-1)


def _around_one(n: int, generator: Generator | None) -> Tensor:
    normal = torch.empty(n, dtype=torch.float32).normal_(1, 0.5, generator=generator)
    uniform = torch.empty(n, dtype=torch.float32).uniform_(1e-3, 2, generator=generator)  # times of 0 would be no times
    return torch.where((normal - 1).abs() < 1 - 1e-3, normal, uniform)
