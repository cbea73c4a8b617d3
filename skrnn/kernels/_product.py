"""Small matrix products inside of compiled loops."""

from __future__ import annotations

from numba import njit

from ._jit import EXACT


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
