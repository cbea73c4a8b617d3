"""Which units of a reservoir are connected, and how strongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import sparse

from ._spectrum import spectral_radius

WEIGHTS = ("uniform", "normal", "sign")
_REWIRED = 0.1  # share of a small world's connections that lead anywhere
_TRIES = 20


class Wiring(NamedTuple):
    """What a topology is made from: size, inputs of each unit, length of jumps (None: the root of the size), and how weights are drawn."""

    size: int
    fan_in: int
    jump: int | None
    weights: str


def draw(kind: str, shape: tuple[int, ...], rng: Generator) -> NDArray[np.float64]:
    """Weights of scale 1: uniform in [-1, 1], standard normal, or -1 and 1 alike often."""
    if kind == "uniform":
        return rng.uniform(-1, 1, shape)
    return rng.standard_normal(shape) if kind == "normal" else rng.choice([-1.0, 1.0], shape)


def recurrent(topology: str, wiring: Wiring, radius: float, rng: Generator) -> Any:
    """R, a scipy sparse array, or dense where nothing is zero; its spectral radius is ``radius``, but for a delay line's weights."""
    return TOPOLOGIES[topology](wiring, radius, rng)


def _random(wiring: Wiring, radius: float, rng: Generator) -> Any:
    return _scaled(lambda: _with_sources(wiring, _distinct(wiring.size, wiring.fan_in, rng), rng), radius)


def _small_world(wiring: Wiring, radius: float, rng: Generator) -> Any:
    sources = _rewired(wiring.size, wiring.fan_in, rng)
    return _scaled(lambda: _with_sources(wiring, sources, rng), radius)


def _orthogonal(wiring: Wiring, radius: float, rng: Generator) -> Any:
    q, r = np.linalg.qr(rng.standard_normal((wiring.size, wiring.size)))
    return radius * q * np.where(np.diag(r) < 0, -1.0, 1.0)


def _cycle(wiring: Wiring, radius: float, rng: Generator) -> Any:
    units = np.arange(wiring.size)
    return _of_entries(wiring.size, units, np.roll(units, 1), radius)


def _delay_line(wiring: Wiring, radius: float, rng: Generator) -> Any:
    units = np.arange(1, wiring.size)
    return _of_entries(wiring.size, units, units - 1, radius)


def _cycle_jumps(wiring: Wiring, radius: float, rng: Generator) -> Any:
    size = wiring.size
    jump = max(2, round(size**0.5)) if wiring.jump is None else wiring.jump
    stops = np.arange(0, size + 1 if jump < size else 0, jump)  # where the last jump ends in unit `size`, that is unit 0
    there, back = stops[1:] % size, stops[:-1] % size
    jumps = _of_entries(size, np.append(there, back), np.append(back, there), 1.0)
    R = _cycle(wiring, 1.0, rng) + jumps
    R.data[:] = 1.0  # a jump that is also a step of the cycle counts once
    return _scaled(lambda: R, radius)


TOPOLOGIES: dict[str, Callable[[Wiring, float, Generator], Any]] = {
    "random": _random,
    "cycle": _cycle,
    "cycle_jumps": _cycle_jumps,
    "delay_line": _delay_line,
    "orthogonal": _orthogonal,
    "small_world": _small_world,
}


def _of_entries(size: int, rows: NDArray[Any], columns: NDArray[Any], value: float) -> Any:
    return sparse.csr_array((np.full(len(rows), value), (rows, columns)), shape=(size, size))


def _with_sources(wiring: Wiring, sources: NDArray[np.int64], rng: Generator) -> Any:
    ends = np.arange(0, sources.size + 1, sources.shape[1])
    entries = draw(wiring.weights, sources.shape, rng).ravel(), np.sort(sources, 1).ravel(), ends
    return sparse.csr_array(entries, shape=(wiring.size, wiring.size))


def _scaled(drawn: Callable[[], Any], radius: float) -> Any:
    """A drawn matrix with the spectral radius; small ones of signs may have the radius 0, and are drawn again."""
    for _ in range(_TRIES):
        R = drawn()
        now = spectral_radius(R)
        if now > 1e-6 * abs(R).max():
            return R * (radius / now)
    raise ValueError(f"{_TRIES} recurrent matrices drawn after each other had the spectral radius 0; choose a larger fan_in or other weights")


def _distinct(size: int, n: int, rng: Generator) -> NDArray[np.int64]:
    """``n`` different units for each unit, by Floyd's algorithm for all units at once."""
    chosen = np.empty((size, n), np.int64)
    for j in range(n):
        top = size - n + j
        one = rng.integers(0, top + 1, size)
        chosen[:, j] = np.where((chosen[:, :j] == one[:, None]).any(1), top, one)
    return chosen


def _rewired(size: int, n: int, rng: Generator) -> NDArray[np.int64]:
    """The ``n`` nearest units on a ring, itself last; a share of them replaced by any other unit that is not connected yet."""
    steps = np.append(np.arange(1, size), 0)
    steps[:-1] = steps[:-1][np.argsort(np.minimum(steps[:-1], size - steps[:-1]), kind="stable")]
    sources = (np.arange(size)[:, None] + steps[:n]) % size
    for j in range(n):
        one = rng.integers(0, size, size)
        moves = (rng.random(size) < _REWIRED) & ~(sources == one[:, None]).any(1)
        sources[:, j] = np.where(moves, one, sources[:, j])
    return sources
