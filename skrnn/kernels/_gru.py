"""Compiled GRU in both published forms: the reset gate acts after the recurrent product, or on the state before it."""

from __future__ import annotations

import numpy as np

from ._loop import Kernel, Layout, time_loop
from ._math import sigmoid, tanh
from ._product import matmul, tall_product


def _forward_after(arrays, row, first, n):
    gates, R, b_n, h, y, inner, h_before, product = arrays  # gates hold the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end] = h[first:last]
    matmul(h[first:last], R, product[first:last])
    one = h.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(2 * H):
            gates[r, j] = sigmoid(gates[r, j] + product[s, j])
        for j in range(H):
            inner[r, j] = product[s, 2 * H + j] + b_n[j]
        for j in range(H):
            z = gates[r, H + j]
            new = tanh(gates[r, 2 * H + j] + gates[r, j] * inner[r, j])
            gates[r, 2 * H + j] = new
            h[s, j] = z * h[s, j] + (one - z) * new
    y[row:end] = h[first:last]


def _backward_after(arrays, row, first, n):
    du, R, dh, dy, gates, inner, h_before, dinner, dproduct, passed = arrays
    H = dh.shape[1]
    last = first + n
    one = dh.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            reset, z, new = gates[r, j], gates[r, H + j], gates[r, 2 * H + j]
            d = dh[s, j] + dy[r, j]
            dnew = d * (one - z) * (one - new * new)
            du[r, j] = dnew * inner[r, j] * reset * (one - reset)
            du[r, H + j] = d * (h_before[r, j] - new) * z * (one - z)
            du[r, 2 * H + j] = dnew
            dinner[r, j] = dnew * reset
            dh[s, j] = d * z
        dproduct[s, : 2 * H] = du[r, : 2 * H]
        dproduct[s, 2 * H :] = dinner[r]
    matmul(dproduct[first:last], R, passed[first:last])
    dh[first:last] += passed[first:last]


def _forward_before(arrays, row, first, n):
    gates, R, R_n, h, y, h_before, product, kept, product_n = arrays  # gates hold the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end] = h[first:last]
    one = h.dtype.type(1)
    matmul(h[first:last], R, product[first:last])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(2 * H):
            gates[r, j] = sigmoid(gates[r, j] + product[s, j])
        for j in range(H):
            kept[s, j] = gates[r, j] * h[s, j]
    matmul(kept[first:last], R_n, product_n[first:last])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            z = gates[r, H + j]
            new = tanh(gates[r, 2 * H + j] + product_n[s, j])
            gates[r, 2 * H + j] = new
            h[s, j] = z * h[s, j] + (one - z) * new
    y[row:end] = h[first:last]


def _backward_before(arrays, row, first, n):
    du, R, R_n, dh, dy, gates, h_before, dgates, dnew, dkept, passed = arrays
    H = dh.shape[1]
    last = first + n
    one = dh.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            z, new = gates[r, H + j], gates[r, 2 * H + j]
            d = dh[s, j] + dy[r, j]
            dnew[s, j] = d * (one - z) * (one - new * new)
            du[r, H + j] = d * (h_before[r, j] - new) * z * (one - z)
            dh[s, j] = d * z
        du[r, 2 * H :] = dnew[s]
    matmul(dnew[first:last], R_n, dkept[first:last])
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            reset = gates[r, j]
            du[r, j] = dkept[s, j] * h_before[r, j] * reset * (one - reset)
            dh[s, j] += dkept[s, j] * reset
        dgates[s] = du[r, : 2 * H]
    matmul(dgates[first:last], R, passed[first:last])
    dh[first:last] += passed[first:last]


_run = {step: time_loop(step) for step in (_forward_after, _backward_after, _forward_before, _backward_before)}


def forward_after(layout: Layout, reverse: bool, u, R, b_n, h):
    """n = tanh(u_n + r (R_n h + b_n)): outputs, final state and what ``backward_after`` needs.

    Parameters
    ----------
    u : ndarray of shape (n_rows, 3 H)
        Projected input, in the order r z n; becomes the gates.
    R : ndarray of shape (3 H, H)
        Recurrent weights.
    b_n : ndarray of shape (H,)
        Bias inside the reset gate's product.
    h : ndarray of shape (B, H)
        Initial state.
    """
    (n, width), (batch, H) = u.shape, h.shape
    y, inner, h_before = (np.empty((n, H), u.dtype) for _ in range(3))
    product, h = np.empty((batch, width), u.dtype), h.copy()
    _run[_forward_after](layout, reverse, (u, np.ascontiguousarray(R.T), b_n, h, y, inner, h_before, product))
    return y, (h,), (R, u, inner, h_before)


def backward_after(layout: Layout, reverse: bool, saved, dy, dh):
    """Gradients of u, R, b_n and h."""
    R, gates, inner, h_before = saved
    (batch, H), dh = dh.shape, dh.copy()
    du, dinner = np.empty_like(gates), np.empty_like(inner)
    dproduct, passed = np.empty((batch, 3 * H), dh.dtype), np.empty_like(dh)
    _run[_backward_after](layout, not reverse, (du, R, dh, dy, gates, inner, h_before, dinner, dproduct, passed))
    dR = np.concatenate([tall_product(du[:, : 2 * H], h_before), tall_product(dinner, h_before)])
    return du, dR, dinner.sum(0), dh


def forward_before(layout: Layout, reverse: bool, u, R, h):
    """n = tanh(u_n + R_n (r h)): outputs, final state and what ``backward_before`` needs; parameters as in ``forward_after``."""
    n, (batch, H) = len(u), h.shape
    y, h_before = np.empty((n, H), u.dtype), np.empty((n, H), u.dtype)
    product, h = np.empty((batch, 2 * H), u.dtype), h.copy()
    R_gates, R_n = np.ascontiguousarray(R[: 2 * H].T), np.ascontiguousarray(R[2 * H :].T)
    _run[_forward_before](layout, reverse, (u, R_gates, R_n, h, y, h_before, product, np.empty_like(h), np.empty_like(h)))
    return y, (h,), (R, u, h_before)


def backward_before(layout: Layout, reverse: bool, saved, dy, dh):
    """Gradients of u, R and h."""
    R, gates, h_before = saved
    (batch, H), dh = dh.shape, dh.copy()
    du = np.empty_like(gates)
    scratch = (np.empty((batch, 2 * H), dh.dtype), *(np.empty_like(dh) for _ in range(3)))
    _run[_backward_before](layout, not reverse, (du, R[: 2 * H], R[2 * H :], dh, dy, gates, h_before, *scratch))
    dR = np.concatenate([tall_product(du[:, : 2 * H], h_before), tall_product(du[:, 2 * H :], gates[:, :H] * h_before)])
    return du, dR, dh


gru_after = Kernel(forward_after, backward_after)
gru_before = Kernel(forward_before, backward_before)
