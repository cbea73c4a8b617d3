import pytest
import torch

from skrnn.cells import Elman, Leaky
from skrnn.engine import explain, scan
from tests.cell_settings import HIDDEN, INPUT, RAGGED, RATES, assert_same, built, pack_all, packed, random, random_state, without_kernel

EXACT = 1e-12  # float64, relative


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


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_every_setting_is_compiled_also_inside_leaky(activation, layer_norm):
    for cell in (Elman(activation, layer_norm=layer_norm), Leaky(Leaky(Elman(activation, layer_norm=layer_norm)))):
        assert explain(built(cell), torch.float64) is None


def leaky_gradients(cell, reverse):
    """Outputs and final state, and the gradients of a projection in state, rates and weights."""
    batch, state = packed(), random_state(cell, len(RAGGED)).requires_grad_()
    cell.a.requires_grad_()
    y, last = scan(cell, batch, state, reverse=reverse)
    total = (y.data * random(*y.data.shape, seed=3)).sum() + (last * random(*last.shape, seed=4)).sum()
    return [y.data, last, *torch.autograd.grad(total, [state, cell.a, *cell.parameters()])]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("rate", [0.3, RATES], ids=["one rate", "a rate for each unit"])
@pytest.mark.parametrize("layer_norm", [False, True])
def test_leaky_units_are_differentiable_in_the_rates(layer_norm, rate, reverse):
    cell = built(Leaky(Elman(layer_norm=layer_norm), rate))
    assert_same(leaky_gradients(cell, reverse), leaky_gradients(without_kernel(cell), reverse), EXACT)
