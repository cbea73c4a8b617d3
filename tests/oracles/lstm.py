"""Hochreiter & Schmidhuber (1997), section 4; Gers et al. (2000, 2002): forget gate, peepholes; Greff et al. (2017): CIFG; Ba et al. (2016)."""

import numpy as np

from tests.oracles.functions import arrays, layer_norm, sigmoid


def step_of(cell):
    w, H = arrays(cell), cell.hidden_size
    M = np.kron(np.eye(H // cell.block_size), np.ones(cell.block_size))  # M[j, v] = 1 where block j holds cell v
    gates = "ifgo" if cell.forget == "gate" else "igo"
    ends = np.cumsum([H if gate == "g" else len(M) for gate in gates])[:-1]
    LN = {k: (lambda a, k=k: layer_norm(a, w[f"norm_{k}.gain"], w.get(f"norm_{k}.bias", 0))) if cell.layer_norm else np.asarray for k in "xhc"}
    seen = (lambda k, c: M @ (w["p"][k] * c)) if cell.peephole else (lambda k, c: 0)

    def step(x, state):
        h, c = state
        net = dict(zip(gates, np.split(LN["h"](w["R"] @ h) + LN["x"](w["W"] @ x) + w["b"], ends), strict=True))
        i = sigmoid(net["i"] + seen(0, c))
        f = sigmoid(net["f"] + seen(1, c)) if cell.forget == "gate" else {"none": np.ones_like(i), "coupled": 1 - i}[cell.forget]
        c = (f @ M) * c + (i @ M) * np.tanh(net["g"])
        o = sigmoid(net["o"] + seen(-1, c))
        h = (o @ M) * np.tanh(LN["c"](c))
        return h, (h, c)

    return step
