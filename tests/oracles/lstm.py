"""Hochreiter & Schmidhuber (1997), section 4; Gers et al. (2000, 2002): forget gate, peepholes; Greff et al. (2017); Ba et al. (2016)."""

import numpy as np

from tests.oracles.functions import arrays, layer_norm, sigmoid

SQUASH = {"tanh": np.tanh, "identity": np.asarray}


def step_of(cell):
    w, H = arrays(cell), cell.hidden_size
    M = np.kron(np.eye(H // cell.block_size), np.ones(cell.block_size))  # M[j, v] = 1 where block j holds cell v
    height = {"i": len(M) * cell.input_gate, "f": len(M) * (cell.forget == "gate"), "g": H, "o": len(M) * cell.output_gate}
    gates, ends = [k for k in "ifo" if height[k]], np.cumsum(list(height.values()))[:-1]
    fed = np.repeat([k != "g" or cell.gate_recurrence == "all" for k in height], list(height.values()))  # the sums that see gates
    LN = {k: (lambda a, k=k: layer_norm(a, w[f"norm_{k}.gain"], w.get(f"norm_{k}.bias", 0))) if cell.layer_norm else np.asarray for k in "xhc"}

    def gate(k, net, c):
        seen = M @ (w["p"][gates.index(k)] * c) if cell.peephole and k in gates else 0
        return sigmoid(net[k] + seen) if k in gates else np.ones(len(M))

    def step(x, state):
        h, c, *before = state
        r = w["R"] @ h
        r[fed] += w["Q"] @ before[0] if before else 0
        net = dict(zip(height, np.split(LN["h"](r) + LN["x"](w["W"] @ x) + w["b"], ends), strict=True))
        i = gate("i", net, c)
        f = 1 - i if cell.forget == "coupled" else gate("f", net, c)
        c = (f @ M) * c + (i @ M) * SQUASH[cell.input_activation](net["g"])
        o = gate("o", net, c)
        h = (o @ M) * SQUASH[cell.output_activation](LN["c"](c))
        return h, (h, c, *(np.hstack([{"i": i, "f": f, "o": o}[k] for k in gates]) for _ in before))

    return step
