"""From a series to windows: which rows are the past and which the future of each one."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from numpy.typing import NDArray


def window_rows(n_steps: int, n_lags: int, horizon: int, *, gap: int = 0, stride: int = 1) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of a series that make windows: of each one the past, oldest first, and the future.

    ::

        past(i)   = i·stride, …, i·stride + n_lags - 1
        future(i) = i·stride + n_lags + gap, …, i·stride + n_lags + gap + horizon - 1

    Parameters
    ----------
    n_steps : int
        Length of the series.
    n_lags : int
        Steps of the past in each window.
    horizon : int
        Steps of the future in each window.
    gap : int, default=0
        Steps between the past and the future that are in neither.
    stride : int, default=1
        Steps from the start of a window to the start of the next one.

    Returns
    -------
    past : ndarray of shape (n_windows, n_lags)
    future : ndarray of shape (n_windows, horizon)

    Raises
    ------
    TypeError, ValueError
        If an argument is no integer, is too small, or the series is shorter than one window.
    """
    for name, value, least in (("n_lags", n_lags, 1), ("horizon", horizon, 1), ("gap", gap, 0), ("stride", stride, 1)):
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise TypeError(f"{name} should be an integer, got {value!r}")
        if value < least:
            raise ValueError(f"{name} should be at least {least}, got {value}")
    length = n_lags + gap + horizon
    if length > n_steps:
        between = f" + gap={gap}" if gap else ""
        raise ValueError(
            f"the window is longer than the series: n_lags={n_lags}{between} + horizon={horizon} is {length} steps, the series has {n_steps}"
        )
    starts = np.arange(0, n_steps - length + 1, stride)[:, None]
    return starts + np.arange(n_lags), starts + np.arange(n_lags + gap, length)
