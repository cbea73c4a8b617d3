"""A fitted forecaster: what it knows of its series, and what it says of the steps after any of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ...data import Panel, SeriesMoments
from ...training import Distribution, WindowSource
from ._conformal import Calibration
from ._learning import panel_of
from ._plan import Plan
from ._reading import Array, Covariates, GivenSeries
from ._series_frames import SeriesLabels
from ._times import SeriesTimes, Whens
from ._window_forecasts import Indices, Places, WindowForecasts

POINTS = ("squared", "absolute", "huber")  # objectives that say nothing about how far forecasts may be off


class Request(NamedTuple):
    """Series with the steps to come behind them."""

    panel: Panel
    places: Places
    n_steps: int
    gap: int  # of these, nobody asked for the first
    series: Indices  # of which they are asked
    rows: Indices | None = None  # of a long frame, (n_series, n_steps - gap), that the steps stand for
    index: Any = None  # of that frame


@dataclass(frozen=True)
class FittedForecaster:
    """What a forecaster has learned, and where its series stand.

    Places are the series, and the rows of a panel that are the first steps to come. All is said in units of y.

    Attributes
    ----------
    predictor : WindowForecasts
        The network, and how it sees windows.
    plan : Plan
    covariates : Covariates
    moments : SeriesMoments
    history : Panel
        The ends of the series.
    n_steps : ndarray of shape (n_series,)
        Steps of each series so far.
    calibration : Calibration or None
    times : SeriesTimes
    labels : SeriesLabels or None
        What the targets are called, where they have an index of times.
    several, flat : bool
        Whether there are several series, and whether a target has no axis of outputs.
    n_paths : int
        Paths that quantiles are taken from where forecasts are fed back.
    seed : int
        Of the draws.
    """

    predictor: WindowForecasts
    plan: Plan
    covariates: Covariates
    moments: SeriesMoments
    history: Panel
    n_steps: Indices
    calibration: Calibration | None
    times: SeriesTimes
    labels: SeriesLabels | None
    several: bool
    flat: bool
    n_paths: int
    seed: int

    # -- forecasts from any places -------------------------------------------------------------------------------------------------------------

    def points(self, panel: Panel, places: Places, n_steps: int) -> Array:
        """Forecasts (n_origins, n_steps, n_targets)."""
        return self.predictor.objective.point(self.predictor.params(panel, self.moments, places, n_steps))

    def center(self, panel: Panel, places: Places, n_steps: int) -> tuple[Array, Array]:
        """Forecasts (n_origins, n_steps, n_targets), and how wide they are by what the network knows about it."""
        objective: Any = self.predictor.objective
        params = self.predictor.params(panel, self.moments, places, n_steps)
        center = objective.point(params)
        windows = WindowSource(panel, self.moments, self.predictor.sight, places)
        scale = windows.window(np.arange(len(windows)), 1).scale[:, None] * np.ones_like(center)
        if self.plan.objective in POINTS:
            return center, scale
        low, high = (0.1, 0.9) if self.plan.objective != "quantile" else (objective.levels[0], objective.levels[-1])
        ends = objective.quantiles(params, [low, high])
        return center, np.maximum((ends[..., 1] - ends[..., 0]) / 2, 1e-3 * scale)

    def errors(self, panel: Panel, series: int, origins: Indices) -> Array:
        """Errors (n_origins, horizon, n_targets) of forecasts in units of their spread, NaN where nothing is known."""
        horizon = self.plan.horizon
        center, spread = self.center(panel, (np.full(len(origins), series), origins), horizon)
        rows = origins[:, None] + np.arange(horizon)
        inside = rows < panel.offsets[series + 1]
        rows = np.where(inside, rows, 0)
        known = panel.present[rows] & inside[..., None]
        return np.where(known, (panel.y[rows] - center) / spread, np.nan)

    def quantiles(self, panel: Panel, places: Places, n_steps: int, levels: Sequence[float]) -> Array:
        """Quantiles (n_origins, n_steps, n_targets, n_levels): calibrated, of the distribution that was learned, or of paths drawn from it.

        Paths are drawn for each series as for it alone: what is said of one does not depend on which others there are.
        """
        if self.calibration is not None:
            self._refuse_beyond(n_steps)
            center, spread = self.center(panel, places, n_steps)
            shifts = [[self.calibration.shift(k, level, n_steps) for level in levels] for k in range(len(panel.lengths))]
            return center[..., None] + spread[..., None] * np.moveaxis(np.array(shifts), 1, -1)[places[0]]
        objective = self.predictor.objective
        if not isinstance(objective, Distribution):
            raise ValueError(
                f"objective={self.plan.objective!r} says nothing about how far forecasts may be off: "
                "use another one, as 'quantile' or 'student_t', or set conformal='split', before fit"
            )
        if self.plan.strategy != "direct":
            drawn = [self.paths(panel, one, n_steps, self.n_paths) for one in _by_series(places)]
            return np.concatenate([np.moveaxis(np.quantile(paths, levels, axis=-1), 0, -1) for paths in drawn])
        self._refuse_beyond(n_steps)
        return objective.quantiles(self.predictor.params(panel, self.moments, places, n_steps), levels)

    def quantiles_as_they_came(self, panel: Panel, places: Places, n_steps: int, levels: Sequence[float]) -> Array:
        """Quantiles at origins of series, behind the end of what was learned; adaptive ones see the errors that are known at each origin."""
        if self.calibration is None or not self.calibration.adaptive:
            return self.quantiles(panel, places, n_steps, levels)
        return np.concatenate([self._adapted(panel, one, n_steps, levels) for one in _by_series(places)])

    def _adapted(self, panel: Panel, places: Places, n_steps: int, levels: Sequence[float]) -> Array:
        """Adaptive quantiles at origins of one series."""
        assert self.calibration is not None
        self._refuse_beyond(n_steps)
        k = int(places[0][0])
        first = panel.offsets[k] + int(self.n_steps[k]) - self.plan.horizon + 1  # the origin after those of the calibration
        later = self.errors(panel, k, np.arange(first, places[1][-1] + 1))
        center, spread = self.center(panel, places, n_steps)
        shifts = [self.calibration.shifts(k, level, later)[places[1] - first, :n_steps] for level in levels]
        return center[..., None] + spread[..., None] * np.stack(shifts, axis=-1)

    def paths(self, panel: Panel, places: Places, n_steps: int, n_paths: int) -> Array:
        """Draws (n_origins, n_steps, n_targets, n_paths), the same in every call."""
        if not self.plan.recursive:
            self._refuse_beyond(n_steps)
        generator = np.random.default_rng(self.seed)
        if isinstance(self.predictor.objective, Distribution):
            return self.predictor.paths(panel, self.moments, places, n_steps, n_paths, generator)
        if self.calibration is None:
            raise ValueError(f"nothing can be drawn with objective={self.plan.objective!r}: use another one, or set conformal='split', before fit")
        center, spread = self.center(panel, places, n_steps)
        known = np.concatenate(list(self.calibration.errors.values()))[:, :n_steps]
        known = known[np.isfinite(known).all(axis=(1, 2))]
        drawn = known[generator.integers(len(known), size=(len(center), n_paths))]
        return center[..., None] + spread[..., None] * np.moveaxis(drawn, 1, -1)

    def _refuse_beyond(self, n_steps: int) -> None:
        if n_steps > self.plan.horizon:
            raise ValueError(f"how far forecasts may be off is known up to horizon={self.plan.horizon} steps ahead; got {n_steps}")

    # -- series that go on ---------------------------------------------------------------------------------------------------------------------

    def panel(self, given: GivenSeries) -> Panel:
        """A panel of the series of ``fit`` from their beginning."""
        self._refuse_other(given)
        return panel_of(given, self.covariates, self.history.static, self.times.done(self.n_steps) - self.n_steps, self.plan)

    def followed_by(self, given: GivenSeries) -> Panel:
        """The ends of the series with new steps behind them."""
        self._refuse_other(given)
        last = self.history.y[self.history.offsets[1:] - 1]
        return self.history.followed_by(panel_of(given, self.covariates, self.history.static, self.times.done(self.n_steps), self.plan, last))

    def _refuse_other(self, given: GivenSeries) -> None:
        n = len(self.history.lengths)
        if (len(given.y), given.several) != (n, self.several):
            raise ValueError(f"y must hold the new steps of the {n} series of fit, {'a list' if self.several else 'one array'}; got {len(given.y)}")
        if given.y[0].shape[1] != self.history.y.shape[1]:
            raise ValueError(f"y has {given.y[0].shape[1]} targets (columns), expected {self.history.y.shape[1]}")

    def calibrated(self, panel: Panel) -> Calibration | None:
        """From the errors of forecasts from every step of the held-out ends of the series."""
        if self.plan.conformal is None:
            return None
        calibration = Calibration(adaptive=self.plan.conformal == "adaptive")
        for k, (end, n) in enumerate(zip(panel.offsets[1:], self.plan.n_calibrated, strict=True)):
            calibration = calibration.with_later(k, self.errors(panel, k, np.arange(end - n, end)))
        return calibration

    def judged(self, calibration: Calibration | None, panel: Panel, n_new: Indices) -> Calibration | None:
        """A calibration that, if it follows them, has seen the errors of forecasts that ended in the new steps of a panel."""
        if calibration is None or not calibration.adaptive:
            return calibration
        for k, (end, n) in enumerate(zip(panel.offsets[1:], n_new, strict=True)):
            calibration = calibration.with_later(k, self.errors(panel, k, np.arange(end - n - self.plan.horizon + 1, end)))
        return calibration

    # -- what users ask for, and get -----------------------------------------------------------------------------------------------------------

    def requests(self, n_steps: int | None, tables: list[Array] | None, lengths: list[int] | None, when: Whens | None) -> list[Request]:
        """The ends of the series with the steps to come behind them, of which those series are asked that want as many.

        Parameters
        ----------
        n_steps : int or None
            How many; ``None``: as many as X has rows, or ``horizon_``.
        tables : list of ndarray or None
            Covariates of the steps to come.
        lengths : list of int or None
            Rows that X has for each series, if it was passed.
        when : list of Instants or None
            Where X says that they lie.
        """
        n_series = len(self.history.lengths)
        if lengths is None and self.covariates.columns.known:
            raise ValueError(f"X must hold the covariates of the steps to come, {len(self.covariates.mean)} features; got None")
        lengths = [self.plan.horizon if n_steps is None else n_steps] * n_series if lengths is None else lengths
        if len(lengths) != n_series:
            raise ValueError(f"X must hold the steps to come of the {n_series} series of fit; got {len(lengths)}")
        wanted = np.array(lengths if n_steps is None else [n_steps] * n_series)
        short = [k for k, n in enumerate(lengths) if n < wanted[k] or n < 1]
        if short or wanted.min() < 1:
            what = "n_steps" if n_steps is None else f"n_steps={n_steps}"
            raise ValueError(f"X must hold {what} steps to come of each series; got {lengths[short[0] if short else 0]} of series {short[:1] or [0]}")
        gap = 0 if when is None else self.times.gap(when, tables)
        if gap and self.covariates.columns.known:
            raise ValueError(f"X begins {gap + 1} steps after the end of the series: the covariates of the steps between are not known")
        found = []
        for n in np.unique(wanted).tolist():
            series = np.flatnonzero(wanted == n)
            panel = self.history.followed_by(self._future(gap + n, None if gap else tables))
            found.append(Request(panel, (series, panel.offsets[1:][series] - gap - n), gap + n, gap, series))
        return found

    def _future(self, n_steps: int, tables: list[Array] | None) -> Panel:
        """Steps to come of every series: covariates, and the last values in place of targets."""
        history, n_series = self.history, len(self.history.lengths)
        asked = None if tables is None else [np.resize(table, (n_steps, table.shape[1])) for table in tables]  # what is too short is not asked for
        known, _ = self.covariates.of(asked, [n_steps] * n_series, self.times.done(self.n_steps))
        last = np.repeat(history.y[history.offsets[1:] - 1], n_steps, axis=0)
        nothing, past = np.zeros(last.shape, dtype=bool), np.zeros((len(last), history.seen.shape[1]))
        return Panel(last, nothing, np.concatenate(known), past, history.static, np.arange(n_series + 1) * n_steps)

    def given(self, said: list[tuple[Request, Array]], extra: tuple[str, Sequence[Any]] | None = None) -> Any:
        """Values (n_series, n_steps, n_targets[, n_extra]) as the user's series came; ``extra`` names the last axis and what stands along it."""
        if said[0][0].rows is not None:
            return self._by_rows(said, extra)
        found = {int(k): (request, part[request.gap :]) for request, values in said for k, part in zip(request.series, values, strict=True)}
        parts = [self._as_it_came(k, *found[k], extra) for k in range(len(found))]
        if not self.several:
            return parts[0]
        return parts if self.labels is None else self.labels.together(parts)

    def _by_rows(self, said: list[tuple[Request, Array]], extra: tuple[str, Sequence[Any]] | None) -> Any:
        """As the rows of the long frame that asked."""
        index, some = said[0][0].index, said[0][1]
        rows = np.empty((len(index), *some.shape[2:]), some.dtype)
        for request, values in said:
            rows[request.rows] = values[:, request.gap :]
        if self.labels is None:
            return rows[:, 0] if self.flat else rows
        return self.labels.frame(0, rows, index, self.flat, extra)

    def _as_it_came(self, k: int, request: Request, values: Array, extra: tuple[str, Sequence[Any]] | None) -> Any:
        axis = self.times.axes[k]
        if self.labels is None or axis is None:
            return values[:, 0] if self.flat else values
        return self.labels.frame(k, values, axis.steps_ahead(len(values), request.gap), self.flat, extra)


def request_of(fitted: FittedForecaster, series: Indices, n_steps: int, gap: int, tables: list[Array] | None) -> Request:
    """Some of the series with ``n_steps`` steps to come behind them, of which ``gap`` after their ends are not asked for."""
    if gap and fitted.covariates.columns.known:
        raise ValueError(f"X begins {gap + 1} steps after the end of the series: the covariates of the steps between are not known")
    every = None
    if tables is not None and not gap:
        every = [np.zeros((n_steps, len(fitted.covariates.mean)))] * len(fitted.history.lengths)
        for k, table in zip(series, tables, strict=True):
            every[k] = table
    panel = fitted.history.followed_by(fitted._future(gap + n_steps, every))
    return Request(panel, (series, panel.offsets[1:][series] - gap - n_steps), gap + n_steps, gap, series)


def _by_series(places: Places) -> Iterator[Places]:
    """Origins of one series after the other."""
    ends = np.flatnonzero(np.diff(places[0])) + 1
    return zip(*(np.split(part, ends) for part in places), strict=True)
