"""What workers do with a partition, read by a copy of the estimator that knows nothing else (see ``only_reading``)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...networks import Reservoirs
from ...training import NormalEquations
from ._drive import Drive, Units
from ._driven_data import DrivenSequences, DrivenSteps
from ._labelled_sequences import read_labelled
from ._partitions import DelayedPair, sums_of_columns
from ._pooling import StatePooling, sums_of_states
from ._shared_work import Standardisation
from ._taught_steps import read_taught_steps

Array = NDArray[np.float64]


def describe_steps(reader: Any, pair: DelayedPair) -> tuple[NDArray[np.int64], NormalEquations, NormalEquations]:
    """The lengths of the sequences, and what the standardisation of channels and of targets for each step needs."""
    taught = read_taught_steps(reader, *pair, None, reset=False)
    return taught.sequences.lengths, sums_of_columns(taught.sequences.values), sums_of_columns(taught.targets, taught.weight)


def sum_steps(reader: Any, network: Reservoirs, units: Units, n_folds: int, pair: DelayedPair, fold: NDArray[np.int8]) -> tuple[NormalEquations, Any]:
    """The normal equations of steps, and the states and targets after the last ones."""
    taught = read_taught_steps(reader, *pair, None, reset=False)
    drive = Drive(network, units.driving(taught.sequences, taught.targets, units.target_mean), units.of_inputs)
    counted = fold if taught.weight is None else np.where(taught.weight > 0, fold, -1).astype(np.int8)
    sums = DrivenSteps(drive, taught.targets, taught.weight, counted).sums(n_folds)
    return sums, (drive.after, taught.last_targets)


def describe_sequences(reader: Any, pair: DelayedPair) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """The lengths of the sequences, and their labels."""
    given, labels = read_labelled(reader, *pair, reset=False)
    return given.sequences.lengths, labels


def sum_channels(reader: Any, pair: DelayedPair, weight: Array | None) -> tuple[NormalEquations, None]:
    """What the standardisation of channels needs, with a weight for each sequence."""
    (sequences, _), _ = read_labelled(reader, *pair, reset=False)
    return sums_of_columns(sequences.values, None if weight is None else np.repeat(weight, sequences.lengths)), None


def sum_states(reader: Any, network: Reservoirs, standardisation: Standardisation, pair: DelayedPair) -> tuple[NormalEquations, None]:
    """What the covariance of the states needs."""
    (sequences, _), _ = read_labelled(reader, *pair, reset=False)
    return sums_of_states(Drive(network, sequences, standardisation)), None


def sum_sequences(
    reader: Any, network: Reservoirs, standardisation: Standardisation, pooling: StatePooling, n_folds: int, pair: DelayedPair, *encoded: Any
) -> tuple[NormalEquations, None]:
    """The normal equations of pooled states; ``encoded`` are targets, weights and folds of the sequences."""
    (sequences, _), _ = read_labelled(reader, *pair, reset=False)
    return DrivenSequences(Drive(network, sequences, standardisation), pooling, *encoded).sums(n_folds), None
