"""Ridge readouts of reservoirs side by side: each learns alone, and what they say is averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...training import Choice, NormalEquations, choose_alpha, solve, svd_path

Array = NDArray[np.float64]
Readouts = tuple[Array, Array]  # coefficients (…, n_targets, n_features) and intercepts (…, n_targets)


@dataclass(frozen=True)
class SideBySide:
    """Which features each readout sees. The mean of linear maps is one, so that its coefficients are all that is kept.

    Parameters
    ----------
    n_shared : int
        Features that all see, which come first.
    n_features : int
    n_reservoirs : int
        Of the others, in equal parts.
    """

    n_shared: int
    n_features: int
    n_reservoirs: int

    @property
    def _columns(self) -> list[NDArray[np.intp]]:
        """Of each readout."""
        own = np.arange(self.n_shared, self.n_features).reshape(self.n_reservoirs, -1)
        return [np.concatenate([np.arange(self.n_shared), states]) for states in own]

    def choose(self, sums: NormalEquations, how: str, targets: NDArray[np.intp]) -> Choice:
        """The penalty with which the readouts are best on the mean."""
        parts = [sums.part(columns, targets) for columns in self._columns]
        first = choose_alpha(parts[0], how)
        scores = np.mean([first.scores, *(choose_alpha(part, how, first.alphas).scores for part in parts[1:])], axis=0)
        return Choice(float(first.alphas[scores == scores.min()].max()), first.alphas, scores)

    def solve(self, sums: NormalEquations, alpha: float) -> Readouts:
        """The mean of the readouts of all rows that were summed."""
        every = np.arange(sums.n_targets)
        return self._mean([solve(sums.part(columns, every), alpha) for columns in self._columns])

    def svd_path(self, Z: Array, Y: Array, alphas: Array) -> Readouts:
        """The mean of the readouts for each of many penalties, from the rows themselves."""
        return self._mean([svd_path(Z[:, columns], Y, alphas) for columns in self._columns])

    def _mean(self, found: list[Readouts]) -> Readouts:
        coef = np.zeros((*found[0][0].shape[:-1], self.n_features))
        for (own, _), columns in zip(found, self._columns, strict=True):
            coef[..., columns] += own / self.n_reservoirs
        return coef, np.mean([intercept for _, intercept in found], axis=0)
