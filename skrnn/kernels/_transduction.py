"""Compiled passes over the lattices of transducers: how probable labels are over all ways to write them, and the likeliest way.

A lattice of T frames and U labels has nodes (t, u), u labels having been written before frame t is left, laid out with u fastest. The rows of
``log_p`` (T · (U + 1), 2) are logarithms of the probabilities, at each node, that the frame is left (the blank), and that the next label is written;
of the latter those with u = U are not looked at.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from ._ctc import log_add
from ._jit import EXACT


@njit(**EXACT)
def _ahead(log_p, T, U):
    """Logarithms of the probabilities (T + 1, U + 1) of all that is still to come at each node; behind the last frame all must be written."""
    beta = np.full((T + 1, U + 1), -np.inf)
    beta[T, U] = 0.0
    for t in range(T - 1, -1, -1):
        for u in range(U, -1, -1):
            k = t * (U + 1) + u
            beta[t, u] = log_p[k, 0] + beta[t + 1, u]
            if u < U:
                beta[t, u] = log_add(beta[t, u], log_p[k, 1] + beta[t, u + 1])
    return beta


@njit(nogil=True, cache=True, **EXACT)
def lattice_losses(log_p, n_frames, n_labels):
    """−log of the probability of the labels of each lattice, of which ``log_p`` holds one behind the other; and its gradient (n_nodes, 2).

    The gradient is less the probability that a way that says the labels takes the step.
    """
    losses, gradient = np.empty(len(n_frames)), np.zeros(log_p.shape)
    low = 0
    for i in range(len(n_frames)):
        T, U = n_frames[i], n_labels[i]
        own = log_p[low : low + T * (U + 1)]
        beta = _ahead(own, T, U)
        losses[i] = -beta[0, 0]
        alpha = np.full((T + 1, U + 1), -np.inf)
        alpha[0, 0] = 0.0
        for t in range(T):
            for u in range(U + 1):
                k = t * (U + 1) + u
                left, written = alpha[t, u] + own[k, 0], -np.inf
                alpha[t + 1, u] = log_add(alpha[t + 1, u], left)
                gradient[low + k, 0] = -np.exp(left + beta[t + 1, u] - beta[0, 0])
                if u < U:
                    written = alpha[t, u] + own[k, 1]
                    alpha[t, u + 1] = log_add(alpha[t, u + 1], written)
                    gradient[low + k, 1] = -np.exp(written + beta[t, u + 1] - beta[0, 0])
        low += T * (U + 1)
    return losses, gradient


@njit(nogil=True, cache=True, **EXACT)
def align_lattice(log_p, T, U):
    """The frame (U,) in which each label is written, in the likeliest way to write them."""
    best = np.full((T + 1, U + 1), -np.inf)
    best[T, U] = 0.0
    writes = np.zeros((T, U + 1), np.bool_)
    for t in range(T - 1, -1, -1):
        for u in range(U, -1, -1):
            k = t * (U + 1) + u
            best[t, u] = log_p[k, 0] + best[t + 1, u]
            if u < U and log_p[k, 1] + best[t, u + 1] > best[t, u]:
                best[t, u], writes[t, u] = log_p[k, 1] + best[t, u + 1], True
    frames = np.zeros(U, np.int64)
    t, u = 0, 0
    while u < U and t < T:
        if writes[t, u]:
            frames[u] = t
            u += 1
        else:
            t += 1
    return frames
