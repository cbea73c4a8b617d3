"""Pairs of symbols, of which one follows from the other."""

import re
from datetime import date

import pytest

from skrnn.datasets import make_copy, make_date_strings


def test_copies():
    X, y = make_copy(500, n_symbols=4, min_length=2, max_length=6, random_state=0)
    assert y == X
    assert X[0] is not y[0]
    assert {len(row) for row in X} == {2, 3, 4, 5, 6}
    assert {symbol for row in X for symbol in row} == {0, 1, 2, 3}
    assert make_copy(5, random_state=1) == make_copy(5, random_state=1)


def test_dates_mean_the_same_day():
    X, y = make_date_strings(600, random_state=0)
    for human, iso in zip(X, y, strict=True):
        day = date.fromisoformat(iso)
        numbers = [int(n) for n in re.findall(r"\d+", human)]
        names = re.findall("[a-z]+", human.lower())
        assert day.day in numbers
        assert {day.year, day.year % 100} & set(numbers)
        assert day.month in numbers or f"{day:%B}".lower() in names or f"{day:%b}".lower() in names
        assert 1950 <= day.year < 2050
    assert make_date_strings(5, random_state=1) == make_date_strings(5, random_state=1)


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="max_length must be a whole number of at least 5; got 4"):
        make_copy(min_length=5, max_length=4)
    with pytest.raises(ValueError, match="n_strings must be"):
        make_date_strings(0)
