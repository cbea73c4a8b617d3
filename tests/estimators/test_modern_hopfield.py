"""The Hopfield network of real patterns."""

import pickle

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from benchmarks import _experiments as experiments
from skrnn import ModernHopfield

RNG = np.random.default_rng(0)
N = 16
PATTERNS = RNG.normal(size=(40, N))
NOISY = PATTERNS + 0.3 * RNG.normal(size=PATTERNS.shape)


@parametrize_with_checks([ModernHopfield(), ModernHopfield(0.2, n_iter=3)])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("seed", range(3))
def test_one_step_is_enough_where_the_temperature_is_low(seed):
    """The paper's claim: 200 patterns of 64 numbers, half a standard deviation of noise."""
    assert experiments.error_of_one_step(1.0, seed) < 1e-3
    assert experiments.error_of_one_step(0.1, seed) > 0.3


def test_where_the_temperature_is_high_all_become_the_mean():
    network = ModernHopfield(0.01, n_iter=20).fit(PATTERNS)
    np.testing.assert_allclose(network.predict(NOISY), np.tile(PATTERNS.mean(axis=0), (len(NOISY), 1)), atol=0.05)


@pytest.mark.parametrize("n_iter", [1, 2, 5])
@pytest.mark.parametrize("beta", [0.05, 1.0, 100.0])
def test_recall_is_attention(beta, n_iter):
    xi = NOISY
    for _ in range(n_iter):
        xi = softmax(beta * xi @ PATTERNS.T, axis=1) @ PATTERNS
    network = ModernHopfield(beta, n_iter=n_iter).fit(PATTERNS)
    np.testing.assert_allclose(network.predict(NOISY), xi, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(network.transform(NOISY), network.predict(NOISY))


@pytest.mark.parametrize("beta", [0.05, 0.3, 1.0, 1000.0])
def test_the_energy_is_that_of_the_paper_and_never_rises(beta):
    network, xi = ModernHopfield(beta).fit(PATTERNS), NOISY
    constant = np.log(len(PATTERNS)) / beta + np.square(PATTERNS).sum(axis=1).max() / 2
    for _ in range(6):
        expected = -logsumexp(beta * xi @ PATTERNS.T, axis=1) / beta + np.square(xi).sum(axis=1) / 2 + constant
        energy = network.energy(xi)
        np.testing.assert_allclose(energy, expected, rtol=0, atol=1e-11)
        assert (energy > -1e-12).all()
        xi = network.predict(xi)
        assert (network.energy(xi) <= energy + 1e-12).all()


def test_patterns_in_parts_are_patterns_at_once():
    parts = ModernHopfield().partial_fit(PATTERNS[:7]).partial_fit(PATTERNS[7:])
    np.testing.assert_array_equal(parts.patterns_, PATTERNS)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(parts)).predict(NOISY), ModernHopfield().fit(PATTERNS).predict(NOISY))


def test_the_patterns_are_a_copy():
    X = PATTERNS.copy()
    network = ModernHopfield().fit(X)
    X[:] = 0
    np.testing.assert_array_equal(network.patterns_, PATTERNS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_query_has_the_same_bits_in_any_company(dtype, monkeypatch):
    network, queries = ModernHopfield(0.5, n_iter=2).fit(PATTERNS.astype(dtype)), NOISY.astype(dtype)
    found, energies = network.predict(queries), network.energy(queries)
    assert (found.dtype, energies.dtype) == (dtype, np.float64)
    for rows in (RNG.permutation(40), np.arange(3, 20), *([k] for k in range(0, 40, 7))):
        np.testing.assert_array_equal(network.predict(queries[rows]), found[rows])
        np.testing.assert_array_equal(network.energy(queries[rows]), energies[rows])
    monkeypatch.setattr("skrnn.estimators.memories._modern_hopfield._NUMBERS", 5 * len(PATTERNS))
    np.testing.assert_array_equal(network.predict(queries), found)


def test_the_score_is_the_cosine():
    network = ModernHopfield(100.0).fit(np.eye(N))
    assert network.score(np.eye(N)) == pytest.approx(1)
    assert network.score(np.eye(N), np.eye(N)[::-1]) == pytest.approx(0)
    network = ModernHopfield(100.0).fit(PATTERNS)
    found = network.predict(NOISY)
    cosines = np.diag(found @ PATTERNS.T) / (np.linalg.norm(found, axis=1) * np.linalg.norm(PATTERNS, axis=1))
    assert network.score(NOISY, PATTERNS) == pytest.approx(cosines.mean())
    assert network.score(PATTERNS, -PATTERNS) == pytest.approx(-network.score(PATTERNS))
    assert network.score(PATTERNS, np.arange(40)) == network.score(PATTERNS)
    assert network.score(np.zeros((2, N)), np.zeros((2, N))) == 0
    assert GridSearchCV(ModernHopfield(), {"beta": [1e-3, 10.0]}, cv=2).fit(PATTERNS).best_params_ in ({"beta": 1e-3}, {"beta": 10.0})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 0}, "The 'beta' parameter of ModernHopfield must be a float in the range"),
        ({"beta": np.inf}, "The 'beta' parameter of ModernHopfield must be a float in the range"),
        ({"n_iter": 0}, "The 'n_iter' parameter of ModernHopfield must be an int in the range"),
    ],
)
def test_a_parameter_is_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        ModernHopfield(**settings).fit(PATTERNS)


def test_what_are_no_patterns_is_refused():
    with pytest.raises(ValueError, match="Input X contains NaN"):
        ModernHopfield().fit(PATTERNS * np.nan)
    network = ModernHopfield().fit(PATTERNS)
    with pytest.raises(ValueError, match="X has 15 features, but ModernHopfield is expecting 16"):
        network.predict(PATTERNS[:, 1:])
    with pytest.raises(ValueError, match="X has 15 features, but ModernHopfield is expecting 16"):
        network.partial_fit(PATTERNS[:, 1:])
    with pytest.raises(ValueError, match=r"y must hold a pattern for each row of X, of shape \(40, 16\); got shape \(40, 15\)"):
        network.score(PATTERNS, PATTERNS[:, 1:])


def test_a_temperature_of_any_size_is_taken():
    for beta in (1e-300, 1e300):
        network = ModernHopfield(beta).fit(1e3 * PATTERNS)
        assert np.isfinite(network.predict(1e3 * NOISY)).all()


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 1e30), (np.float64, 1e200)])
def test_numbers_whose_products_overflow_are_refused(dtype, scale):
    X = (scale * PATTERNS).astype(dtype)
    network = ModernHopfield().fit(X)
    for ask in (network.predict, network.score):
        with pytest.raises(ValueError, match=f"X is too large: scalar products with the patterns are not finite in {np.dtype(dtype)}"):
            ask(X)
