"""Forecasts in a picture."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.exceptions import NotFittedError

from skrnn import RNNForecaster
from skrnn.inspection import ForecastDisplay, LossCurveDisplay

Y = np.sin(np.arange(60.0))
SETTINGS = {"horizon": 4, "hidden_size": 4, "max_epochs": 2, "random_state": 0}


def test_the_forecast_goes_on_where_the_history_ends():
    model = RNNForecaster(**SETTINGS).fit(None, Y)
    display = ForecastDisplay.from_estimator(model, Y, coverage=(0.5, 0.8), actual=[1.0, 2.0], n_history=10)
    past, ahead, actual = display.ax_.lines
    assert past.get_xydata().tolist() == [[50 + k, Y[50 + k]] for k in range(10)]
    assert ahead.get_xdata().tolist() == [60, 61, 62, 63]
    np.testing.assert_array_equal(ahead.get_ydata(), model.predict())
    assert actual.get_xydata().tolist() == [[60, 1], [61, 2]]
    np.testing.assert_array_equal(display.intervals[0.8], model.predict_interval(coverage=0.8))
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["history", "forecast", "80% interval", "50% interval", "what came"]
    assert display.figure_ is display.ax_.figure


def test_one_of_several_series_and_targets():
    y = [np.column_stack([Y, 2 * Y])[:40], np.column_stack([Y, 3 * Y])]
    model = RNNForecaster(**SETTINGS).fit(None, y)
    ax = plt.figure().subplots()
    display = ForecastDisplay.from_estimator(model, y, series=1, target=1, ax=ax)
    np.testing.assert_array_equal(display.history, 3 * Y[44:])
    np.testing.assert_array_equal(display.forecast, model.predict()[1][:, 1])
    assert display.ax_ is ax


@pytest.mark.parametrize(
    "index", [pd.date_range("2024-10-25", periods=60, freq="h", tz="Europe/Berlin"), pd.period_range("2020", periods=60, freq="M")]
)
def test_dates_are_on_the_axis(index):
    y = pd.Series(Y, index, name="load")
    display = ForecastDisplay.from_estimator(RNNForecaster(**SETTINGS).fit(None, y), y, n_history=10, actual=[1.0, 2.0])
    past, ahead, actual = display.ax_.lines
    clock = (index.to_timestamp() if display.times.dtype == "period[M]" else index.tz_localize(None)).to_numpy()
    np.testing.assert_array_equal(past.get_xdata(), clock[50:])
    assert ahead.get_xdata()[0] > clock[-1]
    np.testing.assert_array_equal(actual.get_xdata(), ahead.get_xdata()[:2])
    assert display.ax_.get_xlabel() == "time"
    display.figure_.canvas.draw()


def test_one_of_several_series_in_a_frame():
    index = pd.MultiIndex.from_product([["b", "a"], pd.date_range("2024", periods=60)], names=["shop", "day"])
    y = pd.Series(np.concatenate([Y, 2 * Y]), index)
    model = RNNForecaster(**SETTINGS).fit(None, y)
    display = ForecastDisplay.from_estimator(model, y, series=1)
    np.testing.assert_array_equal(display.history, 2 * Y[44:])
    np.testing.assert_array_equal(display.forecast, model.predict().loc["a"])
    assert display.ax_.get_xlabel() == "day"


def test_each_interval_has_its_shade():
    display = ForecastDisplay.from_estimator(RNNForecaster(**SETTINGS).fit(None, Y), Y, coverage=(0.5, 0.8, 0.9))
    shades = [area.get_alpha() for area in display.ax_.collections]
    assert shades == sorted(set(shades))


def test_points_without_intervals():
    model = RNNForecaster(objective="squared", **SETTINGS).fit(None, Y)
    assert ForecastDisplay.from_estimator(model, Y, coverage=()).intervals == {}
    with pytest.raises(ValueError, match="set conformal='split'"):
        ForecastDisplay.from_estimator(model, Y)


def test_loss_curves_of_forecasters():
    model = RNNForecaster(**SETTINGS).fit(None, Y)
    assert LossCurveDisplay.from_estimator(model).losses["RNNForecaster"].tolist() == model.loss_curve_


def test_before_fit():
    with pytest.raises(NotFittedError):
        ForecastDisplay.from_estimator(RNNForecaster(), Y)
