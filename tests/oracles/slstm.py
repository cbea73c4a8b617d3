"""Beck et al. (2024), section 2.2, with the maximum as stabiliser and a normaliser, for a state (h, c / n, m + log n)."""

import numpy as np

from tests.oracles.functions import arrays, sigmoid


def step_of(cell):
    w, H, S = arrays(cell), cell.hidden_size, cell.hidden_size // cell.n_heads
    head = np.arange(H) // S
    blocks = [np.where(head[:, None] == head, np.tile(R, cell.n_heads), 0) for R in np.split(w["R"], 4)]

    def step(x, state):
        h, c, m = state
        n = 1.0
        i, f, z, o = np.split(w["W"] @ x + np.vstack(blocks) @ h + w["b"], 4)
        log_f = f if cell.forget_gate == "exp" else np.log(sigmoid(f))
        top = np.maximum(log_f + m, i)
        i, f = np.exp(i - top), np.exp(log_f + m - top)
        c, n = f * c + i * np.tanh(z), f * n + i
        h = sigmoid(o) * c / n
        return h, (h, c / n, top + np.log(n))

    return step
