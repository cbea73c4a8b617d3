"""The Gaussian of errors, and the threshold."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from skrnn.estimators.anomalies._scores import ErrorGaussian

RNG = np.random.default_rng(0)
MIXING = RNG.normal(size=(4, 4))
ERRORS = RNG.normal(size=(5000, 4)) @ MIXING.T + [1.0, 0.0, -3.0, 0.5]


def test_distances_are_those_of_the_gaussian_that_the_errors_came_from():
    points = RNG.normal(size=(50, 4)) @ MIXING.T * 2
    mean, covariance = np.array([1.0, 0.0, -3.0, 0.5]), MIXING @ MIXING.T
    expected = np.einsum("ij,jk,ik->i", points - mean, np.linalg.inv(covariance), points - mean)
    np.testing.assert_allclose(ErrorGaussian.of(ERRORS, "auto").distances(points), expected, rtol=0.1)


def test_rank_as_the_density():
    points = RNG.normal(size=(200, 4)) @ MIXING.T * 2
    density = multivariate_normal(ERRORS.mean(0), np.cov(ERRORS.T)).logpdf(points)
    assert np.corrcoef(density, -ErrorGaussian.of(ERRORS, "auto").distances(points))[0, 1] > 0.999


@pytest.mark.parametrize("n_known", range(5))
def test_missing_components_add_what_is_expected_of_them(n_known):
    """Given the others: mean over draws from the conditional distribution."""
    gaussian = ErrorGaussian.of(ERRORS, "auto")
    known = ERRORS[0, :n_known]
    vector = np.full((1, 4), np.nan)
    vector[0, :n_known] = known
    L = gaussian.factor
    whitened = RNG.normal(size=(200_000, 4))
    whitened[:, :n_known] = np.linalg.solve(L[:n_known, :n_known], ((known - gaussian.mean[:n_known]) / gaussian.scale[:n_known]))
    draws = gaussian.mean + gaussian.scale * (whitened @ L.T)
    np.testing.assert_allclose(draws[:, :n_known], np.broadcast_to(known, (len(draws), n_known)))
    np.testing.assert_allclose(gaussian.distances(vector)[0], gaussian.distances(draws).mean(), rtol=0.03)


def test_scaling_a_component_changes_nothing():
    factor = np.array([1e-4, 1.0, 1e4, 3.0])
    one, other = ErrorGaussian.of(ERRORS, "auto"), ErrorGaussian.of(ERRORS * factor, "auto")
    np.testing.assert_allclose(one.distances(ERRORS), other.distances(ERRORS * factor), rtol=1e-9)


@pytest.mark.parametrize(
    "errors",
    [
        np.zeros((20, 3)),
        np.c_[RNG.normal(size=(20, 1)), np.zeros((20, 2))],
        np.repeat(RNG.normal(size=(20, 1)), 3, axis=1),
        RNG.normal(size=(5, 40)),
    ],
    ids=["perfect", "constant", "equal", "few"],
)
@pytest.mark.parametrize("shrinkage", ["auto", 0.1, 1.0])
def test_a_singular_covariance_still_tells_what_is_far(errors, shrinkage):
    gaussian = ErrorGaussian.of(errors, shrinkage)
    near, far = gaussian.distances(np.stack([errors[0], errors[0] + 100]))
    assert np.isfinite([near, far]).all()
    assert far > 100 + near


def test_shrunk_to_the_end_every_component_counts_by_itself():
    gaussian = ErrorGaussian.of(ERRORS, 1.0)
    points = RNG.normal(size=(50, 4))
    np.testing.assert_allclose(gaussian.distances(points), (((points - ERRORS.mean(axis=0)) / ERRORS.std(axis=0)) ** 2).sum(axis=1))
