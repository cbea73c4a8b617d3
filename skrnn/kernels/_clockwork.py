"""Compiled clockwork network: a group of units is computed when it is due, and what it tells the others when it has changed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from ._elman import _relu, _relu_slope, _sigmoid, _sigmoid_slope, _tanh, _tanh_slope
from ._loop import Kernel, Layout, time_loop
from ._math import JIT
from ._product import matmul, tall_product

activation: Any = None  # what `time_loop` binds
slope: Any = None


@njit(**JIT)
def _rows(flat, start, first, last, width):
    """Rows of one group's matrix, which begins at ``start`` in an array that holds the matrices of all groups end to end."""
    return flat[start + first * width : start + last * width].reshape(last - first, width)


def _forward(arrays, row, first, n):
    y, R, edges, starts, due, n_told, h, seen, told, latest, source = arrays  # y holds the projected input
    n_groups = len(edges) - 1
    for k in range(n_groups):
        low, high = edges[k], edges[k + 1]
        begin, end = n_told[row, k], n_told[row + n, k]
        kept = _rows(seen, starts[1, k], begin, end, high - low)
        for b in range(n if end > begin else 0):
            event = n_told[row + b, k]
            if n_told[row + b + 1, k] > event:
                units = h[first + b, low:high]
                for j in range(high - low):
                    kept[event - begin, j] = units[j]
                latest[first + b, k] = starts[2, k] + event * high
        matmul(kept, _rows(R, starts[0, k], 0, high - low, high), _rows(told, starts[2, k], begin, end, high))
    for b in range(n):
        r, s = row + b, first + b
        for k in range(n_groups):
            low, high = edges[k], edges[k + 1]
            units, out = h[s, low:high], y[r, low:high]
            source[r, k] = latest[s, k]
            if due[r, k]:
                for i in range(k, n_groups):
                    heard = told[latest[s, i] + low : latest[s, i] + high]
                    for j in range(high - low):
                        out[j] += heard[j]
                for j in range(high - low):
                    units[j] = out[j] = activation(out[j])
            else:
                for j in range(high - low):
                    out[j] = units[j]


def _backward(arrays, row, first, n):
    du, R, edges, starts, due, n_told, dh, dy, y, source, dtold, passed = arrays
    n_groups = len(edges) - 1
    for b in range(n):
        r, s = row + b, first + b
        for k in range(n_groups):
            low, high = edges[k], edges[k + 1]
            d, above, beside, out = du[r, low:high], dh[s, low:high], dy[r, low:high], y[r, low:high]
            if due[r, k]:
                for j in range(high - low):
                    d[j] = (above[j] + beside[j]) * slope(out[j])
                    above[j] = 0
                for i in range(k, n_groups):
                    heard = dtold[source[r, i] + low : source[r, i] + high]
                    for j in range(high - low):
                        heard[j] += d[j]
            else:
                for j in range(high - low):
                    d[j] = 0
                    above[j] += beside[j]
    for k in range(n_groups):
        low, high = edges[k], edges[k + 1]
        begin, end = n_told[row, k], n_told[row + n, k]
        back = _rows(passed, first * dh.shape[1], 0, end - begin, high - low)
        matmul(_rows(dtold, starts[2, k], begin, end, high), _rows(R, starts[0, k], 0, high, high - low), back)
        for b in range(n if end > begin else 0):
            event = n_told[row + b, k]
            if n_told[row + b + 1, k] > event:
                below, given = dh[first + b, low:high], back[event - begin]
                for j in range(high - low):
                    below[j] += given[j]


def _clock(layout: Layout, reverse: bool, periods, t):
    """For each row which groups are due, and before each row how many times each group has told its state: at first and after it was due."""
    step, sequence = layout.places
    made = layout.lengths[sequence] - 1 - step if reverse else step
    ticks = t[sequence] + made
    n_told = np.zeros((len(step) + 1, len(periods)), np.int64)
    np.cumsum(_multiples(ticks - 1, periods) | (made == 0)[:, None], axis=0, out=n_told[1:])
    return _multiples(ticks, periods), n_told


def _starts(edges, n_told):
    """Where each group begins in arrays of weights, of states told and of what was told, that hold a row for each time; and their sizes."""
    sizes = np.diff(edges)
    return np.cumsum([[0, *sizes * edges[1:]], [0, *n_told * sizes], [0, *n_told * edges[1:]]], axis=1)


def _multiples(n, periods):
    return np.stack([n // period * period == n for period in periods], axis=1)  # numpy divides by a scalar several times as fast


def _gradient_of_R(R, edges, starts, dtold, seen):
    dR = np.zeros_like(R)
    for k, (low, high) in enumerate(pairwise(edges)):
        _, kept, heard = (slice(*pair) for pair in starts[:, k : k + 2])
        dR[:high, low:high] = tall_product(dtold[heard].reshape(-1, high), seen[kept].reshape(-1, high - low))
    return dR


def _kernel(activation, slope) -> Kernel:
    run_forward, run_backward = time_loop(_forward, activation=activation), time_loop(_backward, slope=slope)

    def forward(layout: Layout, reverse: bool, u, R, edges, periods, h, t):
        """Outputs, final state (h, t) and what ``backward`` needs.

        Parameters
        ----------
        u : ndarray of shape (n_rows, H)
            Projected input; becomes the outputs.
        R : ndarray of shape (H, H)
            Recurrent weights, block-triangular: of a group's columns the rows of slower groups are not read.
        edges : ndarray of shape (n_groups + 1,)
            Group k has the units from edges[k] up to edges[k + 1], the fastest first.
        periods : ndarray of shape (n_groups,)
            A group is due when t mod its period is 0.
        h : ndarray of shape (B, H)
            Initial state.
        t : ndarray of shape (B,)
            Steps that each sequence has made before.
        """
        due, n_told = _clock(layout, reverse, periods, t)
        starts = _starts(edges, n_told[-1])
        columns = np.concatenate([R[:high, low:high].T.ravel() for low, high in pairwise(edges)])
        seen, told = (np.empty(size, u.dtype) for size in starts[1:, -1])
        h, source, latest = h.copy(), np.empty(due.shape, np.int64), np.empty((len(h), len(periods)), np.int64)
        run_forward(layout, reverse, (u, columns, edges, starts, due, n_told, h, seen, told, latest, source))
        return u, (h, t + layout.lengths), (R, edges, starts, due, n_told, u, seen, source)

    def backward(layout: Layout, reverse: bool, saved, dy, dh, dt):
        """Gradients of u, R and h; edges, periods and t have none."""
        R, edges, starts, due, n_told, y, seen, source = saved
        du, dh = np.empty_like(y), dh.copy()
        blocks = np.concatenate([R[:high, low:high].ravel() for low, high in pairwise(edges)])
        dtold, passed = np.zeros(starts[2, -1], y.dtype), np.empty(dh.size, y.dtype)
        run_backward(layout, not reverse, (du, blocks, edges, starts, due, n_told, dh, dy, y, source, dtold, passed))
        return du, _gradient_of_R(R, edges, starts, dtold, seen), None, None, dh, None

    return Kernel(forward, backward)


clockwork = {"tanh": _kernel(_tanh, _tanh_slope), "sigmoid": _kernel(_sigmoid, _sigmoid_slope), "relu": _kernel(_relu, _relu_slope)}
