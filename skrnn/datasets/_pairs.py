"""Pairs of sequences of symbols, of which one follows from the other."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from sklearn.utils import check_random_state

from ._recall import _at_least

_FIRST_DAY, _N_DAYS = date(1950, 1, 1), 36524  # up to the end of 2049
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]
_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def make_copy(
    n_sequences: int = 256, *, n_symbols: int = 10, min_length: int = 3, max_length: int = 10, random_state: Any = None
) -> tuple[list[list[int]], list[list[int]]]:
    """Random symbols, to be written down again: what a vector between encoder and decoder must hold.

    Parameters
    ----------
    n_sequences : int, default=256
    n_symbols : int, default=10
        Symbols to draw from, each as probable as the others.
    min_length, max_length : int, default=3 and 10
        Symbols of a sequence; every length between is as probable.
    random_state : int, RandomState instance or None, default=None
        Source of the lengths and the symbols.

    Returns
    -------
    X, y : list of list of int
        The same symbols.

    Examples
    --------
    >>> from skrnn.datasets import make_copy
    >>> X, y = make_copy(2, max_length=4, random_state=0)
    >>> X
    [[5, 0, 3], [3, 7, 9, 3]]
    """
    for name, value, least in (
        ("n_sequences", n_sequences, 1),
        ("n_symbols", n_symbols, 1),
        ("min_length", min_length, 1),
        ("max_length", max_length, min_length),
    ):
        _at_least(name, value, least)
    rng = check_random_state(random_state)
    lengths = rng.randint(min_length, max_length + 1, size=n_sequences)
    symbols = [rng.randint(n_symbols, size=n).tolist() for n in lengths]
    return symbols, [row.copy() for row in symbols]


def make_date_strings(n_strings: int = 256, *, random_state: Any = None) -> tuple[list[str], list[str]]:
    """Days between 1950 and 2049 as people write them, and in the order of ISO 8601.

    Parameters
    ----------
    n_strings : int, default=256
    random_state : int, RandomState instance or None, default=None
        Source of the days and of the six forms, each as probable as the others.

    Returns
    -------
    X : list of str
        "7 March 1984", "March 7, 1984", "Wed, 7 Mar 1984", "wednesday 7 march 1984", "3/7/1984" (the month first) or "07.03.84" (the day first; years
        from 50 on are of the 20th century).
    y : list of str
        As "1984-03-07".

    Examples
    --------
    >>> from skrnn.datasets import make_date_strings
    >>> X, y = make_date_strings(100, random_state=0)
    >>> X[0], y[0]
    ('25 June 1957', '1957-06-25')
    """
    _at_least("n_strings", n_strings, 1)
    rng = check_random_state(random_state)
    days = [_FIRST_DAY + timedelta(int(k)) for k in rng.randint(_N_DAYS, size=n_strings)]
    forms = rng.randint(6, size=n_strings).tolist()
    return [_written(day, form) for day, form in zip(days, forms, strict=True)], [day.isoformat() for day in days]


def _written(day: date, form: int) -> str:
    month, weekday = _MONTHS[day.month - 1], _WEEKDAYS[day.weekday()]
    match form:
        case 0:
            return f"{day.day} {month} {day.year}"
        case 1:
            return f"{month} {day.day}, {day.year}"
        case 2:
            return f"{weekday[:3]}, {day.day} {month[:3]} {day.year}"
        case 3:
            return f"{weekday.lower()} {day.day} {month.lower()} {day.year}"
        case 4:
            return f"{day.month}/{day.day}/{day.year}"
    return f"{day.day:02d}.{day.month:02d}.{day.year % 100:02d}"
