"""The time column of a long frame: in order, without gaps, and how it goes on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import narwhals as nw
import numpy as np

from ..data._calendars import NAMED, to_wall
from ..data._frames import kind_of
from ..data._sequences import Array
from ..data._stepping import COUNTS, TICKS, TIMES, WALL, Instants, Stepping, best_stepping, stepping_of

MICROSECONDS = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6, "w": 604_800 * 10**6}
CLOCK = np.dtype("M8[us]")


def read_times(column: Any) -> Instants:
    """The times of a column: datetimes in microseconds, or whole numbers."""
    if column.is_null().any():
        raise ValueError(f"column {column.name!r} has no time in row {int(np.argmax(column.is_null().to_numpy()))}")
    if column.dtype.is_integer():
        numbers = column.to_numpy().astype(np.int64)
        return Instants(COUNTS, numbers, numbers, "", "", numbers)
    zone = _zone_of(column)
    if zone and kind_of(column.to_native()).startswith("pandas"):  # whose zones narwhals does not know all
        native = column.to_native()
        utc, wall = native.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(), native.dt.tz_localize(None).to_numpy()
    else:
        if column.dtype == nw.Date:
            column = column.cast(nw.Datetime("us"))
        if not isinstance(column.dtype, nw.Datetime):
            raise TypeError(f"column {column.name!r} has the type {column.dtype}: parse it into datetimes first")
        wall = (column.dt.replace_time_zone(None) if zone else column).to_numpy()
        utc = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy() if zone else wall
    wall = wall.astype(CLOCK)
    return Instants(TIMES, utc.astype(CLOCK).astype(np.int64), wall.astype(np.int64), "us", zone, wall)


def _zone_of(column: Any) -> str:
    native = column.to_native()
    if kind_of(native).startswith("pandas"):
        return str(getattr(native.dtype, "tz", None) or "") or (getattr(column.dtype, "time_zone", None) or "")
    return getattr(column.dtype, "time_zone", None) or ""


def like_column(ticks: Array, column: Any, implementation: Any) -> Any:
    """New times in the type of those that came."""
    zone = _zone_of(column)
    if zone and kind_of(column.to_native()).startswith("pandas"):
        native = nw.to_native(nw.new_series(column.name, ticks.astype(CLOCK), backend=implementation))
        return nw.from_native(native.dt.tz_localize("UTC").astype(column.to_native().dtype), series_only=True)
    if column.dtype.is_integer():
        return nw.new_series(column.name, ticks, backend=implementation).cast(column.dtype)
    times = nw.new_series(column.name, ticks.astype(CLOCK), backend=implementation)
    return (times.dt.replace_time_zone("UTC").dt.convert_time_zone(zone) if zone else times).cast(column.dtype)


def part_of(instants: Instants, rows: Array) -> Instants:
    """The times in some rows."""
    return instants._replace(ticks=instants.ticks[rows], wall=instants.wall[rows], labels=instants.labels[rows])


def in_order(instants: Instants, rows: Array, name: Any) -> Array:
    """The rows of a series in the order of their times; a time that is there twice is refused, naming the series and the rows."""
    rows = rows[np.argsort(instants.ticks[rows], kind="stable")]
    doubled = np.diff(instants.ticks[rows]) == 0
    if doubled.any():
        k = int(np.argmax(doubled))
        raise ValueError(f"duplicate time: series {name!r} has {instants.labels[rows[k]]} twice, in rows {rows[k]} and {rows[k + 1]}")
    return rows


def find_frequency(series: Sequence[Instants], ids: Sequence[Any], freq: str | int | None) -> Stepping:
    """The step that all series have, `freq` or the commonest; refuse a gap, naming the series and where it is."""
    if freq is None and all(instants.n < 2 for instants in series):
        raise ValueError("every series has one row only: freq must say how the time goes on")
    stepping = best_stepping(series)[0] if freq is None else _stated(freq, series)
    for instants, name in zip(series, ids, strict=True):
        wrong = np.diff(stepping.counted(instants)) != stepping.size
        if wrong.any():
            k = int(np.argmax(wrong))
            tick = int(stepping.after(int(instants.ticks[k]), 1)[0])
            expected = np.datetime64(to_wall(tick, "us", stepping.zone), "us") if instants.kind == TIMES else tick
            where = f"step {k + 1} is at {instants.labels[k + 1]}, expected {expected}"
            raise ValueError(f"a gap in the time: in series {name!r} {where}; add the missing rows")
    return stepping


def _stated(freq: str | int, series: Sequence[Instants]) -> Stepping:
    if series[0].kind == COUNTS:
        if isinstance(freq, str):
            raise ValueError(f"the times are whole numbers, so freq must be an int; got {freq!r}")
        return stepping_of(TICKS, series, int(freq))
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(-\w+)?", freq) if isinstance(freq, str) else None
    count, unit = (int(match[1] or 1), match[2]) if match else (0, "")
    if count and unit in NAMED:
        calendar, size = NAMED[unit]
        rules = ["month", "month end"] if calendar.startswith("month") else [calendar]
        fitting = [stepping for rule in rules if all(map((stepping := stepping_of(rule, series, count * size)).fits, series))]
        if not fitting:
            what = "on different days of their months" if len(rules) > 1 else "not all where its steps are"
            raise ValueError(f"freq={freq!r}, but the times are {what}")
        return fitting[0]
    if count and unit.lower() in MICROSECONDS:
        by_day = unit.lower() in ("d", "w") and series[0].zone
        return stepping_of(WALL if by_day else TICKS, series, count * MICROSECONDS[unit.lower()])
    raise ValueError(f"freq must be a count and one of {[*MICROSECONDS, *NAMED]}, as '15min', '1d', 'MS'; got {freq!r}")
