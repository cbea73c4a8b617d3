import numpy as np
import pytest

from skrnn.kernels import store_patterns, update_in_turn, update_together

RNG = np.random.default_rng(0)
N, ROWS, TIE = 24, 7, 1e-12


def network(n=N, diagonal=0.0):
    """Random symmetric weights, thresholds, and states with their fields."""
    W = RNG.normal(size=(n, n))
    W += W.T
    np.fill_diagonal(W, diagonal)
    theta, states = RNG.normal(size=n), RNG.choice([-1.0, 1.0], size=(ROWS, n))
    return W, theta, states, states @ W - theta, np.zeros(ROWS, np.int8)


def energy(s, W, theta):
    return -0.5 * s @ W @ s + theta @ s


def test_the_energy_falls_with_every_unit_that_turns_and_stays_with_every_other():
    W, theta, states, fields, period = network()
    n_turns = 0
    for i in RNG.integers(N, size=40 * N):
        before = states.copy()
        period[:] = 0
        update_in_turn(np.array([i]), W, TIE, states, fields, period)
        for old, new in zip(before, states, strict=True):
            turned = (old != new).any()
            n_turns += turned
            assert energy(new, W, theta) < energy(old, W, theta) if turned else (old == new).all()
        np.testing.assert_allclose(fields, states @ W - theta, rtol=0, atol=1e-12)
    assert n_turns > ROWS
    np.testing.assert_array_equal(states, np.where(fields > 0, 1, -1))


def test_a_unit_whose_field_is_zero_stays():
    for update, first in ((update_in_turn, np.arange(2)), (update_together, np.zeros((2, 2), bool))):
        states, fields, period = np.array([[1.0, -1.0], [-1.0, 1.0]]), np.array([[0.0, 1e-17], [1e-17, -1e-17]]), np.zeros(2, np.int8)
        update(first, np.zeros((2, 2)), TIE, states, fields, period)
        np.testing.assert_array_equal(states, [[1, -1], [-1, 1]])
        np.testing.assert_array_equal(period, [1, 1])


@pytest.mark.parametrize("diagonal", [0.0, 2.0])
def test_all_units_at_once_are_signs_of_a_product(diagonal):
    W, theta, states, fields, period = network(diagonal=diagonal)
    turned = np.zeros(states.shape, bool)
    seen = [states.copy()]
    for _ in range(60):
        moving = period == 0
        expected = np.where(moving[:, None], np.sign(states @ W - theta), states)
        update_together(turned, W, TIE, states, fields, period)
        still = moving & (period == 0)
        np.testing.assert_array_equal(states[still], expected[still])
        seen.append(states.copy())
    assert (period > 0).all()
    for r in range(ROWS):
        after = np.sign(states[r] @ W - theta)
        assert (after == states[r]).all() == (period[r] == 1)
        np.testing.assert_array_equal(np.sign(after @ W - theta), states[r])


def test_two_units_that_want_to_be_unlike_change_places_for_ever():
    W = np.array([[0.0, -1.0], [-1.0, 0.0]])
    states, period = np.array([[1.0, 1.0], [1.0, -1.0]]), np.zeros(2, np.int8)
    fields, turned = states @ W, np.zeros((2, 2), bool)
    for _ in range(3):
        update_together(turned, W, TIE, states, fields, period)
    np.testing.assert_array_equal(period, [2, 1])


def test_the_rule_of_storkey_is_its_equations():
    patterns, n = RNG.choice([-1.0, 1.0], size=(5, 9)), 9
    expected = np.zeros((n, n))
    for x in patterns:
        before = expected.copy()
        for i in range(n):
            for j in range(n):
                if i != j:
                    h_ij = sum(before[i, k] * x[k] for k in range(n) if k not in (i, j))
                    h_ji = sum(before[j, k] * x[k] for k in range(n) if k not in (i, j))
                    expected[i, j] += (x[i] * x[j] - x[i] * h_ji - h_ij * x[j]) / n
    weights = np.zeros((n, n))
    store_patterns(patterns, weights, np.empty(n))
    np.testing.assert_allclose(weights, expected, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(weights, weights.T)
