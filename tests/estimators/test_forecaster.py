"""RNNForecaster: the right steps, in the shape that came, from nothing but the past."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNForecaster, backtest
from skrnn.estimators.forecasting._reading import GivenSeries

RNG = np.random.default_rng(0)
T = 60
INDEX = np.arange(T)[:, None]
DRIVER = RNG.normal(size=(T + 8, 2))
WAVE = np.sin(2 * np.pi * np.arange(T + 8) / 8 + 0.3)
STRATEGIES = ["direct", "recursive", "seq2seq"]
every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)


def make(**settings):
    return RNNForecaster(**{"hidden_size": 4, "max_epochs": 2, "horizon": 3, "n_lags": 4, "season": None, "random_state": 0} | settings)


# -- alignment ---------------------------------------------------------------------------------------------------------------------------------


@every_strategy
@pytest.mark.parametrize("n_lags", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("horizon", [1, 2, 3, 5, 8])
def test_a_ramp_goes_on(strategy, n_lags, horizon):
    model = make(
        cell="elman", strategy=strategy, n_lags=n_lags, horizon=horizon, target_scaling="difference", objective="squared", max_epochs=1, alpha=0.0
    )
    ahead = model.fit(None, np.arange(1.0, 31.0)).predict()
    np.testing.assert_allclose(ahead, np.arange(31, 31 + horizon), atol=1e-3)


@every_strategy
@pytest.mark.parametrize(("n_lags", "horizon"), [(2, 5), (8, 3)])
def test_a_wave_goes_on(strategy, n_lags, horizon):
    assert_in_phase(strategy, n_lags, horizon)


@pytest.mark.slow
@every_strategy
@pytest.mark.parametrize("n_lags", range(1, 9))
@pytest.mark.parametrize("horizon", range(1, 9))
def test_a_wave_goes_on_for_all_windows(strategy, n_lags, horizon):
    assert_in_phase(strategy, n_lags, horizon)


def assert_in_phase(strategy, n_lags, horizon):
    """The forecast is nearer to what comes than to that one step earlier or later."""
    settings = {"hidden_size": 16, "max_epochs": 40, "batch_size": 16, "objective": "squared", "season": 8, "target_scaling": None}
    ahead = make(strategy=strategy, n_lags=n_lags, horizon=horizon, **settings).fit(None, WAVE[:T]).predict()
    errors = [np.abs(ahead - WAVE[T + k : T + k + horizon]).mean() if T + k + horizon <= len(WAVE) else np.inf for k in (-1, 0, 1)]
    assert np.argmin(errors) == 1
    assert errors[1] < 0.3


@every_strategy
def test_what_is_known_beforehand_belongs_to_the_step_itself(strategy):
    y = DRIVER[:, 0]
    model = make(strategy=strategy, hidden_size=16, max_epochs=60, objective="squared", target_scaling="standard").fit(DRIVER[:T], y[:T])
    assert np.abs(model.predict(DRIVER[T : T + 3]) - y[T : T + 3]).mean() < 0.25


def test_past_columns_are_not_looked_at_in_the_future():
    model = make(past_columns=(1,)).fit(DRIVER[:T], WAVE[:T])
    other = DRIVER[T : T + 3].copy()
    other[:, 1] = 99.0
    np.testing.assert_array_equal(model.predict(other), model.predict(DRIVER[T : T + 3]))
    seen = DRIVER[:T].copy()
    seen[-1, 1] += 1
    assert (make(past_columns=(1,)).fit(seen, WAVE[:T]).predict(other) != model.predict(other)).any()


@every_strategy
@pytest.mark.parametrize(
    "scaling", ["last_value", *(pytest.param(name, marks=pytest.mark.slow) for name in ("window", "mean", "difference", "standard"))]
)
def test_noise_cannot_be_learned(strategy, scaling):
    """What a window's units tell about its past, and what stands in its future, is not used."""
    noise = [10 + np.random.default_rng(seed).normal(size=120) for seed in range(30)]
    model = make(strategy=strategy, target_scaling=scaling, objective="squared", hidden_size=16, max_epochs=15).fit(None, noise)
    unit = {"last_value": 1, "window": 1, "mean": 1 / 11, "difference": 1 / np.sqrt(2), "standard": 1}[scaling]
    least = unit**2 * (1 / np.arange(1, 4) ** 2).mean() if (scaling, strategy != "recursive") == ("difference", True) else unit**2
    assert min(model.loss_curve_) > 0.6 * least


# -- shapes and containers -----------------------------------------------------------------------------------------------------------------------


@every_strategy
@pytest.mark.parametrize("y", [WAVE[:T], np.column_stack([WAVE, 2 * WAVE])[:T]], ids=["one", "two"])
def test_shapes_are_those_of_y(strategy, y):
    model = make(strategy=strategy, n_paths=20).fit(None, y)
    assert model.predict().shape == (3, *y.shape[1:])
    assert model.forecast(7).shape == (7, *y.shape[1:])
    assert model.predict_quantiles(quantiles=[0.1, 0.9]).shape == (3, *y.shape[1:], 2)
    assert model.sample(5).shape == (3, *y.shape[1:], 5)
    lower, upper = model.predict_interval(coverage=0.8)
    assert (lower <= model.predict() + 1e-9).all() or strategy != "direct"
    assert (lower <= upper).all()


@every_strategy
def test_several_series_give_several_forecasts(strategy):
    y = [WAVE[:40], 100 * WAVE[3:60], WAVE[:30]]
    model = make(strategy=strategy).fit(None, y, static=[[0.0], [1.0], [2.0]])
    found = model.predict()
    assert isinstance(found, list)
    assert [part.shape for part in found] == [(3,)] * 3
    np.testing.assert_array_equal(model.n_steps_, [40, 57, 30])


def test_a_global_model_knows_series_by_their_static_features():
    y = [np.tile([0.0, 1.0], 30), np.tile([1.0, 0.0], 30)]
    settings = {"n_lags": 1, "horizon": 1, "target_scaling": None, "objective": "squared", "hidden_size": 8, "max_epochs": 30}
    up, down = make(**settings).fit(None, y, static=[[0.0], [1.0]]).predict()
    assert up[0] == pytest.approx(0.0, abs=0.2)
    assert down[0] == pytest.approx(1.0, abs=0.2)


def test_frames_are_tables():
    X = pd.DataFrame(DRIVER, columns=["a", "b"], index=pd.date_range("2020-01-31", periods=len(DRIVER), freq="ME"))
    model = make(past_columns=("b",)).fit(X[:T], pd.Series(WAVE[:T], index=X.index[:T]))
    expected = make(past_columns=(1,)).fit(DRIVER[:T], WAVE[:T]).predict(DRIVER[T : T + 2])
    np.testing.assert_array_equal(model.predict(X[T : T + 2]), expected)
    assert model.feature_names_in_.tolist() == ["a", "b"]


# -- state ---------------------------------------------------------------------------------------------------------------------------------------


@every_strategy
@pytest.mark.parametrize("scaling", ["last_value", "window", "difference", "mean", None])
def test_update_moves_on_as_if_the_series_had_been_longer(strategy, scaling):
    model = make(strategy=strategy, target_scaling=scaling, season=8).fit(DRIVER[:40], WAVE[:40])
    history = backtest(make(strategy=strategy, target_scaling=scaling, season=8), WAVE[:T], DRIVER[:T], initial_window=40, as_frame=False)
    for a, b in ((40, 41), (41, 47), (47, 57)):
        model.update(DRIVER[a:b], WAVE[a:b])
        expected = history["y_pred"][history["origin"] == b]
        np.testing.assert_allclose(model.predict(DRIVER[b : b + 3]), expected, rtol=0, atol=1e-6)


def test_update_can_learn():
    model = make().fit(None, WAVE[:50])
    before = model.predict()
    assert (make().fit(None, WAVE[:50]).update(None, WAVE[50:56]).predict() != before).any()
    moved, learned = (make().fit(None, WAVE[:50]).update(None, WAVE[50:56], learn=learn) for learn in (False, True))
    assert (moved.predict() != learned.predict()).any()
    assert learned.n_iter_ == 3


@every_strategy
def test_a_pickle_forecasts_alike(strategy):
    model = make(strategy=strategy).fit(None, WAVE[:T])
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(), model.predict())
    np.testing.assert_array_equal(again.sample(3), model.sample(3))
    np.testing.assert_array_equal(again.update(None, WAVE[T:]).predict(), model.update(None, WAVE[T:]).predict())


@every_strategy
def test_a_seed_gives_the_same_bits(strategy):
    one, other = (make(strategy=strategy).fit(None, WAVE[:T]) for _ in range(2))
    np.testing.assert_array_equal(one.predict_quantiles(), other.predict_quantiles())


def test_warm_start_goes_on():
    model = make(warm_start=True).fit(None, WAVE[:T])
    model.fit(None, WAVE[:T])
    assert (model.n_iter_, len(model.loss_curve_)) == (4, 4)


@every_strategy
def test_early_stopping_keeps_the_best(strategy):
    model = make(strategy=strategy, early_stopping=True, validation_fraction=0.2, n_iter_no_change=2, max_epochs=40).fit(None, WAVE[:T])
    assert len(model.validation_scores_) == model.n_iter_


# -- what is missing -----------------------------------------------------------------------------------------------------------------------------


@every_strategy
def test_missing_values_are_masked_on_request(strategy):
    y = WAVE[:T].copy()
    y[[0, 20, 21, T - 1]] = np.nan
    with pytest.raises(ValueError, match="y contains NaN, the first in row 0"):
        make(strategy=strategy).fit(None, y)
    model = make(strategy=strategy, missing="mask").fit(None, y)
    assert np.isfinite(model.predict()).all()
    assert np.isfinite(model.loss_curve_).all()
    assert np.isfinite(model.update(None, np.array([np.nan, 0.5])).predict()).all()


def test_errors_name_the_series_and_the_row():
    y = [WAVE[:40], WAVE[:40].copy()]
    y[1][17] = np.nan
    with pytest.raises(ValueError, match=r"series 1 of y contains NaN, the first in row 17"):
        make().fit(None, y)


# -- objectives and intervals ----------------------------------------------------------------------------------------------------------------------


@every_strategy
@pytest.mark.parametrize("objective", ["quantile", "squared", "absolute", "huber", "gaussian", "student_t", "negative_binomial"])
def test_every_objective_works_with_every_strategy(strategy, objective):
    counts = RNG.poisson(5 + 4 * WAVE[:T]).astype(float)
    model = make(strategy=strategy, objective=objective, n_paths=10).fit(None, counts)
    assert np.isfinite(model.predict()).all()
    if objective in ("squared", "absolute", "huber"):
        with pytest.raises(ValueError, match="says nothing about how far forecasts may be off"):
            model.predict_interval()
    else:
        quantiles = model.predict_quantiles(quantiles=[0.1, 0.5, 0.9])
        assert (np.diff(quantiles, axis=-1) >= 0).all()


@every_strategy
@pytest.mark.parametrize("objective", ["squared", "quantile", "student_t"])
@pytest.mark.parametrize("conformal", ["split", "adaptive"])
def test_conformal_intervals_are_there_for_every_objective(strategy, objective, conformal):
    model = make(strategy=strategy, objective=objective, conformal=conformal, calibration_fraction=0.4).fit(None, WAVE[:T])
    lower, upper = model.predict_interval(coverage=0.8)
    assert (lower <= upper).all()
    assert model.sample(5).shape == (3, 5)


def test_the_held_out_part_is_not_learned_from():
    other = WAVE[:T].copy()
    other[-12:] += 5
    one, two = (make(conformal="split").fit(None, y) for y in (WAVE[:T], other))
    for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def test_draws_of_distributions_are_paths_where_they_are_fed_back():
    walk = RNG.normal(size=300).cumsum()
    model = make(strategy="recursive", objective="gaussian", target_scaling="difference", max_epochs=10, horizon=8).fit(None, walk)
    spread = model.sample(400).std(axis=-1)
    assert spread[-1] > 1.8 * spread[0]  # √8, if the steps were independent


# -- scikit-learn's tools --------------------------------------------------------------------------------------------------------------------------


def test_a_search_over_windows_and_cells():
    search = GridSearchCV(
        make(time_column=0),
        {"n_lags": [2, 6], "cell": ["elman", "gru"], "strategy": ["direct", "recursive"]},
        cv=TimeSeriesSplit(2, test_size=3, gap=2),
    )
    search.fit(INDEX, WAVE[:T])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(np.arange(T, T + 3)[:, None]).shape == (3,)


def test_inside_a_target_transformer_and_a_pipeline():
    inner = make_pipeline(StandardScaler(), make())
    model = TransformedTargetRegressor(inner, func=np.log, inverse_func=np.exp, check_inverse=False).fit(DRIVER[:T], np.exp(WAVE[:T]))
    plain = make().fit(DRIVER[:T], WAVE[:T])
    np.testing.assert_allclose(model.predict(DRIVER[T : T + 3]), np.exp(plain.predict(DRIVER[T : T + 3])), rtol=1e-4)


def test_rows_after_a_gap_are_those_rows():
    model = make(time_column=0).fit(INDEX, WAVE[:T])
    np.testing.assert_array_equal(model.predict(np.array([[T + 2], [T + 3]])), model.forecast(4)[2:])


def test_the_score_is_that_of_the_steps_after_the_end():
    model = make().fit(None, WAVE[:T])
    assert model.score(None, WAVE[T : T + 5]) == r2_score(WAVE[T : T + 5], model.forecast(5))
    driven = make().fit(DRIVER[:T], WAVE[:T])
    assert driven.score(DRIVER[T : T + 5], WAVE[T : T + 5]) == r2_score(WAVE[T : T + 5], driven.predict(DRIVER[T : T + 5]))


# -- short series ----------------------------------------------------------------------------------------------------------------------------------


def given(*lengths):
    return GivenSeries([np.arange(float(n))[:, None] for n in lengths], None, len(lengths) > 1, True)


@pytest.mark.parametrize(
    ("settings", "lengths", "horizon", "n_lags"),
    [
        ({}, (60,), 12, 24),
        ({}, (13,), 12, 1),  # one window, but a window
        ({}, (12,), 3, 6),
        ({}, (10,), 2, 4),
        ({}, (2,), 1, 1),
        ({"n_lags": 5}, (16,), 4, 5),
        ({}, (10, 60), None, None),  # all series are to teach the same: the short one is refused
        ({}, (10, 11), 2, 4),
        ({"conformal": "split"}, (30,), 6, 12),
        ({"early_stopping": True}, (60,), 6, 12),
    ],
)
def test_a_default_horizon_becomes_less_where_the_series_are_too_short(settings, lengths, horizon, n_lags):
    model = RNNForecaster(**{"season": None} | settings)
    before = dict(vars(model))
    if horizon is None:
        with pytest.raises(ValueError, match="horizon=12 is longer than a series of y can teach, which has 10 steps"):
            model._planned(given(*lengths), None)
    else:
        planned = model._planned(given(*lengths), None)
        assert (planned.horizon, planned.n_lags) == (horizon, n_lags)
    assert vars(model) == before


def test_what_was_used_is_said():
    model = RNNForecaster(hidden_size=4, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match=r"horizon=12 is too long for series of up to 10 steps: horizon_=2 steps ahead are learned"):
        model.fit(None, WAVE[:10])
    assert (model.horizon_, model.n_lags_) == (2, 4)
    assert model.predict().shape == (2,)
    assert np.shape(model.predict_interval()) == (2, 2)
    with pytest.raises(ValueError, match="up to horizon=2 steps ahead; got 3"):
        model.predict_interval(np.zeros((3, 1)))


def test_learning_goes_on_with_the_windows_of_the_network():
    model = RNNForecaster(hidden_size=4, max_epochs=1, random_state=0, warm_start=True)
    with pytest.warns(UserWarning, match="horizon_=2"):
        model.fit(None, WAVE[:10])
    model.fit(None, WAVE[:T])
    assert (model.horizon_, model.n_lags_, model.season_) == (2, 4, 0)


# -- bad input -------------------------------------------------------------------------------------------------------------------------------------

DATES = pd.date_range("2020-01-01", periods=T, freq="D")
BAD = {
    "horizon": ({"horizon": 60}, None, WAVE[:T], "horizon=60 is longer than y can teach, which has 60 steps"),
    "window": ({"n_lags": 58}, None, WAVE[:T], "n_lags=58 and horizon=3 are longer than y, which has 60 steps"),
    "no target": ({}, None, None, "requires y to be passed"),
    "rows": ({}, DRIVER[:T], WAVE[: T - 1], "a row for each row"),
    "doubled": ({"time_column": 0}, np.append(np.arange(T - 1), T - 2)[:, None], WAVE[:T], "must increase: 58.0 in row 59 is there twice"),
    "unsorted": ({"time_column": 0}, INDEX[::-1], WAVE[:T], "must increase: 58.0 in row 1 comes after a later one"),
    "gap": ({"time_column": 0}, np.append(np.arange(T - 1), T + 3)[:, None], WAVE[:T], "gap between 58.0 and 63.0"),
    "dates": (
        {},
        None,
        pd.Series(WAVE[:T], index=DATES[[0, 0, *range(2, T)]]),
        "index of y must increase: 2020-01-01 00:00:00 in row 1 is there twice",
    ),
    "missing date": ({}, None, pd.Series(WAVE[: T - 1], index=DATES.delete(7)), "index of y has a gap between 2020-01-07"),
    "calibration": (
        {"conformal": "split", "calibration_fraction": 0.02},
        None,
        WAVE[:T],
        "calibration_fraction=0.02 holds out fewer steps than horizon=3",
    ),
    "stopping": (
        {"early_stopping": True, "validation_fraction": 0.02},
        None,
        WAVE[:T],
        "validation_fraction=0.02 holds out fewer steps than horizon=3",
    ),
    "fraction": ({"objective": "negative_binomial"}, None, WAVE[:T], "needs counts"),
    "quantiles": ({"quantiles": (0.5, 0.1)}, None, WAVE[:T], "must hold increasing levels between 0 and 1"),
    "column": ({"past_columns": (5,)}, DRIVER[:T], WAVE[:T], "past_columns is column 5, but X has 2 columns"),
    "name": ({"past_columns": ("c",)}, pd.DataFrame(DRIVER[:T], columns=["a", "b"]), WAVE[:T], "names the column 'c', which X has not"),
    "recursive": ({"past_columns": (0,), "strategy": "recursive"}, DRIVER[:T], WAVE[:T], "cannot be seen by strategy='recursive'"),
    "both ways": ({"bidirectional": True, "strategy": "recursive"}, None, WAVE[:T], "it needs bidirectional=False"),
    "infinite": ({}, None, np.append(WAVE[: T - 1], np.inf), "infinity"),
}


@pytest.mark.parametrize(("settings", "X", "y", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_named(settings, X, y, message):
    model = make(**settings)
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not model.__sklearn_is_fitted__()


def test_the_future_must_be_known():
    model = make().fit(DRIVER[:T], WAVE[:T])
    with pytest.raises(ValueError, match="X must hold the covariates of the steps to come, 2 features; got None"):
        model.predict()
    with pytest.raises(ValueError, match="X must hold n_steps=3 steps to come"):
        model.forecast(3, DRIVER[:2])
    with pytest.raises(ValueError, match="X has 1 features"):
        model.predict(DRIVER[:3, :1])


def test_other_series_are_refused():
    model = make().fit(None, [WAVE[:30], WAVE[:40]])
    with pytest.raises(ValueError, match="the new steps of the 2 series of fit, a list; got 3"):
        model.update(None, [WAVE[:3]] * 3)
    with pytest.raises(ValueError, match="the steps to come of the 2 series of fit; got 1"):
        model.predict([np.zeros((3, 1))])


def test_a_failed_update_changes_nothing():
    model = make(time_column=0).fit(INDEX, WAVE[:T])
    before = model.predict()
    with pytest.raises(ValueError, match="gap"):
        model.update(np.array([[T + 4], [T + 5]]), WAVE[:2])
    np.testing.assert_array_equal(model.predict(), before)


def test_before_fit():
    with pytest.raises(NotFittedError):
        make().predict()
    assert clone(make()).get_params() == make().get_params()
