"""Units in which a network sees windows of a series: a location and a scale of each, from its past alone."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SCALINGS = ("last_value", "window", "difference", "robust", "standard", "mean")
OF_WINDOWS = ("last_value", "window", "mean")  # units that are known only when the past is over


class SeriesMoments(NamedTuple):
    """What is known about whole series (n_series, n_targets): where they lie, how they scatter, and how far they go from step to step."""

    mean: Array
    deviation: Array
    median: Array
    spread: Array
    change: Array

    def of(self, series: NDArray[np.intp]) -> SeriesMoments:
        """Those of some of the series, in the order of the indices."""
        return SeriesMoments(*(part[series] for part in self))


def series_moments(series: list[Array]) -> SeriesMoments:
    """Moments of each series (n_steps, n_targets), whose missing values are filled; what does not scatter has a scale of 1."""
    found = []
    for y in series:
        low, middle, high = np.quantile(y, [0.25, 0.5, 0.75], axis=0)
        steps = np.diff(y, axis=0)
        change = np.sqrt((steps**2).mean(axis=0)) if len(steps) else np.zeros(y.shape[1])
        deviation = y.std(axis=0)
        found.append((y.mean(axis=0), _or_one(deviation), middle, _or_one((high - low) / 1.349, deviation), _or_one(change)))
    return SeriesMoments(*(np.stack(parts) for parts in zip(*found, strict=True)))


def _or_one(scale: Array, otherwise: Array | float = 1.0) -> Array:
    """A scale, something else where it is 0, and 1 where that is 0 too."""
    scale = np.where(scale > 0, scale, otherwise)
    return np.where(scale > 0, scale, 1.0)


def window_units(kind: str | None, past: Array, series: SeriesMoments) -> tuple[Array, Array]:
    """Location and scale (n_windows, n_targets) for windows of series, by which the network sees ``(y − location) / scale``.

    Of the kinds, "last_value" and "window" follow the level of every window and its spread, so that what grows without end stays in
    sight; "difference" follows the level. "standard", "robust" and None are the same in all windows of a series. "mean" is the scale of DeepAR.

    ::

        "last_value"   y(last),             √((L v + change²) / (L + 1))
        "window"       mean of the window,  √((L v + change²) / (L + 1))
        "difference"   y(last),             change
        "standard"     mean of the series,  its standard deviation
        "robust"       median,              interquartile range / 1.349
        "mean"         0,                   1 + mean |y| of the window
        None           0,                   1

    with v the variance of a window of L steps. One typical change from step to step is counted in so that a window that does not move has a
    scale too. Where a recursive network sees "difference", it sees and puts out changes from step to step, which are cumulated from the last
    value; an encoder sees changes, and its decoder puts out the mean change of a step since the last value.

    Parameters
    ----------
    kind : str or None
        One of ``SCALINGS``, or None.
    past : ndarray of shape (n_windows, n_lags, n_targets)
        The past of each window, without missing values.
    series : SeriesMoments
        Of the series of each window (n_windows, n_targets).

    Returns
    -------
    location, scale : ndarray of shape (n_windows, n_targets)
    """
    n_lags, zero = past.shape[1], np.zeros_like(series.mean)
    if kind is None:
        return zero, zero + 1
    if kind == "standard":
        return series.mean, series.deviation
    if kind == "robust":
        return series.median, series.spread
    if kind == "mean":
        return zero, 1 + np.abs(past).mean(axis=1)
    if kind == "difference":
        return past[:, -1], series.change
    scale = np.sqrt((n_lags * past.var(axis=1) + series.change**2) / (n_lags + 1))
    return past[:, -1] if kind == "last_value" else past.mean(axis=1), scale
