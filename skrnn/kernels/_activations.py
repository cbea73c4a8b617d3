"""Activation functions of compiled steps, and their slopes as functions of what came out."""

from __future__ import annotations

from numba import njit

from ._jit import JIT
from ._math import logistic, tanh


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
