"""Columns of forecasts: of the steps to come, and of windows of the past."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import narwhals as nw
import numpy as np
from numpy.typing import NDArray

from ..estimators import backtest
from ..estimators.forecasting import SeriesForecaster, check_counts
from ._long_frame import LongFrame
from ._nixtla import NixtlaPanel
from ._nixtla_covariates import filled_up
from ._nixtla_models import Spread


class ToCome(NamedTuple):
    """Series of which forecasts are asked for."""

    panel: NixtlaPanel  # all series that the models know
    ids: list[Any]  # those that are asked for
    known: list[NDArray[np.float64]] | None  # covariates of their steps to come

    @property
    def place(self) -> list[int]:
        """Where the series that are asked for stand among those that the models know."""
        where = {name: k for k, name in enumerate(self.panel.ids)}
        return [where[name] for name in self.ids]

    def rows(self, model: SeriesForecaster, n_steps: int) -> list[NDArray[np.float64]]:
        """Tables of ``n_steps`` rows for all series that the model knows."""
        tables: list[Any] = [np.empty((0, max(1, len(self.panel.features))))] * len(self.panel.ids)
        for k, table in zip(self.place, self.known or [], strict=False):
            tables[k] = table
        past = tables if self.panel.X is None else self.panel.X
        return [filled_up(model, *pair, n_steps) for pair in zip(past, tables, strict=True)]


def common_steps(h: int | None, horizons: Mapping[str, int]) -> int:
    """How many steps are asked for, by the horizons of the models where nobody says."""
    if h is None:
        if len(set(horizons.values())) > 1:
            raise ValueError(f"h must say how many steps to forecast, for the models have different horizons: {dict(horizons)}")
        return next(iter(horizons.values()))
    check_counts(h=h)
    return h


def forecast_columns(name: str, model: SeriesForecaster, to_come: ToCome, n_steps: int, spread: Spread) -> dict[str, list[NDArray[np.float64]]]:
    """What a model says of the steps after the end of series, a list of them for each column."""
    rows, place = to_come.rows(model, n_steps), to_come.place
    said = model.forecast(n_steps, None if to_come.known is None else rows)
    columns = {name: [np.asarray(said[k]) for k in place]}
    if levels := spread.asked():
        found = [np.asarray(part) for part in model.predict_quantiles(rows, levels)]
        columns |= {column: [found[k][..., levels.index(q)] for k in place] for column, q in spread.columns(name).items()}
    return columns


def forecasts_of_windows(
    models: Mapping[str, SeriesForecaster], given: LongFrame, panel: NixtlaPanel, settings: Mapping[str, Any], spread: Spread, target_col: str
) -> Any:
    """A long frame of forecasts from windows at the end of each series, by the settings of ``backtest``, beside what came."""
    before = _steps_before(panel, settings)
    columns: dict[str, NDArray[np.float64]] = {}
    place = first = np.arange(0)
    for name, model in models.items():
        try:
            table = backtest(model, panel.series, panel.X, quantiles=spread.asked() or None, as_frame=False, **settings)
        except ValueError as error:
            k = int(np.argmin([len(y) for y in panel.y]))
            error.add_note(f"{name} was to learn from the steps before the windows; of the shortest series, {panel.ids[k]!r}, these are {before[k]}")
            raise
        order = np.lexsort((table["step"], table["origin"], table["series"]))
        columns[name] = table["y_pred"][order]
        columns |= {column: table[f"q{level:g}"][order] for column, level in spread.columns(name).items()}
        first = (np.cumsum([0, *map(len, panel.y)])[table["series"]] + table["origin"])[order]
        place = first + table["step"][order] - 1
    rows, (id_col, time_col) = np.concatenate(given.rows), panel.keys.columns
    frame = nw.maybe_reset_index(given.frame[rows[place].tolist()])
    cutoff = nw.maybe_reset_index(given.frame[time_col][rows[first - 1].tolist()]).alias("cutoff")
    found = [nw.new_series(column, values, backend=frame.implementation) for column, values in columns.items()]
    return frame.select(id_col, time_col, cutoff, target_col, *found).to_native()


def _steps_before(panel: NixtlaPanel, settings: Mapping[str, Any]) -> list[int]:
    """Steps of each series before the first window, of which there must be one at least."""
    n_windows, h, step = settings["n_windows"], settings["horizon"], settings["step"]
    taken = h + (n_windows - 1) * step
    left = [len(y) - taken for y in panel.y]
    short = [k for k, n in enumerate(left) if n < 1]
    if short:
        others = f", and {len(short) - 1} more are too short" if len(short) > 1 else ""
        told = f"n_windows={n_windows}, h={h} and step_size={step} need {taken + 1} steps or more of each series"
        raise ValueError(f"{told}; {panel.ids[short[0]]!r} has {len(panel.y[short[0]])}{others}")
    return left
