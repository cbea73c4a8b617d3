"""Conformal quantiles: as many errors beyond them as there should be, and never one from the future."""

import numpy as np
import pytest

from skrnn.estimators.forecasting._conformal import Calibration, follow

RNG = np.random.default_rng(0)


def errors(n, horizon=2, scale=1.0):
    return scale * RNG.normal(size=(n, horizon, 1))


@pytest.mark.parametrize(("level", "rank"), [(0.05, 0), (0.95, 18), (0.5, 9)])
def test_split_quantiles_are_order_statistics(level, rank):
    known = errors(19)
    shift = Calibration(False, {0: known}).shift(0, level, 2)
    np.testing.assert_array_equal(shift, np.sort(known, axis=0)[rank])


def test_series_share_split_quantiles():
    first, second = errors(30), errors(50)
    both = Calibration(False, {0: first, 1: second}).shift(1, 0.9, 2)
    np.testing.assert_array_equal(both, Calibration(False, {0: np.concatenate([first, second])}).shift(0, 0.9, 2))


def test_missing_errors_do_not_count():
    known = errors(19)
    gaps = np.concatenate([known[:5], np.full((3, 2, 1), np.nan), known[5:]])
    np.testing.assert_array_equal(Calibration(False, {0: gaps}).shift(0, 0.95, 2), Calibration(False, {0: known}).shift(0, 0.95, 2))


def test_too_few_errors_are_an_error():
    with pytest.raises(ValueError, match="needs 19 held-out forecasts, there are 18"):
        Calibration(False, {0: errors(18)}).shift(0, 0.95, 2)


@pytest.mark.parametrize("level", [0.05, 0.9])
def test_adaptive_quantiles_hold_their_level_when_the_spread_changes(level):
    e = np.concatenate([errors(400), errors(400, scale=4.0), errors(400, scale=0.5)])
    below = e[100:] <= follow(e, level)[100:-1]
    np.testing.assert_allclose(below.mean(axis=0), level, atol=0.03)


def test_adaptive_quantiles_do_not_see_the_future():
    e = errors(60, horizon=3)
    other = e.copy()
    other[40:] = 99.0
    before, after = follow(e, 0.9), follow(other, 0.9)
    for k in range(3):  # the error k + 1 steps ahead of origin 40 is known at origin 41 + k
        np.testing.assert_array_equal(before[: 41 + k, k], after[: 41 + k, k])
        assert before[41 + k, k] != after[41 + k, k]


def test_unfinished_errors_are_replaced():
    e = errors(12, horizon=3)
    unfinished = e[:10].copy()
    unfinished[8, 2:] = unfinished[9, 1:] = np.nan
    calibration = Calibration(True, {0: unfinished}).with_later(0, e[8:])
    np.testing.assert_array_equal(calibration.errors[0], e)
