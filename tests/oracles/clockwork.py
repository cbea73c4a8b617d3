"""Koutník et al. (2014): at step t only the groups whose period divides t see the input, themselves and the slower groups."""

import numpy as np

from tests.oracles.functions import arrays, relu, sigmoid

SQUASH = {"tanh": np.tanh, "relu": relu, "sigmoid": sigmoid}


def step_of(cell):
    w, f = arrays(cell), SQUASH[cell.activation]
    groups = np.array_split(np.arange(cell.hidden_size), len(cell.periods))

    def step(x, state):
        h, t = state
        new = h.copy()
        for units, period in zip(groups, cell.periods, strict=True):
            if t % period == 0:
                slow = np.arange(units[0], cell.hidden_size)
                new[units] = f(w["W"][units] @ x + w["R"][np.ix_(units, slow)] @ h[slow] + w["b"][units])
        return new, (new, t + 1)

    return step
