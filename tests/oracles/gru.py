"""Cho et al. (2014), v1 and v3, where z keeps; Dey & Salem (2017), eq. 5-10; Ba et al. (2016), supplement."""

import numpy as np

from tests.oracles.functions import arrays, layer_norm, sigmoid

SEEN = {"full": "xhb", "gru1": "hb", "gru2": "h", "gru3": "b"}  # by the gates r and z


def step_of(cell):
    w, H, seen = arrays(cell), cell.hidden_size, SEEN[cell.gates]

    def gates_and_candidate(name, part):
        return np.split(w[name], [2 * H]) if part in seen else (np.zeros((2 * H, *w[name].shape[1:])), w[name])

    (W, W_n), (R, R_n), (b, b_n) = map(gates_and_candidate, ["W", "R", "b"], "xhb")
    LN = [(lambda a, k=k: layer_norm(a, w[f"norms.{k}.gain"])) if cell.layer_norm else (lambda a: a) for k in range(4)]

    def step(x, h):
        r, z = np.split(sigmoid(LN[0](W @ x) + LN[2](R @ h) + b), 2)
        inner = LN[3](R_n @ (r * h)) if cell.reset == "before" else r * (LN[3](R_n @ h) + w["b_hn"])
        n = np.tanh(LN[1](W_n @ x) + b_n + inner)
        y = z * h + (1 - z) * n
        return y, y

    return step
