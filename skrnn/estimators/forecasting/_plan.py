"""What a forecaster does with its series, decided once: from its parameters, and their lengths and values."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...training import Predictive, WindowSpec, predictive
from ._reading import GivenSeries, fill_forward
from ._season import detect_season
from ._settings import AUTO

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_LOOKED_AT = 200  # series in which the season is looked for


@dataclass(frozen=True)
class Plan:
    """What a forecaster does with its series.

    Attributes
    ----------
    n_lags, horizon : int
        Steps of the past and of the future in a window.
    season : int
        Steps from one season to the next; 0 is none.
    target_scaling : str or None
        Units of the windows.
    strategy, objective : str
    levels : tuple of float
        Of the quantiles that are learned.
    masked : bool
        Whether values may be missing.
    conformal : str or None
    n_held, n_calibrated : ndarray of shape (n_series,)
        Steps at the end of each series that are not learned from: all of them, and those at the very end,
        whose errors are measured.
    """

    n_lags: int
    horizon: int
    season: int
    target_scaling: str | None
    strategy: str
    objective: str
    levels: tuple[float, ...]
    masked: bool
    conformal: str | None
    n_held: Indices
    n_calibrated: Indices

    @property
    def recursive(self) -> bool:
        """Whether one network runs along past and future."""
        return self.strategy == "recursive"

    @property
    def counts(self) -> bool:
        """Whether targets are counts."""
        return self.objective == "negative_binomial"

    def loss(self) -> Predictive:
        """What is learned."""
        return predictive(self.objective, list(self.levels))

    def windows(self, dtype: torch.dtype, device: torch.device) -> WindowSpec:
        """What a network sees of a window, and how."""
        return WindowSpec(
            n_lags=self.n_lags,
            horizon=self.horizon,
            scaling=self.target_scaling,
            recursive=self.recursive,
            mask=self.masked,
            counts=self.counts,
            season=0 if self.recursive else self.season,
            dtype=dtype,
            device=device,
        )

    @property
    def n_remembered(self) -> int:
        """Steps at the end of a series that forecasts, and those of the next steps, are made from."""
        return max(self.n_lags + 1, self.season) + self.horizon


def plan(settings: Any, given: GivenSeries, before: Plan | None, *, objective: str, stopping: float = 0.0, run_up: int = 0) -> Plan:
    """The plan that follows from the parameters of a forecaster and its series.

    Parameters
    ----------
    settings : estimator
        With the parameters of the groups ``Forecasting`` and ``SeriesSettings``, and ``strategy``. It is not changed.
    given : GivenSeries
    before : Plan or None
        Where learning goes on: that of the network, whose windows and season stay.
    objective : str
        What is learned.
    stopping : float, default=0.0
        Share of each series, before what is calibrated on, that tells when to stop.
    run_up : int, default=0
        Steps of the past that ``n_lags="auto"`` is at least, where there are so many.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If parameters contradict each other, or the series are too short for them.
    """
    lengths = given.lengths
    n_calibrated, n_stopping = _n_calibrated(settings, lengths), _n_stopping(stopping, lengths)
    horizon = _horizon(settings, lengths, stopping) if before is None else before.horizon
    n_lags, season = (None, _season(settings, given.y)) if before is None else (before.n_lags, before.season)
    shortest = int(lengths.min())
    room = shortest - horizon - int(_n_calibrated(settings, shortest) + _n_stopping(stopping, shortest))
    where = "a series of y" if given.several else "y"
    if horizon >= shortest:
        length = f"{shortest} steps (n_samples={shortest})"
        raise ValueError(f"horizon={settings.horizon} is longer than {where} can teach, which has {length}")
    n_lags = _n_lags(settings, room, max(2 * max(season, horizon), run_up)) if n_lags is None else n_lags
    if n_lags > room:
        together = f"n_lags={n_lags} and horizon={horizon}"
        together += " and what is held out" if n_calibrated.any() or n_stopping.any() else ""
        raise ValueError(f"{together} are longer than {where}, which has {shortest} steps")
    for held, fraction in ((n_calibrated, "calibration_fraction"), (n_stopping, "validation_fraction")):
        if 0 < held.min() < horizon:
            too_little = f"{fraction}={vars(settings)[fraction]} holds out fewer steps than horizon={horizon}"
            raise ValueError(f"{too_little} of a series of {shortest} steps")
    return Plan(
        n_lags,
        horizon,
        season,
        _target_scaling(settings.target_scaling, counts=objective == "negative_binomial"),
        settings.strategy,
        objective,
        _levels(settings),
        settings.missing == "mask",
        settings.conformal,
        n_calibrated + n_stopping,
        n_calibrated,
    )


def _levels(settings: Any) -> tuple[float, ...]:
    levels = np.asarray(settings.quantiles, dtype=float)
    if levels.ndim != 1 or len(levels) == 0 or (np.diff(levels) <= 0).any() or not 0 < levels[0] <= levels[-1] < 1:
        wanted = "must hold increasing levels between 0 and 1"
        raise ValueError(f"The 'quantiles' parameter {wanted}; got {settings.quantiles!r}")
    return tuple(levels.tolist())


def _season(settings: Any, series: list[Array]) -> int:
    if settings.season != AUTO:
        return int(settings.season or 0)
    found = [detect_season(fill_forward(y)) for y in series[:_LOOKED_AT]]
    return int(np.median(found)) if np.median(found) in found else 0


def _target_scaling(scaling: Any, *, counts: bool) -> str | None:
    if counts and scaling not in (AUTO, "mean"):
        raise ValueError(f"objective='negative_binomial' needs target_scaling='mean'; got {scaling!r}")
    if scaling == AUTO:
        return "mean" if counts else "last_value"
    return None if scaling is None else str(scaling)


def _n_calibrated(settings: Any, n_steps: Any) -> Indices:
    """Steps at the very end of series whose errors are measured."""
    share = settings.calibration_fraction if settings.conformal else 0.0
    return np.ceil(share * np.asarray(n_steps)).astype(int)


def _n_stopping(share: float, n_steps: Any) -> Indices:
    """Steps of series before these that tell when to stop."""
    return np.ceil(share * np.asarray(n_steps)).astype(int)


def _horizon(settings: Any, lengths: Indices, stopping: float) -> int:
    """That of the parameter; a quarter of what the longest series teaches where the default is too long for it."""
    n_steps = int(lengths.max())
    parts = [int(n) for n in (_n_calibrated(settings, n_steps), _n_stopping(stopping, n_steps)) if n]
    left = n_steps - sum(parts)
    least = 1 if settings.n_lags == AUTO else settings.n_lags
    fits = least + settings.horizon <= left and all(settings.horizon <= n for n in parts)
    if fits or settings.horizon != type(settings).horizon:
        return int(settings.horizon)
    return max(1, min(left // 4, *parts)) if parts else max(1, left // 4)


def _n_lags(settings: Any, room: int, wanted: int) -> int:
    if settings.n_lags != AUTO:
        return int(settings.n_lags)
    return min(wanted, max(1, room if room < 4 else 2 * room // 3))


def warn_of_less(settings: Any, planned: Plan, given: GivenSeries) -> None:
    """Say that a default was too much for the series."""
    if planned.horizon < settings.horizon:
        warnings.warn(
            f"horizon={settings.horizon} is too long for series of up to {given.lengths.max()} steps: "
            f"horizon_={planned.horizon} steps ahead are learned, from little",
            stacklevel=5,
        )
