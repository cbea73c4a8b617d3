"""The choice of a reservoir's scales before anything is fitted: many small reservoirs run as one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import product
from typing import Any, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from ... import kernels
from ...cells import Reservoir
from ...data import Sequences
from ...training import NormalEquations, choose_alpha
from ..face._guards import infinite_states
from ._blueprint import Blueprint, Scales
from ._shared_work import READOUT, shared

CHOICES = Scales((0.5, 0.9, 1.1), (1.0, 0.5, 0.2), (0.03, 0.1, 0.3, 1.0))
N_UNITS = 100
N_AGAIN, N_UNITS_AGAIN = 5, 300  # what is best with few units may not be with many: some of the best are compared once more
N_STEPS = 5000
_TRIAL_BLOCK = 512


class Gather(Protocol):
    """Takes rows of features as they come, and ends with normal equations in folds."""

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


def choose_scales(blueprint: Blueprint, sequences: Sequences, gather: Callable[[int], Gather], n_units: tuple[int, ...]) -> list[Scales]:
    """Values for the scales of an estimator, those left at "auto" chosen, the best first; ``None`` where a cell has its own.

    Parameters
    ----------
    blueprint : Blueprint
    sequences : Sequences
        Some, standardised.
    gather : callable
        Makes what one candidate's features go to, from their number; equal for equal data.
    n_units : tuple of int
        All are tried with reservoirs of at most so many units, some of the best with the next number.

    Returns
    -------
    list of Scales
    """
    model = blueprint.model
    if model.cell is not None:
        return [Scales(None, None, None)]
    told = Scales(model.spectral_radius, model.leak_rate, model.input_scaling)
    given = {name: value for name, value in told._asdict().items() if not isinstance(value, str)}
    if len(given) == len(told):
        return [told]
    per_channel = told.input_scaling if isinstance(told.input_scaling, tuple) else None

    def ranked() -> list[Scales]:
        found = _grid(given if per_channel is None else given | {"input_scaling": 1.0})
        others: list[Scales] = []
        for n in dict.fromkeys(min(model.hidden_size, n) for n in n_units):
            trial = Trial(sequences, len(blueprint.fed_back), blueprint.build_small(n, per_channel), model.include_input)
            found = tune(trial, found, gather)
            found, others = found[:N_AGAIN], found[N_AGAIN:] + others
        if not found + others:
            raise infinite_states()
        return found + others

    known = {name: value for name, value in model.get_params(deep=False).items() if name not in READOUT}
    best = shared("scales", (known, sequences.values, sequences.offsets, gather, blueprint.fed_back, blueprint.seed), ranked)
    return [candidate._replace(**given) for candidate in cast(list[Scales], best)]


def _grid(given: dict[str, Any]) -> list[Scales]:
    """All combinations of scales in which what is given stays."""
    return [Scales(*values) for values in product(*((given[name],) if name in given else CHOICES._asdict()[name] for name in Scales._fields))]


def tune(trial: Trial, candidates: list[Scales], gather: Callable[[int], Gather]) -> list[Scales]:
    """Candidates for the scales, in the order of how well held-out folds are predicted with them, without those whose states grow without bound."""
    if len(candidates) == 1:
        return candidates
    n_inputs = trial.sequences.n_features * trial.include_input
    gathers = [gather(n_inputs + trial.reservoir.hidden_size) for _ in candidates]
    with np.errstate(over="ignore", invalid="ignore"):  # a candidate whose states grow without bound is out
        finite = _try_all(trial, candidates, gathers)
    scores = [float(np.min(choose_alpha(gathers[k].equations()).scores)) for k in np.flatnonzero(finite)]
    return [candidates[k] for k in np.flatnonzero(finite)[np.argsort(scores, kind="stable")]]


def _try_all(trial: Trial, candidates: list[Scales], gathers: list[Gather]) -> NDArray[np.bool_]:
    """Let every candidate see all sequences; whether its states stayed finite."""
    cell, values = trial.reservoir, trial.sequences.values.astype(np.float32)
    n = values.shape[1] - trial.fed_back
    W, b = (w.numpy().astype(np.float32) for w in (cell.W, cell.b))
    R = kernels.Sparse.compress(np.asarray(cell.recurrent_matrix(), dtype=np.float32))
    name = cell.activation if isinstance(cell.activation, str) else "tanh"
    finite = np.ones(len(candidates), dtype=bool)
    scaling = np.array([np.mean(c.input_scaling) for c in candidates])
    for scale in np.unique(scaling):
        some = np.flatnonzero(scaling == scale)
        radius, rate = (np.array([np.mean(candidates[k][place]) for k in some]) for place in (0, 1))
        scales = kernels.Candidates(radius, rate, np.ones(len(some)), np.ones(len(some)))
        u = np.float32(scale) * (values[:, :n] @ W[:, :n].T) + values[:, n:] @ W[:, n:].T
        parts = zip(trial.sequences.offsets[:-1].tolist(), trial.sequences.offsets[1:].tolist(), strict=True)
        runs = (states for low, high in parts for states in kernels.run_candidates(name, u[low:high], b, R, scales, block_size=_TRIAL_BLOCK))
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
    """The same rows in blocks of not much less than ``_TRIAL_BLOCK``, as sequences may be short."""
    waiting: list[NDArray[Any]] = []
    for states in runs:
        waiting.append(states)
        if sum(map(len, waiting)) >= _TRIAL_BLOCK:
            yield np.concatenate(waiting)
            waiting = []
    if waiting:
        yield np.concatenate(waiting)
