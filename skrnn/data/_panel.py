"""Series that are forecast: targets, what is known about every step, and windows of all of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ._scales import Array, SeriesMoments, window_units
from ._sequences import offsets_of

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Panel:
    """Series end to end.

    Attributes
    ----------
    y : ndarray of shape (n_steps_total, n_targets)
        Missing values hold the last known one.
    present : ndarray of bool of shape (n_steps_total, n_targets)
    known : ndarray of shape (n_steps_total, n_known)
        What is known beforehand.
    seen : ndarray of shape (n_steps_total, n_seen)
        What is known of the past only.
    static : ndarray of shape (n_series, n_static)
    offsets : ndarray of shape (n_series + 1,)
    """

    y: Array
    present: NDArray[np.bool_]
    known: Array
    seen: Array
    static: Array
    offsets: Indices

    @property
    def lengths(self) -> Indices:
        """Steps of each series."""
        return np.diff(self.offsets)

    def series(self) -> list[Array]:
        """The targets of each series."""
        return np.split(self.y, self.offsets[1:-1])

    def part(self, low: Indices, high: Indices) -> Self:
        """Of each series the steps from ``low`` to before ``high``, counted from its start."""
        rows = np.concatenate([np.arange(start + a, start + b) for start, a, b in zip(self.offsets[:-1], low, high, strict=True)])
        offsets = offsets_of(high - low)
        return replace(self, y=self.y[rows], present=self.present[rows], known=self.known[rows], seen=self.seen[rows], offsets=offsets)

    def followed_by(self, other: Panel) -> Self:
        """Every series with that of another panel behind it."""
        order = np.concatenate(
            [
                np.r_[self.offsets[i] : self.offsets[i + 1], len(self.y) + other.offsets[i] : len(self.y) + other.offsets[i + 1]]
                for i in range(len(self.lengths))
            ]
        )
        names = ("y", "present", "known", "seen")
        joined = {name: np.concatenate([self.__dict__[name], other.__dict__[name]])[order] for name in names}
        return replace(self, **joined, offsets=self.offsets + other.offsets)


class Window(NamedTuple):
    """Windows of a panel, in the units of each: n of them, from ``n_lags`` steps before the origin to ``horizon`` steps after it.

    The origin is the first step of the future. All arrays have n rows.
    """

    rows: Indices  # (n, n_lags + horizon), of the panel
    z: Array  # (n, n_lags + horizon, n_targets): values in units of the window, or their changes
    location: Array  # (n, n_targets)
    scale: Array


def windows_of(panel: Panel, series: Indices, origins: Indices, sizes: tuple[int, int], scaling: tuple[str | None, SeriesMoments]) -> Window:
    """Windows of the ``series`` with the ``origins`` (rows of the panel); ``sizes`` are n_lags and horizon."""
    n_lags, horizon = sizes
    kind, moments = scaling
    rows = origins[:, None] + np.arange(-n_lags, horizon)
    y = panel.y[np.minimum(rows, len(panel.y) - 1)]
    location, scale = window_units(kind, y[:, :n_lags], moments.of(series))
    before = panel.y[np.clip(rows - 1, panel.offsets[series][:, None], len(panel.y) - 1)] if kind == "difference" else location[:, None]
    return Window(rows, (y - before) / scale[:, None], location, scale)
