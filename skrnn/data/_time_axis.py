"""The time of a series as its index tells it: read once, compared with others, and carried on."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from ._calendars import Ticks, to_wall, zone_name
from ._frames import has_instances, kind_of, order_of_instances
from ._stepping import ABOUT, COUNTS, PERIODS, SPANS, TIMES, Instants, Stepping, best_stepping, check_increasing, find_stepping, refuse_gap

RESET = "; an index that is not to count is taken off by reset_index(drop=True)"


def instants_of(data: Any) -> Instants | None:
    """The points in time of the index of a pandas table; ``None`` where there is none that could be time."""
    return index_instants(data.index) if kind_of(data).startswith("pandas") else None


def index_instants(index: Any) -> Instants | None:
    """The points in time of a pandas index."""
    if index.nlevels > 1:
        return None
    kind, name = type(index).__name__, index.name
    if index.dtype == object and len(index) and all(isinstance(value, datetime.date) for value in index):
        import pandas as pd

        index, kind = pd.DatetimeIndex(index), "DatetimeIndex"
    if kind in ("DatetimeIndex", "PeriodIndex", "TimedeltaIndex"):
        if index.hasnans:
            raise ValueError(f"the index has no time in row {int(np.argmax(index.isna()))}")
        stated = (index.freqstr or "").lstrip("0123456789").partition("-")[0]
        if kind == "PeriodIndex":
            return Instants(PERIODS, index.asi8, index.asi8, index.freqstr, "", index, "", name)
        zone = getattr(index, "tz", None)
        named = zone_name(zone) or ("UTC" if zone is not None else "")
        wall = index.asi8 if named in ("", "UTC") else index.tz_localize(None).asi8
        return Instants(TIMES if kind[0] == "D" else SPANS, index.asi8, wall, index.unit, named, index, stated, name)
    if index.dtype.kind in "iu":
        counts = index.to_numpy(dtype=np.int64)
        return Instants(COUNTS, counts, counts, "", "", index, "", name)
    return None


def is_default(instants: Instants) -> bool:
    """Whether they are the row numbers that a table has which was given no index."""
    return instants.kind == COUNTS and np.array_equal(instants.ticks, np.arange(instants.n))


def has_times(data: Any) -> bool:
    """Whether a pandas table has an index that may be time, which is more than a range of numbers."""
    instants = instants_of(data)
    return instants is not None and type(instants.labels).__name__ != "RangeIndex"


def check_index(X: Any, name: str = "X") -> None:
    """Refuse tables of steps, or a list of them, whose index holds times that do not run on regularly."""
    for index, where in _each(X, name):
        TimeAxis.of(index_instants(index), where)


def check_time_order(X: Any, name: str = "X") -> None:
    """Refuse tables of steps, or a list of them, whose index holds times that are doubled or out of order; numbers may be anything."""
    for index, where in _each(X, name):
        if index.is_monotonic_increasing and index.is_unique:  # which pandas remembers
            continue
        instants = index_instants(index)
        if instants is not None and not instants.is_count:
            check_increasing(instants.ticks, where, instants.labels)


def _each(X: Any, name: str) -> Iterator[tuple[Any, str]]:
    """The index of a pandas table or of each in a list, and what errors call it."""
    several = isinstance(X, list | tuple) or (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1)
    for k, table in enumerate(X if several else [X]):
        where, kind = f"the index of {name}{f'[{k}]' if several else ''}", kind_of(table)
        if kind and has_instances(table, kind, name):
            times, (order, offsets) = table.index.get_level_values(1), order_of_instances(table)
            for rows in np.split(order, offsets[1:-1]):
                yield times[rows], f"{where}, instance {table.index[rows[0]][0]!r},"
        elif kind.startswith("pandas"):
            yield table.index, where


def with_index_of(X: Any, answers: Any) -> Any:
    """An answer for each step as a pandas series with the index of X, or of each table in it, where that holds times; else as it is."""
    if isinstance(X, list | tuple):
        return [with_index_of(table, part) for table, part in zip(X, answers, strict=True)] if any(map(has_times, X)) else answers
    kind = kind_of(X)
    if kind and has_instances(X, kind, "X"):
        import pandas as pd

        return pd.Series(answers, X.index)
    if not has_times(X):
        return answers
    import pandas as pd

    return pd.Series(answers, X.index)


def check_same(one: Instants | None, other: Instants | None, names: tuple[str, str]) -> None:
    """Refuse tables of the same series whose indexes are of other times; numbers of rows from 0 on are none."""
    if one is None or other is None or one.n != other.n or COUNTS in (one.kind, other.kind):
        return
    if one.kind == other.kind and bool(one.zone) == bool(other.zone):
        differs = one.labels != other.labels
        if not differs.any():
            return
        row = int(np.argmax(differs))
    else:
        row = 0
    raise ValueError(f"the indexes of {names[0]} and {names[1]} differ: row {row} is {one.labels[row]} in one and {other.labels[row]} in the other")


def check_same_times(X: Any, y: Any) -> None:
    """Refuse targets of steps whose index holds other times than that of the steps."""
    if isinstance(X, list | tuple) and isinstance(y, list | tuple) and len(X) == len(y):
        for k, (table, targets) in enumerate(zip(X, y, strict=True)):
            check_same(instants_of(table), instants_of(targets), (f"X[{k}]", f"y[{k}]"))
    else:
        check_same(instants_of(X), instants_of(y), ("X", "y"))


@dataclass(frozen=True)
class TimeAxis:
    """Where a series ends in time, and how it goes on.

    Attributes
    ----------
    kind : str
        As of `Instants`.
    stepping : Stepping
    last : int
        Its last tick.
    name : str or None
        Of the index.
    """

    kind: str
    stepping: Stepping
    last: int
    name: Any = None

    @classmethod
    def of(cls, instants: Instants | None, name: str) -> Self | None:
        """That of points in time, which must run on regularly; ``None`` where they tell nothing, as rows that were picked and keep their numbers.

        Raises
        ------
        ValueError
            If points are doubled or out of order, or some are missing; the message has the name.
        """
        if instants is None or instants.n == 0:
            return None
        if instants.kind == COUNTS and (instants.n < 2 or len({*np.diff(instants.ticks).tolist(), 0}) != 2 or np.diff(instants.ticks)[0] < 0):
            return None
        stepping = find_stepping(instants, name)
        return None if stepping is None else cls(instants.kind, stepping, int(instants.ticks[-1]), instants.name)

    def steps_to(self, instants: Instants, name: str) -> int:
        """Steps between the end and the first of later points in time, which must follow each other; negative if they begin before the end.

        Numbers of rows tell nothing beside points in time, nor where they are counted from 0 anew.

        Raises
        ------
        ValueError
            If they are of another kind, doubled, out of order, or not those of the steps to come; the message has the name.
        """
        if COUNTS in (self.kind, instants.kind) and (self.kind != instants.kind or is_default(instants)):
            return 0
        check_increasing(instants.ticks, name, instants.labels)
        instants, stepping = self._matched(instants, name), self.stepping
        counted = np.concatenate([stepping.counted(self._end), stepping.counted(instants)])
        moves = np.diff(counted) / stepping.size
        whole = np.round(moves)
        refuse_gap((whole if stepping.rule == ABOUT else moves)[1:] > 1, name, instants.labels)
        if stepping.rule != ABOUT and ((moves != whole).any() or not stepping.fits(instants)):
            expected = self.steps_ahead(1)[0]
            raise ValueError(f"{name} holds {instants.labels[0]}, …, which are no steps of the series of fit; the next one is {expected}")
        return int(whole[0]) - 1

    def follow(self, instants: Instants, name: str) -> Self:
        """After the next points in time, which must be those that follow.

        Raises
        ------
        ValueError
            As ``steps_to``, and if they do not begin at the step after the end.
        """
        skipped = self.steps_to(instants, name)
        if skipped:
            what = f"{skipped} step{'s' * (skipped > 1)} too late" if skipped > 0 else "among the steps that are known"
            raise ValueError(
                f"{name} must begin at {self.steps_ahead(1)[0]}, behind the end of the series; it begins at {instants.labels[0]}, {what}{RESET}"
            )
        known = self.stepping.rule == ABOUT and self.kind == instants.kind
        return replace(self, last=int(self._matched(instants, name).ticks[-1])) if known else self.moved_on(instants.n)

    def moved_on(self, n: int) -> Self:
        """After more steps."""
        return replace(self, last=int(self.stepping.after(self.last, n)[-1])) if n else self

    def steps_ahead(self, n: int, skip: int = 0) -> Any:
        """The pandas index of the ``n`` steps to come, after some that are skipped."""
        ticks = self.stepping.after(self.last, skip + n)[skip:]
        return index_of(self.kind, ticks, self.stepping.unit, self.stepping.zone, self.name)

    def number(self) -> int | None:
        """Which step the last one is, counted from a time that is the same for all series; ``None`` for uneven steps and numbers of rows."""
        if self.kind == COUNTS or self.stepping.rule == ABOUT:
            return None
        return int(self.stepping.counted(self._end)[0]) // self.stepping.size

    @property
    def _end(self) -> Instants:
        """The end as a point in time."""
        unit, zone = self.stepping.unit, self.stepping.zone
        return Instants(self.kind, np.array([self.last]), np.array([to_wall(self.last, unit, zone)]), unit, zone, ())

    def _matched(self, instants: Instants, name: str) -> Instants:
        """In the units and the zone of this axis; refused where they cannot be."""
        unit, zone = self.stepping.unit, self.stepping.zone
        came = (instants.kind, bool(instants.zone), instants.unit if instants.kind == PERIODS else "")
        wanted = (self.kind, bool(zone), unit if self.kind == PERIODS else "")
        if came != wanted:
            said = [f"{kind}{' with a time zone' if zoned else ''}{f' ({of})' if of else ''}" for kind, zoned, of in (came, wanted)]
            raise ValueError(f"{name} holds {said[0]}, that of the series holds {said[1]}")
        if instants.unit != unit:
            code = "M8" if self.kind == TIMES else "m8"
            ticks, wall = ((part.astype(f"{code}[{instants.unit}]").astype(f"{code}[{unit}]").astype(np.int64)) for part in instants[1:3])
            instants = instants._replace(ticks=ticks, wall=wall, unit=unit)
        if instants.zone != zone:
            instants = instants._replace(wall=np.array([to_wall(int(tick), unit, zone) for tick in instants.ticks], dtype=np.int64))
        return instants


def axes_of(series: Sequence[Instants | None], names: Sequence[str]) -> list[TimeAxis | None]:
    """Those of series, each as by itself; but where one step is that of all, it is that of each, however few points in time it has.

    Raises
    ------
    ValueError
        As ``TimeAxis.of``.
    """
    axes = [TimeAxis.of(instants, name) for instants, name in zip(series, names, strict=True)]
    timed = [instants for instants in series if instants is not None and instants.n and instants.kind != COUNTS]
    if len({(instants.kind, instants.unit, instants.zone) for instants in timed}) != 1 or max(instants.n for instants in timed) < 2:
        return axes
    stepping, n_wrong = best_stepping(timed)
    if n_wrong:
        return axes
    places = [k for k, instants in enumerate(series) if instants is not None and instants.n and instants.kind != COUNTS]
    for k, instants in zip(places, timed, strict=True):
        axes[k] = TimeAxis(instants.kind, stepping, int(instants.ticks[-1]), instants.name)
    return axes


def index_of(kind: str, ticks: Ticks, unit: str, zone: str, name: Any) -> Any:
    """A pandas index of points in time."""
    import pandas as pd

    if kind == PERIODS:
        return pd.PeriodIndex.from_ordinals(ticks, freq=unit, name=name)
    if kind == COUNTS:
        return pd.Index(ticks, name=name)
    if kind == SPANS:
        return pd.TimedeltaIndex(ticks.astype(f"m8[{unit}]"), name=name)
    index = pd.DatetimeIndex(ticks.astype(f"M8[{unit}]"), name=name)
    return index.tz_localize("UTC").tz_convert(zone) if zone else index
