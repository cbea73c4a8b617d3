"""Feng et al. (2024): the gates of minLSTM see the input alone and share the state out between old and new."""

import numpy as np

from tests.oracles.functions import arrays, sigmoid
from tests.oracles.mingru import g


def step_of(cell):
    w = arrays(cell)

    def step(x, h):
        f, i, n = np.split(w["W"] @ x + w["b"], 3)
        f, i = sigmoid(f), sigmoid(i)
        y = f / (f + i) * h + i / (f + i) * g(cell, n)
        return y, y

    return step
