"""Reservoirs that see whole sequences: one vector of states for each."""

from __future__ import annotations

from abc import ABC
from dataclasses import KW_ONLY
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ..data import Sequences
from ..training import NormalEquations
from ._reservoir_base import BaseReservoir, Pass
from ._reservoir_parameters import ReservoirParameters, parameters
from ._state_features import POOLINGS, Averaged, Modelled, Picked, Pooling, principal_components

_MODEL_PENALTY = 1.0  # in units of the components' mean variance over the training steps


@parameters
class PooledStates(BaseReservoir, ABC):
    """States after parts of the sequence, their mean, or a model of how they move."""

    _: KW_ONLY
    pooling: Any = "mean"
    n_segments: int = 3
    n_components: int = 20
    washout: int = 0

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = ReservoirParameters._parameter_constraints | {
        "pooling": [StrOptions(set(POOLINGS))],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "washout": [Interval(Integral, 0, None, closed="left")],
    }

    def _require_steps(self, lengths: NDArray[np.int64]) -> None:
        """A mean needs steps that are not washed out."""
        shortest = int(lengths.argmin())
        if self.pooling == "mean" and self.washout >= (n := int(lengths[shortest])):
            raise ValueError(f"washout={self.washout} must be less than the length of every sequence; sequence {shortest} has {n} steps")

    def _pooling(self, offsets: NDArray[np.int64], width: int) -> Pooling:
        if self.pooling == "mean":
            return Averaged(offsets, self.washout, width, self.dtype)
        if self.pooling == "model":
            return Modelled(offsets, self._state_mean, self.components_, self._model_penalty)
        return Picked(offsets, self.n_segments if self.pooling == "segments" else 1, width, self.dtype)

    def _state_sums(self, sequences: Sequences) -> NormalEquations:
        """What the covariance of the states needs."""
        sums = NormalEquations(self.network_.output_size, 1)
        for rows, features in Pass(self.network_, sequences, (self.mean_, self.scale_)):
            sums.add(features, np.zeros((len(rows), 1)))
        return sums

    def _keep_components(self, sums: NormalEquations) -> None:
        """The directions in which the states move."""
        (moments,) = sums.folds
        self._state_mean = moments.mean_z
        self.components_ = principal_components(moments.full_gram, self.n_components)
        variance = np.trace(self.components_ @ moments.full_gram @ self.components_.T) / len(self.components_) / moments.weight
        self._model_penalty = max(_MODEL_PENALTY * float(variance), np.finfo(float).tiny)

    def _pooled(self, sequences: Sequences, *, noisy: bool = False) -> NDArray[np.floating]:
        """A row for each sequence."""
        self._require_steps(sequences.lengths)
        pooling = self._pooling(sequences.offsets, self.network_.output_size)
        for rows, features in Pass(self.network_, sequences, (self.mean_, self.scale_), noisy=noisy):
            pooling.see(rows, features)
        return pooling.result()

    def _state_names(self) -> list[str]:
        """Names of the features of a step: the channels of the input, then the states of each group and layer."""
        channels = [f"x{k}" for k in range(len(self.mean_))] if self.include_input else []
        return channels + [
            f"{type(cell).__name__.lower()}{group}_{layer}_h{k}"
            for group, layers in enumerate(self.network_.groups)
            for layer, cell in enumerate(layers)
            for k in range(self.hidden_size)
        ]

    def _pooled_names(self) -> list[str]:
        names = self._state_names()
        if self.pooling == "segments":
            return [f"{name}_part{k}" for k in range(self.n_segments) for name in names]
        if self.pooling == "model":
            d = len(self.components_)
            return [f"component{i}_to_component{j}" for i in range(d) for j in range(d)] + [f"to_component{j}" for j in range(d)]
        return names
