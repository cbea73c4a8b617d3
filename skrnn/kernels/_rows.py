"""What is done to rows so that the bits of each are its own, whatever rows stand beside it: products, logistic gates, sums over time.

BLAS computes a row in one way or another as there are few rows or many, and as it is the first or the sixth; vector code computes the last numbers
of an array in another way than the others. Here a number of a product is one sum whose terms follow each other in the order of the columns: how
many rows and columns are computed side by side cannot be seen.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from ._jit import EXACT
from ._loop import Layout
from ._math import exp
from ._product import _add_row, copy_row, copy_rows
from ._sparse import _bytes
from ._threads import WORTH_THREADS, run_blocks

_WIDE = 64  # bytes of the columns that are computed side by side
_TALL = 6  # rows that are: with so many sums the registers of most processors are full
_FEW = 4  # rows up to which it costs more to lay columns side by side than it saves
_BLOCK = 48 * _TALL  # rows that stay in the second cache


def row_product(x: NDArray[Any], W: NDArray[Any], b: NDArray[Any] | None = None) -> NDArray[Any]:
    """``x Wᵀ + b``; a row has the same bits whatever rows stand beside it, and on any number of threads."""
    n, m = len(x), len(W)
    x, W, out = np.ascontiguousarray(x), np.ascontiguousarray(W), np.empty((n, m), x.dtype)
    b = np.zeros(m, x.dtype) if b is None else np.ascontiguousarray(b)
    if n <= _FEW:
        _few_rows(x, W, b, out)
        return out
    lanes = _WIDE // x.itemsize
    columns = np.zeros((-(-m // lanes), W.shape[1] + 1, lanes), x.dtype)
    _lay_side_by_side(W, b, columns)

    def block(k: int) -> None:
        rows = slice(k * _BLOCK, (k + 1) * _BLOCK)
        _many_rows(x[rows], columns, out[rows])

    run_blocks(block, -(-n // _BLOCK), worth_threads=n * W.size > WORTH_THREADS)
    return out


@njit(nogil=True, cache=True, **EXACT)
def _few_rows(x, W, b, out):
    m, K = W.shape
    whole = m - m % 8
    for r in range(len(x)):
        row, y = x[r], out[r]
        for j in range(0, whole, 8):
            w0, w1, w2, w3, w4, w5, w6, w7 = W[j], W[j + 1], W[j + 2], W[j + 3], W[j + 4], W[j + 5], W[j + 6], W[j + 7]
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = x.dtype.type(0)
            for k in range(K):
                v = row[k]
                s0, s1, s2, s3 = s0 + v * w0[k], s1 + v * w1[k], s2 + v * w2[k], s3 + v * w3[k]
                s4, s5, s6, s7 = s4 + v * w4[k], s5 + v * w5[k], s6 + v * w6[k], s7 + v * w7[k]
            y[j], y[j + 1], y[j + 2], y[j + 3] = s0 + b[j], s1 + b[j + 1], s2 + b[j + 2], s3 + b[j + 3]
            y[j + 4], y[j + 5], y[j + 6], y[j + 7] = s4 + b[j + 4], s5 + b[j + 5], s6 + b[j + 6], s7 + b[j + 7]
        for j in range(whole, m):
            w0, s0 = W[j], x.dtype.type(0)
            for k in range(K):
                s0 = s0 + row[k] * w0[k]
            y[j] = s0 + b[j]


@njit(nogil=True, cache=True, **EXACT)
def _lay_side_by_side(W, b, columns):
    """Column k of ``W`` becomes row k of ``columns``, cut into groups; the last row are those of ``b``."""
    (m, K), lanes = W.shape, columns.shape[2]
    whole = m - m % 8
    for j in range(0, whole, 8):  # eight rows at once: written one by one, they would come back to every place of the cache
        w0, w1, w2, w3, w4, w5, w6, w7 = W[j], W[j + 1], W[j + 2], W[j + 3], W[j + 4], W[j + 5], W[j + 6], W[j + 7]
        group, low = columns[j // lanes], j % lanes
        for k in range(K):
            to = group[k]
            to[low], to[low + 1], to[low + 2], to[low + 3] = w0[k], w1[k], w2[k], w3[k]
            to[low + 4], to[low + 5], to[low + 6], to[low + 7] = w4[k], w5[k], w6[k], w7[k]
    for j in range(whole, m):
        for k in range(K):
            columns[j // lanes, k, j % lanes] = W[j, k]
    for j in range(m):
        columns[j // lanes, K, j % lanes] = b[j]


@njit(nogil=True, cache=True, **EXACT)
def _many_rows(x, columns, out):
    (n, m), lanes = out.shape, columns.shape[2]
    whole, spare = n - n % _TALL, np.empty((_TALL, lanes), out.dtype)
    for group in range(len(columns)):
        low = group * lanes
        if low + lanes <= m:
            for r in range(0, whole, _TALL):
                _six_rows(x, columns, out, (r, group, r, low))
            for r in range(whole, n):
                _one_row(x, columns, out, (r, group, r, low))
        else:  # fewer columns than lanes are left
            for r in range(0, whole, _TALL):
                _six_rows(x, columns, spare, (r, group, 0, 0))
                copy_rows(spare[:, : m - low], out[r : r + _TALL, low:])
            for r in range(whole, n):
                _one_row(x, columns, spare, (r, group, 0, 0))
                copy_row(spare[0, : m - low], out[r, low:])


def _tile(rows: int) -> Any:
    @intrinsic
    def add(typing_context, x, columns, out, place):
        """``out[row + r, column + lane] = Σ_k x[first + r, k] columns[group, k, lane] + columns[group, last, lane]`` for all lanes and some rows.

        ``place`` are first, group, row and column.
        """

        def generate(context, builder, signature, arguments):
            return _generate_tile(context, builder, signature, arguments, rows)

        return types.void(x, columns, out, types.UniTuple(types.intp, 4)), generate

    return add


def _generate_tile(context, builder, signature, arguments, rows):
    arrays = [context.make_array(signature.args[k])(context, builder, arguments[k]) for k in range(3)]
    x, columns, out = (array.data for array in arrays)
    (_, width), (_, height, _), (_, stride) = (cgutils.unpack_tuple(builder, array.shape) for array in arrays)
    first, group, row, column = cgutils.unpack_tuple(builder, arguments[3])
    real, whole = x.type.pointee, width.type
    align = _bytes(real)
    lanes = _WIDE // align
    vector = ir.VectorType(real, lanes)
    kind = ir.FunctionType(vector, [vector] * 3)
    multiply_add = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fmuladd.v{lanes}f{8 * align}")

    def number(value):
        return ir.Constant(whole, value)

    def vector_at(array, place):
        return builder.bitcast(builder.gep(array, [place]), vector.as_pointer())

    def spread(value):
        one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes))

    begins = [builder.mul(builder.add(first, number(r)), width) for r in range(rows)]
    begin = builder.mul(builder.mul(group, height), number(lanes))
    totals = [cgutils.alloca_once_value(builder, ir.Constant(vector, [0.0] * lanes)) for _ in range(rows)]
    with cgutils.for_range(builder, width) as loop:
        w = builder.load(vector_at(columns, builder.add(begin, builder.mul(loop.index, number(lanes)))), align=align)
        for start, total in zip(begins, totals, strict=True):
            v = builder.load(builder.gep(x, [builder.add(start, loop.index)]), align=align)
            builder.store(builder.call(multiply_add, [spread(v), w, builder.load(total)]), total)
    b = builder.load(vector_at(columns, builder.add(begin, builder.mul(width, number(lanes)))), align=align)
    for r, total in enumerate(totals):
        place = builder.add(builder.mul(builder.add(row, number(r)), stride), column)
        builder.store(builder.fadd(builder.load(total), b), vector_at(out, place), align=align)
    return context.get_dummy_value()


_six_rows, _one_row = _tile(_TALL), _tile(1)


def row_logistic(x: NDArray[Any]) -> NDArray[Any]:
    """``1 / (1 + exp(−x))``; a number has the same bits at any place."""
    out = np.empty(x.shape, x.dtype)
    _logistic(np.ascontiguousarray(x).ravel(), out.ravel())
    return out


@njit(nogil=True, cache=True, **EXACT)
def _logistic(x, out):
    one = x.dtype.type(1)
    for j in range(len(x)):
        out[j] = one / (one + exp(-x[j]))


def row_softmax(x: NDArray[Any]) -> NDArray[Any]:
    """``exp(x_j) / Σ_i exp(x_i)`` in each row; entries of −inf at its end, which are 0, change no other bit."""
    out = np.empty(x.shape, x.dtype)
    _row_softmax(np.ascontiguousarray(x), out)
    return out


@njit(nogil=True, cache=True, **EXACT)
def _row_softmax(x, out):
    nothing = x.dtype.type(0)
    for r in range(len(x)):
        peak, total = x[r].max(), nothing
        for j in range(x.shape[1]):
            out[r, j] = exp(x[r, j] - peak) if x[r, j] > -np.inf else nothing
            total += out[r, j]
        for j in range(x.shape[1]):
            out[r, j] /= total


def row_scores(keys: NDArray[Any], queries: NDArray[Any]) -> NDArray[Any]:
    """Scalar products (n, n_keys) of each row of queries (n, size) with the keys (n, n_keys, size) that belong to it."""
    out = np.empty(keys.shape[:2], keys.dtype)
    _row_scores(np.ascontiguousarray(keys), np.ascontiguousarray(queries), out)
    return out


@njit(nogil=True, cache=True, **EXACT)
def _row_scores(keys, queries, out):
    for r in range(keys.shape[0]):
        for i in range(keys.shape[1]):
            total = keys.dtype.type(0)
            for j in range(keys.shape[2]):
                total += keys[r, i, j] * queries[r, j]
            out[r, i] = total


def row_mixtures(weights: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """``Σ_i weights[r, i] values[r, i]`` for each row r, from the first to the last; weights of 0 at its end change no bit."""
    out = np.zeros((len(values), values.shape[2]), values.dtype)
    _row_mixtures(np.ascontiguousarray(weights), np.ascontiguousarray(values), out)
    return out


@njit(nogil=True, cache=True, **EXACT)
def _row_mixtures(weights, values, out):
    for r in range(values.shape[0]):
        for i in range(values.shape[1]):
            weight, value, to = weights[r, i], values[r, i], out[r]
            for j in range(values.shape[2]):
                to[j] += weight * value[j]


@njit(nogil=True, cache=True, **EXACT)
def row_additions(total, owner, rows):
    """Row after row is added to the row of ``total`` (float64) that owns it."""
    for k in range(len(rows)):
        for j in range(rows.shape[1]):
            total[owner[k], j] += rows[k, j]


def time_sums(layout: Layout, rows: NDArray[Any]) -> NDArray[Any]:
    """Sums of the rows of each sequence of a packed batch, from the first step to the last."""
    out = np.zeros((int(layout.sizes[0]), rows.shape[1]), rows.dtype)
    _time_sums(*layout, np.ascontiguousarray(rows), out)
    return out


@njit(nogil=True, cache=True, **EXACT)
def _time_sums(sizes, starts, rows, out):
    for t in range(len(sizes)):
        for b in range(sizes[t]):
            _add_row(rows[starts[t] + b], out[b])
