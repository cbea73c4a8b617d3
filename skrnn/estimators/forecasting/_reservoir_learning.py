"""How the readouts of a forecaster's reservoirs learn: from windows, all steps ahead at once, or from whole series, the next step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...training import Choice, NormalEquations, contiguous_folds
from ..reservoirs._readouts import linear_outputs
from ._reservoir_features import TaughtWindows
from ._side_by_side import Readouts, SideBySide

Array = NDArray[np.float64]

_COVARIATES = 0.01  # penalty of the covariates' coefficients, in units of the number of steps
_NEGLIGIBLE = 1e-14  # of the mean eigenvalue: smaller penalties are lost in normal equations


class LearnedReadout(NamedTuple):
    """A readout; coefficients of covariates (n_targets, n_covariates), the choice of the penalty, and sums to go on from."""

    weights: Readouts
    covariate_coef: Array
    choice: tuple[float, Array, Array | None]
    errors: Array  # quantiles (n_outputs, n_levels)
    sums: NormalEquations

    def fitted(self) -> dict[str, Any]:
        """What an estimator is to have."""
        alpha, alphas, scores = self.choice
        found = {"coef_": self.weights[0], "intercept_": self.weights[1], "covariate_coef_": self.covariate_coef, "error_quantiles_": self.errors}
        return found | {"alpha_": alpha, "alphas_": alphas, "scores_": scores, "_learned": self.sums}


@dataclass(frozen=True)
class RowLearner:
    """Ridge regression of rows that are held, with errors of rows that were left out.

    Parameters
    ----------
    readouts : SideBySide
    alpha : float or {"block_cv", "gcv"}
    n_folds : int
    levels : ndarray of shape (n_levels,)
        Of the quantiles of the errors.
    """

    readouts: SideBySide
    alpha: float | str
    n_folds: int
    levels: Array

    def from_windows(self, rows: TaughtWindows, counts: Any) -> LearnedReadout:
        """The steps ahead of windows, ``counts`` of each series.

        Covariates of the steps to come lift all steps ahead alike. Their coefficients are those of what no readout knew of the targets on what none
        knew of the covariates, both of windows that were left out (Robinson, 1988; Chernozhukov et al., 2018).
        """
        shape, n = rows.Y.shape, len(rows.Y)
        Y, every = rows.Y.reshape(n, -1), np.hstack([rows.Y.reshape(n, -1), rows.K.reshape(n, rows.K[0].size)])
        fold = contiguous_folds(counts[counts > 0], min(self.n_folds, n))
        sums = self._sums(rows.Z, every, rows.weight, fold)
        choice = self._choice(sums, Y.shape[1])
        left = self._left_over(rows.Z, every, sums, choice[0], fold)
        rest, more = left[:, : Y.shape[1]].reshape(shape), left[:, Y.shape[1] :].reshape(rows.K.shape)
        lifts = np.stack([_ridge(more[..., k, :], rest[..., k], rows.known[..., k] / rows.spread[..., k]) for k in range(shape[2])])
        if lifts.size:
            lifted = np.einsum("nhvq,vq->nhv", rows.K, lifts)
            sums = self._sums(rows.Z, (rows.Y - lifted).reshape(n, -1), rows.weight, fold)
            rest = rest - np.einsum("nhvq,vq->nhv", more, lifts)
        errors = _quantiles(np.where(rows.known, rest, np.nan).reshape(n, -1), self.levels)
        return LearnedReadout(self.readouts.solve(sums, choice[0]), lifts, choice, errors, sums.without(None))

    def from_steps(
        self, Z: NDArray[np.floating], Y: Array, fold: NDArray[np.integer], chosen: tuple[Choice, Readouts | None] | None
    ) -> LearnedReadout:
        """The next step of series, in rows of these folds; ``chosen`` by free runs."""
        sums = self._sums(Z, Y, None, fold)
        choice: tuple[float, Array, Array | None]
        if chosen is None:
            choice = self._choice(sums, Y.shape[1])
            weights = self.readouts.solve(sums, choice[0])
        else:
            choice = float(chosen[0].alpha), chosen[0].alphas, chosen[0].scores
            weights = self._from_rows(Z, Y, choice[0]) if chosen[1] is None else chosen[1]
        left = Y - linear_outputs(Z, *weights) if is_negligible(choice[0], sums) else self._left_over(Z, Y, sums, choice[0], fold)
        nothing = np.empty((Y.shape[1], 0))
        return LearnedReadout(weights, nothing, choice, _quantiles(left, self.levels), sums.without(None))

    def _from_rows(self, Z: NDArray[Any], Y: Array, alpha: float) -> Readouts:
        """For a penalty that sums may not show."""
        coef, intercept = self.readouts.svd_path(Z.astype(np.float64), Y, np.array([alpha]))
        return coef[0], intercept[0]

    def _sums(self, Z: Any, Y: Array, weight: Array | None, fold: NDArray[np.integer]) -> NormalEquations:
        return NormalEquations(Z.shape[1], Y.shape[1], int(fold.max()) + 1).add(Z, Y, weight, fold)

    def _choice(self, sums: NormalEquations, n_targets: int) -> tuple[float, Array, Array | None]:
        if not isinstance(self.alpha, str) or len(sums.folds) < 2:  # a single row teaches its own values, whatever the penalty
            alpha = 1.0 if isinstance(self.alpha, str) else float(self.alpha)
            return alpha, np.array([alpha]), None
        return tuple(self.readouts.choose(sums, self.alpha, np.arange(n_targets)))  # type: ignore[return-value]

    def _left_over(self, Z: Any, Y: Array, sums: NormalEquations, alpha: float, fold: NDArray[np.integer]) -> Array:
        """Targets less what is said of them by readouts of the other folds."""
        if len(sums.folds) < 2:
            return Y
        left = np.empty_like(Y)
        for k in range(len(sums.folds)):
            coef, intercept = self.readouts.solve(sums.without(k), alpha)
            left[fold == k] = Y[fold == k] - Z[fold == k].astype(np.float64) @ coef.T - intercept
        return left


def is_negligible(alpha: float, sums: NormalEquations) -> bool:
    """Whether a penalty is too small for sums."""
    return alpha < _NEGLIGIBLE * float(np.mean([np.trace(moments.gram) for moments in sums.folds])) * len(sums.folds) / sums.n_features


def _ridge(K: Array, Y: Array, weight: Array) -> Array:
    """Coefficients (n_covariates,) of targets on covariates (…, n_covariates), both without means, in units that a weight brings them to."""
    x, y = np.asarray(K * weight[..., None], dtype=np.float64).reshape(weight.size, K.shape[-1]), (Y * weight).ravel()
    gram = x.T @ x + _COVARIATES * max(len(x), 1) * np.eye(x.shape[1])
    return np.asarray(np.linalg.solve(gram, x.T @ y), dtype=np.float64)


def _quantiles(errors: Array, levels: Array) -> Array:
    """Quantiles (n_outputs, n_levels) of errors (n_rows, n_outputs) that are known."""
    known: NDArray[Any] = np.where(np.isfinite(errors).any(axis=0), errors, 0.0)
    known = np.concatenate([known, -known]) if len(known) == 1 else known  # of one that is all that is known, so that the forecast stays
    return np.asarray(np.nanquantile(known, levels, axis=0).T, dtype=np.float64)
