"""What a forecaster can be told."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from ..data import SCALINGS
from ..training import PREDICTIVE
from ._parameters import TrainedParameters, parameters
from ._trained import BaseTrained

AUTO = "auto"


@parameters
class ForecasterParameters(BaseTrained):
    """Parameters of :class:`RNNForecaster`."""

    n_lags: int | str = AUTO
    horizon: int = 12
    strategy: str = "direct"
    objective: str = "quantile"
    quantiles: tuple[float, ...] = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    target_scaling: str | None = AUTO
    season: int | str | None = AUTO
    missing: str = "error"
    time_column: int | str | None = None
    past_columns: tuple[int | str, ...] = ()
    windows_per_epoch: int | None = 512
    conformal: str | None = None
    calibration_fraction: float = 0.2
    n_paths: int = 200
    hidden_size: int = 32
    max_epochs: int = 50

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = TrainedParameters._parameter_constraints | {
        "n_lags": [Interval(Integral, 1, None, closed="left"), StrOptions({AUTO})],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "strategy": [StrOptions({"recursive", "direct", "seq2seq"})],
        "objective": [StrOptions({"quantile", *PREDICTIVE})],
        "quantiles": ["array-like"],
        "target_scaling": [StrOptions({AUTO, *SCALINGS}), None],
        "season": [Interval(Integral, 2, None, closed="left"), StrOptions({AUTO}), None],
        "missing": [StrOptions({"error", "mask"})],
        "time_column": [Integral, str, None],
        "past_columns": ["array-like"],
        "windows_per_epoch": [Interval(Integral, 1, None, closed="left"), None],
        "conformal": [StrOptions({"split", "adaptive"}), None],
        "calibration_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_paths": [Interval(Integral, 1, None, closed="left")],
    }
    _built_from: ClassVar[tuple[str, ...]] = (
        *BaseTrained._built_from,
        "n_lags",
        "horizon",
        "strategy",
        "objective",
        "quantiles",
        "season",
        "missing",
    )
    _also_fitted: ClassVar[tuple[str, ...]] = ("_history", "_series_moments", "_columns", "_several", "_flat", "_last_time", "_calibration", "_draws")
