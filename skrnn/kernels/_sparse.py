"""Matrices without their zeros, and their products with one vector inside compiled loops."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from ._jit import EXACT

LANES = 16  # rows that are summed side by side: a vector register of float32, two of float64
_FLAGS = ("nnan", "ninf", "nsz", "contract", "afn")  # as `_jit.JIT`


class Sparse(NamedTuple):
    """A matrix without its zeros: row ``i`` holds ``values[k]`` in column ``columns[k]``, for k from ``begins[i]`` up to ``begins[i + 1]``.

    Indices are uint32: numba would ask of each signed one whether it counts from the end, which takes half of the time.
    """

    values: NDArray[Any]
    columns: NDArray[np.uint32]
    begins: NDArray[np.uint32]

    @classmethod
    def of(cls, values: NDArray[Any], rows: NDArray[Any], columns: NDArray[Any], size: int) -> Sparse:
        """From entries in the order of their rows."""
        begins = np.searchsorted(rows, np.arange(size + 1))
        return cls(np.ascontiguousarray(values), columns.astype(np.uint32), begins.astype(np.uint32))

    @classmethod
    def compress(cls, R: NDArray[Any]) -> Sparse:
        """From a matrix with its zeros."""
        R = np.ascontiguousarray(R)
        n = count_entries(R)
        found = cls(np.empty(n, R.dtype), np.empty(n, np.uint32), np.zeros(len(R) + 1, np.uint32))
        _compress(R, *found)
        return found

    def side_by_side(self) -> tuple[NDArray[Any], NDArray[np.uint32]] | None:
        """Values and columns (n_groups, n_entries, ``LANES``) for :func:`add_lanes`; None if rows have different numbers of entries.

        Rows that fill up the last group have zeros.
        """
        ends = self.begins.astype(np.int64)
        n, width = len(ends) - 1, int(ends[1])
        if (np.diff(ends) != width).any():
            return None
        found = []
        for entries in (self.values, self.columns):
            padded = np.zeros((-(-n // LANES) * LANES, width), entries.dtype)
            padded[:n] = entries.reshape(n, width)
            found.append(np.ascontiguousarray(padded.reshape(-1, LANES, width).swapaxes(1, 2)))
        return found[0], found[1]


@njit(cache=True, **EXACT)
def count_entries(R):
    """Numbers that are not zero; numpy counts floats slowly."""
    n = 0
    for i in range(len(R)):
        row = R[i]
        for j in range(len(row)):
            n += row[j] != 0
    return n


@njit(cache=True, **EXACT)
def _compress(R, values, columns, begins):
    k = 0
    for i in range(len(R)):
        row = R[i]
        for j in range(len(row)):
            if row[j] != 0:
                values[k], columns[k] = row[j], j
                k += 1
        begins[i + 1] = k


@intrinsic
def add_lanes(typing_context, out, group, values, columns, h):
    """``out[LANES group + lane] += Σ_k values[group, k, lane] h[columns[group, k, lane]]`` for all lanes at once.

    Summed in pairs: the bits are those of a row that is summed alone. LLVM gathers with one instruction where the processor has it, which it does
    not find out by itself; elsewhere it loads number by number.
    """
    return types.void(out, group, values, columns, h), _generate


def _generate(context, builder, signature, arguments):
    pairs = [pair for pair in zip(signature.args, arguments, strict=True) if isinstance(pair[0], types.Array)]
    arrays, group = [context.make_array(kind)(context, builder, array) for kind, array in pairs], arguments[1]
    out, values, columns, h = (array.data for array in arrays)
    width = cgutils.unpack_tuple(builder, arrays[1].shape)[1]
    first, begin = (builder.mul(group, size) for size in (ir.Constant(group.type, LANES), width))
    real, end = h.type.pointee, builder.add(begin, width)
    vector, two = ir.VectorType(real, LANES), ir.Constant(begin.type, 2)
    place = builder.bitcast(builder.gep(out, [first]), vector.as_pointer())
    total = cgutils.alloca_once(builder, vector)
    builder.store(builder.load(place, align=_bytes(real)), total)
    product, flags = _Products(builder, values, columns, h), _FLAGS
    paired = builder.sub(end, builder.urem(builder.sub(end, begin), two))
    with cgutils.for_range_slice(builder, begin, paired, two, intp=begin.type) as (k, _):
        pair = builder.fadd(product(k), product(builder.add(k, ir.Constant(k.type, 1))), flags=flags)
        builder.store(builder.fadd(builder.load(total), pair, flags=flags), total)
    with builder.if_then(builder.icmp_unsigned("<", paired, end)):
        builder.store(builder.fadd(builder.load(total), product(paired), flags=flags), total)
    builder.store(builder.load(total), place, align=_bytes(real))
    return context.get_dummy_value()


def _bytes(real):
    """Bytes of a float type of LLVM."""
    return 4 if real == ir.FloatType() else 8


class _Products:
    """Products of the k-th entries of ``LANES`` rows with the numbers that they belong to."""

    def __init__(self, builder, values, columns, h):
        self.builder, self.values, self.columns = builder, values, columns
        self.real, self.int32, self.int64 = h.type.pointee, ir.IntType(32), ir.IntType(64)
        start = ir.Constant(ir.VectorType(self.int64, LANES), ir.Undefined)
        start = builder.insert_element(start, builder.ptrtoint(h, self.int64), ir.Constant(self.int32, 0))
        self.start = builder.shuffle_vector(start, start, ir.Constant(ir.VectorType(self.int32, LANES), [0] * LANES))

    def __call__(self, k):
        builder, width = self.builder, _bytes(self.real)
        at = builder.mul(k, ir.Constant(k.type, LANES))
        value = self._load(self.values, at, self.real, width)
        column = builder.zext(self._load(self.columns, at, self.int32, 4), ir.VectorType(self.int64, LANES))
        offset = builder.mul(column, ir.Constant(column.type, [width] * LANES))
        places = builder.inttoptr(builder.add(self.start, offset), ir.VectorType(self.real.as_pointer(), LANES))
        every, nothing = ir.Constant(ir.VectorType(ir.IntType(1), LANES), [1] * LANES), ir.Constant(value.type, ir.Undefined)
        kind = ir.FunctionType(value.type, [places.type, self.int32, every.type, nothing.type])
        gather = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.gather.v{LANES}f{8 * width}.v{LANES}p0")
        return builder.fmul(value, builder.call(gather, [places, ir.Constant(self.int32, width), every, nothing]), flags=_FLAGS)

    def _load(self, array, at, kind, align):
        place = self.builder.gep(array, [at])
        return self.builder.load(self.builder.bitcast(place, ir.VectorType(kind, LANES).as_pointer()), align=align)
