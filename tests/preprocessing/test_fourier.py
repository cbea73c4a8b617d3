"""Waves of given periods: they go on where the training data end."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skrnn.preprocessing import FourierFeatures

X = np.zeros((50, 2))
HOURS = np.datetime64("2024-03-01T00", "h") + np.arange(50)


def test_the_future_goes_on_behind_the_past():
    whole = FourierFeatures((12, 5.5), (3, 2)).fit_transform(X)
    half = FourierFeatures((12, 5.5), (3, 2))
    np.testing.assert_allclose(np.vstack([half.fit_transform(X[:31]), half.transform(X[31:])]), whole, atol=1e-12)
    np.testing.assert_array_equal(half.transform(X[31:]), half.transform(X[31:]))  # nothing moves on


def test_waves_are_orthogonal_over_whole_periods():
    waves = FourierFeatures(12, n_harmonics=5).fit_transform(np.zeros((36, 1)))
    np.testing.assert_allclose(waves.T @ waves, 18 * np.eye(10), atol=1e-9)


def test_each_series_goes_on_behind_its_own_end():
    fourier = FourierFeatures(12)
    fourier.fit([X[:10], X[:17]])
    assert fourier.n_steps_ == [10, 17]
    expected = FourierFeatures(12).fit_transform(X)
    for given, start in zip(fourier.transform([X[:4], X[:6]]), (10, 17), strict=True):
        np.testing.assert_allclose(given, expected[start : start + len(given)], atol=1e-12)
    with pytest.raises(ValueError, match="X has 1 series, but FourierFeatures was fitted on 2"):
        fourier.transform(X[:4])


TIMED = {
    "numbers": (np.column_stack([np.arange(50.0) / 24, X]), 0),
    "datetimes": (HOURS, 0),
    "pandas": (pd.DataFrame({"x": X[:, 0], "ds": HOURS}), "ds"),
    "pandas place": (pd.DataFrame({"x": X[:, 0], "ds": HOURS}), 1),
    "polars": (pl.DataFrame({"x": X[:, 0], "ds": HOURS.astype("M8[us]")}), "ds"),
}


@pytest.mark.parametrize(("table", "time"), TIMED.values(), ids=TIMED)
def test_given_times_count_in_days(table, time):
    fourier = FourierFeatures(1, 2, time=time)
    waves = fourier.fit_transform(table)
    np.testing.assert_allclose(waves, FourierFeatures(24, 2).fit_transform(X), atol=1e-9)
    np.testing.assert_array_equal(fourier.transform(table), waves)  # the time is given: nothing is counted


def test_a_season_is_forecast_by_a_pipeline():
    y = np.sin(np.arange(60) * 2 * np.pi / 7) + np.cos(np.arange(60) * 4 * np.pi / 7)
    model = make_pipeline(FourierFeatures(7, 2), LinearRegression()).fit(np.zeros((50, 1)), y[:50])
    np.testing.assert_allclose(model.predict(np.zeros((10, 1))), y[50:], atol=1e-9)


def test_names():
    fourier = FourierFeatures((12, 365.25), (1, 2)).set_output(transform="pandas")
    assert list(fourier.fit_transform(X).columns) == ["sin1_12", "cos1_12", "sin1_365.25", "cos1_365.25", "sin2_365.25", "cos2_365.25"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"periods": 0}, "'periods' parameter"),
        ({"periods": []}, "'periods' parameter"),
        ({"periods": "12"}, "'periods' parameter"),
        ({"n_harmonics": 0}, "'n_harmonics' parameter"),
        ({"periods": (3, 4), "n_harmonics": (1,)}, "one for each of the 2 periods"),
        ({"periods": 5, "n_harmonics": 3}, "n_harmonics=3 is more than half the period of 5 rows"),
        ({"time": 2}, "time=2 is no column of X"),
        ({"time": "ds"}, "time='ds' is no column of X"),
    ],
)
def test_parameters_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        FourierFeatures(**settings).fit(X)
