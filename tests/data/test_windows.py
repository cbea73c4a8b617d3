"""Which rows of a series are the past and which the future of each window."""

import numpy as np
import pytest

from skrnn.data import window_rows


@pytest.mark.parametrize("n_lags", range(1, 9))
@pytest.mark.parametrize("horizon", range(1, 9))
def test_the_future_is_what_comes_next(n_lags, horizon):
    past, future = window_rows(20, n_lags, horizon)
    assert past.shape == (20 - n_lags - horizon + 1, n_lags)
    assert future.shape == (len(past), horizon)
    together = np.hstack([past, future])
    assert (np.diff(together, axis=1) == 1).all()
    assert together[0, 0] == 0
    assert together[-1, -1] == 19  # the last step is used: no window is missing


def test_gap_and_stride():
    past, future = window_rows(12, 3, 2, gap=4, stride=2)
    np.testing.assert_array_equal(past, [[0, 1, 2], [2, 3, 4]])
    np.testing.assert_array_equal(future, [[7, 8], [9, 10]])


@pytest.mark.parametrize(("n_lags", "horizon", "gap"), [(8, 3, 0), (3, 8, 0), (4, 4, 3), (11, 1, 0), (1, 11, 0)])
def test_a_window_longer_than_the_series_is_refused_with_both_lengths(n_lags, horizon, gap):
    with pytest.raises(ValueError, match=rf"n_lags={n_lags}.* horizon={horizon} is {n_lags + gap + horizon} steps, the series has 10"):
        window_rows(10, n_lags, horizon, gap=gap)


def test_a_series_of_exactly_one_window():
    past, future = window_rows(10, 8, 2)
    assert past.shape == (1, 8)
    assert future.shape == (1, 2)


@pytest.mark.parametrize(("wrong", "error"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError), ("3", TypeError)])
@pytest.mark.parametrize("name", ["n_lags", "horizon", "stride"])
def test_arguments_are_checked(name, wrong, error):
    with pytest.raises(error, match=f"{name} should be"):
        window_rows(10, **({"n_lags": 1, "horizon": 1, "stride": 1} | {name: wrong}))


def test_a_negative_gap_would_show_the_future():
    with pytest.raises(ValueError, match="gap should be at least 0, got -1"):
        window_rows(10, 1, 1, gap=-1)
