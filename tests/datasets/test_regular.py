"""Strings that are regular for the most part, and their class lies far back."""

from collections import Counter

import numpy as np
import pytest

from skrnn.datasets import make_buried_order, make_first_symbol


def test_only_the_first_symbol_differs():
    X, y = make_first_symbol(100, random_state=0)
    assert Counter(y.tolist()) == {"a": 50, "x": 50}
    assert len({symbol for row in X for symbol in row}) == 22
    for row, start in zip(X, y, strict=True):
        assert row == [start, *(f"b{k}" for k in range(1, 21))]


def test_it_may_come_again_and_others_come_round():
    X, y = make_first_symbol(90, (5, 9), n_fillers=3, starts=("p", "q", "r"), repeat=True, random_state=0)
    assert set(Counter(y.tolist()).values()) == {30}
    assert {len(row) for row in X} == {5, 6, 7, 8, 9}
    for row, start in zip(X, y, strict=True):
        assert row[0] == row[-1] == start
        assert row[1:-1] == [f"b{k % 3 + 1}" for k in range(len(row) - 2)]


def test_marks_are_buried_in_a_cycle():
    X, y = make_buried_order(200, (120, 160), n_fillers=5, n_marks=3, random_state=0)
    assert len(set(y.tolist())) == 8
    for row, order in zip(X, y, strict=True):
        marked = [k for k, symbol in enumerate(row) if symbol in "XY"]
        assert "".join(row[k] for k in marked) == order
        assert marked[0] >= 1
        assert marked[-1] < len(row) / 10
        assert min(np.diff(marked)) > 1
        assert all(symbol == "abcde"[k % 5] for k, symbol in enumerate(row) if k not in marked)


@pytest.mark.parametrize("make", [make_first_symbol, make_buried_order])
def test_the_seed_decides_all(make):
    first, again, other = (make(20, (100, 120), random_state=seed) for seed in (1, 1, 2))
    assert first[0] == again[0] != other[0]
    np.testing.assert_array_equal(first[1], again[1])


def test_what_cannot_be_made_is_refused():
    with pytest.raises(ValueError, match="n_steps must be a whole number of at least 2; got 1"):
        make_first_symbol(3, 1)
    with pytest.raises(ValueError, match=r"n_steps\[1\] must be a whole number of at least 30; got 20"):
        make_first_symbol(3, (30, 20))
    with pytest.raises(ValueError, match="starts must be two symbols or more"):
        make_first_symbol(3, starts=("b1", "x"))
    with pytest.raises(ValueError, match="n_steps must be a whole number of at least 80; got 79"):
        make_buried_order(3, 79)
    with pytest.raises(ValueError, match="n_fillers must be at most 23; got 24"):
        make_buried_order(3, n_fillers=24)
