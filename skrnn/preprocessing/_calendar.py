"""CalendarFeatures: what the calendar and the clock say, as numbers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
from sklearn.utils._param_validation import StrOptions

from .._constraints import SequenceOf
from ..data._sequences import Array
from ._holidays import holiday_test
from ._times import clock_times, give_time_tables, read_time_tables
from ._transformer import SequenceTransformer


def _within(times: Array, unit: str, seconds: int) -> Array:
    """The share of an hour or a day that is over."""
    return (times - times.astype(f"M8[{unit}]")) / np.timedelta64(seconds, "s")


def _days(times: Array, unit: str) -> tuple[Array, Array]:
    """Whole days since the beginning of the month or year, and how many it has."""
    start = times.astype(f"M8[{unit}]")
    first, after = start.astype("M8[D]"), (start + 1).astype("M8[D]")
    return (times.astype("M8[D]") - first).astype(float), (after - first).astype(float)


def _count(times: Array, unit: str) -> Array:
    return times.astype(f"M8[{unit}]").astype(np.int64)


# Name → its plain value, where that starts, and the length of its cycle.
CYCLES: dict[str, Callable[[Array], tuple[Array, int, Any]]] = {
    "time_of_hour": lambda times: (60 * _within(times, "h", 3600), 0, 60),
    "time_of_day": lambda times: (24 * _within(times, "D", 86_400), 0, 24),
    "day_of_week": lambda times: ((_count(times, "D") + 3) % 7, 0, 7),  # 1970 began on a Thursday
    "day_of_month": lambda times: (1 + _days(times, "M")[0], 1, _days(times, "M")[1]),
    "day_of_year": lambda times: (1 + _days(times, "Y")[0], 1, _days(times, "Y")[1]),
    "month": lambda times: (1 + _count(times, "M") % 12, 1, 12),
    "quarter": lambda times: (1 + _count(times, "M") % 12 // 3, 1, 4),
}
NUMBERS: dict[str, Callable[[Array], Array]] = {
    "weekend": lambda times: (_count(times, "D") + 3) % 7 >= 5,
    "year": lambda times: 1970 + _count(times, "Y"),
}


class CalendarFeatures(SequenceTransformer, auto_wrap_output_keys=("transform",)):
    """Turn points in time into columns of numbers: the time of day, the day of the week or the year, and so on.

    Choose it for series that follow the clock or the calendar of people; it also knows the future, so that its columns may stand in the exogenous
    table of a forecast. `FourierFeatures` is for periods that no calendar has.

    Parameters
    ----------
    features : sequence of str, default=("time_of_day", "day_of_week", "day_of_year")
        Which, in the order of the columns: "time_of_hour" (minutes, 0 to 60), "time_of_day" (hours, 0 to 24), "day_of_week" (Monday is 0),
        "day_of_month", "day_of_year", "month", "quarter" (from 1), and as plain numbers in any case "weekend" (0 or 1) and "year".
    encoding : {"cyclic", "plain"}, default="cyclic"
        Sine and cosine of the phase, so that the last hour is next to the first, or the number itself in one column.
    holidays : str, (str, str), collection of dates, or None, default=None
        Adds a last column "holiday", 1 at all times of a holiday and else 0. The code of a country, as "DE", or a pair of it and a subdivision, as
        ("DE", "BY"), need the package `holidays` (the extra `calendar`). Or the days themselves: dates, datetimes (their day counts) or a
        mapping with such keys, for example from that package, where holidays of other kinds and of stock exchanges are.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of times.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Names of the columns of a frame; not there for other data.

    Raises
    ------
    ValueError, TypeError
        A parameter other than those above, a time that is missing (the message has the row), and columns that hold no times.
    ImportError
        `holidays` is the code of a country, and the package is not installed.

    Notes
    -----
    ::

        phase = (value - first) / length of the cycle
        output = sin(2π phase), cos(2π phase)

    Months and years have the length that they have: the last day of a year is next to the first in leap years too. Times with a time zone count as
    the clocks there show them. Numbers are seconds since 1970-01-01, UTC.

    `X` is an array of datetime64, a frame, a column of one, an index, or a list of datetimes, of shape
    (n_steps,) or (n_steps, n_columns); or numbers in two axes; or a list of such arrays or frames, one for each
    series, and then a list comes back. The columns are called "ds_time_of_day_sin", "ds_time_of_day_cos",
    "ds_weekend" …

    In years for which the package has no holidays none is marked, and a warning says so.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import CalendarFeatures
    >>> times = np.array(
    ...     ["2024-02-29T06:00", "2024-12-31T18:00"], dtype="datetime64[m]"
    ... )
    >>> CalendarFeatures(
    ...     ["time_of_day", "day_of_week", "day_of_year"], encoding="plain"
    ... ).fit_transform(times)
    array([[  6.,   3.,  60.],
           [ 18.,   1., 366.]])
    >>> import datetime
    >>> CalendarFeatures(
    ...     ["weekend"], holidays=[datetime.date(2024, 12, 31)]
    ... ).fit_transform(times)
    array([[0., 0.],
           [0., 1.]])
    """

    _parameter_constraints = {
        "features": [SequenceOf(StrOptions({*CYCLES, *NUMBERS}))],
        "encoding": [StrOptions({"cyclic", "plain"})],
        "holidays": [str, Collection, None],
    }

    def __init__(
        self,
        features: Sequence[str] = ("time_of_day", "day_of_week", "day_of_year"),
        encoding: str = "cyclic",
        *,
        holidays: str | tuple[str, str] | Collection[Any] | None = None,
    ) -> None:
        self.features = features
        self.encoding = encoding
        self.holidays = holidays

    _takes_3d = False
    _read = read_time_tables

    def _learn(self, tables: list[Any], y: Any) -> None:
        for table in tables:
            clock_times(table)
        self._numbers()

    def _change(self, tables: list[Any], layout: str) -> Any:
        numbers = self._numbers()
        return give_time_tables([self._columns(clock_times(table), numbers) for table in tables], layout)

    def _names(self, names: Array) -> list[str]:
        ends = {name: ("_sin", "_cos") if self.encoding == "cyclic" and name in CYCLES else ("",) for name in self._every()}
        return [f"{column}_{name}{end}" for column in names for name in self._every() for end in ends[name]]

    def _numbers(self) -> dict[str, Callable[[Array], Array]]:
        return NUMBERS if self.holidays is None else NUMBERS | {"holiday": holiday_test(self)}

    def _every(self) -> list[str]:
        return [*self.features, *([] if self.holidays is None else ["holiday"])]

    def _columns(self, times: Array, numbers: dict[str, Callable[[Array], Array]]) -> Array:
        """The features of the first column of times, then those of the second …"""
        return np.column_stack([column for of_column in times.T for name in self._every() for column in self._one(name, of_column, numbers)])

    def _one(self, name: str, times: Array, numbers: dict[str, Callable[[Array], Array]]) -> list[Array]:
        if name in numbers:
            return [numbers[name](times).astype(float)]
        value, first, length = CYCLES[name](times)
        if self.encoding == "plain":
            return [value.astype(float)]
        phase = 2 * np.pi * (value - first) / length
        return [np.sin(phase), np.cos(phase)]
