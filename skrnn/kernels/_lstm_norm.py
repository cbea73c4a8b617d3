"""Compiled LSTM with layer normalisation of W x, R h and c, with and without peepholes."""

from __future__ import annotations

import numpy as np

from ._loop import Kernel, Layout, or_empty, time_loop
from ._math import sigmoid, tanh
from ._normalise import gain_gradient, normalise, normalise_back, normalise_input, normalise_input_back
from ._product import column_sums, matmul, tall_product

PEEPHOLE = False  # what `time_loop` binds


def _forward(arrays, row, first, n):
    gates, R, gain, gain_c, b_c, p, edges, edges_c, h, c, y, c_before, h_before, raw, raw_c, tanh_c, product, seen = arrays
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end], c_before[row:end] = h[first:last], c[first:last]
    matmul(h[first:last], R, product[first:last])
    normalise(product[first:last], gain, edges, raw[row:end])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(4 * H):
            gates[r, j] += product[s, j]
        for j in range(H):
            c_old = c[s, j]
            i = sigmoid(gates[r, j] + p[0, j] * c_old if PEEPHOLE else gates[r, j])
            f = sigmoid(gates[r, H + j] + p[1, j] * c_old if PEEPHOLE else gates[r, H + j])
            g = tanh(gates[r, 2 * H + j])
            c_new = f * c_old + i * g
            o = sigmoid(gates[r, 3 * H + j] + p[2, j] * c_new if PEEPHOLE else gates[r, 3 * H + j])
            gates[r, j], gates[r, H + j], gates[r, 2 * H + j], gates[r, 3 * H + j] = i, f, g, o
            c[s, j] = seen[s, j] = c_new
    normalise(seen[first:last], gain_c, edges_c, raw_c[row:end])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            tanh_c[r, j] = tanh(seen[s, j] + b_c[j])
            h[s, j] = gates[r, 3 * H + j] * tanh_c[r, j]
    y[row:end] = h[first:last]


def _backward(arrays, row, first, n):
    du, R, gain, gain_c, p, edges, edges_c, dp, dh, dc, dy, gates, c_before, tanh_c, hat, hat_c, dproduct, dnormed, dseen = arrays
    H = dh.shape[1]
    end, last = row + n, first + n
    one = dh.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            o, seen = gates[r, 3 * H + j], tanh_c[r, j]
            d = dh[s, j] + dy[r, j]
            du[r, 3 * H + j] = d * seen * o * (one - o)
            dnormed[r, j] = dseen[s, j] = d * o * (one - seen * seen)
    normalise_back(dseen[first:last], gain_c, edges_c, hat_c[row:end])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            i, f, g, do = gates[r, j], gates[r, H + j], gates[r, 2 * H + j], du[r, 3 * H + j]
            c_old = c_before[r, j]
            dc_new = dc[s, j] + dseen[s, j]
            if PEEPHOLE:
                dc_new += do * p[2, j]
            di, df = dc_new * g * i * (one - i), dc_new * c_old * f * (one - f)
            du[r, j], du[r, H + j], du[r, 2 * H + j] = di, df, dc_new * i * (one - g * g)
            dc[s, j] = dc_new * f
            if PEEPHOLE:
                dc[s, j] += di * p[0, j] + df * p[1, j]
                dp[s, j] += di * c_old
                dp[s, H + j] += df * c_old
                dp[s, 2 * H + j] += do * (f * c_old + i * g)
    dproduct[row:end] = du[row:end]
    normalise_back(dproduct[row:end], gain, edges, hat[row:end])
    matmul(dproduct[row:end], R, dh[first:last])


_run_forward = {peephole: time_loop(_forward, PEEPHOLE=peephole) for peephole in (False, True)}
_run_backward = {peephole: time_loop(_backward, PEEPHOLE=peephole) for peephole in (False, True)}


def forward(layout: Layout, reverse: bool, u, R, gain_x, gain_h, gain_c, b, b_c, p, h, c):
    """Outputs, final state (h, c) and what ``backward`` needs.

    Parameters
    ----------
    u : ndarray of shape (n_rows, 4 H)
        W x, in the order i f g o; becomes the gates.
    R : ndarray of shape (4 H, H)
        Recurrent weights.
    gain_x, gain_h, gain_c : ndarray of shape (4 H,), (4 H,), (H,)
        Gains of the normalised W x, R h and c.
    b, b_c : ndarray of shape (4 H,), (H,)
        Biases of the sums and of the normalised c.
    p : ndarray of shape (3, H) or None
        Peepholes of i, f and o.
    h, c : ndarray of shape (B, H)
        Initial state.
    """
    (n, width), (batch, H) = u.shape, h.shape
    edges, edges_c = np.array([0, width]), np.array([0, H])
    raw_x, raw, product = normalise_input(u, gain_x, b, edges), np.empty_like(u), np.empty((batch, width), u.dtype)
    y, c_before, h_before, raw_c, tanh_c = (np.empty((n, H), u.dtype) for _ in range(5))
    h, c, seen = h.copy(), c.copy(), np.empty_like(c)
    weights = (np.ascontiguousarray(R.T), gain_h, gain_c, b_c, or_empty(p, u, 2), edges, edges_c)
    _run_forward[p is not None](layout, reverse, (u, *weights, h, c, y, c_before, h_before, raw, raw_c, tanh_c, product, seen))
    return y, (h, c), ((R, gain_x, gain_h, gain_c, p), u, c_before, h_before, tanh_c, (raw_x, raw, raw_c))


def backward(layout: Layout, reverse: bool, saved, dy, dh, dc):
    """Gradients of u, R, gain_x, gain_h, gain_c, b, b_c, p, h and c."""
    (R, gain_x, gain_h, gain_c, p), gates, c_before, h_before, tanh_c, (raw_x, raw, raw_c) = saved
    edges, edges_c = np.array([0, len(R)]), np.array([0, R.shape[1]])
    du, dproduct, dnormed, dseen = np.empty_like(gates), np.empty_like(gates), np.empty_like(c_before), np.empty_like(dh)
    hat, hat_c, dh, dc = raw.copy(), raw_c.copy(), dh.copy(), dc.copy()
    dp = np.zeros((0 if p is None else len(dh), 3 * R.shape[1]), du.dtype)
    weights = (R, gain_h, gain_c, or_empty(p, du, 2), edges, edges_c)
    arrays = (du, *weights, dp, dh, dc, dy, gates, c_before, tanh_c, hat, hat_c, dproduct, dnormed, dseen)
    _run_backward[p is not None](layout, not reverse, arrays)
    dgain_h, dgain_c, db_c = gain_gradient(du, hat), gain_gradient(dnormed, hat_c), column_sums(dnormed)
    dgain_x, db = normalise_input_back(du, gain_x, edges, raw_x)
    of_peepholes = None if p is None else dp.sum(0).reshape(p.shape)
    return du, tall_product(dproduct, h_before), dgain_x, dgain_h, dgain_c, db, db_c, of_peepholes, dh, dc


lstm_norm = Kernel(forward, backward)
