import math

import pytest
import torch

from skrnn.cells import SRU, MinGRU
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, built, gap, packed

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
every_size = pytest.mark.parametrize("input_size", [F, H], ids=["projected", "identity"])
every_activation = pytest.mark.parametrize("activation", ["identity", "tanh"])


def with_gate(cell, bias):
    """The cell with a constant gate r."""
    with torch.no_grad():
        cell.W[2 * H :] = 0
        cell.v[1] = 0
        cell.b[H:] = bias
    return cell


@pytest.mark.parametrize(("input_size", "n"), [(H, 3 * H * H + 4 * H), (F, 4 * F * H + 4 * H)])
def test_number_of_weights(input_size, n):
    assert sum(w.numel() for w in SRU().build(input_size, H).parameters()) == n


@every_size
def test_without_highway_and_without_sight_of_the_cell_it_is_a_min_gru(input_size):
    cell, other = (built(c, input_size=input_size) for c in (SRU(), MinGRU()))
    with_gate(cell, 100.0)
    with torch.no_grad():
        cell.v.zero_()
        other.W.copy_(torch.cat([-cell.W[H : 2 * H], cell.W[:H]]))  # z = 1 - f
        other.b.copy_(torch.cat([-cell.b[:H], torch.zeros(H)]))
    batch = packed(n_features=input_size)
    assert gap(scan(cell, batch)[0].data, scan(other, batch)[0].data) <= EXACT


@every_activation
@pytest.mark.parametrize("bias", [0.0, -2.0])
def test_a_highway_carries_the_input_past_the_cell(activation, bias):
    cell, batch = with_gate(built(SRU(activation, bias), input_size=H), -100.0), packed(n_features=H)
    assert gap(scan(cell, batch)[0].data, math.sqrt(1 + 2 * math.exp(bias)) * batch.data) <= EXACT


def test_an_output_projects_the_input_where_sizes_differ():
    cell, batch = with_gate(built(SRU()), -100.0), packed()
    assert gap(scan(cell, batch)[0].data, batch.data @ cell.W_s.T) <= EXACT


@every_activation
def test_the_state_is_the_cell_before_its_activation(activation):
    cell, batch = with_gate(built(SRU(activation)), 100.0), packed((6, 6))
    y, (h, c) = scan(cell, batch)
    assert gap(h, c.tanh() if activation == "tanh" else c) <= EXACT
    assert torch.equal(h, y.data[-2:])


@pytest.mark.parametrize("bias", [0.0, -2.0])
def test_the_start_keeps_the_variance_of_white_noise(bias):
    """Lei et al. (2018): α makes up for what the gates lose; here over 8 sequences, once they have forgotten their start."""
    cell = SRU(highway_bias=bias).build(64, 64, torch.Generator().manual_seed(0)).double()
    y = scan(cell, packed((40,) * 8, 64))[0].data[20 * 8 :]
    assert abs(y.var() - 1) < 0.3
