"""Forecasts from many origins of known series, beside what came."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from ...data import kind_of
from ..face._guards import predicting
from ..face._noted import as_fitted
from ._reading import GivenSeries, check_counts, levels_between, read_panel_series
from ._series_forecaster import SeriesForecaster
from ._series_frames import parts_of
from ._times import SeriesTimes


def backtest(
    forecaster: SeriesForecaster | FrozenEstimator,
    y: Any,
    X: Any = None,
    *,
    initial_window: int | None = None,
    n_windows: int | None = None,
    step: int = 1,
    horizon: int | None = None,
    refit: bool | int = False,
    coverage: float | None = None,
    quantiles: Sequence[float] | None = None,
    static: Any = None,
    as_frame: bool = True,
) -> Any:
    """Forecast from many points of a series, as if what follows were not known.

    Without ``refit`` a clone learns once, from the steps before the first origin, and then sees all steps before each origin: the forecasts from all
    origins are one batch. With ``refit`` it learns anew before every origin. Where the origins are is said by ``initial_window``, counted from the
    beginning and alike for all series, or by ``n_windows``, counted from the end of each.

    Parameters
    ----------
    forecaster : RNNForecaster, EchoStateForecaster or sklearn.frozen.FrozenEstimator
        Not changed. A fitted one in a ``FrozenEstimator`` does not learn: it forecasts from origins behind what it has learned from, of the same
        series from their beginning.
    y : array-like of shape (n_steps,) or (n_steps, n_targets), or a list of them
        The series.
    X : table of shape (n_steps, n_features), or a list of them, default=None
        Covariates.
    initial_window : int, default=None
        Steps of each series before the first origin; forecasts are made from there to the end.
    n_windows : int, default=None
        Number of origins of each series, the last one ``horizon`` steps before its end. Either this or ``initial_window`` is given.
    step : int, default=1
        Steps from one origin to the next.
    horizon : int, default=None
        Steps to forecast from each; ``None`` is that of the forecaster.
    refit : bool or int, default=False
        Whether to learn anew before every origin; or a number, before every so many.
    coverage : float, default=None
        Share that intervals should cover; ``None``: no intervals.
    quantiles : sequence of float, default=None
        Levels of quantiles.
    static : array-like of shape (n_series, n_static), default=None
        As in :meth:`RNNForecaster.fit`.
    as_frame : bool, default=True
        A pandas frame; else a dict of its columns, which needs no pandas.

    Returns
    -------
    frame or dict
        A row for each series, origin, step and target: ``series``, ``origin`` (row of the first step), ``step`` (from 1), ``target``, ``y_true``,
        ``y_pred``, and, where they are asked for, ``lower``, ``upper`` and a column for each quantile, as ``q0.1``. Where y has an index of times,
        the index of the frame are those of the steps.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNForecaster, backtest
    >>> y = np.sin(0.5 * np.arange(120))
    >>> model = RNNForecaster(horizon=4, random_state=0)
    >>> errors = backtest(model, y, initial_window=100, step=4, as_frame=False)
    >>> (
    ...     len(errors["y_pred"]),
    ...     bool(np.abs(errors["y_true"] - errors["y_pred"]).mean() < 0.1),
    ... )
    (20, True)
    """
    given: Any = forecaster
    frozen = isinstance(given, FrozenEstimator)
    model = given.estimator if frozen else clone(given)
    if not isinstance(model, SeriesForecaster):
        kinds = "an RNNForecaster or an EchoStateForecaster"
        raise TypeError(f"forecaster must be {kinds}, or a fitted one in a FrozenEstimator; got {type(model).__name__}")
    if frozen:
        check_is_fitted(model)
    horizon = (model.horizon_ if frozen else model.horizon) if horizon is None else horizon
    check_counts(step=step, horizon=horizon, **({} if refit in (False, True) else {"refit": refit}))
    levels = [] if quantiles is None else _named_levels(quantiles)
    if coverage is not None:
        (coverage,) = levels_between([coverage], "coverage")
    asked = [*levels, *([] if coverage is None else [(1 - coverage) / 2, (1 + coverage) / 2])]
    whole = read_panel_series(as_fitted(model), X, y, reset=not frozen)
    SeriesTimes.of(*whole.when, None, whole.several)
    origins = _origins(whole.lengths, horizon, step, initial_window, n_windows)

    def fitted(first: NDArray[np.intp]) -> Any:
        until = np.minimum(whole.lengths, first).tolist()
        return clone(forecaster).fit(_head(X, until, whole.several), _head(y, until, whole.several), static=static)

    fits: Iterable[tuple[Any, NDArray[np.intp]]]
    if frozen:
        _refuse_learned(model, origins[0], initial_window, refit)
        fits = [(model, origins)]
    else:
        n_each = int(refit) or len(origins)
        fits = ((fitted(few[0]), few) for few in np.split(origins, range(n_each, len(origins), n_each)))
    parts = [part for learned, few in fits for part in _from_origins(learned, whole, few, horizon, asked)]
    table = _columns_of(parts, levels, coverage is not None)
    return _frame_of(table, whole) if as_frame else table


def _named_levels(quantiles: Sequence[float]) -> list[float]:
    """Levels, of which no two give the same name to a column."""
    levels = levels_between(quantiles, "quantiles")
    named = {f"{level:g}": level for level in levels}
    if any(abs(named[f"{level:g}"] - level) > 1e-9 for level in levels):
        raise ValueError(f"quantiles must differ by more, for they name columns; got {quantiles!r}")
    return levels


def _origins(lengths: NDArray[np.intp], horizon: int, step: int, initial_window: int | None, n_windows: int | None) -> NDArray[np.intp]:
    """Rows of the first steps to come, (n_origins, n_series); of shorter series they may lie beyond the end."""
    shortest = int(np.argmin(lengths))
    if initial_window is not None and n_windows is None:
        check_counts(initial_window=initial_window)
        told, needed = f"initial_window={initial_window}", initial_window + horizon
        rows = np.arange(initial_window, lengths.max() - horizon + 1, step)[:, None].repeat(len(lengths), axis=1)
    elif n_windows is not None and initial_window is None:
        check_counts(n_windows=n_windows)
        told, needed = f"n_windows={n_windows}, step={step}", 1 + horizon + (n_windows - 1) * step
        rows = lengths - horizon - step * np.arange(n_windows)[::-1, None]
    else:
        raise ValueError(f"either initial_window or n_windows must be given; got {initial_window} and {n_windows}")
    if lengths[shortest] < needed:
        raise ValueError(f"{told} and horizon={horizon} need {needed} steps; series {shortest} has {lengths[shortest]}")
    return rows


def _refuse_learned(model: SeriesForecaster, first: NDArray[np.intp], initial_window: int | None, refit: bool | int) -> None:
    """Origins among what a fitted forecaster has learned from."""
    if refit:
        raise ValueError(f"A FrozenEstimator does not learn: it needs refit=False; got {refit}")
    if len(first) != len(model.n_steps_):
        return  # other series, which it refuses itself
    k = int(np.argmax(model.n_steps_ - first))
    if (most := int(model.n_steps_[k])) > first[k]:
        if initial_window is not None:
            raise ValueError(f"The fitted forecaster knows {most} steps: it needs initial_window={most} or more; got {initial_window}")
        raise ValueError(f"The fitted forecaster knows {most} steps of series {k}: the first of n_windows begins at step {first[k]}")


def _head(data: Any, until: list[int], several: bool) -> Any:
    """The first steps of each series."""
    if data is None:
        return None
    heads = [part.iloc[:n] if kind_of(part).startswith("pandas") else part[:n] for part, n in zip(parts_of(data, several), until, strict=True)]
    return heads if several else heads[0]


def _from_origins(model: SeriesForecaster, whole: GivenSeries, origins: NDArray[np.intp], horizon: int, levels: list[float]) -> list[dict[str, Any]]:
    """Forecasts of a fitted model, for each series."""
    fitted = model.forecaster_
    panel = fitted.panel(whole)
    steps = [own[own <= n - horizon] for own, n in zip(origins.T, panel.lengths, strict=True)]
    counts = [len(own) for own in steps]
    places = (np.repeat(np.arange(len(steps)), counts), np.concatenate(steps) + np.repeat(panel.offsets[:-1], counts))
    rows = places[1][:, None] + np.arange(horizon)
    with predicting(model):
        point = fitted.points(panel, places, horizon)
        bounds = fitted.quantiles_as_they_came(panel, places, horizon, levels) if levels else np.empty((*point.shape, 0))
    ends = np.cumsum(counts)[:-1]
    values = {"y_true": np.where(panel.present[rows], panel.y[rows], np.nan), "y_pred": point, "levels": bounds}
    parts = zip(*(np.split(part, ends) for part in values.values()), strict=True)
    return [{"series": k, "origins": own, **dict(zip(values, part, strict=True))} for k, (own, part) in enumerate(zip(steps, parts, strict=True))]


def _columns_of(parts: list[dict[str, Any]], levels: list[float], intervals: bool) -> dict[str, Any]:
    """Everything in columns."""
    columns: dict[str, list[Any]] = {}
    for part in parts:
        shape = part["y_pred"].shape
        place = np.meshgrid(part["origins"], np.arange(1, shape[1] + 1), np.arange(shape[2]), indexing="ij")
        own: dict[str, Any] = {"series": np.full(shape, part["series"])}
        own |= dict(zip(("origin", "step", "target"), place, strict=True))
        own |= {"y_true": part["y_true"], "y_pred": part["y_pred"]}
        names = [f"q{level:g}" for level in levels] + (["lower", "upper"] if intervals else [])
        own |= {name: part["levels"][..., j] for j, name in enumerate(names)}
        for name, values in own.items():
            columns.setdefault(name, []).append(np.ravel(values))
    return {name: np.concatenate(values) for name, values in columns.items()}


def _frame_of(table: dict[str, Any], whole: GivenSeries) -> Any:
    """Columns in a frame, whose index are the times of the steps where y has some."""
    try:
        import pandas as pd
    except ImportError as error:
        raise ImportError("as_frame=True needs pandas; as_frame=False gives a dict of columns") from error
    if whole.labels is None:
        return pd.DataFrame(table)
    rows, order = table["origin"] + table["step"] - 1, np.argsort(table["series"], kind="stable")
    parts = [instants.labels[rows[table["series"] == k]] for k, instants in enumerate(whole.when[0]) if instants is not None]
    return pd.DataFrame(table, parts[0].append(parts[1:])[np.argsort(order)])
