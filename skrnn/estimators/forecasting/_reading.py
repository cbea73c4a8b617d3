"""What users hand to a forecaster: series, their covariates, and what is known about each as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from ...data import ROWS, LongIndex, Sequences, long_index, refuse_other_index, unmasked
from ..face._readers import Given, Steps
from ..face._step_values import numbers
from ._season import fourier
from ._times import check_time_index

Array = NDArray[np.float64]


class GivenSeries(NamedTuple):
    """Targets (n_steps, n_targets) and covariates (n_steps, n_features) of series, as they came; ``X`` may be missing."""

    y: list[Array]
    X: list[Array] | None
    several: bool
    flat: bool  # whether a target has no axis of outputs
    long: LongIndex | None = None

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Steps of each series."""
        return np.array([len(y) for y in self.y])


def several_series(y: Any) -> bool:
    """Whether y is a collection of series, not one."""
    if isinstance(y, Sequences):
        return True
    if isinstance(y, np.ndarray):
        return y.ndim == 3 or (y.dtype == object and y.ndim == 1 and np.ndim(y[0]) > 0)
    return isinstance(y, list | tuple) and len(y) > 0 and np.ndim(y[0]) > 0 and not all(isinstance(row, list | tuple) for row in y)


def read_panel_series(model: Any, X: Any, y: Any, *, reset: bool) -> GivenSeries:
    """X and y, checked against each other; ``reset`` notes the columns of X in the model."""
    index = long_index(y) if X is None else long_index(X)
    if X is not None and index is None and long_index(y) is not None:
        raise ValueError("y has an (instance, time) index: X needs the same")
    refuse_other_index(X, y)
    if X is None or (index is not None and X.ndim == 2 and X.shape[1] == 0):
        if reset:
            model.n_features_in_ = 0
            vars(model).pop("feature_names_in_", None)
        elif model.n_features_in_:
            raise ValueError(f"X must hold the covariates of the new steps, {model.n_features_in_} features; got None")
        return _read_targets(y, index)
    given, tables = _read_tables(model, X, reset=reset)
    check_time_index(y, "y")
    rows = numbers(Steps(model.dtype).align(y, given))
    offsets = np.cumsum([len(x) for x in tables])[:-1]
    return GivenSeries(np.split(rows.reshape(len(rows), -1), offsets), tables, given.layout != ROWS, rows.ndim == 1, index)


def read_tables(model: Any, X: Any) -> list[Array]:
    """Covariates of the steps to come, a table for each series."""
    return _read_tables(model, X, reset=False)[1]


def _read_tables(model: Any, X: Any, *, reset: bool) -> tuple[Given, list[Array]]:
    check_time_index(X, "X")
    given = Steps(model.dtype).read(model, X, reset=reset)
    return given, [np.asarray(x, dtype=float) for x in given.sequences]


def _read_targets(y: Any, index: LongIndex | None) -> GivenSeries:
    """Series without covariates."""
    if index is not None:
        rows = np.asarray(unmasked(y))
        if rows.ndim not in (1, 2) or len(rows) != len(index.order):
            raise ValueError(
                f"y should have shape (n_steps,) or (n_steps, n_targets) with n_steps={len(index.order)}, as the index says; got {rows.shape}"
            )
        parts = np.split(numbers(rows[index.order]).reshape(len(rows), -1), index.offsets[1:-1])
        return GivenSeries(parts, None, True, rows.ndim == 1, index)
    check_time_index(y, "y")
    y, several = unmasked(y), several_series(y)
    parts = [np.asarray(part) for part in y] if several else [np.asarray(y)]
    for k, part in enumerate(parts):
        if part.ndim not in (1, 2) or part.ndim != parts[0].ndim or part.shape[1:] != parts[0].shape[1:] or 0 in part.shape:
            where = f"y[{k}]" if several else "y"
            raise ValueError(f"{where} should have shape (n_steps,) or (n_steps, n_targets), the latter alike in all series; got {part.shape}")
    return GivenSeries([numbers(part).reshape(len(part), -1) for part in parts], None, several, parts[0].ndim == 1)


def read_static(static: Any, n_series: int) -> Array:
    """A row of numbers for each series; no columns where there are none."""
    if static is None:
        return np.empty((n_series, 0))
    table = check_array(static, dtype=np.float64, input_name="static")
    if len(table) != n_series:
        raise ValueError(f"static must have a row for each of the {n_series} series; got {len(table)}")
    return np.asarray(table)


def fill_forward(y: Array) -> Array:
    """Missing values as the last known one, those at the beginning as the first known one."""
    known = ~np.isnan(y)
    if known.all():
        return y
    row = np.maximum.accumulate(np.where(known, np.arange(len(y))[:, None], -1), axis=0)
    first = y[known.argmax(axis=0), np.arange(y.shape[1])]
    return np.where(row >= 0, np.take_along_axis(y, np.maximum(row, 0), axis=0), np.where(np.isnan(first), 0.0, first))


class CovariateColumns(NamedTuple):
    """Which columns of X are what."""

    time: int | None
    known: list[int]  # of every step, also of those to come
    past: list[int]  # of the past only


def covariate_columns(settings: Any, n_features: int, names: list[str]) -> CovariateColumns:
    """Where the time, and what is only known of the past, stand among the columns of X."""

    def place(column: Any, parameter: str) -> int:
        if isinstance(column, str):
            if column not in names:
                raise ValueError(f"{parameter} names the column {column!r}, which X has not; it has {names}")
            return names.index(column)
        if not -n_features <= column < n_features:
            raise ValueError(f"{parameter} is column {column}, but X has {n_features} columns")
        return int(column) % n_features

    time = None if settings.time_column is None else place(settings.time_column, "time_column")
    past = [place(column, "past_columns") for column in settings.past_columns]
    if past and settings.strategy == "recursive":
        raise ValueError("past_columns cannot be seen by strategy='recursive', which runs through the future: use 'direct' or 'seq2seq'")
    return CovariateColumns(time, [c for c in range(n_features) if c != time and c not in past], past)


def covariate_scales(tables: list[Array] | None, standardize: bool) -> tuple[Array, Array]:
    """What is subtracted from each column of X, and what it is divided by."""
    table = np.empty((1, 0)) if tables is None else np.concatenate(tables)
    if not standardize:
        return np.zeros(table.shape[1]), np.ones(table.shape[1])
    spread = table.std(axis=0)
    return table.mean(axis=0), np.where(spread > 1e-12 * np.abs(table).max(axis=0, initial=0.0), spread, 1.0)


@dataclass(frozen=True)
class Covariates:
    """What is known beside the targets of each step: columns of X, standardised, and where in the season it lies."""

    columns: CovariateColumns
    mean: Array
    scale: Array
    season: int

    def of(self, tables: list[Array] | None, lengths: Any, starts: Any) -> tuple[list[Array], list[Array]]:
        """For each series what is known of every step, and what of the past only; ``starts`` are the steps before these."""
        known, past = [], []
        for k, (n, start) in enumerate(zip(lengths, starts, strict=True)):
            x = np.empty((n, len(self.mean))) if tables is None else (tables[k] - self.mean) / self.scale
            waves = [fourier(np.arange(start, start + n), self.season)] if self.season else []
            known.append(np.concatenate([x[:, self.columns.known], *waves], axis=1))
            past.append(x[:, self.columns.past])
        return known, past
