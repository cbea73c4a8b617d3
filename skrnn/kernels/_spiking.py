"""Compiled column of spiking neurons: every neuron is advanced in every step, a synapse only when the neuron before it spikes."""

from __future__ import annotations

import numpy as np

from ._layout import Layout
from ._loop import time_loop
from ._math import exp

PER_ENTRY = 150  # multiplications of a matrix product in the time that a neuron takes for a step


def _step(arrays, row, first, n):
    y, cells, refractory, edges, target, delay, A, U, recovery, facilitation, h, v, e, i, on_way, p, r, rest, since, slot = arrays
    keep_v, from_e, from_i, keep_e, keep_i, keep_h, threshold = cells
    H = h.shape[1]
    zero, one = h.dtype.type(0), h.dtype.type(1)
    for b in range(n):
        out, s = y[row + b], first + b  # out holds the projected input
        units, volts, exciting, inhibiting, held, passed = h[s], v[s], e[s], i[s], rest[s], since[s]
        arriving, used, free = on_way[s, slot[s]], p[s], r[s]
        for j in range(H):
            exciting[j] = keep_e * exciting[j] + arriving[j] + out[j]
            inhibiting[j] = keep_i * inhibiting[j] + arriving[H + j]
            now = keep_v * volts[j] + from_e * exciting[j] + from_i * inhibiting[j]
            volts[j] = zero if held[j] > 0 else now
            held[j] = max(held[j] - 1, 0)
            passed[j] += 1
            out[j] = keep_h * units[j]
        arriving[:] = zero
        for j in range(H):
            if volts[j] >= threshold:
                gap = h.dtype.type(passed[j])
                for k in range(edges[j], edges[j + 1]):
                    left, lost = exp(-facilitation[k] * gap), exp(-recovery[k] * gap)
                    free[k] = one + (free[k] - used[k] * free[k] - one) * lost
                    used[k] = U[k] + (one - U[k]) * used[k] * left
                    on_way[s, (slot[s] + delay[k]) % on_way.shape[1], target[k]] += A[k] * used[k] * free[k]
                volts[j], held[j], passed[j] = zero, refractory[j], 0
                out[j] += one
            units[j] = out[j]
        slot[s] = (slot[s] + 1) % on_way.shape[1]


_run = time_loop(_step, per_entry=PER_ENTRY)


def spiking(layout: Layout, reverse: bool, u, cells, refractory, edges, target, delay, A, U, recovery, facilitation, *state):
    """Outputs and final state of spiking neurons over a packed batch; there is no gradient.

    Parameters
    ----------
    layout : Layout
        Of the packed batch.
    reverse : bool
        Whether to run from the last step to the first.
    u : ndarray of shape (n_rows, H)
        Projected input; becomes the outputs.
    cells : ndarray of shape (7,)
        Shares of the potential, of excitatory and of inhibitory current that make the new potential; shares of excitatory current, inhibitory current
        and filtered spikes that are left after a step; threshold.
    refractory : ndarray of shape (H,)
        Steps that a neuron rests after a spike.
    edges : ndarray of shape (H + 1,)
        Neuron j has the synapses from edges[j] up to edges[j + 1].
    target, delay : ndarray of shape (S,)
        Which of the 2 H currents a synapse adds to, the excitatory ones first, and after how many steps, 1 … L.
    A, U, recovery, facilitation : ndarray of shape (S,)
        Amplitude, use of resources, and rates per step of the recovery of resources and of the decay of use.
    *state : ndarrays of shapes (B, H), (B, H), (B, H), (B, H), (B, L, 2 H), (B, S), (B, S), (B, H), (B, H)
        Initial filtered spikes, potentials, excitatory and inhibitory currents, current on the way (that of the next step first), use, resources,
        steps left to rest and steps since the last spike.
    """
    state = tuple(s.copy() for s in state)
    slot = np.zeros(len(state[0]), np.int64)
    _run(layout, reverse, (u, cells, refractory, edges, target, delay, A, U, recovery, facilitation, *state, slot))
    on_way = state[4]
    order = (slot[:, None] + np.arange(on_way.shape[1])) % on_way.shape[1]
    return u, (*state[:4], np.take_along_axis(on_way, order[:, :, None], 1), *state[5:])
