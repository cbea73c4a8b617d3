"""Conformal intervals: how far forecasts were off on held-out steps says how wide the next ones must be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RATE = 0.02  # γ of adaptive intervals
_RECENT = 500  # origins that adaptive intervals look back on


@dataclass
class Calibration:
    """Errors of forecasts, in units of their predicted spread, in the order of their origins.

    Split-conformal intervals take the errors of all series as one set (Vovk et al., 2005; in units of a spread: Lei et al., 2018). Adaptive ones
    (Gibbs & Candès, 2021) are of each series, and follow it, each end by itself::

        α(i+1) = α(i) + γ (α − [y lay outside of the end at level α(i)])

    for each step ahead. The error of the forecast k steps ahead is known k origins later, and is not used before.
    """

    adaptive: bool
    errors: dict[int, Array] = field(default_factory=dict)  # of each series: (n_origins, horizon, n_targets), NaN where nothing is known

    def with_later(self, series: int, errors: Array) -> Self:
        """The errors of later origins too, which begin with those whose last steps were still to come."""
        known = self.errors.get(series, errors[:0])
        return type(self)(self.adaptive, self.errors | {series: np.concatenate([known[: max(0, len(known) - errors.shape[1] + 1)], errors])})

    def of_others(self, n_series: int) -> Self:
        """For series of which nothing is known yet: each begins with the errors of all."""
        together = np.concatenate(list(self.errors.values()))
        return type(self)(self.adaptive, dict.fromkeys(range(n_series), together) if self.adaptive else {0: together})

    def shift(self, series: int, level: float, n_steps: int) -> Array:
        """By how much the quantile lies above a forecast from the end of the series, in units of its spread (n_steps, n_targets)."""
        if self.adaptive:
            return follow(self.errors[series][-_RECENT:, :n_steps], level)[-1]
        return _order_statistic(np.concatenate(list(self.errors.values()))[:, :n_steps], level, bounded=False)

    def shifts(self, series: int, level: float, later: Array) -> Array:
        """The same before each of the later origins (n_origins, horizon, n_targets), of which the errors become known one after the other."""
        return follow(self.with_later(series, later).errors[series][-_RECENT - len(later) :], level)[-len(later) - 1 : -1]


def follow(errors: Array, level: float) -> Array:
    """Adaptive quantiles (n_origins + 1, n_steps, n_targets) of errors, before each origin and after the last, from earlier ones alone."""
    n, n_steps, n_targets = errors.shape
    upper = level > 0.5
    wanted = 1 - level if upper else level
    alpha = np.full((n_steps, n_targets), wanted)
    found = np.full((n + 1, n_steps, n_targets), np.nan)
    seen = np.full_like(errors, np.nan)
    steps = np.arange(n_steps)
    for i in range(n + 1):
        late = i - 1 - steps  # whose errors have just become known
        now = late >= 0
        if now.any():
            fresh = errors[late[now], steps[now]]
            outside = fresh > found[late[now], steps[now]] if upper else fresh < found[late[now], steps[now]]
            judged = np.isfinite(fresh) & np.isfinite(found[late[now], steps[now]])
            alpha[now] = np.where(judged, alpha[now] + _RATE * (wanted - outside), alpha[now])
            seen[late[now], steps[now]] = fresh
        low = max(0, i - _RECENT)
        found[i] = _order_statistic(seen[low:i], 1 - alpha if upper else alpha, bounded=True)
    return found


def _order_statistic(errors: Array, level: float | Array, *, bounded: bool) -> Array:
    """Quantiles (n_steps, n_targets) of errors (n, n_steps, n_targets) that the next one exceeds, or falls below, no more often than said.

    Beyond the outermost error lies nothing if ``bounded``, else that is an error.
    """
    known = np.isfinite(errors).sum(axis=0)
    level = np.broadcast_to(level, known.shape)
    upper = level > 0.5
    rank = np.where(upper, np.ceil(level * (known + 1) - 1e-9), np.floor(level * (known + 1) + 1e-9)).astype(int) - 1
    if not bounded and ((rank < 0) | (rank >= known)).any():
        share = float(level.flat[0])
        least = int(np.ceil(1 / min(share, 1 - share))) - 1
        raise ValueError(
            f"the conformal quantile {share:g} needs {least} held-out forecasts, there are {known.min()}: "
            "use a larger calibration_fraction or a smaller coverage"
        )
    if len(errors) == 0:
        return np.full(known.shape, np.nan)
    ordered = np.sort(np.where(np.isfinite(errors), errors, np.inf), axis=0)
    picked = np.take_along_axis(ordered, np.clip(rank, 0, np.maximum(known - 1, 0))[None], axis=0)[0]
    return np.where(known > 0, picked, np.nan)
