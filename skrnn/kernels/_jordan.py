"""Compiled network whose outputs are fed back through a sum that fades."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ._activations import ACTIVATIONS
from ._loop import Kernel, Layout, time_loop
from ._product import column_sums, copy_rows, matmul, tall_product

activation: Any = None  # what `time_loop` binds
slope: Any = None
output_activation: Any = None
output_slope: Any = None


def _forward(arrays, row, first, n):
    h, R, V, d, decay, y, s, outputs, seen, sums = arrays  # h holds the projected input
    end, last = row + n, first + n
    for b in range(first, last):
        for j in range(s.shape[1]):
            s[b, j] = decay[0] * s[b, j] + y[b, j]
    copy_rows(s[first:last], seen[row:end])
    matmul(s[first:last], R, sums[first:last])
    for b in range(n):
        for j in range(h.shape[1]):
            h[row + b, j] = activation(h[row + b, j] + sums[first + b, j])
    matmul(h[row:end], V, y[first:last])
    for b in range(first, last):
        for j in range(y.shape[1]):
            y[b, j] = output_activation(y[b, j] + d[j])
    copy_rows(y[first:last], outputs[row:end])


def _backward(arrays, row, first, n):
    du, R, V, decay, dy, ds, doutputs, outputs, h, do, dh, back = arrays
    end, last = row + n, first + n
    for b in range(n):
        for j in range(ds.shape[1]):
            do[row + b, j] = (dy[first + b, j] + doutputs[row + b, j]) * output_slope(outputs[row + b, j])
    matmul(do[row:end], V, dh[first:last])
    for b in range(n):
        for j in range(du.shape[1]):
            du[row + b, j] = dh[first + b, j] * slope(h[row + b, j])
    matmul(du[row:end], R, back[first:last])
    for b in range(first, last):
        for j in range(ds.shape[1]):
            dy[b, j] = ds[b, j] + back[b, j]
            ds[b, j] = decay[0] * dy[b, j]


@cache
def jordan(hidden: str, output: str) -> Kernel:
    """The kernel with these activations, "tanh", "relu", "sigmoid" or "identity", of the hidden units and of the outputs."""
    f, g = ACTIVATIONS[hidden], ACTIVATIONS[output]
    run_forward = time_loop(_forward, activation=f.of, output_activation=g.of)
    run_backward = time_loop(_backward, slope=f.slope, output_slope=g.slope)

    def forward(layout: Layout, reverse: bool, u, R, V, d, decay, y, s):
        """Outputs, final state (y, s) and what ``backward`` needs.

        Parameters
        ----------
        u : ndarray of shape (n_rows, N)
            Projected input; becomes the hidden units.
        R, V : ndarray of shape (N, H), (H, N)
            Weights from the sum to the hidden units, and from these to the outputs.
        d : ndarray of shape (H,)
            Bias of the outputs.
        decay : ndarray of shape (1,)
            Share of the sum that is kept from step to step.
        y, s : ndarray of shape (B, H)
            Initial state: outputs, and the sum of those before them.
        """
        outputs, seen = (np.empty((len(u), y.shape[1]), u.dtype) for _ in range(2))
        y, s, sums = y.copy(), s.copy(), np.empty((len(y), u.shape[1]), u.dtype)
        weights = np.ascontiguousarray(R.T), np.ascontiguousarray(V.T), d, decay
        run_forward(layout, reverse, (u, *weights, y, s, outputs, seen, sums))
        return outputs, (y, s), (R, V, decay, u, outputs, seen)

    def backward(layout: Layout, reverse: bool, saved, doutputs, dy, ds):
        """Gradients of u, R, V, d, y and s; decay has none."""
        R, V, decay, h, outputs, seen = saved
        dy, ds, du, do = dy.copy(), ds.copy(), np.empty_like(h), np.empty_like(outputs)
        dh, back = np.empty((len(dy), h.shape[1]), h.dtype), np.empty_like(dy)
        run_backward(layout, not reverse, (du, R, V, decay, dy, ds, doutputs, outputs, h, do, dh, back))
        return du, tall_product(du, seen), tall_product(do, h), column_sums(do), None, dy, ds

    return Kernel(forward, backward)
