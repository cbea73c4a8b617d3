"""Maass, Natschläger & Markram (2002): neurons one by one and synapses one by one; a current is integrated over a step by the matrix exponential."""

import numpy as np
from scipy.linalg import expm


def step_of(cell):
    w = {name: buffer.numpy() for name, buffer in cell.named_buffers()}
    dt, H, taus = cell.dt, cell.hidden_size, cell.synapse_times
    flow = expm(dt * np.array([[-1 / cell.membrane_time] + 2 * [1 / cell.membrane_time], [0, -1 / taus[0], 0], [0, 0, -1 / taus[1]]]))

    def step(x, state):
        h, v, e, i, on_way, p, r, rest, since = (part.copy() for part in state)
        currents = np.diag(flow)[1:, None] * [e, i] + on_way[0].reshape(2, H) + [w["W"] @ x, 0 * i]
        on_way, since, h = np.vstack([on_way[1:], 0 * on_way[:1]]), since + 1, np.exp(-dt / cell.filter_time) * h
        for j in range(H):
            v[j] = 0 if rest[j] else flow[0] @ [v[j], *currents[:, j]]
            rest[j] = max(rest[j] - 1, 0)
            if v[j] >= 1.5:
                for k in np.flatnonzero(w["_pre"] == j):
                    r[k] = 1 + (r[k] - p[k] * r[k] - 1) * np.exp(-since[j] * dt / w["D"][k])
                    p[k] = w["U"][k] + p[k] * (1 - w["U"][k]) * np.exp(-since[j] * dt / w["F"][k])
                    on_way[w["_delay"][k] - 1, w["_target"][k]] += w["A"][k] * p[k] * r[k]
                v[j], rest[j], since[j], h[j] = 0, w["_refractory"][j], 0, h[j] + 1
        return h, (h, v, *currents, on_way, p, r, rest, since)

    return step
