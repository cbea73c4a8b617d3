"""RNNForecaster: the steps that follow a series."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
import torch

from ...data import Panel, series_moments
from ...training import WindowSpec
from ..face._declared import parameters
from ..face._guards import device_of, seed_of
from ..face._settings import Directed, Recurrence, Stacked
from ..face._trained import Lesson, Trained, refuse_other_network
from ._learning import forecasting_network, learned_windows, next_lesson
from ._plan import Plan, plan
from ._reading import GivenSeries
from ._series_forecaster import Conclude, SeriesForecaster
from ._series_frames import timeless
from ._settings import AUTO, Strategy, WindowTraining
from ._state import WindowTrainingState
from ._window_forecasts import WindowForecasts

_ALPHA = 0.25  # of "auto": few windows are soon learned by heart


@parameters
class RNNForecaster(SeriesForecaster, Strategy, WindowTraining, WindowTrainingState, Trained, Directed, Stacked, Recurrence):
    """Forecast the steps that follow one series, or many, with a recurrent network.

    A row is a time step. The defaults are made for series of some hundred steps with or without trend and season, which nothing has to be told
    about: windows of the past are seen relative to their last value, the season is found, and quantiles are learned, so that intervals come with
    the forecasts. ``n_lags``, ``horizon``, ``strategy`` and everything else can be searched with ``GridSearchCV(cv=TimeSeriesSplit(test_size=h))``,
    which needs an X: pass ``np.arange(n_steps)[:, None]`` with ``time_column=0`` if there are no covariates.

    Notes
    -----
    With z the values in units of a window, x covariates and season, and L and H ``n_lags`` and ``horizon``::

        direct      c = encoder((z, x)(t−L+1), …, (z, x)(t));   z(t+k) ~ p(V decoder(c, k, x(t+k)) + d),  k = 1 … H
        seq2seq     the same, where the decoder sees the forecast of z(t+k−1) too
        recursive   z(t+1) ~ p(V network((z(t−L+1), x(t−L+2)), …, (z(t), x(t+1))) + d),  trained at all steps of windows of L + H steps

    Where the units of a window are its last value or its mean, the recursive network learns at its H future steps alone: in such units the past
    tells how it will end.

    p is the objective: with "quantile" the outputs are the quantiles themselves, sorted. Losses are means over steps and targets. With
    ``target_scaling="mean"`` windows are drawn in proportion to the root of their scale.

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

    hidden_size: int = 32
    bidirectional: bool = False
    max_epochs: int = 50

    def _planned(self, given: GivenSeries, before: Plan | None) -> Plan:
        stopping = self.validation_fraction if self.early_stopping is True else 0.0
        return plan(self, given, before, objective=self.objective, stopping=stopping)

    def _learn(self, X: Any, y: Any, static: Any) -> None:
        if self.bidirectional and self.strategy == "recursive":
            raise ValueError("strategy='recursive' goes forward in time: it needs bidirectional=False")
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        if going_on:
            refuse_other_network(self)
        panel = self._read_panel(X, y, static, going_on=going_on)
        lesson = self._lesson(panel, (X, y), going_on=going_on)
        self.alpha_, self.n_windows_ = _ALPHA if self.alpha == AUTO else float(self.alpha), len(lesson.data.source)

        def conclude(model: Self) -> None:
            model._calibration = model.forecaster_.calibrated(panel)

        self._train(lesson, self._trainer(lesson, self.alpha_), conclude)

    def _lesson(self, panel: Panel, given: tuple[Any, Any], *, going_on: bool) -> Lesson:
        """Windows of all steps but those at the end that are held out."""
        self._seed, ends = seed_of(self.random_state), panel.lengths - self._plan.n_held
        heads = [part[:end] for part, end in zip(panel.series(), ends, strict=True)]
        self._series_moments = moments = series_moments(heads)
        sight, per_epoch, rest = self._sight(going_on=going_on), self.windows_per_epoch, None
        data = learned_windows(panel, moments, sight, (np.zeros_like(ends), ends), per_epoch)
        if self.early_stopping is True:
            until = panel.lengths - self._plan.n_calibrated
            rest = learned_windows(panel, moments, sight, (ends, until), per_epoch, taught=False)
        # A score of the rows of fit is asked as if they were to come. Where an index or a column says when they are, they cannot.
        told = (timeless(given[0]) if self.time_column is None else None, given[1])
        return Lesson(data, rest, self._plan.loss(), torch.Generator().manual_seed(self._seed), told, going_on)

    def _sight(self, *, going_on: bool) -> WindowSpec:
        """What the network sees of a window, and where."""
        if going_on:
            like = next(self.network_.parameters())
            return self._plan.windows(like.dtype, like.device)
        return self._plan.windows(getattr(torch, self.dtype), device_of(self))

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Any:
        sight = self._sight(going_on=False)
        return forecasting_network(self, self._history, sight, self._plan.loss(), bias, generator)

    def _learning_on(self, panel: Panel, n_new: Any, given: tuple[Any, Any]) -> Callable[[Conclude], None]:
        lesson = next_lesson(self, panel, n_new, given)
        alpha = self.alpha_ * len(lesson.data.source) / self.n_windows_  # the penalty of a window stays what it was in fit
        trainer = replace(self._trainer(lesson, alpha), schedule="constant", max_epochs=1)
        return partial(self._train, lesson, trainer, optimizer=vars(self).get("_optimizer"))

    def _window_forecasts(self) -> WindowForecasts:
        return WindowForecasts(self.network_, self._plan.loss(), self._sight(going_on=True))
