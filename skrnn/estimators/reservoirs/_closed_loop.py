"""Reservoirs that run on their own output: forecasts, and the penalty with which forecasts last longest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import State, map_state
from ..engine import rollout
from ..networks import Reservoirs
from ..training import Choice, RecursiveLeastSquares, svd_path

Array = NDArray[np.float64]
Read = Callable[[Array], Array]  # features (batch, n_features) to outputs (batch, n_targets)

ALPHAS = np.logspace(-16, 0, 25)  # in units of the mean eigenvalue of Z'Z
_N_STARTS = 10
_NUMBERS = 2**17


def linear(coef: Array, intercept: Array) -> Read:
    """One readout for all rows, or one for each."""
    if coef.ndim == 3:
        return lambda z: np.einsum("bp,bkp->bk", z, coef) + intercept
    rows = max(1, _NUMBERS // coef.shape[1])  # float32 rows become float64 in pieces that stay in the cache
    return lambda z: np.concatenate([z[low : low + rows] @ coef.T for low in range(0, len(z), rows)]) + intercept


@dataclass(frozen=True)
class ClosedLoop:
    """A network whose last inputs are its readout's outputs, less ``mean`` and divided by ``scale``."""

    network: Reservoirs
    mean: Array
    scale: Array

    def run(self, read: Read, state: tuple[State, Tensor], n_steps: int, inputs: Tensor | None = None) -> tuple[Array, tuple[State, Tensor]]:
        """Outputs (n_steps, batch, n_targets), and states and last output after them; ``inputs`` (n_steps, batch, n_features) come first."""
        outputs = []

        def advance(x: Tensor, states: State) -> tuple[Tensor, State]:
            features, states = self.network(PackedSequence(x, torch.tensor([len(x)])), states)
            outputs.append(read(features.double().cpu().numpy()))
            return self.fed(outputs[-1]), states

        with np.errstate(over="ignore", invalid="ignore"):  # a readout that diverges gives infinity, which is what happens
            _, states = rollout(advance, state[0], n_steps, first=self.fed(state[1].double().cpu().numpy()), inputs=inputs)
        return np.stack(outputs), (states, torch.from_numpy(outputs[-1]))

    def fed(self, y: Array) -> Tensor:
        """Outputs as the network gets them."""
        return torch.from_numpy((y - self.mean) / self.scale).to(self.network.device, self.network.dtype)

    def learn(self, rls: RecursiveLeastSquares, state: tuple[State, Tensor], targets: Array, counted: Any, inputs: Tensor) -> State:
        """Learn from targets (n_steps, n_targets) of one sequence while the loop is closed (FORCE); the states after it.

        In steps that are not ``counted`` the target itself is fed back, and nothing is learned.
        """
        wanted = zip(targets, counted, strict=True)

        def read(features: Array) -> Array:
            y, counts = next(wanted)
            return rls.update_step(features[0], y)[None] if counts else y[None]

        return self.run(read, state, len(targets), inputs)[1][0]


class Driven(NamedTuple):
    """A sequence as the network gets it (n_steps, n_inputs), outputs (n_steps, n_targets), and where the outputs begin to count."""

    x: Tensor
    y: Array
    first: int


def choose_by_free_run(loop: ClosedLoop, data: list[Driven], share: float) -> tuple[Array, Array, Choice]:
    """Coefficients, intercept and the penalty with which free runs stay closest to the targets.

    The last ``share`` of each sequence is held out. From ten places in it, which the network reaches on the true inputs, it runs freely for half of
    that part; compared is the mean over runs and steps of the squared error in units of the targets' variance, at most 1. Inputs that are not fed
    back are the true ones.
    """
    length = min(int(len(d.y) * share) // 2 for d in data)
    rows, known, starts = [], [], []
    for d in data:
        split = len(d.y) - int(len(d.y) * share)
        if length < _N_STARTS or split <= d.first:
            raise ValueError(f"alpha='closed_loop' needs longer sequences: one has {len(d.y)} steps, of which {d.first} are washed out")
        places = split + np.arange(_N_STARTS) * ((len(d.y) - split - length) // _N_STARTS)
        features, states = _stops(loop.network, d.x, places)
        rows.append((features[d.first :], d.y[d.first :]))
        known.append((features[d.first : split], d.y[d.first : split]))
        starts += [(state, d.x[t : t + length], d.y[t - 1 : t + length]) for state, t in zip(states, places.tolist(), strict=True)]
    Z, Y = (np.concatenate(parts) for parts in zip(*known, strict=True))
    alphas = ALPHAS * max(float(Z.var(axis=0).sum()) * len(Z) / Z.shape[1], np.finfo(float).tiny)
    scores = _scores(loop, svd_path(Z, Y, alphas), starts, Y.var(axis=0))
    best = len(alphas) - 1 - int(np.argmin(scores[::-1]))  # the largest of equals
    Z, Y = (np.concatenate(parts) for parts in zip(*rows, strict=True))
    coef, intercept = svd_path(Z, Y, alphas[best : best + 1])
    return coef[0], intercept[0], Choice(float(alphas[best]), alphas, scores)


def _stops(network: Reservoirs, x: Tensor, places: NDArray[np.int64]) -> tuple[Array, list[State]]:
    """Features of all steps of one sequence, and the states before the steps ``places``."""
    state = network.start(1)
    features, states = [], []
    for part in x.split(np.diff(places, prepend=0, append=len(x)).tolist()):
        for block, end in network.blocks(PackedSequence(part, torch.ones(len(part), dtype=torch.int64)), state):
            features.append(block.double().cpu().numpy())
            state = end
        states.append(state)
    return np.concatenate(features), states[:-1]


def _scores(loop: ClosedLoop, path: tuple[Array, Array], starts: list[Any], variance: Array) -> Array:
    """Of every readout of a path: the mean bounded error of its free runs."""
    states, inputs, targets = zip(*starts, strict=True)
    n, n_runs = len(path[0]), len(starts)
    together = map_state(lambda *s: torch.cat(s).repeat(n, *[1] * (s[0].dim() - 1)), *states)
    y = np.stack(targets, axis=1)  # (1 + n_steps, n_runs, n_targets)
    n_outer = inputs[0].shape[1] - y.shape[2]
    outer = torch.stack(inputs, 1)[:, :, :n_outer].repeat(1, n, 1)
    read = linear(*(np.repeat(weights, n_runs, axis=0) for weights in path))
    last = torch.from_numpy(np.tile(y[0], (n, 1)))
    free, _ = loop.run(read, (together, last), len(y) - 1, outer)
    with np.errstate(over="ignore", invalid="ignore"):
        error = ((free.reshape(len(free), n, n_runs, -1) - y[1:, None]) ** 2 / np.where(variance > 0, variance, 1.0)).mean(axis=3)
    return np.asarray(np.where(error < 1, error, 1.0).mean(axis=(0, 2)))
