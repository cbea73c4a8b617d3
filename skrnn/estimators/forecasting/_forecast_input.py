"""What users hand to a forecaster becomes a panel: series, covariates, and the place of every step in time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from ..data import ROWS, Panel, Sequences, check_sequences_and_layout, step_rows
from ._step_values import numbers

Array = NDArray[np.float64]

_LONGEST_SEASON = 600


class Series(NamedTuple):
    """Targets (n_steps, n_targets) and covariates (n_steps, n_features) of series, as they came; ``X`` may be missing, ``y`` too."""

    y: list[Array] | None
    X: list[Array] | None
    several: bool
    flat: bool  # whether a target has no axis of outputs


def several_series(y: Any) -> bool:
    """Whether y is a collection of series, not one."""
    if isinstance(y, Sequences):
        return True
    if isinstance(y, np.ndarray):
        return y.ndim == 3 or (y.dtype == object and y.ndim == 1 and np.ndim(y[0]) > 0)
    return isinstance(y, list | tuple) and len(y) > 0 and np.ndim(y[0]) > 0 and not all(isinstance(row, list | tuple) for row in y)


def read_targets(y: Any) -> tuple[list[Array], bool, bool]:
    """The series of y, whether they are several, and whether a target has no axis of outputs."""
    check_time_index(y, "y")
    several = several_series(y)
    parts = [np.asarray(part) for part in y] if several else [np.asarray(y)]
    for k, part in enumerate(parts):
        if part.ndim not in (1, 2) or part.ndim != parts[0].ndim or part.shape[1:] != parts[0].shape[1:] or 0 in part.shape:
            where = f"y[{k}]" if several else "y"
            raise ValueError(f"{where} should have shape (n_steps,) or (n_steps, n_targets), the latter alike in all series; got {part.shape}")
    return [numbers(part).reshape(len(part), -1) for part in parts], several, parts[0].ndim == 1


def read_fit(estimator: Any, X: Any, y: Any, *, reset: bool) -> Series:
    """X and y, checked against each other."""
    if X is None:
        if reset:
            estimator.n_features_in_ = 0
            vars(estimator).pop("feature_names_in_", None)
        elif estimator.n_features_in_:
            raise ValueError(f"X must hold the covariates of the new steps, {estimator.n_features_in_} features; got None")
        series, several, flat = read_targets(y)
        return Series(series, None, several, flat)
    tables, came = read_tables(estimator, X, reset=reset)
    check_time_index(y, "y")
    rows = numbers(step_rows(y, *came))
    flat = rows.ndim == 1
    offsets = np.cumsum([len(x) for x in tables])[:-1]
    return Series(np.split(rows.reshape(len(rows), -1), offsets), tables, came[1] != ROWS, flat)


def read_tables(estimator: Any, X: Any, *, reset: bool) -> tuple[list[Array], tuple[Sequences, str]]:
    """A table of covariates for each series, and the container they came in."""
    check_time_index(X, "X")
    sequences, layout = check_sequences_and_layout(estimator, X, reset=reset, compute_dtype=estimator.dtype, rows_are_steps=True)
    return [np.asarray(x, dtype=float) for x in sequences], (sequences, layout)


def check_time_index(data: Any, name: str) -> None:
    """Refuse a pandas index of points in time that does not run on regularly; a pandas frequency is taken at its word."""
    index: Any = getattr(data, "index", None)
    kind = type(index).__name__
    if kind in ("DatetimeIndex", "PeriodIndex"):
        check_steps(index.asi8, f"the index of {name}", index, gaps=kind == "PeriodIndex" or index.freq is None)


def check_steps(times: NDArray[Any], name: str, labels: Any, *, gaps: bool = True) -> None:
    """Refuse points in time that are doubled or out of order, or of which some are missing."""
    steps = np.diff(times)
    if len(steps) == 0:
        return
    for wrong, what in ((steps == 0, "is there twice"), (steps < 0, "comes after a later one")):
        if wrong.any():
            row = int(np.argmax(wrong)) + 1
            raise ValueError(f"{name} must increase: {labels[row]} in row {row} {what}")
    usual = np.median(steps)
    if gaps and (steps > 1.5 * usual).any():
        row = int(np.argmax(steps > 1.5 * usual))
        raise ValueError(f"{name} has a gap between {labels[row]} and {labels[row + 1]}, rows {row} and {row + 1}: put in the missing steps")


def refuse_missing(series: list[Array], several: bool) -> None:
    """Say where the first missing value is."""
    for k, y in enumerate(series):
        if (missing := np.isnan(y).any(axis=1)).any():
            where = f"series {k} of y" if several else "y"
            raise ValueError(f"Input {where} contains NaN, the first in row {int(np.argmax(missing))}; missing='mask' learns from the others")


def fill_forward(y: Array, before: Array | None = None) -> Array:
    """Missing values as the last known one; those at the beginning as ``before``, or as the first known one."""
    known = ~np.isnan(y)
    if known.all():
        return y
    row = np.maximum.accumulate(np.where(known, np.arange(len(y))[:, None], -1), axis=0)
    first = y[known.argmax(axis=0), np.arange(y.shape[1])] if before is None else before
    return np.where(row >= 0, np.take_along_axis(y, np.maximum(row, 0), axis=0), np.where(np.isnan(first), 0.0, first))


def fourier(steps: NDArray[np.intp], season: int, most: int = 3) -> Array:
    """Sines and cosines of the season at the steps."""
    k = np.arange(1, min(most, season // 2) + 1)
    angle = 2 * np.pi * steps[:, None] * k / season
    return np.concatenate([np.sin(angle), np.cos(angle[:, : (season - 1) // 2])], axis=1) if season > 2 else np.cos(angle)


def read_static(static: Any, n_series: int) -> Array:
    """A row of numbers for each series; no columns where there are none."""
    if static is None:
        return np.empty((n_series, 0))
    table = check_array(static, dtype=np.float64, input_name="static")
    if len(table) != n_series:
        raise ValueError(f"static must have a row for each of the {n_series} series; got {len(table)}")
    return np.asarray(table)


def assemble(y: list[Array], known: list[Array], seen: list[Array], static: Array) -> Panel:
    """A panel of series, with missing targets filled."""
    present = ~np.isnan(np.concatenate(y))
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in y])])
    return Panel(np.concatenate([fill_forward(part) for part in y]), present, np.concatenate(known), np.concatenate(seen), static, offsets)


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
