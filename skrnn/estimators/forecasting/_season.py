"""The season of a series: how long it is, and waves of that length."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_LONGEST_SEASON = 600


def fourier(steps: NDArray[np.intp], season: int, most: int = 3) -> Array:
    """Sines and cosines of the season at the steps."""
    k = np.arange(1, min(most, season // 2) + 1)
    angle = 2 * np.pi * (steps % season)[:, None] * k / season
    return np.concatenate([np.sin(angle), np.cos(angle[:, : (season - 1) // 2])], axis=1) if season > 2 else np.cos(angle)


def detect_season(y: Array) -> int:
    """Steps from one season to the next; 0 if there is none.

    Where there is a season of s steps, values that are s steps apart differ less than those that are half as far apart; whatever wanders or
    is noise differs more, or as much. Of several such distances it is the shortest that is nearly as good as the best. A cycle that comes now
    earlier and now later, as that of sunspots, is no season.
    """
    x = y[:, 0]
    lags = np.arange(1, min(len(x) // 3, _LONGEST_SEASON) + 1)
    if len(lags) < 2 or np.ptp(x) == 0:
        return 0
    apart = np.array([np.var(x[lag:] - x[:-lag]) for lag in lags])  # the variance does not see a straight trend
    candidates = lags[1:-1][(apart[1:-1] <= apart[:-2]) & (apart[1:-1] < apart[2:])]
    candidates = candidates[apart[candidates - 1] < 0.5 * apart[candidates // 2 - 1]]
    if len(candidates) == 0:
        return 0
    found = apart[candidates - 1]
    season = int(candidates[found <= 1.3 * found.min() + 1e-12 * apart.max()][0])
    return season if _keeps_time(x, season) else 0


def _keeps_time(x: Array, season: int) -> bool:
    """Whether the mean season of the first half of a series explains the second half."""
    level = np.convolve(x, np.full(season, 1 / season), mode="valid")  # what is left of x less this has no trend, and its middle is season // 2 later
    rest = x[season // 2 :][: len(level)] - level
    phase, half = np.arange(len(rest)) % season, len(rest) // 2
    profile = np.bincount(phase[:half], rest[:half], season) / np.maximum(np.bincount(phase[:half], minlength=season), 1)
    later = rest[half:]
    return bool(((later - profile[phase[half:]]) ** 2).sum() < 0.7 * (later**2).sum())
