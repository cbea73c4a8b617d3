"""Compiled clockwork network: a group of units is computed when it is due, and what it and slower ones tell the others when that has changed.

What a group hears is the sum over itself and slower groups. Such sums are passed on from the slowest group to the fastest: each adds its own part,
keeps the sum for its units and passes the rest on.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from ._activations import _relu, _relu_slope, _sigmoid, _sigmoid_slope, _tanh, _tanh_slope
from ._big_product import tall_product
from ._jit import JIT
from ._layout import Kernel, Layout
from ._loop import time_loop
from ._product import matmul

activation: Any = None  # what `time_loop` binds
slope: Any = None


@njit(**JIT)
def _rows(flat, start, first, last, width):
    """Rows of one group's matrix, which begins at ``start`` in an array that holds the matrices of all groups end to end."""
    first, last, width = np.int64(first), np.int64(last), np.int64(width)
    return flat[start + first * width : start + last * width].reshape(last - first, width)


@njit(**JIT)
def _run(due, r, k):
    """The group after ``k`` and those behind it that rest, or are due, like it."""
    end = k + 1
    while end < due.shape[1] and due[r, end] == due[r, k]:
        end += 1
    return end


def _forward(arrays, row, first, n):
    y, R, edges, starts, due, n_told, h, seen, product, passed, heard = arrays  # y holds the projected input
    n_groups, H = due.shape[1], h.shape[1]
    for k in range(n_groups - 1, -1, -1):
        low, high, begin, end = edges[k], edges[k + 1], n_told[row, k], n_told[row + n, k]
        if begin == end:
            continue
        kept, told = _rows(seen, starts[1, k], begin, end, high - low), _rows(product, first * H, 0, end - begin, high)
        for b in range(n):
            event = n_told[row + b, k]
            if n_told[row + b + 1, k] > event:
                for j in range(low, high):
                    kept[event - begin, j - low] = h[first + b, j]
        matmul(kept, _rows(R, starts[0, k], 0, high - low, high), told)
        for b in range(n):
            s, event = first + b, n_told[row + b, k]
            if n_told[row + b + 1, k] > event:
                for j in range(low):
                    passed[k, s, j] = passed[k + 1, s, j] + told[event - begin, j]
                for j in range(low, high):
                    heard[s, j] = passed[k + 1, s, j] + told[event - begin, j]
    for b in range(n):
        r, s, k = row + b, first + b, 0
        while k < n_groups:
            low, is_due, k = edges[k], due[r, k], _run(due, r, k)
            if is_due:
                for j in range(low, edges[k]):
                    h[s, j] = y[r, j] = activation(y[r, j] + heard[s, j])
            else:
                for j in range(low, edges[k]):
                    y[r, j] = h[s, j]


def _backward(arrays, row, first, n):
    du, R, edges, starts, due, n_told, dh, dy, y, dtold, product, dpassed, dheard = arrays
    n_groups, H = due.shape[1], dh.shape[1]
    for b in range(n):
        r, s, k = row + b, first + b, 0
        while k < n_groups:
            low, is_due, k = edges[k], due[r, k], _run(due, r, k)
            if is_due:
                for j in range(low, edges[k]):
                    du[r, j] = (dh[s, j] + dy[r, j]) * slope(y[r, j])
                for j in range(low, edges[k]):
                    dheard[s, j] += du[r, j]
                    dh[s, j] = 0
            else:
                for j in range(low, edges[k]):
                    dh[s, j] += dy[r, j]
                    du[r, j] = 0
    for k in range(n_groups):
        low, high, begin, end = edges[k], edges[k + 1], n_told[row, k], n_told[row + n, k]
        if begin == end:
            continue
        given, back = _rows(dtold, starts[2, k], begin, end, high), _rows(product, first * H, 0, end - begin, high - low)
        for b in range(n):
            s, event = first + b, n_told[row + b, k]
            if n_told[row + b + 1, k] > event:
                for j in range(low):
                    given[event - begin, j] = dpassed[k, s, j]
                    dpassed[k, s, j] = 0
                for j in range(low, high):
                    given[event - begin, j] = dheard[s, j]
                    dheard[s, j] = 0
                for j in range(high):
                    dpassed[k + 1, s, j] += given[event - begin, j]
        matmul(given, _rows(R, starts[0, k], 0, high, high - low), back)
        for b in range(n):
            event = n_told[row + b, k]
            if n_told[row + b + 1, k] > event:
                for j in range(low, high):
                    dh[first + b, j] += back[event - begin, j - low]


def _clock(layout: Layout, reverse: bool, periods, t):
    """For each row which groups are due, and before each row how many times each group has told its state.

    A group tells it at first, after it was due, and after a slower one was due, as what slower groups tell is passed on with it.
    """
    step, sequence = layout.places
    made = layout.lengths[sequence] - 1 - step if reverse else step
    ticks = t[sequence] + made
    low, high = ticks.min(), ticks.max() + 1
    if high - low > 2 * len(ticks):
        some, which = np.unique(ticks, return_inverse=True)
    else:
        some, which = np.arange(low, high), ticks - low
    due = _multiples(some, periods)
    changed = np.logical_or.accumulate(_multiples(some - 1, periods)[:, ::-1], axis=1)[:, ::-1]
    return due.take(which, axis=0), _told(changed, which, made)


@njit(cache=True)
def _told(changed, which, made):
    n_told = np.zeros((len(which) + 1, changed.shape[1]), np.int64)
    for r in range(len(which)):
        for k in range(changed.shape[1]):
            n_told[r + 1, k] = n_told[r, k] + (changed[which[r], k] or made[r] == 0)
    return n_told


def _starts(edges, n_told):
    """Where each group begins in arrays of weights, of states told and of what was told, that hold a row for each time; and their sizes."""
    sizes = np.diff(edges)
    return np.cumsum([[0, *sizes * edges[1:]], [0, *n_told * sizes], [0, *n_told * edges[1:]]], axis=1)


def _multiples(n, periods):
    return np.stack([n % period == 0 for period in periods], axis=1)


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
        h, seen, product, heard = h.copy(), np.empty(starts[1, -1], u.dtype), np.empty(h.size, u.dtype), np.empty_like(h)
        passed = np.zeros((len(edges), *h.shape), u.dtype)
        # Places have no sign: it would have to be looked at in every loop over columns, which then is no vector code.
        run_forward(layout, reverse, (u, columns, edges.astype(np.uint64), starts, due, n_told, h, seen, product, passed, heard))
        return u, (h, t + layout.lengths), (R, edges, starts, due, n_told, u, seen)

    def backward(layout: Layout, reverse: bool, saved, dy, dh, dt):
        """Gradients of u, R and h; edges, periods and t have none."""
        R, edges, starts, due, n_told, y, seen = saved
        du, dh = np.empty_like(y), dh.copy()
        blocks = np.concatenate([R[:high, low:high].ravel() for low, high in pairwise(edges)])
        dtold, product = np.empty(starts[2, -1], y.dtype), np.empty(dh.size, y.dtype)
        dpassed, dheard = np.zeros((len(edges), *dh.shape), y.dtype), np.zeros_like(dh)
        run_backward(layout, not reverse, (du, blocks, edges.astype(np.uint64), starts, due, n_told, dh, dy, y, dtold, product, dpassed, dheard))
        return du, _gradient_of_R(R, edges, starts, dtold, seen), None, None, dh, None

    return Kernel(forward, backward)


clockwork = {"tanh": _kernel(_tanh, _tanh_slope), "sigmoid": _kernel(_sigmoid, _sigmoid_slope), "relu": _kernel(_relu, _relu_slope)}
