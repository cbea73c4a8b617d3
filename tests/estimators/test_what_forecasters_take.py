"""Series as people have them, and questions as they ask them."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrnn import RNNClassifier, backtest
from tests.estimators.forecasters import each_kind as each_kind
from tests.estimators.forecasters import small

pytestmark = pytest.mark.usefixtures("each_kind")

RNG = np.random.default_rng(0)
T = 60
WAVE = np.sin(np.arange(T + 10) / 3)
DRIVER = RNG.normal(size=(T + 10, 2))
NAMED = pd.DataFrame(DRIVER, columns=["temp", "promo"])


def make(**settings):
    return small(**{"n_lags": 6} | settings)


# -- panels ----------------------------------------------------------------------------------------------------------------------------------------

ONE, OTHER = WAVE[:T], 5 * WAVE[:40]
LONG = pd.DataFrame({"id": ["b"] * T + ["a"] * 40, "y": [*ONE, *OTHER]})
PANELS = {
    "lists": [ONE.tolist(), OTHER.tolist()],
    "tuples": (tuple(ONE), tuple(OTHER)),
    "list of Series": [pd.Series(ONE), pd.Series(OTHER)],
    "groupby": LONG.groupby("id", sort=False).y.apply(list),
    "polars lists": pl.Series([ONE.tolist(), OTHER.tolist()]),
    "instances": LONG.assign(t=[*range(T), *range(40)]).set_index(["id", "t"]).y,
}


@pytest.mark.parametrize("y", PANELS.values(), ids=PANELS)
def test_a_panel_is_a_panel_in_every_container(y):
    expected = np.concatenate(make().fit(None, [ONE, OTHER]).predict())
    found = make().fit(None, y).predict()
    np.testing.assert_array_equal(found if isinstance(found, pd.Series) else np.concatenate(found), expected)


def test_series_of_equal_lengths_in_lists_are_series():
    model = make().fit(None, [ONE.tolist()] * 20)
    assert np.shape(model.predict()) == (20, 3)
    np.testing.assert_array_equal(model.n_steps_, [T] * 20)


def test_nested_lists_are_the_rows_of_the_one_series_that_is_known():
    table = np.column_stack([ONE, 2 * ONE])
    model, same = (make().fit(None, table).update(None, rows) for rows in (WAVE[:2, None] * [1, 2], (WAVE[:2, None] * [1, 2]).tolist()))
    np.testing.assert_array_equal(model.predict(), same.predict())


# -- what is known of the past only ------------------------------------------------------------------------------------------------------------------

FUTURES = {
    "named, without": NAMED[["promo"]],
    "named, missing": NAMED.assign(temp=np.nan),
    "polars, without": pl.DataFrame({"promo": DRIVER[:, 1]}),
    "array, without": DRIVER[:, 1:],
    "array, missing": DRIVER * [np.nan, 1.0],
}


@pytest.mark.parametrize("name", FUTURES)
def test_past_columns_need_no_future(name):
    X, future = NAMED if "named" in name else DRIVER, FUTURES[name]
    if "polars" in name:
        X = pl.DataFrame({"temp": DRIVER[:, 0], "promo": DRIVER[:, 1]})
    column = 0 if "array" in name else "temp"
    model = make(past_columns=[column]).fit(X[:T], ONE)
    expected = make(past_columns=[0]).fit(DRIVER[:T], ONE).predict(DRIVER[T : T + 3])
    np.testing.assert_array_equal(model.predict(future[T : T + 3]), expected)
    together = make(past_columns=[column]).fit([X[:T]] * 2, [ONE, 2 * ONE]).predict([future[T : T + 3]] * 2)
    assert np.isfinite(together).all()


def test_what_is_known_beforehand_is_still_asked_for():
    model = make(past_columns=["temp"]).fit(NAMED[:T], ONE)
    with pytest.raises(ValueError, match="X must hold the covariates of the steps to come"):
        model.predict()
    with pytest.raises(ValueError, match="contains NaN"):
        model.predict(NAMED[T:].assign(promo=np.nan))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(NAMED[["temp"]][T:])
    only = make(past_columns=["temp", "promo"]).fit(NAMED[:T], ONE)
    np.testing.assert_array_equal(only.predict(), only.predict(NAMED[:3]))


# -- intervals ---------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
def test_intervals_wider_than_what_was_learned(strategy):
    model = make(strategy=strategy, n_paths=400).fit(None, WAVE[:T] + 0.1 * RNG.normal(size=T))
    lower, upper = model.predict_interval(coverage=[0.5, 0.9, 0.95, 0.99])
    assert lower.shape == upper.shape == (3, 4)
    assert (np.diff(lower, axis=-1) <= 0).all()
    assert (np.diff(upper, axis=-1) >= 0).all()
    if strategy == "direct":
        assert (np.diff(lower, axis=-1) < 0).all()
    for k, share in enumerate([0.5, 0.9, 0.95, 0.99]):
        np.testing.assert_array_equal(np.column_stack(model.predict_interval(coverage=share)), np.column_stack([lower[:, k], upper[:, k]]))


def test_an_interval_of_noise_covers_what_it_says():
    noise = np.random.default_rng(0).normal(size=1500)
    model = make(n_lags=2, horizon=1, max_epochs=20, target_scaling="standard").fit(None, noise)
    table = backtest(model, np.random.default_rng(1).normal(size=1500), initial_window=700, coverage=0.98, as_frame=False)
    covered = ((table["lower"] <= table["y_true"]) & (table["y_true"] <= table["upper"])).mean()
    assert 0.955 < covered < 0.998


# -- other series ------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [{}, {"strategy": "recursive", "objective": "student_t"}, {"conformal": "split"}, {"conformal": "adaptive"}, {"target_scaling": "standard"}],
    ids=str,
)
def test_series_that_were_not_in_fit_are_forecast(settings):
    model = make(**settings).fit(None, [ONE, 3 * ONE])
    before = model.predict()
    other = model.with_history(None, WAVE[3 : T + 3] + 100)
    assert np.abs(other.predict() - 100).max() < 5
    lower, upper = other.predict_interval(coverage=0.8)
    assert (lower <= upper).all()
    np.testing.assert_array_equal(other.n_steps_, [T])
    other.update(None, WAVE[T + 3 :] + 100, learn=True)
    np.testing.assert_array_equal(model.predict(), before)


def test_the_same_series_is_forecast_alike():
    model = make(past_columns=[0]).fit([DRIVER[:T]] * 2, [ONE, 3 * ONE], static=[[0.0], [1.0]])
    future = DRIVER[T : T + 3]
    some = model.with_history(DRIVER[:T], 3 * ONE, static=[[1.0]])
    np.testing.assert_array_equal(some.predict(future), model.predict([future] * 2)[1])
    dated = model.with_history([DRIVER[:T]], [pd.Series(ONE, pd.date_range("2024", periods=T))], static=[[0.0]])
    assert dated.predict([future])[0].index[0] == pd.Timestamp("2024-03-01")


def test_other_series_that_do_not_fit_are_refused():
    model = make().fit(None, [ONE, 3 * ONE], static=[[0.0], [1.0]])
    with pytest.raises(ValueError, match="y has 4 steps, but a forecast is made from n_lags_=6"):
        model.with_history(None, ONE[:4], static=[[0.0]])
    with pytest.raises(ValueError, match=r"y has 2 targets \(columns\), expected 1"):
        model.with_history(None, np.column_stack([ONE, ONE]), static=[[0.0]])
    with pytest.raises(ValueError, match="static was given to fit, and is missing here"):
        model.with_history(None, ONE)


def test_every_series_has_as_many_steps_as_are_asked_for():
    model = make(horizon=5).fit([DRIVER[:T]] * 3, [ONE, 3 * ONE, 2 * ONE])
    futures = [DRIVER[T : T + n] for n in (2, 5, 2)]
    found = model.predict(futures)
    assert [len(part) for part in found] == [2, 5, 2]
    whole = model.predict([DRIVER[T : T + 5]] * 3)
    np.testing.assert_allclose(found[1], whole[1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(found[2], model.predict([DRIVER[T : T + 2]] * 3)[2], rtol=0, atol=1e-12)


# -- as time goes on ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("new", [[np.nan, 0.5], [np.nan], [np.nan] * 4, [0.5, np.nan, 0.3]])
def test_what_is_missing_after_the_end_is_as_in_a_backtest(new):
    y = np.concatenate([ONE, new])
    model = make(missing="mask").fit(None, ONE).update(None, new)
    padded = np.concatenate([y, WAVE[:3]])
    table = backtest(make(missing="mask"), padded, initial_window=T, as_frame=False)
    np.testing.assert_allclose(model.predict(), table["y_pred"][table["origin"] == len(y)], rtol=0, atol=1e-12)
    with pytest.raises(ValueError, match="contains NaN"):
        make().fit(None, ONE).update(None, new)


def test_a_leading_gap_is_the_last_known_value():
    model = make(missing="mask").fit(None, np.arange(100.0)).update(None, [np.nan, 500.0])
    np.testing.assert_array_equal(model._history.y[-3:, 0], [99.0, 99.0, 500.0])


@pytest.mark.parametrize("nothing", [[], np.array([]), pd.Series([], dtype=float)], ids=["list", "array", "Series"])
def test_a_piece_may_be_empty(nothing):
    model = make(missing="mask").fit(None, [ONE, 3 * ONE])
    expected = make(missing="mask").fit(None, [ONE, 3 * ONE]).predict()[1]
    model.update(None, [WAVE[T : T + 2], nothing])
    np.testing.assert_array_equal(model.n_steps_, [T + 2, T])
    np.testing.assert_array_equal(model.predict()[1], expected)
    single = make().fit(None, ONE)
    np.testing.assert_array_equal(single.predict(), single.update(None, nothing).predict())


def test_a_piece_may_be_empty_beside_covariates():
    model, same = (make().fit([DRIVER[:T]] * 2, [ONE, 3 * ONE]) for _ in range(2))
    model.update([DRIVER[T : T + 2], DRIVER[:0]], [WAVE[T : T + 2], []])
    same.update([DRIVER[T : T + 2]] * 2, [WAVE[T : T + 2]] * 2)
    futures = [DRIVER[T + 2 : T + 5], DRIVER[T : T + 3]]
    np.testing.assert_array_equal(model.n_steps_, [T + 2, T])
    np.testing.assert_array_equal(model.predict(futures)[0], same.predict(futures)[0])
    before = model.predict(futures)
    np.testing.assert_array_equal(model.update([DRIVER[:0]] * 2, [[], []]).predict(futures), before)
    with pytest.raises(ValueError, match=r"y\[0\] has 1 steps, but X\[0\] has 2"):
        model.update([DRIVER[:2], DRIVER[:0]], [[1.0], []])


# -- what cannot be is named -------------------------------------------------------------------------------------------------------------------------

FITTED = make().fit(None, ONE)
WRONG = {
    "fit of y alone": (lambda: make().fit(ONE), "the target y is None; a series without covariates is fit\\(None, y\\)"),
    "update of y alone": (lambda: FITTED.update(ONE), "a series without covariates is update\\(None, y\\)"),
    "no paths": (lambda: FITTED.sample(0), "n must be a whole number from 1 up; got 0"),
    "endless paths": (lambda: FITTED.sample(np.inf), "n must be a whole number from 1 up; got inf"),
    "half a step": (lambda: FITTED.forecast(2.5), "n_steps must be a whole number from 1 up; got 2.5"),
    "a number for rows": (lambda: FITTED.predict(3), r"forecast\(n_steps\) takes their number; got 3"),
    "no coverage": (lambda: FITTED.predict_interval(coverage="a"), "coverage must lie between 0 and 1, as a number or a list of them; got 'a'"),
    "coverage in percent": (lambda: FITTED.predict_interval(coverage=[80, 95]), r"coverage must lie between 0 and 1.*got \[80, 95\]"),
    "no level": (lambda: FITTED.predict_quantiles(quantiles=[]), "quantiles must lie between 0 and 1"),
    "no objects": (lambda: make().fit(None, np.empty(0, object)), r"y should have shape \(n_steps,\)"),
    "half a column": (lambda: make(past_columns=(1.5,)).fit(DRIVER[:T], ONE), "past_columns must name columns of X, or number them; got 1.5"),
    "a level that is none": (lambda: make(quantiles=[np.nan]).fit(None, ONE), "must hold increasing levels between 0 and 1"),
    "coverage of a backtest": (lambda: backtest(make(), ONE, initial_window=40, coverage=0), "coverage must lie between 0 and 1"),
    "quantiles of a backtest": (lambda: backtest(make(), ONE, initial_window=40, quantiles=[np.nan]), "quantiles must lie between 0 and 1"),
    "no forecaster": (lambda: backtest(RNNClassifier(), ONE, initial_window=40), "forecaster must be an RNNForecaster"),
}


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_named(call, message):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
