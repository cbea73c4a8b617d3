"""Every cell computes the equations of its paper; a new cell brings its oracle in a file of its name."""

import numpy as np
import pytest
import torch

from tests.cell_settings import CELLS, built, packed, random, random_state, run
from tests.oracles.functions import oracle

TOLERANCE = 1e-12  # float64, absolute; the values are below 10


def of_one_sequence(state):
    return state[0].numpy() if torch.is_tensor(state) else tuple(map(of_one_sequence, state))


def flat(state):
    return [leaf for part in state for leaf in flat(part)] if isinstance(state, tuple) else [state]


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_computes_its_equations(cell):
    cell, xs = built(cell), random(9, 3)
    state = random_state(cell, 1)
    (y,), last = run(cell, packed((9,))._replace(data=xs), state)
    step, now = oracle(cell), of_one_sequence(state)
    for t, x in enumerate(xs.numpy()):
        output, now = step(x, now)
        np.testing.assert_allclose(y[t].detach(), output, rtol=0, atol=TOLERANCE)
    for got, expected in zip(last, flat(now), strict=True):
        np.testing.assert_allclose(got[0].detach(), expected, rtol=0, atol=TOLERANCE)
