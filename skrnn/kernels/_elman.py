"""Compiled simple recurrent network with any of its activations, also leaky and normalised."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ._activations import _relu, _relu_slope, _sigmoid, _sigmoid_slope, _tanh, _tanh_slope
from ._loop import Kernel, Layout, or_empty, time_loop
from ._normalise import gain_gradient, normalise, normalise_back
from ._product import column_sums, copy_rows, matmul, tall_product

activation: Any = None  # what `time_loop` binds
slope: Any = None
LEAK = NORM = False


def _forward(arrays, row, first, n):
    y, R, rate, gain, b_out, edges, h, h_before, new, raw, product = arrays  # y holds the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    copy_rows(h[first:last], h_before[row:end])
    matmul(h[first:last], R, product[first:last])
    if NORM:
        product[first:last] += y[row:end]
        normalise(product[first:last], gain, edges, raw[row:end])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            now = activation((b_out[j] if NORM else y[r, j]) + product[s, j])
            if LEAK:
                new[r, j] = now
                now = h[s, j] + rate[j] * (now - h[s, j])
            h[s, j] = y[r, j] = now


def _backward(arrays, row, first, n):
    du, R, rate, gain, edges, dh, dy, h_before, new, hat, dsum, drate, passed = arrays  # hat still holds what was normalised
    H = dh.shape[1]
    end, last = row + n, first + n
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            d = dh[s, j] + dy[r, j]
            if LEAK:
                drate[s, j] += d * (new[r, j] - h_before[r, j])
                dh[s, j] = d - d * rate[j]
                d *= rate[j]
            du[r, j] = d * slope(new[r, j])
    if NORM:
        copy_rows(du[row:end], dsum[row:end])
        normalise_back(du[row:end], gain, edges, hat[row:end])
    if LEAK:
        matmul(du[row:end], R, passed[first:last])
        dh[first:last] += passed[first:last]
    else:
        matmul(du[row:end], R, dh[first:last])


@cache
def _loops(activation, slope, leak, norm):
    return time_loop(_forward, activation=activation, LEAK=leak, NORM=norm), time_loop(_backward, slope=slope, LEAK=leak, NORM=norm)


def _kernel(activation, slope) -> Kernel:
    def forward(layout: Layout, reverse: bool, u, R, h, rate=None, gain=None, b=None):
        """Outputs, final state and what ``backward`` needs.

        Parameters
        ----------
        u : ndarray of shape (n_rows, H)
            Projected input; becomes the outputs.
        R : ndarray of shape (H, H)
            Recurrent weights.
        h : ndarray of shape (B, H)
            Initial state.
        rate : ndarray of shape (H,) or None
            Share of the way that leaky units go.
        gain, b : ndarray of shape (H,) or None
            Gain of layer normalisation, and the bias after it.
        """
        h_before, h = np.empty_like(u), h.copy()
        new = u if rate is None else np.empty_like(u)
        raw = np.empty_like(u if gain is not None else u[:0])
        tables, edges = (or_empty(w, u, 1) for w in (rate, gain, b)), np.array([0, h.shape[1]])
        run_forward, _ = _loops(activation, slope, rate is not None, gain is not None)
        run_forward(layout, reverse, (u, np.ascontiguousarray(R.T), *tables, edges, h, h_before, new, raw, np.empty_like(h)))
        return u, (h,), (R, rate, gain, h_before, new, raw)

    def backward(layout: Layout, reverse: bool, saved, dy, dh):
        """Gradients of u, R, h, rate, gain and b."""
        R, rate, gain, h_before, new, raw = saved
        du, dh, edges = np.empty_like(new), dh.copy(), np.array([0, dh.shape[1]])
        hat, dsum = raw.copy(), np.empty_like(raw)
        drate, passed = (np.zeros((0, 0), du.dtype),) * 2 if rate is None else (np.zeros_like(dh), np.empty_like(dh))
        arrays = (du, R, or_empty(rate, du, 1), or_empty(gain, du, 1), edges, dh, dy, h_before, new, hat, dsum, drate, passed)
        _loops(activation, slope, rate is not None, gain is not None)[1](layout, not reverse, arrays)
        of_norm = (None, None) if gain is None else (gain_gradient(dsum, hat), column_sums(dsum))
        return du, tall_product(du, h_before), dh, None if rate is None else drate.sum(0), *of_norm

    return Kernel(forward, backward)


elman = {"tanh": _kernel(_tanh, _tanh_slope), "sigmoid": _kernel(_sigmoid, _sigmoid_slope), "relu": _kernel(_relu, _relu_slope)}
