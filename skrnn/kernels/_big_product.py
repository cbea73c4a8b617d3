"""Matrix products of many rows: big ones by BLAS, tall ones by compiled code, shared among threads."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ._machine import outer_sum
from ._threads import WORTH_THREADS, run_blocks, single_blas

_BLOCKS = 4
_NARROW = 2**14  # entries of a result up to which our own product of tall matrices beats BLAS
_WIDE = 64  # columns that keep the vector units busy


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
