"""Jaeger (2001), eq. 1, with the leaky units of Lukoševičius (2012): a fixed network sees the input and itself."""

import numpy as np

from tests.oracles.functions import relu, sigmoid

SQUASH = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid, "identity": lambda a: a}


def step_of(cell):
    W, b, f = cell.W.numpy(), cell.b.numpy(), SQUASH[cell.activation]

    def step(x, h):
        new = f(np.concatenate([W, b[:, None], cell.recurrent_matrix()], axis=1) @ np.concatenate([x, [1], h]))
        h = (1 - cell.leak_rate) * h + cell.leak_rate * new
        return h, h

    return step
