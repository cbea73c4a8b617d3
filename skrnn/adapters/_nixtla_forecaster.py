"""One model of all series of a long frame, in the habits of Nixtla's libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.utils.validation import check_is_fitted

from ..estimators import RNNForecaster
from ._nixtla import from_nixtla


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
    >>> df = pd.concat(
    ...     [
    ...         pd.DataFrame(
    ...             {
    ...                 "unique_id": k,
    ...                 "ds": days,
    ...                 "y": np.arange(60) % 7 + 10.0 * k,
    ...             }
    ...         )
    ...         for k in range(3)
    ...     ]
    ... )
    >>> model = NixtlaForecaster(
    ...     RNNForecaster(horizon=7, n_lags=14, max_epochs=2, random_state=0)
    ... ).fit(df)
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
        panel = from_nixtla(df, id_col=self.id_col, time_col=self.time_col, target_col=self.target_col, freq=self.freq)
        static = {} if static_df is None else {"static": panel.static(static_df)}
        estimator = RNNForecaster() if self.estimator is None else clone(self.estimator)
        self.estimator_ = estimator.fit(panel.X, panel.y, **static)
        self.panel_ = panel
        return self

    def predict(self, h: int | None = None, X_df: Any = None, level: Sequence[float] = ()) -> Any:
        """Forecast the steps behind the end of each series.

        Parameters
        ----------
        h : int or None, default=None
            How many steps; ``None`` is the ``horizon_`` of the estimator.
        X_df : frame, default=None
            Ids, times and covariates of the steps to come.
        level : sequence of float, default=()
            Coverage of intervals in percent.

        Returns
        -------
        frame : frame
            Of the library of `df`: ids, times, the forecasts in a column called as the estimator, and for each level "…-lo-90" and "…-hi-90".

        Raises
        ------
        ValueError
            If covariates are missing, too short, or of other series or times; the message names the series.
        """
        check_is_fitted(self)
        n_steps = self.estimator_.horizon_ if h is None else h
        if self.panel_.features and X_df is None:
            raise ValueError(f"X_df must hold the covariates {self.panel_.features} of the steps to come; got None")
        X = self.panel_.future(X_df, n_steps) if self.panel_.features else None
        rows = [np.zeros((n_steps, 1)) for _ in self.panel_.ids] if X is None else X
        name = type(self.estimator_).__name__
        columns = {name: self.estimator_.forecast(n_steps, X)}
        for percent in level:
            low, high = self.estimator_.predict_interval(rows, percent / 100)
            columns |= {f"{name}-lo-{percent:g}": low, f"{name}-hi-{percent:g}": high}
        return self.panel_.frame(columns)
