"""From the states of a sequence to one vector of fixed length."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

import numpy as np
from numpy.typing import NDArray

from ...kernels import row_additions, row_product
from ...training import NormalEquations
from ..face._state import Fitted
from ._drive import Drive

Array = NDArray[np.float64]

_MODEL_PENALTY = 1.0  # in units of the components' mean variance over the training steps


class VectorsOfStates(ABC):
    """One vector for each sequence, from its states as they come, in blocks."""

    @abstractmethod
    def see(self, rows: NDArray[np.int64], states: NDArray[np.floating]) -> None:
        """Some rows of states, and where they lie end to end; the rows of a sequence come in their order."""

    @abstractmethod
    def result(self) -> NDArray[np.floating]:
        """A row for each sequence."""


class Picked(VectorsOfStates):
    """The states after ``n`` equal parts of each sequence, side by side; one is the last state."""

    def __init__(self, offsets: NDArray[np.int64], n: int, width: int, dtype: str) -> None:
        lengths = np.diff(offsets)
        self._picks = offsets[:-1, None] + np.ceil(lengths[:, None] * np.arange(1, n + 1) / n).astype(np.int64) - 1
        self._values = np.empty((self._picks.size, width), dtype)
        order = np.argsort(self._picks.ravel(), kind="stable")
        self._sorted, self._order = self._picks.ravel()[order], order

    def see(self, rows: NDArray[np.int64], states: NDArray[np.floating]) -> None:
        """Keep the rows that were asked for, as often as they were."""
        first, last = np.searchsorted(self._sorted, rows, "left"), np.searchsorted(self._sorted, rows, "right")
        while (some := np.flatnonzero(first < last)).size:
            self._values[self._order[first[some]]] = states[some]
            first[some] += 1

    def result(self) -> NDArray[np.floating]:
        """Side by side."""
        return self._values.reshape(len(self._picks), -1)


class Averaged(VectorsOfStates):
    """The mean state of each sequence without its first ``washout`` steps; every sequence is longer."""

    def __init__(self, offsets: NDArray[np.int64], washout: int, width: int, dtype: str) -> None:
        self._offsets, self._dtype = offsets, dtype
        self._starts = offsets[:-1] + washout
        self._sum = np.zeros((len(offsets) - 1, width))

    def see(self, rows: NDArray[np.int64], states: NDArray[np.floating]) -> None:
        """Add."""
        sequence = np.searchsorted(self._offsets, rows, "right") - 1
        counted = rows >= self._starts[sequence]
        sequence, states = sequence[counted], states[counted]
        row_additions(self._sum, sequence, states)

    def result(self) -> NDArray[np.floating]:
        """Divide."""
        return (self._sum / (self._offsets[1:] - self._starts)[:, None]).astype(self._dtype)


class Modelled(VectorsOfStates):
    """The linear model that best predicts each state of a sequence from the one before (Bianchi et al., 2021): weights and intercept.

    States are reduced to a few principal components first.
    """

    def __init__(self, offsets: NDArray[np.int64], components: Components) -> None:
        self._offsets, self._components = offsets, components
        self._reduced = np.empty((offsets[-1], len(components.directions)))

    def see(self, rows: NDArray[np.int64], states: NDArray[np.floating]) -> None:
        """Reduce."""
        self._reduced[rows] = row_product(states - self._components.mean, self._components.directions)

    def result(self) -> NDArray[np.floating]:
        """Fit a model to each sequence."""
        d = self._reduced.shape[1]
        models = np.zeros((len(self._offsets) - 1, (d + 1) * d))
        ridge = self._components.penalty * np.eye(d + 1)
        ridge[d, d] = 0.0
        for model, z in zip(models, np.split(self._reduced, self._offsets[1:-1]), strict=True):
            if len(z) > 1:
                before = np.hstack([z[:-1], np.ones((len(z) - 1, 1))])
                model[:] = np.linalg.lstsq(before.T @ before + ridge, before.T @ z[1:], rcond=None)[0].ravel()
        return models


class ComponentState:
    """The directions in which the states move, where sequences are models of them."""

    components_: Array
    _state_mean: Array
    _model_penalty: float

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("components_", "ndarray", ("n_components", "n_states"), 'With ``pooling="model"``: the directions in which the states move most.'),
        Fitted("_state_mean", "ndarray", ("n_states",)),
        Fitted("_model_penalty", "float"),
    )


@dataclass(frozen=True)
class Components:
    """The directions in which the states of the training data move, for models of single sequences.

    Parameters
    ----------
    mean : ndarray of shape (n_states,)
        Of the states.
    directions : ndarray of shape (n_components, n_states)
    penalty : float
        Of the squared weights of each model.
    """

    mean: Array
    directions: Array
    penalty: float

    @classmethod
    def of(cls, sums: NormalEquations, n_components: int) -> Self:
        """From what :func:`sums_of_states` gives."""
        (moments,) = sums.folds
        directions = principal_components(moments.full_gram, n_components)
        variance = np.trace(directions @ moments.full_gram @ directions.T) / len(directions) / moments.weight
        return cls(moments.mean_z, directions, max(_MODEL_PENALTY * float(variance), np.finfo(float).tiny))

    @classmethod
    def load(cls, model: Any) -> Self | None:
        """Those that an estimator has learned, if any."""
        return cls(model._state_mean, model.components_, model._model_penalty) if "components_" in vars(model) else None

    def store(self, model: Any) -> None:
        """Give them to an estimator."""
        model.components_, model._state_mean, model._model_penalty = self.directions, self.mean, self.penalty


@dataclass(frozen=True)
class StatePooling:
    """How the states of a sequence become one vector.

    Parameters
    ----------
    kind : {"last", "mean", "segments", "model"}
    n_segments : int
    washout : int
        Steps at the beginning that a mean leaves out.
    dtype : {"float32", "float64"}
    components : Components or None
        Of a "model".
    """

    kind: str
    n_segments: int
    washout: int
    dtype: str
    components: Components | None = None

    @classmethod
    def of(cls, model: Any) -> Self:
        """As the parameters of an estimator say, with what it has learned."""
        return cls(model.pooling, model.n_segments, model.washout, model.dtype, Components.load(model))

    def start(self, offsets: NDArray[np.int64], width: int) -> VectorsOfStates:
        """What states go to."""
        if self.kind == "mean":
            return Averaged(offsets, self.washout, width, self.dtype)
        if self.kind == "model":
            return Modelled(offsets, cast(Components, self.components))
        return Picked(offsets, self.n_segments if self.kind == "segments" else 1, width, self.dtype)

    def start_trial(self, offsets: NDArray[np.int64], width: int) -> VectorsOfStates:
        """What states of small reservoirs go to: a model is too much for a trial, and the mean of all states stands for it."""
        if self.kind == "model":
            return Averaged(offsets, 0, width, "float32")
        return replace(self, dtype="float32").start(offsets, width)

    def rows(self, drive: Drive) -> NDArray[np.floating]:
        """A row for each sequence."""
        self.require_steps(drive.sequences.lengths)
        vectors = self.start(drive.sequences.offsets, drive.network.output_size)
        for rows, features in drive.blocks():
            vectors.see(rows, features)
        return vectors.result()

    def require_steps(self, lengths: NDArray[np.int64]) -> None:
        """A mean needs steps that are not washed out."""
        shortest = int(lengths.argmin())
        if self.kind == "mean" and self.washout >= (n := int(lengths[shortest])):
            raise ValueError(f"washout={self.washout} must be less than the length of every sequence; sequence {shortest} has {n} steps")

    def names(self, states: list[str]) -> list[str]:
        """Of the entries of the vector, from those of the states."""
        if self.kind == "segments":
            return [f"{name}_part{k}" for k in range(self.n_segments) for name in states]
        if self.kind == "model":
            d = len(cast(Components, self.components).directions)
            return [f"component{i}_to_component{j}" for i in range(d) for j in range(d)] + [f"to_component{j}" for j in range(d)]
        return states


def sums_of_states(drive: Drive) -> NormalEquations:
    """What the covariance of the states needs."""
    sums = NormalEquations(drive.network.output_size, 1)
    for rows, features in drive.blocks():
        sums.add(features, np.zeros((len(rows), 1)))
    return sums


def principal_components(gram: NDArray[np.float64], n_components: int) -> NDArray[np.float64]:
    """The directions of the largest variance, from a centred Gram matrix; each one's largest entry is positive."""
    vectors = np.linalg.eigh(gram)[1][:, ::-1][:, :n_components].T
    largest = np.abs(vectors).argmax(axis=1)
    return vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
