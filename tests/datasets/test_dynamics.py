"""The series obey their equations: integrated by other means, or checked term by term."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skrnn.datasets import make_henon, make_lorenz, make_mackey_glass, make_rossler

GENERATORS = [make_mackey_glass, make_lorenz, make_rossler, make_henon]


@pytest.mark.parametrize("make", GENERATORS)
def test_the_seed_alone_decides(make):
    before = np.random.get_state()[1].copy()
    X = make(300, random_state=0)
    np.testing.assert_array_equal(make(300, random_state=0), X)
    np.testing.assert_array_equal(make(400, random_state=0)[:300], X)
    assert not np.array_equal(make(300, random_state=1), X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("make", GENERATORS)
def test_the_washout_is_the_beginning(make):
    np.testing.assert_array_equal(make(100, washout=0, random_state=0)[30:], make(70, washout=30, random_state=0))


def lorenz(_, s, sigma=10.0, rho=28.0, beta=8 / 3):
    return [sigma * (s[1] - s[0]), s[0] * (rho - s[2]) - s[1], s[0] * s[1] - beta * s[2]]


def rossler(_, s, a=0.2, b=0.2, c=5.7):
    return [-s[1] - s[2], s[0] + a * s[1], b + s[2] * (s[0] - c)]


@pytest.mark.parametrize(
    ("make", "field", "settings"),
    [
        (make_lorenz, lorenz, {}),
        (make_lorenz, lorenz, {"sigma": 16.0, "rho": 45.92, "beta": 4.0}),
        (make_rossler, rossler, {}),
        (make_rossler, rossler, {"a": 0.1, "b": 0.1, "c": 14.0}),
    ],
)
def test_flows_are_those_of_an_adaptive_integrator(make, field, settings):
    X = make(50, 0.02, step_size=0.001, random_state=0, **settings)
    exact = solve_ivp(lambda s, x: field(s, x, **settings), (0, 0.98), X[0], method="DOP853", t_eval=0.02 * np.arange(50), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(X, exact.y.T, atol=1e-5)


@pytest.mark.parametrize("make", [make_lorenz, make_rossler])
def test_the_integrator_is_of_fourth_order(make):
    finest, coarse, fine = (make(10, 0.04, step_size=h, washout=0, random_state=0) for h in (0.001, 0.02, 0.01))
    assert 12 < np.abs(coarse - finest).max() / np.abs(fine - finest).max() < 22


def test_dt_need_be_no_multiple_of_the_step():
    np.testing.assert_allclose(make_lorenz(20, 0.025, washout=0, random_state=0), make_lorenz(60, 0.025 / 3, washout=0, random_state=0)[2::3])


def test_climate_of_the_attractors():
    """Long means; that of z in the Lorenz system is about 23.55, and x and y are symmetric."""
    X = make_lorenz(200_000, random_state=0)
    np.testing.assert_allclose(X.mean(axis=0), [0, 0, 23.55], atol=0.2)
    x, y, z = make_rossler(100_000, random_state=0).T
    assert abs(x.mean() + 0.2 * y.mean() - 0) < 0.05  # the mean of dy/dt = x + a y is 0
    assert abs(y.mean() + z.mean()) < 0.05  # and that of dx/dt = −y − z


@pytest.mark.parametrize("make", [make_lorenz, make_rossler, make_henon])
def test_every_start_leads_to_the_attractor(make):
    widest = np.abs(make(50_000, random_state=0)).max(axis=0)
    for seed in range(100):
        assert (np.abs(make(50, random_state=seed)) < 1.1 * widest).all()


def test_henon():
    x, y = make_henon(1000, a=1.2, b=0.25, random_state=0).T
    np.testing.assert_allclose(x[1:], 1 - 1.2 * x[:-1] ** 2 + y[:-1], rtol=1e-12)
    np.testing.assert_array_equal(y[1:], 0.25 * x[:-1])


def test_mackey_glass_by_eulers_steps():
    x = make_mackey_glass(300, 2.0, dt=0.1, beta=0.3, method="euler", washout=0, random_state=0)[:, 0]
    past = np.r_[np.full(21, np.random.RandomState(0).uniform(0.8, 1.4)), x]
    late, now = past[:-21], past[20:-1]
    np.testing.assert_allclose(x, now + 0.1 * (0.3 * late / (1 + late**10) - 0.1 * now), rtol=1e-12)


def test_mackey_glass_begins_with_a_relaxation():
    """Until the first delay is over the feedback is constant, and the equation linear."""
    x = make_mackey_glass(17, dt=1.0, washout=0, random_state=0)[:, 0]
    start = np.random.RandomState(0).uniform(0.8, 1.4)
    rest = 2 * start / (1 + start**10)
    np.testing.assert_allclose(x, rest + (start - rest) * np.exp(-0.1 * np.arange(1, 18)), rtol=1e-9)


@pytest.mark.parametrize(("method", "order"), [("rk4", 4), ("euler", 1)])
def test_the_orders_of_the_methods(method, order):
    exact = make_mackey_glass(60, step_size=0.0125, washout=0, random_state=0)
    coarse, fine = (np.abs(make_mackey_glass(60, method=method, step_size=h, washout=0, random_state=0) - exact).max() for h in (0.5, 0.25))
    assert 0.75 * 2**order < coarse / fine < 1.5 * 2**order


def test_mackey_glass_is_periodic_or_not():
    for tau, chaotic in ((16.0, False), (17.0, True), (30.0, True)):
        x = make_mackey_glass(6000, tau, washout=10_000, random_state=0)[:, 0]
        near = min(np.abs(x[lag : lag + 3000] - x[:3000]).max() for lag in range(20, 3000))
        assert (near > 0.05) == chaotic


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: make_mackey_glass(0), "n_steps must be a whole number of at least 1; got 0"),
        (lambda: make_mackey_glass(10, 17.05), r"tau must be a multiple of step_size=0.1; got 17.05"),
        (lambda: make_mackey_glass(10, dt=0.25), r"dt must be a multiple of step_size=0.1; got 0.25"),
        (lambda: make_mackey_glass(10, method="rk45"), "method must be 'rk4' or 'euler'; got 'rk45'"),
        (lambda: make_mackey_glass(10, gamma=0), "gamma must be a number above 0; got 0"),
        (lambda: make_lorenz(10, -1), "dt must be a number above 0; got -1"),
        (lambda: make_rossler(10, washout=-1), "washout must be a whole number of at least 0; got -1"),
        (lambda: make_henon(100, a=3.0), "the series runs away to infinity with these parameters"),
        (lambda: make_lorenz(100, step_size=1, dt=1), "the series runs away to infinity with these parameters; take others, or a smaller step_size"),
    ],
)
def test_errors_say_what_was_expected(make, match):
    with pytest.raises(ValueError, match=match):
        make()
