"""EchoStateForecaster: what is its own. What it has in common with RNNForecaster is tested beside that."""

import copy
import pickle

import numpy as np
import pytest

from skrnn import EchoStateForecaster, EchoStateRegressor, backtest
from skrnn.adapters import NixtlaForecaster
from skrnn.training import NormalEquations, solve

T = 80
WAVE = np.sin(2 * np.pi * np.arange(T + 12) / 8 + 0.3)
DRIVER = np.random.default_rng(0).normal(size=(T + 12, 2))
SCALES = {"spectral_radius": 0.9, "leak_rate": 1.0, "input_scaling": 0.5}
every_strategy = pytest.mark.parametrize("strategy", ["direct", "recursive"])


def make(**settings):
    return EchoStateForecaster(**SCALES | {"hidden_size": 10, "horizon": 3, "n_lags": 4, "season": None, "random_state": 0} | settings)


@every_strategy
@pytest.mark.parametrize("n_lags", [1, 2, 5, 8])
@pytest.mark.parametrize("horizon", [1, 2, 5, 8])
def test_a_ramp_goes_on_by_reservoirs_too(strategy, n_lags, horizon):
    model = make(strategy=strategy, n_lags=n_lags, horizon=horizon, target_scaling="difference").fit(None, np.arange(1.0, 41.0))
    np.testing.assert_allclose(model.predict(), np.arange(41, 41 + horizon), atol=1e-3)


@every_strategy
@pytest.mark.parametrize("settings", [{}, {"n_reservoirs": 3, "n_groups": 2, "n_layers": 2}, {"include_input": False, "hidden_size": 40}])
def test_a_wave_is_forecast(strategy, settings):
    ahead = make(strategy=strategy, n_lags=16, horizon=8, **settings).fit(None, WAVE[:T]).predict()
    assert np.abs(ahead - WAVE[T : T + 8]).max() < 0.1


@every_strategy
def test_covariates_belong_to_the_step_itself(strategy):
    """A walk that a driver pushes, and a level that another lifts for one step."""
    y = 3 * DRIVER[:, 0] + 0.01 * np.random.default_rng(1).normal(size=len(DRIVER)).cumsum()
    model = make(strategy=strategy, horizon=6, alpha="block_cv").fit(DRIVER[:T], y[:T])
    assert np.abs(model.predict(DRIVER[T : T + 6]) - y[T : T + 6]).mean() < 0.3
    moved = DRIVER[T : T + 6].copy()
    moved[3, 0] += 1
    lifted = model.predict(moved) - model.predict(DRIVER[T : T + 6])
    assert lifted.argmax() == 3
    assert lifted[3] == pytest.approx(3, abs=0.3)


def test_the_forecast_of_an_ensemble_is_the_mean_of_its_members():
    """Each alone sees the columns of its own states; the mean of what they say is what the coefficients say."""
    model = make(n_reservoirs=2, alpha=0.1).fit(None, WAVE[:T])
    sums, shared = model._learned, model.coef_.shape[1] - 20
    alone = []
    for low in (0, 10):
        columns = np.r_[:shared, shared + low : shared + low + 10]
        alone.append((columns, *solve(sums.part(columns, np.arange(3)), 0.1)))
    z = np.random.default_rng(0).normal(size=model.coef_.shape[1])
    each = [coef @ z[columns] + intercept for columns, coef, intercept in alone]
    np.testing.assert_allclose(model.coef_ @ z + model.intercept_, np.mean(each, axis=0), rtol=1e-10)
    assert (model.n_reservoirs_, make().fit(None, WAVE[:T]).n_reservoirs_, make(strategy="recursive").fit(None, WAVE[:T]).n_reservoirs_) == (2, 1, 3)


def test_a_part_of_the_sums_is_the_sums_of_a_part():
    rng = np.random.default_rng(0)
    Z, Y, fold = rng.normal(size=(50, 6)), rng.normal(size=(50, 3)), np.arange(50) % 2
    some, few = np.array([0, 2, 5]), np.array([1, 2])
    part = NormalEquations(6, 3, 2).add(Z, Y, fold=fold).part(some, few)
    whole = NormalEquations(3, 2, 2).add(Z[:, some], Y[:, few], fold=fold)
    for mine, other in zip(part.folds, whole.folds, strict=True):
        np.testing.assert_allclose(mine.full_gram, other.full_gram, atol=1e-12)
        np.testing.assert_allclose(mine.cross, other.cross, atol=1e-12)
    np.testing.assert_allclose(solve(part, 0.5)[0], solve(whole, 0.5)[0], atol=1e-12)


def test_learning_on_is_one_regression_to_all():
    """With a given penalty, and units that do not depend on where the series ends."""
    settings = {"alpha": 0.1, "target_scaling": None}
    later = make(**settings).fit(None, WAVE[:60]).update(None, WAVE[60:70], learn=True).update(None, WAVE[70:T], learn=True)
    at_once = make(**settings).fit(None, WAVE[:T])
    np.testing.assert_allclose(later.coef_, at_once.coef_, atol=1e-6)
    np.testing.assert_allclose(later.intercept_, at_once.intercept_, atol=1e-6)


def test_running_on_learns_on():
    model = make(strategy="recursive", alpha=0.01, n_lags=30).fit(None, WAVE[:60] + 0.1 * DRIVER[:60, 0])
    before = model.coef_
    assert (model.update(None, WAVE[60:T], learn=True).coef_ != before).any()
    assert np.abs(model.predict() - WAVE[T : T + 3]).max() < 0.3


@every_strategy
def test_copies_learn_on_alike(strategy):
    model = make(strategy=strategy, alpha=0.01).fit(None, WAVE[:60])
    copies = pickle.loads(pickle.dumps(model)), copy.deepcopy(model), model.with_history(None, WAVE[:60])
    expected = model.update(None, WAVE[60:70], learn=True).predict()
    for other in copies:
        np.testing.assert_allclose(other.update(None, WAVE[60:70], learn=True).predict(), expected, rtol=1e-10)


def test_so_small_a_penalty_that_sums_do_not_show_it_learns_no_further():
    model = make(alpha=1e-30).fit(None, WAVE[:60])
    before = model.predict()
    with pytest.raises(ValueError, match="cannot go on with so small a penalty, alpha_=1e-30"):
        model.update(None, WAVE[60:70], learn=True)
    np.testing.assert_array_equal(model.predict(), before)


@every_strategy
def test_another_cell_is_a_reservoir_too(strategy):
    model = make(strategy=strategy, cell="lstm").fit(None, WAVE[:T])
    assert np.isfinite(model.predict()).all()
    assert model.spectral_radius_ is None


def test_a_free_run_is_that_of_a_regressor():
    """With the same reservoir, the penalty of free runs, and a past that is long enough to forget how it began."""
    x = np.sin(0.2 * np.arange(1200)) + 0.5 * np.sin(0.31 * np.arange(1200))
    settings = SCALES | {"hidden_size": 50, "random_state": 0, "dtype": "float64"}
    regressor = EchoStateRegressor(alpha="closed_loop", **settings).fit(x[:-1, None], x[1:])
    model = EchoStateForecaster(strategy="recursive", n_reservoirs=1, n_lags=800, **settings).fit(None, x)
    assert model.alpha_ == pytest.approx(regressor.alpha_, rel=0.01)
    np.testing.assert_allclose(model.forecast(50), regressor.forecast(50), atol=1e-3)


@every_strategy
def test_intervals_hold_what_they_say_of_noise(strategy):
    """A wave with noise of 0.3: an interval of 80 % is 0.77 wide, and the learned one is not far from it."""
    y = np.sin(2 * np.pi * np.arange(600) / 8) + 0.3 * np.random.default_rng(0).normal(size=600)
    model = make(strategy=strategy, n_lags=16, hidden_size=20)
    found = backtest(model, y, initial_window=400, coverage=0.8, as_frame=False)
    covered = (found["lower"] <= found["y_true"]) & (found["y_true"] <= found["upper"])
    assert 0.7 <= covered.mean() <= 0.9


def test_gaps_count_less():
    wave = np.sin(2 * np.pi * np.arange(303) / 8)
    y = wave[:300].copy()
    y[20:28] = np.nan
    y[150::37] = np.nan
    ahead = make(missing="mask", n_lags=16).fit(None, y).predict()
    assert np.abs(ahead - wave[300:]).max() < 0.1


def test_series_of_a_panel_share_a_readout():
    levels = (1.0, 100.0, 10.0)
    together = make(n_lags=16).fit(None, [level * (2 + WAVE[:T]) for level in levels])
    for level, ahead in zip(levels, together.predict(), strict=True):
        np.testing.assert_allclose(ahead / level, 2 + WAVE[T : T + 3], atol=0.05)


@pytest.mark.parametrize("y", [np.ones(T), np.arange(14.0), 1e12 * WAVE[:T], WAVE[:T].astype(np.float32), np.arange(T)], ids=str)
@every_strategy
def test_odd_series_are_forecast(strategy, y):
    model = make(strategy=strategy, n_lags="auto", target_scaling="difference").fit(None, y)
    assert np.isfinite(model.predict()).all()
    assert np.isfinite(model.predict_interval()).all()


def test_one_window_is_all_that_is_known():
    model = make(horizon=12, n_lags=1).fit(None, np.arange(13.0))
    np.testing.assert_allclose(model.predict(), np.arange(13.0, 25.0))


BAD = {
    "free runs of windows": ({"alpha": "closed_loop"}, "needs strategy='recursive'"),
    "free runs of little": ({"alpha": "closed_loop", "strategy": "recursive"}, "alpha='closed_loop' needs series without gaps"),
    "units of windows": ({"target_scaling": "last_value", "strategy": "recursive"}, "it needs target_scaling='auto', 'standard', 'robust'"),
    "rates": ({"leak_rate": (0.1, 0.2)}, "must be a number or a tuple of 10"),
    "no reservoir": ({"n_reservoirs": 0}, "n_reservoirs"),
    "strategy": ({"strategy": "seq2seq"}, "strategy"),
}


@pytest.mark.parametrize(("settings", "message"), BAD.values(), ids=BAD)
def test_what_reservoirs_cannot_do_is_named(settings, message):
    model = make(**settings)
    with pytest.raises(ValueError, match=message):
        model.fit(None, WAVE[:40])
    assert not model.__sklearn_is_fitted__()


def test_both_forecasters_stand_side_by_side_in_a_long_frame():
    pd = pytest.importorskip("pandas")
    days = pd.date_range("2024-01-01", periods=40)
    df = pd.concat([pd.DataFrame({"unique_id": k, "ds": days, "y": 3 + WAVE[:40]}) for k in "ab"])
    model = NixtlaForecaster([make(), make(n_reservoirs=2)]).fit(df)
    came = model.predict(2).rename(columns={"EchoStateForecaster": "y"})[["unique_id", "ds", "y"]]
    assert model.predict(3, level=[80]).shape == (6, 8)
    assert model.update(came, learn=True).predict(3).ds.min() == days[-1] + pd.Timedelta(days=3)
