"""One model of all series of a long frame, or several side by side, in the habits of Nixtla's libraries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..estimators import RNNForecaster
from ..estimators.forecasting import SeriesForecaster, check_counts, mean_r2
from ._long_frame import LongFrame
from ._nixtla import NixtlaPanel, panel_of_rows
from ._nixtla_covariates import covariates_to_come, static_of, with_placed_columns
from ._nixtla_forecasts import ToCome, common_steps, forecast_columns, forecasts_of_windows
from ._nixtla_models import Spread, are_several, models_to_fit, naming_series, parameters_of, updated, with_parameters
from ._nixtla_picture import draw_series


class NixtlaForecaster(BaseEstimator):
    """Forecast the series of a long frame (unique_id, ds, y) with one global model, and get a long frame back.

    Choose it where the data are as Nixtla's libraries have them, in pandas or polars; `from_nixtla` gives the lists that are used inside.

    Parameters
    ----------
    estimator : RNNForecaster, EchoStateForecaster, list or dict of them, or None, default=None
        What is fitted, a clone of it; ``None`` is ``RNNForecaster()``. Its parameters are searched as ``estimator__…``. Several models stand side by
        side, each with columns of its own: a dict says what they are called; in a list they are called as their classes, the second of a class
        "RNNForecaster2". Their parameters are ``estimator__name__…``.
    freq : str, int or None, default=None
        The step of the time: "15min", "1d", "MS" …, or a whole number for times that are; ``None`` is that of the times.
    id_col, time_col, target_col : str
        Names of the columns.

    Attributes
    ----------
    models_ : dict of str to forecaster
        The fitted ones.
    estimator_ : RNNForecaster or EchoStateForecaster
        The fitted one, if there is one only.
    panel_ : NixtlaPanel
        The series as far as they are known: those of ``fit``, and what came by ``update``.

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
    >>> network = RNNForecaster(
    ...     horizon=7, n_lags=14, max_epochs=2, random_state=0
    ... )
    >>> model = NixtlaForecaster(network).fit(df)
    >>> model.predict(7, level=[90]).columns.tolist()
    ['unique_id', 'ds', 'RNNForecaster', 'RNNForecaster-lo-90', 'RNNForecaster-hi-90']
    >>> model.cross_validation(df, n_windows=2, h=7).columns.tolist()
    ['unique_id', 'ds', 'cutoff', 'y', 'RNNForecaster']
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

    @property
    def estimator_(self) -> SeriesForecaster:
        """The fitted one, if there is one only."""
        check_is_fitted(self)
        if len(self.models_) > 1:
            raise AttributeError(f"there are several models, {list(self.models_)}: models_ has them by name")
        (model,) = self.models_.values()
        return model

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name, those of forecasters side by side as ``estimator__name__…``.

        Parameters
        ----------
        deep : bool, default=True
            Whether to give those of the forecasters too.

        Returns
        -------
        dict
        """
        found: dict[str, Any] = super().get_params(deep)
        if deep and are_several(self.estimator):
            found |= {f"estimator__{key}": value for key, value in parameters_of(self.estimator).items()}
        return found

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of forecasters side by side as ``estimator__name__…``.

        Parameters
        ----------
        **params : dict
            By name.

        Returns
        -------
        self
        """
        inner = {key: value for key, value in params.items() if key.startswith("estimator__")}
        super().set_params(**{key: value for key, value in params.items() if key not in inner})
        if inner and are_several(self.estimator):
            self.estimator = with_parameters(self.estimator, {key.removeprefix("estimator__"): value for key, value in inner.items()})
            return self
        if inner and self.estimator is None:  # as the parameters of a cell that is a name
            self.estimator = RNNForecaster()
        return super().set_params(**inner)

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
            As `from_nixtla`; and if `static_df` has not one row for each series, or `estimator` has something else than forecasters.
        """
        models, panel = self._unfitted(), self._panel(self._read(df))
        static, series = static_of(panel, static_df), panel.series
        with naming_series(panel.ids):
            for model in models.values():
                with_placed_columns(model, panel.features).fit(panel.X, series, **static)
        self.models_, self.panel_ = models, panel
        return self

    def _unfitted(self) -> dict[str, SeriesForecaster]:
        return models_to_fit(self.estimator, [self.id_col, self.time_col, self.target_col, "cutoff"])

    def _read(self, df: Any) -> LongFrame:
        return LongFrame.read(df, self.id_col, self.time_col, [self.target_col])

    def _panel(self, given: LongFrame) -> NixtlaPanel:
        return panel_of_rows(given, self.id_col, self.time_col, self.target_col, self.freq)

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
            Other series, as in ``fit``, to be forecast by what was learned; ``None``: those of ``fit``. Their season follows their dates.
        static_df : frame, default=None
            As in ``fit``, of the series of `df`.

        Returns
        -------
        frame : frame
            Of the library of `df`: ids, times, and for each model the forecasts in a column called as it, for each level "…-lo-90" and "…-hi-90",
            and for each quantile "…-q0.1".

        Raises
        ------
        ValueError
            If covariates are missing, too short, or of other series or times; the message names the series.
        """
        check_is_fitted(self)
        spread, models, panel = Spread.read(level, quantiles), self.models_, self.panel_
        n_steps = common_steps(h, {name: model.horizon_ for name, model in models.items()})
        if df is not None:
            panel = self._panel(self._read(df)).of_features(self.panel_.features)
            static, series = static_of(panel, static_df), panel.series
            with naming_series(panel.ids):
                models = {name: model.with_history(panel.X, series, **static) for name, model in models.items()}
        elif static_df is not None:
            raise ValueError("static_df is that of the series of df; got no df, and that of the series of fit is known")
        asked = panel if ids is None else panel.of(ids)
        columns: dict[str, list[Any]] = {}
        for name, model in models.items():
            known = covariates_to_come(model, panel, asked.ids, X_df, n_steps)
            columns |= forecast_columns(name, model, ToCome(panel, asked.ids, known), n_steps, spread)
        return asked.frame(columns)

    def cross_validation(
        self,
        df: Any,
        n_windows: int = 1,
        h: int | None = None,
        step_size: int | None = None,
        refit: bool | int = False,
        level: Sequence[float] = (),
        *,
        quantiles: Sequence[float] = (),
        static_df: Any = None,
    ) -> Any:
        """Forecast the last windows of each series, as if what follows were not known. What was fitted stays as it is.

        Parameters
        ----------
        df : frame
            As in ``fit``. Its covariates are known of the steps to come too, but for ``past_columns``.
        n_windows : int, default=1
            How many windows, counted from the end of each series.
        h : int or None, default=None
            Steps of a window; ``None`` is the ``horizon`` of the estimator.
        step_size : int or None, default=None
            Steps from one window to the next; ``None`` is `h`.
        refit : bool or int, default=False
            Whether to learn anew before each window, or before every so many; else once, from the steps before the first window.
        level : sequence of float, default=()
            Coverage of intervals in percent.
        quantiles : sequence of float, default=()
            Levels of quantiles, between 0 and 1.
        static_df : frame, default=None
            As in ``fit``.

        Returns
        -------
        frame : frame
            Of the library of `df`, a row for each series, window and step: ids, times, "cutoff", which is the last time before the window, the
            target, and for each model the columns that ``predict`` gives.

        Raises
        ------
        ValueError, TypeError
            As ``fit``; and if a series is too short for the windows, which the message names.

        See Also
        --------
        skrnn.backtest : What it is made of.
        """
        models, given, spread = self._unfitted(), self._read(df), Spread.read(level, quantiles)
        n_steps = common_steps(h, {name: model.horizon for name, model in models.items()})
        step = n_steps if step_size is None else step_size
        check_counts(n_windows=n_windows, step_size=step)
        panel = self._panel(given)
        models = {name: with_placed_columns(model, panel.features) for name, model in models.items()}
        settings = {"n_windows": n_windows, "step": step, "horizon": n_steps, "refit": refit, **static_of(panel, static_df)}
        with naming_series(panel.ids):
            return forecasts_of_windows(models, given, panel, settings, spread, self.target_col)

    def update(self, df: Any, *, learn: bool = False) -> Self:
        """Move on: put new rows behind the series, without learning anew.

        Parameters
        ----------
        df : frame
            As in ``fit``, the rows that came after: those of each series, any number of them or none, go on where it ends.
        learn : bool, default=False
            Whether to train for one pass over the windows that end in the new steps.

        Returns
        -------
        self

        Raises
        ------
        ValueError, TypeError
            If a series was not in ``fit``, a covariate is missing, or a time is not the one that follows; nothing has changed then.
        """
        check_is_fitted(self)
        X, y = self.panel_.following(df, self.target_col)
        panel = self.panel_.followed_by(X, y)
        with naming_series(panel.ids):
            self.models_, self.panel_ = updated(self.models_, X, y, learn=learn), panel
        return self

    def score(self, df: Any, y: Any = None, *, model: str | None = None) -> float:
        """Mean over the series of R² within each, of the forecasts of the steps after their ends, as that of ``RNNForecaster``.

        Parameters
        ----------
        df : frame
            As in ``fit``, what came after: of all series or of some, the rows of each, two or more, go on where it ends.
        y : object, default=None
            Not looked at: targets stand in `df`.
        model : str or None, default=None
            Which of several models; ``None`` is the mean over all, which is highest where each is.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            As ``update``; and if a series has one row only, of which there is no R².
        """
        check_is_fitted(self)
        if model is not None and model not in self.models_:
            raise ValueError(f"model must be one of {list(self.models_)}; got {model!r}")
        X, came = self.panel_.following(df, self.target_col)
        names = [name for name, part in zip(self.panel_.ids, came, strict=True) if len(part)]
        true, longest = [part for part in came if len(part)], max(len(part) for part in came)
        known = None if X is None else [table for table in X if len(table)]
        scores = []
        for name in self.models_ if model is None else [model]:
            found = forecast_columns(name, self.models_[name], ToCome(self.panel_, names, known), longest, Spread([], []))
            ahead = [part[: len(rows)] for part, rows in zip(found[name], true, strict=True)]
            scores.append(mean_r2(true, ahead, names))
        return float(np.mean(scores))

    def plot(
        self,
        df: Any = None,
        forecasts: Any = None,
        *,
        ids: Sequence[Any] | None = None,
        max_ids: int = 8,
        level: Sequence[float] | None = None,
        n_history: int | None = None,
        ax: Any = None,
    ) -> Any:
        """Draw series, and their forecasts.

        Parameters
        ----------
        df : frame, default=None
            Series, as in ``fit``; ``None``: those that are known.
        forecasts : frame, default=None
            As ``predict`` or ``cross_validation`` gives it. ``None``: those of ``predict`` without `X_df`, or none where `df` is
            passed.
        ids : sequence, default=None
            Series to draw; ``None`` is the first ones.
        max_ids : int, default=8
            The most series that are drawn where `ids` is ``None``.
        level : sequence of float, default=None
            Coverage in percent of the intervals that are drawn; ``None``: all that `forecasts` has.
        n_history : int, default=None
            Steps of each series before its forecasts; ``None`` is four times the forecasts, and all where there are none.
        ax : matplotlib Axes or array of them, default=None
            Where to draw, one for each series; ``None`` makes a new figure.

        Returns
        -------
        axes : ndarray of matplotlib Axes of shape (n_series,)
            The figure is ``axes[0].figure``.
        """
        names = (self.id_col, self.time_col, self.target_col)
        if df is None:
            check_is_fitted(self)
            if forecasts is None:
                some = self.panel_.ids[:max_ids] if ids is None else ids
                forecasts = self.predict(level=() if level is None else level, ids=some)
            df = self.panel_.history(self.target_col)
        return draw_series((df, forecasts), names, ids=ids, max_ids=max_ids, level=level, n_history=n_history, ax=ax)
