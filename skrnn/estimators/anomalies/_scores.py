"""From errors to scores, and from scores to a verdict."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from sklearn.covariance import LedoitWolf, ShrunkCovariance

from ...data import Sequences, places_in

Array = NDArray[np.float64]

FALSE_ALARMS = 1e-3  # share of the held-out steps that contamination="auto" calls anomalous
_DEAD = 1e-9  # of a target's deviation: errors that do not vary


@dataclass(frozen=True)
class ErrorGaussian:
    """A Gaussian of error vectors in units of their targets' deviations, whose covariance is shrunk.

    Components are ordered by how soon they are known: a vector may lack its last ones.
    """

    mean: Array
    scale: Array
    factor: Array  # lower Cholesky factor of the covariance of the standardised errors
    usual: Array  # mean squares of the whitened errors; 1 but for the shrinkage

    @classmethod
    def of(cls, errors: Array, shrinkage: float | str) -> Self:
        """Fit to complete vectors (n_vectors, n_components)."""
        mean, deviation = errors.mean(axis=0), errors.std(axis=0)
        dead = deviation <= _DEAD
        scale = np.where(dead, 1.0, deviation)
        standardised = (errors - mean) / scale
        if shrinkage == "auto":
            covariance = LedoitWolf(assume_centered=True).fit(standardised).covariance_
        else:
            covariance = ShrunkCovariance(assume_centered=True, shrinkage=float(shrinkage)).fit(standardised).covariance_
        covariance[dead, dead] = 1.0  # what never was wrong counts in units of its target
        gaussian = cls(mean, scale, cholesky(covariance, lower=True), np.ones_like(mean))
        return replace(gaussian, usual=gaussian._squares(errors).mean(axis=0))

    def distances(self, errors: Array) -> Array:
        """Squared Mahalanobis distances of vectors, of which NaN are missing: what is to be expected of them, given the others.

        In the order of the factor a component is whitened by those before it, so a missing one adds its usual square, whatever the others are.
        """
        missing = np.isnan(errors)
        return np.where(missing, self.usual, self._squares(np.where(missing, self.mean, errors))).sum(axis=1)

    def _squares(self, errors: Array) -> Array:
        """Of the whitened errors."""
        return solve_triangular(self.factor, ((errors - self.mean) / self.scale).T, lower=True).T ** 2


class ErrorModel(ABC):
    """Says what each step was to be, and so how wrong that was."""

    @abstractmethod
    def errors(self, sequences: Sequences) -> Array:
        """Errors (n_steps_total, k, n_targets) that each step is judged by, soonest known first; NaN are missing."""


@dataclass(frozen=True)
class Judge:
    """Says how normal errors are.

    Attributes
    ----------
    gaussian : ErrorGaussian
        What errors are where all is well.
    scale : ndarray of shape (n_targets,)
        Deviations of the targets, the units of their errors.
    offset : float
        The threshold of the scores.
    """

    gaussian: ErrorGaussian
    scale: Array
    offset: float = 0.0

    @classmethod
    def of(cls, errors: Array, held: NDArray[np.bool_], scale: Array, settings: Any) -> Self:
        """From the errors of all steps, of which nothing else was learned from those that were ``held`` out."""
        complete = vectors(errors, scale)[held & ~np.isnan(errors).any(axis=(1, 2))]
        if len(complete) < 2:
            raise ValueError(
                f"calibration_fraction={settings.calibration_fraction} of the series holds {len(complete)} steps for which all "
                "predictions were made; two are needed, and many are better"
            )
        judge = cls(ErrorGaussian.of(complete, settings.shrinkage), scale)
        if settings.contamination == "auto":
            return replace(judge, offset=float(np.quantile(judge.scores(errors[held]), FALSE_ALARMS)))
        return replace(judge, offset=float(np.quantile(judge.scores(errors), settings.contamination)))

    def scores(self, errors: Array) -> Array:
        """How normal each step is; higher is more normal."""
        return -0.5 * self.gaussian.distances(vectors(errors, self.scale))

    def verdicts(self, scores: Array) -> NDArray[np.int64]:
        """-1 for anomalies, 1 for others."""
        return np.where(scores < self.offset, -1, 1)


def vectors(errors: Array, scale: Array) -> Array:
    """Errors of each step side by side, in units of their targets' deviations."""
    return (errors / scale).reshape(len(errors), -1)


def last_parts(sequences: Sequences, fraction: float) -> NDArray[np.bool_]:
    """Which steps are in the last part of their series."""
    lengths = sequences.lengths
    n_first = lengths - n_last(lengths, fraction)
    step = places_in(lengths)
    return np.asarray(step >= np.repeat(n_first, lengths))


def n_last(lengths: NDArray[np.int64], fraction: float) -> NDArray[np.int64]:
    """Steps of the last part of each series."""
    return np.ceil(fraction * lengths).astype(int)


def target_channels(covariates: Sequence[int | str], n_features: int, names: list[str]) -> NDArray[np.intp]:
    """All columns but the covariates."""
    targets = np.ones(n_features, dtype=bool)
    for column in covariates:
        if isinstance(column, str) and column in names:
            targets[names.index(column)] = False
        elif isinstance(column, Integral) and -n_features <= column < n_features:
            targets[column] = False
        else:
            raise ValueError(f"covariates must name columns of X, which are {names or f'0 to {n_features - 1}'}; got {column!r}")
    if not targets.any():
        raise ValueError(f"covariates={covariates!r} are all {n_features} columns of X: none is left to predict")
    return np.flatnonzero(targets)
