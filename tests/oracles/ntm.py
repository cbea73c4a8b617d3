"""Graves, Wayne & Danihelka (2014), section 3, head by head and slot by slot, read before write as in Collier & Beel (2018)."""

import numpy as np

from tests.oracles.functions import arrays, oracle, sigmoid


def softplus(a):
    return np.logaddexp(0, a)


def softmax(a):
    return np.exp(a - a.max()) / np.exp(a - a.max()).sum()


def cosine(k, m):
    return k @ m / np.sqrt((k @ k + 1e-8) * (m @ m + 1e-8))


def controller_of(cell, w):
    """Any of the three, of [x; r]: the weights for r stand beside those for x."""
    if cell.controller == "feedforward":
        return lambda x, r, state: (np.tanh(w["controller_.W"] @ x + w["R"] @ r + w["controller_.b"]),) * 2
    bias = cell.controller_.b.detach().clone()

    def step(x, r, state):
        cell.controller_.b.data = bias + cell.R.detach() @ cell.R.new_tensor(r)
        return oracle(cell.controller_)(x, state)

    return step


def step_of(cell):
    w, N, D, n_write, reach = arrays(cell), cell.n_slots, cell.slot_size, cell.n_write, cell.shift_range
    n = cell.n_read + n_write
    cuts, controller = np.cumsum([n * D, n, n, n, n * (2 * reach + 1), n_write * D]), controller_of(cell, w)

    def step(x, state):
        s, ((M, before, r),) = state
        if {"w_0", "M_0"} & {*w}:
            lacks = 1 - before[0].sum()
            M = M + lacks * w.get("M_0", 0)
            before = before + lacks * (np.apply_along_axis(softmax, 1, w["w_0"]) if "w_0" in w else np.eye(1, N))
        h, s = controller(x, r, s)
        k, b, g, c, q, e, a = (
            part.reshape(-1, d) for part, d in zip(np.split(w["P"] @ h + w["d"], cuts), (D, 1, 1, 1, 2 * reach + 1, D, D), strict=True)
        )
        now = np.empty((n, N))
        for j in range(n):
            content = softmax(softplus(b[j]) * np.array([cosine(k[j], M[i]) for i in range(N)]))
            gated = sigmoid(g[j]) * content + (1 - sigmoid(g[j])) * before[j]
            moved = sum(share * np.roll(gated, m - reach) for m, share in enumerate(softmax(q[j])))
            sharp = np.maximum(moved, 1e-16) ** (1 + softplus(c[j]))
            now[j] = sharp / sharp.sum()
        r = np.concatenate([now[j] @ M for j in range(cell.n_read)])
        writing = now[cell.n_read :]
        for j in range(n_write):
            M = M * (1 - np.outer(writing[j], sigmoid(e[j])))
        M = M + sum(np.outer(writing[j], np.tanh(a[j])) for j in range(n_write))
        return h + w["V"] @ r, (s, ((M, now, r),))

    return step
