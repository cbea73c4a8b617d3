"""Compiled recursive least squares: one step, for loops that feed the output back, and a loop over rows."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._jit import JIT

_JIT = JIT | {"fastmath": {*JIT["fastmath"], "reassoc"}}  # dot products of rows as long as the state: vectors of partial sums


class RLSState(NamedTuple):
    """What recursive least squares carries along; all arrays are float64 and written in place.

    ``P`` (p, p) is the inverse of the penalised Gram matrix, its lower triangle; ``coef`` is (k, p); ``weight`` (1,) is the discounted number of rows
    behind the means; the last two (p,) are room to work in.
    """

    P: NDArray[np.float64]
    coef: NDArray[np.float64]
    mean_z: NDArray[np.float64]
    mean_y: NDArray[np.float64]
    weight: NDArray[np.float64]
    d: NDArray[np.float64]
    g: NDArray[np.float64]

    @classmethod
    def start(cls, n_features: int, n_targets: int, alpha: float) -> Self:
        """Before the first row: no coefficients, and the penalty ``alpha``."""
        p = n_features
        return cls(np.eye(p) / alpha, np.zeros((n_targets, p)), np.zeros(p), np.zeros(n_targets), np.zeros(1), np.empty(p), np.empty(p))


@njit(**_JIT)
def _product(P, d, g):
    """``g = P d`` from the lower triangle, and ``d' P d``."""
    for i in range(len(d)):
        row, di = P[i], d[i]
        total = row[i] * di
        for j in range(i):
            total += row[j] * d[j]
            g[j] += row[j] * di
        g[i] = total
    form = 0.0
    for j in range(len(d)):
        form += d[j] * g[j]
    return form


@njit(nogil=True, **_JIT)
def rls_step(state: Any, z, y, forgetting: float, centred: bool, said) -> None:
    """Predict ``y`` from ``z`` into ``said``, then learn from the error; with ``centred`` about running means, which makes an intercept."""
    P, coef, mean_z, mean_y, weight, d, g = state
    before = forgetting * weight[0]
    pull = before / (before + 1) if centred else 1.0
    for j in range(len(d)):
        d[j] = z[j] - mean_z[j]
    gain = pull / (forgetting + pull * _product(P, d, g))
    for k in range(len(said)):
        row, total = coef[k], mean_y[k]
        for j in range(len(d)):
            total += row[j] * d[j]
        said[k] = total
        change = gain * (y[k] - total)
        for j in range(len(d)):
            row[j] += change * g[j]
    for i in range(len(d)):
        row, factor = P[i], gain * g[i]
        for j in range(i + 1):
            row[j] = (row[j] - factor * g[j]) / forgetting
    if centred:
        weight[0] = before + 1
        for j in range(len(d)):
            mean_z[j] += d[j] / weight[0]
        for k in range(len(said)):
            mean_y[k] += (y[k] - mean_y[k]) / weight[0]


@njit(nogil=True, cache=True, **_JIT)
def rls(state: Any, Z, Y, forgetting: float, centred: bool, said) -> None:
    """:func:`rls_step` for each row of features ``Z`` (n, p) and targets ``Y`` (n, k); ``said`` (n, k) is what was predicted before each."""
    for t in range(len(Z)):
        rls_step(state, Z[t], Y[t], forgetting, centred, said[t])
