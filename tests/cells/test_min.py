import pytest
import torch

from skrnn.cells import MinGRU, MinLSTM
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, built, gap, packed, random, without_kernel

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
every_candidate = pytest.mark.parametrize("candidate", ["linear", "positive"])


@pytest.mark.parametrize(("cell", "n_blocks"), [(MinGRU(), 2), (MinLSTM(), 3)], ids=repr)
def test_number_of_weights(cell, n_blocks):
    """Feng et al. (2024) count 2 F H and 3 F H, without biases."""
    assert sum(w.numel() for w in cell.build(F, H).parameters()) == n_blocks * H * (F + 1)


@every_candidate
def test_gates_that_sum_to_one_make_a_min_lstm_a_min_gru(candidate):
    lstm, gru = built(MinLSTM(candidate)), built(MinGRU(candidate))
    with torch.no_grad():
        for ours, theirs in ((lstm.W, gru.W), (lstm.b, gru.b)):
            ours[:H] = -ours[H : 2 * H]  # f = 1 - i
            theirs.copy_(ours[H:])
    assert gap(scan(lstm, packed())[0].data, scan(gru, packed())[0].data) <= EXACT


@every_candidate
@pytest.mark.parametrize(("cell", "keeping"), [(MinGRU, (-1,)), (MinLSTM, (1, -1))])
def test_gates_keep_or_write(cell, keeping, candidate):
    """z writes; f keeps and i writes."""
    cell, batch, h, n = built(cell(candidate)), packed(), random(5, H), len(keeping) * H
    bias = 100.0 * torch.tensor(keeping).repeat_interleave(H)
    with torch.no_grad():
        cell.b[:n] = bias
    assert gap(scan(cell, batch, h)[1], h) <= EXACT
    with torch.no_grad():
        cell.b[:n] = -bias
    new = cell.project(batch.data)[:, n:]
    new = new if candidate == "linear" else torch.where(new >= 0, new + 0.5, new.sigmoid())
    assert gap(scan(cell, batch, h)[0].data, new) <= EXACT


@pytest.mark.parametrize("cell", [MinGRU("positive"), MinLSTM("positive")], ids=repr)
def test_positive_candidates_keep_a_state_positive(cell):
    cell, batch = built(cell), packed((50, 20))
    assert (cell.project(batch.data)[:, -H:] < 0).any()
    assert (scan(cell, batch)[0].data > 0).all()


@pytest.mark.parametrize("path", [lambda cell: cell, without_kernel], ids=["kernel", "steps"])
@pytest.mark.parametrize("closed", [-80.0, -1000.0])
def test_two_closed_gates_share_the_state_out_evenly(path, closed):
    cell = MinLSTM().build(F, H)
    with torch.no_grad():
        cell.W[: 2 * H] = 0
        cell.b[: 2 * H] = closed
    batch, h = packed((1, 1), dtype=torch.float32), random(2, H).float()
    expected = (h + cell.project(batch.data)[:, 2 * H :]) / 2
    assert gap(scan(path(cell), batch, h)[1], expected) <= 1e-6


def test_where_biases_start():
    assert MinGRU(update_bias=-2.0).build(F, H).b.tolist() == [-2.0] * H + [0.0] * H
    assert MinLSTM(forget_bias=3.0).build(F, H).b.tolist() == [3.0] * H + [0.0] * 2 * H
