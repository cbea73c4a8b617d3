"""The choice of a reservoir's scales before anything is fitted: many small reservoirs run as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..cells import Reservoir
from ..data import Sequences
from ..kernels import Candidates, Sparse, run_candidates
from ..training import NormalEquations, choose_alpha

CHOICES = {"spectral_radius": (0.5, 0.9, 1.1), "leak_rate": (1.0, 0.5, 0.2), "input_scaling": (0.03, 0.1, 0.3, 1.0)}
N_UNITS = 100
N_AGAIN, N_UNITS_AGAIN = 5, 300  # what is best with few units may not be with many: some of the best are compared once more
N_STEPS = 5000
_BLOCK = 512


class Gather(Protocol):
    """Takes rows of states as they come, and ends with normal equations in folds."""

    def see(self, rows: NDArray[np.int64], features: NDArray[Any]) -> None: ...

    def equations(self) -> NormalEquations: ...


class Trial(NamedTuple):
    """What candidates run on."""

    sequences: Sequences  # standardised
    fed_back: int  # last channels of the sequences that are outputs; only the others are scaled
    reservoir: Reservoir  # built with scales of 1
    include_input: bool


def few_sequences(lengths: NDArray[np.int64], order: NDArray[np.int64], at_least: int) -> NDArray[np.int64]:
    """Sequences for a trial, in this order: as many as have ``N_STEPS`` steps together, but ``at_least`` so many."""
    n = int(np.searchsorted(np.cumsum(lengths[order]), N_STEPS)) + 1
    return np.sort(order[: max(n, at_least)])


def grid(given: dict[str, Any]) -> list[dict[str, Any]]:
    """All combinations of scales in which what is given stays."""
    axes = [(given.get(name),) if name in given else values for name, values in CHOICES.items()]
    return [dict(zip(CHOICES, values, strict=True)) for values in product(*axes)]


def tune(trial: Trial, candidates: list[dict[str, Any]], gather: Callable[[int], Gather]) -> list[dict[str, Any]]:
    """Candidates for the scales, in the order of how well held-out folds are predicted with them, without those whose states grow without bound.

    Parameters
    ----------
    trial : Trial
    candidates : list of dict
        A value for each scale.
    gather : callable
        Makes what one candidate's features go to, from their number.

    Returns
    -------
    list of dict
        The best one first.
    """
    if len(candidates) == 1:
        return candidates
    n_inputs = trial.sequences.n_features * trial.include_input
    gathers = [gather(n_inputs + trial.reservoir.hidden_size) for _ in candidates]
    with np.errstate(over="ignore", invalid="ignore"):  # a candidate whose states grow without bound is out
        finite = _run(trial, candidates, gathers)
    scores = [float(np.min(choose_alpha(gathers[k].equations()).scores)) for k in np.flatnonzero(finite)]
    return [candidates[k] for k in np.flatnonzero(finite)[np.argsort(scores, kind="stable")]]


def _run(trial: Trial, candidates: list[dict[str, Any]], gathers: list[Gather]) -> NDArray[np.bool_]:
    """Let every candidate see all sequences; whether its states stayed finite."""
    cell, values = trial.reservoir, trial.sequences.values.astype(np.float32)
    n = values.shape[1] - trial.fed_back
    W, b = (w.numpy().astype(np.float32) for w in (cell.W, cell.b))
    R = Sparse.compress(np.asarray(cell.recurrent_matrix(), dtype=np.float32))
    name = cell.activation if isinstance(cell.activation, str) else "tanh"
    finite = np.ones(len(candidates), dtype=bool)
    scaling = np.array([np.mean(c["input_scaling"]) for c in candidates])
    for scale in np.unique(scaling):
        some = np.flatnonzero(scaling == scale)
        radius, rate = (np.array([np.mean(candidates[k][name]) for k in some]) for name in ("spectral_radius", "leak_rate"))
        scales = Candidates(radius, rate, np.ones(len(some)), np.ones(len(some)))
        u = np.float32(scale) * (values[:, :n] @ W[:, :n].T) + values[:, n:] @ W[:, n:].T
        parts = zip(trial.sequences.offsets[:-1].tolist(), trial.sequences.offsets[1:].tolist(), strict=True)
        runs = (states for low, high in parts for states in run_candidates(name, u[low:high], b, R, scales, block_size=_BLOCK))
        low = 0
        for block in _in_blocks(runs):
            rows = slice(low, low + len(block))
            for k, own in zip(some, np.moveaxis(block, 2, 0), strict=True):
                finite[k] &= np.isfinite(own).all()
                if finite[k]:
                    features = np.hstack([values[rows], own]) if trial.include_input else own
                    gathers[k].see(np.arange(rows.start, rows.stop), features)
            low = rows.stop
    return finite


def _in_blocks(runs: Iterable[NDArray[Any]]) -> Iterator[NDArray[Any]]:
    """The same rows in blocks of not much less than ``_BLOCK``, as sequences may be short."""
    waiting: list[NDArray[Any]] = []
    for states in runs:
        waiting.append(states)
        if sum(map(len, waiting)) >= _BLOCK:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
