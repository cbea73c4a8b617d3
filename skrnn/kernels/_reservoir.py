"""Compiled reservoirs: fixed recurrent weights that are mostly zeros, and states without a gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._activations import _identity, _relu, _sigmoid, _tanh
from ._jit import JIT
from ._layout import Layout
from ._loop import or_empty, time_loop
from ._product import matmul
from ._sparse import LANES, Sparse, add_lanes
from ._threads import WORTH_THREADS, run_blocks

activation: Any = None  # what `time_loop` binds
LEAK = False

_FEW = 8  # sequences below which a sum over the connections of one unit is faster than one over a panel of sequences
_PANEL = 2**16  # numbers of a panel that stay in the second cache
_TILE = 16  # sequences that fill vectors and lines of the cache
_NARROWEST, _WIDEST, _SHARES = 32, 128, 4  # sequences of a panel, panels of a batch that threads share
_LONG = 20  # steps for which it is worth to lay rows side by side


class Candidates(NamedTuple):
    """The scales in which B candidate reservoirs differ: four arrays of shape (B,)."""

    spectral_radius: NDArray[Any]
    leak_rate: NDArray[Any]
    input_scaling: NDArray[Any]
    bias_scaling: NDArray[Any]


@njit(**JIT)
def _add_products(values, columns, ends, h, width, out):
    """``out += values @ h[columns]`` for the connections between ``ends`` and a flat panel ``h`` of rows of ``width``.

    Summed in pairs, in the order of `_single`. Flat, since slices of rows would cost more than the few numbers in them.
    """
    width, n = np.uint64(width), np.uint64(len(out))  # not signed, as the indices of `Sparse`
    k, end = ends[0], ends[1]
    while k + 8 <= end:
        v0, v1, v2, v3 = values[k], values[k + 1], values[k + 2], values[k + 3]
        v4, v5, v6, v7 = values[k + 4], values[k + 5], values[k + 6], values[k + 7]
        c0, c1 = columns[k] * width, columns[k + 1] * width
        c2, c3 = columns[k + 2] * width, columns[k + 3] * width
        c4, c5 = columns[k + 4] * width, columns[k + 5] * width
        c6, c7 = columns[k + 6] * width, columns[k + 7] * width
        for b in range(n):
            total = (out[b] + (v0 * h[c0 + b] + v1 * h[c1 + b])) + (v2 * h[c2 + b] + v3 * h[c3 + b])
            out[b] = (total + (v4 * h[c4 + b] + v5 * h[c5 + b])) + (v6 * h[c6 + b] + v7 * h[c7 + b])
        k += 8
    while k + 2 <= end:
        v0, v1 = values[k], values[k + 1]
        c0, c1 = columns[k] * width, columns[k + 1] * width
        for b in range(n):
            out[b] = out[b] + (v0 * h[c0 + b] + v1 * h[c1 + b])
        k += 2
    if k < end:
        v0, c0 = values[k], columns[k] * width
        for b in range(n):
            out[b] = out[b] + v0 * h[c0 + b]


@njit(**JIT)
def _turn_in(y, row, n, panel):
    """Rows of ``y`` become columns of the panel; eight at a time, which is three times as fast as one by one."""
    whole = len(panel) - len(panel) % 8
    for i in range(0, whole, 8):
        p0, p1, p2, p3, p4, p5, p6, p7 = (
            panel[i], panel[i + 1], panel[i + 2], panel[i + 3], panel[i + 4], panel[i + 5], panel[i + 6], panel[i + 7]
        )  # fmt: skip
        for b in range(n):
            r = y[row + b]
            p0[b], p1[b], p2[b], p3[b] = r[i], r[i + 1], r[i + 2], r[i + 3]
            p4[b], p5[b], p6[b], p7[b] = r[i + 4], r[i + 5], r[i + 6], r[i + 7]
    for i in range(whole, len(panel)):
        for b in range(n):
            panel[i, b] = y[row + b, i]


@njit(**JIT)
def _turn_out(panel, y, row, n):
    """Columns of the panel become rows of ``y``."""
    whole = len(panel) - len(panel) % 8
    for i in range(0, whole, 8):
        p0, p1, p2, p3, p4, p5, p6, p7 = (
            panel[i], panel[i + 1], panel[i + 2], panel[i + 3], panel[i + 4], panel[i + 5], panel[i + 6], panel[i + 7]
        )  # fmt: skip
        for b in range(n):
            r = y[row + b]
            r[i], r[i + 1], r[i + 2], r[i + 3] = p0[b], p1[b], p2[b], p3[b]
            r[i + 4], r[i + 5], r[i + 6], r[i + 7] = p4[b], p5[b], p6[b], p7[b]
    for i in range(whole, len(panel)):
        for b in range(n):
            y[row + b, i] = panel[i, b]


def _single(arrays, row, first, n):
    y, values, columns, begins, rate, h = arrays  # y holds the projected input
    for b in range(n):
        r, s = row + b, first + b
        for i in range(h.shape[1]):
            total, begin, end = y[r, i], begins[i], begins[i + 1]
            even = begin + (end - begin) // 2 * 2
            for k in range(begin, even, 2):
                total = total + (values[k] * h[s, columns[k]] + values[k + 1] * h[s, columns[k + 1]])
            if even < end:
                total = total + values[even] * h[s, columns[even]]
            y[r, i] = total
        for i in range(h.shape[1]):
            now = activation(y[r, i])
            if LEAK:
                now = h[s, i] + rate[i] * (now - h[s, i])
            h[s, i] = y[r, i] = now


def _lanes(arrays, row, first, n):
    y, values, columns, rate, h, totals = arrays  # y holds the projected input; totals is h with whole groups of rows
    for b in range(n):
        state, out, total = h[first + b], y[row + b], totals[first + b]
        for i in range(len(state)):
            total[i] = out[i]
        for low in range(0, len(total), LANES):
            add_lanes(total, np.uint64(low // LANES), values, columns, state)
        for i in range(len(state)):
            now = activation(total[i])
            if LEAK:
                now = state[i] + rate[i] * (now - state[i])
            state[i] = out[i] = now


def _panel(arrays, row, first, n):
    _, y, values, columns, begins, rate, h, new = arrays  # h and new hold units in rows and sequences in columns
    H, width = h.shape
    whole, flat = -(-n // _TILE) * _TILE, h.reshape(H * width)  # full vectors; what stands behind the sequences is nothing
    _turn_in(y, row, n, new)
    for i in range(H):
        _add_products(values, columns, begins[i : i + 2], flat, width, new[i][:whole])
    for i in range(H):
        state, out = h[i], new[i]
        for b in range(whole):
            out[b] = activation(out[b])
        for b in range(n):
            state[b] = state[b] + rate[i] * (out[b] - state[b]) if LEAK else out[b]
    _turn_out(h, y, row, n)


def _dense(arrays, row, first, n):
    y, R, rate, h, product = arrays
    last = first + n
    matmul(h[first:last], R, product[first:last])
    for b in range(n):
        r, s = row + b, first + b
        for i in range(h.shape[1]):
            now = activation(y[r, i] + product[s, i])
            if LEAK:
                now = h[s, i] + rate[i] * (now - h[s, i])
            h[s, i] = y[r, i] = now


def _candidates(arrays, row, first, n):
    _, y, u, b, values, columns, begins, radius, rate, scale, shift, h = arrays
    t, low, width = row // y.shape[2], row % y.shape[2], h.shape[1]
    flat = h.reshape(len(h) * width)
    for i in range(len(h)):
        out = y[t, i][low : low + n]
        for c in range(n):
            out[c] = 0
        _add_products(values, columns, begins[i : i + 2], flat, width, out)
        for c in range(n):
            out[c] = out[c] * radius[c] + (scale[c] * u[t, i] + shift[c] * b[i])
    for i in range(len(h)):
        state, out = h[i], y[t, i][low : low + n]
        for c in range(n):
            out[c] = state[c] + rate[c] * (activation(out[c]) - state[c])
        for c in range(n):
            state[c] = out[c]


@cache
def _loop(step, function, leak):
    return time_loop(step, activation=function, LEAK=leak)


@cache
def _candidate_loop(function):
    return time_loop(_candidates, activation=function)


def _states(function) -> Callable[..., tuple[NDArray[Any], NDArray[Any]]]:
    def forward(layout: Layout, reverse: bool, u, R, h, rate=None):
        """Outputs and final state.

        Parameters
        ----------
        u : ndarray of shape (n_rows, N)
            Projected input; becomes the outputs.
        R : ndarray of shape (N, N) or Sparse
            Recurrent weights.
        h : ndarray of shape (B, N)
            Initial state.
        rate : ndarray of shape (N,) or None
            Share of the way that leaky units go.
        """
        h, leak = h.copy(), or_empty(rate, u, 1)
        if isinstance(R, Sparse):
            _run_sparse((function, rate is not None), layout, reverse, (u, *R, leak), h)
        else:
            _loop(_dense, function, rate is not None)(layout, reverse, (u, np.ascontiguousarray(R.T), leak, h, np.empty_like(h)))
        return u, h

    return forward


def _run_sparse(way: tuple[Any, bool], layout: Layout, reverse: bool, arrays: tuple[NDArray[Any], ...], h: NDArray[Any]) -> None:
    """Where many sequences have a step, groups of them as panels; where few have, one by one. ``h`` becomes the final state."""
    n_steps = int(np.searchsorted(-layout.sizes, -_FEW, side="right"))
    many, few = (Layout(layout.sizes[part], layout.starts[part]) for part in (slice(n_steps), slice(n_steps, None)))

    def one_by_one() -> None:
        if len(few.sizes):
            _run_singles(way, few, reverse, arrays, h)

    if reverse:
        one_by_one()
    if n_steps:
        _run_panels(way, many, reverse, arrays, h)
    if not reverse:
        one_by_one()


def _run_singles(way: tuple[Any, bool], layout: Layout, reverse: bool, arrays: tuple[NDArray[Any], ...], h: NDArray[Any]) -> None:
    y, *R, rate = arrays
    groups = Sparse(*R).side_by_side() if len(layout.sizes) >= _LONG else None
    if groups is None:
        _loop(_single, *way)(layout, reverse, (*arrays, h))
    else:
        totals = np.zeros((len(h), -(-h.shape[1] // LANES) * LANES), h.dtype)
        _loop(_lanes, *way)(layout, reverse, (y, *groups, rate, h, totals))


def _share(n: int) -> int:
    """Columns of a panel, if several threads share ``n``; fixed, so that results do not depend on the number of threads."""
    return max(_NARROWEST, -(-n // _SHARES // _TILE) * _TILE)


def _run_panels(way: tuple[Any, bool], layout: Layout, reverse: bool, arrays: tuple[NDArray[Any], ...], h: NDArray[Any]) -> None:
    batch, H = int(layout.sizes[0]), h.shape[1]
    most = min(_WIDEST, max(_TILE, _PANEL // H // _TILE * _TILE))
    width = min(most, _share(batch))
    loop, alone = _loop(_panel, *way), np.empty(0, h.dtype)  # `time_loop` looks at the first array: a panel has no blocks

    def block(k: int) -> None:
        part = slice(k * width, min((k + 1) * width, batch))
        sizes = np.minimum(layout.sizes, part.stop) - part.start
        there = slice(int(np.count_nonzero(sizes > 0)))
        panel = np.zeros((H, width + _TILE), h.dtype)  # a row is an odd number of cache lines: a power of two would share places of the cache
        panel[:, : part.stop - part.start] = h[part].T
        loop(Layout(sizes[there], layout.starts[there] + part.start), reverse, (alone, *arrays, panel, np.zeros_like(panel)))
        h[part] = panel[:, : part.stop - part.start].T

    worth = len(arrays[0]) * arrays[1].size > WORTH_THREADS
    run_blocks(block, -(-batch // width), worth_threads=worth)


def run_candidates(
    name: str, u: NDArray[Any], b: NDArray[Any], R: Sparse, candidates: Candidates, *, block_size: int = 256
) -> Iterator[NDArray[Any]]:
    """States of B reservoirs over one series; they share W, b and R, and differ in their scales.

    One pass over R serves all candidates, whose states lie side by side: cheaper than B reservoirs one after the other.

    Parameters
    ----------
    name : {"tanh", "relu", "sigmoid", "identity"}
        Activation f.
    u : ndarray of shape (n_steps, N)
        The input times the weights W, before any scaling.
    b : ndarray of shape (N,)
        Bias before any scaling.
    R : Sparse of shape (N, N)
        Recurrent weights of spectral radius 1.
    candidates : Candidates
        The scales, each of shape (B,).
    block_size : int, default=256
        Time steps of a block.

    Yields
    ------
    ndarray of shape (n_steps of the block, N, B)
        h(t) = (1 − leak) h(t-1) + leak f(input_scaling u(t) + bias_scaling b + spectral_radius R h(t-1)), a column a candidate, from h = 0.
    """
    function = {"tanh": _tanh, "relu": _relu, "sigmoid": _sigmoid, "identity": _identity}[name]
    n = len(candidates.leak_rate)
    width = _share(n)
    parts = [slice(low, min(low + width, n)) for low in range(0, n, width)]
    scales = [[np.ascontiguousarray(scale[part], u.dtype) for scale in candidates] for part in parts]
    states = [np.zeros((u.shape[1], part.stop - part.start), u.dtype) for part in parts]
    loop, alone, b = _candidate_loop(function), np.empty(0, u.dtype), np.ascontiguousarray(b, u.dtype)
    for low in range(0, len(u), block_size):
        piece = np.ascontiguousarray(u[low : low + block_size])
        y = np.empty((*piece.shape, n), u.dtype)

        def block(k: int, piece: NDArray[Any] = piece, y: NDArray[Any] = y) -> None:
            columns = parts[k].stop - parts[k].start
            layout = Layout(np.full(len(piece), columns), parts[k].start + n * np.arange(len(piece)))
            loop(layout, False, (alone, y, piece, b, *R, *scales[k], states[k]))

        run_blocks(block, len(parts), worth_threads=len(piece) * len(R.values) * n > WORTH_THREADS)
        yield y


reservoir = {"tanh": _states(_tanh), "relu": _states(_relu), "sigmoid": _states(_sigmoid), "identity": _states(_identity)}
