"""Where a series came from and where it may go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from ..data import kind_of
from ..estimators.forecasting import SeriesForecaster
from ._axes import new_or_given


class ForecastDisplay:
    """The end of a series, its forecast, and intervals around it.

    Make it with :meth:`from_estimator`. What came after may be drawn beside it.

    Parameters
    ----------
    history : array-like of shape (n_history,)
        The last steps of the series.
    forecast : array-like of shape (n_steps,)
        The steps that follow.
    intervals : dict of float to (lower, upper), default=None
        For each coverage, the ends (n_steps,) of its intervals.
    actual : array-like of shape (n_steps,), default=None
        What came.
    first : int, default=0
        Number of the first step of ``history``.
    times : pandas index of length n_history + n_steps, default=None
        When the steps of ``history`` and ``forecast`` are; ``None``: they are numbered.

    Attributes
    ----------
    history, forecast, intervals, actual, first, times
        What is drawn.
    ax_ : matplotlib Axes
        Where it was drawn last.
    figure_ : matplotlib Figure
        The figure of ``ax_``.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNForecaster
    >>> from skrnn.inspection import ForecastDisplay
    >>> y = np.sin(np.arange(60))
    >>> model = RNNForecaster(
    ...     horizon=4, hidden_size=4, max_epochs=2, random_state=0
    ... ).fit(None, y)
    >>> ForecastDisplay.from_estimator(model, y).forecast.shape
    (4,)
    """

    def __init__(
        self,
        history: ArrayLike,
        forecast: ArrayLike,
        intervals: dict[float, tuple[ArrayLike, ArrayLike]] | None = None,
        actual: ArrayLike | None = None,
        first: int = 0,
        times: Any = None,
    ) -> None:
        self.history, self.forecast, self.first = np.asarray(history, dtype=float), np.asarray(forecast, dtype=float), first
        self.intervals = {share: (np.asarray(low, dtype=float), np.asarray(high, dtype=float)) for share, (low, high) in (intervals or {}).items()}
        self.actual = None if actual is None else np.asarray(actual, dtype=float)
        self.times = times

    @classmethod
    def from_estimator(
        cls,
        estimator: SeriesForecaster,
        y: Any,
        X: Any = None,
        *,
        coverage: Sequence[float] = (0.5, 0.9),
        actual: ArrayLike | None = None,
        n_history: int | None = None,
        series: int = 0,
        target: int = 0,
        ax: Any = None,
    ) -> Self:
        """Draw the forecast of an estimator.

        Parameters
        ----------
        estimator : RNNForecaster or EchoStateForecaster
            Fitted.
        y : as in ``fit``
            What it was fitted to.
        X : as in ``predict``, default=None
            Covariates of the steps to come.
        coverage : sequence of float, default=(0.5, 0.9)
            Shares that the intervals should cover; empty: no intervals.
        actual : array-like of shape (n_steps,), default=None
            What came.
        n_history : int, default=None
            How much of the past is drawn; ``None`` is four times the forecast.
        series, target : int, default=0
            Of several series, or several targets, which one.
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        ForecastDisplay
        """
        check_is_fitted(estimator)
        ahead = _of_series(estimator.predict(X), series)

        def one(values: Any) -> Any:
            values = np.asarray(_of_series(values, series), dtype=float)
            return values[:, target] if values.ndim == 2 else values

        past, forecast = one(y), one(ahead)
        n = min(len(past), 4 * len(forecast) if n_history is None else n_history)
        intervals = {share: tuple(map(one, estimator.predict_interval(X, coverage=share))) for share in coverage}
        times = _of_series(y, series).index[len(past) - n :].append(ahead.index) if kind_of(ahead) else None
        return cls(past[len(past) - n :], forecast, intervals, actual, len(past) - n, times).plot(ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; ``None`` makes a new figure.

        Returns
        -------
        self
        """
        ax = new_or_given(self, ax)
        end = self.first + len(self.history)
        places = np.arange(self.first, end + len(self.forecast)) if self.times is None else _places(self.times)
        past, ahead = np.split(places, [len(self.history)])
        ax.plot(past, self.history, color="0.3", label="history")
        (line,) = ax.plot(ahead, self.forecast, label="forecast")
        for k, share in enumerate(sorted(self.intervals, reverse=True)):
            shade = 0.15 + 0.3 * k / len(self.intervals)
            ax.fill_between(ahead, *self.intervals[share], color=line.get_color(), alpha=shade, lw=0, label=f"{share:.0%} interval")
        if self.actual is not None:
            shown = ahead[: len(self.actual)] if self.times is not None else np.arange(end, end + len(self.actual))
            ax.plot(shown, self.actual[: len(shown)], "--", color="0.3", label="what came")
        ax.set(xlabel="step" if self.times is None else self.times.name or "time", ylabel="y")
        if places.dtype.kind == "M":
            from matplotlib.dates import ConciseDateFormatter

            ax.xaxis.set_major_formatter(ConciseDateFormatter(ax.xaxis.get_major_locator()))
        ax.legend(loc="upper left")
        self.ax_, self.figure_ = ax, ax.figure
        return self


def _of_series(values: Any, series: int) -> Any:
    """Those of one series; a list, or a frame with an (instance, time) index, has several."""
    if isinstance(values, list):
        return values[series]
    if kind_of(values) and values.index.nlevels == 2:
        return [part.droplevel(0) for _, part in values.groupby(level=0, sort=False)][series]
    return values


def _places(times: Any) -> Any:
    """Where points in time lie on an axis; a zone's are those of its clocks."""
    kind = type(times).__name__
    if kind == "PeriodIndex":
        return times.to_timestamp().to_numpy()
    if kind == "TimedeltaIndex":
        return times.total_seconds().to_numpy()
    return (times.tz_localize(None) if getattr(times, "tz", None) is not None else times).to_numpy()
