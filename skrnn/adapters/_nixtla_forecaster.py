"""One model of all series of a long frame, in the habits of Nixtla's libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from ..estimators import RNNForecaster
from ._nixtla import NixtlaPanel, from_nixtla


class NixtlaForecaster(BaseEstimator):
    """Forecast the series of a long frame (unique_id, ds, y) with one global model, and get a long frame back.

    Choose it where the data are as Nixtla's libraries have them, in pandas or polars; `from_nixtla` gives the lists that are used inside.

    Parameters
    ----------
    estimator : RNNForecaster or None, default=None
        What is fitted, a clone of it; ``None`` is ``RNNForecaster()``. Its parameters are searched as ``estimator__…``.
    freq : str, int or None, default=None
        The step of the time: "15min", "1d", "MS" …, or a whole number for times that are; ``None`` is that of the times.
    id_col, time_col, target_col : str
        Names of the columns.

    Attributes
    ----------
    estimator_ : RNNForecaster
        The fitted one.
    panel_ : NixtlaPanel
        The series that it was fitted on.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from skrnn import RNNForecaster
    >>> from skrnn.adapters import NixtlaForecaster
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> df = pd.concat([pd.DataFrame({"unique_id": k, "ds": days, "y": np.arange(60) % 7 + 10.0 * k}) for k in range(3)])
    >>> model = NixtlaForecaster(RNNForecaster(horizon=7, n_lags=14, max_epochs=2, random_state=0)).fit(df)
    >>> model.predict(7, level=[90]).columns.tolist()
    ['unique_id', 'ds', 'RNNForecaster', 'RNNForecaster-lo-90', 'RNNForecaster-hi-90']
    """

    def __init__(
        self,
        estimator: Any = None,
        freq: str | int | None = None,
        id_col: str = "unique_id",
        time_col: str = "ds",
        target_col: str = "y",
    ) -> None:
        self.estimator = estimator
        self.freq = freq
        self.id_col = id_col
        self.time_col = time_col
        self.target_col = target_col

    def fit(self, df: Any, static_df: Any = None) -> Self:
        """Learn from all series.

        Parameters
        ----------
        df : frame
            A row for each series and time; columns other than ids, times and targets are covariates.
        static_df : frame, default=None
            A row for each series: its id, and numbers that hold for all of its steps.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            As `from_nixtla`; and if `static_df` has not one row for each series.
        """
        panel = self._read(df)
        estimator = RNNForecaster() if self.estimator is None else clone(self.estimator)
        _place_columns(estimator, panel.features)
        self.estimator_ = estimator.fit(panel.X, panel.y, **_static(panel, static_df))
        self.panel_ = panel
        return self

    def _read(self, df: Any) -> NixtlaPanel:
        return from_nixtla(df, id_col=self.id_col, time_col=self.time_col, target_col=self.target_col, freq=self.freq)

    def predict(
        self,
        h: int | None = None,
        X_df: Any = None,
        level: Sequence[float] = (),
        *,
        quantiles: Sequence[float] = (),
        ids: Sequence[Any] | None = None,
        df: Any = None,
        static_df: Any = None,
    ) -> Any:
        """Forecast the steps behind the end of each series.

        Parameters
        ----------
        h : int or None, default=None
            How many steps; ``None`` is the ``horizon_`` of the estimator.
        X_df : frame, default=None
            Ids, times and covariates of the steps to come; those of ``past_columns`` may be missing.
        level : sequence of float, default=()
            Coverage of intervals in percent.
        quantiles : sequence of float, default=()
            Levels of quantiles, between 0 and 1.
        ids : sequence, default=None
            Series to forecast; ``None`` is all.
        df : frame, default=None
            Other series, as in ``fit``, to be forecast by what was learned; ``None``: those of ``fit``.
        static_df : frame, default=None
            As in ``fit``, of the series of `df`.

        Returns
        -------
        frame : frame
            Of the library of `df`: ids, times, the forecasts in a column called as the estimator, for each level "…-lo-90" and "…-hi-90", and for
            each quantile "…-q0.1".

        Raises
        ------
        ValueError
            If covariates are missing, too short, or of other series or times; the message names the series.
        """
        check_is_fitted(self)
        estimator, panel = self.estimator_, self.panel_
        if df is not None:
            panel = self._read(df)
            if panel.features != self.panel_.features:
                raise ValueError(f"df has the covariates {panel.features}, that of fit {self.panel_.features}")
            estimator = estimator.with_history(panel.X, panel.y, **_static(panel, static_df))
        asked = panel if ids is None else panel.of(ids)
        place = [panel.ids.index(name) for name in asked.ids]
        n_steps = estimator.horizon_ if h is None else h
        X = self._future(asked, X_df, n_steps)
        rows = [np.zeros((n_steps, max(1, len(panel.features)))) for _ in panel.ids]
        for k, table in zip(place, X or [], strict=False):
            rows[k] = table
        name = type(estimator).__name__
        columns = {name: estimator.forecast(n_steps, None if X is None else rows)}
        for percent in level:
            low, high = estimator.predict_interval(rows, percent / 100)
            columns |= {f"{name}-lo-{percent:g}": low, f"{name}-hi-{percent:g}": high}
        for q in quantiles:
            columns[f"{name}-q{q:g}"] = [part[..., 0] for part in estimator.predict_quantiles(rows, [q])]
        return asked.frame({column: [parts[k] for k in place] for column, parts in columns.items()})

    def _future(self, panel: NixtlaPanel, X_df: Any, n_steps: int) -> list[Any] | None:
        """Covariates of the steps to come."""
        past = [panel.features[int(k)] for k in self.estimator_.past_columns]
        known = [name for name in panel.features if name not in past]
        if known and X_df is None:
            raise ValueError(f"X_df must hold the covariates {known} of the steps to come; got None")
        return panel.future(X_df, n_steps, past) if known else None


def _static(panel: NixtlaPanel, static_df: Any) -> dict[str, Any]:
    return {} if static_df is None else {"static": panel.static(static_df)}


def _place_columns(estimator: RNNForecaster, features: list[str]) -> None:
    """Say by their places which covariates are meant, as the lists that are fitted have no names."""

    def place(parameter: str, column: Any) -> Any:
        if not isinstance(column, str):
            return column
        if column not in features:
            raise ValueError(f"{parameter} names the column {column!r}, which df has not; its covariates are {features}")
        return features.index(column)

    past = tuple(place("past_columns", column) for column in estimator.past_columns)
    estimator.set_params(past_columns=past, time_column=place("time_column", estimator.time_column))
