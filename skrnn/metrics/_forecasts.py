"""Errors of forecasts of numbers."""

from __future__ import annotations

import math
from numbers import Integral, Real

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import Scores, average, columns, combine, pair, positive


def nrmse(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    normalize: str | ArrayLike = "std",
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> Scores:
    """Normalized root mean squared error: 0 is perfect, 1 is as bad as predicting the mean (Jaeger, 2001, and most work on reservoirs).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets and predictions.
    normalize : {"std", "range", "mean"}, float or array-like of shape (n_outputs,), default="std"
        What the error is divided by: the standard deviation of ``y_true`` (with ``sample_weight``), its largest less its smallest value, the
        absolute value of its mean; or numbers, such as the standard deviation of a longer series.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each row counts.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,), default="uniform_average"
        The mean over outputs, weighted if weights are given; or one value for each.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Notes
    -----
    ``sqrt(mean (y_pred − y_true)²) / scale``. With "std" its square is one less R², and is called NMSE.

    Examples
    --------
    >>> from skrnn.metrics import nrmse
    >>> nrmse([0.0, 2.0, 4.0], [1.0, 3.0, 5.0], normalize="range")
    0.25
    """
    true, pred = pair(y_true, y_pred)
    center = average(true, sample_weight)
    scales = {"std": np.sqrt(average((true - center) ** 2, sample_weight)), "range": np.ptp(true, axis=0), "mean": np.abs(center)}
    if isinstance(normalize, str) and normalize not in scales:
        raise ValueError(f"normalize must be 'std', 'range', 'mean' or numbers; got {normalize!r}")
    if isinstance(normalize, str):
        scale = positive(f"the {normalize} of y_true", scales[normalize], true.shape[1], " (normalize= also takes numbers)")
    else:
        scale = positive("normalize", normalize, true.shape[1])
    return combine(np.sqrt(average((pred - true) ** 2, sample_weight)) / scale, multioutput)


def mase(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike,
    seasonality: int = 1,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> Scores:
    """Mean absolute scaled error: below 1 is better than the naive forecast was on the training series (Hyndman & Koehler, 2006).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets and predictions.
    y_train : array-like of shape (n_train,) or (n_train, n_outputs)
        The series before the forecast, in the order of time.
    seasonality : int, default=1
        Time steps from one season to the next; the naive forecast is the value of the last season, with 1 the last value.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each row counts.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,), default="uniform_average"
        The mean over outputs, weighted if weights are given; or one value for each.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Notes
    -----
    ``mean |y_pred − y_true| / mean |y_train(t) − y_train(t − seasonality)|``.

    References
    ----------
    R. J. Hyndman, A. B. Koehler, "Another look at measures of forecast accuracy", International Journal of Forecasting 22(4), 2006.

    Examples
    --------
    >>> from skrnn.metrics import mase
    >>> mase([5.0, 6.0], [5.0, 7.0], y_train=[1.0, 2.0, 3.0, 4.0])
    0.5
    """
    true, pred = pair(y_true, y_pred)
    train = columns("y_train", y_train)
    if train.shape[1] != true.shape[1]:
        raise ValueError(f"y_train must have as many outputs as y_true, {true.shape[1]}; got {train.shape[1]}")
    if not isinstance(seasonality, Integral) or not 1 <= seasonality < len(train):
        raise ValueError(f"seasonality must be a whole number from 1 to {len(train) - 1}, one less than the length of y_train; got {seasonality!r}")
    naive = np.abs(train[seasonality:] - train[:-seasonality]).mean(axis=0)
    scale = positive("the naive error on y_train", naive, true.shape[1])
    return combine(average(np.abs(pred - true), sample_weight) / scale, multioutput)


def smape(
    y_true: ArrayLike, y_pred: ArrayLike, *, sample_weight: ArrayLike | None = None, multioutput: str | ArrayLike = "uniform_average"
) -> Scores:
    """Symmetric mean absolute percentage error, as a fraction from 0 to 2 (Makridakis & Hibon, 2000).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets and predictions.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each row counts.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,), default="uniform_average"
        The mean over outputs, weighted if weights are given; or one value for each.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        Times 100 it is the percentage of the M3 and M4 competitions.

    Notes
    -----
    ``mean 2 |y_pred − y_true| / (|y_pred| + |y_true|)``, where 0 / 0 is 0.

    References
    ----------
    S. Makridakis, M. Hibon, "The M3-competition: results, conclusions and implications", International Journal of Forecasting 16(4), 2000.

    Examples
    --------
    >>> from skrnn.metrics import smape
    >>> smape([1.0, 0.0], [3.0, 0.0])
    0.5
    """
    true, pred = pair(y_true, y_pred)
    size = np.abs(pred) + np.abs(true)
    ratio = np.divide(2 * np.abs(pred - true), size, out=np.zeros_like(size), where=size > 0)
    return combine(average(ratio, sample_weight), multioutput)


def valid_time(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    threshold: float = 0.4,
    dt: float = 1.0,
    lyapunov_exponent: float = 1.0,
    scale: ArrayLike | None = None,
) -> float:
    """Valid prediction time: how long a free-running forecast stays near a chaotic series (Pathak et al., 2018; Vlachas et al., 2020).

    Parameters
    ----------
    y_true, y_pred : array-like of shape (n_steps,) or (n_steps, n_outputs)
        The series and its forecast, in the order of time; the first row is one step after the last one known. Predictions may be infinite or
        NaN, which is where they stop being valid.
    threshold : float, default=0.4
        Largest error that is still valid, in standard deviations.
    dt : float, default=1.0
        Units of time in a step.
    lyapunov_exponent : float, default=1.0
        Largest Lyapunov exponent per unit of time; the result is then in Lyapunov times.
    scale : array-like of shape (n_outputs,), default=None
        Standard deviations of the outputs; None takes those of ``y_true``, which are poor if it is short.

    Returns
    -------
    float
        ``dt * lyapunov_exponent`` times the number of steps before the first whose error is larger than ``threshold``; of all steps if none is.

    Notes
    -----
    The error of a step is ``sqrt(mean_j ((y_pred_j − y_true_j) / scale_j)²)`` over the outputs j.

    References
    ----------
    J. Pathak et al., "Model-free prediction of large spatiotemporally chaotic systems from data: a reservoir computing approach", Physical
    Review Letters 120, 2018.
    P. R. Vlachas et al., "Backpropagation algorithms and reservoir computing in recurrent neural networks for the forecasting of complex
    spatiotemporal dynamics", Neural Networks 126, 2020.

    Examples
    --------
    >>> from skrnn.metrics import valid_time
    >>> valid_time([0.0, 1.0, 2.0, 3.0], [0.0, 1.1, 2.2, 5.0], dt=0.5)
    1.5
    """
    true, pred = pair(y_true, y_pred, allow_nonfinite=True)
    for name, value in {"threshold": threshold, "dt": dt, "lyapunov_exponent": lyapunov_exponent}.items():
        if not isinstance(value, Real) or not 0 < value < math.inf:
            raise ValueError(f"{name} must be a number above 0; got {value!r}")
    if scale is None:
        deviation = positive("the std of y_true", true.std(axis=0), true.shape[1], " (scale= takes others)")
    else:
        deviation = positive("scale", scale, true.shape[1])
    with np.errstate(over="ignore", invalid="ignore"):
        valid = np.sqrt((((pred - true) / deviation) ** 2).mean(axis=1)) <= threshold  # False where the forecast is NaN
    return float(np.argmin(np.append(valid, False)) * dt * lyapunov_exponent)
