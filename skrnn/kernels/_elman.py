"""Compiled simple recurrent network with any of its activations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ._loop import Kernel, Layout, time_loop
from ._math import JIT, sigmoid, tanh
from ._product import matmul, tall_product

activation: Any = None  # what `time_loop` binds
slope: Any = None


@njit(**JIT)
def _tanh(a):
    return tanh(a)


@njit(**JIT)
def _tanh_slope(y):
    return y * -y + 1


@njit(**JIT)
def _sigmoid(a):
    return sigmoid(a)


@njit(**JIT)
def _sigmoid_slope(y):
    return y - y * y


@njit(**JIT)
def _relu(a):
    return max(a, a * 0)


@njit(**JIT)
def _relu_slope(y):
    return (y > 0) * (y * 0 + 1)


def _forward(arrays, row, first, n):
    y, R, h, h_before, product = arrays  # y holds the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end] = h[first:last]
    matmul(h[first:last], R, product[first:last])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            h[s, j] = y[r, j] = activation(y[r, j] + product[s, j])


def _backward(arrays, row, first, n):
    du, R, dh, dy, y = arrays
    H = dh.shape[1]
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            du[r, j] = (dh[s, j] + dy[r, j]) * slope(y[r, j])
    matmul(du[row : row + n], R, dh[first : first + n])


def _kernel(activation, slope) -> Kernel:
    run_forward, run_backward = time_loop(_forward, activation=activation), time_loop(_backward, slope=slope)

    def forward(layout: Layout, reverse: bool, u, R, h):
        h_before, h = np.empty_like(u), h.copy()
        run_forward(layout, reverse, (u, np.ascontiguousarray(R.T), h, h_before, np.empty_like(h)))
        return u, (h,), (R, u, h_before)

    def backward(layout: Layout, reverse: bool, saved, dy, dh):
        R, y, h_before = saved
        du, dh = np.empty_like(y), dh.copy()
        run_backward(layout, not reverse, (du, R, dh, dy, y))
        return du, tall_product(du, h_before), dh

    return Kernel(forward, backward)


elman = {"tanh": _kernel(_tanh, _tanh_slope), "sigmoid": _kernel(_sigmoid, _sigmoid_slope), "relu": _kernel(_relu, _relu_slope)}
