"""Series to windows: pairs of past and future, and the window behind every step."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions

from .._constraints import COUNT
from ..data._checks import as_sequences
from ..data._frames import kind_of
from ..data._reading import ROWS, layout_of, table_to_array, to_sequences, unwrap
from ..data._sequences import Array, Sequences, offsets_of
from ..data._time_axis import check_same, check_time_order, instants_of
from ..data._windows import window_rows
from ._containers import read_series
from ._transformer import SequenceTransformer


def make_windows(
    series: Any, n_lags: int, horizon: int | None = None, exog: Any = None, gap: int = 0, *, stride: int = 1, return_groups: bool = False
) -> tuple[Array, ...]:
    """Cut series into windows of the past and the values that follow: `X` and `y` for any estimator of whole sequences.

    Choose it to train a plain regressor to forecast. In a pipeline, where the number of rows has to stay, `SlidingWindow` is its counterpart.

    Parameters
    ----------
    series : array-like of shape (n_steps,) or (n_steps, k), list of such arrays, 3-D array (n_series, n_steps, k) or Sequences
        One series or several, whose rows are time steps in order; frames and frame columns too. No window crosses from one series to the next.
    n_lags : int
        Time steps in a window. Growing it shows more of the past and leaves fewer windows.
    horizon : int or None, default=None
        How many of the following time steps `y` holds; None is the next one alone, without an axis for it.
    exog : as series, default=None
        Other channels that are known as far as the series is, a row for each of its steps; they stand in the windows behind the series.
    gap : int, default=0
        Time steps between the end of a window and its first target.
    stride : int, default=1
        Time steps from the start of a window to the start of the next one.
    return_groups : bool, default=False
        Also return the number of the series that each window is from, as `groups` for scikit-learn's splitters.

    Returns
    -------
    X : ndarray of shape (n_windows, n_lags, n_features)
        Windows, oldest step first, of one series after the other; channels of `series`, then of `exog`.
    y : ndarray of shape (n_windows, horizon) or (n_windows, horizon, k)
        What follows; k only where the series have two axes. Without `horizon` (n_windows,) or (n_windows, k).
    groups : ndarray of int of shape (n_windows,)
        Only if `return_groups`.

    Raises
    ------
    ValueError, TypeError
        If a series is shorter than ``n_lags + gap + horizon`` (the message has the lengths), holds NaN or infinity, has an index of times that are
        doubled or out of order, `exog` has other lengths or times, or an argument is not as described.

    Notes
    -----
    Neighbouring targets overlap. In ``TimeSeriesSplit(gap=gap + horizon - 1)`` no target of the training part reaches into the test part.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import make_windows
    >>> X, y = make_windows(np.arange(6), n_lags=3, horizon=2)
    >>> X[:, :, 0]
    array([[0., 1., 2.],
           [1., 2., 3.]])
    >>> y
    array([[3., 4.],
           [4., 5.]])
    """
    target, flat = _as_series(series, "series")
    check_same(instants_of(exog), instants_of(series), ("exog", "series"))
    channels = target if exog is None else _beside(target, exog)
    past, future, counts = [], [], []
    for i, (start, length) in enumerate(zip(target.offsets[:-1], target.lengths, strict=True)):
        try:
            rows = window_rows(int(length), n_lags, 1 if horizon is None else horizon, gap=gap, stride=stride)
        except ValueError as error:
            raise ValueError(f"series {i}: {error}" if len(target) > 1 else str(error)) from error
        past.append(start + rows[0])
        future.append(start + rows[1])
        counts.append(len(rows[0]))
    X = channels.values[np.concatenate(past)]
    y = target.values[np.concatenate(future)]
    y = y[:, :, 0] if flat else y
    y = y[:, 0] if horizon is None else y
    return (X, y, np.repeat(np.arange(len(target)), counts)) if return_groups else (X, y)


def _as_series(series: Any, name: str) -> tuple[Sequences, bool]:
    """Series whose rows are steps, and whether they have no axis for variables."""
    check_time_order(series, name)
    material = unwrap(series, name)
    if layout_of(series, material) != ROWS:
        flat = isinstance(material, list) and material[0].ndim == 1
        return as_sequences(to_sequences(material, name), name=name), flat
    flat = kind_of(material).endswith("Series") or (isinstance(material, np.ndarray) and material.ndim == 1)
    if flat:
        material = material.to_frame() if kind_of(material) else material[:, None]
    table = table_to_array(material, name)
    return as_sequences(Sequences(np.ascontiguousarray(table), np.array([0, len(table)])), name=name), flat


def _beside(target: Sequences, exog: Any) -> Sequences:
    """The channels of the series and those of `exog` side by side."""
    other, _ = _as_series(exog, "exog")
    if len(other) != len(target):
        raise ValueError(f"exog has {len(other)} series, series has {len(target)}")
    wrong = other.lengths != target.lengths
    if wrong.any():
        i = int(np.argmax(wrong))
        raise ValueError(f"exog has {other.lengths[i]} steps, series has {target.lengths[i]} (series {i}): there must be a row for each time step")
    return target.with_values(np.hstack([target.values, other.values]))


class SlidingWindow(SequenceTransformer):
    """Give each time step the window that ends with it: a table of time steps becomes sequences, row by row.

    Choose it in a pipeline, in front of an estimator of whole sequences: the number of rows stays, so that `y` keeps one row for each time step
    and the length of the window can be searched. Outside of pipelines `make_windows` gives windows and targets at once.

    Parameters
    ----------
    n_lags : int, default=10
        Time steps in a window, the present one among them. Growing it shows more of the past, and costs in proportion.
    edge : {"repeat", "zero", "short"}, default="repeat"
        What is seen before the first step: that step again, or zeros; "short" windows end there, and all come as `Sequences`.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a 2-D frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, and what `as_sequences` refuses (NaN among it).

    Notes
    -----
    ::

        window(t) = x(t - n_lags + 1), …, x(t)

    A window comes back for each row of `X`, or for each step of several series, end to end: in one array of shape (n_steps, n_lags, n_features), or
    as `Sequences` if they are "short".

    To forecast h steps ahead, pass ``X = series[:-h]`` and ``y = series[h:]``; then the last row of ``predict(series)`` is the forecast. A
    transformer cannot shift `y`, and does not remember the series of ``fit``: the first windows of a test set start at its own beginning. Several
    series give their windows end to end, and then `y` too has to come end to end.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import SlidingWindow
    >>> SlidingWindow(n_lags=3).fit_transform(
    ...     np.array([[1.0], [2.0], [3.0], [4.0]])
    ... )[:, :, 0]
    array([[1., 1., 1.],
           [1., 1., 2.],
           [1., 2., 3.],
           [2., 3., 4.]])
    """

    _parameter_constraints = {
        "n_lags": [COUNT],
        "edge": [StrOptions({"repeat", "zero", "short"})],
    }

    def __init__(self, n_lags: int = 10, edge: str = "repeat") -> None:
        self.n_lags = n_lags
        self.edge = edge

    _read = read_series

    def _learn(self, series: Sequences, y: Any) -> None:
        """Nothing but the number of channels."""

    def _change(self, series: Sequences, layout: str) -> Any:
        first = np.repeat(series.offsets[:-1], series.lengths)[:, None]
        rows = np.arange(series.n_steps_total)[:, None] + np.arange(1 - self.n_lags, 1)
        inside = rows >= first
        if self.edge == "short":
            lengths = inside.sum(axis=1)
            return Sequences(series.values[rows[inside]], offsets_of(lengths))
        windows = series.values[np.maximum(rows, first)]
        if self.edge == "zero":
            windows[~inside] = 0
        return windows

    def _names(self, names: Array) -> Array:
        return names
