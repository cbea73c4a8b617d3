"""He et al. (2016), eq. 1 and 2: what comes in is added to what comes out, through a matrix where the sizes differ."""

from tests.oracles.functions import arrays, oracle


def step_of(cell):
    inner, P = oracle(cell.cell_), arrays(cell).get("P")

    def step(x, state):
        y, state = inner(x, state)
        return y + (x if P is None else P @ x), state

    return step
