"""Elman (1990): the hidden layer sees the input and a copy of itself; Ba et al. (2016), eq. 4: normalised before the bias."""

import numpy as np

from tests.oracles.functions import arrays, layer_norm, relu, sigmoid

SQUASH = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid}


def step_of(cell):
    w, f = arrays(cell), SQUASH[cell.activation]

    def step(x, h):
        a = np.hstack([w["W"], w["R"]]) @ np.hstack([x, h])
        y = f(layer_norm(a, w["norm.gain"]) + w["b"]) if cell.layer_norm else f(a + w["b"])
        return y, y

    return step
