"""Calendars, whose steps differ in length, and time zones: what a clock on the wall shows, and when it shows it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from ._sequences import Array

Ticks = NDArray[np.int64]

_EPOCH = np.datetime64("1970-01-01", "D")
_START = datetime.datetime(1970, 1, 1)  # of a clock on the wall


class Calendar(NamedTuple):
    """Numbers the steps of a calendar: ``number`` gives that of the step in which a time lies, ``start`` where a step begins."""

    number: Callable[[Array], Ticks]
    start: Callable[[Ticks], Array]
    n_days: int  # that a step has at least


def _months(times: Array) -> Ticks:
    return times.astype("M8[M]").astype(np.int64)


def _first_day(numbers: Ticks) -> Array:
    return numbers.astype("M8[M]").astype("M8[D]")


def _last_day(numbers: Ticks) -> Array:
    return _first_day(numbers + 1) - 1


def _days_before(times: Array) -> Ticks:
    """Days of the month before that of a time."""
    return (times.astype("M8[D]") - times.astype("M8[M]").astype("M8[D]")).astype(np.int64)


CALENDARS = {
    "month": Calendar(_months, _first_day, 28),
    "month end": Calendar(_months, lambda n: _first_day(n + 1), 28),
    "business month": Calendar(_months, lambda n: np.busday_offset(_first_day(n), 0, roll="forward"), 26),
    "business month end": Calendar(_months, lambda n: np.busday_offset(_last_day(n), 0, roll="backward"), 26),
    "business day": Calendar(lambda t: np.busday_count(_EPOCH, t.astype("M8[D]")), lambda n: np.busday_offset(_EPOCH, n), 1),
    "half month": Calendar(
        lambda t: 2 * _months(t) + (_days_before(t) >= 14),
        lambda n: _first_day(n // 2) + 14 * (n % 2),
        13,
    ),
    "half month end": Calendar(
        lambda t: 2 * _months(t) + (_days_before(t) > 14),
        lambda n: np.where(n % 2 == 0, _first_day(n // 2) + 14, _last_day(n // 2)),
        13,
    ),
}

# What pandas and polars call steps of each calendar, and how many they are.
_NAMES = {
    "month": {"MS": 1, "QS": 3, "YS": 12, "mo": 1, "q": 3, "y": 12, "M": 1, "Q": 3, "Y": 12},
    "month end": {"ME": 1, "QE": 3, "YE": 12},
    "business day": {"B": 1},
    "business month": {"BMS": 1, "BQS": 3, "BYS": 12},
    "business month end": {"BME": 1, "BQE": 3, "BYE": 12},
    "half month": {"SMS": 1},
    "half month end": {"SME": 1},
}
NAMED = {name: (calendar, size) for calendar, names in _NAMES.items() for name, size in names.items()}


def per_second(unit: str) -> int:
    """How many ticks of a unit a second has."""
    return int(np.timedelta64(1, "s").astype(f"m8[{unit}]").astype(np.int64))


def to_wall(tick: int, unit: str, zone: str) -> int:
    """What a clock on the wall shows at a point in time."""
    if not zone:
        return tick
    moment = datetime.datetime.fromtimestamp(tick // per_second(unit), datetime.UTC)
    return tick + _away(moment.astimezone(_zone(zone))) * per_second(unit)


def to_utc(wall: Ticks, unit: str, zone: str) -> Ticks:
    """When a clock on the wall shows something: what it shows twice, at the first time; what it skips, as long after the change."""
    if not zone:
        return wall
    size, known = per_second(unit), _zone(zone)
    away = [_away((_START + datetime.timedelta(seconds=int(tick) // size)).replace(tzinfo=known)) for tick in wall]
    return wall - np.array(away, dtype=np.int64) * size


def _away(moment: datetime.datetime) -> int:
    """Seconds that a clock is ahead of UTC."""
    return int((moment.utcoffset() or datetime.timedelta()).total_seconds())


def zone_name(zone: Any) -> str:
    """The name of a time zone; "" where there is none, or none by which it can be found again, so that UTC has to do."""
    if zone is None:
        return ""
    name = str(zone).rpartition("zoneinfo/")[2].rstrip("')")
    try:
        _zone(name)
    except (KeyError, ValueError, OSError):  # KeyError: that of ZoneInfo
        return ""
    return name


def _zone(name: str) -> datetime.tzinfo:
    """The zone of a name; "UTC+05:30" is one without a name."""
    hours, _, minutes = name.removeprefix("UTC").partition(":")
    if minutes and hours[:1] in "+-":
        return datetime.timezone(datetime.timedelta(hours=int(hours), minutes=int(hours[0] + minutes[:2])))
    return ZoneInfo(name)
