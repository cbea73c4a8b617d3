"""What the recall tasks promise: lengths, marks, targets that follow from the inputs."""

from functools import reduce
from operator import xor

import numpy as np
import pytest

from skrnn.data import Sequences
from skrnn.datasets import (
    make_adding,
    make_delayed_recall,
    make_delayed_xor,
    make_embedded_reber,
    make_parity,
    make_temporal_order,
    make_waveform,
    make_xor_in_time,
)


@pytest.mark.parametrize(
    "make",
    [
        lambda seed: make_adding(20, 30, random_state=seed),
        lambda seed: make_adding(20, 30, protocol="original", random_state=seed),
        lambda seed: make_temporal_order(20, 30, random_state=seed),
        lambda seed: make_parity(20, (5, 9), random_state=seed),
        lambda seed: make_embedded_reber(20, random_state=seed),
    ],
)
def test_the_seed_alone_decides(make):
    (X, y), (same, same_y), (other, _) = make(0), make(0), make(1)
    before = np.random.get_state()[1].copy()
    make(0)
    assert all(np.array_equal(a, b) for a, b in zip([*X, *y], [*same, *same_y], strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(X, other, strict=True))
    np.testing.assert_array_equal(np.random.get_state()[1], before)


def test_adding_marks_one_number_in_each_half():
    X, y = make_adding(4000, 50, random_state=0)
    marks = X[:, :, 1]
    assert set(np.unique(marks)) == {0, 1}
    np.testing.assert_array_equal(marks[:, :25].sum(axis=1), 1)
    np.testing.assert_array_equal(marks[:, 25:].sum(axis=1), 1)
    np.testing.assert_allclose(X[:, :, 0][marks == 1].reshape(-1, 2).sum(axis=1), y)
    assert abs(y.var() - 1 / 6) < 0.01


def test_original_adding_sets_a_marked_first_number_to_zero_in_the_input():
    X, y = make_adding(4000, 100, protocol="original", random_state=0)
    assert isinstance(X, Sequences)
    assert (X.lengths.min(), X.lengths.max()) == (100, 110)
    firsts = 0
    for x, target in zip(X, y, strict=True):
        marked = np.flatnonzero(x[:, 1] == 1)
        assert len(marked) == 2
        assert marked[0] < 10
        assert marked[1] < 50
        assert x[-1, 1] == -1
        assert x[0, 1] == (1 if marked[0] == 0 else -1)
        assert not x[1:-1, 1][x[1:-1, 1] != 1].any()
        firsts += marked[0] == 0
        assert x[0, 0] == 0 or marked[0] != 0
        assert target == pytest.approx(0.5 + x[marked, 0].sum() / 4)
    assert 0.09 < firsts / 4000 < 0.15


@pytest.mark.parametrize(("n_symbols", "borders"), [(2, [(10, 20), (50, 60)]), (3, [(10, 20), (33, 43), (66, 76)])])
def test_temporal_order(n_symbols, borders):
    X, y = make_temporal_order(800, 100, n_symbols=n_symbols, random_state=0)
    assert (X.lengths.min(), X.lengths.max()) == (100, 110)
    places = []
    for x, order in zip(X, y, strict=True):
        string = "".join("abcdXYEB"[k] for k in x.argmax(axis=1))
        assert x.sum() == len(x)
        assert (string[0], string[-1]) == ("E", "B")
        places.append([k for k, letter in enumerate(string) if letter in "XY"])
        assert order == "".join(string[k] for k in places[-1])
        assert not set(string[1:-1]) - set("abcdXY")
    assert list(zip(np.min(places, axis=0), np.max(places, axis=0), strict=True)) == borders
    assert len(set(y)) == 2**n_symbols


def test_parity():
    X, y = make_parity(101, (50, 60), random_state=0)
    assert (X.lengths.min(), X.lengths.max()) == (50, 60)
    assert set(X.values.ravel()) == {-1, 1}
    assert [reduce(xor, (v > 0 for v in x[:, 0])) for x in X] == y.tolist()
    assert y.sum() == 50
    ends = np.array([x[-1, 0] for x in X])
    assert 0.3 < np.mean(ends > 0) < 0.7


def test_xor_in_time():
    X, y = make_xor_in_time(3001, random_state=0)
    bits = np.append(X[:, 0], y[-1])
    np.testing.assert_array_equal(X[1:, 0], y[:-1])
    assert len(bits) == 3001
    np.testing.assert_array_equal(y[1::3], bits[:3000:3] != bits[1:3000:3])
    assert abs(bits.mean() - 0.5) < 0.05


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_delayed_xor(delay):
    X, y = make_delayed_xor(50, delay, random_state=0)
    assert np.isnan(y[:delay]).all()
    np.testing.assert_array_equal(y[delay:], X[: 50 - delay].sum(axis=1) == 1)


@pytest.mark.parametrize("lag", [0, 1, 30])
def test_delayed_recall(lag):
    X, y = make_delayed_recall(5, 40, lag, random_state=0)
    assert np.isnan(y[:, :lag]).all()
    np.testing.assert_array_equal(y[:, lag:], X[:, : 40 - lag, 0])


def test_waveform():
    X, y = make_waveform()
    assert (X == 1).all()
    assert abs(y.mean()) < 1e-12
    strength = np.abs(np.fft.rfft(y))
    assert set(np.flatnonzero(strength > 1e-6)) == {320 // period for period in (8, 32, 80, 160)}


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: make_adding(0), "n_sequences must be a whole number of at least 1; got 0"),
        (lambda: make_adding(10, 9), "n_steps must be a whole number of at least 10; got 9"),
        (lambda: make_adding(protocol="new"), "protocol must be 'halves' or 'original'; got 'new'"),
        (lambda: make_temporal_order(n_symbols=4), "n_symbols must be 2 or 3; got 4"),
        (lambda: make_parity(5, (6, 5)), r"n_steps\[1\] must be a whole number of at least 6; got 5"),
        (lambda: make_delayed_recall(lag=2.5), "lag must be a whole number of at least 0; got 2.5"),
        (lambda: make_delayed_xor(2, 2), "n_steps must be a whole number of at least 3; got 2"),
    ],
)
def test_errors_say_what_was_expected(make, match):
    with pytest.raises(ValueError, match=match):
        make()
