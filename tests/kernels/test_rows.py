import numpy as np
import pytest
from scipy.special import expit, softmax

from skrnn.kernels import Layout, row_additions, row_logistic, row_mixtures, row_product, row_scores, row_softmax, time_sums

RNG = np.random.default_rng(0)
TOLERANCE = {np.float32: 2e-6, np.float64: 1e-14}
precisions = pytest.mark.parametrize("dtype", TOLERANCE)


def drawn(*shape, dtype):
    return RNG.normal(size=shape).astype(dtype)


def assert_close(got, expected, dtype):
    assert got.dtype == dtype
    np.testing.assert_allclose(got, expected, rtol=0, atol=TOLERANCE[dtype] * (1 + np.abs(expected).max(initial=0)))


@precisions
@pytest.mark.parametrize("n", [0, 1, 4, 5, 6, 7, 300])
@pytest.mark.parametrize("width", [1, 5, 40])
@pytest.mark.parametrize("m", [1, 8, 15, 16, 33])
def test_products(dtype, n, width, m):
    x, W, b = drawn(n, width, dtype=dtype), drawn(m, width, dtype=dtype), drawn(m, dtype=dtype)
    assert_close(row_product(x, W, b), x.astype(float) @ W.T + b, dtype)
    assert_close(row_product(x, W), x.astype(float) @ W.T, dtype)


@precisions
def test_logistic_gates(dtype):
    x = np.linspace(-30, 30, 1001).astype(dtype)
    assert_close(row_logistic(x), expit(x.astype(float)), dtype)


@precisions
def test_softmax(dtype):
    x = 10 * drawn(50, 7, dtype=dtype)
    x[3], x[4, 2:] = 500, -np.inf
    assert_close(row_softmax(x), softmax(x.astype(float), axis=1), dtype)
    longer = np.concatenate([x, np.full((50, 9), -np.inf, dtype)], axis=1)
    np.testing.assert_array_equal(row_softmax(longer), np.pad(row_softmax(x), [(0, 0), (0, 9)]))


@precisions
def test_scores_and_mixtures(dtype):
    keys, queries, weights = drawn(9, 5, 13, dtype=dtype), drawn(9, 13, dtype=dtype), drawn(9, 5, dtype=dtype)
    assert_close(row_scores(keys, queries), np.einsum("rij,rj->ri", keys.astype(float), queries), dtype)
    mixed = row_mixtures(weights, keys)
    assert_close(mixed, np.einsum("ri,rij->rj", weights.astype(float), keys), dtype)
    np.testing.assert_array_equal(row_mixtures(np.pad(weights, [(0, 0), (0, 3)]), np.pad(keys, [(0, 0), (0, 3), (0, 0)])), mixed)


@precisions
def test_rows_are_added_to_their_owners(dtype):
    total, owner, rows = np.ones((3, 4)), np.array([2, 0, 2, 2]), drawn(4, 4, dtype=dtype)
    row_additions(total, owner, rows)
    np.testing.assert_allclose(total, [1 + rows[1].astype(float), np.ones(4), 1 + rows[[0, 2, 3]].astype(float).sum(0)], rtol=1e-14)


@precisions
def test_sums_over_time(dtype):
    sizes = np.array([4, 4, 2, 1])
    rows = drawn(sizes.sum(), 3, dtype=dtype)
    starts = np.cumsum([0, *sizes])
    expected = [sum(rows[starts[t] + k].astype(float) for t in range(4) if k < sizes[t]) for k in range(4)]
    assert_close(time_sums(Layout.of(sizes), rows), np.array(expected), dtype)
