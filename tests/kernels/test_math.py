import numpy as np
import pytest
from numba import njit

from skrnn.kernels._math import JIT, exp, logistic, tanh

TOLERANCE = {np.float32: 3e-7, np.float64: 5e-15}


def over_arrays(function):
    @njit(**JIT)
    def loop(x):
        y = np.empty_like(x)
        for i in range(len(x)):
            y[i] = function(x[i])
        return y

    return loop


FAST = {function.__name__: over_arrays(function) for function in (exp, logistic, tanh)}
EXACT = {"exp": np.exp, "logistic": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh}
precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


@precisions
@pytest.mark.parametrize("name", ["exp", "logistic"])
def test_relative_error(name, dtype):
    x = np.linspace(-80, 80, 200_001).astype(dtype)
    exact = EXACT[name](x.astype(np.longdouble))
    assert np.abs(FAST[name](x) / exact - 1).max() < TOLERANCE[dtype]


@precisions
def test_error_of_tanh_against_one(dtype):
    """A sum of 2 sigmoid and -1: near zero, only its absolute error is small."""
    x = np.linspace(-30, 30, 200_001).astype(dtype)
    assert np.abs(FAST["tanh"](x) - np.tanh(x.astype(np.longdouble))).max() < TOLERANCE[dtype]


@precisions
@pytest.mark.parametrize("name", FAST)
def test_far_out_values_are_finite_and_ordered(name, dtype):
    top = np.finfo(dtype).max
    x = np.array([-top, -1e30, -1e4, -710, -100, -1, 0, 1, 100, 710, 1e4, 1e30, top], dtype)
    y = FAST[name](x)
    assert np.isfinite(y).all()
    assert (np.diff(y) >= 0).all()
    assert y.min() >= {"exp": 0, "logistic": 0, "tanh": -1}[name]


@precisions
def test_limits(dtype):
    far = np.array([-1e30, 0, 1e30], dtype)
    np.testing.assert_allclose(FAST["logistic"](far), [0, 0.5, 1], rtol=0, atol=1e-37)
    np.testing.assert_array_equal(FAST["tanh"](far), [-1, 0, 1])
    assert FAST["exp"](far)[1] == 1
