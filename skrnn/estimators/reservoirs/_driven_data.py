"""What readouts learn from: driven sequences, with a row of targets for each step or for each sequence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...training import NormalEquations
from ._drive import Drive
from ._pooling import StatePooling

Array = NDArray[np.float64]


class StepEquations:
    """Rows of steps as normal equations; a step of fold -1 does not count."""

    def __init__(self, width: int, targets: Array, weight: Array | None, fold: NDArray[np.int8], n_folds: int) -> None:
        self._targets, self._weight, self._fold = targets, weight, fold
        self._sums = NormalEquations(width, targets.shape[1], n_folds)
        self._one_fold = n_folds == 1

    def see(self, rows: NDArray[np.int64], features: NDArray[Any]) -> None:
        """Add what counts."""
        fold = self._fold[rows]
        if (fold < 0).any():
            there = fold >= 0
            rows, features, fold = rows[there], features[there], fold[there]
        if len(rows):
            weight = None if self._weight is None else self._weight[rows]
            self._sums.add(features, self._targets[rows], weight, 0 if self._one_fold else fold.astype(np.int64))

    def equations(self) -> NormalEquations:
        """All of it."""
        return self._sums


class SequenceEquations:
    """Pooled states of the few sequences of a trial as normal equations."""

    def __init__(
        self,
        width: int,
        pooling: StatePooling,
        offsets: NDArray[np.int64],
        targets: Array,
        weight: Array | None,
        fold: NDArray[np.int64],
        n_folds: int,
    ) -> None:
        self._vectors = pooling.start_trial(offsets, width)
        self._targets, self._weight, self._fold, self._n_folds = targets, weight, fold, n_folds
        self.see = self._vectors.see

    def equations(self) -> NormalEquations:
        """A row for each sequence."""
        rows = self._vectors.result()
        return NormalEquations(rows.shape[1], self._targets.shape[1], self._n_folds).add(rows, self._targets, self._weight, self._fold)


class DrivenData(ABC):
    """Rows of features on their way through a network, with targets, weights and folds."""

    drive: Drive

    @property
    @abstractmethod
    def identity(self) -> tuple[Any, ...]:
        """Equal for data that are learned alike from the same network."""

    @property
    @abstractmethod
    def weighted(self) -> bool:
        """Whether rows count differently, so that a model must take weights."""

    @abstractmethod
    def sums(self, n_folds: int) -> NormalEquations:
        """Normal equations; folds from the last on are one."""

    @abstractmethod
    def rows(self) -> tuple[NDArray[Any], Any, Array | None]:
        """Features, targets and weights of all rows that count."""


@dataclass(frozen=True)
class DrivenSteps(DrivenData):
    """A row for each step; one of fold -1 does not count."""

    drive: Drive
    targets: Array
    weight: Array | None
    fold: NDArray[np.int8]

    @property
    def identity(self) -> tuple[Any, ...]:
        return self.drive.sequences, self.drive.standardisation, self.drive.states, self.targets, self.weight, self.fold

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which steps count."""
        return self.fold >= 0

    @property
    def weighted(self) -> bool:
        return self.weight is not None and len(np.unique(self.weight[self.counted])) > 1

    def sums(self, n_folds: int) -> NormalEquations:
        gather = StepEquations(self.drive.network.output_size, self.targets, self.weight, np.minimum(self.fold, n_folds - 1), n_folds)
        for rows, features in self.drive.blocks():
            gather.see(rows, features)
        return gather.equations()

    def rows(self) -> tuple[NDArray[Any], Array, Array | None]:
        features, counted = self.drive.features(), self.counted
        return features[counted], self.targets[counted], None if self.weight is None else self.weight[counted]


@dataclass(frozen=True)
class DrivenSequences(DrivenData):
    """A row for each sequence; targets are columns, or the labels for a model of scikit-learn."""

    drive: Drive
    pooling: StatePooling
    targets: NDArray[Any]
    weight: Array | None
    fold: NDArray[np.int64]

    @property
    def identity(self) -> tuple[Any, ...]:
        return self.drive.sequences, self.drive.standardisation, self.pooling, self.targets, self.weight, self.fold

    @property
    def weighted(self) -> bool:
        return self.weight is not None

    def sums(self, n_folds: int) -> NormalEquations:
        rows, targets, weight = self.rows()
        return NormalEquations(rows.shape[1], targets.shape[1], n_folds).add(rows, targets, weight, np.minimum(self.fold, n_folds - 1))

    def rows(self) -> tuple[NDArray[Any], NDArray[Any], Array | None]:
        return self.pooling.rows(self.drive), self.targets, self.weight
