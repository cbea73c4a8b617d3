"""Objectives of forecasts: losses, best constants, quantiles and draws agree with each other and with scipy."""

import numpy as np
import pytest
import torch
from scipy import stats

from skrnn.training import NegativeBinomial, predictive

N = 400
RNG = np.random.default_rng(0)
REAL = torch.from_numpy(np.column_stack([RNG.normal(2, 3, N), RNG.standard_t(5, N)]))
COUNTS = RNG.poisson(4.0, (N, 2)).astype(float)
SCALES = 1 + RNG.uniform(0, 5, (N, 2))
WITH_SCALE = torch.from_numpy(np.column_stack([COUNTS, SCALES]))
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
WEIGHT = torch.from_numpy(RNG.uniform(0, 2, N))
NAMES = ["squared", "absolute", "huber", "quantile", "gaussian", "student_t", "negative_binomial"]
DISTRIBUTIONS = ["quantile", "gaussian", "student_t", "negative_binomial"]


def target(name):
    return WITH_SCALE if name == "negative_binomial" else REAL


def params_of(name, n=3000):
    """Some parameters in units of y, the same in all rows."""
    objective = predictive(name, LEVELS)
    outputs = np.broadcast_to(np.linspace(0.4, 1.5, objective.n_params), (n, objective.n_params))
    return objective, objective.in_units(outputs, np.full(n, 0.0 if name == "negative_binomial" else 5.0), np.full(n, 3.0))


@pytest.mark.parametrize("name", NAMES)
def test_there_is_a_loss_for_each_row(name):
    objective = predictive(name, LEVELS)
    outputs = torch.from_numpy(RNG.normal(size=(N, 2 * objective.n_params)))
    losses = objective.losses(outputs, target(name))
    assert losses.shape == (N,)
    assert losses.isfinite().all()


@pytest.mark.parametrize("name", NAMES)
def test_the_best_constant_is_better_than_one_that_is_elsewhere(name):
    objective = predictive(name, LEVELS)
    best = objective.best_constant(target(name), WEIGHT)
    least = objective.mean(best.expand(N, -1), target(name), WEIGHT)
    assert best.shape == (2 * objective.n_params,)
    for shift in (-0.7, 0.7):
        assert objective.mean((best + shift).expand(N, -1), target(name), WEIGHT) > least


@pytest.mark.parametrize("name", ["absolute", "quantile"])
def test_best_quantiles_are_exact(name):
    objective = predictive(name, LEVELS)
    best = objective.best_constant(REAL, torch.ones(N)).reshape(2, -1).numpy()
    expected = np.quantile(REAL.numpy(), LEVELS if name == "quantile" else [0.5], axis=0, method="inverted_cdf").T
    np.testing.assert_array_equal(best, expected)


def test_densities_are_those_of_scipy():
    outputs = torch.from_numpy(RNG.normal(size=(N, 1, 3)))
    y = REAL[:, :1]
    for name, dist in (("gaussian", stats.norm), ("student_t", stats.t)):
        objective = predictive(name, LEVELS)
        raw = outputs[..., : objective.n_params]
        params = objective.in_units(raw.numpy(), np.zeros((N, 1)), np.ones((N, 1)))
        shape = [params[..., 2]] if name == "student_t" else []
        expected = -dist.logpdf(y.numpy(), *shape, loc=params[..., 0], scale=params[..., 1])
        np.testing.assert_allclose(objective.value_losses(raw, y), expected, rtol=1e-9)


def test_the_negative_binomial_is_that_of_the_paper():
    """Variance μ + α μ², with μ in units of the scale and α by its root (Salinas et al., 2017, section 3.1)."""
    objective, outputs = NegativeBinomial(), torch.from_numpy(RNG.normal(size=(N, 2, 2)))
    params = objective.in_units(outputs.numpy(), np.zeros((N, 2)), SCALES)
    mu, alpha = params[..., 0], params[..., 1]
    expected = -stats.nbinom.logpmf(COUNTS, 1 / alpha, 1 / (1 + alpha * mu))
    np.testing.assert_allclose(objective.value_losses(outputs, WITH_SCALE), expected, rtol=1e-9)
    drawn = objective.sample(np.broadcast_to([4.0, 0.5], (200_000, 2)), np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(4.0, rel=0.02)
    assert drawn.var() == pytest.approx(4 + 0.5 * 16, rel=0.03)


def test_quantiles_of_counts_are_those_of_scipy():
    mu, alpha = np.array([0.01, 0.5, 5.0, 1000.0]), np.array([1.0, 0.5, 2.0, 0.01])
    q = [0.01, 0.3, 0.5, 0.9, 0.999]
    expected = stats.nbinom.ppf(q, 1 / alpha[:, None], 1 / (1 + alpha * mu)[:, None])
    np.testing.assert_array_equal(NegativeBinomial().quantiles(np.stack([mu, alpha], -1), q), expected)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_draws_have_the_quantiles(name):
    objective, params = params_of(name, 40_000)
    levels = [0.1, 0.5, 0.9]
    drawn = objective.sample(params, np.random.default_rng(0))
    expected = objective.quantiles(params[:1], levels)[0]
    tolerance = 1.0 if name == "negative_binomial" else 0.06 * np.ptp(expected)
    np.testing.assert_allclose(np.quantile(drawn, levels), expected, atol=tolerance)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_the_forecast_is_the_median_and_quantiles_do_not_cross(name):
    objective, params = params_of(name, 3)
    levels = np.linspace(0.1, 0.9, 33)
    found = objective.quantiles(params, levels)
    assert (np.diff(found, axis=-1) >= 0).all()
    np.testing.assert_allclose(objective.point(params), objective.quantiles(params, [0.5])[..., 0], rtol=1e-12)


def test_crossing_outputs_are_sorted():
    objective = predictive("quantile", [0.1, 0.5, 0.9])
    params = objective.in_units(np.array([[3.0, 1.0, 2.0]]), np.zeros(1), np.ones(1))
    np.testing.assert_array_equal(params, [[1.0, 2.0, 3.0]])


def test_beyond_the_learned_quantiles_are_the_tails_of_normal_distributions():
    objective, levels = predictive("quantile", LEVELS), [0.001, 0.025, 0.3, 0.975, 0.999]
    below, above = (stats.norm.ppf(LEVELS) * np.where(np.array(LEVELS) < 0.5, 2.0, 3.0) + 7.0)[None, None], stats.norm.ppf(levels)
    found = objective.quantiles(below, levels)[0, 0]
    expected = 7.0 + above * np.array([2.0, 2.0, 2.0, 3.0, 3.0])
    np.testing.assert_allclose(found[[0, 1, 3, 4]], expected[[0, 1, 3, 4]], rtol=1e-12)


@pytest.mark.parametrize(("learned", "asked"), [((0.5,), 0.9), ((0.1, 0.5), 0.9), ((0.5, 0.9), 0.1), ((0.7, 0.9), 0.1)])
def test_a_tail_without_a_quantile_is_refused(learned, asked):
    objective = predictive("quantile", learned)
    with pytest.raises(ValueError, match=r"were learned; got \[0\.[19]\]: set quantiles="):
        objective.quantiles(np.zeros((1, 1, len(learned))), [asked])
