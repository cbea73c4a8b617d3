"""Compiled independently recurrent network: one recurrent weight a unit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._activations import _relu, _relu_slope, _tanh, _tanh_slope
from ._linear import PER_ENTRY
from ._loop import Kernel, Layout, time_loop

activation: Any = None  # what `time_loop` binds
slope: Any = None


def _forward(arrays, row, first, n):
    y, R, h, h_before = arrays  # y holds the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end] = h[first:last]
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            h[s, j] = activation(y[r, j] + R[j] * h[s, j])
    y[row:end] = h[first:last]


def _backward(arrays, row, first, n):
    du, R, dR, dh, dy, y, h_before = arrays
    H = dh.shape[1]
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            d = (dh[s, j] + dy[r, j]) * slope(y[r, j])
            du[r, j] = d
            dR[s, j] += d * h_before[r, j]
            dh[s, j] = d * R[j]


def _kernel(activation, slope) -> Kernel:
    run_forward = time_loop(_forward, per_entry=PER_ENTRY, activation=activation)
    run_backward = time_loop(_backward, per_entry=PER_ENTRY, slope=slope)

    def forward(layout: Layout, reverse: bool, u, R, h):
        """Outputs, final state and what ``backward`` needs; R are the recurrent weights, of shape (H,), and h is the initial state."""
        h, h_before = h.copy(), np.empty_like(u)
        run_forward(layout, reverse, (u, R, h, h_before))
        return u, (h,), (R, u, h_before)

    def backward(layout: Layout, reverse: bool, saved, dy, dh):
        """Gradients of u, R and h."""
        R, y, h_before = saved
        du, dR, dh = np.empty_like(y), np.zeros_like(dh), dh.copy()
        run_backward(layout, not reverse, (du, R, dR, dh, dy, y, h_before))
        return du, dR.sum(0), dh

    return Kernel(forward, backward)


indrnn = {"tanh": _kernel(_tanh, _tanh_slope), "relu": _kernel(_relu, _relu_slope)}
