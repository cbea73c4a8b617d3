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
    assert torch.equal(torch.stack(outputs), torch.stack(by_hand))
    assert torch.equal(total, state[0])
    assert n.tolist() == [3, 3]


def test_a_run_can_be_cut_anywhere():
    whole, _ = rollout(advance, START, 5, first=FIRST)
    begin, state = rollout(advance, START, 2, first=FIRST)
    end, _ = rollout(advance, state, 3, first=begin[-1])
    assert torch.equal(torch.stack([*begin, *end]), torch.stack(whole))


def test_a_run_ends_when_nothing_more_is_wanted():
    whole, _ = rollout(advance, START, 5, first=FIRST)
    outputs, (_, n) = rollout(advance, START, 5, first=FIRST, ended=lambda y: bool(torch.equal(y, whole[2])))
    assert torch.equal(torch.stack(outputs), torch.stack(whole[:3]))
    assert n.tolist() == [3, 3]


def test_inputs_stand_before_the_output():
    seen = []

    def watch(x, state):
        seen.append(x)
        return x[:, -1:] + 1, state

    inputs = torch.arange(12.0).view(3, 2, 2)
    outputs, _ = rollout(watch, (), 3, first=FIRST, inputs=inputs)
    assert torch.equal(torch.stack(seen)[:, :, :2], inputs)
    assert torch.equal(torch.stack(seen)[1:, :, 2:], torch.stack(outputs[:-1]))
    assert torch.equal(seen[0][:, 2:], FIRST)


def test_a_gradient_flows_through_the_loop():
    w = torch.tensor(0.5, requires_grad=True)
    outputs, _ = rollout(lambda x, state: (w * x, state), (), 3, first=torch.ones(1, 1))
    outputs[-1].sum().backward()
    assert w.grad.item() == 3 * 0.5**2  # d w³ / d w


def test_a_teacher_is_asked_as_often_as_is_said():
    teacher = torch.full((400, 50, 1), 7.0)
    seen = []

    def watch(x, state):
        seen.append(x)
        return torch.zeros_like(x), state

    rollout(watch, (), 400, first=torch.zeros(50, 1), teacher=teacher, p_teacher=0.3, generator=torch.Generator().manual_seed(0))
    asked = torch.stack(seen)[1:, :, 0] == 7
    assert abs(asked.double().mean() - 0.3) < 0.02  # 20,000 draws: four standard deviations are 0.013
    assert 0.5 < asked.double().mean(0).std() / (0.3 * 0.7 / 399) ** 0.5 < 2  # drawn for each sequence, ...
    assert 0.5 < asked.double().mean(1).std() / (0.3 * 0.7 / 50) ** 0.5 < 2  # ... and in each step


def test_a_sure_teacher_replaces_what_came_out_and_draws_nothing():
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    teacher = torch.arange(6.0).view(3, 2, 1)
    seen = []

    def watch(x, state):
        seen.append(x)
        return x * 0 - 1, state

    rollout(watch, (), 3, first=FIRST, teacher=teacher, p_teacher=1.0, generator=generator)
    assert torch.equal(torch.stack(seen), torch.stack([FIRST, teacher[0], teacher[1]]))
    assert torch.equal(generator.get_state(), before)


def test_sequences_end_one_after_the_other():
    inputs = [torch.ones(2, 1), torch.ones(2, 1), torch.ones(1, 1)]
    outputs, _ = rollout(advance, START, 3, first=FIRST, inputs=inputs)
    assert [len(y) for y in outputs] == [2, 2, 1]
    alone, _ = rollout(advance, (START[0][:1], START[1][:1]), 3, first=FIRST[:1], inputs=torch.ones(3, 1, 1))
    assert torch.equal(torch.stack([y[0] for y in outputs]), torch.stack(alone)[:, 0])


def test_what_is_fed_back_may_be_another_thing_than_what_comes_out():
    outputs, _ = rollout(lambda x, state: (torch.cat([x, x + 1], -1), state), (), 3, first=torch.zeros(1, 1), emit=lambda y: y[:, 1:])
    assert torch.stack(outputs)[:, 0].tolist() == [[0, 1], [1, 2], [2, 3]]
