"""Layer normalisation of rows, and its gradient, inside compiled loops and outside.

Computed in float64: the gradient is a small difference where the units are few or nearly the same.
"""

import math

import numpy as np
from numba import njit

from ._jit import SUMS
from ._product import column_sums


@njit(nogil=True, cache=True, **SUMS)
def normalise(a, gain, edges, raw):
    """``raw`` becomes ``a``, and rows of ``a`` become ``gain · hat``, ``hat = (a − mean a) / sqrt(var a + 1e-5)`` in each part of a row.

    Part ``k`` of a row lies between ``edges[k]`` and ``edges[k + 1]``.
    """
    for b in range(len(a)):
        for k in range(len(edges) - 1):
            low, high = edges[k], edges[k + 1]
            _normalise(a[b, low:high], gain[low:high], raw[b, low:high])


@njit(nogil=True, cache=True, **SUMS)
def normalise_back(d, gain, edges, raw):
    """Rows of ``d``, the gradient of what :func:`normalise` left, become the gradient of what it found; ``raw`` becomes hat."""
    for b in range(len(d)):
        for k in range(len(edges) - 1):
            low, high = edges[k], edges[k + 1]
            _normalise_back(d[b, low:high], gain[low:high], raw[b, low:high])


@njit(**SUMS)
def _mean_and_scale(a):
    total = squares = 0.0
    for j in range(len(a)):
        total += a[j]
    mean = total / len(a)
    for j in range(len(a)):
        squares += (a[j] - mean) * (a[j] - mean)
    return mean, 1 / math.sqrt(squares / len(a) + 1e-5)


@njit(**SUMS)
def _normalise(a, gain, raw):
    mean, scale = _mean_and_scale(a)
    for j in range(len(a)):
        raw[j] = a[j]
        a[j] = gain[j] * ((a[j] - mean) * scale)


@njit(**SUMS)
def _normalise_back(d, gain, raw):
    mean, scale = _mean_and_scale(raw)
    total = along = 0.0
    for j in range(len(d)):
        dhat = np.float64(d[j]) * gain[j]
        total += dhat
        along += dhat * ((raw[j] - mean) * scale)
    mean_dhat, slope = total / len(d), along / len(d)
    for j in range(len(d)):
        hat = (raw[j] - mean) * scale
        d[j] = scale * (np.float64(d[j]) * gain[j] - mean_dhat - slope * hat)
        raw[j] = hat


def gain_gradient(d, hat):
    """Gradient of a gain, from the gradients of what it multiplied ``hat`` to, summed over all rows."""
    return np.einsum("nk,nk->k", d, hat)


def normalise_input(u, gain, b, edges):
    """``u`` becomes ``gain · hat + b``; what it was before."""
    raw = np.empty_like(u)
    normalise(u, gain, edges, raw)
    u += b
    return raw


def normalise_input_back(du, gain, edges, raw):
    """``du`` becomes the gradient of what :func:`normalise_input` found; gradients of gain and b."""
    given, hat, db = du.copy(), raw.copy(), column_sums(du)
    normalise_back(du, gain, edges, hat)
    return gain_gradient(given, hat), db
