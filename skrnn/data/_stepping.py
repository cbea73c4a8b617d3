"""How points in time go on: which steps they are of, and which are missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from ._calendars import CALENDARS, NAMED, Ticks, per_second, to_utc, to_wall
from ._sequences import Array

TIMES, PERIODS, SPANS, COUNTS = "points in time", "periods", "spans of time", "whole numbers"
TICKS, WALL, ABOUT = "ticks", "wall", "about"  # as many ticks of UTC, or of a clock on the wall, in every step; or about as many
JITTER = 1.5  # how many times its usual length a step may have where nothing fits
_ADVICE = "put in the missing steps, or take off an index that is not to count, by reset_index(drop=True)"


class Instants(NamedTuple):
    """Points in time of one series, as they came.

    Attributes
    ----------
    kind : str
        Points in time, periods (by their ordinals), spans of time since some start, or whole numbers.
    ticks, wall : ndarray of int of shape (n_steps,)
        In UTC, and as a clock on the wall shows them.
    unit : str
        Of the ticks, as "us"; of periods their frequency.
    zone : str
        Name of the time zone, or "".
    labels : sequence
        The same for messages.
    stated : str
        The frequency that they say they have, without its count, as "BME"; or "".
    name : str or None
        Of the index.
    """

    kind: str
    ticks: Ticks
    wall: Ticks
    unit: str
    zone: str
    labels: Any
    stated: str = ""
    name: Any = None

    @property
    def n(self) -> int:
        """How many they are."""
        return len(self.ticks)

    @property
    def is_count(self) -> bool:
        """Whether they are numbers of steps, which may be no time at all."""
        return self.kind == COUNTS


def check_increasing(times: Array, name: str, labels: Any) -> None:
    """Refuse points in time that are doubled or out of order."""
    steps = np.diff(times)
    for wrong, what in ((steps == 0, "is there twice"), (steps < 0, "comes after a later one")):
        if wrong.any():
            row = int(np.argmax(wrong)) + 1
            raise ValueError(f"{name} must increase: {labels[row]} in row {row} {what}")


def check_no_gap(times: Array, name: str, labels: Any) -> None:
    """Refuse points in time of which some are missing."""
    steps = np.diff(times)
    refuse_gap(steps > JITTER * np.median(steps) if len(steps) else steps, name, labels)


def refuse_gap(wrong: Array, name: str, labels: Any, advice: str = "put in the missing steps") -> None:
    """Refuse steps that are too long."""
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name} has a gap between {labels[row]} and {labels[row + 1]}, rows {row} and {row + 1}: {advice}")


@dataclass(frozen=True)
class Stepping:
    """From one point in time to the next.

    Attributes
    ----------
    rule : str
        What is counted: ticks of UTC, of a clock on the wall, or steps of a calendar.
    size : int
        How many of it.
    offset : int
        Ticks from the start of a calendar's step.
    unit, zone : str
        Of the ticks, and of the clock on the wall.
    """

    rule: str
    size: int
    offset: int = 0
    unit: str = ""
    zone: str = ""

    def counted(self, instants: Instants) -> Ticks:
        """The number of the step in which each point in time lies."""
        if self.rule in CALENDARS:
            return CALENDARS[self.rule].number(instants.wall.astype(f"M8[{self.unit}]")).astype(np.int64)
        return instants.wall if self.rule == WALL else instants.ticks

    def fits(self, instants: Instants) -> bool:
        """Whether the points in time are where its steps are."""
        return self.rule not in CALENDARS or np.array_equal(self._wall(self.counted(instants)), instants.wall)

    def after(self, last: int, n: int) -> Ticks:
        """The ``n`` points in time that follow one."""
        ahead = self.size * np.arange(1, n + 1)
        if self.rule in (TICKS, ABOUT):
            return last + ahead
        wall = np.array([to_wall(last, self.unit, self.zone)])
        if self.rule == WALL:
            return to_utc(wall + ahead, self.unit, self.zone)
        return to_utc(self._wall(CALENDARS[self.rule].number(wall.astype(f"M8[{self.unit}]")) + ahead), self.unit, self.zone)

    def _wall(self, numbers: Ticks) -> Ticks:
        return CALENDARS[self.rule].start(numbers).astype(f"M8[{self.unit}]").astype(np.int64) + self.offset


def stepping_of(rule: str, series: Sequence[Instants], size: int | None = None) -> Stepping:
    """Steps of a rule, as many as are between most points in time, or as is said."""
    first = series[0]
    stepping = Stepping(rule, 1, 0, first.unit, first.zone)
    if rule in CALENDARS:
        stepping = replace(stepping, offset=int(first.wall[0] - stepping._wall(stepping.counted(first)[:1])[0]))
    if size is None:
        values, counts = np.unique(_differences([stepping.counted(instants) for instants in series]), return_counts=True)
        size = int(values[np.argmax(counts)]) if len(values) else 1
    return replace(stepping, size=size)


def _differences(series: Sequence[Array]) -> Array:
    return np.concatenate([np.diff(part) for part in series])


def best_stepping(series: Sequence[Instants]) -> tuple[Stepping, int]:
    """The steps that the points in time of series are of, and how many of these are not as they should be."""
    best: tuple[Stepping, int] | None = None
    for stepping in _candidates(series):
        wrong = int((_differences([stepping.counted(instants) for instants in series]) != stepping.size).sum())
        best = (stepping, wrong) if best is None or wrong < best[1] else best
        if wrong == 0:
            return best
    assert best is not None
    return best


def _candidates(series: Sequence[Instants]) -> Iterator[Stepping]:
    """What the points in time may be steps of; of those that fit as well the first is taken."""
    first, ticks = series[0], stepping_of(TICKS, series)
    day = 86_400 * per_second(first.unit) if first.kind == TIMES else 1
    shortest = min((np.diff(instants.wall).min() for instants in series if instants.n > 1), default=0)
    if first.kind != TIMES or shortest < day:
        yield ticks
        return
    rules = [rule for rule, calendar in CALENDARS.items() if shortest >= calendar.n_days * day]
    stated, months = NAMED.get(first.stated, ("", 0))[0], ("month", "month end")
    yield from _fitting([rule for rule in rules if rule == stated], series)
    yield from _fitting([rule for rule in rules if rule in months], series)
    if first.zone and ticks.size % (day // 24) == 0 and (wall := stepping_of(WALL, series)).size % day == 0:
        yield wall
    yield ticks
    yield from _fitting([rule for rule in rules if rule not in months], series)


def _fitting(rules: Sequence[str], series: Sequence[Instants]) -> Iterator[Stepping]:
    for rule in rules:
        stepping = stepping_of(rule, series)
        if stepping.size > 0 and all(map(stepping.fits, series)):
            yield stepping


def find_stepping(instants: Instants, name: str) -> Stepping | None:
    """How points in time go on; ``None`` where there is one only, or where a frequency that is not known here is taken at its word.

    Raises
    ------
    ValueError
        If points are doubled or out of order, or some are missing; the message has the name.
    """
    check_increasing(instants.ticks, name, instants.labels)
    if instants.n < 2:
        return None
    best, n_wrong = best_stepping([instants])
    if n_wrong == 0:
        return best
    if instants.stated:
        return None
    steps = np.diff(instants.ticks)
    if (steps > JITTER * np.median(steps)).any():
        refuse_gap(np.diff(best.counted(instants)) > best.size, name, instants.labels, _ADVICE)
        refuse_gap(steps > JITTER * np.median(steps), name, instants.labels, _ADVICE)
    return Stepping(ABOUT, int(np.median(steps)), 0, instants.unit, instants.zone)
