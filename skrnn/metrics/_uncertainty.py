"""Scores of forecasts that say how sure they are: quantiles, draws, intervals."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._arrays import Scores, average, columns, combine, finite, pair


def pinball(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    quantiles: float | Sequence[float] = 0.5,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> Scores:
    """Pinball loss of predicted quantiles, averaged over them (Koenker & Bassett, 1978).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_pred : array-like of the shape of y_true, or with a further axis of n_quantiles
        Predicted quantiles; without that axis for a single one.
    quantiles : float or sequence of float, default=0.5
        Levels of the quantiles, between 0 and 1. At 0.5 the loss is half the mean absolute error.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each row counts.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,), default="uniform_average"
        The mean over outputs, weighted if weights are given; or one value for each.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Notes
    -----
    ``max(q (y_true − y_pred), (q − 1) (y_true − y_pred))`` for each level q.

    References
    ----------
    R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46(1), 1978.

    Examples
    --------
    >>> from skrnn.metrics import pinball
    >>> round(
    ...     pinball(
    ...         [1.0, 2.0], [[0.0, 2.0], [1.0, 3.0]], quantiles=[0.1, 0.9]
    ...     ),
    ...     3,
    ... )
    0.1
    """
    single = isinstance(quantiles, Real)
    true, pred = _spread(y_true, np.asarray(y_pred, dtype=float)[..., None] if single else y_pred, "n_quantiles")
    loss = _pinball(true, pred, [quantiles] if single else quantiles)
    return combine(average(loss, sample_weight), multioutput)


def crps(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    quantiles: Sequence[float] | None = None,
    fair: bool = False,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> Scores:
    """Continuous ranked probability score of a forecast in samples or quantiles (Gneiting & Raftery, 2007).

    The absolute error of a distribution, in the unit of the target: of a forecast without spread it is the mean absolute error.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets.
    y_pred : array-like of the shape of y_true and a further axis of n_draws or n_quantiles
        Draws from the predicted distribution, or its quantiles.
    quantiles : sequence of float, default=None
        Levels of the quantiles, evenly spaced; None if ``y_pred`` holds draws.
    fair : bool, default=False
        Whether to score the distribution that the draws come from, without bias, rather than that of the draws; needs two draws.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each row counts.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,), default="uniform_average"
        The mean over outputs, weighted if weights are given; or one value for each.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Notes
    -----
    Of m draws x: ``mean |x_i − y| − Σ_i Σ_j |x_i − x_j| / (2 m²)``, with ``m (m − 1)`` for m² if ``fair``; sorting makes it O(m log m).
    Of quantiles: twice the mean pinball loss, which is the integral over all levels when they are many.

    References
    ----------
    T. Gneiting, A. E. Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102, 2007, section 4.2.

    Examples
    --------
    >>> from skrnn.metrics import crps
    >>> crps([0.0, 1.0], [[-1.0, 1.0], [1.0, 1.0]])
    0.25
    """
    true, pred = _spread(y_true, y_pred, "n_draws" if quantiles is None else "n_quantiles")
    if quantiles is not None:
        score = 2 * _pinball(true, pred, quantiles)
    else:
        m = pred.shape[-1]
        if fair and m < 2:
            raise ValueError("fair needs at least 2 draws; got 1")
        pairs = np.sort(pred, axis=-1) @ (2.0 * np.arange(m) - m + 1)  # half of the sum over all pairs
        score = np.abs(pred - true[..., None]).mean(axis=-1) - pairs / (m * (m - 1 if fair else m))
    return combine(average(score, sample_weight), multioutput)


def coverage(
    y_true: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> Scores:
    """Share of targets that lie in their prediction interval, ends included.

    Parameters
    ----------
    y_true, lower, upper : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Targets, and the ends of the intervals, which may be infinite. Intervals of 90 % should cover 0.9.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each row counts.
    multioutput : {"uniform_average", "raw_values"} or array-like of shape (n_outputs,), default="uniform_average"
        The mean over outputs, weighted if weights are given; or one value for each.

    Returns
    -------
    float or ndarray of shape (n_outputs,)

    Examples
    --------
    >>> from skrnn.metrics import coverage
    >>> coverage(
    ...     [1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0], [3.0, 3.0, 3.0, 3.0]
    ... )
    0.75
    """
    true, low = pair(y_true, lower, "lower", allow_nonfinite=True)
    _, high = pair(y_true, upper, "upper", allow_nonfinite=True)
    ordered = (low <= high).all(axis=1)  # not so if one is NaN
    if not ordered.all():
        row = int(np.argmin(ordered))
        raise ValueError(f"lower must be at most upper; got {low[row].tolist()} and {high[row].tolist()} in row {row}")
    return combine(average((low <= true) & (true <= high), sample_weight), multioutput)


def _spread(y_true: ArrayLike, y_pred: ArrayLike, what: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Targets in columns, and predictions (n_samples, n_outputs, `what`)."""
    true, pred = columns("y_true", y_true), finite("y_pred", y_pred)
    if pred.shape[:-1] != np.shape(y_true) or pred.size == 0:
        expected = ", ".join([*map(str, np.shape(y_true)), what])
        raise ValueError(f"y_pred must have shape ({expected}); got {pred.shape}")
    return true, pred.reshape(*true.shape, -1)


def _pinball(true: NDArray[np.float64], pred: NDArray[np.float64], quantiles: Any) -> NDArray[np.float64]:
    levels = np.asarray(quantiles, dtype=np.float64)
    if levels.shape != (pred.shape[-1],) or not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantiles must be a number between 0 and 1 for each of the {pred.shape[-1]} quantiles of y_pred; got {levels.tolist()}")
    short = true[..., None] - pred
    return np.maximum(levels * short, (levels - 1) * short).mean(axis=-1)
