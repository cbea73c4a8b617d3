"""Attention in two stages: what a prediction sees, and what is remembered."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import DualStageAttentionRegressor
from skrnn.engine import RTRL
from skrnn.training import ActivationPenalty

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)).cumsum(axis=0)
Y = X @ [0.5, 0.3, 0.2, 0.0] + 0.05 * RNG.normal(size=300)
FIRST, LAST = slice(0, 240), slice(240, 300)


def make(**settings):
    return DualStageAttentionRegressor(**{"hidden_size": 6, "n_lags": 3, "max_epochs": 3, "random_state": 0, "dtype": "float64"} | settings)


@pytest.fixture(scope="module")
def learned():
    return make(max_epochs=60).fit(X[FIRST], Y[FIRST])


def rmse(a, b):
    return np.sqrt(np.mean((a - b) ** 2))


# -- learning ----------------------------------------------------------------------------------------------------------------------------------


def test_beats_persistence_where_drivers_are_known(learned):
    assert rmse(learned.predict(X[LAST], Y[LAST]), Y[LAST]) < 0.4 * rmse(Y[239:299], Y[LAST])


def test_without_the_present_drivers_a_random_walk_has_no_model():
    model = make(max_epochs=60, include_current=False).fit(X[FIRST], Y[FIRST])
    assert rmse(model.predict(X[LAST], Y[LAST]), Y[LAST]) > 0.8 * rmse(Y[239:299], Y[LAST])


def test_follows_the_target_without_seeing_it(learned):
    assert rmse(learned.predict(X[LAST]), Y[LAST]) < 0.5 * np.std(Y[LAST])


def test_levels_without_difference():
    t = np.arange(300)
    drivers = np.column_stack([np.sin(0.2 * t), np.cos(0.3 * t)])
    model = make(difference=False, max_epochs=100, learning_rate=0.02).fit(drivers[FIRST], drivers.sum(axis=1)[FIRST])
    assert rmse(model.predict(drivers[LAST], drivers.sum(axis=1)[LAST]), drivers.sum(axis=1)[LAST]) < 0.2


# -- what a prediction sees --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("difference", [True, False])
@pytest.mark.parametrize("include_current", [True, False])
def test_a_prediction_sees_its_window_and_nothing_else(difference, include_current):
    """Of the drivers up to its step, or the one before, of the target up to the one before, as far back as n_lags."""
    model = make(difference=difference, include_current=include_current, max_epochs=15).fit(X[FIRST], Y[FIRST])
    base = model.predict(X[LAST], Y[LAST])
    drivers, target = X[LAST].copy(), Y[LAST].copy()
    drivers[30] += 1
    moved = np.flatnonzero(model.predict(drivers, Y[LAST]) != base)
    first = 30 if include_current else 31
    assert moved.tolist() == list(range(first, first + 3 + difference))
    target[30] += 1
    assert np.flatnonzero(model.predict(X[LAST], target) != base).tolist() == list(range(31, 34 + difference))


def test_in_differences_the_level_does_not_matter():
    one = make().fit(X[FIRST], Y[FIRST])
    other = make().fit(X[FIRST] + 1000, Y[FIRST] - 500)
    np.testing.assert_allclose(other.predict(X[LAST] + 1000, Y[LAST] - 500), one.predict(X[LAST], Y[LAST]) - 500, rtol=1e-6)


@pytest.mark.parametrize("difference", [True, False])
def test_what_stands_for_an_unknown_target_are_the_predictions(difference):
    model = make(difference=difference).fit(X[FIRST], Y[FIRST])
    alone = model.predict(X[LAST])
    np.testing.assert_allclose(model.predict(X[LAST], alone), alone, rtol=1e-9)


@pytest.mark.parametrize("difference", [True, False])
def test_update_moves_on(difference):
    model = make(difference=difference).fit(X[FIRST], Y[FIRST])
    all_at_once = model.predict(X[LAST], Y[LAST])
    one_by_one = [model.predict(X[k : k + 1])[0] for k in range(240, 300) if k == 240 or model.update(X[k - 1 : k], Y[k - 1 : k])]
    np.testing.assert_allclose(one_by_one, all_at_once, rtol=1e-9)


def test_the_last_value_of_the_history_is_not_used(learned):
    history = Y[LAST].copy()
    history[-1] = np.nan
    np.testing.assert_array_equal(learned.predict(X[LAST], history), learned.predict(X[LAST], Y[LAST]))


# -- attention ---------------------------------------------------------------------------------------------------------------------------------


def test_attention(learned):
    inputs, times = learned.input_attention(X[LAST]), learned.temporal_attention(X[LAST], Y[LAST])
    assert (inputs.shape, times.shape) == ((60, 3, 4), (60, 3, 3))
    np.testing.assert_allclose(inputs.sum(-1), 1)
    np.testing.assert_allclose(times.sum(-1), 1)
    np.testing.assert_allclose(learned.temporal_attention(X[LAST]), learned.temporal_attention(X[LAST], learned.predict(X[LAST])))


# -- scikit-learn ------------------------------------------------------------------------------------------------------------------------------


def test_same_seed_same_bits_and_through_pickle(learned):
    one, other = make().fit(X, Y), make().fit(X, Y)
    np.testing.assert_array_equal(one.predict(X[LAST]), other.predict(X[LAST]))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(learned)).predict(X[LAST]), learned.predict(X[LAST]))
    assert clone(learned).get_params() == learned.get_params()


def test_in_pipelines_and_searches():
    model = TransformedTargetRegressor(make_pipeline(StandardScaler(), make(max_epochs=2)), transformer=StandardScaler())
    search = GridSearchCV(model, {"regressor__dualstageattentionregressor__n_lags": [2, 4]}, cv=TimeSeriesSplit(2), error_score="raise")
    assert search.fit(X, Y).predict(X[:5]).shape == (5,)


def test_any_cell_and_a_decoder_of_its_own_size():
    model = make(cell="gru", decoder_size=4).fit(X, Y)
    assert (model.network_.encoder.hidden_size, model.network_.decoder.hidden_size) == (6, 4)


def test_early_stopping_holds_out_the_last_windows():
    model = make(early_stopping=True, max_epochs=30, n_iter_no_change=2).fit(X, Y)
    assert len(model.validation_scores_) == model.n_iter_


def test_a_default_window_becomes_less_where_the_series_is_too_short():
    model = DualStageAttentionRegressor(hidden_size=4, max_epochs=1, random_state=0)
    with pytest.warns(UserWarning, match="n_lags=10 is too long for 10 steps: n_lags_=4 is used"):
        model.fit(X[:10], Y[:10])
    assert model.n_lags_ == 4
    assert model.input_attention(X[10:13]).shape == (3, 4, 4)
    assert model.update(X[10:12], Y[10:12]).predict(X[12:14]).shape == (2,)


# -- what is refused ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "X", "y", "message"),
    [
        ({"n_lags": 300}, X, Y, r"n_lags=300 with difference=True needs more than 301 steps; got n_samples = 300"),
        ({}, X, Y[:-1], r"y should have shape"),
        ({}, X, np.where(np.arange(300) == 7, np.nan, Y), r"Input y contains NaN \(first at step 7\)"),
        ({}, X[None], Y[None], "X must be one series"),
        ({"rule": RTRL()}, X, Y, "rule='bptt'"),
        ({"penalties": ActivationPenalty()}, X, Y, "no penalties but WeightNoise"),
    ],
)
def test_what_is_refused(settings, X, y, message):
    with pytest.raises(ValueError, match=message):
        make(**settings).fit(X, y)


@pytest.mark.parametrize("history", [Y[:59], np.full(60, np.nan)])
def test_a_history_must_fit_to_the_steps(learned, history):
    with pytest.raises(ValueError, match=r"y should have shape|NaN"):
        learned.predict(X[LAST], history)


def test_a_failed_fit_changes_nothing(learned):
    before = learned.predict(X[LAST])
    with pytest.raises(ValueError, match="needs more than"):
        learned.fit(X[:4], Y[:4])
    np.testing.assert_array_equal(learned.predict(X[LAST]), before)
