"""Chang et al. (2019): Euler steps of h' = tanh((M - Mᵀ - γ I) h + V x + b), without and with a gate that shares the matrix."""

import numpy as np

from tests.oracles.functions import arrays, sigmoid


def step_of(cell):
    w, H = arrays(cell), cell.hidden_size
    M = np.zeros((H, H))
    M[np.triu_indices(H, 1)] = w["R"]
    A = M - M.T - cell.diffusion * np.eye(H)

    def step(x, h):
        n, *z = np.split(w["W"] @ x + w["b"], 2 if cell.gated else 1)
        gate = sigmoid(A @ h + z[0]) if cell.gated else 1
        y = h + cell.step_size * gate * np.tanh(A @ h + n)
        return y, y

    return step
