"""backtest: what a forecaster would have said."""

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from skrnn import backtest
from tests.estimators.forecasters import each_kind as each_kind
from tests.estimators.forecasters import small

pytestmark = pytest.mark.usefixtures("each_kind")

Y = np.sin(0.7 * np.arange(70)) + 0.1 * np.random.default_rng(0).normal(size=70)


def make(**settings):
    return small(**{"max_epochs": 3, "horizon": 4, "n_lags": 6} | settings)


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
def test_all_origins_at_once_are_those_one_by_one(strategy):
    found = backtest(make(strategy=strategy), Y, initial_window=40, step=5, as_frame=False)
    assert sorted(set(found["origin"])) == [40, 45, 50, 55, 60, 65]
    model = make(strategy=strategy).fit(None, Y[:40])
    for origin in (40, 45, 60):
        rows = found["origin"] == origin
        np.testing.assert_array_equal(found["step"][rows], [1, 2, 3, 4])
        np.testing.assert_array_equal(found["y_true"][rows], Y[origin : origin + 4])
        np.testing.assert_allclose(found["y_pred"][rows], model.predict(), rtol=0, atol=1e-6)
        if origin < 60:
            model.update(None, Y[origin : {40: 45, 45: 60}[origin]])


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
def test_beyond_the_horizon_no_origin_sees_the_forecasts_of_another(strategy):
    found = backtest(make(strategy=strategy), Y, initial_window=40, step=2, horizon=9, as_frame=False)
    model = make(strategy=strategy).fit(None, Y[:40])
    for origin in range(40, 62, 2):
        np.testing.assert_allclose(found["y_pred"][found["origin"] == origin], model.forecast(9), rtol=0, atol=1e-6)
        model.update(None, Y[origin : origin + 2])


def test_refit_learns_anew_before_each_origin():
    found = backtest(make(), Y, initial_window=60, step=3, refit=True, as_frame=False)
    for origin in (60, 63, 66):
        np.testing.assert_array_equal(found["y_pred"][found["origin"] == origin], make().fit(None, Y[:origin]).predict())


@pytest.mark.parametrize("conformal", [None, "split", "adaptive"])
def test_intervals_are_those_of_the_forecaster(conformal):
    settings = {"conformal": conformal, "calibration_fraction": 0.5}
    found = backtest(make(**settings), Y, initial_window=50, coverage=0.8, quantiles=[0.5], as_frame=False)
    model = make(**settings).fit(None, Y[:50]).update(None, Y[50:58]).update(None, Y[58:60])
    rows = found["origin"] == 60
    for ours, name in zip(model.predict_interval(coverage=0.8), ("lower", "upper"), strict=True):
        np.testing.assert_allclose(found[name][rows], ours, rtol=0, atol=1e-5)
    assert (found["lower"] <= found["q0.5"]).all()


def test_a_frame_has_the_same_columns():
    pytest.importorskip("pandas")
    X = np.arange(140.0).reshape(70, 2) % 7
    targets = np.column_stack([Y, -Y])
    settings = {"initial_window": 60, "step": 4, "horizon": 2}
    table = backtest(make(), [targets, targets[:64]], [X, X[:64]], **settings, as_frame=False)
    frame = backtest(make(), [targets, targets[:64]], [X, X[:64]], **settings)
    assert list(frame) == list(table) == ["series", "origin", "step", "target", "y_true", "y_pred"]
    assert len(frame) == 3 * 2 * 2 + 1 * 2 * 2
    np.testing.assert_array_equal(frame["y_pred"], table["y_pred"])


def test_what_follows_is_not_known():
    other = Y.copy()
    other[60:] = 5.0
    ours, theirs = (backtest(make(), y, initial_window=50, as_frame=False) for y in (Y, other))
    early = ours["origin"] <= 60
    np.testing.assert_array_equal(ours["y_pred"][early], theirs["y_pred"][early])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial_window": 68}, "initial_window=68 and horizon=4 need 72 steps; series 0 has 70"),
        ({"initial_window": 0}, "initial_window must be a whole number from 1 up; got 0"),
        ({"initial_window": 40, "step": 0.5}, "step must be a whole number"),
    ],
)
def test_bad_arguments_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        backtest(make(), Y, **settings)


@pytest.mark.parametrize("settings", [{}, {"conformal": "adaptive", "calibration_fraction": 0.5}])
def test_a_frozen_forecaster_says_what_it_would_have_learned_to_say(settings):
    asked = {"initial_window": 50, "coverage": 0.8, "as_frame": False}
    model = make(**settings).fit(None, Y[:50])
    before = model.predict()
    ours, theirs = backtest(FrozenEstimator(model), Y, **asked), backtest(make(**settings), Y, **asked)
    assert ours.keys() == theirs.keys()
    for name in ours:
        np.testing.assert_array_equal(ours[name], theirs[name])
    np.testing.assert_array_equal(model.predict(), before)


def test_a_frozen_forecaster_is_not_asked_about_what_it_knows():
    model = FrozenEstimator(make().fit(None, Y[:50]))
    with pytest.raises(ValueError, match="knows 50 steps: it needs initial_window=50 or more; got 49"):
        backtest(model, Y, initial_window=49)
    with pytest.raises(ValueError, match="refit=False"):
        backtest(model, Y, initial_window=50, refit=True)
    with pytest.raises(ValueError, match="the 1 series of fit"):
        backtest(model, [Y, Y], initial_window=50)
    with pytest.raises(NotFittedError):
        backtest(FrozenEstimator(make()), Y, initial_window=50)


# -- windows from the end ----------------------------------------------------------------------------------------------------------------------------


def test_windows_are_counted_from_the_end_of_each_series():
    found = backtest(make(), [Y, Y[:61]], n_windows=3, step=5, as_frame=False)
    for k, n in enumerate((70, 61)):
        rows = found["series"] == k
        assert sorted(set(found["origin"][rows])) == [n - 14, n - 9, n - 4]
        np.testing.assert_array_equal(found["y_true"][rows], Y[(found["origin"] + found["step"] - 1)[rows]])
    model = make().fit(None, [Y[:56], Y[:47]])
    for i in range(3):
        for k, ahead in enumerate(model.predict()):
            rows = (found["series"] == k) & (found["origin"] == (70, 61)[k] - 14 + 5 * i)
            np.testing.assert_allclose(found["y_pred"][rows], ahead, rtol=0, atol=1e-6)
        model.update(None, [Y[56 + 5 * i : 61 + 5 * i], Y[47 + 5 * i : 52 + 5 * i]])


def test_windows_of_one_length_are_those_of_an_initial_window():
    ours, theirs = backtest(make(), Y, n_windows=4, step=3, as_frame=False), backtest(make(), Y, initial_window=57, step=3, as_frame=False)
    for name in theirs:
        np.testing.assert_array_equal(ours[name], theirs[name])


def test_it_learns_anew_before_every_so_many_windows():
    found = backtest(make(), [Y, Y[:61]], n_windows=3, step=4, refit=2, as_frame=False)
    once = make().fit(None, [Y[:58], Y[:49]])
    again = make().fit(None, [Y[:66], Y[:57]])
    once.update(None, [Y[58:62], Y[49:53]])
    for model, origins in ((once, (62, 53)), (again, (66, 57))):
        for k, ahead in enumerate(model.predict()):
            rows = (found["series"] == k) & (found["origin"] == origins[k])
            np.testing.assert_allclose(found["y_pred"][rows], ahead, rtol=0, atol=1e-6)


def test_a_frozen_forecaster_has_windows_behind_what_it_knows():
    model = FrozenEstimator(make().fit(None, [Y[:50], Y[:40]]))
    found = backtest(model, [Y, Y[:60]], n_windows=2, step=4, as_frame=False)
    assert found["origin"].min() == 52
    with pytest.raises(ValueError, match="knows 50 steps of series 0: the first of n_windows begins at step 46"):
        backtest(model, [Y, Y[:60]], n_windows=6, step=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_windows": 20, "step": 4}, "n_windows=20, step=4 and horizon=4 need 81 steps; series 0 has 70"),
        ({"n_windows": 0}, "n_windows must be a whole number from 1 up; got 0"),
        ({"n_windows": 2, "initial_window": 50}, "either initial_window or n_windows must be given; got 50 and 2"),
        ({}, "either initial_window or n_windows must be given; got None and None"),
        ({"n_windows": 2, "refit": -1}, "refit must be a whole number from 1 up; got -1"),
        ({"n_windows": 2, "quantiles": [0.1, 0.10000001]}, "quantiles must differ by more"),
    ],
)
def test_windows_that_are_none_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        backtest(make(), Y, **settings)


@pytest.mark.parametrize("settings", [{}, {"strategy": "recursive", "objective": "gaussian"}, {"conformal": "adaptive", "calibration_fraction": 0.5}])
def test_series_are_forecast_together_as_one_by_one(settings):
    series = [Y, Y[:61] + 3, 2 * Y[5:66]]
    model = make(**settings).fit(None, [y[:50] for y in series])
    asked = {"n_windows": 3, "step": 2, "quantiles": [0.1, 0.9], "as_frame": False}
    found = backtest(FrozenEstimator(model), series, **asked)
    for k, y in enumerate(series):
        others = [y if j == k else series[j][: len(series[j]) - 2] for j in range(3)]
        alone = backtest(FrozenEstimator(model), others, **asked)
        for name in ("y_pred", "y_true", "q0.1", "q0.9"):
            np.testing.assert_array_equal(found[name][found["series"] == k], alone[name][alone["series"] == k])


def test_learning_anew_goes_on_where_short_series_have_ended():
    found = backtest(make(), [Y, Y[:54]], initial_window=50, step=4, refit=True, as_frame=False)
    assert [sorted(set(found["origin"][found["series"] == k])) for k in range(2)] == [[50, 54, 58, 62, 66], [50]]
