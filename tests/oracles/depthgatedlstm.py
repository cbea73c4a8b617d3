"""Yao et al. (2015): an LSTM with peepholes in each layer, and a gate for the cell of the layer below."""

import numpy as np

from tests.oracles.functions import arrays, sigmoid


def step_of(cell):
    w = arrays(cell)

    def step(x, state):
        layers = []
        for k, (h, c) in enumerate(state[::-1]):
            W, R, b, (p_i, p_f, p_o) = (w[f"layers.{k}.{name}"] for name in "WRbp")
            i, f, g, o = np.split(W @ x + R @ h + b, 4)
            new = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
            if k:
                W_d, w_c, w_p, b_d = (w[f"gates.{k - 1}.{name}"] for name in ("W", "w_c", "w_p", "b"))
                new = new + sigmoid(b_d + W_d @ x + w_c * layers[0][1] + w_p * c) * layers[0][1]
            x = sigmoid(o + p_o * new) * np.tanh(new)
            layers.insert(0, (x, new))
        return x, tuple(layers)

    return step
