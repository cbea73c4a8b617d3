"""EchoStateForecaster: the steps that follow a series, from the states of fixed reservoirs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import Any

import numpy as np
import torch

from ...data import OF_WINDOWS, Panel, series_moments
from ...training import WindowSpec
from ..face._declared import parameters
from ..face._guards import device_of, seed_of
from ..face._noted import as_fitted
from ..face._readers import Steps
from ..reservoirs._echo_state import EchoState
from ._plan import Plan, plan
from ._reading import GivenSeries
from ._reservoir_forecasts import DirectForecast, LinearForecast, StepForecast
from ._reservoir_lessons import learn_directly, learn_to_run_on, window_features, with_more_rows
from ._series_forecaster import Conclude, SeriesForecaster
from ._settings import AUTO, ReservoirStrategy
from ._state import ReservoirForecasterState
from ._window_forecasts import WindowForecasts

_SEVERAL = 3  # reservoirs that run on together
_RUN_UP = 1000  # steps after which a reservoir has forgotten how it began


@parameters
class EchoStateForecaster(SeriesForecaster, ReservoirStrategy, ReservoirForecasterState, EchoState):
    """Forecast the steps that follow one series, or many, with echo state networks (Jaeger, 2001).

    A row is a time step. Fixed random recurrent networks, the reservoirs, see the past; ridge regression from their states to the steps ahead is
    all that is learned, in closed form. It does all that :class:`RNNForecaster` does, by the same methods, and learns in a second where that takes
    ten; choose it first, for dynamical systems, and where a forecaster must be fitted often. All series of a panel drive the same reservoirs, and
    share a readout. Nothing has to be tuned: windows of the past are seen relative to their last value, the season is found, the penalty is chosen
    on held-out parts, and so is measured how far forecasts may be off.

    Notes
    -----
    With z the values in units of a window, x covariates and season, h the states of a reservoir that begins with zeros (see
    :class:`~skrnn.cells.Reservoir`), and L and H ``n_lags`` and ``horizon``::

        direct      h = reservoir((z, x)(t−L+1), …, (z, x)(t));   z(t+k) = A(k) (z(t−L+1), …, z(t), x(t), h) + B (x(t+k) − x(t)) + c(k)
        recursive   z(t+1) = A (z(t), x(t+1), h(t)) + c,   where h(t) has seen (z(t), x(t+1)) last

    A, B and c are the means of those of ``n_reservoirs``. At most the last 256 numbers of z stand in A, and where they do, the reservoir goes
    through the last 64 steps of a window alone. Windows are drawn if they have more than 2^19 such steps together. A is the ridge regression of all
    windows. B is the same for all k and, in units of the series, for all its windows: it is what is left of the targets on what is left of the
    covariates when both are predicted by regressions of the other folds (Robinson, 1988). x(t) is there where units are those of the last value,
    else the mean of the window, or nothing. "recursive" chooses what is "auto" as :class:`EchoStateRegressor` does.

    Quantiles are the forecast plus quantiles of the errors of windows that were held out in folds, for each step ahead in units of the window;
    those of "recursive" are of paths, in which errors of one step are drawn and fed back. A target that is missing among steps that are
    learned lies between its neighbours, and its window counts by the share of those that are known.

    ``update(…, learn=True)`` adds the new steps to the sums, and solves for the readout; the result is that of one regression to all.

    References
    ----------
    H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks", GMD report 148, 2001.
    H. Jaeger, H. Haas, "Harnessing nonlinearity: predicting chaotic systems and saving energy in wireless communication", Science 304, 2004.
    P. M. Robinson, "Root-N-consistent semiparametric regression", Econometrica 56(4), 1988.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import EchoStateForecaster
    >>> y = np.arange(60) + np.tile([0.0, 3.0, 1.0, -2.0], 15)
    >>> model = EchoStateForecaster(horizon=4, random_state=0).fit(None, y)
    >>> ahead = model.forecast(4)
    >>> bool(np.abs(ahead - [60.0, 64.0, 63.0, 61.0]).max() < 0.1)
    True
    """

    hidden_size: int = field(default=300, kw_only=False)

    def _reader(self) -> Steps:
        return Steps(self.dtype, self.standardize)

    def _planned(self, given: GivenSeries, before: Plan | None) -> Plan:
        runs_on = self.strategy == "recursive"
        made = plan(self, given, before, objective="quantile", run_up=_RUN_UP if runs_on else 0)
        made = replace(made, levels=tuple(sorted({*made.levels, 0.5})))  # errors are added to the forecast, which is their median
        if not runs_on:
            return made
        if self.target_scaling in OF_WINDOWS:
            wanted = "'auto', 'standard', 'robust', 'difference' or None"
            raise ValueError(f"strategy='recursive' runs along whole series: it needs target_scaling={wanted}; got {self.target_scaling!r}")
        # A season is not looked for: cycles of a chaotic system may look like one, and keep no time.
        scaling = "standard" if self.target_scaling == AUTO else made.target_scaling
        return replace(made, target_scaling=scaling, season=0 if self.season == AUTO else made.season)

    def _learn(self, X: Any, y: Any, static: Any) -> None:
        with self._fitting():
            panel = self._read_panel(X, y, static, going_on=False)
            ends = panel.lengths - self._plan.n_held
            self._seed = seed_of(self.random_state)
            usual = _SEVERAL if self._plan.recursive else 1
            self.n_reservoirs_ = usual if self.n_reservoirs == AUTO else int(self.n_reservoirs)
            self._series_moments = series_moments([part[:end] for part, end in zip(panel.series(), ends, strict=True)])
            learned = (learn_to_run_on if self._plan.recursive else learn_directly)(self, panel, ends)
            vars(self).update(learned.fitted())
            self.n_rows_ = learned.sums.n_rows
            self._calibration = self.forecaster_.calibrated(panel)

    def _learning_on(self, panel: Panel, n_new: Any, given: tuple[Any, Any]) -> Callable[[Conclude], None]:
        sums, weights = with_more_rows(as_fitted(self), panel, n_new)

        def learn(conclude: Conclude) -> None:
            self._learned, (self.coef_, self.intercept_) = sums, weights
            conclude(self)

        return learn

    def _sight(self) -> WindowSpec:
        """What the reservoirs see of a window, and where."""
        network = vars(self).get("network_")
        place = (getattr(torch, self.dtype), device_of(self)) if network is None else (network.dtype, network.device)
        return self._plan.windows(*place)

    def _window_forecasts(self) -> WindowForecasts:
        objective, linear = self._plan.loss(), LinearForecast(self.coef_, self.intercept_, self.error_quantiles_)
        if self._plan.recursive:
            place = int(np.flatnonzero(np.array(self._plan.levels) == 0.5)[0])
            return WindowForecasts(StepForecast(self.network_, linear, place), objective, self._sight())
        return WindowForecasts(DirectForecast(window_features(self), linear, self.covariate_coef_), objective, self._sight())
