"""Bradbury et al. (2017), section 2: f-, fo- and ifo-pooling, where f keeps; an input's share of later steps is added up as it comes in."""

import numpy as np

from tests.oracles.functions import arrays, sigmoid


def step_of(cell):
    w, H = arrays(cell), cell.hidden_size
    W = np.split(w["W"], cell.width)

    def step(x, state):
        _, c, taps = state
        a, *taps = (W_k @ x + tap for W_k, tap in zip(W, [*taps, 0], strict=True))
        z, f, o, i = np.resize(a + w["b"], (4, H))  # repeats rows where gates are missing
        o, i = (sigmoid(o) if "o" in cell.pool else 1), (sigmoid(i) if "i" in cell.pool else 1 - sigmoid(f))
        c = sigmoid(f) * c + i * np.tanh(z)
        return o * c, (o * c, c, tuple(taps))

    return step
