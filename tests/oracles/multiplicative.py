"""Sutskever et al. (2011), Krause et al. (2016): the cell inside sees, in place of h, a product of what x and what h give."""

from tests.oracles.functions import arrays, hidden, oracle, with_hidden


def step_of(cell):
    inner, w = oracle(cell.cell_), arrays(cell)

    def step(x, state):
        m = (w["W"] @ x + w["b"]) * (w["R"] @ hidden(state))
        return inner(x, with_hidden(state, w["P"] @ m if "P" in w else m))

    return step
