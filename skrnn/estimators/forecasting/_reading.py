"""What users hand to a forecaster: series, their covariates, and what is known about each as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Number
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data import ROWS, Sequences, cells_of, has_instances, kind_of, long_index
from ..face._guards import require_target
from ..face._readers import Given, Steps
from ..face._step_values import numbers
from ._season import fourier
from ._series_frames import SeriesLabels, check_ids, dated, ids_of, labels_of, parts_of, without_past
from ._times import Whens, when_of, when_of_both

Array = NDArray[np.float64]


class GivenSeries(NamedTuple):
    """Targets (n_steps, n_targets) and covariates (n_steps, n_features) of series, as they came; ``X`` may be missing."""

    y: list[Array]
    X: list[Array] | None
    several: bool
    flat: bool  # whether a target has no axis of outputs
    labels: SeriesLabels | None = None
    when: tuple[Whens, list[str]] = ([], [])  # the points in time of each series, and which table tells them
    ids: tuple[Any, ...] | None = None  # the names of the series of a long frame

    @property
    def lengths(self) -> NDArray[np.intp]:
        """Steps of each series."""
        return np.array([len(y) for y in self.y])


def several_series(y: Any) -> bool:
    """Whether y is a collection of series, not one."""
    kind = kind_of(y)
    if kind in ("pandas.Series", "polars.Series", "pandas.DataFrame"):
        return has_instances(y, kind, "y") or (kind.endswith("Series") and cells_of(y, kind) is not None)
    if isinstance(y, Sequences):
        return True
    if isinstance(y, np.ndarray):
        return y.ndim == 3 or (y.dtype == object and y.ndim == 1 and len(y) > 0 and np.ndim(y[0]) > 0)
    return isinstance(y, list | tuple) and len(y) > 0 and (isinstance(y[0], list | tuple) or np.ndim(y[0]) > 0)


def read_panel_series(model: Any, X: Any, y: Any, *, reset: bool, others: bool = False) -> GivenSeries:
    """X and y, checked against each other; ``reset`` notes the columns of X in the model. They are of the series of ``fit``, or of ``others``."""
    if not reset and not others:
        X, y = in_order_of_fit(model, X), in_order_of_fit(model, y)
    known, X = ids_of(y) or ids_of(X), dated(X, model.time_column)
    check_ids(X, known and known[0], ("X", "y"))
    if not reset and not others:
        _check_ids_of_fit(model, X, y)
        if isinstance(X, list | tuple) and isinstance(y, list | tuple) and len(X) == len(y) and not all(map(len, X)):
            return _with_nothing(model, X, y)
    several = several_series(y) and (reset or model._several or not _is_table(y))
    times_only = _has_no_columns(X)
    if X is None or times_only:
        if reset:
            model.n_features_in_ = 0
            vars(model).pop("feature_names_in_", None)
        elif model.n_features_in_:
            raise ValueError(f"X must hold the covariates of the new steps, {model.n_features_in_} features; got None")
        found = _read_targets(y, several, parts_of(X, several) if times_only else None, allow_empty=not reset)
        return found._replace(ids=known and known[0])
    given, tables = _read_tables(model, X, reset=reset)
    several = given.layout != ROWS
    if not several and ids_of(y) is not None:
        raise ValueError("y has an (instance, time) index of several series: X needs the same")
    targets, beside = parts_of(y, several), parts_of(X, several)
    rows = numbers(Steps(model.dtype).align(targets if several else y, given))
    offsets = np.cumsum([len(x) for x in tables])[:-1]
    split = np.split(rows.reshape(len(rows), -1), offsets)
    when = when_of_both(when_of(targets), when_of(beside) if len(beside) == len(tables) else None, several)
    return GivenSeries(split, tables, several, rows.ndim == 1, labels_of(y, targets, several), when, known and known[0])


def _with_nothing(model: Any, X: Any, y: Any) -> GivenSeries:
    """New steps of some series only; others have none."""
    n_new, sizes = [len(part) for part in X], [len(part) for part in y]
    if n_new != sizes:
        k = int(np.argmax(np.array(n_new) != sizes))
        raise ValueError(f"y[{k}] has {sizes[k]} steps, but X[{k}] has {n_new[k]}: there must be one target for each time step")
    some = [k for k, n in enumerate(n_new) if n]
    n_targets, n_features = model._history.y.shape[1], model.n_features_in_
    targets, tables = [np.empty((0, n_targets)) for _ in y], [np.empty((0, n_features)) for _ in y]
    when: Whens = [None] * len(y)
    names = ["y"] * len(y)
    if some:
        given = read_panel_series(model, [X[k] for k in some], [y[k] for k in some], reset=False, others=True)
        for place, k in enumerate(some):
            targets[k], when[k], names[k] = given.y[place], given.when[0][place], given.when[1][place]
            tables[k] = tables[k] if given.X is None else given.X[place]
    return GivenSeries(targets, tables if n_features else None, True, model._flat, when=(when, names))


def read_to_come(model: Any, X: Any) -> tuple[list[Array] | None, list[int] | None, Whens | None]:
    """Covariates of the steps to come, a table for each series, their lengths, and when they are; ``past_columns`` are not looked at."""
    if X is None:
        return None, None, None
    if isinstance(X, Number | str):
        raise ValueError(f"X must hold a row for each step to come, forecast(n_steps) takes their number; got {X!r}")
    _check_ids_of_fit(model, X)
    X = dated(X, model.time_column)
    tables, parts = read_tables_to_come(model, X), parts_of(X, model._several)
    return tables, [len(table) for table in (parts if tables is None else tables)], when_of(parts)


def read_tables_to_come(model: Any, X: Any) -> list[Array] | None:
    """Covariates of the steps to come, a table for each series of X, which has been :func:`dated`."""
    return _read_tables(model, without_past(X, model), reset=False)[1] if model.n_features_in_ else None


def in_order_of_fit(model: Any, data: Any) -> Any:
    """A long frame of the series of ``fit`` with these in their order there; anything else as it is."""
    index = long_index(data)
    known = model._ids or ()
    if index is None or set(index.ids) != set(known):
        return data
    rows = dict(zip(index.ids, index.rows, strict=True))
    return data.iloc[np.concatenate([rows[name] for name in known])]


def _check_ids_of_fit(model: Any, X: Any, y: Any = None) -> None:
    known = model._ids
    check_ids(X, known, ("X", "fit"))
    check_ids(y, known, ("y", "fit"))


def _read_tables(model: Any, X: Any, *, reset: bool) -> tuple[Given, list[Array]]:
    given = Steps(model.dtype).read(model, X, reset=reset)
    return given, [np.asarray(x, dtype=float) for x in given.sequences]


def _is_table(y: Any) -> bool:
    """Whether y is nested lists, which hold the rows of a table where a forecaster knows one series."""
    return isinstance(y, list | tuple) and all(isinstance(row, list | tuple) for row in y)


def _has_no_columns(X: Any) -> bool:
    """Whether X are frames that have nothing but an index."""
    parts = X if isinstance(X, list | tuple) else [X]
    return len(parts) > 0 and all(kind_of(part) == "pandas.DataFrame" and part.shape[1] == 0 for part in parts)


def _read_targets(y: Any, several: bool, times: list[Any] | None, *, allow_empty: bool) -> GivenSeries:
    """Series without covariates, whose times may stand in other tables."""
    given = parts_of(y, several)
    parts = [np.asarray(part) for part in given]
    for k, part in enumerate(parts):
        nothing = 0 in part.shape[1:] or (len(part) == 0 and not allow_empty) if part.ndim else True
        if part.ndim not in (1, 2) or part.ndim != parts[0].ndim or part.shape[1:] != parts[0].shape[1:] or nothing:
            where = f"y[{k}]" if several else "y"
            raise ValueError(f"{where} should have shape (n_steps,) or (n_steps, n_targets), the latter alike in all series; got {part.shape}")
    if times is not None and [len(part) for part in times] != [len(part) for part in parts]:
        raise ValueError(f"X must have a row for each step of y; got {[len(part) for part in times]} and {[len(part) for part in parts]} steps")
    when = when_of_both(when_of(given), None if times is None else when_of(times), several)
    targets = [numbers(part if len(part) else part.astype(float)).reshape(len(part), math.prod(part.shape[1:])) for part in parts]
    return GivenSeries(targets, None, several, parts[0].ndim == 1, labels_of(y, given, several), when)


def require_series(model: Any, X: Any, y: Any, method: str) -> None:
    """Refuse to learn from nothing, and say where a series alone belongs."""
    if y is None and X is not None:
        raise ValueError(
            f"{type(model).__name__} requires y to be passed, but the target y is None; a series without covariates is {method}(None, y)"
        )
    require_target(model, y)


def check_counts(**counts: Any) -> None:
    """Refuse numbers of steps, paths … that are none."""
    for name, value in counts.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or int(value) < 1:
            raise ValueError(f"{name} must be a whole number from 1 up; got {value!r}")


def levels_between(levels: Any, name: str) -> list[float]:
    """One or several shares, which must lie between 0 and 1."""
    try:
        found = np.atleast_1d(np.asarray(levels, dtype=float))
    except (TypeError, ValueError):
        found = np.empty((0, 0))
    if found.ndim != 1 or len(found) == 0 or not ((found > 0) & (found < 1)).all():
        raise ValueError(f"{name} must lie between 0 and 1, as a number or a list of them; got {levels!r}")
    return found.tolist()


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


def covariate_columns(settings: Any, n_features: int, names: list[str], in_index: int | None) -> CovariateColumns:
    """Where the time, unless it went from the place `in_index` into the index, and what is only known of the past, stand among the columns of X."""

    def place(column: Any, parameter: str) -> int:
        if isinstance(column, str):
            if column not in names:
                raise ValueError(f"{parameter} names the column {column!r}, which X has not; it has {names}")
            return names.index(column)
        if not isinstance(column, Integral):
            raise ValueError(f"{parameter} must name columns of X, or number them; got {column!r}")
        n_columns = n_features + (in_index is not None)
        if not -n_columns <= int(column) < n_columns or int(column) % n_columns == in_index:
            raise ValueError(f"{parameter} is column {column}, but X has {n_features} columns{' beside the time' * (n_columns > n_features)}")
        counted = int(column) % n_columns
        return counted - (in_index is not None and counted > in_index)

    time = None if settings.time_column is None or in_index is not None else place(settings.time_column, "time_column")
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
