import pytest
import torch

from skrnn.cells import Elman
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, built, has_kernel, pack_all, random

ORTHOGONAL = 1e-6  # drawn in float32


def test_an_identity_start_keeps_the_running_sum():
    """IRNN (Le et al., 2015): with relu, R = I and b = 0, non-negative input is summed up exactly."""
    cell = Elman("relu", recurrent_init="identity").build(1, HIDDEN).double()
    torch.nn.init.ones_(cell.W)
    x = torch.arange(12.0, dtype=torch.float64)[:, None]
    y, last = scan(cell, pack_all([x]))
    assert torch.equal(y.data, x.cumsum(0).expand(-1, HIDDEN))
    assert torch.equal(last, y.data[-1:])


def test_an_identity_start_passes_the_gradient_unchanged_while_units_are_active():
    cell = Elman("relu", recurrent_init="identity").build(1, HIDDEN).double()
    torch.nn.init.ones_(cell.W)
    h = random(1, HIDDEN).abs().requires_grad_()
    _, last = scan(cell, pack_all([torch.ones(200, 1, dtype=torch.float64)]), h)
    assert torch.equal(torch.autograd.grad(last.sum(), h)[0], torch.ones_like(h))


def test_an_orthogonal_start_keeps_lengths():
    R = Elman().build(INPUT, 50).R
    assert (R.T @ R - torch.eye(50)).abs().max() < ORTHOGONAL


def test_a_uniform_start_stays_within_its_bound_and_fills_it():
    R = Elman(recurrent_init="uniform").build(INPUT, 64).R
    assert 0.99 / 8 < R.abs().max() <= 1 / 8


def test_input_weights_start_as_glorot_and_bengio_say():
    W = Elman().build(10, 90).W
    assert 0.98 * 0.06**0.5 < W.abs().max() <= 0.06**0.5


def test_the_bias_starts_at_zero():
    assert not Elman().build(INPUT, HIDDEN).b.any()


@pytest.mark.parametrize("layer_norm", [False, True])
def test_number_of_weights(layer_norm):
    cell = Elman(layer_norm=layer_norm).build(INPUT, HIDDEN)
    assert sum(w.numel() for w in cell.parameters()) == HIDDEN * (INPUT + HIDDEN + 1) + HIDDEN * layer_norm


def test_layer_normalisation_makes_the_scale_of_the_weights_irrelevant():
    cell, x = built(Elman(layer_norm=True)), random(5, INPUT)
    before = scan(cell, pack_all([x]))[0].data
    with torch.no_grad():
        cell.W *= 1000
        cell.R *= 1000
    assert (scan(cell, pack_all([x]))[0].data - before).abs().max() < 1e-3  # the 1e-5 under the root


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_only_layer_normalisation_has_no_kernel(activation):
    assert has_kernel(Elman(activation))
    assert not has_kernel(Elman(activation, layer_norm=True))
