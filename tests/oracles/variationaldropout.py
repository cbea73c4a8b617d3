"""Gal & Ghahramani (2016), outside training: nothing is dropped."""

from tests.oracles.functions import oracle


def step_of(cell):
    inner = oracle(cell.cell_)

    def step(x, state):
        y, new = inner(x, state[0])
        return y, (new, state[1])

    return step
