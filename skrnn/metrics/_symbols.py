"""Errors of symbols."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import average, columns, finite


def symbol_error_rate(y_true: ArrayLike, y_pred: ArrayLike, *, symbols: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> float:
    """Share of symbols that are received wrongly, as for equalized channels (Jaeger & Haas, 2004).

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        The symbols that were sent.
    y_pred : array-like of shape (n_samples,)
        The symbols received; with ``symbols``, the numbers from which they are decided.
    symbols : array-like of shape (n_symbols,), default=None
        The numbers that may be sent, such as −3, −1, 1, 3: predictions count as the nearest of them, of two as near the smaller. None
        compares the two as they are, and then they may be strings.
    sample_weight : array-like of shape (n_samples,), default=None
        How much each row counts.

    Returns
    -------
    float

    References
    ----------
    H. Jaeger, H. Haas, "Harnessing nonlinearity: predicting chaotic systems and saving energy in wireless communication", Science 304, 2004.

    Examples
    --------
    >>> from skrnn.metrics import symbol_error_rate
    >>> symbol_error_rate(
    ...     [-3, 1, 3, -1], [-2.7, 0.4, 1.9, -0.6], symbols=[-3, -1, 1, 3]
    ... )
    0.25
    """
    true, pred = np.asarray(y_true), np.asarray(y_pred)
    if true.ndim != 1 or true.shape != pred.shape or len(true) == 0:
        raise ValueError(f"y_true and y_pred must have the same shape (n_samples,), and a row; got {true.shape} and {pred.shape}")
    if symbols is None:
        return float(average(true != pred, sample_weight))
    known = np.unique(columns("symbols", symbols))
    unknown = ~np.isin(true, known)
    if unknown.any():
        raise ValueError(f"y_true must be of the symbols {known.tolist()}; got {true[unknown][0]}")
    decided = known[np.searchsorted((known[1:] + known[:-1]) / 2, finite("y_pred", pred))]
    return float(average(true != decided, sample_weight))
