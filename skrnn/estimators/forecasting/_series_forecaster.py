"""What all forecasters are: series are read, and what follows them is said in the containers in which they came."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Self

import numpy as np
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from ..._bases import BaseEstimator, RegressorMixin, _fit_context
from ...data import Panel, StaticColumns
from ..face._guards import learning, predicting
from ..face._noted import as_fitted
from ..face._settings import Standardized
from ._fitted import FittedForecaster, Request
from ._learning import panel_of
from ._long import asks_by_name, requests_of_rows
from ._other_series import at_the_end_of_others
from ._panel_score import panel_score, refuse_whole_series
from ._plan import Plan, warn_of_less
from ._reading import (
    Array,
    Covariates,
    GivenSeries,
    check_counts,
    covariate_columns,
    covariate_scales,
    levels_between,
    read_panel_series,
    read_to_come,
    require_series,
)
from ._series_frames import place_of_time, timeless
from ._settings import Forecasting, SeriesSettings
from ._state import ForecasterState
from ._times import Clock, SeriesTimes
from ._window_forecasts import WindowForecasts

Conclude = Callable[[Any], None]  # lets a forecaster learn what follows from its weights


class SeriesForecaster(RegressorMixin, Forecasting, SeriesSettings, Standardized, BaseEstimator, ForecasterState, ABC):
    """Forecasts the steps that follow series. An estimator says how it plans, how it learns, and what then forecasts windows."""

    n_features_in_: int
    mean_: Array
    scale_: Array
    random_state: Any

    @abstractmethod
    def _planned(self, given: GivenSeries, before: Plan | None) -> Plan:
        """What to do with the series; ``before`` is the plan of what learning goes on with."""

    @abstractmethod
    def _learn(self, X: Any, y: Any, static: Any) -> None:
        """Read the series, and learn from them."""

    @abstractmethod
    def _learning_on(self, panel: Panel, n_new: Any, given: tuple[Any, Any]) -> Callable[[Conclude], None]:
        """What learns from the new steps at the end of a panel, once the series stand behind them."""

    @abstractmethod
    def _window_forecasts(self) -> WindowForecasts:
        """What forecasts windows."""

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, *, static: Any = None) -> Self:
        """Learn from a series, or from several.

        Parameters
        ----------
        X : None, table (n_steps, n_features), or a list of a table for each series
            Covariates of every step. ``None`` where there are none: a series alone is ``fit(None, y)``.
        y : array-like of shape (n_steps,) or (n_steps, n_targets), or a list of them
            The series, oldest first. A list is several series, of any lengths, for one model of all; so are nested lists, a pandas series of lists,
            and a frame with an (instance, time) index. An index of times must run on in equal steps, or those of a calendar, and be that of X; then
            forecasts come back with the index that follows.
        static : array-like or frame of shape (n_series, n_static), default=None
            What is known about each series as a whole: numbers, and categories, which are columns of strings or of a categorical type.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        skrnn.training.DivergenceError
            If the loss of a network that is trained becomes infinite or NaN again and again.
        """
        require_series(self, X, y, "fit")
        with learning(self):
            self._learn(X, y, static)
        return self

    def _read_panel(self, X: Any, y: Any, static: Any, *, going_on: bool) -> Panel:
        """The series as a panel. All that forecasts need beside what is learned is noted, for callbacks may ask for them."""
        given = read_panel_series(self, X, y, reset=True)
        self._several, self._flat, self._labels, self._ids = given.several, given.flat, given.labels, given.ids
        names, in_index = [*vars(self).get("feature_names_in_", ())], place_of_time(X, self.time_column)
        self._covariate_columns = covariate_columns(self, self.n_features_in_, names, in_index)
        clock = None if (time := self._covariate_columns.time) is None or given.X is None else Clock.of(given.X, time, given.several)
        self._times = SeriesTimes.of(*given.when, clock, given.several)
        self.mean_, self.scale_ = covariate_scales(given.X, self.standardize)
        self._plan = self._planned(given, self._plan if going_on else None)
        self.n_lags_, self.horizon_ = self._plan.n_lags, self._plan.horizon
        self.season_, self.target_scaling_ = self._plan.season, self._plan.target_scaling
        if not going_on:
            warn_of_less(self, self._plan, given)
        self._static_columns = self._static_columns if going_on else StaticColumns()
        whole = self._static_columns.read(static, len(given.y), given.ids, reset=not going_on)
        starts = self._times.done(given.lengths) - given.lengths
        panel = panel_of(given, self._covariates, whole, starts, self._plan)
        self._calibration = None
        self.n_steps_ = panel.lengths
        self._remember(panel)
        return panel

    def _remember(self, panel: Panel) -> None:
        """The end of each series, from which forecasts begin."""
        self._history = panel.part(np.maximum(panel.lengths - self._plan.n_remembered, 0), panel.lengths)

    def update(self, X: Any, y: Any = None, *, learn: bool = False) -> Self:
        """Move on: put new steps behind the series, without learning anew.

        Adaptive conformal intervals learn from how far the forecasts of these steps were off.

        Parameters
        ----------
        X : as in ``fit``
            Covariates of the next steps; ``None`` where there are none.
        y : as in ``fit``
            The next steps of each series, of any number, none too. Where an index says when they are, they must begin behind the end.
        learn : bool, default=False
            Whether to learn from the new steps too: a network trains for one pass over the windows that end in them, a readout is solved anew.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        require_series(self, X, y, "update")
        with learning(self):
            given, known = read_panel_series(as_fitted(self), X, y, reset=False), self._calibration
            panel = self.forecaster_.followed_by(given)
            n_new = panel.lengths - self._history.lengths
            self._times = self._times.followed_by(*given.when, given.X, n_new)
            learn_on = self._learning_on(panel, n_new, (timeless(X), y)) if learn else None
            self.n_steps_ = self.n_steps_ + n_new
            self._remember(panel)

            def conclude(model: Any) -> None:
                model._calibration = model.forecaster_.judged(known, panel, n_new)

            if learn_on is None:
                conclude(self)
            else:
                learn_on(conclude)
        return self

    def with_history(self, X: Any, y: Any = None, *, static: Any = None) -> Self:
        """A copy that stands at the end of other series, to forecast what follows them. Nothing is learned.

        Parameters
        ----------
        X : as in ``fit``
            Covariates of every step of the other series; ``None`` where there are none.
        y : as in ``fit``
            Other series, of any number, with ``n_lags_`` steps or more. A season is counted by their dates, or from their beginning.
        static : array-like or frame of shape (n_series, n_static), default=None
            As in ``fit``.

        Returns
        -------
        forecaster
        """
        check_is_fitted(self)
        require_series(self, X, y, "with_history")
        return at_the_end_of_others(self, X, y, static)

    @property
    def forecaster_(self) -> FittedForecaster:
        """What was learned, and where the series stand."""
        check_is_fitted(self)
        known = (self._plan, self._covariates, self._series_moments, self._history, self.n_steps_, self._calibration)
        return FittedForecaster(self._window_forecasts(), *known, self._times, self._labels, self._several, self._flat, self.n_paths, self._seed)

    @property
    def _covariates(self) -> Covariates:
        return Covariates(self._covariate_columns, self.mean_, self.scale_, self.season_)

    def _asked(self, n_steps: int | None, X: Any, said: Callable[..., Array], *told: Any) -> list[tuple[Request, Array]]:
        """What is said of the steps after the end of the series."""
        if n_steps is not None:
            check_counts(n_steps=n_steps)
        fitted = self.forecaster_
        if asks_by_name(self, X):
            requests = requests_of_rows(as_fitted(self), X, n_steps)
        else:
            requests = fitted.requests(n_steps, *read_to_come(as_fitted(self), X))
            if n_steps is None and X is not None and said is FittedForecaster.points:
                refuse_whole_series(self, max(request.n_steps - request.gap for request in requests))
        with predicting(self):
            return [(request, said(fitted, request.panel, request.places, request.n_steps, *told)) for request in requests]

    def predict(self, X: Any = None) -> Any:
        """Forecast the steps after the end of the series.

        Parameters
        ----------
        X : as in ``fit``, default=None
            Covariates of the steps to come, a row for each; without covariates only the number of rows counts, and ``None`` is ``horizon_`` steps.
            With an index of times, or ``time_column``, the rows may begin later than the next step. Tables of several series may differ in their
            numbers of rows. Values of ``past_columns`` are not looked at, and the columns may be missing.

        Returns
        -------
        ndarray of shape (n_steps,) or (n_steps, n_targets), or a list of them
            A list if ``fit`` got several series. Of distributions and quantiles it is the median. Pandas series or frames, with the index that
            follows, where the y of ``fit`` had one.
        """
        return self.forecast(None, X)

    def forecast(self, n_steps: int | None = None, X: Any = None) -> Any:
        """Forecast ``n_steps`` steps after the end of the series.

        Beyond ``horizon_`` the strategies "direct" and "seq2seq" go on from their own forecasts.

        Parameters
        ----------
        n_steps : int, default=None
            ``None``: as many as X has rows, or ``horizon_``.
        X : as in ``predict``, default=None

        Returns
        -------
        as ``predict``
        """
        return self.forecaster_.given(self._asked(n_steps, X, FittedForecaster.points))

    def predict_quantiles(self, X: Any = None, quantiles: Any = None) -> Any:
        """Quantiles of the steps after the end of the series.

        Parameters
        ----------
        X : as in ``predict``, default=None
        quantiles : float or sequence of float, default=None
            Levels between 0 and 1; ``None`` are those of the parameter.

        Returns
        -------
        as ``predict``, with a last axis of n_quantiles (columns, in pandas)
            They never cross. Those of ``objective="quantile"`` beyond the outermost that were learned follow the tails of a normal distribution
            through these and the median.
        """
        levels = levels_between(as_fitted(self).quantiles if quantiles is None else quantiles, "quantiles")
        return self.forecaster_.given(self._asked(None, X, FittedForecaster.quantiles, levels), ("quantile", levels))

    def predict_interval(self, X: Any = None, coverage: Any = 0.9) -> Any:
        """Intervals that should hold a share of the steps to come.

        Parameters
        ----------
        X : as in ``predict``, default=None
        coverage : float or sequence of float, default=0.9
            The share, as much outside on either side; or several.

        Returns
        -------
        lower, upper : as ``predict``
            With a last axis of n_coverages (columns, in pandas) where several are asked for.
        """
        shares = levels_between(coverage, "coverage")
        asked = [(1 + side * share) / 2 for side in (-1, 1) for share in shares]
        found, fitted = self._asked(None, X, FittedForecaster.quantiles, asked), self.forecaster_
        ends = [[(request, part) for request, values in found for part in [np.split(values, 2, axis=-1)[k]]] for k in range(2)]
        if np.ndim(coverage):
            return tuple(fitted.given(end, ("coverage", shares)) for end in ends)
        return tuple(fitted.given([(request, values[..., 0]) for request, values in end]) for end in ends)

    def sample(self, n: int = 100, X: Any = None) -> Any:
        """Draw from what may come: the same draws in every call.

        Strategies that feed back draw whole paths, step by step. "direct" draws every step by itself, and objectives of a point take errors of
        whole held-out forecasts (``conformal``).

        Parameters
        ----------
        n : int, default=100
            How many.
        X : as in ``predict``, default=None

        Returns
        -------
        as ``predict``, with a last axis of n (columns, in pandas)
        """
        check_counts(n=n)
        return self.forecaster_.given(self._asked(None, X, FittedForecaster.paths, n), ("path", range(n)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Coefficient of determination R² of the forecast of the steps after the end of the series; of several the mean of R² within each.

        Parameters
        ----------
        X : as in ``predict``
            Covariates of the steps to come; ``None`` where there are none.
        y : array-like of shape (n_steps,) or (n_steps, n_targets), a list of them, or a long frame, as in ``fit``
            What came.
        sample_weight : array-like of shape (n_steps,), default=None
            How much each step counts; of several series in the container of y.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        if self._several:
            return panel_score(self, X, y, sample_weight)
        return float(r2_score(y, self.forecast(len(y) if X is None else None, X), sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
