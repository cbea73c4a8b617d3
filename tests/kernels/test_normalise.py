from itertools import pairwise

import numpy as np
import pytest

from skrnn.kernels._normalise import gain_gradient, normalise, normalise_back, normalise_input, normalise_input_back

RNG = np.random.default_rng(0)
TOLERANCE = {np.float32: 1e-6, np.float64: 1e-14}
EDGES = np.array([0, 7, 8, 30])
precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def draw(*shape, dtype=np.float64):
    return RNG.normal(size=shape).astype(dtype)


def exact(a, gain):
    """Rows, normalised in each part between EDGES, and the derivative of each part: entry jk is that of output j in input k."""
    a, gain = np.longdouble(a), np.longdouble(gain)
    outputs, slopes = [], []
    for low, high in pairwise(EDGES):
        part, g, n = a[:, low:high], gain[low:high], high - low
        centre = np.eye(n) - 1 / n
        x = part @ centre
        scale = (x**2).mean(1) + np.longdouble(1e-5)
        outputs.append(g * x / np.sqrt(scale)[:, None])
        slopes.append(g[:, None] * (centre / np.sqrt(scale)[:, None, None] - x[:, :, None] * x[:, None, :] / (n * scale**1.5)[:, None, None]))
    return np.hstack(outputs), slopes


def run(a, gain):
    out, raw = a.copy(), np.empty_like(a)
    normalise(out, gain, EDGES, raw)
    return out, raw


def back(d, gain, raw):
    d, hat = d.copy(), raw.copy()
    normalise_back(d, gain, EDGES, hat)
    return d, hat


def expected_back(d, slopes):
    parts = zip(np.split(np.longdouble(d), EDGES[1:-1], axis=1), slopes, strict=True)
    return np.hstack([np.einsum("bj,bjk->bk", part, slope) for part, slope in parts])


@precisions
def test_each_part_of_a_row_is_normalised(dtype):
    a, gain = 3 * draw(9, 30, dtype=dtype) + 2, draw(30, dtype=dtype)
    out, raw = run(a, gain)
    assert np.abs(out - exact(a, gain)[0]).max() < TOLERANCE[dtype] * 10
    np.testing.assert_array_equal(raw, a)


@precisions
def test_the_gradient_is_exact(dtype):
    a, gain, d = draw(9, 30, dtype=dtype), draw(30, dtype=dtype), draw(9, 30, dtype=dtype)
    got, hat = back(d, gain, run(a, gain)[1])
    assert np.abs(got - expected_back(d, exact(a, gain)[1])).max() < TOLERANCE[dtype] * 10
    assert np.abs(hat - exact(a, np.ones(30))[0]).max() < TOLERANCE[dtype] * 10


@precisions
def test_the_gradient_of_nearly_equal_units_is_exact_too(dtype):
    """A difference of numbers that are 300 times as large: what is rounded must not be magnified."""
    a, gain, d = 1 + draw(9, 30, dtype=dtype) / dtype(1000), draw(30, dtype=dtype), draw(9, 30, dtype=dtype)
    a[:, 6] = a[:, 5]
    expected = expected_back(d, exact(a, gain)[1])
    assert np.abs(back(d, gain, a)[0] - expected).max() < TOLERANCE[dtype] * np.abs(expected).max()


def test_a_single_unit_is_zero_and_has_no_gradient():
    a, gain, d = draw(5, 30, dtype=np.float32), draw(30, dtype=np.float32), draw(5, 30, dtype=np.float32)
    assert not run(a, gain)[0][:, 7].any()
    assert not back(d, gain, a)[0][:, 7].any()


@precisions
def test_the_bits_of_a_row_do_not_depend_on_its_neighbours(dtype):
    a, gain, d = draw(9, 30, dtype=dtype), draw(30, dtype=dtype), draw(9, 30, dtype=dtype)
    for k in range(9):
        row = slice(k, k + 1)
        np.testing.assert_array_equal(run(a[row], gain)[0], run(a, gain)[0][row])
        np.testing.assert_array_equal(back(d[row], gain, a[row])[0], back(d, gain, a)[0][row])


def test_the_input_is_normalised_before_its_bias():
    a, gain, b, d = draw(9, 30), draw(30), draw(30), draw(9, 30)
    u = a.copy()
    raw = normalise_input(u, gain, b, EDGES)
    np.testing.assert_allclose(u, run(a, gain)[0] + b, rtol=0, atol=1e-14)
    du = d.copy()
    dgain, db = normalise_input_back(du, gain, EDGES, raw)
    expected, hat = back(d, gain, a)
    np.testing.assert_array_equal(du, expected)
    np.testing.assert_allclose(dgain, (d * hat).sum(0), rtol=0, atol=1e-13)
    np.testing.assert_allclose(db, d.sum(0), rtol=0, atol=1e-13)
    np.testing.assert_array_equal(raw, a)
    np.testing.assert_array_equal(gain_gradient(d, hat), dgain)
