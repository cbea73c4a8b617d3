"""The loop in which an output is the next input."""

import torch

from skrnn.engine import rollout


def advance(x, state):
    """A sum of what came, and the number of steps."""
    total, n = state
    return x.sum(-1, keepdim=True) + total, (total + x[:, -1:], n + 1)


START = (torch.tensor([[1.0], [10.0]]), torch.zeros(2, dtype=torch.int64))
FIRST = torch.tensor([[2.0], [3.0]])


def test_each_output_is_the_next_input():
    outputs, (total, n) = rollout(advance, START, 3, first=FIRST)
    by_hand, y, state = [], FIRST, START
    for _ in range(3):
        y, state = advance(y, state)
        by_hand.append(y)
    assert torch.equal(outputs, torch.stack(by_hand))
    assert torch.equal(total, state[0])
    assert n.tolist() == [3, 3]


def test_a_run_can_be_cut_anywhere():
    whole, _ = rollout(advance, START, 5, first=FIRST)
    begin, state = rollout(advance, START, 2, first=FIRST)
    end, _ = rollout(advance, state, 3, first=begin[-1])
    assert torch.equal(torch.cat([begin, end]), whole)


def test_inputs_stand_before_the_output():
    seen = []

    def watch(x, state):
        seen.append(x)
        return x[:, -1:] + 1, state

    inputs = torch.arange(12.0).view(3, 2, 2)
    outputs, _ = rollout(watch, (), 3, first=FIRST, inputs=inputs)
    assert torch.equal(torch.stack(seen)[:, :, :2], inputs)
    assert torch.equal(torch.stack(seen)[1:, :, 2:], outputs[:-1])
    assert torch.equal(seen[0][:, 2:], FIRST)


def test_a_gradient_flows_through_the_loop():
    w = torch.tensor(0.5, requires_grad=True)
    outputs, _ = rollout(lambda x, state: (w * x, state), (), 3, first=torch.ones(1, 1))
    outputs[-1].sum().backward()
    assert w.grad.item() == 3 * 0.5**2  # d w³ / d w
