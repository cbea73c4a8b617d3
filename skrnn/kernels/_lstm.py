"""Compiled LSTM with and without peepholes, and without some of its gates or squashing functions."""

from __future__ import annotations

from functools import cache

import numpy as np

from ._loop import Kernel, Layout, or_empty, time_loop
from ._math import sigmoid, tanh
from ._product import matmul, tall_product

PEEPHOLE = INPUT_GATE = FORGET_GATE = OUTPUT_GATE = SQUASH_INPUT = SQUASH_OUTPUT = False  # what `time_loop` binds


def _forward(arrays, row, first, n):
    gates, R, p, h, c, y, c_before, h_before, product = arrays  # gates hold the projected input
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end], c_before[row:end] = h[first:last], c[first:last]
    matmul(h[first:last], R, product[first:last])
    one = h.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(4 * H):
            gates[r, j] += product[s, j]
        for j in range(H):
            c_old = c[s, j]
            i = sigmoid(gates[r, j] + p[0, j] * c_old if PEEPHOLE else gates[r, j]) if INPUT_GATE else one
            f = sigmoid(gates[r, H + j] + p[1, j] * c_old if PEEPHOLE else gates[r, H + j]) if FORGET_GATE else one
            g = tanh(gates[r, 2 * H + j]) if SQUASH_INPUT else gates[r, 2 * H + j]
            c_new = f * c_old + i * g
            o = sigmoid(gates[r, 3 * H + j] + p[2, j] * c_new if PEEPHOLE else gates[r, 3 * H + j]) if OUTPUT_GATE else one
            gates[r, j], gates[r, H + j], gates[r, 2 * H + j], gates[r, 3 * H + j] = i, f, g, o
            c[s, j] = c_new
            h[s, j] = o * (tanh(c_new) if SQUASH_OUTPUT else c_new)
    y[row:end] = h[first:last]


def _backward(arrays, row, first, n):
    du, R, p, dp, dh, dc, dy, gates, c_before = arrays
    H = dh.shape[1]
    one = dh.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            i, f, g, o = gates[r, j], gates[r, H + j], gates[r, 2 * H + j], gates[r, 3 * H + j]
            c_old = c_before[r, j]
            seen = tanh(f * c_old + i * g) if SQUASH_OUTPUT else f * c_old + i * g
            d = dh[s, j] + dy[r, j]
            do = d * seen * o * (one - o)  # 0 where there is no gate
            dc_new = dc[s, j] + d * o * (one - seen * seen if SQUASH_OUTPUT else one)
            if PEEPHOLE:
                dc_new += do * p[2, j]
            di, df = dc_new * g * i * (one - i), dc_new * c_old * f * (one - f)
            du[r, j], du[r, H + j] = di, df
            du[r, 2 * H + j], du[r, 3 * H + j] = dc_new * i * (one - g * g if SQUASH_INPUT else one), do
            dc[s, j] = dc_new * f
            if PEEPHOLE:
                dc[s, j] += di * p[0, j] + df * p[1, j]
                dp[s, j] += di * c_old
                dp[s, H + j] += df * c_old
                dp[s, 2 * H + j] += do * (f * c_old + i * g)
    matmul(du[row : row + n], R, dh[first : first + n])


@cache
def lstm(gates: str = "ifo", input_activation: str = "tanh", output_activation: str = "tanh") -> Kernel:
    """The kernel with these gates, of which those that are left out are open, and with "tanh" or "identity" around the cell."""
    squashed = {"SQUASH_INPUT": input_activation == "tanh", "SQUASH_OUTPUT": output_activation == "tanh"}
    with_gates = {"INPUT_GATE": "i" in gates, "FORGET_GATE": "f" in gates, "OUTPUT_GATE": "o" in gates}
    run_forward = {peephole: time_loop(_forward, PEEPHOLE=peephole, **with_gates, **squashed) for peephole in (False, True)}
    run_backward = {peephole: time_loop(_backward, PEEPHOLE=peephole, **squashed) for peephole in (False, True)}

    def forward(layout: Layout, reverse: bool, u, R, p, h, c):
        """Outputs, final state (h, c) and what ``backward`` needs.

        Parameters
        ----------
        u : ndarray of shape (n_rows, 4 H)
            Projected input, in the order i f g o; becomes the gates.
        R : ndarray of shape (4 H, H)
            Recurrent weights.
        p : ndarray of shape (3, H) or None
            Peepholes of i, f and o.
        h, c : ndarray of shape (B, H)
            Initial state.
        """
        (n, width), (batch, H) = u.shape, h.shape
        y, c_before, h_before = (np.empty((n, H), u.dtype) for _ in range(3))
        product, h, c, seen = np.empty((batch, width), u.dtype), h.copy(), c.copy(), or_empty(p, u, 2)
        run_forward[p is not None](layout, reverse, (u, np.ascontiguousarray(R.T), seen, h, c, y, c_before, h_before, product))
        return y, (h, c), (R, p, u, c_before, h_before)

    def backward(layout: Layout, reverse: bool, saved, dy, dh, dc):
        """Gradients of u, R, p, h and c."""
        R, p, gates, c_before, h_before = saved
        du, dh, dc = np.empty_like(gates), dh.copy(), dc.copy()
        dp = np.zeros((0 if p is None else len(dh), 3 * R.shape[1]), du.dtype)
        run_backward[p is not None](layout, not reverse, (du, R, or_empty(p, du, 2), dp, dh, dc, dy, gates, c_before))
        return du, tall_product(du, h_before), None if p is None else dp.sum(0).reshape(p.shape), dh, dc

    return Kernel(forward, backward)
