"""EchoStateRegressor in a closed loop: its default stays within bounds, and what does not is said."""

import warnings

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression

from skrnn import EchoStateRegressor
from skrnn.datasets import make_lorenz, make_mackey_glass
from skrnn.estimators.reservoirs import _echo_state_regressor
from skrnn.training import DivergenceWarning

MACKEY_GLASS = make_mackey_glass(1500, random_state=0)[:, 0]
SYSTEMS = {"Mackey–Glass": MACKEY_GLASS, "Lorenz": make_lorenz(1500, random_state=0)[:, 0]}
STEPS = np.random.default_rng(0).normal(size=(300, 2))
SUMS = np.convolve(STEPS[:, 0], [1.0, 0.5, 0.25])[:300]
GIVEN = {"spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 0.3, "random_state": 0}


def run_freely(series, *, alone, **settings):
    """Targets after the first 1000, and what a closed loop makes of them."""
    X = np.zeros((len(series), 1)) if alone else series[:, None]
    model = EchoStateRegressor(**{"hidden_size": 100, "feedback": True} | settings).fit(X[:1000], series[1:1001])
    return series[1001:], model.predict(X[1000:-1], state=model.state_)


@pytest.mark.parametrize("alone", [False, True], ids=["beside its input", "alone"])
@pytest.mark.parametrize("series", SYSTEMS.values(), ids=SYSTEMS)
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_the_default_with_feedback_stays_within_bounds(seed, series, alone):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DivergenceWarning)
        _, free = run_freely(series, alone=alone, random_state=seed)
    assert np.abs(free - series.mean()).max() < 2 * np.abs(series - series.mean()).max()


@pytest.mark.slow
@pytest.mark.parametrize("series", SYSTEMS.values(), ids=SYSTEMS)
def test_the_default_with_feedback_is_nearer_than_the_penalty_of_one_step(series):
    def error(alpha, seed):
        true, free = run_freely(series, alone=False, hidden_size=300, random_state=seed, alpha=alpha)
        return np.sqrt(np.mean((true - free)[:84] ** 2) / series.var())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        assert np.median([error("auto", seed) for seed in range(3)]) < 0.6
        assert np.median([error("block_cv", seed) for seed in range(3)]) > 3


def test_a_loop_that_leaves_all_bounds_warns():
    with pytest.warns(DivergenceWarning, match=r"closed loop left all bounds: it gave \S+, more than 10 times as far"):
        _, free = run_freely(MACKEY_GLASS, alone=False, alpha=1e-12, hidden_size=200, dtype="float64", random_state=1)
    assert not np.abs(free).max() < 10
    model = EchoStateRegressor(20, alpha=0.0, readout=None, **GIVEN).fit(STEPS[:-1, :1], STEPS[1:, :1])
    model.coef_ = 100 * np.ones_like(model.coef_)
    with pytest.warns(DivergenceWarning, match="closed loop"):
        model.forecast(20)


def test_what_stays_within_bounds_does_not_warn():
    wave = np.sin(0.2 * np.arange(600))[:, None]
    for target in (wave, wave + 1e6, np.full_like(wave, 3.0)):
        with warnings.catch_warnings():
            warnings.simplefilter("error", DivergenceWarning)
            EchoStateRegressor(30, **GIVEN).fit(target[:-1], target[1:]).forecast(50)
            model = EchoStateRegressor(30, feedback=True, **GIVEN).fit(wave[:-1], target[1:])
            model.predict(wave), model.forecast(50, wave[:50])


def test_auto_is_the_closed_loop_with_feedback_alone():
    default = EchoStateRegressor(30, **GIVEN)
    assert default.alpha == "auto"
    np.testing.assert_array_equal(default.fit(STEPS, SUMS).coef_, EchoStateRegressor(30, alpha="block_cv", **GIVEN).fit(STEPS, SUMS).coef_)
    fed, by_hand = (EchoStateRegressor(30, feedback=True, alpha=alpha, **GIVEN).fit(STEPS, SUMS) for alpha in ("auto", "closed_loop"))
    np.testing.assert_array_equal(fed.coef_, by_hand.coef_)
    assert fed.alpha_ == by_hand.alpha_


@pytest.mark.parametrize("why", ["few steps", "weights", "piece by piece", "a model"])
def test_where_free_runs_cannot_choose_the_penalty_folds_do(why):
    X, y, weight = (STEPS[:40], SUMS[:40], None) if why == "few steps" else (STEPS, SUMS, np.arange(300.0) if why == "weights" else None)
    one, other = (
        EchoStateRegressor(10, feedback=True, alpha=alpha, readout=LinearRegression() if why == "a model" else None, **GIVEN)
        for alpha in ("auto", "block_cv")
    )
    for model in (one, other):
        if why == "piece by piece":
            model.partial_fit(X[:150], y[:150]).partial_fit(X[150:], y[150:], continue_stream=True)
        else:
            model.fit(X, y, weight)
    np.testing.assert_array_equal(one.predict(X), other.predict(X))


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"readout": "rls"}, r"readout='rls' learns step by step: alpha must be a number \(got 'auto'\)"),
        ({"readout": "force", "feedback": True}, r"readout='force' learns step by step: alpha must be a number"),
        ({"readout": "force", "alpha": 1.0}, "it needs feedback=True"),
    ],
)
def test_a_readout_is_refused_before_the_scales_are_searched(monkeypatch, settings, match):
    monkeypatch.setattr(_echo_state_regressor, "choose_scales", lambda *given: pytest.fail("the scales were searched"))
    model = EchoStateRegressor(10, **settings)
    for learn in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=match):
            learn(STEPS, SUMS)
    assert "coef_" not in vars(model)
