"""Activation functions of compiled steps, and their slopes as functions of what came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from numba import njit

from ._jit import JIT
from ._math import logistic, tanh


class Activation(NamedTuple):
    """A function of one number, and the slope where it has the value ``y``."""

    of: Callable[[Any], Any]
    slope: Callable[[Any], Any]


@njit(forceinline=True, **JIT)
def _tanh(a):
    return tanh(a)


@njit(forceinline=True, **JIT)
def _tanh_slope(y):
    return y * -y + 1


@njit(forceinline=True, **JIT)
def _sigmoid(a):
    return logistic(a)


@njit(forceinline=True, **JIT)
def _sigmoid_slope(y):
    return y - y * y


@njit(forceinline=True, **JIT)
def _relu(a):
    return max(a, a * 0)


@njit(forceinline=True, **JIT)
def _relu_slope(y):
    return (y > 0) * (y * 0 + 1)


@njit(forceinline=True, **JIT)
def _identity(a):
    return a


@njit(forceinline=True, **JIT)
def _identity_slope(y):
    return y * 0 + 1


ACTIVATIONS = {
    "tanh": Activation(_tanh, _tanh_slope),
    "sigmoid": Activation(_sigmoid, _sigmoid_slope),
    "relu": Activation(_relu, _relu_slope),
    "identity": Activation(_identity, _identity_slope),
}
