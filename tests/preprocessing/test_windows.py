"""Windows of series: what is past, what is future, and which row belongs to which step."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrnn import RNNRegressor, as_sequences
from skrnn.preprocessing import SlidingWindow, make_windows

RAMP = np.arange(30.0)
TABLE = np.column_stack([RAMP, RAMP + 100])
LONG, SHORT = TABLE, TABLE[:12] + 1000


@pytest.mark.parametrize("n_lags", range(1, 9))
@pytest.mark.parametrize("horizon", range(1, 9))
@pytest.mark.parametrize("gap", [0, 3])
def test_targets_follow_their_window(n_lags, horizon, gap):
    X, y = make_windows(RAMP, n_lags, horizon, gap=gap)
    assert X.shape == (30 - n_lags - horizon - gap + 1, n_lags, 1)
    np.testing.assert_array_equal(y, X[:, -1] + gap + np.arange(1, horizon + 1))
    assert y[-1, -1] == RAMP[-1]


def test_without_a_horizon_the_next_value_has_no_axis():
    X, y = make_windows(RAMP, 4)
    np.testing.assert_array_equal(y, X[:, -1, 0] + 1)
    X, y = make_windows(TABLE, 4)
    np.testing.assert_array_equal(y, X[:, -1] + 1)


def test_several_variables_are_several_channels_and_targets():
    X, y = make_windows(TABLE, 5, 3)
    assert X.shape == (23, 5, 2)
    assert y.shape == (23, 3, 2)
    np.testing.assert_array_equal(y[:, 0], X[:, -1] + 1)


def test_exog_stands_behind_the_series_at_the_same_steps():
    X, y = make_windows(RAMP, 5, 2, exog=-TABLE)
    assert X.shape == (24, 5, 3)
    assert y.shape == (24, 2)
    np.testing.assert_array_equal(X[:, :, 1], -X[:, :, 0])


def test_no_window_crosses_from_one_series_to_the_next():
    X, y, groups = make_windows([LONG, SHORT], 4, 2, return_groups=True)
    for k, series in enumerate([LONG, SHORT]):
        alone = make_windows(series, 4, 2)
        np.testing.assert_array_equal(X[groups == k], alone[0])
        np.testing.assert_array_equal(y[groups == k], alone[1])
    assert (np.diff(groups) >= 0).all()


def test_stride():
    X, y = make_windows(RAMP, 4, 2, stride=5)
    np.testing.assert_array_equal(X[:, 0, 0], [0, 5, 10, 15, 20])
    np.testing.assert_array_equal(y[:, 0], [4, 9, 14, 19, 24])


@pytest.mark.parametrize(
    "convert",
    [
        list,
        pd.Series,
        pl.Series,
        lambda x: pd.Series(x, index=pd.date_range("2020-01-01", periods=len(x))),
        lambda x: x[::-1].copy()[::-1],
        lambda x: x.astype(np.int64),
    ],
)
def test_the_container_of_a_series_does_not_matter(convert):
    expected = make_windows(RAMP, 3, 2)
    for given, wanted in zip(make_windows(convert(RAMP), 3, 2), expected, strict=True):
        np.testing.assert_array_equal(given, wanted)


@pytest.mark.parametrize("convert", [pd.DataFrame, pl.DataFrame, lambda x: [x], lambda x: x[None], lambda x: as_sequences([x])])
def test_the_container_of_a_table_does_not_matter(convert):
    expected = make_windows(TABLE, 3, 2)
    for given, wanted in zip(make_windows(convert(TABLE), 3, 2), expected, strict=True):
        np.testing.assert_array_equal(given, wanted)


def test_errors_name_series_and_position():
    with pytest.raises(ValueError, match=r"series 1: .*n_lags=10 \+ horizon=4 is 14 steps, the series has 12"):
        make_windows([LONG, SHORT], 10, 4)
    with pytest.raises(ValueError, match=r"^the window is longer.*n_lags=20 \+ gap=5 \+ horizon=6 is 31 steps, the series has 30"):
        make_windows(RAMP, 20, 6, gap=5)
    holed = RAMP.copy()
    holed[7] = np.nan
    with pytest.raises(ValueError, match=r"series contains NaN \(first at sequence 0, step 7"):
        make_windows(holed, 3, 2)
    with pytest.raises(ValueError, match=r"exog has 29 steps, series has 30 \(series 0\)"):
        make_windows(RAMP, 3, 2, exog=RAMP[1:])
    with pytest.raises(ValueError, match="exog has 1 series, series has 2"):
        make_windows([LONG, SHORT], 3, 2, exog=[LONG])


def test_the_series_is_not_changed():
    before = TABLE.copy()
    X, y = make_windows(TABLE, 3, 2)
    X[:] = y[:] = 0
    np.testing.assert_array_equal(TABLE, before)


# -- SlidingWindow ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edge", ["repeat", "zero", "short"])
def test_a_window_ends_with_its_step(edge):
    windows = SlidingWindow(4, edge=edge).fit_transform(TABLE)
    assert len(windows) == len(TABLE)
    np.testing.assert_array_equal([window[-1] for window in windows], TABLE)
    np.testing.assert_array_equal(np.stack([windows[k] for k in range(3, 30)]), make_windows(np.vstack([TABLE, TABLE[:1]]), 4)[0])


def test_what_is_seen_before_the_first_step():
    x = RAMP[:3, None] + 5
    np.testing.assert_array_equal(SlidingWindow(3).fit_transform(x)[:2, :, 0], [[5, 5, 5], [5, 5, 6]])
    np.testing.assert_array_equal(SlidingWindow(3, "zero").fit_transform(x)[:2, :, 0], [[0, 0, 5], [0, 5, 6]])
    assert SlidingWindow(3, "short").fit_transform(x).lengths.tolist() == [1, 2, 3]


def test_no_window_of_a_transformer_crosses_series():
    windows = SlidingWindow(4).fit_transform([LONG, SHORT])
    np.testing.assert_array_equal(windows, np.concatenate([SlidingWindow(4).fit_transform(x) for x in (LONG, SHORT)]))


def test_the_length_of_the_window_is_searched_in_a_pipeline():
    # y(t) = x(t - 5): a window of fewer than 6 steps cannot know it
    x = np.random.default_rng(0).normal(size=(300, 1))
    y = np.roll(x[:, 0], 5)
    flat = make_pipeline(SlidingWindow(), FunctionTransformer(lambda windows: windows[:, :, 0]), LinearRegression())
    search = GridSearchCV(flat, {"slidingwindow__n_lags": [2, 5, 6]}, cv=TimeSeriesSplit(3)).fit(x[5:], y[5:])
    assert search.best_params_ == {"slidingwindow__n_lags": 6}


@pytest.mark.parametrize("edge", ["repeat", "short"])
def test_it_stands_in_front_of_a_recurrent_network(edge):
    wave = np.sin(np.arange(200) / 4)[:, None]
    model = make_pipeline(SlidingWindow(8, edge=edge), RNNRegressor(hidden_size=16, max_epochs=30, random_state=0))
    assert model.fit(wave[:-1], wave[1:, 0]).score(wave[100:-1], wave[101:, 0]) > 0.95


@pytest.mark.parametrize(("settings", "message"), [({"n_lags": 0}, "'n_lags' parameter"), ({"n_lags": 2.0}, "'n_lags'"), ({"edge": "nan"}, "'edge'")])
def test_parameters_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        SlidingWindow(**settings).fit(TABLE)
