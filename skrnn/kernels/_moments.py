"""Rows of any precision as float64 rows about their mean."""

from __future__ import annotations

from numba import njit

from ._jit import EXACT


@njit(nogil=True, cache=True, **EXACT)
def centre_rows(values, share, root, mean, rows):
    """``mean += share @ values`` and ``rows = root (values − mean)``, in two passes over ``values`` and without a copy of them."""
    n, width = values.shape
    whole = n - n % 4
    for k in range(0, whole, 4):
        a, b, c, d = values[k], values[k + 1], values[k + 2], values[k + 3]
        p, q, r, s = share[k], share[k + 1], share[k + 2], share[k + 3]
        for j in range(width):
            mean[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j])
    for k in range(whole, n):
        a, p = values[k], share[k]
        for j in range(width):
            mean[j] += p * a[j]
    for k in range(n):
        a, out, w = values[k], rows[k], root[k]
        for j in range(width):
            out[j] = w * (a[j] - mean[j])
