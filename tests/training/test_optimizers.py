import pytest
import torch

from skrnn.training import OPTIMIZERS
from skrnn.training._optimizers import clip_norm
from tests.cell_settings import assert_same, random

EXACT = 1e-12  # float64, relative
TORCH = {
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "rmsprop": (torch.optim.RMSprop, {}),
}


def parameters():
    return [torch.nn.Parameter(random(3, 4, seed=1)), torch.nn.Parameter(random(5, seed=2))]


def give_gradients(weights, k):
    for i, w in enumerate(weights):
        w.grad = random(*w.shape, seed=10 * k + i) + w.detach()


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_twenty_steps_are_those_of_torch(name, weight_decay):
    make, settings = TORCH[name]
    ours, theirs = parameters(), parameters()
    mine = OPTIMIZERS[name](ours, ours)
    other = make(theirs, lr=1.0, weight_decay=weight_decay, **settings)
    for k in range(20):
        rate = 0.02 * (1 + k % 3)  # the learning rate changes, as on a schedule
        other.param_groups[0]["lr"] = rate
        give_gradients(ours, k), give_gradients(theirs, k)
        mine.step(rate, weight_decay), other.step()
        assert_same(ours, theirs, EXACT)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_parameter_without_gradient_stays(name):
    moved, still = parameters()
    before = [w.detach().clone() for w in (moved, still)]
    optimizer = OPTIMIZERS[name]([moved, still], [moved, still])
    give_gradients([moved], 0)
    optimizer.step(0.1, 0.1)
    assert not torch.equal(moved, before[0])
    assert torch.equal(still, before[1])


@pytest.mark.parametrize("most", [0.1, 1e3])
def test_gradients_are_clipped_as_torch_does_it(most):
    generator = torch.Generator().manual_seed(0)
    ours, torchs = ([torch.nn.Parameter(torch.zeros(3, 4)), torch.nn.Parameter(torch.zeros(5)), torch.nn.Parameter(torch.zeros(2))] for _ in range(2))
    for a, b in zip(ours[:2], torchs[:2], strict=True):
        a.grad = torch.randn(a.shape, generator=generator)
        b.grad = a.grad.clone()
    clip_norm(ours, most)
    torch.nn.utils.clip_grad_norm_(torchs, most)
    assert ours[2].grad is None
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(ours[:2], torchs[:2], strict=True))
