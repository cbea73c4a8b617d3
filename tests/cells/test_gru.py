import pytest
import torch

from skrnn.cells import GRU
from skrnn.engine import explain, scan
from tests.cell_settings import HIDDEN, INPUT, built, gap, packed

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64


@pytest.mark.parametrize(
    ("gates", "saved"),
    [("full", 0), ("gru1", 2 * F * H), ("gru2", 2 * (F * H + H)), ("gru3", 2 * (F * H + H * H))],
)
def test_number_of_weights(gates, saved):
    """Dey & Salem (2017), whose reset gate acts before the product; the product of "after" has a bias of its own."""
    n = {reset: sum(w.numel() for w in GRU(reset, gates).build(F, H).parameters()) for reset in ("before", "after")}
    assert n["before"] == 3 * (H * H + F * H + H) - saved
    assert n["after"] == n["before"] + H


def test_gates_of_gru3_do_not_change_along_time():
    """Without candidate weights its state is a geometric series: h(t) = z h(t-1) + (1 - z) tanh(b_n)."""
    cell, batch = built(GRU("before", "gru3")), packed((8,))
    for weight in (cell.W, cell.R):
        torch.nn.init.zeros_(weight)
    y = scan(cell, batch)[0].data
    z, new = torch.sigmoid(cell.b[H : 2 * H]), torch.tanh(cell.b[2 * H :])
    steps = torch.arange(1, 9, dtype=torch.float64)[:, None]
    assert gap(y, (1 - z**steps) * new) <= EXACT


def test_before_and_after_are_different_cells():
    before, after = built(GRU("before")), built(GRU("after"))
    after.load_state_dict(before.state_dict() | {"b_hn": torch.zeros(H)})
    y_before, y_after = (scan(cell, packed())[0].data for cell in (before, after))
    assert gap(y_before, y_after) > 0.01


def test_without_reset_before_and_after_are_the_same_cell():
    before, after = built(GRU("before")), built(GRU("after"))
    with torch.no_grad():
        before.b[:H] = 40.0  # r = 1
    after.load_state_dict(before.state_dict() | {"b_hn": torch.zeros(H)})
    y_before, y_after = (scan(cell, packed())[0].data for cell in (before, after))
    assert gap(y_before, y_after) <= EXACT


def test_z_keeps():
    cell, batch = built(GRU()), packed((6,))
    with torch.no_grad():
        cell.b[H : 2 * H] = 40.0
    h = torch.full((1, H), 0.3, dtype=torch.float64)
    assert gap(scan(cell, batch, h)[1], h) <= EXACT


def test_every_gate_starts_orthogonal():
    for R in GRU().build(F, 20).R.split(20):
        assert (R.T @ R - torch.eye(20)).abs().max() < 1e-6  # drawn in float32


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("gates", ["full", "gru1", "gru2", "gru3"])
def test_every_setting_is_compiled(reset, gates, layer_norm):
    assert explain(built(GRU(reset, gates, layer_norm)), torch.float64) is None


@pytest.mark.parametrize("reset", ["before", "after"])
def test_layer_normalisation_makes_the_scale_of_gates_and_candidate_irrelevant(reset):
    cell, batch = built(GRU(reset, layer_norm=True)), packed()
    before = scan(cell, batch)[0].data
    with torch.no_grad():
        cell.W[: 2 * H] *= 1000
        cell.R[2 * H :] *= 1000
    assert gap(scan(cell, batch)[0].data, before) < 1e-3  # the 1e-5 under the root
