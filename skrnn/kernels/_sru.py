"""Compiled simple recurrent unit: gates see the cell through one weight a unit."""

from __future__ import annotations

import numpy as np

from ._linear import PER_ENTRY
from ._loop import Kernel, Layout, time_loop
from ._math import logistic, tanh

TANH = False  # what `time_loop` binds


def _forward(arrays, row, first, n):
    u, v, skip, c, h, c_before, y = arrays  # u becomes the candidate and the gates
    H = c.shape[1]
    end, last = row + n, first + n
    c_before[row:end] = c[first:last]
    one = c.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):  # in one loop with the next it is not vectorised, and takes six times as long
            u[r, H + j] = logistic(u[r, H + j] + v[0, j] * c[s, j])
            u[r, 2 * H + j] = logistic(u[r, 2 * H + j] + v[1, j] * c[s, j])
        for j in range(H):
            f, g = u[r, H + j], u[r, 2 * H + j]
            c[s, j] += (one - f) * (u[r, j] - c[s, j])
            h[s, j] = g * (tanh(c[s, j]) if TANH else c[s, j]) + (one - g) * skip[r, j]
    y[row:end] = h[first:last]


def _backward(arrays, row, first, n):
    du, v, dv, dskip, dc, dh, dy, gates, skip, c_before = arrays
    H = dc.shape[1]
    one = dc.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            new, f, g, c_old = gates[r, j], gates[r, H + j], gates[r, 2 * H + j], c_before[r, j]
            c = c_old + (one - f) * (new - c_old)
            if TANH:
                c = tanh(c)
            d = dh[s, j] + dy[r, j]
            dh[s, j] = 0  # only the last output is in the final state
            dskip[r, j] = d * (one - g)
            dg = d * (c - skip[r, j]) * g * (one - g)
            dc_new = dc[s, j] + d * g * (one - c * c if TANH else one)
            df = dc_new * (c_old - new) * f * (one - f)
            du[r, j], du[r, H + j], du[r, 2 * H + j] = dc_new * (one - f), df, dg
            dc[s, j] = dc_new * f + df * v[0, j] + dg * v[1, j]
            dv[s, j] += df * c_old
            dv[s, H + j] += dg * c_old


def _kernel(squashed: bool) -> Kernel:
    run_forward, run_backward = (time_loop(step, per_entry=PER_ENTRY, TANH=squashed) for step in (_forward, _backward))

    def forward(layout: Layout, reverse: bool, u, v, skip, c):
        """Outputs, final state (h, c) and what ``backward`` needs.

        Parameters
        ----------
        u : ndarray of shape (n_rows, 3 H)
            Projected input, in the order candidate f r; becomes the candidate and the gates.
        v : ndarray of shape (2, H)
            Weights with which f and r see the cell.
        skip : ndarray of shape (n_rows, H)
            What the highway carries.
        c : ndarray of shape (B, H)
            Initial state.
        """
        c, h = c.copy(), np.empty_like(c)
        c_before, y = np.empty_like(skip), np.empty_like(skip)
        run_forward(layout, reverse, (u, v, skip, c, h, c_before, y))
        return y, (h, c), (u, v, skip, c_before)

    def backward(layout: Layout, reverse: bool, saved, dy, dh, dc):
        """Gradients of u, v, skip and c."""
        gates, v, skip, c_before = saved
        du, dskip, dv = np.empty_like(gates), np.empty_like(skip), np.zeros((len(dc), v.size), dc.dtype)
        dc, dh = dc.copy(), dh.copy()
        run_backward(layout, not reverse, (du, v, dv, dskip, dc, dh, dy, gates, skip, c_before))
        return du, dv.sum(0).reshape(v.shape), dskip, dc

    return Kernel(forward, backward)


sru = {"identity": _kernel(False), "tanh": _kernel(True)}
