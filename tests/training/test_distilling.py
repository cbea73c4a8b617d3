"""A loss, and beside it what another network knows."""

import torch

from skrnn.training import CrossEntropy, Distilling, Gaussian

GENERATOR = torch.Generator().manual_seed(0)
OUTPUTS = torch.randn(6, 5, generator=GENERATOR, dtype=torch.float64)
INDICES = torch.tensor([0, 2, 1, 1, 0, 2])
KNOWN = torch.randn(6, 2, generator=GENERATOR, dtype=torch.float64)


def test_what_is_known_adds_its_mean_squared_error():
    target = torch.column_stack([INDICES.double(), KNOWN])
    found = Distilling(CrossEntropy(3), 2, of_indices=True).losses(OUTPUTS, target)
    expected = CrossEntropy(3).losses(OUTPUTS[:, :3], INDICES) + ((OUTPUTS[:, 3:] - KNOWN) ** 2).mean(1)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


def test_where_nothing_is_known_nothing_is_asked_nor_any_gradient_spoiled():
    outputs = OUTPUTS.clone().requires_grad_()
    target = torch.column_stack([INDICES.double(), torch.full_like(KNOWN, torch.nan)])
    loss = Distilling(CrossEntropy(3), 2, of_indices=True).losses(outputs, target)
    torch.testing.assert_close(loss, CrossEntropy(3).losses(outputs[:, :3], INDICES))
    loss.sum().backward()
    assert (outputs.grad[:, 3:] == 0).all()
    assert outputs.grad.isfinite().all()


def test_without_states_it_is_the_objective():
    target = KNOWN[:, :1]
    torch.testing.assert_close(Distilling(Gaussian(), 0).losses(OUTPUTS[:, :2], target), Gaussian().losses(OUTPUTS[:, :2], target))


def test_the_best_constant_knows_nothing():
    target, weight = torch.column_stack([INDICES.double(), KNOWN]), torch.ones(6, dtype=torch.float64)
    found = Distilling(CrossEntropy(3), 2, of_indices=True).best_constant(target, weight)
    torch.testing.assert_close(found[:3], CrossEntropy(3).best_constant(INDICES, weight))
    assert found[3:].tolist() == [0, 0]
