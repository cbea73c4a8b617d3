"""What the driven tasks promise: targets that follow from the inputs by the equations of the literature."""

import numpy as np
import pytest
from scipy.stats import kstest

from skrnn.datasets import (
    make_channel_equalization,
    make_memory_task,
    make_multiple_superimposed_oscillators,
    make_narma,
    make_spike_templates,
    make_stream_parity,
)
from skrnn.datasets._signals import _DIVERGED


@pytest.mark.parametrize("make", [make_narma, make_memory_task, make_stream_parity, make_channel_equalization, make_spike_templates])
def test_the_seed_alone_decides(make):
    before = np.random.get_state()[1].copy()
    (X, y), (same, same_y), (other, _) = make(60, random_state=0), make(60, random_state=0), make(60, random_state=1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(X, same)
    np.testing.assert_array_equal(y, same_y)
    assert not np.array_equal(X, other)
    assert len(X) == len(y) == 60


def narma(u, y, order, step):
    """The value after ``step``, from inputs and outputs; ``y[k]`` is the value that comes with ``u[k]``."""
    past = y[step - order : step]
    a = 0.3 * past[-1] + 0.05 * past[-1] * past.sum() + 1.5 * u[step] * u[step - order + 1]
    return a + 0.1 if order <= 10 else np.tanh(a + 0.01) + 0.2


@pytest.mark.parametrize("order", [1, 2, 10, 11, 20, 30])
def test_narma(order):
    X, y = make_narma(500, order, random_state=0)
    u = X[:, 0]
    expected = [narma(u, y, order, step) for step in range(order, 500)]
    np.testing.assert_allclose(y[order:], expected, rtol=1e-12)
    assert kstest(make_narma(20_000, order, random_state=0)[0][:, 0], "uniform", (0, 0.5)).pvalue > 0.01


def test_narma_never_runs_away():
    """It would about once in 100,000 steps; where inputs were drawn again, the series still follows from them."""
    X, y = make_narma(500_000, random_state=0)
    assert y.max() < 1.5 < _DIVERGED
    u = X[:, 0]
    means = np.convolve(y, np.ones(10))[9:-10]
    np.testing.assert_allclose(y[10:], 0.3 * y[9:-1] + 0.05 * y[9:-1] * means + 1.5 * u[10:] * u[1:-9] + 0.1, rtol=1e-9)


def test_multiple_superimposed_oscillators():
    x = make_multiple_superimposed_oscillators(20_000, 8)[:, 0]
    strength = np.abs(np.fft.rfft(x * np.hanning(len(x))))
    peaks = np.flatnonzero((strength[1:-1] > strength[:-2]) & (strength[1:-1] > strength[2:]) & (strength[1:-1] > strength.max() / 10)) + 1
    np.testing.assert_allclose(peaks * 2 * np.pi / len(x), [0.2, 0.311, 0.42, 0.51, 0.63, 0.74, 0.85, 0.97], atol=2e-4)
    assert x[0] == 0


def test_memory_task():
    X, y = make_memory_task(200, 30, random_state=0)
    assert y.shape == (200, 30)
    for delay in range(1, 31):
        assert np.isnan(y[:delay, delay - 1]).all()
        np.testing.assert_array_equal(y[delay:, delay - 1], X[:-delay, 0])
    np.testing.assert_array_equal(make_memory_task(200, [0, 7], random_state=0)[1], np.column_stack([X[:, 0], y[:, 6]]))


@pytest.mark.parametrize(("n_bits", "delay"), [(1, 0), (2, 0), (3, 0), (5, 2)])
def test_stream_parity(n_bits, delay):
    X, y = make_stream_parity(400, n_bits, delay, random_state=0)
    first = n_bits - 1 + delay
    assert np.isnan(y[:first]).all()
    signs = [np.prod(-X[end - n_bits : end, 0]) for end in range(n_bits, 401 - delay)]
    np.testing.assert_array_equal(y[first:], np.less(signs, 0))
    assert abs(X.mean()) < 0.15


@pytest.mark.parametrize("delay", [0, 2, 10])
def test_channel_without_noise(delay):
    X, y = make_channel_equalization(400, np.inf, delay, random_state=0)
    assert set(y) == {-3, -1, 1, 3}
    d = y[delay:]  # the symbol of step n stands at n
    weights = {-2: 0.08, -1: -0.12, 0: 1, 1: 0.18, 2: -0.1, 3: 0.091, 4: -0.05, 5: 0.04, 6: 0.03, 7: 0.01}
    steps = np.arange(7, 400 - delay - 2)
    q = sum(weight * d[steps - k] for k, weight in weights.items())
    np.testing.assert_allclose(X[steps, 0], q + 0.036 * q**2 - 0.011 * q**3, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("snr_db", [12, 32])
def test_noise_of_the_channel(snr_db):
    clean = make_channel_equalization(50_000, np.inf, random_state=0)[0]
    noise = make_channel_equalization(50_000, snr_db, random_state=0)[0] - clean
    assert 10 * np.log10(clean.var() / noise.var()) == pytest.approx(snr_db, abs=0.1)
    assert kstest(noise[:, 0] / noise.std(), "norm").pvalue > 0.01


def test_spike_templates_without_jitter_are_the_templates():
    X, y = make_spike_templates(200, n_channels=3, n_segments=5, jitter=0, random_state=0)
    assert X.shape == (200, 2000, 3)
    assert X.dtype == np.float32
    assert set(np.unique(X)) == {0, 1}
    parts = X.reshape(200, 5, -1)
    for segment in range(5):
        patterns = [parts[y[:, segment] == k, segment] for k in (0, 1)]
        for k in (0, 1):
            np.testing.assert_array_equal(patterns[k], np.broadcast_to(patterns[k][0], patterns[k].shape))
        assert not np.array_equal(patterns[0][0], patterns[1][0])
    assert 0.4 < y.mean() < 0.6


def test_jitter_moves_spikes_by_its_standard_deviation():
    settings = {"n_channels": 30, "n_segments": 1, "rate": 5.0, "duration": 200.0, "dt": 0.1, "random_state": 0}
    X, y = make_spike_templates(2000, **settings)
    still, _ = make_spike_templates(2000, jitter=0, **settings)
    rows = y[:, 0] == 1
    template = still[rows][0]
    alone = template.sum(axis=0) == 1
    places = template[:, alone].argmax(axis=0)
    inside = (places > 300) & (places < 1700)  # a spike at the edge may be lost
    assert inside.sum() >= 5
    moved = 0.1 * (X[rows][:, :, alone][:, :, inside].argmax(axis=1) - places[inside])
    np.testing.assert_allclose(moved.std(axis=0), 4, rtol=0.1)
    np.testing.assert_allclose(moved.mean(axis=0), 0, atol=0.5)


def test_rate_of_spike_templates():
    counts = [make_spike_templates(1, n_channels=10, rate=30.0, random_state=seed)[0].sum() for seed in range(50)]
    assert np.mean(counts) / 10 == pytest.approx(30, rel=0.05)  # two spikes in one step are one: a per cent


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: make_narma(10, 0), "order must be a whole number of at least 1; got 0"),
        (lambda: make_multiple_superimposed_oscillators(10, 9), "n_oscillators must be at most 8; got 9"),
        (lambda: make_memory_task(20, 20), "n_steps must be a whole number of at least 21; got 20"),
        (lambda: make_memory_task(20, []), "the number of delays must be a whole number of at least 1; got 0"),
        (lambda: make_memory_task(20, [1, -1]), "delays must be a whole number of at least 0; got -1"),
        (lambda: make_stream_parity(5, 4, 2), "n_steps must be a whole number of at least 6; got 5"),
        (lambda: make_channel_equalization(10, float("nan")), "snr_db must be a number of decibels, or infinity; got nan"),
        (lambda: make_spike_templates(10, jitter=-1), "jitter must be a number of at least 0; got -1"),
        (lambda: make_spike_templates(10, rate=0), "rate must be a number above 0; got 0"),
        (lambda: make_spike_templates(10, duration=0.1), "duration / dt must be a whole number of at least 1; got 0"),
    ],
)
def test_errors_say_what_was_expected(make, match):
    with pytest.raises(ValueError, match=match):
        make()
