"""RNNForecaster: the steps that follow a series."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import RegressorMixin, _fit_context
from sklearn.utils.validation import check_is_fitted

from ..data import Panel
from ..engine import limit_threads
from ..training import WindowExamples
from ._forecast_input import Array, Series, check_steps, read_fit, read_tables
from ._forecaster_learning import ForecasterLearning
from ._guards import require_target, unchanged_on_error
from ._parameters import parameters


class Ahead(NamedTuple):
    """Series with the steps to come behind them."""

    panel: Panel
    places: tuple[NDArray[np.intp], NDArray[np.intp]]  # series, and the first step to come
    n_steps: int
    gap: int  # of these, nobody asked for the first


@parameters
class RNNForecaster(RegressorMixin, ForecasterLearning):
    """Forecast the steps that follow one series, or many, with a recurrent network.

    A row is a time step. The defaults are made for series of some hundred steps with or without trend and season, which nothing has to be told
    about: windows of the past are seen relative to their last value, the season is found, and quantiles are learned, so that intervals come with
    the forecasts. ``n_lags``, ``horizon``, ``strategy`` and everything else can be searched with ``GridSearchCV(cv=TimeSeriesSplit(test_size=h))``,
    which needs an X: pass ``np.arange(n_steps)[:, None]`` with ``time_column=0`` if there are no covariates.

    Parameters
    ----------
    <shared parameters>

    Attributes
    ----------
    network_ : skrnn.networks.Seq2Seq or skrnn.networks.StepNetwork
        The trained torch module; its outputs are in units of each window.
    n_lags_, season_, target_scaling_ : int, int, str or None
        What was used; a season of 0 is none.
    alpha_ : float
        The alpha that was used.
    n_windows_ : int
        Windows that ``fit`` learned from.
    n_steps_ : ndarray of shape (n_series,)
        Steps of each series so far.
    loss_curve_ : list of float
        Mean loss of the windows drawn in each epoch.
    <shared attributes>

    Notes
    -----
    With z the values in units of a window, x covariates and season, and L and H ``n_lags`` and ``horizon``::

        direct      c = encoder((z, x)(t−L+1), …, (z, x)(t));   z(t+k) ~ p(V decoder(c, k, x(t+k)) + d),  k = 1 … H
        seq2seq     the same, where the decoder sees the forecast of z(t+k−1) too
        recursive   z(t+1) ~ p(V network((z(t−L+1), x(t−L+2)), …, (z(t), x(t+1))) + d),  trained at all steps of windows of L + H steps

    Where the units of a window are its last value or its mean, the recursive network learns at its H future steps alone: in such units the past
    tells how it will end.

    p is the objective: with "quantile" the outputs are the quantiles themselves, sorted. Losses are means over steps and targets. With
    ``target_scaling="mean"`` windows are drawn in proportion to the root of their scale. ``alpha="auto"`` is 0.25.

    A split-conformal interval is the forecast plus quantiles of held-out errors in units of the predicted spread, for each step ahead; its
    coverage holds where the errors to come are like those. "adaptive" moves the level by 0.02 for every miss.

    Differs from DeepAR in that windows are drawn by the root of their scale, lest small series stay unknown; that covariates are those of X, without
    an age; and that every window begins with a state of zeros.

    References
    ----------
    D. Salinas, V. Flunkert, J. Gasthaus, "DeepAR: probabilistic forecasting with autoregressive recurrent networks", arXiv:1704.04110, 2017.
    R. Wen et al., "A multi-horizon quantile recurrent forecaster", arXiv:1711.11053, 2017.
    J. Lei et al., "Distribution-free predictive inference for regression", JASA 113, 2018, section 5.2.
    I. Gibbs, E. Candès, "Adaptive conformal inference under distribution shift", NeurIPS 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNForecaster
    >>> y = np.arange(60) + np.tile([0.0, 3.0, 1.0, -2.0], 15)
    >>> model = RNNForecaster(horizon=4, random_state=0).fit(None, y)
    >>> ahead = model.forecast(4)
    >>> bool(np.abs(ahead - [60.0, 64.0, 63.0, 61.0]).max() < 0.5)
    True
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, *, static: Any = None) -> Self:
        """Learn from a series, or from several.

        Parameters
        ----------
        X : None, table (n_steps, n_features), or a list of a table for each series
            Covariates of every step. ``None`` where there are none.
        y : array-like of shape (n_steps,) or (n_steps, n_targets), or a list of them
            The series, oldest first. A list is several series, of any lengths, for one model of all.
        static : array-like of shape (n_series, n_static), default=None
            What is known about each series as a whole.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        require_target(self, y)
        with limit_threads(self.n_threads), torch.inference_mode(False), unchanged_on_error(self):
            self._learn(X, y, static)
        return self

    # -- the steps that follow -----------------------------------------------------------------------------------------------------------------

    def predict(self, X: Any = None) -> Any:
        """Forecast the steps after the end of the series.

        Parameters
        ----------
        X : as in ``fit``, default=None
            Covariates of the steps to come, a row for each; without covariates only the number of rows counts, and ``None`` is ``horizon`` steps.
            With ``time_column`` the rows may begin later than the next step. Values of ``past_columns`` are not looked at.

        Returns
        -------
        ndarray of shape (n_steps,) or (n_steps, n_targets), or a list of them
            A list if ``fit`` got several series. Of distributions and quantiles it is the median.
        """
        return self.forecast(None, X)

    def forecast(self, n_steps: int | None = None, X: Any = None) -> Any:
        """Forecast ``n_steps`` steps after the end of the series.

        Beyond ``horizon`` the strategies "direct" and "seq2seq" go on from their own forecasts.

        Parameters
        ----------
        n_steps : int, default=None
            ``None``: as many as X has rows, or ``horizon``.
        X : as in ``predict``, default=None

        Returns
        -------
        as ``predict``
        """
        ahead = self._ahead(n_steps, X)
        with limit_threads(self.n_threads):
            params = self._model.params(ahead.panel, self._series_moments, ahead.places, ahead.n_steps)
        return self._given(self._objective().point(params), ahead)

    def predict_quantiles(self, X: Any = None, quantiles: Any = None) -> Any:
        """Quantiles of the steps after the end of the series.

        Parameters
        ----------
        X : as in ``predict``, default=None
        quantiles : float or sequence of float, default=None
            Levels between 0 and 1; ``None`` are those of the parameter.

        Returns
        -------
        as ``predict``, with a last axis of n_quantiles
            They never cross. Those of ``objective="quantile"`` lie between the outermost that were learned.
        """
        levels = np.atleast_1d(np.asarray(self.quantiles if quantiles is None else quantiles, dtype=float))
        if levels.ndim != 1 or not ((levels > 0) & (levels < 1)).all():
            raise ValueError(f"quantiles must be levels between 0 and 1; got {quantiles!r}")
        ahead = self._ahead(None, X)
        with limit_threads(self.n_threads):
            found = self._quantiles(ahead.panel, ahead.places, ahead.n_steps, levels.tolist())
        return self._given(found, ahead)

    def predict_interval(self, X: Any = None, coverage: float = 0.9) -> Any:
        """Intervals that should hold a share of the steps to come.

        Parameters
        ----------
        X : as in ``predict``, default=None
        coverage : float, default=0.9
            The share, as much outside on either side.

        Returns
        -------
        lower, upper : as ``predict``
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must lie between 0 and 1; got {coverage!r}")
        found = self.predict_quantiles(X, [(1 - coverage) / 2, (1 + coverage) / 2])
        return tuple([part[..., k] for part in found] if self._several else found[..., k] for k in range(2))

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
        as ``predict``, with a last axis of n
        """
        ahead = self._ahead(None, X)
        with limit_threads(self.n_threads):
            found = self._paths(ahead.panel, ahead.places, ahead.n_steps, n)
        return self._given(found, ahead)

    def update(self, y: Any, X: Any = None, *, learn: bool = False) -> Self:
        """Move on: put new steps behind the series, without learning anew.

        Adaptive conformal intervals learn from how far the forecasts of these steps were off.

        Parameters
        ----------
        y : as in ``fit``
            The next steps of each series.
        X : as in ``fit``, default=None
            Their covariates.
        learn : bool, default=False
            Whether to train for one pass over the windows that end in the new steps.

        Returns
        -------
        self
        """
        check_is_fitted(self)
        require_target(self, y)
        with limit_threads(self.n_threads), torch.inference_mode(False), unchanged_on_error(self):
            series = read_fit(self, X, y, reset=False)
            self._refuse_other_series(series)
            self._note_times(series.X, going_on=True)
            panel = self._new_panel(series, self._history.static, self.n_steps_)
            panel = self._history.followed_by(panel)
            new = panel.lengths - self._history.lengths
            if learn:
                self._learn_more(panel, new, X, y)
            self._judge(panel, new)
            self._keep(panel)
            self.n_steps_ = self.n_steps_ + new
        return self

    def _refuse_other_series(self, series: Series) -> None:
        n = len(self._history.lengths)
        assert series.y is not None
        if (len(series.y), series.several) != (n, self._several):
            raise ValueError(f"y must hold the new steps of the {n} series of fit, {'a list' if self._several else 'one array'}; got {len(series.y)}")
        if series.y[0].shape[1] != self._history.y.shape[1]:
            raise ValueError(f"y has {series.y[0].shape[1]} targets (columns), expected {self._history.y.shape[1]}")

    def _learn_more(self, panel: Panel, new: Any, X: Any, y: Any) -> None:
        windows = self._learning_windows(panel, (panel.lengths - new - self.horizon + 1, panel.lengths))
        if len(windows) == 0:
            raise ValueError(f"learn=True needs a window of {self.n_lags_} + {self.horizon} steps with a target in its future")
        alpha = self.alpha_ * len(windows) / self.n_windows_  # a few windows more do not make the penalty stronger
        trainer = replace(self._trainer(self._objective(), early=False), schedule="constant", max_epochs=1, alpha=alpha)
        generator = torch.Generator().manual_seed(self._draws + int(self.n_steps_.sum()))
        self._fit_network(trainer, WindowExamples(windows), None, generator, X, y, optimizer=self.__dict__.get("_optimizer"))

    def _judge(self, panel: Panel, new: Any) -> None:
        """Errors of the forecasts that have just come to their end."""
        if self._calibration is None or not self._calibration.adaptive:
            return
        for k, (end, n) in enumerate(zip(panel.offsets[1:], new, strict=True)):
            origins = np.arange(end - n - self.horizon + 1, end)
            self._calibration = self._calibration.with_later(k, self._errors(panel, k, origins))

    def _ahead(self, n_steps: int | None, X: Any) -> Ahead:
        """The history with the steps to come behind it."""
        check_is_fitted(self)
        n_series, tables = len(self._history.lengths), None
        if X is not None and self.n_features_in_:
            tables = read_tables(self, X, reset=False)[0]
            lengths = [len(table) for table in tables]
        elif X is not None:
            lengths = [len(table) for table in X] if self._several else [len(X)]
        elif self._columns.known:
            raise ValueError(f"X must hold the covariates of the steps to come, {self.n_features_in_} features; got None")
        else:
            lengths = [self.horizon if n_steps is None else n_steps] * n_series
        if len(lengths) != n_series:
            raise ValueError(f"X must hold the steps to come of the {n_series} series of fit; got {len(lengths)}")
        n_steps = lengths[0] if n_steps is None else n_steps
        short = [k for k, n in enumerate(lengths) if n < n_steps]
        if short or n_steps < 1:
            raise ValueError(
                f"X must hold n_steps={n_steps} steps to come of each series; got {lengths[short[0] if short else 0]} of series {short[:1] or [0]}"
            )
        gap = 0 if tables is None else self._gap(tables)
        if gap and self._columns.known:
            raise ValueError(f"X begins {gap + 1} steps after the end of the series: the covariates of the steps between are not known")
        total = gap + n_steps
        known, _ = self._covariates(None if tables is None or gap else [table[:n_steps] for table in tables], [total] * n_series, self.n_steps_)
        last = np.repeat(self._history.y[self._history.offsets[1:] - 1], total, axis=0)
        nothing, seen = np.zeros(last.shape, dtype=bool), np.zeros((len(last), self._history.seen.shape[1]))
        future = Panel(last, nothing, np.concatenate(known), seen, self._history.static, np.arange(n_series + 1) * total)
        panel = self._history.followed_by(future)
        return Ahead(panel, (np.arange(n_series), panel.offsets[1:] - total), total, gap)

    def _gap(self, tables: list[Array]) -> int:
        """Steps between the end of the series and the first row of X, by the time column."""
        if self._last_time is None:
            return 0
        index, step = self._columns.time, self._time_step
        for k, x in enumerate(tables):
            check_steps(np.concatenate([[x[0, index] - step], x[:, index]]), f"the time_column of X{f'[{k}]' if self._several else ''}", x[:, index])
        gaps = [(x[0, index] - last) / step - 1 for x, last in zip(tables, self._last_time, strict=True)]
        if min(gaps) < -0.5 or max(gaps) - min(gaps) > 0.5:
            k = int(np.argmin(gaps))
            raise ValueError(f"the time_column of X must go on after {self._last_time[k]:g}, where series {k} ends, alike for all series")
        return round(float(gaps[0]))

    def _given(self, values: Array, ahead: Ahead) -> Any:
        """Values (n_series, n_steps, n_targets, …) as the user's series came."""
        values = values[:, ahead.gap :]
        values = values[:, :, 0] if self._flat else values
        return list(values) if self._several else values[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.target_tags.multi_output = True
        return tags
