"""What is known beside the targets of a long frame, as the lists that are fitted have it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..estimators.forecasting import SeriesForecaster
from ._nixtla import NixtlaPanel


def static_of(panel: NixtlaPanel, static_df: Any) -> dict[str, Any]:
    """What holds for each series, as an argument of ``fit``."""
    return {} if static_df is None else {"static": panel.static(static_df)}


def with_placed_columns(estimator: SeriesForecaster, features: list[str]) -> SeriesForecaster:
    """Say by their places which covariates are meant, as the lists that are fitted have no names."""

    def place(parameter: str, column: Any) -> Any:
        if not isinstance(column, str):
            return column
        if column not in features:
            raise ValueError(f"{parameter} names the column {column!r}, which df has not; its covariates are {features}")
        return features.index(column)

    past = tuple(place("past_columns", column) for column in estimator.past_columns)
    return estimator.set_params(past_columns=past, time_column=place("time_column", estimator.time_column))


def covariates_to_come(model: SeriesForecaster, panel: NixtlaPanel, ids: Sequence[Any], X_df: Any, n_steps: int) -> list[NDArray[np.float64]] | None:
    """What a model must be told about the steps to come, a table for each of some series."""
    past = [panel.features[int(k)] for k in model.past_columns]
    known = [name for name in panel.features if name not in past]
    if known and X_df is None:
        raise ValueError(f"X_df must hold the covariates {known} of the steps to come; got None")
    return panel.future(X_df, n_steps, past, ids) if known else None


def filled_up(model: SeriesForecaster, past: NDArray[np.float64], table: NDArray[np.float64], n_steps: int) -> NDArray[np.float64]:
    """Covariates of steps to come with rows behind them that nobody asks for, in which a time column goes on."""
    rows = np.zeros((n_steps, table.shape[1]))
    rows[: len(table)] = table
    if model.time_column is not None and len(table) < n_steps:
        column = int(model.time_column)
        times = np.append(past[:, column], table[:, column])
        step = np.median(np.diff(times)) if len(times) > 1 else 1.0
        rows[len(table) :, column] = times[-1] + step * np.arange(1, n_steps - len(table) + 1)
    return rows
