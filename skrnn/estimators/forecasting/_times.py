"""The time of series: it runs on in equal steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ...data import RESET, Instants, TimeAxis, axes_of, check_increasing, check_no_gap, check_same, instants_of, is_default

Array = NDArray[np.float64]
Whens = list[Instants | None]  # of each series


@dataclass(frozen=True)
class Clock:
    """What the time column of X has shown.

    Attributes
    ----------
    column : int
        Which of the columns it is.
    step : float
        Time from one step to the next.
    last : tuple of float
        Where each series ends.
    several : bool
        Whether X was a list of tables, for messages.
    """

    column: int
    step: float
    last: tuple[float, ...]
    several: bool

    @classmethod
    def of(cls, tables: list[Array], column: int, several: bool) -> Self:
        """From tables with a time column, which must run on regularly."""
        step = 1.0
        for k, times in enumerate(table[:, column] for table in tables):
            check_increasing(times, _name(several, k), times)
            check_no_gap(times, _name(several, k), times)
            step = float(np.median(np.diff(times))) if len(times) > 1 else step
        return cls(column, step, tuple(float(table[-1, column]) for table in tables), several)

    def moved_on(self, tables: list[Array]) -> Self:
        """After later tables, which must go on where this clock stands."""
        for k, (last, table) in enumerate(zip(self.last, tables, strict=True)):
            times = np.concatenate([[last - self.step, last], table[:, self.column]])
            check_increasing(times, _name(self.several, k), times)
            check_no_gap(times, _name(self.several, k), times)
        return replace(self, last=tuple(float(table[-1, self.column]) if len(table) else last for last, table in zip(self.last, tables, strict=True)))

    def gap(self, tables: list[Array]) -> int:
        """Steps between the end of the series and the first rows of tables, alike for all."""
        for k, x in enumerate(tables):
            times = np.concatenate([x[:1, self.column] - self.step, x[:, self.column]])
            check_increasing(times, _name(self.several, k), times)
            check_no_gap(times, _name(self.several, k), times)
        gaps = [(x[0, self.column] - last) / self.step - 1 for x, last in zip(tables, self.last, strict=True)]
        if min(gaps) < -0.5 or max(gaps) - min(gaps) > 0.5:
            k = int(np.argmin(gaps))
            end = f"{self.last[k]:g}, where series {k} ends"
            raise ValueError(f"the time_column of X must go on after {end}, alike for all series")
        return round(float(gaps[0]))


def _name(several: bool, k: int) -> str:
    return f"the time_column of X{f'[{k}]' if several else ''}"


def _index(name: str, several: bool, k: int) -> str:
    return f"the index of {name}{f'[{k}]' if several else ''}"


def when_of(parts: Sequence[Any]) -> Whens:
    """The points in time of each table, where an index tells them."""
    return [instants_of(part) for part in parts]


def when_of_both(y: Whens, X: Whens | None, several: bool) -> tuple[Whens, list[str]]:
    """The points in time of series from two tables of each, which must not contradict each other, and which of both tells them."""
    told, names = [], []
    for k, (target, other) in enumerate(zip(y, y if X is None else X, strict=True)):
        check_same(other, target, (f"X{f'[{k}]' if several else ''}", f"y{f'[{k}]' if several else ''}"))
        found = [(_weight(target), "y", target), (_weight(other), "X", other)]
        _, name, instants = max(found, key=lambda entry: entry[0])
        told.append(instants)
        names.append(name)
    return told, names


def _weight(instants: Instants | None) -> int:
    """How much points in time tell."""
    return 0 if instants is None else 1 if is_default(instants) else 2 if instants.is_count else 3


@dataclass(frozen=True)
class SeriesTimes:
    """Where the series of a forecaster end in time.

    Attributes
    ----------
    axes : tuple of TimeAxis or None
        Of each series, as its index has told it.
    clock : Clock or None
        As the time column of X has.
    several : bool
        Whether there are several series, for messages.
    """

    axes: tuple[TimeAxis | None, ...]
    clock: Clock | None
    several: bool

    @classmethod
    def of(cls, when: Whens, names: Sequence[str], clock: Clock | None, several: bool) -> Self:
        """From points in time, which must run on regularly."""
        return cls(tuple(axes_of(when, [_index(name, several, k) for k, name in enumerate(names)])), clock, several)

    def followed_by(self, when: Whens, names: Sequence[str], tables: list[Array] | None, lengths: Any) -> Self:
        """After later steps, which must go on where these end."""
        axes = []
        for k, (axis, instants, name, n) in enumerate(zip(self.axes, when, names, lengths, strict=True)):
            if axis is not None:
                axis = axis.moved_on(int(n)) if instants is None or n == 0 else axis.follow(instants, _index(name, self.several, k))
            axes.append(axis)
        clock = self.clock if self.clock is None or tables is None else self.clock.moved_on(tables)
        return replace(self, axes=tuple(axes), clock=clock)

    def done(self, n_steps: Any) -> NDArray[np.intp]:
        """Steps before the next one of each series, by which its season is counted.

        From a time that is the same for all series where an index tells it, else from the first row of each, which has ``n_steps``.
        """
        numbers = [None if axis is None else axis.number() for axis in self.axes]
        return np.array([n if number is None else number + 1 for n, number in zip(n_steps, numbers, strict=True)], dtype=np.intp)

    def gap(self, when: Whens, tables: list[Array] | None) -> int:
        """Steps between the end of the series and the first rows of X, alike for all."""
        gaps: list[int] = []
        for k, (axis, instants) in enumerate(zip(self.axes, when, strict=True)):
            if axis is None or instants is None:
                continue
            gaps.append(axis.steps_to(instants, _index("X", self.several, k)))
            if gaps[-1] < 0 or gaps[-1] != gaps[0]:
                came, expected = instants.labels[0], axis.steps_ahead(1, max(0, gaps[0]))[0]
                raise ValueError(f"{_index('X', self.several, k)} must begin behind the end of its series, at {expected}; it begins at {came}{RESET}")
        of_clock = [self.clock.gap(tables)] if self.clock is not None and tables is not None else []
        return max([0, *gaps[:1], *of_clock])
