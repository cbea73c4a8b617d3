"""Branch-free exponential, logistic sigmoid and hyperbolic tangent that LLVM turns into vector code.

An exponential writes ``x = z ln 2 + r`` with a whole ``z`` and ``|r| <= ln 2 / 2``, sums the series of ``exp(r) - 1`` and makes ``2 ** z`` from
exponent bits. Relative error: 1.2e-7 in float32, 1.3e-15 in float64. About 0.3 ns an element in float32, where libm takes 3.
"""

import math

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from ._jit import JIT


@intrinsic
def _float_from_bits(typing_context, bits):
    """The float32 or float64 with the bits of an int32 or int64."""
    to, to_ir = (types.float32, ir.FloatType()) if bits == types.int32 else (types.float64, ir.DoubleType())

    def generate(context, builder, signature, args):
        return builder.bitcast(args[0], to_ir)

    return to(bits), generate


def exp(x):
    """Exponential of a float inside compiled code."""


def expm1(x):
    """Exponential minus one, exact for small ``x`` too, inside compiled code."""


def logistic(x):
    """Logistic function ``1 / (1 + exp(-x))`` inside compiled code."""


def tanh(x):
    """Hyperbolic tangent ``expm1(2 x) / (expm1(2 x) + 2)`` inside compiled code."""


def _parts(x):
    """``exp(x) = s (1 + q)`` with a power of two ``s`` and ``|q| < 0.42``."""


@overload(_parts, jit_options=JIT)
def _parts_of_float(x):
    single = x == types.float32
    real, whole = (np.float32, np.int32) if single else (np.float64, np.int64)
    lowest, highest = (real(-87), real(88)) if single else (real(-708), real(709))
    bias, shift = (whole(127), whole(23)) if single else (whole(1023), whole(52))
    per_ln2, half = real(1 / math.log(2)), real(0.5)
    high = real(0.693359375)  # ln 2 in two parts: z * high is exact
    low = real(math.log(2) - 0.693359375)
    c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12 = (real(1 / math.factorial(k)) for k in range(2, 13))

    def float32(x):
        x = min(max(x, lowest), highest)
        z = np.floor(x * per_ln2 + half)
        r = x - z * high - z * low
        p = ((((c7 * r + c6) * r + c5) * r + c4) * r + c3) * r + c2
        return _float_from_bits(whole((whole(z) + bias) << shift)), p * r * r + r

    def float64(x):
        x = min(max(x, lowest), highest)
        z = np.floor(x * per_ln2 + half)
        r = x - z * high - z * low
        p = (((c12 * r + c11) * r + c10) * r + c9) * r + c8
        p = (((((p * r + c7) * r + c6) * r + c5) * r + c4) * r + c3) * r + c2
        return _float_from_bits(whole((whole(z) + bias) << shift)), p * r * r + r

    return float32 if single else float64


def _one(x):
    return np.float32(1) if x == types.float32 else np.float64(1)


@overload(exp, jit_options=JIT)
def _exp(x):
    def of_float(x):
        s, q = _parts(x)
        return s * q + s

    return of_float


@overload(expm1, jit_options=JIT)
def _expm1(x):
    one = _one(x)

    def of_float(x):
        s, q = _parts(x)
        return s * q + (s - one)

    return of_float


@overload(logistic, jit_options=JIT)
def _logistic_of(x):
    one = _one(x)
    return lambda x: one / (one + exp(-x))


@overload(tanh, jit_options=JIT)
def _tanh(x):
    two = _one(x) + _one(x)
    far = _one(x) * 20  # where tanh is 1 already

    def of_float(x):
        e = expm1(two * min(max(x, -far), far))
        return e / (e + two)

    return of_float
