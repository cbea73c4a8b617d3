import numpy as np
import pytest
import torch

from skrnn.cells import Antisymmetric
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, built, gap, packed, random

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64


def matrix(cell):
    """A, from the slope of a step at rest."""
    zero = torch.zeros(cell.hidden_size, dtype=torch.float64)
    slope = torch.func.jacrev(lambda h: cell.step(zero, h)[0])(zero).detach()
    return ((slope - torch.eye(cell.hidden_size)) / cell.step_size).numpy()


@pytest.mark.parametrize("diffusion", [0.0, 0.1, 2.0])
@pytest.mark.parametrize("hidden_size", [1, 2, 7, 30])
def test_the_eigenvalues_have_the_diffusion_as_real_part(diffusion, hidden_size):
    A = matrix(built(Antisymmetric(0.25, diffusion), hidden_size=hidden_size))
    np.testing.assert_allclose(np.linalg.eigvals(A).real, -diffusion, rtol=0, atol=EXACT)
    np.testing.assert_allclose(A + A.T, -2 * diffusion * np.eye(hidden_size), rtol=0, atol=EXACT)
    assert hidden_size == 1 or np.abs(np.triu(A, 1)).sum() > 0.1


def test_number_of_weights():
    """With 128 units and a readout for ten digits, the 10 thousand weights of the paper's pixel-by-pixel MNIST."""
    n, gated = (sum(w.numel() for w in Antisymmetric(gated=gated).build(F, H).parameters()) for gated in (False, True))
    assert n == H * (H - 1) // 2 + H * (F + 1)
    assert gated - n == H * (F + 1)
    assert sum(w.numel() for w in Antisymmetric().build(1, 128).parameters()) + 129 * 10 == 9674


@pytest.mark.parametrize("gated", [False, True])
def test_every_weight_has_an_effect(gated):
    cell = built(Antisymmetric(gated=gated))
    scan(cell, packed())[0].data.square().sum().backward()
    assert all((w.grad != 0).all() for w in cell.parameters())


def test_an_open_gate_is_no_gate():
    gated, plain = built(Antisymmetric(gated=True)), built(Antisymmetric())
    with torch.no_grad():
        gated.b[H:] = 40
    plain.load_state_dict({"W": gated.W[:H], "R": gated.R, "b": gated.b[:H]})
    assert gap(scan(gated, packed())[0].data, scan(plain, packed())[0].data) <= EXACT


def test_a_closed_gate_keeps_the_state():
    cell, h = built(Antisymmetric(gated=True)), random(1, H)
    with torch.no_grad():
        cell.b[H:] = -60
    assert gap(scan(cell, packed((9,)), h)[1], h) <= EXACT


def test_the_gradient_keeps_its_size_over_many_small_steps():
    """Over 500 steps of 0.01; an Elman cell with the same matrix would lose it in a few tens of steps."""
    cell, h = built(Antisymmetric(0.01, 0.0)), random(1, H).requires_grad_()
    _, last = scan(cell, packed((500,)), h)
    (slope,) = torch.autograd.grad(last.sum(), h)
    assert 0.1 < slope.norm() / H**0.5 < 10


@pytest.mark.parametrize("step_size", [0.0, -0.1, np.nan, np.inf, "small"])
def test_a_step_that_does_not_go_forward_is_refused(step_size):
    with pytest.raises(ValueError, match=r"'step_size' parameter of Antisymmetric must be a positive number; got "):
        Antisymmetric(step_size).build(F, H)


@pytest.mark.parametrize("diffusion", [-0.1, np.nan, None])
def test_a_diffusion_that_would_blow_up_is_refused(diffusion):
    with pytest.raises(ValueError, match=r"'diffusion' parameter of Antisymmetric must be a number of at least 0; got "):
        Antisymmetric(diffusion=diffusion).build(F, H)
