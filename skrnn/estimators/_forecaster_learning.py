"""The inside of a forecaster: from what users hand over to a trained network, and to forecasts from any origin."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ..cells import resolve
from ..data import Panel, series_moments
from ..networks import Encoder, Feedback, Seq2Seq, StepNetwork
from ..training import Distribution, Objective, Predictive, Trainer, WindowExamples, WindowSource, WindowSpec, predictive
from ._conformal import Calibration
from ._forecast_input import Array, Series, assemble, check_steps, detect_season, fill_forward, fourier, read_fit, read_static, refuse_missing
from ._forecast_paths import Forecaster
from ._forecaster_parameters import AUTO, ForecasterParameters
from ._guards import device_of, seed_of
from ._parameters import parameters

Rows = NDArray[np.intp]

_ALPHA = 0.25  # of "auto"


class Points(Feedback):
    """The point forecast of each value is what the next step sees."""

    def __init__(self, objective: Predictive, n_values: int) -> None:
        super().__init__()
        self._objective = objective
        self.size = self.width = n_values

    def emit(self, outputs: torch.Tensor) -> torch.Tensor:
        return self._objective.fed_back(outputs.unflatten(-1, (self.size, -1)))

    def vectors(self, fed: torch.Tensor) -> torch.Tensor:
        return fed


class Columns(NamedTuple):
    """Which columns of X are what."""

    time: int | None
    known: list[int]
    seen: list[int]


@parameters
class ForecasterLearning(ForecasterParameters):
    """Reading, learning and forecasting windows."""

    # -- reading -------------------------------------------------------------------------------------------------------------------------------

    def _read_columns(self) -> Columns:
        """Where the time, and what is only known of the past, stand among the columns of X."""
        if self.bidirectional and self.strategy == "recursive":
            raise ValueError("strategy='recursive' goes forward in time: it needs bidirectional=False")
        names = list(self.__dict__.get("feature_names_in_", ()))

        def place(column: Any, parameter: str) -> int:
            if isinstance(column, str):
                if column not in names:
                    raise ValueError(f"{parameter} names the column {column!r}, which X has not; it has {names}")
                return names.index(column)
            if not -self.n_features_in_ <= column < self.n_features_in_:
                raise ValueError(f"{parameter} is column {column}, but X has {self.n_features_in_} columns")
            return int(column) % self.n_features_in_

        index = None if self.time_column is None else place(self.time_column, "time_column")
        seen = [place(column, "past_columns") for column in self.past_columns]
        if seen and self.strategy == "recursive":
            raise ValueError("past_columns cannot be seen by strategy='recursive', which runs through the future: use 'direct' or 'seq2seq'")
        return Columns(index, [c for c in range(self.n_features_in_) if c != index and c not in seen], seen)

    def _covariates(self, X: list[Array] | None, lengths: list[int], starts: Rows) -> tuple[list[Array], list[Array]]:
        """What is known of every step, standardised, with the season; and what is only known of the past."""
        known, seen = [], []
        for k, (n, start) in enumerate(zip(lengths, starts, strict=True)):
            x = np.empty((n, self.n_features_in_)) if X is None else (X[k] - self.mean_) / self.scale_
            waves = [fourier(np.arange(start, start + n), self.season_)] if self.season_ else []
            known.append(np.concatenate([x[:, self._columns.known], *waves], axis=1))
            seen.append(x[:, self._columns.seen])
        return known, seen

    def _note_times(self, X: list[Array] | None, *, going_on: bool) -> None:
        """Check that the time column runs on regularly, and note where it ends."""
        index = self._columns.time
        if index is None or X is None:
            self._last_time: list[float] | None = None
            return
        for k, x in enumerate(X):
            times = x[:, index]
            if going_on:
                last = (self._last_time or [])[k]
                times = np.concatenate([[last - self._time_step, last], times])
            check_steps(times, f"the time_column of X{f'[{k}]' if self._several else ''}", times)
            if not going_on and len(times) > 1:
                self._time_step: float = float(np.median(np.diff(times)))
        self._last_time = [float(x[-1, index]) for x in X]

    def _new_panel(self, series: Series, static: Array, starts: Rows) -> Panel:
        assert series.y is not None
        if self.missing == "error":
            refuse_missing(series.y, series.several)
        for k, y in enumerate(series.y):
            if np.isnan(y).all(axis=0).any():
                raise ValueError(f"y{f'[{k}]' if series.several else ''} has no value at all")
        if self.objective == "negative_binomial" and any(((y < 0) | (y != np.round(y))).any() for y in map(np.nan_to_num, series.y)):
            raise ValueError("objective='negative_binomial' needs counts: y must hold whole numbers from 0 up")
        known, seen = self._covariates(series.X, [len(y) for y in series.y], starts)
        return assemble(series.y, known, seen, static)

    # -- learning ------------------------------------------------------------------------------------------------------------------------------

    def _learn(self, X: Any, y: Any, static: Any) -> None:
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        if going_on:
            self._check_same_network()
        series = read_fit(self, X, y, reset=True)
        assert series.y is not None
        self._several, self._flat = series.several, series.flat
        self._columns = self._read_columns()
        self._note_times(series.X, going_on=False)
        table = np.concatenate(series.X) if series.X is not None else np.empty((1, 0))
        spread = table.std(axis=0) if self.standardize else np.zeros(table.shape[1])
        self.mean_: Array = table.mean(axis=0) if self.standardize else np.zeros(table.shape[1])
        self.scale_: Array = np.where(spread > 1e-12 * np.abs(table).max(axis=0, initial=0.0), spread, 1.0)
        self._choose(series.y, series.several)
        panel = self._new_panel(series, read_static(static, len(series.y)), np.zeros(len(series.y), dtype=int))
        self._train(panel, going_on, X, y)
        self._calibration = self._calibrated(panel)
        self._keep(panel)
        self.n_steps_ = panel.lengths

    def _train(self, panel: Panel, going_on: bool, X: Any, y: Any) -> None:
        self._draws = seed_of(self.random_state)
        generator = torch.Generator().manual_seed(self._draws)
        objective, lengths = self._objective(), panel.lengths
        held = np.array([self._n_held(n) for n in lengths])
        calibration = np.array([self._n_calibrated(n) for n in lengths])
        ends = lengths - held
        self._series_moments = series_moments([part[:end] for part, end in zip(panel.series(), ends, strict=True)])
        data = WindowExamples(self._learning_windows(panel, (np.zeros_like(ends), ends)))
        rest = None
        if self.early_stopping is True:
            windows = self._learning_windows(panel, (ends, lengths - calibration))
            windows.taught = False
            rest = WindowExamples(windows)
        if not going_on:
            weight = torch.ones(len(data.target), dtype=data.target.dtype) if data.weight is None else data.weight.cpu()
            bias = objective.best_constant(data.target.cpu(), weight)
            self.network_ = self._build(panel, bias, objective, generator).to(data.target.device, data.target.dtype)
            self._network_settings = self._settings()
        self._begin_curves(going_on=going_on)
        self.alpha_ = _ALPHA if self.alpha == AUTO else float(self.alpha)
        self.n_windows_ = len(data.source)
        self._fit_network(self._trainer(objective, early=rest is not None), data, rest, generator, X, y)

    def _trainer(self, objective: Objective, *, early: bool) -> Trainer:
        return replace(super()._trainer(objective, early=early), alpha=self.alpha_)

    def _keep(self, panel: Panel) -> None:
        """The end of each series, from which forecasts begin."""
        n = np.minimum(panel.lengths, max(self.n_lags_ + 1, self.season_) + self.horizon)
        self._history = panel.part(panel.lengths - n, panel.lengths)

    def _choose(self, series: list[Array], several: bool) -> None:
        """Season, window and units, of those that are left to us."""
        shortest = min(map(len, series))
        where = "a series of y" if several else "y"
        if self.season == AUTO:
            found = [detect_season(fill_forward(y)) for y in series[:200]]
            self.season_ = int(np.median(found)) if np.median(found) in found else 0
        else:
            self.season_ = int(self.season or 0)
        room = shortest - self.horizon - self._n_held(shortest)
        if self.horizon >= shortest:
            raise ValueError(f"horizon={self.horizon} is longer than {where} can teach, which has {shortest} steps (n_samples={shortest})")
        most = max(1, room if self.n_lags == AUTO and room < 4 else 2 * room // 3)
        self.n_lags_ = min(2 * max(self.season_, self.horizon), most) if self.n_lags == AUTO else int(self.n_lags)
        if self.n_lags_ > room:
            held = " and what is held out" if self._n_held(shortest) else ""
            raise ValueError(f"n_lags={self.n_lags_} and horizon={self.horizon}{held} are longer than {where}, which has {shortest} steps")
        default = "mean" if self.objective == "negative_binomial" else "last_value"
        self.target_scaling_ = default if self.target_scaling == AUTO else self.target_scaling
        if self.objective == "negative_binomial" and self.target_scaling_ != "mean":
            raise ValueError(f"objective='negative_binomial' needs target_scaling='mean'; got {self.target_scaling!r}")

    def _n_held(self, n_steps: int) -> int:
        """Steps at the end of a series that are not learned from: for the calibration, and to know when to stop."""
        stopping = int(np.ceil(self.validation_fraction * n_steps)) if self.early_stopping is True else 0
        return self._n_calibrated(n_steps) + stopping

    def _n_calibrated(self, n_steps: int) -> int:
        """Steps at the very end of a series whose errors are measured."""
        return int(np.ceil(self.calibration_fraction * n_steps)) if self.conformal else 0

    def _sight(self) -> WindowSpec:
        return WindowSpec(
            self.n_lags_,
            self.horizon,
            self.target_scaling_,
            self.strategy == "recursive",
            self.missing == "mask",
            self.objective == "negative_binomial",
            0 if self.strategy == "recursive" else self.season_,
            getattr(torch, self.dtype),
            device_of(self),
        )

    def _learning_windows(self, panel: Panel, ends: tuple[Rows, Rows]) -> WindowSource:
        """Windows whose futures lie, for each series, between two of its steps."""
        first = np.maximum(ends[0], self.n_lags_)
        origins = [np.arange(a, b - self.horizon + 1) for a, b in zip(first, ends[1], strict=True)]
        series = np.repeat(np.arange(len(origins)), [len(o) for o in origins])
        rows = np.concatenate([o + start for o, start in zip(origins, panel.offsets[:-1], strict=True)])
        present = np.concatenate([[0], np.cumsum(panel.present.all(axis=1))])
        some = present[rows + self.horizon] > present[rows]  # the others teach nothing
        windows = WindowSource(panel, self._series_moments, self._sight(), (series[some], rows[some]), self.windows_per_epoch)
        if self.target_scaling_ == "mean" and len(
            windows
        ):  # as in DeepAR, lest the few large series stay unknown; by the root, lest the small ones do
            windows.odds = torch.from_numpy(np.sqrt(windows.window(np.arange(len(windows)), 1).scale.mean(axis=1)))
        return windows

    def _build(self, panel: Panel, bias: torch.Tensor, objective: Predictive, generator: torch.Generator) -> Any:
        sight, n_values = self._sight(), panel.y.shape[1]
        n_known, n_static = panel.known.shape[1], panel.static.shape[1]
        seen = n_values * (2 if sight.mask else 1) + n_known + n_static
        if sight.recursive:
            return StepNetwork(self._recurrent(seen, generator), bias)
        feedback = Points(objective, n_values) if self.strategy == "seq2seq" else None
        return Seq2Seq(
            Encoder(self._recurrent(seen + panel.seen.shape[1], generator)),
            resolve(self.cell),
            self.hidden_size,
            bias,
            n_layers=self.n_layers,
            dropout=self.dropout,
            n_known=1 + n_known + n_static + (n_values if sight.season else 0),
            feedback=feedback,
            context="both",
            generator=generator,
        )

    def _objective(self) -> Predictive:
        levels = np.asarray(self.quantiles, dtype=float)
        if levels.ndim != 1 or len(levels) == 0 or (np.diff(levels) <= 0).any() or levels[0] <= 0 or levels[-1] >= 1:
            raise ValueError(f"The 'quantiles' parameter must hold increasing levels between 0 and 1; got {self.quantiles!r}")
        return predictive(self.objective, levels.tolist())

    @property
    def _model(self) -> Forecaster:
        return Forecaster(self.network_, self._objective(), self._sight())

    # -- forecasting ---------------------------------------------------------------------------------------------------------------------------

    def _calibrated(self, panel: Panel) -> Calibration | None:
        """Errors of forecasts from every step of the held-out end of each series."""
        if self.conformal is None:
            return None
        origins = [np.arange(n - self._n_calibrated(n), n) for n in panel.lengths]
        if min(map(len, origins)) < self.horizon:
            raise ValueError(
                f"calibration_fraction={self.calibration_fraction} holds out fewer steps than horizon={self.horizon} "
                f"of a series of {panel.lengths.min()} steps"
            )
        calibration = Calibration(adaptive=self.conformal == "adaptive")
        for k, (start, steps) in enumerate(zip(panel.offsets[:-1], origins, strict=True)):
            calibration = calibration.with_later(k, self._errors(panel, k, steps + start))
        return calibration

    def _errors(self, panel: Panel, series: int, origins: Rows) -> Array:
        """Errors (n_origins, horizon, n_targets) of forecasts in units of their spread, NaN where nothing is known."""
        center, spread = self._center(panel, (np.full(len(origins), series), origins), self.horizon)
        rows = origins[:, None] + np.arange(self.horizon)
        inside = rows < panel.offsets[series + 1]
        rows = np.where(inside, rows, 0)
        known = panel.present[rows] & inside[..., None]
        return np.where(known, (panel.y[rows] - center) / spread, np.nan)

    def _center(self, panel: Panel, places: tuple[Rows, Rows], n_steps: int) -> tuple[Array, Array]:
        """Forecasts (n_origins, n_steps, n_targets), and how wide they are by what the network knows about it."""
        objective: Any = self._objective()
        params = self._model.params(panel, self._series_moments, places, n_steps)
        center = objective.point(params)
        windows = WindowSource(panel, self._series_moments, self._sight(), places)
        scale = windows.window(np.arange(len(windows)), 1).scale[:, None] * np.ones_like(center)
        if self.objective in ("squared", "absolute", "huber"):
            return center, scale
        low, high = (0.1, 0.9) if self.objective != "quantile" else (objective.levels[0], objective.levels[-1])
        ends = objective.quantiles(params, [low, high])
        return center, np.maximum((ends[..., 1] - ends[..., 0]) / 2, 1e-3 * scale)

    def _quantiles(self, panel: Panel, places: tuple[Rows, Rows], n_steps: int, levels: list[float]) -> Array:
        """Quantiles (n_origins, n_steps, n_targets, n_levels): calibrated, of the distribution that was learned, or of paths drawn from it."""
        if self._calibration is not None:
            self._refuse_beyond(n_steps)
            center, spread = self._center(panel, places, n_steps)
            shifts = [[self._calibration.shift(k, level, n_steps) for level in levels] for k in range(len(panel.lengths))]
            return center[..., None] + spread[..., None] * np.moveaxis(np.array(shifts), 1, -1)[places[0]]
        objective = self._objective()
        if not isinstance(objective, Distribution):
            raise ValueError(
                f"objective={self.objective!r} says nothing about how far forecasts may be off: "
                "use another one, as 'quantile' or 'student_t', or set conformal='split', before fit"
            )
        if self.strategy != "direct":
            paths = self._paths(panel, places, n_steps, self.n_paths)
            return np.moveaxis(np.quantile(paths, levels, axis=-1), 0, -1)
        self._refuse_beyond(n_steps)
        return objective.quantiles(self._model.params(panel, self._series_moments, places, n_steps), levels)

    def _paths(self, panel: Panel, places: tuple[Rows, Rows], n_steps: int, n_paths: int) -> Array:
        """Draws (n_origins, n_steps, n_targets, n_paths), the same in every call."""
        if self.strategy != "recursive":
            self._refuse_beyond(n_steps)
        generator = np.random.default_rng(self._draws)
        if isinstance(self._objective(), Distribution):
            return self._model.paths(panel, self._series_moments, places, n_steps, n_paths, generator)
        if self._calibration is None:
            raise ValueError(f"nothing can be drawn with objective={self.objective!r}: use another one, or set conformal='split', before fit")
        center, spread = self._center(panel, places, n_steps)
        known = np.concatenate(list(self._calibration.errors.values()))[:, :n_steps]
        known = known[np.isfinite(known).all(axis=(1, 2))]
        drawn = known[generator.integers(len(known), size=(len(center), n_paths))]
        return center[..., None] + spread[..., None] * np.moveaxis(drawn, 1, -1)

    def _refuse_beyond(self, n_steps: int) -> None:
        if n_steps > self.horizon:
            raise ValueError(f"how far forecasts may be off is known up to horizon={self.horizon} steps ahead; got {n_steps}")
