"""Which days are holidays: those of a country, as the package `holidays` knows them, or those of a list."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .._constraints import refusal
from ..data._frames import kind_of
from ..data._sequences import Array
from ._times import as_table, clock_times

WANTED = "the code of a country as 'DE', a pair of it and a subdivision as ('DE', 'BY'), dates, a mapping with dates as keys, or None"


def holiday_test(owner: Any) -> Callable[[Array], Array]:
    """What says for times whether their days are among ``owner.holidays``; refuse what holds no days."""
    is_one = _day_test(owner)

    def test(times: Array) -> Array:
        days, places = np.unique(times.astype("M8[D]"), return_inverse=True)
        return is_one(days)[places]

    return test


def _day_test(owner: Any) -> Callable[[Array], Array]:
    given = owner.holidays
    if isinstance(given, str):
        return _of_country(owner, given, None)
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(part, str) for part in given):
        return _of_country(owner, *given)
    listed = _listed(owner, given)
    if not isinstance(given, Mapping):
        return lambda days: np.isin(days, listed)
    # Mappings of the package `holidays` hold the years that they were asked for: a copy is asked, so that the user's stays as it is.
    calendar = copy.deepcopy(given)
    return lambda days: np.isin(days, listed) | np.array([day in calendar for day in days.tolist()], dtype=bool)


def _of_country(owner: Any, country: str, subdivision: str | None) -> Callable[[Array], Array]:
    try:
        import holidays
    except ImportError as error:
        raise ImportError(f"holidays={owner.holidays!r} needs the package holidays: pip install holidays; a list of dates needs none") from error
    try:
        calendar = holidays.country_holidays(country, subdivision)
    except NotImplementedError as error:
        raise refusal(owner, "holidays", f"a country or subdivision that the package holidays knows ({error})") from error
    first, last = calendar.start_year, calendar.end_year

    def test(days: Array) -> Array:
        years = 1970 + days.astype("M8[Y]").astype(np.int64)
        if len(years) and (years.min() < first or years.max() > last):
            told = f"holidays of {owner.holidays!r} are known from {first} to {last}, but X has times from {years.min()} to {years.max()}"
            warnings.warn(f"{told}: those beyond are marked as no holidays", UserWarning, stacklevel=2)
        return np.array([day in calendar for day in days.tolist()], dtype=bool)

    return test


def _listed(owner: Any, given: Any) -> Array:
    """Days of a list, an array, an index, a column, or the keys of a mapping."""
    if isinstance(given, np.ndarray) and given.ndim == 0:
        raise refusal(owner, "holidays", WANTED)
    if not len(given):
        return np.array([], dtype="M8[D]")
    dates = list(given) if isinstance(given, Mapping | set | frozenset) else given
    try:
        table = as_table(dates)
        is_time = bool(kind_of(table)) or table.dtype.kind == "M"
        times = clock_times(table) if is_time else None
    except (TypeError, ValueError) as error:
        raise refusal(owner, "holidays", WANTED) from error
    if times is None or times.shape[1] != 1:
        raise refusal(owner, "holidays", WANTED)
    return times[:, 0].astype("M8[D]")
