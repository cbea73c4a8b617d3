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

_DESCRIPTIONS = """\
    n_lags : int or "auto", default="auto"
        Steps of the past that a forecast is made from. "auto" is twice the season or the horizon, whichever is longer, and at most two thirds of what
        the shortest series has room for.
    horizon : int, default=12
        Steps ahead that are learned.
    strategy : {"direct", "recursive", "seq2seq"}, default="direct"
        "direct": an encoder reads the past, a decoder writes all steps at once, knowing their season and covariates. "seq2seq": the decoder sees
        its own last forecast in every step. "recursive": one network learns to predict the next step along past and future, and runs on by itself
        (DeepAR); it draws paths, and is the choice for global models of many series.
    objective : {"quantile", "squared", "absolute", "huber", "gaussian", "student_t", "negative_binomial"}, default="quantile"
        What is learned: quantiles, whose median is the forecast; the mean; the median; something between; or a distribution. The negative binomial
        is for counts.
    quantiles : tuple of float, default=(0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
        Levels that ``objective="quantile"`` learns, and that ``predict_quantiles`` gives unless told otherwise.
    target_scaling : {"auto", "last_value", "window", "difference", "robust", "standard", "mean"} or None, default="auto"
        Units in which the network sees each window: relative to its last value, or to its mean, in units of its spread; as changes from step to
        step; in units of the whole series (its median and quartiles, or its mean and standard deviation); divided by 1 + the mean size
        of the window, as DeepAR does; or as they are. "auto" is "last_value", and "mean" for counts. The first three go on with a trend.
    season : int, "auto" or None, default="auto"
        Steps from one season to the next: the network then sees waves of that length, counted from the start of the series, and a decoder also the
        value one season before. "auto" finds it in the series; ``None`` is no season. Several seasons, or a calendar, are columns of X.
    missing : {"error", "mask"}, default="error"
        NaN in y: refused; or filled with the last known value, which the network is told, and not learned from.
    time_column : int or str, default=None
        Column of X that is the time in equal steps. It is checked for gaps, tells ``predict`` how many steps after the end its rows lie (as
        ``TimeSeriesSplit(gap=…)`` needs), and is no covariate.
    past_columns : tuple of int or str, default=()
        Columns of X that are not known beforehand: only their past is seen.
    windows_per_epoch : int or None, default=512
        Windows drawn in an epoch; ``None`` is all of them.
    conformal : {"split", "adaptive"} or None, default=None
        Intervals from errors of forecasts of the last part of each series, which is not learned from: of all of them, or such that follow
        the errors as they come in (``update``).
    calibration_fraction : float, default=0.2
        Share of each series that is that part.
    n_paths : int, default=200
        Paths that quantiles are taken from where forecasts are fed back."""


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
    bidirectional: bool = False
    max_epochs: int = 50
    alpha: float | str = AUTO  # type: ignore[assignment]

    _descriptions = TrainedParameters._descriptions + "\n" + _DESCRIPTIONS
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = TrainedParameters._parameter_constraints | {
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({AUTO})],
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
