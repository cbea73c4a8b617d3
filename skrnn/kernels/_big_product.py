"""Matrix products of many rows: big ones by BLAS, tall ones by compiled code, shared among threads."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ._machine import outer_sum
from ._threads import WORTH_THREADS, run_blocks, single_blas

_BLOCKS = 4
_NARROW = 2**17  # entries of a result up to which our own product of tall matrices is as fast as BLAS
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
    """``a.T @ b`` of many rows: the gradient of weights, from the rows that met them."""
    total = TallSum(a.shape[1], b.shape[1], a.dtype)
    total.add(a, b)
    return total.value


class TallSum:
    """The sum of ``a.T @ b`` over pieces of many rows.

    A narrow result is summed by our own code, in registers, row after row: twice as fast as BLAS where it is very narrow. Fixed blocks of it are
    shared among the allowed threads.
    """

    def __init__(self, height: int, width: int, dtype: DTypeLike) -> None:
        self._turned = height > width and width < _WIDE
        self._sum = np.zeros((width, height) if self._turned else (height, width), dtype)

    @property
    def value(self) -> NDArray:
        return self._sum.T if self._turned else self._sum

    def add(self, a: NDArray, b: NDArray) -> None:
        """Add rows that lie as far apart as it may be."""
        if self._turned:
            a, b = b, a
        if self._sum.size > _NARROW:
            self._sum += big_matmul(a.T, b)
            return
        a, b, height = _with_whole_rows(a), _with_whole_rows(b), len(self._sum)
        n_blocks = _BLOCKS if a.size * b.shape[1] > WORTH_THREADS and height >= _BLOCKS else 1

        def block(k: int) -> None:
            part = slice(height * k // n_blocks, height * (k + 1) // n_blocks)
            outer_sum(a[:, part], b, self._sum[part])

        run_blocks(block, n_blocks, worth_threads=True)


def _with_whole_rows(a: NDArray) -> NDArray:
    return a if a.strides[1] == a.itemsize else np.ascontiguousarray(a)


def column_sums(a: NDArray) -> NDArray:
    """``a.sum(0)`` of many rows, by BLAS: five times as fast."""
    with single_blas(), np.errstate(all="ignore"):
        return np.ones(len(a), a.dtype) @ a
