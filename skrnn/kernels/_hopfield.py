"""Compiled networks of units that are −1 or 1: sweeps of recall, and learning pattern by pattern.

The fields ``h = W s − θ`` of all units are kept beside the states, so that a sweep looks at each unit once and works only where one turns.
A field within ``tie`` of 0 is 0 but for rounding: its unit stays. Every row is alone: its bits do not depend on the others.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ._jit import EXACT


@njit(nogil=True, cache=True, **EXACT)
def update_in_turn(order, weights, tie, states, fields, period):
    """One sweep: units turn one after another, in ``order``, each seeing those before it; rows whose ``period`` is not 0 rest.

    Parameters
    ----------
    order : ndarray of shape (k,)
        Units, all of them or some.
    weights : ndarray of shape (n_units, n_units)
        Symmetric, with a diagonal of zeros.
    tie : float
    states, fields : ndarrays of shape (n_rows, n_units)
        Written in place.
    period : ndarray of shape (n_rows,)
        Becomes 1 where no unit of ``order`` turns.
    """
    for r in range(len(states)):
        if period[r] != 0:
            continue
        s, h, moved = states[r], fields[r], False
        for k in range(len(order)):
            i = order[k]
            if s[i] * h[i] < -tie:
                s[i] = -s[i]
                twice, w = 2 * s[i], weights[i]
                for j in range(len(h)):
                    h[j] += twice * w[j]
                moved = True
        if not moved:
            period[r] = 1


@njit(nogil=True, cache=True, **EXACT)
def update_together(turned, weights, tie, states, fields, period):
    """One step in which all units turn at once; rows whose ``period`` is not 0 rest.

    Parameters
    ----------
    turned : ndarray of bool of shape (n_rows, n_units)
        Which units turned in the step before: none before the first. Written in place.
    weights : ndarray of shape (n_units, n_units)
        Symmetric.
    tie : float
    states, fields : ndarrays of shape (n_rows, n_units)
        Written in place.
    period : ndarray of shape (n_rows,)
        Becomes 1 where no unit turns, and 2, with the state as it is, where the same units would turn back.
    """
    for r in range(len(states)):
        if period[r] != 0:
            continue
        s, h, before = states[r], fields[r], turned[r]
        moves, same = False, True
        for i in range(len(s)):
            turns = s[i] * h[i] < -tie
            moves |= turns
            same &= turns == before[i]
            before[i] = turns
        if same or not moves:
            period[r] = 2 if moves else 1
            continue
        flips = np.nonzero(before)[0]
        for k in range(len(flips)):
            s[flips[k]] = -s[flips[k]]
        whole = len(flips) - len(flips) % 4
        for k in range(0, whole, 4):  # four rows at a time: the fields are read and written a quarter as often
            a, b, c, d = flips[k], flips[k + 1], flips[k + 2], flips[k + 3]
            p, q, u, v = weights[a], weights[b], weights[c], weights[d]
            at_p, at_q, at_u, at_v = 2 * s[a], 2 * s[b], 2 * s[c], 2 * s[d]
            for j in range(len(h)):
                h[j] += (at_p * p[j] + at_q * q[j]) + (at_u * u[j] + at_v * v[j])
        for k in range(whole, len(flips)):
            p, at_p = weights[flips[k]], 2 * s[flips[k]]
            for j in range(len(h)):
                h[j] += at_p * p[j]


@njit(nogil=True, cache=True, **EXACT)
def store_patterns(patterns, weights, h):
    """Learn patterns one after another by the rule of Storkey; ``weights``, symmetric with a diagonal of zeros, are written in place.

    With h = W x the local field of a pair, Σ_{k ≠ i, j} w_ik x_k, is h_i − w_ij x_j; as x_j² = 1 the weight comes back in the rule, once for each of
    its two units. Products with x are exact, so that w_ij and w_ji have the same bits.

    Parameters
    ----------
    patterns : ndarray of shape (n_patterns, n_units)
        Of −1 and 1.
    weights : ndarray of shape (n_units, n_units)
    h : ndarray of shape (n_units,)
        Room to work in.
    """
    n = len(weights)
    for p in range(len(patterns)):
        x = patterns[p]
        for j in range(n):
            h[j] = 0
        for k in range(n):
            w, sign = weights[k], x[k]
            for j in range(n):
                h[j] += sign * w[j]
        for i in range(n):
            w, a, b = weights[i], x[i], h[i]
            for j in range(n):
                w[j] += ((a * x[j] + 2 * w[j]) - (a * h[j] + b * x[j])) / n
            w[i] = 0
