"""Compiled gated averages: recurrences whose gates see the input alone, so that the state enters linearly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from ._jit import JIT
from ._loop import Kernel, Layout, time_loop
from ._math import exp, logistic, tanh

PER_ENTRY = 15  # multiplications of a matrix product in the time that an element-wise recurrence takes for an entry of its projected input
candidate: Any = None  # what `time_loop` binds
slope: Any = None
OUTPUT_GATE = INPUT_GATE = False


@njit(**JIT)
def _linear(a):
    return a


@njit(**JIT)
def _linear_slope(new):
    return new * 0 + 1


@njit(**JIT)
def _positive(a):
    return max(a, a * 0) + min(logistic(a), a * 0 + 0.5)


@njit(**JIT)
def _positive_slope(new):
    return new * 0 + 1 if new >= 0.5 else new - new * new


def _forward_gru(arrays, row, first, n):
    u, h, h_before, y = arrays  # u becomes z and the candidate
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end] = h[first:last]
    one = h.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            z, new = logistic(u[r, j]), candidate(u[r, H + j])
            u[r, j], u[r, H + j] = z, new
            h[s, j] = (one - z) * h[s, j] + z * new
    y[row:end] = h[first:last]


def _backward_gru(arrays, row, first, n):
    du, dh, dy, gates, h_before = arrays
    H = dh.shape[1]
    one = dh.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            z, new = gates[r, j], gates[r, H + j]
            d = dh[s, j] + dy[r, j]
            du[r, j] = d * (new - h_before[r, j]) * z * (one - z)
            du[r, H + j] = d * z * slope(new)
            dh[s, j] = d * (one - z)


def _forward_lstm(arrays, row, first, n):
    u, h, h_before, y = arrays  # u becomes exp(−a_f), exp(−a_i) and the candidate
    H = h.shape[1]
    end, last = row + n, first + n
    h_before[row:end] = h[first:last]
    one, most = h.dtype.type(1), h.dtype.type(1e35)  # the inverse of twice that much is no denormal number in float32
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            f, i, new = min(exp(-u[r, j]), most), min(exp(-u[r, H + j]), most), candidate(u[r, 2 * H + j])
            u[r, j], u[r, H + j], u[r, 2 * H + j] = f, i, new
            keep = (one + i) / ((one + i) + (one + f))
            h[s, j] = keep * h[s, j] + (one - keep) * new
    y[row:end] = h[first:last]


def _backward_lstm(arrays, row, first, n):
    du, dh, dy, gates, h_before = arrays
    H = dh.shape[1]
    one = dh.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            f, i, new = gates[r, j], gates[r, H + j], gates[r, 2 * H + j]
            keep = (one + i) / ((one + i) + (one + f))
            d = dh[s, j] + dy[r, j]
            dgate = d * (h_before[r, j] - new) * keep * (one - keep)
            du[r, j] = dgate * (f / (one + f))
            du[r, H + j] = -dgate * (i / (one + i))
            du[r, 2 * H + j] = d * (one - keep) * slope(new)
            dh[s, j] = d * keep


def _average(forward_step, backward_step, candidate, slope) -> Kernel:
    run_forward = time_loop(forward_step, per_entry=PER_ENTRY, candidate=candidate)
    run_backward = time_loop(backward_step, per_entry=PER_ENTRY, slope=slope)

    def forward(layout: Layout, reverse: bool, u, h):
        """Outputs, final state and what ``backward`` needs; u has the columns z and candidate, or f, i and candidate, and h is the initial state."""
        h, h_before, y = h.copy(), *(np.empty((len(u), h.shape[1]), u.dtype) for _ in range(2))
        run_forward(layout, reverse, (u, h, h_before, y))
        return y, (h,), (u, h_before)

    def backward(layout: Layout, reverse: bool, saved, dy, dh):
        """Gradients of u and h."""
        gates, h_before = saved
        du, dh = np.empty_like(gates), dh.copy()
        run_backward(layout, not reverse, (du, dh, dy, gates, h_before))
        return du, dh

    return Kernel(forward, backward)


def _forward_quasi(arrays, row, first, n):
    u, taps, c, h, c_before, y = arrays  # the first columns of u become the gates z f o i
    H, width = c.shape[1], taps.shape[1]
    G = u.shape[1] - width
    end, last = row + n, first + n
    c_before[row:end] = c[first:last]
    one = c.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        if width:
            for j in range(G):
                u[r, j] += taps[s, j]
            for j in range(width - G):
                taps[s, j] = taps[s, G + j] + u[r, G + j]
            taps[s, width - G :] = u[r, width:]
        for j in range(H):
            z, f = tanh(u[r, j]), logistic(u[r, H + j])
            i = logistic(u[r, 3 * H + j]) if INPUT_GATE else one - f
            u[r, j], u[r, H + j] = z, f
            if INPUT_GATE:
                u[r, 3 * H + j] = i
            c[s, j] = f * c[s, j] + i * z
        for j in range(H):
            if OUTPUT_GATE:
                u[r, 2 * H + j] = logistic(u[r, 2 * H + j])
            h[s, j] = u[r, 2 * H + j] * c[s, j] if OUTPUT_GATE else c[s, j]
    y[row:end] = h[first:last]


def _backward_quasi(arrays, row, first, n):
    du, dtaps, dc, dh, dy, gates, c_before = arrays
    H, width = dc.shape[1], dtaps.shape[1]
    G = du.shape[1] - width
    one = dc.dtype.type(1)
    for b in range(n):
        r, s = row + b, first + b
        for j in range(H):
            z, f, c_old = gates[r, j], gates[r, H + j], c_before[r, j]
            i = gates[r, 3 * H + j] if INPUT_GATE else one - f
            d = dh[s, j] + dy[r, j]
            dh[s, j] = 0  # only the last output is in the final state
            if OUTPUT_GATE:
                o = gates[r, 2 * H + j]
                du[r, 2 * H + j] = d * (f * c_old + i * z) * o * (one - o)
                d *= o
            d += dc[s, j]
            df = c_old if INPUT_GATE else c_old - z
            du[r, j], du[r, H + j] = d * i * (one - z * z), d * df * f * (one - f)
            if INPUT_GATE:
                du[r, 3 * H + j] = d * z * i * (one - i)
            dc[s, j] = d * f
        if width:
            du[r, G:] = dtaps[s]
            dtaps[s] = du[r, :width]


def _quasi(input_gate: bool, output_gate: bool) -> Kernel:
    gates = {"per_entry": PER_ENTRY, "INPUT_GATE": input_gate, "OUTPUT_GATE": output_gate}
    run_forward, run_backward = time_loop(_forward_quasi, **gates), time_loop(_backward_quasi, **gates)

    def forward(layout: Layout, reverse: bool, u, c, taps):
        """Outputs, final state (h, c, taps) and what ``backward`` needs.

        Parameters
        ----------
        u : ndarray of shape (n_rows, width G)
            Projected input: for this step, the next, and so on, each in the order z f o i as far as there are such gates; becomes the gates.
        c : ndarray of shape (B, H)
            Initial state.
        taps : ndarray of shape (B, (width - 1) G)
            What the inputs before have to give to the first step, the second, and so on.
        """
        c, taps, h = c.copy(), taps.copy(), np.empty_like(c)
        c_before, y = (np.empty((len(u), c.shape[1]), u.dtype) for _ in range(2))
        run_forward(layout, reverse, (u, taps, c, h, c_before, y))
        return y, (h, c, taps), (u, c_before)

    def backward(layout: Layout, reverse: bool, saved, dy, dh, dc, dtaps):
        """Gradients of u, c and taps."""
        gates, c_before = saved
        du, dc, dh, dtaps = np.empty_like(gates), dc.copy(), dh.copy(), dtaps.copy()
        run_backward(layout, not reverse, (du, dtaps, dc, dh, dy, gates, c_before))
        return du, dc, dtaps

    return Kernel(forward, backward)


def _forward_complex(arrays, row, first, n):
    u, a, s, s_before = arrays  # u becomes the states, real parts before imaginary parts
    H = a.shape[1]
    end, last = row + n, first + n
    s_before[row:end] = s[first:last]
    for b in range(n):
        r, k = row + b, first + b
        for j in range(H):
            real, imaginary = s[k, j], s[k, H + j]
            s[k, j] = a[0, j] * real - a[1, j] * imaginary + u[r, j]
            s[k, H + j] = a[0, j] * imaginary + a[1, j] * real + u[r, H + j]
    u[row:end] = s[first:last]


def _backward_complex(arrays, row, first, n):
    du, a, da, ds, dy, s_before = arrays
    H = a.shape[1]
    for b in range(n):
        r, k = row + b, first + b
        for j in range(H):
            real, imaginary = ds[k, j] + dy[r, j], ds[k, H + j] + dy[r, H + j]
            before, before_i = s_before[r, j], s_before[r, H + j]
            du[r, j], du[r, H + j] = real, imaginary
            da[k, j] += real * before + imaginary * before_i
            da[k, H + j] += imaginary * before - real * before_i
            ds[k, j] = a[0, j] * real + a[1, j] * imaginary
            ds[k, H + j] = a[0, j] * imaginary - a[1, j] * real


_run_forward_complex = time_loop(_forward_complex, per_entry=PER_ENTRY)
_run_backward_complex = time_loop(_backward_complex, per_entry=PER_ENTRY)


def forward_complex(layout: Layout, reverse: bool, u, a, s):
    """s(t) = a s(t-1) + u(t) for complex numbers: states, final state and what ``backward_complex`` needs.

    Parameters
    ----------
    u : ndarray of shape (n_rows, 2 H)
        Real parts, then imaginary parts; becomes the states.
    a : ndarray of shape (2, H)
        Real and imaginary parts of the factors.
    s : ndarray of shape (B, 2 H)
        Initial state.
    """
    s, s_before = s.copy(), np.empty_like(u)
    _run_forward_complex(layout, reverse, (u, a, s, s_before))
    return u, (s,), (a, s_before)


def backward_complex(layout: Layout, reverse: bool, saved, dy, ds):
    """Gradients of u, a and s."""
    a, s_before = saved
    du, da, ds = np.empty_like(s_before), np.zeros_like(ds), ds.copy()
    _run_backward_complex(layout, not reverse, (du, a, da, ds, dy, s_before))
    return du, da.sum(0).reshape(a.shape), ds


_CANDIDATES = {"linear": (_linear, _linear_slope), "positive": (_positive, _positive_slope)}
min_gru = {name: _average(_forward_gru, _backward_gru, *functions) for name, functions in _CANDIDATES.items()}
min_lstm = {name: _average(_forward_lstm, _backward_lstm, *functions) for name, functions in _CANDIDATES.items()}
quasi = {"f": _quasi(False, False), "fo": _quasi(False, True), "ifo": _quasi(True, True)}
linear_complex = Kernel(forward_complex, backward_complex)
