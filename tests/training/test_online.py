import numpy as np
import pytest
from sklearn.linear_model import Ridge

from skrnn.kernels._rls import RLSState, rls, rls_step
from skrnn.training import NormalEquations, RecursiveLeastSquares, solve

EXACT = 1e-6  # float64, against ridge regression of all rows
N, P, K = 2000, 10, 2
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, P)) @ RNG.normal(size=(P, P)) + 3
Y = np.tanh(Z[:, :K]) + RNG.normal(size=(N, K)) + 5
intercepts = pytest.mark.parametrize("fit_intercept", [True, False])


def readout(**settings):
    return RecursiveLeastSquares(P, K, **settings)


def assert_is_ridge(learned, alpha, rows=slice(None), weight=None):
    ridge = Ridge(alpha, fit_intercept=learned.fit_intercept, solver="svd").fit(Z[rows], Y[rows], weight)
    np.testing.assert_allclose(learned.coef, ridge.coef_, rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(learned.intercept, np.broadcast_to(ridge.intercept_, K), rtol=EXACT, atol=EXACT)


@intercepts
@pytest.mark.parametrize("alpha", [1e-4, 1.0, 1e4])
@pytest.mark.parametrize("n_rows", [1, 5, 300, N])
def test_without_forgetting_it_is_ridge_regression(fit_intercept, alpha, n_rows):
    learned = readout(alpha=alpha, fit_intercept=fit_intercept)
    learned.update(Z[:n_rows], Y[:n_rows])
    assert_is_ridge(learned, alpha, slice(n_rows))


@intercepts
@pytest.mark.parametrize("forgetting", [0.9, 0.99])
def test_with_forgetting_it_is_ridge_regression_with_fading_weights_and_penalty(fit_intercept, forgetting):
    learned = readout(alpha=10.0, forgetting=forgetting, fit_intercept=fit_intercept)
    for n_rows in (50, N):
        learned.update(Z[learned_rows(n_rows)], Y[learned_rows(n_rows)])
        weight = forgetting ** np.arange(n_rows - 1, -1, -1.0)
        assert_is_ridge(learned, 10.0 * forgetting**n_rows, slice(n_rows), weight)


def learned_rows(n_rows):
    return slice(0, 50) if n_rows == 50 else slice(50, n_rows)


def test_a_large_offset_does_not_cancel():
    near, far = readout(), readout()
    near.update(Z, Y)
    far.update(Z + 1e6, Y - 1e6)
    np.testing.assert_allclose(far.coef, near.coef, rtol=EXACT, atol=EXACT)


def test_many_steps_keep_its_precision():
    rows = np.random.default_rng(1).integers(N, size=50_000)
    learned = readout(alpha=1e-3)
    learned.update(Z[rows], Y[rows])
    coef, intercept = solve(NormalEquations(P, K).add(Z[rows], Y[rows]), 1e-3)
    np.testing.assert_allclose(learned.coef, coef, rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(learned.intercept, intercept, rtol=EXACT, atol=EXACT)


@intercepts
def test_blocks_do_not_matter_and_predictions_come_before_the_update(fit_intercept):
    at_once, by_step = readout(fit_intercept=fit_intercept), readout(fit_intercept=fit_intercept)
    predicted = at_once.update(Z[:100], Y[:100])
    for k in range(100):
        before = by_step.predict(Z[k : k + 1])[0]
        said = by_step.update_step(Z[k], Y[k])
        np.testing.assert_allclose(said, before, rtol=1e-9, atol=1e-9)
        np.testing.assert_array_equal(said, predicted[k])
    np.testing.assert_array_equal(at_once.coef, by_step.coef)
    assert not np.array_equal(at_once.predict(Z[:1]), predicted[:1])


def test_single_precision_is_read():
    single = Z.astype(np.float32)
    one, other = readout(), readout()
    np.testing.assert_array_equal(one.update(single, Y), other.update(single.astype(np.float64), Y))


def test_forgetting_follows_a_change():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, P))
    y = np.where(np.arange(2000)[:, None] < 1000, z[:, :1], -z[:, :1])
    errors = {}
    for forgetting in (1.0, 0.98):
        errors[forgetting] = np.abs(RecursiveLeastSquares(P, 1, forgetting=forgetting).update(z, y) - y)[1500:].max()
    assert errors[0.98] < 1e-3 < errors[1.0]


def test_the_step_is_the_loop():
    state, other = (RLSState.start(P, K, 1.0) for _ in range(2))
    said, expected = np.empty((50, K)), np.empty((50, K))
    rls(state, Z[:50], Y[:50], 0.95, True, said)
    for k in range(50):
        rls_step(other, Z[k], Y[k], 0.95, True, expected[k])
    np.testing.assert_allclose(said, expected, rtol=1e-12)
    np.testing.assert_allclose(state.coef, other.coef, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_force_teaches_a_chaotic_network_to_go_round(seed):
    """Sussillo & Abbott (2009): the output is fed back while it is learned, and goes on alone afterwards."""
    rng = np.random.default_rng(seed)
    n, rate, period = 200, 0.1, 60
    R = 1.5 * rng.normal(size=(n, n)) / np.sqrt(n)
    back = rng.uniform(-1, 1, size=n)
    target = np.sin(2 * np.pi * np.arange(4000) / period)
    learned = RecursiveLeastSquares(n, 1, fit_intercept=False)
    x, fed = 0.5 * rng.normal(size=n), 0.0
    errors = []
    for k, wanted in enumerate(target):
        x += rate * (-x + R @ np.tanh(x) + back * fed)
        z = np.tanh(x)
        fed = (learned.update_step(z, [wanted]) if k < 3000 else learned.predict(z[None])[0]).item()
        errors.append(abs(fed - wanted))
    assert max(errors[2900:3000]) < 0.05
    assert max(errors[3000 : 3000 + 5 * period]) < 0.2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": 0.0}, "The 'alpha' parameter of RecursiveLeastSquares must be a positive number; got 0.0"),
        ({"alpha": np.inf}, "The 'alpha' parameter"),
        ({"forgetting": 0}, r"The 'forgetting' parameter of RecursiveLeastSquares must be a number in \(0, 1\]; got 0"),
        ({"forgetting": 1.1}, "The 'forgetting' parameter"),
    ],
)
def test_parameters_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        readout(**settings)


def test_rows_are_checked():
    with pytest.raises(ValueError, match="The 'n_features' parameter of RecursiveLeastSquares must be a whole number of at least 1; got 0"):
        RecursiveLeastSquares(0, 1)
    learned = readout()
    with pytest.raises(ValueError, match=r"Z must have the shape \(n_rows, 10\)"):
        learned.update(Z[:, 1:], Y)
    with pytest.raises(ValueError, match="Z and Y must hold finite numbers"):
        learned.update(Z * np.nan, Y)
    np.testing.assert_array_equal(learned.coef, 0)
