import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from skrnn.training import BinaryCrossEntropy, CrossEntropy, SquaredError
from tests.cell_settings import random

N = 40
CLASSES = torch.arange(N) % 7 % 3
LABELS = torch.stack([torch.arange(N) % 2, torch.arange(N) % 5 == 0], 1).double()
OBJECTIVES = {
    "cross entropy": (CrossEntropy(3), CLASSES, 3),
    "binary cross entropy": (BinaryCrossEntropy(), LABELS, 2),
    "squared error": (SquaredError(), random(N, 2), 2),
}
every_objective = pytest.mark.parametrize(("objective", "target", "n_outputs"), OBJECTIVES.values(), ids=OBJECTIVES)
WEIGHTS = {"alike": torch.ones(N, dtype=torch.float64), "weighted": random(N, seed=3).abs()}


@every_objective
@pytest.mark.parametrize("weight", WEIGHTS.values(), ids=WEIGHTS)
def test_the_gradient_is_zero_at_the_best_constant(objective, target, n_outputs, weight):
    constant = objective.best_constant(target, weight).requires_grad_()
    (gradient,) = torch.autograd.grad(objective.mean(constant.expand(N, -1), target, weight), constant)
    assert constant.shape == (n_outputs,)
    assert gradient.abs().max() < 1e-14


@every_objective
def test_no_other_constant_is_better(objective, target, n_outputs):
    weight = WEIGHTS["weighted"]
    best = objective.best_constant(target, weight)
    others = best + 0.1 * random(20, n_outputs)
    least = objective.mean(best.expand(N, -1), target, weight)
    assert all(objective.mean(other.expand(N, -1), target, weight) >= least for other in others)


def test_a_class_or_label_that_never_comes_keeps_the_constant_finite():
    ones = torch.ones(4, dtype=torch.float64)
    assert CrossEntropy(3).best_constant(torch.tensor([0, 0, 1, 1]), ones).isfinite().all()
    assert BinaryCrossEntropy().best_constant(torch.tensor([[0.0, 1.0]] * 4, dtype=torch.float64), ones).isfinite().all()


def test_where_a_constant_has_no_output_for_a_class_another_stands_in():
    """As for what is copied, which is beside the vocabulary."""
    open_ended, ones, target = CrossEntropy(3, 0), torch.ones(4, dtype=torch.float64), torch.tensor([0, 3, 7, 1])
    constant = open_ended.best_constant(target, ones)
    assert torch.equal(constant, CrossEntropy(3).best_constant(torch.tensor([0, 0, 0, 1]), ones))
    assert open_ended.mean(constant.expand(4, -1), target, ones) == CrossEntropy(3).mean(constant.expand(4, -1), torch.tensor([0, 0, 0, 1]), ones)
    outputs = random(4, 8)
    assert open_ended.mean(outputs, target, None) == CrossEntropy(8).mean(outputs, target, None)


@every_objective
def test_the_mean_weighs_the_losses(objective, target, n_outputs):
    outputs, weight = random(N, n_outputs, seed=1), WEIGHTS["weighted"]
    losses = objective.losses(outputs, target)
    assert losses.shape == (N,)
    assert objective.mean(outputs, target, None) == pytest.approx(float(losses.mean()), rel=1e-14)
    assert objective.mean(outputs, target, weight) == pytest.approx(float((losses @ weight) / N), rel=1e-14)


def test_losses_are_those_of_the_textbook():
    scores, two = random(N, 3, seed=1), random(N, 2, seed=2)
    p, q = torch.softmax(scores, 1), torch.sigmoid(two)
    assert CrossEntropy(3).mean(scores, CLASSES, None) == pytest.approx(log_loss(CLASSES, p), rel=1e-12)
    by_label = [log_loss(LABELS[:, k], q[:, k]) for k in range(2)]
    assert BinaryCrossEntropy().mean(two, LABELS, None) == pytest.approx(sum(by_label), rel=1e-12)
    assert SquaredError().mean(two, LABELS, None) == pytest.approx(np.mean((two - LABELS).numpy() ** 2), rel=1e-12)
