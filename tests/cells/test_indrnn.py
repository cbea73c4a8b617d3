import pytest
import torch

from skrnn.cells import Elman, IndRNN
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, built, gap, pack_all, packed, without_kernel

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64


def test_number_of_weights():
    assert sum(w.numel() for w in IndRNN().build(F, H).parameters()) == H * (F + 2)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_it_is_an_elman_network_whose_recurrent_weights_are_diagonal(activation):
    ind, elman = built(IndRNN(activation)), built(Elman(activation))
    elman.load_state_dict({"W": ind.W, "b": ind.b, "R": torch.diag(ind.R.detach())})
    assert gap(scan(ind, packed())[0].data, scan(elman, packed())[0].data) <= EXACT


@pytest.mark.parametrize("path", [lambda cell: cell, without_kernel], ids=["kernel", "steps"])
@pytest.mark.parametrize(("n_steps", "max_gain"), [(10, 2.0), (500, 2.0), (500, 1.0)])
@pytest.mark.parametrize("R", [5.0, -5.0])
def test_the_gradient_over_n_steps_grows_by_max_gain_at_most(R, n_steps, max_gain, path):
    """Near its fixed point, about half the bias if R is negative, a unit stays above 0, where it is linear."""
    cell = path(built(IndRNN(n_steps=n_steps, max_gain=max_gain)))
    with torch.no_grad():
        cell.R.fill_(R)
        cell.W.zero_()
        cell.b.fill_(1.0)
    h = torch.full((1, H), 0.5, dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(scan(cell, pack_all([torch.zeros(n_steps, F, dtype=torch.float64)]), h)[1].sum(), h)
    assert gap(grad.abs(), torch.full((1, H), max_gain)) <= 1e-10


def test_weights_start_between_0_and_the_bound():
    for cell, most in ((IndRNN(), 1.0), (IndRNN(n_steps=3), 2 ** (1 / 3)), (IndRNN(n_steps=1, max_gain=8.0), 8.0)):
        R = cell.build(F, 2000, torch.Generator().manual_seed(0)).R
        assert R.min() >= 0
        assert 0.99 * most < R.max() <= most


@pytest.mark.parametrize("n_steps", [0, -3, 1.5])
def test_n_steps_that_are_no_number_of_steps_are_refused(n_steps):
    with pytest.raises(ValueError, match=rf"'n_steps' parameter of IndRNN must be a number of time steps of at least 1, or None; got {n_steps}"):
        IndRNN(n_steps=n_steps).build(F, H)


@pytest.mark.parametrize("max_gain", [0.5, float("inf"), float("nan")])
def test_a_gain_below_one_is_refused(max_gain):
    with pytest.raises(ValueError, match=rf"'max_gain' parameter of IndRNN must be a number of at least 1; got {max_gain}"):
        IndRNN(max_gain=max_gain).build(F, H)
