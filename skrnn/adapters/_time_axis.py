"""The time column of a long frame: in order, without gaps, and how it goes on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data._sequences import Array

MICROSECONDS = {"us": 1, "ms": 10**3, "s": 10**6, "m": 60 * 10**6, "min": 60 * 10**6, "h": 3600 * 10**6, "d": 86_400 * 10**6, "w": 604_800 * 10**6}
MONTHS = {"mo": 1, "M": 1, "MS": 1, "ME": 1, "q": 3, "Q": 3, "QS": 3, "QE": 3, "y": 12, "Y": 12, "YS": 12, "YE": 12}
SHORTEST_MONTH = 28 * MICROSECONDS["d"]


@dataclass(frozen=True)
class Frequency:
    """From one time to the next: a number of units, or of months, whose `offset` is the same from their beginning (or their end)."""

    size: int
    months: bool = False
    from_end: bool = False
    offset: int = 0

    def after(self, last: Array, n: int) -> Array:
        """The `n` times that follow the last one."""
        ahead = self.size * np.arange(1, n + 1)
        if not self.months:
            return last + ahead
        start = (last.astype("M8[M]") + ahead + int(self.from_end)).astype("M8[us]")
        return start + np.timedelta64(self.offset, "us")

    def counted(self, times: Array) -> Array:
        """The times as whole numbers, a step of `size` apart."""
        return times.astype("M8[M]").astype(np.int64) if self.months else times.astype(np.int64)


def check_order(times: Sequence[Array], ids: Sequence[Any], rows: Sequence[Array]) -> None:
    """Refuse times that do not increase, naming the series and the row of the frame."""
    for when, name, row in zip(times, ids, rows, strict=True):
        step = np.diff(when.astype(np.int64))
        if (step <= 0).any():
            k = int(np.argmax(step <= 0))
            if step[k] == 0:
                raise ValueError(f"duplicate time: series {name!r} has {when[k]} twice, in rows {row[k]} and {row[k + 1]}")
            raise ValueError(f"the time is not sorted: series {name!r} has {when[k + 1]} in row {row[k + 1]}, behind {when[k]} in row {row[k]}")


def find_frequency(times: Sequence[Array], ids: Sequence[Any], freq: str | int | None) -> Frequency:
    """The step that all series have, `freq` or the commonest; refuse a gap, naming the series and where it is."""
    frequency = _frequency_of(times, freq)
    for when, name in zip(times, ids, strict=True):
        wrong = np.diff(frequency.counted(when)) != frequency.size
        if wrong.any():
            k = int(np.argmax(wrong))
            expected = frequency.after(when[k], 1)[0]
            raise ValueError(f"a gap in the time: in series {name!r} step {k + 1} is at {when[k + 1]}, expected {expected}; add the missing rows")
    return frequency


def _frequency_of(series: Sequence[Array], freq: str | int | None) -> Frequency:
    times, differences = np.concatenate(series), np.concatenate([np.diff(when.astype(np.int64)) for when in series])
    if freq is None and len(differences) == 0:
        raise ValueError("every series has one row only: freq must say how the time goes on")
    if times.dtype.kind != "M":
        if isinstance(freq, str):
            raise ValueError(f"the times are whole numbers, so freq must be an int; got {freq!r}")
        return Frequency(_commonest(differences) if freq is None else int(freq))
    if freq is not None:
        return _stated(freq, times)
    monthly = _in_months(times)
    if monthly is not None and differences.min() >= SHORTEST_MONTH:
        months = np.concatenate([np.diff(when.astype("M8[M]").astype(np.int64)) for when in series])
        return Frequency(_commonest(months), True, *monthly)
    return Frequency(_commonest(differences))


def _stated(freq: str | int, times: Array) -> Frequency:
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(-\w+)?", freq) if isinstance(freq, str) else None
    count, unit = (int(match[1] or 1), match[2]) if match else (0, "")
    if unit in MONTHS:
        monthly = _in_months(times)
        if monthly is None:
            raise ValueError(f"freq={freq!r}, but the times are on different days of their months")
        return Frequency(count * MONTHS[unit], True, *monthly)
    if count and unit.lower() in MICROSECONDS:
        return Frequency(count * MICROSECONDS[unit.lower()])
    raise ValueError(f"freq must be a count and one of {[*MICROSECONDS, *MONTHS]}, as '15min', '1d', 'MS'; got {freq!r}")


def _in_months(times: Array) -> tuple[bool, int] | None:
    """Whether all times are as far from the end of their months (else from the beginning), and how far; None if neither."""
    start = times.astype("M8[M]")
    for from_end in (False, True):
        offset = (times - (start + int(from_end)).astype("M8[us]")).astype(np.int64)
        if (offset == offset[0]).all():
            return from_end, int(offset[0])
    return None


def _commonest(numbers: Array) -> int:
    values, counts = np.unique(numbers, return_counts=True)
    return int(values[np.argmax(counts)])
