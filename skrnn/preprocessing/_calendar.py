"""CalendarFeatures: what the calendar and the clock say, as numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from ..data._frames import kind_of
from ._times import Array, as_table, moments_of

ENCODINGS = ("cyclic", "plain")


def _within(moments: Array, unit: str, seconds: int) -> Array:
    """The share of an hour or a day that is over."""
    return (moments - moments.astype(f"M8[{unit}]")) / np.timedelta64(seconds, "s")


def _days(moments: Array, unit: str) -> tuple[Array, Array]:
    """Whole days since the beginning of the month or year, and how many it has."""
    start = moments.astype(f"M8[{unit}]")
    first, after = start.astype("M8[D]"), (start + 1).astype("M8[D]")
    return (moments.astype("M8[D]") - first).astype(float), (after - first).astype(float)


def _count(moments: Array, unit: str) -> Array:
    return moments.astype(f"M8[{unit}]").astype(np.int64)


# Name → its plain value, where that starts, and the length of its cycle.
CYCLES: dict[str, Callable[[Array], tuple[Array, int, Any]]] = {
    "time_of_hour": lambda moments: (60 * _within(moments, "h", 3600), 0, 60),
    "time_of_day": lambda moments: (24 * _within(moments, "D", 86_400), 0, 24),
    "day_of_week": lambda moments: ((_count(moments, "D") + 3) % 7, 0, 7),  # 1970 began on a Thursday
    "day_of_month": lambda moments: (1 + _days(moments, "M")[0], 1, _days(moments, "M")[1]),
    "day_of_year": lambda moments: (1 + _days(moments, "Y")[0], 1, _days(moments, "Y")[1]),
    "month": lambda moments: (1 + _count(moments, "M") % 12, 1, 12),
    "quarter": lambda moments: (1 + _count(moments, "M") % 12 // 3, 1, 4),
}
NUMBERS: dict[str, Callable[[Array], Array]] = {
    "weekend": lambda moments: (_count(moments, "D") + 3) % 7 >= 5,
    "year": lambda moments: 1970 + _count(moments, "Y"),
}


class CalendarFeatures(TransformerMixin, BaseEstimator):
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

    Notes
    -----
    ::

        phase = (value - first) / length of the cycle
        output = sin(2π phase), cos(2π phase)

    Months and years have the length that they have: the last day of a year is next to the first in leap years too. Times with a time zone count as
    the clocks there show them. Numbers are seconds since 1970-01-01, UTC.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn.preprocessing import CalendarFeatures
    >>> times = np.array(["2024-02-29T06:00", "2024-12-31T18:00"], dtype="datetime64[m]")
    >>> CalendarFeatures(["time_of_day", "day_of_week", "day_of_year"], encoding="plain").fit_transform(times)
    array([[  6.,   3.,  60.],
           [ 18.,   1., 366.]])
    """

    def __init__(self, features: Sequence[str] = ("time_of_day", "day_of_week", "day_of_year"), encoding: str = "cyclic") -> None:
        self.features = features
        self.encoding = encoding

    def fit(self, X: Any, y: Any = None) -> Self:
        """Count the columns.

        Parameters
        ----------
        X : array of datetime64, frame, column of a frame, index, or list of datetimes, of shape (n_steps,) or (n_steps, n_columns)
            Points in time, or seconds since 1970 in two axes; or a list of such arrays or frames, one for each series.
        y : None
            Not looked at.

        Returns
        -------
        self : CalendarFeatures
            The fitted transformer.
        """
        known = [*CYCLES, *NUMBERS]
        if isinstance(self.features, str) or not isinstance(self.features, Sequence) or not self.features or not set(self.features) <= set(known):
            raise ValueError(f"The 'features' parameter of CalendarFeatures must be a sequence of names from {known}; got {self.features!r}")
        if self.encoding not in ENCODINGS:
            raise ValueError(f"The 'encoding' parameter of CalendarFeatures must be one of {ENCODINGS}; got {self.encoding!r}")
        for k, part in enumerate(parts_of(X)):
            table = as_table(part)
            moments_of(table)
            validate_data(self, table, reset=k == 0, skip_check_array=True)
        return self

    def transform(self, X: Any) -> Any:
        """Give the columns.

        Parameters
        ----------
        X : as in ``fit``
            Points in time.

        Returns
        -------
        Xt : ndarray of shape (n_steps, n_columns_out), or a list of such
            A row for each point in time.
        """
        check_is_fitted(self)
        given = [self._columns(as_table(part)) for part in parts_of(X)]
        return given if are_parts(X) else given[0]

    def get_feature_names_out(self, input_features: npt.ArrayLike | None = None) -> npt.NDArray[Any]:
        """Name the columns: "ds_time_of_day_sin", "ds_time_of_day_cos", "ds_weekend" …

        Parameters
        ----------
        input_features : array-like of str of shape (n_features,), default=None
            Names of the columns that go in; None makes names as scikit-learn does.

        Returns
        -------
        names : ndarray of str
            The names.
        """
        check_is_fitted(self)
        waves = self.encoding == "cyclic"
        own = [f"{name}{end}" for name in self.features for end in (("_sin", "_cos") if waves and name in CYCLES else ("",))]
        return np.array([f"{column}_{name}" for column in _check_feature_names_in(self, input_features) for name in own], dtype=object)

    def _columns(self, table: Any) -> npt.NDArray[np.float64]:
        """The features of the first column of times, then those of the second …"""
        moments = moments_of(table)
        validate_data(self, table, reset=False, skip_check_array=True)
        return np.column_stack([column for times in moments.T for name in self.features for column in self._one(name, times)])

    def _one(self, name: str, times: Array) -> list[npt.NDArray[np.float64]]:
        if name in NUMBERS:
            return [NUMBERS[name](times).astype(float)]
        value, first, length = CYCLES[name](times)
        if self.encoding == "plain":
            return [value.astype(float)]
        phase = 2 * np.pi * (value - first) / length
        return [np.sin(phase), np.cos(phase)]


def are_parts(X: Any) -> bool:
    """Whether there are several series, in a list of arrays or frames."""
    return isinstance(X, list) and bool(X) and (bool(kind_of(X[0])) or (isinstance(X[0], np.ndarray) and X[0].ndim > 0))


def parts_of(X: Any) -> list[Any]:
    """The series, or the only one."""
    return X if are_parts(X) else [X]
