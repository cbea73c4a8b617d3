"""The series of a long frame: which they are, where in time they end, and forecasts for rows of such a frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...data import LongIndex, long_index
from ._fitted import request_of
from ._reading import Array, GivenSeries, read_panel_series, read_tables

_DAY = np.timedelta64(1, "D").astype("m8[us]").astype(np.int64)
_SHORTEST_MONTH = 28 * _DAY


@dataclass(frozen=True)
class Calendar:
    """How times are counted, so that those of neighbouring steps are 1 apart.

    Attributes
    ----------
    unit : {"number", "time", "weekday", "month", "rank"}
        Numbers and equidistant times, days without weekends, months, and what can only be put in order.
    size : float
        Of a step, in numbers, microseconds or months.
    """

    unit: str
    size: float

    @classmethod
    def of(cls, times: Any) -> Self:
        """From the times of all steps of all series, in any order, some of them many times."""
        numbers = _numbers(times)
        if numbers is None:
            return cls("rank", 1.0)
        known = np.unique(numbers)
        size = float(np.median(np.diff(known))) if len(known) > 1 else 1.0
        if not _are_times(times):
            return cls("number", size)
        days = known.astype("M8[us]").astype("M8[D]")
        if size == _DAY and len(known) > 7 and np.is_busday(days).all():
            return cls("weekday", 1.0)
        if size >= _SHORTEST_MONTH:
            return cls("month", float(np.median(np.diff(days.astype("M8[M]").astype(np.int64)))))
        return cls("time", size)

    def count(self, times: Any) -> Array:
        """Steps since some beginning."""
        numbers = _numbers(times)
        if self.unit == "rank" or numbers is None:
            return np.asarray(times.factorize(sort=True)[0], dtype=float)
        if self.unit in ("number", "time"):
            return numbers / self.size
        days = numbers.astype("M8[us]").astype("M8[D]")
        if self.unit == "weekday":
            return np.busday_count(np.datetime64("1970-01-01"), days).astype(float)
        return days.astype("M8[M]").astype(np.int64) / self.size


def _are_times(times: Any) -> bool:
    return type(times).__name__ == "DatetimeIndex"


def _numbers(times: Any) -> NDArray[Any] | None:
    """Numbers, microseconds, or the ordinals of periods; None for what cannot be counted."""
    if type(times).__name__ == "PeriodIndex":
        return np.asarray(times.asi8)
    if _are_times(times):
        plain = times if times.tz is None else times.tz_convert(None)
        return np.asarray(plain.to_numpy().astype("M8[us]").astype(np.int64))
    return np.asarray(times, dtype=float) if times.dtype.kind in "iuf" else None


@dataclass(frozen=True, eq=False)
class LongSeries:
    """Series of a long frame, in the order in which a forecaster has them.

    Attributes
    ----------
    ids : list
    calendar : Calendar
    last : ndarray of shape (n_series,)
        Where each ends, as the calendar counts.
    """

    ids: list[Any]
    calendar: Calendar
    last: Array

    @classmethod
    def of(cls, index: LongIndex) -> Self:
        """From the index that ``fit`` got; the steps of each series must follow each other."""
        calendar = Calendar.of(index.times)
        counts = calendar.count(index.times)[index.order]
        for k, name in enumerate(index.ids):
            _refuse_gap(counts[slice(*index.offsets[k : k + 2])], index.times[index.order[slice(*index.offsets[k : k + 2])]], name)
        return cls(index.ids, calendar, counts[index.offsets[1:] - 1])

    def places(self, index: LongIndex) -> NDArray[np.intp]:
        """Which of the series those of another index are."""
        known = {name: k for k, name in enumerate(self.ids)}
        if unknown := [name for name in index.ids if name not in known]:
            some = ", ".join(map(repr, unknown[:3])) + (" …" if len(unknown) > 3 else "")
            raise ValueError(
                f"the series {some} were not in fit, and only its own can be forecast: split by time, as PanelSplit does, not between series"
            )
        return np.array([known[name] for name in index.ids], dtype=np.intp)

    def gaps(self, index: LongIndex) -> NDArray[np.intp]:
        """Steps between the end of each series and its first row in another index."""
        places = self.places(index)
        if self.calendar.unit == "rank":
            return np.zeros(len(places), dtype=np.intp)
        counts = self.calendar.count(index.times)[index.order]
        for k, name in enumerate(index.ids):
            part = slice(*index.offsets[k : k + 2])
            _refuse_gap(counts[part], index.times[index.order[part]], name)
        gaps = np.rint(counts[index.offsets[:-1]] - self.last[places] - 1).astype(np.intp)
        if (gaps < 0).any():
            k = int(np.argmin(gaps))
            first = index.times[index.order[index.offsets[k]]]
            raise ValueError(f"the rows to come must go on after the end of each series; those of series {index.ids[k]!r} begin at {first}")
        return gaps

    def moved_on(self, index: LongIndex) -> Self:
        """After the steps of another index, which must go on where these series end; of all of them."""
        if (gaps := self.gaps(index)).any():
            k = int(np.argmax(gaps))
            raise ValueError(f"y begins {gaps[k] + 1} steps after the end of series {index.ids[k]!r}: put in the missing steps")
        last = np.empty_like(self.last)
        last[self.places(index)] = self.calendar.count(index.times)[index.order][index.offsets[1:] - 1]
        return replace(self, last=self.last + len(index.order) if self.calendar.unit == "rank" else last)


def _refuse_gap(counts: Array, times: Any, name: Any) -> None:
    wrong = np.abs(np.diff(counts) - 1) > 0.5
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"the index of series {name!r} has a gap between {times[row]} and {times[row + 1]}: put in the missing steps")


def index_as_in_fit(model: Any, data: Any) -> LongIndex | None:
    """The index of a long frame; refuse one where ``fit`` got none, and the reverse."""
    index = long_index(data)
    if (index is None) != (model._long is None):
        came, wanted = ("without", "a long frame, with an") if index is None else ("with an", "series without an")
        raise ValueError(f"fit got {wanted} (instance, time) index: data {came} one cannot be told to be of the same series")
    return index


def read_further(model: Any, X: Any, y: Any) -> GivenSeries:
    """Later steps of the series of ``fit``, in their order there."""
    index = index_as_in_fit(model, y if X is None else X)
    given = read_panel_series(model, X, y, reset=False)
    if index is None:
        return given
    series: LongSeries = model._long
    if set(index.ids) != set(series.ids):
        raise ValueError(f"y must hold the steps of each of the {len(series.ids)} series of fit; got those of {len(index.ids)}")
    order = np.argsort(series.places(index))
    return given._replace(y=[given.y[k] for k in order], X=None if given.X is None else [given.X[k] for k in order])


def forecast_rows(model: Any, X: Any, index: LongIndex, n_steps: int | None, said: Callable[..., Array]) -> NDArray[Any]:
    """What is said of the steps that the rows of a long frame stand for, in their order.

    ``said`` gets the fitted forecaster, and panel, places and number of steps of a request.
    """
    series: LongSeries = model._long
    places, gaps, lengths = series.places(index), series.gaps(index), np.diff(index.offsets)
    if n_steps is not None and (lengths != n_steps).any():
        raise ValueError(f"X must hold n_steps={n_steps} steps to come of each series; got {lengths.tolist()}")
    tables = read_tables(model, X) if model.n_features_in_ else None
    fitted, rows = model.forecaster_, None
    for gap, n in set(zip(gaps.tolist(), lengths.tolist(), strict=True)):  # what is further ahead, or not asked for, is seen by nobody else
        asked = np.flatnonzero((gaps == gap) & (lengths == n))
        request = request_of(fitted, places[asked], gap, n, None if tables is None else [tables[k] for k in asked])
        values = said(fitted, request.panel, request.places, request.n_steps)[:, gap:]
        rows = np.empty((len(index.order), *values.shape[2:])) if rows is None else rows
        rows[index.offsets[asked][:, None] + np.arange(n)] = values
    rows = np.empty(0) if rows is None else rows
    return index.as_frame_has_them(rows[:, 0] if model._flat else rows)
