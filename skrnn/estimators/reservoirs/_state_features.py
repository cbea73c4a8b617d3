"""From the states of a sequence to one vector of fixed length."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

POOLINGS = ("last", "mean", "segments", "model")


class Pooling(ABC):
    """One vector for each sequence, from its states as they come, in pieces."""

    @abstractmethod
    def see(self, rows: NDArray[np.int64], states: NDArray[np.floating]) -> None:
        """Some rows of states, and where they lie end to end; the rows of a sequence come in their order."""

    @abstractmethod
    def result(self) -> NDArray[np.floating]:
        """A row for each sequence."""


class Picked(Pooling):
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


class Averaged(Pooling):
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
        if not len(sequence):
            return
        order = np.argsort(sequence, kind="stable")
        firsts = np.flatnonzero(np.diff(sequence[order], prepend=-1))
        self._sum[sequence[order][firsts]] += np.add.reduceat(states[order], firsts, axis=0, dtype=np.float64)

    def result(self) -> NDArray[np.floating]:
        """Divide."""
        return (self._sum / (self._offsets[1:] - self._starts)[:, None]).astype(self._dtype)


class Modelled(Pooling):
    """The linear model that best predicts each state of a sequence from the one before (Bianchi et al., 2021): weights and intercept.

    States are reduced to a few principal components first; ``penalty`` is the ridge of each model.
    """

    def __init__(self, offsets: NDArray[np.int64], mean: NDArray[np.float64], components: NDArray[np.float64], penalty: float) -> None:
        self._offsets, self._mean, self._components, self._penalty = offsets, mean, components, penalty
        self._reduced = np.empty((offsets[-1], len(components)))

    def see(self, rows: NDArray[np.int64], states: NDArray[np.floating]) -> None:
        """Reduce."""
        self._reduced[rows] = (states - self._mean) @ self._components.T

    def result(self) -> NDArray[np.floating]:
        """Fit a model to each sequence."""
        d = self._reduced.shape[1]
        models = np.zeros((len(self._offsets) - 1, (d + 1) * d))
        ridge = self._penalty * np.eye(d + 1)
        ridge[d, d] = 0.0
        for model, z in zip(models, np.split(self._reduced, self._offsets[1:-1]), strict=True):
            if len(z) > 1:
                before = np.hstack([z[:-1], np.ones((len(z) - 1, 1))])
                model[:] = np.linalg.lstsq(before.T @ before + ridge, before.T @ z[1:], rcond=None)[0].ravel()
        return models


def principal_components(gram: NDArray[np.float64], n_components: int) -> NDArray[np.float64]:
    """The directions of the largest variance, from a centred Gram matrix; each one's largest entry is positive."""
    vectors = np.linalg.eigh(gram)[1][:, ::-1][:, :n_components].T
    largest = np.abs(vectors).argmax(axis=1)
    return vectors * np.sign(vectors[np.arange(len(vectors)), largest])[:, None]
