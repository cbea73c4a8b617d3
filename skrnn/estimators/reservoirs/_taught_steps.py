"""Sequences with a row of targets for each of their steps: how they are read, in which folds, and what a choice of scales sees of them."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data import ROWS, Sequences, check_same_times, offsets_of, places_in
from ...training import contiguous_folds
from ..face._guards import require_target
from ..face._readers import Steps
from ..face._step_values import numbers
from ._drive import Units
from ._driven_data import StepEquations
from ._scales import N_STEPS, few_sequences

Array = NDArray[np.float64]

_TRIAL_WASHOUT = 100


class TaughtSteps(NamedTuple):
    """Sequences, a row of targets for each step, and how much each counts: 0 where there is no target."""

    sequences: Sequences
    targets: Array
    weight: Array | None

    @property
    def last_targets(self) -> Array:
        """Of each sequence."""
        return self.targets[self.sequences.offsets[1:] - 1]


def read_taught_steps(model: Any, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> TaughtSteps:
    """X and y, checked; ``reset`` notes what later data are compared with."""
    require_target(model, y)
    reader = Steps(model.dtype, model.standardize)
    given = reader.read(model, X, reset=reset)
    check_same_times(X, y)
    rows = numbers(reader.align(y, given))
    targets = rows.reshape(len(rows), -1)
    weight = None if sample_weight is None else reader.weights(sample_weight, given)
    missing: NDArray[np.bool_] = np.isnan(targets).sum(axis=1) > 0
    if missing.any():
        if model.feedback or missing.all():
            raise ValueError("y needs a target for " + ("every step with feedback=True" if model.feedback else "at least one step") + "; it has NaN")
        weight = np.where(missing, 0.0, 1.0 if weight is None else weight)
        targets = np.where(missing[:, None], 0.0, targets)
    if reset:
        model._one_series, model._single_output, model._n_outputs = given.layout == ROWS, rows.ndim == 1, targets.shape[1]
    elif targets.shape[1] != model._n_outputs:
        raise ValueError(f"y has {targets.shape[1]} outputs (columns), expected {model._n_outputs}")
    return TaughtSteps(given.sequences, targets, weight)


def step_folds(model: Any, lengths: NDArray[np.int64], weight: Array | None, washout: int, *, at_least: int) -> NDArray[np.int8]:
    """The fold of each step; -1 where it does not count."""
    starts = np.cumsum(lengths) - lengths
    counted = places_in(lengths) >= washout
    if weight is not None:
        counted &= weight > 0
    n = int(counted.sum())
    if n < at_least:
        raise ValueError(
            f"Too few steps to learn from, {n}: of n_samples = {len(counted)}, {washout} of each sequence are washed out and others may have no "
            f"target; alpha={model.alpha!r} needs {at_least}"
        )
    fold, left = np.full(len(counted), -1, dtype=np.int8), np.add.reduceat(counted, starts, dtype=np.int64)
    fold[counted] = contiguous_folds(left[left > 0], min(model.n_folds, n))
    return fold


def step_trial(model: Any, taught: TaughtSteps, units: Units, driving: Sequences) -> tuple[Sequences, partial[StepEquations]]:
    """Some standardised steps of what drives the network, to choose the scales on, and what collects the features of them."""
    mean, scale = units.of_inputs
    begins, some = _with_targets(taught)
    index = some[few_sequences(driving.lengths[some], np.argsort(np.arange(len(some)) * 0.618 % 1), 1)]  # from all over the place
    lengths = np.minimum(driving.lengths[index], N_STEPS)
    rows = np.concatenate([np.arange(low, low + n) for low, n in zip(begins[index], lengths, strict=True)])
    few = Sequences((driving.values[rows] - mean) / scale, offsets_of(lengths))
    targets = (taught.targets[rows] - units.target_mean) / units.target_scale
    weight = None if taught.weight is None else taught.weight[rows]
    fold = step_folds(model, few.lengths, weight, min(_TRIAL_WASHOUT, int(lengths.min()) // 4), at_least=2)
    return few, partial(StepEquations, targets=targets, weight=weight, fold=fold, n_folds=model.n_folds)


def require_longer(washout: int | str, lengths: NDArray[np.int64]) -> None:
    """Refuse sequences of which a washout that is given leaves nothing."""
    shortest = int(lengths.argmin())
    if washout != "auto" and int(washout) >= (n := int(lengths[shortest])):
        raise ValueError(f"washout={washout} must be less than the length of every sequence; sequence {shortest} has {n} steps")


def _with_targets(taught: TaughtSteps) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The row of each sequence from which to look at ``N_STEPS`` of it, shortly before the first that counts; and which sequences have any."""
    lows, highs = taught.sequences.offsets[:-1], taught.sequences.offsets[1:]
    if taught.weight is None:
        return lows, np.arange(len(lows))
    known = np.append(np.flatnonzero(taught.weight), taught.sequences.n_steps_total)
    first = known[np.searchsorted(known[:-1], lows)]
    begins = np.minimum(np.maximum(first - _TRIAL_WASHOUT, lows), highs - np.minimum(highs - lows, N_STEPS))
    return begins, np.flatnonzero(first < highs)
