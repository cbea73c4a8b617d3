"""A fitted forecaster at the end of series that it has not learned from."""

from __future__ import annotations

import copy
from typing import Any

from ...data import Panel, series_moments
from ..face._noted import as_fitted
from ._learning import panel_of
from ._reading import GivenSeries, read_panel_series
from ._times import Clock, SeriesTimes


def at_the_end_of_others(forecaster: Any, X: Any, y: Any, static: Any) -> Any:
    """A copy of a fitted forecaster that knows other series, and nothing of those of its own."""
    model = copy.deepcopy(forecaster)
    given = read_panel_series(as_fitted(model), X, y, reset=False, others=True)
    whole = model._static_columns.read(static, len(given.y), given.ids, reset=False)
    clock = model._times.clock
    _refuse_other_kind(given, model._history, model.n_lags_)
    if clock is not None and given.X is not None:
        clock = Clock.of(given.X, clock.column, given.several)
    model._several, model._flat, model._labels, model._ids = given.several, given.flat, given.labels, given.ids
    model._times = SeriesTimes.of(*given.when, clock, given.several)
    panel = panel_of(given, model._covariates, whole, model._times.done(given.lengths) - given.lengths, model._plan)
    model._series_moments, model.n_steps_ = series_moments(panel.series()), panel.lengths
    model._calibration = None if model._calibration is None else model._calibration.of_others(len(given.y))
    model._remember(panel)
    return model


def _refuse_other_kind(given: GivenSeries, known: Panel, n_lags: int) -> None:
    """Refuse series that a fitted forecaster cannot go on from."""
    for k, y in enumerate(given.y):
        where = f"y[{k}]" if given.several else "y"
        if len(y) < n_lags:
            raise ValueError(f"{where} has {len(y)} steps, but a forecast is made from n_lags_={n_lags}")
        if y.shape[1] != known.y.shape[1]:
            raise ValueError(f"{where} has {y.shape[1]} targets (columns), expected {known.y.shape[1]}")
