"""A watched scan is a scan, and sees every state."""

import pytest
import torch

from skrnn.cells import GRU, LSTM, hidden
from skrnn.engine import scan, scan_watched
from tests.cell_settings import assert_same, built, packed, random_state

EXACT = 1e-12  # float64, relative


@pytest.mark.parametrize("cell", [LSTM(), GRU()], ids=repr)
@pytest.mark.parametrize("lengths", [(4, 7, 1, 7, 3), (5, 5)], ids=["ragged", "equal"])
def test_outputs_are_those_of_a_scan_and_every_state_is_seen(cell, lengths):
    cell, batch = built(cell), packed(lengths)
    state = random_state(cell, len(lengths))
    outputs, seen = scan_watched(cell, batch, state, hidden)
    expected, _ = scan(cell, batch, state)
    assert_same([outputs.data, torch.cat(seen)], [expected.data, expected.data], EXACT)
    assert torch.equal(outputs.batch_sizes, batch.batch_sizes)
    assert outputs.sorted_indices is batch.sorted_indices
