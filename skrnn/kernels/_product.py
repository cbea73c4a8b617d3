"""Matrix products: a small one inside compiled loops, a big one and a tall one shared among threads."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ._jit import EXACT, SUMS
from ._machine import outer_sum
from ._threads import WORTH_THREADS, run_blocks, single_blas

_BLOCKS = 4
_NARROW = 2**14  # entries of a result up to which our own product of tall matrices beats BLAS
_WIDE = 64  # columns that keep the vector units busy


@njit(**EXACT)
def matmul(a, w, out):
    """``out = a @ w`` for few rows ``a``, inside compiled loops.

    Four rows and four columns of ``a`` at a time, vectorised over the columns of ``w``. For the matrices of a recurrent step this is as fast as
    BLAS, does not stop other threads, and a row of ``out`` has the same bits whatever rows stand beside it.
    """
    n = a.shape[0]
    if n < 4:
        for b in range(n):
            _one_row(a[b], w, out[b])
    else:
        for b in range(0, n, 4):
            _four_rows(a, w, out, min(b, n - 4))  # the last four may overlap the four before them


@njit(**EXACT)
def _four_rows(a, w, out, b):
    K, N = w.shape
    y0, y1, y2, y3 = out[b], out[b + 1], out[b + 2], out[b + 3]
    x0, x1, x2, x3 = a[b], a[b + 1], a[b + 2], a[b + 3]
    for j in range(N):
        y0[j] = y1[j] = y2[j] = y3[j] = 0
    whole = K - K % 4
    for k in range(0, whole, 4):
        w0, w1, w2, w3 = w[k], w[k + 1], w[k + 2], w[k + 3]
        p0, p1, p2, p3 = x0[k], x0[k + 1], x0[k + 2], x0[k + 3]
        q0, q1, q2, q3 = x1[k], x1[k + 1], x1[k + 2], x1[k + 3]
        r0, r1, r2, r3 = x2[k], x2[k + 1], x2[k + 2], x2[k + 3]
        s0, s1, s2, s3 = x3[k], x3[k + 1], x3[k + 2], x3[k + 3]
        for j in range(N):
            v0, v1, v2, v3 = w0[j], w1[j], w2[j], w3[j]  # read once: a store to y might change w, for all that LLVM knows
            y0[j] = y0[j] + p0 * v0 + p1 * v1 + p2 * v2 + p3 * v3
            y1[j] = y1[j] + q0 * v0 + q1 * v1 + q2 * v2 + q3 * v3
            y2[j] = y2[j] + r0 * v0 + r1 * v1 + r2 * v2 + r3 * v3
            y3[j] = y3[j] + s0 * v0 + s1 * v1 + s2 * v2 + s3 * v3
    for k in range(whole, K):
        w0 = w[k]
        p0, q0, r0, s0 = x0[k], x1[k], x2[k], x3[k]
        for j in range(N):
            v0 = w0[j]
            y0[j] = y0[j] + p0 * v0
            y1[j] = y1[j] + q0 * v0
            y2[j] = y2[j] + r0 * v0
            y3[j] = y3[j] + s0 * v0


@njit(**EXACT)
def _one_row(x, w, y):
    K, N = w.shape
    for j in range(N):
        y[j] = 0
    whole = K - K % 4
    for k in range(0, whole, 4):
        w0, w1, w2, w3 = w[k], w[k + 1], w[k + 2], w[k + 3]
        p0, p1, p2, p3 = x[k], x[k + 1], x[k + 2], x[k + 3]
        for j in range(N):
            y[j] = y[j] + p0 * w0[j] + p1 * w1[j] + p2 * w2[j] + p3 * w3[j]
    for k in range(whole, K):
        w0, p0 = w[k], x[k]
        for j in range(N):
            y[j] = y[j] + p0 * w0[j]


@njit(**SUMS)
def copy_row(x, y):
    """``y[:] = x`` inside compiled loops."""
    for j in range(len(x)):
        y[j] = x[j]


@njit(**SUMS)
def _add_row(x, y):
    for j in range(len(x)):
        y[j] += x[j]


@njit(**EXACT)
def copy_rows(a, out):
    """``out[:] = a`` inside compiled loops, which copy two axes at once two to six times as slowly."""
    for b in range(len(a)):
        copy_row(a[b], out[b])


@njit(**EXACT)
def add_rows(a, out):
    """``out[:] += a`` inside compiled loops, which would make the sum before they copy it."""
    for b in range(len(a)):
        _add_row(a[b], out[b])


def big_matmul(a: NDArray, b: NDArray) -> NDArray:
    """``a @ b`` over many rows or a long inner axis; blocks of the longer side of the result are shared among the allowed threads.

    The blocks are fixed by the sizes alone, so the result has the same bits on one thread and on many. A result that is higher than wide is
    computed as its transpose: where the inner axis is long, BLAS is up to six times as fast that way.
    """
    if len(a) > b.shape[1] and len(a) < a.shape[1]:
        return big_matmul(b.T, a.T).T
    out = np.empty((len(a), b.shape[1]), a.dtype)
    by_rows = len(a) >= b.shape[1]
    longer = max(out.shape)
    n_blocks = 1 if out.size * a.shape[1] < WORTH_THREADS or longer < _BLOCKS else _BLOCKS

    def block(k: int) -> None:
        part = slice(longer * k // n_blocks, longer * (k + 1) // n_blocks)
        with np.errstate(all="ignore"):  # what is not finite shows in the loss
            if by_rows:
                np.matmul(a[part], b, out=out[part])
            else:
                out[:, part] = a @ b[:, part]

    with single_blas():
        run_blocks(block, n_blocks, worth_threads=True)
    return out


def tall_product(a: NDArray, b: NDArray) -> NDArray:
    """``a.T @ b`` of many rows: the gradient of weights, from the rows that met them.

    A narrow result is summed over chunks of rows that stay in the cache, twice as fast as BLAS; fixed blocks of rows are shared among the allowed
    threads.
    """
    if a.shape[1] * b.shape[1] > _NARROW:
        return big_matmul(a.T, b)
    if a.shape[1] > b.shape[1] and b.shape[1] < _WIDE:
        return tall_product(b, a).T
    a, b, n = _with_whole_rows(a), _with_whole_rows(b), len(a)
    n_blocks = _BLOCKS if a.size * b.shape[1] > WORTH_THREADS else 1
    parts = np.zeros((n_blocks, a.shape[1], b.shape[1]), a.dtype)

    def block(k: int) -> None:
        rows = slice(n * k // n_blocks, n * (k + 1) // n_blocks)
        outer_sum(a[rows], b[rows], parts[k])

    run_blocks(block, n_blocks, worth_threads=True)
    return parts.sum(0) if n_blocks > 1 else parts[0]


def _with_whole_rows(a: NDArray) -> NDArray:
    return a if a.strides[1] == a.itemsize else np.ascontiguousarray(a)


def column_sums(a: NDArray) -> NDArray:
    """``a.sum(0)`` of many rows, by BLAS: five times as fast."""
    with single_blas(), np.errstate(all="ignore"):
        return np.ones(len(a), a.dtype) @ a
