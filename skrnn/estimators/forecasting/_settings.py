"""Groups of parameters of forecasters."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval, StrOptions

from ...data import SCALINGS
from ...training import PREDICTIVE
from ..face._declared import DATA, TASK, TRAINING, parameters

AUTO = "auto"


@parameters
class Strategy:
    """What the network of a forecaster learns.

    Parameters
    ----------
    strategy : {"direct", "recursive", "seq2seq"}, default="direct"
        "direct": an encoder reads the past, a decoder writes all steps at once, knowing their season and covariates. "seq2seq": the decoder sees
        its own last forecast in every step. "recursive": one network learns to predict the next step along past and future, and runs on by itself
        (DeepAR); it draws paths, and is the choice for global models of many series.
    objective : {"quantile", "squared", "absolute", "huber", "gaussian", "student_t", "negative_binomial"}, default="quantile"
        What is learned: quantiles, whose median is the forecast; the mean; the median; something between; or a distribution. The negative binomial
        is for counts.
    """

    strategy: str = "direct"
    objective: str = "quantile"

    _place: ClassVar[int] = TASK
    _built_from: ClassVar[tuple[str, ...]] = ("strategy", "objective")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": [StrOptions({"recursive", "direct", "seq2seq"})],
        "objective": [StrOptions({"quantile", *PREDICTIVE})],
    }


@parameters
class ReservoirStrategy:
    """What the readouts of a forecaster's reservoirs learn.

    Parameters
    ----------
    strategy : {"direct", "recursive"}, default="direct"
        "direct": ridge regression from the states at the end of a window, and the window itself, to all steps ahead at once. "recursive": to the next
        step of whole series, and on by itself from there; it is the choice for dynamical systems, and draws paths.
    n_reservoirs : int or "auto", default="auto"
        Reservoirs with weights of their own, which run as one; each has a readout of its own, and the forecast is the mean of theirs. More depend
        less on the seed, and cost in proportion. "auto" is 1 with "direct", whose forecasts hardly depend on it, and 3 with "recursive".
    spectral_radius : float or "auto", default="auto"
        Largest modulus of the eigenvalues of the recurrent weights: the length of the memory. "auto" is chosen by "recursive" on the series, as
        :class:`~skrnn.EchoStateRegressor` does it; with "direct", which sees the window itself too, it is 0.9.
    leak_rate : float, tuple or "auto", default="auto"
        Share of the new value in each step, in (0, 1]: the speed of the units. A tuple has one for each unit or, with several groups, for each
        group. "auto" as above; with "direct" it is 1.
    input_scaling : float, tuple or "auto", default="auto"
        Range of the input weights, of all channels or of each: how far from linear the units work. "auto" as above; with "direct" it is 1.
    alpha : float or {"auto", "block_cv", "gcv", "closed_loop"}, default="auto"
        Penalty of the squared readout weights, or how it is chosen: "block_cv" by contiguous held-out folds; "gcv" by generalised cross-validation,
        which is faster and takes neighbouring steps for independent; with "recursive" also "closed_loop", by the error of free runs on the last
        held-out fold. "auto" is that, where series have no gaps and are long enough for it, else "block_cv".
    n_folds : int, default=5
        Contiguous held-out folds, for the penalty and for how far forecasts may be off.
    """

    strategy: str = "direct"
    n_reservoirs: int | str = AUTO
    spectral_radius: float | str = AUTO
    leak_rate: float | tuple[float, ...] | str = AUTO
    input_scaling: float | tuple[float, ...] | str = AUTO
    alpha: float | str = AUTO
    n_folds: int = 5

    _place: ClassVar[int] = TASK
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "strategy": [StrOptions({"direct", "recursive"})],
        "n_reservoirs": [Interval(Integral, 1, None, closed="left"), StrOptions({AUTO})],
        "spectral_radius": [Interval(Real, 0, None, closed="neither"), StrOptions({AUTO})],
        "leak_rate": [Interval(Real, 0, 1, closed="right"), tuple, StrOptions({AUTO})],
        "input_scaling": [Interval(Real, 0, None, closed="left"), tuple, StrOptions({AUTO})],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({AUTO, "block_cv", "gcv", "closed_loop"})],
        "n_folds": [Interval(Integral, 2, None, closed="left")],
    }


@parameters
class WindowTraining:
    """How windows of series are learned.

    Parameters
    ----------
    windows_per_epoch : int or None, default=512
        Windows drawn in an epoch; ``None`` is all of them.
    alpha : float or "auto", default="auto"
        Strength of the L2 penalty, alpha / (2 n) · Σ w² beside the mean loss of n windows, w all weights but biases and gains; "auto" is 0.25.
    """

    windows_per_epoch: int | None = 512
    alpha: float | str = AUTO

    _place: ClassVar[int] = TRAINING
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "windows_per_epoch": [Interval(Integral, 1, None, closed="left"), None],
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({AUTO})],
    }


@parameters
class Forecasting:
    """How far a forecaster looks ahead, from how much, and what it says about how sure it is.

    Parameters
    ----------
    n_lags : int or "auto", default="auto"
        Steps of the past that a forecast is made from. "auto" is twice the season or the horizon, whichever is longer, and at most two thirds of what
        the shortest series has room for.
    horizon : int, default=12
        Steps ahead that are learned. The default becomes less where the series are too short for it, and a warning says so; any other number is
        taken at its word.
    quantiles : tuple of float, default=(0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
        Levels that ``objective="quantile"`` learns, and that ``predict_quantiles`` gives unless told otherwise.
    conformal : {"split", "adaptive"} or None, default=None
        Intervals from errors of forecasts of the last part of each series, which is not learned from: of all of them, or such that follow
        the errors as they come in (``update``).
    calibration_fraction : float, default=0.2
        Share of each series that is that part.
    n_paths : int, default=200
        Paths that quantiles are taken from where forecasts are fed back; it may be set after ``fit``.
    """

    n_lags: int | str = AUTO
    horizon: int = 12
    quantiles: tuple[float, ...] = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
    conformal: str | None = None
    calibration_fraction: float = 0.2
    n_paths: int = 200

    _place: ClassVar[int] = TASK
    _built_from: ClassVar[tuple[str, ...]] = ("n_lags", "horizon", "quantiles")
    _may_change: ClassVar[tuple[str, ...]] = ("n_paths",)
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_lags": [Interval(Integral, 1, None, closed="left"), StrOptions({AUTO})],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "quantiles": ["array-like"],
        "conformal": [StrOptions({"split", "adaptive"}), None],
        "calibration_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_paths": [Interval(Integral, 1, None, closed="left")],
    }


@parameters
class SeriesSettings:
    """What the series are like, and what is known beside them.

    Parameters
    ----------
    target_scaling : {"auto", "last_value", "window", "difference", "robust", "standard", "mean"} or None, default="auto"
        Units in which the network sees each window: relative to its last value, or to its mean, in units of its spread; as changes from step to
        step; in units of the whole series (its median and quartiles, or its mean and standard deviation); divided by 1 + the mean size
        of the window, as DeepAR does; or as they are. "auto" is "last_value", and "mean" for counts. The first three go on with a trend.
    season : int, "auto" or None, default="auto"
        Steps from one season to the next: the network then sees waves of that length, counted by the dates of an index or from the start of
        the series, and a decoder also the value one season before. "auto" finds it in the series; ``None`` is no season. Several seasons, or a
        calendar, are columns of X.
    missing : {"error", "mask"}, default="error"
        NaN in y: refused; or filled with the last known value, which the network is told, and not learned from.
    time_column : int or str, default=None
        Column of X that is the time in equal steps, as numbers; or as dates or datetimes of a pandas or polars frame, of which the former may hold
        them as its index too. It is checked for gaps, tells ``predict`` how many steps after the end its rows lie (as ``TimeSeriesSplit(gap=…)``
        needs), and is no covariate.
    past_columns : tuple of int or str, default=()
        Columns of X that are not known beforehand: only their past is seen.
    """

    target_scaling: str | None = AUTO
    season: int | str | None = AUTO
    missing: str = "error"
    time_column: int | str | None = None
    past_columns: tuple[int | str, ...] = ()

    _place: ClassVar[int] = DATA
    _built_from: ClassVar[tuple[str, ...]] = ("season", "missing")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "target_scaling": [StrOptions({AUTO, *SCALINGS}), None],
        "season": [Interval(Integral, 2, None, closed="left"), StrOptions({AUTO}), None],
        "missing": [StrOptions({"error", "mask"})],
        "time_column": [Integral, str, None],
        "past_columns": ["array-like"],
    }
