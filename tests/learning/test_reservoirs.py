"""Reservoirs reach what is published, and what is left at "auto" is chosen well: means over seeds 0 to 9, settings found on other seeds.

The first seeds alone are run every time, against the same bounds.
"""

from functools import cache

import numpy as np
import pytest
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from benchmarks._tasks import DATA, read_ts
from skrnn import EchoStateClassifier, EchoStateRegressor
from skrnn.datasets import (
    make_channel_equalization,
    make_lorenz,
    make_mackey_glass,
    make_memory_task,
    make_narma,
    make_stream_parity,
)
from skrnn.metrics import nrmse, valid_time

SEEDS = pytest.mark.parametrize("n_seeds", [2, pytest.param(10, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])])
LOSS = 1.01  # of float32 states against float64


def one_step_error(X, y, seed, n_train, **settings):
    """NRMSE on the steps after the first ``n_train``, to which the reservoir runs on."""
    model = EchoStateRegressor(random_state=seed, **settings).fit(X[:n_train], y[:n_train])
    return nrmse(y[n_train:], model.predict(X[n_train:], state=model.state_))


# NARMA of order ten


@cache
def narma(n_seeds, **settings):
    errors = [one_step_error(*make_narma(3000, random_state=seed), seed, 2000, **settings) for seed in range(n_seeds)]
    return np.mean(errors), errors


NARMA = [(50, 0.9, 0.7, 0.40), (100, 0.8, 1.0, 0.28), (200, 0.9, 1.0, 0.18), (500, 0.95, 1.0, 0.11)]


@pytest.mark.parametrize(("hidden_size", "spectral_radius", "leak_rate", "bound"), NARMA)
@pytest.mark.slow
def test_narma_tuned(hidden_size, spectral_radius, leak_rate, bound):
    tuned = {"spectral_radius": spectral_radius, "leak_rate": leak_rate, "input_scaling": 0.05, "standardize": False}
    single, double = (narma(10, hidden_size=hidden_size, dtype=dtype, **tuned) for dtype in ("float32", "float64"))
    assert single[0] <= bound, single
    assert single[0] <= LOSS * double[0], (single, double)


@SEEDS
def test_narma_untuned(n_seeds):
    mean, errors = narma(n_seeds, hidden_size=500)
    assert mean <= 0.15, errors


def test_scores_of_later_parts_are_not_those_of_a_cold_start():
    """Readout weights are in the thousands here: errors of the first steps, before the start is forgotten, would drown all others."""
    model = EchoStateRegressor(200, spectral_radius=0.9, leak_rate=1.0, input_scaling=0.03, random_state=0)
    scores = cross_val_score(model, *make_narma(3000, random_state=0), cv=TimeSeriesSplit(2))
    assert scores.min() >= 0.9, scores


# Nine tasks of different kinds, nothing tuned


def mackey_glass_ahead(n_steps, seed, ahead):
    x = make_mackey_glass(n_steps + ahead, random_state=seed)
    return x[:-ahead], x[ahead:, 0]


def lorenz_next(n_steps, seed):
    s = make_lorenz(n_steps + 1, random_state=seed)
    return s[:-1], s[1:]


def lorenz_z_from_x(n_steps, seed):
    s = make_lorenz(n_steps, random_state=seed)
    return s[:, :1], s[:, 2]


TASKS = {
    "narma": lambda n, seed: make_narma(n, random_state=seed),
    "mackey-glass": lambda n, seed: mackey_glass_ahead(n, seed, 1),
    "mackey-glass 84": lambda n, seed: mackey_glass_ahead(n, seed, 84),
    "lorenz": lorenz_next,
    "lorenz z from x": lorenz_z_from_x,
    "delay 15": lambda n, seed: make_memory_task(n, [15], random_state=seed),
    "parity 5": lambda n, seed: make_stream_parity(n, 5, random_state=seed),
    "channel": lambda n, seed: make_channel_equalization(n, 24, random_state=seed),
}
# Of the best of 36 settings with 500 units, each fitted and tested.
ORACLE = [("narma", 0.112), ("mackey-glass 84", 0.0089), ("delay 15", 0.0086), ("parity 5", 0.0044), ("channel", 0.079), ("mackey-glass", 1.3e-5)]
LORENZ = [("lorenz", 1.0e-7), ("lorenz z from x", 4.3e-5)]
FAR = pytest.mark.xfail(
    reason="means ruled by series that leave the range of training; medians are 2.0 and 4.0 times the oracle", raises=AssertionError
)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("task", "oracle"), ORACLE + [pytest.param(*case, marks=FAR) for case in LORENZ])
def test_untuned_is_near_the_best_setting(task, oracle):
    errors = [one_step_error(*TASKS[task](5000, seed), seed, 4000, hidden_size=500) for seed in range(10)]
    assert np.mean(errors) <= 3 * oracle, errors


@SEEDS
def test_untuned_on_sunspots(n_seeds):
    """309 years, of which 200 are learned from: the penalty has to keep 500 units from learning the noise."""
    sunspots = pytest.importorskip("statsmodels.datasets.sunspots")
    s = sunspots.load_pandas().data["SUNACTIVITY"].to_numpy()[:, None]
    errors = [one_step_error(s[:-1], s[1:, 0], seed, 200, hidden_size=500) for seed in range(n_seeds)]
    assert np.mean(errors) <= 3 * 0.330, errors


# Mackey–Glass, running freely


def log_nrmse_84(seed, **settings):
    """log10 of the error 84 steps ahead, over 50 continuations, in the way of Jaeger (2001): the series is tanh(x − 1), 3,000 steps of it are learned
    from, and each continuation is 1,000 true steps and 84 free ones."""
    x = make_mackey_glass(3001 + 50 * 1084, method="euler", random_state=seed)
    s = np.tanh(x - 1)
    model = EchoStateRegressor(standardize=False, random_state=seed, **settings).fit(s[:3000], s[1:3001])
    later = s[3001:].reshape(50, 1084, 1)
    _, state = model.predict(later[:, :1000], return_state=True)
    ahead = np.arctanh(np.clip(model.forecast(83, state=state)[:, -1, 0], -1 + 1e-6, 1 - 1e-6))  # the first free step is that of predict
    return np.log10(np.sqrt(np.mean((ahead - np.arctanh(later[:, -1, 0])) ** 2)) / np.std(x - 1))


FREE = {"spectral_radius": 0.9, "leak_rate": 0.5, "washout": 100, "dtype": "float64", "alpha": "closed_loop", "input_scaling": 1.0}


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("hidden_size", "bound"), [(400, -3.4), (1000, -4.2)])
def test_mackey_glass_84_steps_ahead(hidden_size, bound):
    """Jaeger (2001) has −3.55 with 400 units, Jaeger & Haas (2004) −4.2 with 1,000; the mean is over the logarithms."""
    logs = [log_nrmse_84(seed, hidden_size=hidden_size, **FREE) for seed in range(10)]
    assert np.mean(logs) <= bound, logs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_no_penalty_makes_a_free_run_overflow(dtype):
    s = np.tanh(make_mackey_glass(3001, method="euler", random_state=0) - 1)
    for alpha in np.logspace(-14, 0, 8):
        settings = FREE | {"hidden_size": 200, "dtype": dtype, "alpha": alpha}
        ahead = EchoStateRegressor(standardize=False, random_state=0, **settings).fit(s[:-1], s[1:]).forecast(1000)
        assert np.abs(ahead).max() < 10, alpha


# Lorenz, running freely


@cache
def valid_times(n_seeds, hidden_size, dtype):
    """Lyapunov times for which a free run after 5,000 steps is right, at most 9.06."""
    times = []
    for seed in range(n_seeds):
        s = make_lorenz(5501, random_state=seed)
        model = EchoStateRegressor(hidden_size, alpha="closed_loop", dtype=dtype, random_state=seed).fit(s[:5000], s[1:5001])
        times.append(valid_time(s[5001:], model.forecast(500), dt=0.02, lyapunov_exponent=0.9056, scale=s[:5001].std(axis=0)))
    return times


@SEEDS
def test_lorenz_runs_freely(n_seeds):
    times = valid_times(n_seeds, 300, "float32")
    assert np.median(times) >= 8.5, times


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("hidden_size", [300, 1000])
def test_lorenz_runs_freely_in_single_precision_too(hidden_size):
    single, double = (valid_times(10, hidden_size, dtype) for dtype in ("float32", "float64"))
    assert min(np.median(single), np.median(double)) >= 8.5, (single, double)
    assert LOSS * np.median(single) >= np.median(double), (single, double)


# Japanese vowels


VOWELS = {"hidden_size": 100, "spectral_radius": 0.9, "leak_rate": 0.2, "input_scaling": 0.3, "pooling": "last"}


@cache
def vowels():
    if not (DATA / "JapaneseVowels_TRAIN.ts").exists():
        pytest.skip("the files are not there; SKRNN_DATA may name their folder")
    return [part for name in ("TRAIN", "TEST") for part in read_ts(DATA / f"JapaneseVowels_{name}.ts")]


def errors_of_370(n_seeds, **settings):
    """Errors of each of several classifiers, and of the mean of their outputs."""
    X, y, X_test, y_test = vowels()
    outputs = []
    for seed in range(n_seeds):
        model = EchoStateClassifier(random_state=seed, **settings).fit(X, y)
        outputs.append(model.decision_function(X_test))
    wrong = [int((model.classes_[output.argmax(1)] != y_test).sum()) for output in (*outputs, np.mean(outputs, axis=0))]
    return wrong[:-1], wrong[-1]


@SEEDS
def test_vowels_tuned(n_seeds):
    wrong, _ = errors_of_370(n_seeds, **VOWELS)
    assert np.mean(wrong) <= 6, wrong


@pytest.mark.slow
def test_vowels_by_an_ensemble():
    wrong, together = errors_of_370(20, **VOWELS)
    assert together <= 2, wrong


@SEEDS
def test_vowels_by_default(n_seeds):
    wrong, _ = errors_of_370(n_seeds)
    assert np.mean(wrong) <= 10, wrong


@pytest.mark.slow
def test_vowels_in_single_precision():
    single, double = (errors_of_370(10, **VOWELS, dtype=dtype)[0] for dtype in ("float32", "float64"))
    assert np.mean(single) <= LOSS * np.mean(double), (single, double)
