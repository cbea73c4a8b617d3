"""Lin et al. (1996): older outputs come in again; Chang et al. (2017): or older states instead of the last."""

import numpy as np

from tests.oracles.functions import oracle


def on_leaves(f, *states):
    return tuple(on_leaves(f, *parts) for parts in zip(*states, strict=True)) if isinstance(states[0], tuple) else f(*states)


def step_of(cell):
    inner = oracle(cell.cell_)

    def step(x, state):
        last, (past,) = state
        if cell.remove_short:
            past = on_leaves(lambda p, s: np.concatenate([p, s[None]]), past, last)
            y, new = inner(x, on_leaves(lambda p: p[0], past))
            return y, (new, (on_leaves(lambda p: p[1:], past),))
        y, new = inner(np.hstack([x, past[0]]), last)
        return y, (new, (np.vstack([past[1:], y]),))

    return step
