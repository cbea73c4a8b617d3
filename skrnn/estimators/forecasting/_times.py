"""The time of series: it runs on in equal steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def check_time_index(data: Any, name: str) -> None:
    """Refuse a pandas index of points in time that does not run on regularly; a pandas frequency is taken at its word."""
    index: Any = getattr(data, "index", None)
    kind = type(index).__name__
    if kind in ("DatetimeIndex", "PeriodIndex"):
        check_steps(index.asi8, f"the index of {name}", index, gaps=kind == "PeriodIndex" or index.freq is None)


def check_steps(times: NDArray[Any], name: str, labels: Any, *, gaps: bool = True) -> None:
    """Refuse points in time that are doubled or out of order, or of which some are missing."""
    steps = np.diff(times)
    if len(steps) == 0:
        return
    for wrong, what in ((steps == 0, "is there twice"), (steps < 0, "comes after a later one")):
        if wrong.any():
            row = int(np.argmax(wrong)) + 1
            raise ValueError(f"{name} must increase: {labels[row]} in row {row} {what}")
    usual = np.median(steps)
    if gaps and (steps > 1.5 * usual).any():
        row = int(np.argmax(steps > 1.5 * usual))
        raise ValueError(f"{name} has a gap between {labels[row]} and {labels[row + 1]}, rows {row} and {row + 1}: put in the missing steps")


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
            check_steps(times, _name(several, k), times)
            step = float(np.median(np.diff(times))) if len(times) > 1 else step
        return cls(column, step, tuple(float(table[-1, column]) for table in tables), several)

    def moved_on(self, tables: list[Array]) -> Self:
        """After later tables, which must go on where this clock stands."""
        for k, (last, table) in enumerate(zip(self.last, tables, strict=True)):
            times = np.concatenate([[last - self.step, last], table[:, self.column]])
            check_steps(times, _name(self.several, k), times)
        return replace(self, last=tuple(float(table[-1, self.column]) for table in tables))

    def gap(self, tables: list[Array]) -> int:
        """Steps between the end of the series and the first rows of tables, alike for all."""
        for k, x in enumerate(tables):
            times = x[:, self.column]
            check_steps(np.concatenate([[times[0] - self.step], times]), _name(self.several, k), times)
        gaps = [(x[0, self.column] - last) / self.step - 1 for x, last in zip(tables, self.last, strict=True)]
        if min(gaps) < -0.5 or max(gaps) - min(gaps) > 0.5:
            k = int(np.argmin(gaps))
            end = f"{self.last[k]:g}, where series {k} ends"
            raise ValueError(f"the time_column of X must go on after {end}, alike for all series")
        return round(float(gaps[0]))


def _name(several: bool, k: int) -> str:
    return f"the time_column of X{f'[{k}]' if several else ''}"
