import numpy as np
import pytest

from skrnn.kernels import _big_product as product
from skrnn.kernels import allow_threads, big_matmul, column_sums, tall_product
from skrnn.kernels._product import matmul

RNG = np.random.default_rng(0)
TOLERANCE = {np.float32: 3e-6, np.float64: 1e-14}
precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def of(a, w):
    out = np.full((len(a), w.shape[1]), np.nan, a.dtype)
    matmul(a, w, out)
    return out


@precisions
@pytest.mark.parametrize("rows", range(1, 10))
@pytest.mark.parametrize(("inner", "columns"), [(1, 1), (3, 2), (4, 4), (6, 5), (33, 19), (64, 7)])
def test_the_product_is_that_of_numpy(rows, inner, columns, dtype):
    a, w = RNG.normal(size=(rows, inner)).astype(dtype), RNG.normal(size=(inner, columns)).astype(dtype)
    size = np.abs(a) @ np.abs(w)
    assert (np.abs(of(a, w) - a.astype(np.float64) @ w) <= TOLERANCE[dtype] * size).all()


@precisions
@pytest.mark.parametrize("rows", range(2, 10))
def test_the_bits_of_a_row_do_not_depend_on_its_neighbours(rows, dtype):
    a, w = RNG.normal(size=(rows, 37)).astype(dtype), RNG.normal(size=(37, 21)).astype(dtype)
    together = of(a, w)
    for k in range(rows):
        np.testing.assert_array_equal(of(a[k : k + 1], w)[0], together[k])


@precisions
@pytest.mark.parametrize("shape", [(700, 64, 64), (3, 900, 900), (1000, 3, 5)], ids=["blocks", "few rows", "small"])
def test_a_big_product_has_the_same_bits_on_any_number_of_threads(shape, dtype):
    rows, inner, columns = shape
    a, b = RNG.normal(size=(rows, inner)).astype(dtype), RNG.normal(size=(inner, columns)).astype(dtype)
    alone = big_matmul(a, b)
    assert (np.abs(alone - a.astype(np.float64) @ b) <= TOLERANCE[dtype] * (np.abs(a) @ np.abs(b))).all()
    for n in (1, 2, 3):
        with allow_threads(n):
            np.testing.assert_array_equal(big_matmul(a, b), alone)


def test_a_big_product_takes_views(monkeypatch):
    monkeypatch.setattr(product, "WORTH_THREADS", 0)
    a, b = RNG.normal(size=(50, 9)), RNG.normal(size=(50, 7))
    np.testing.assert_allclose(big_matmul(a.T, b), np.einsum("ni,nj->ij", a, b), rtol=0, atol=1e-13)


@precisions
@pytest.mark.parametrize("columns", [(1, 3), (8, 64), (64, 8), (64, 256), (100, 200)], ids=str)
@pytest.mark.parametrize("rows", [1, 5, 300, 20_000])
def test_a_tall_product_has_the_same_bits_on_any_number_of_threads(rows, columns, dtype):
    a, b = (RNG.normal(size=(rows, n)).astype(dtype) for n in columns)
    alone = tall_product(a, b)
    size = np.abs(a).T @ np.abs(b)
    assert (np.abs(alone - a.T.astype(np.float64) @ b) <= TOLERANCE[dtype] * size).all()
    for n in (1, 2, 3):
        with allow_threads(n):
            np.testing.assert_array_equal(tall_product(a, b), alone)


def test_a_tall_product_takes_views():
    a, b = RNG.normal(size=(300, 30))[:, 3:20], RNG.normal(size=(7, 300)).T
    np.testing.assert_allclose(tall_product(a, b), np.einsum("ni,nj->ij", a, b), rtol=0, atol=1e-12)


@precisions
def test_column_sums_are_those_of_numpy(dtype):
    a = RNG.normal(size=(5000, 17)).astype(dtype)
    np.testing.assert_allclose(column_sums(a), a.sum(0, dtype=np.float64), rtol=0, atol=TOLERANCE[dtype] * np.abs(a).sum(0).max())
