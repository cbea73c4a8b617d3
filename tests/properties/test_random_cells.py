"""Cells made at random of all operations that the compiler of cells knows: their programs compute what their steps do."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn

from skrnn.cells import Cell, map_state
from skrnn.engine import explain
from skrnn.engine._generated import scan_generated
from skrnn.engine._steps import run_steps
from tests.cell_settings import RAGGED, assert_same, floating, packed, random, random_state


def even(a):
    """The entries of a row as two rows of as many."""
    return a[:, : a.shape[1] // 2 * 2].unflatten(1, (2, -1)) if a.shape[1] > 1 else torch.stack([a, a], 1)


def same(a, b):
    """As many entries of both."""
    n = min(a.shape[1], b.shape[1])
    return a[:, :n], b[:, -n:]


OPERATIONS = [
    lambda cell, a, b, k: torch.add(*same(a, b)),
    lambda cell, a, b, k: torch.sub(*same(a, b)),
    lambda cell, a, b, k: torch.mul(*same(a, b)),
    lambda cell, a, b, k: a / (1.5 + b.mean(-1, keepdim=True).abs()),
    lambda cell, a, b, k: torch.tanh(a) * torch.sigmoid(b[:, :1]),
    lambda cell, a, b, k: torch.relu(a - 0.1) + torch.exp(-a * a),
    lambda cell, a, b, k: torch.softmax(a, -1),
    lambda cell, a, b, k: nn.functional.layer_norm(a, a.shape[1:]) if a.shape[1] > 2 else a,
    lambda cell, a, b, k: torch.cat([a, b[:, :2], a[:, :1]], 1),
    lambda cell, a, b, k: torch.stack([a, a * 2], 1).flatten(1),
    lambda cell, a, b, k: even(a).transpose(1, 2).flatten(1),
    lambda cell, a, b, k: even(a).sum(1 + k % 2),
    lambda cell, a, b, k: even(a)[:, k % 2],
    lambda cell, a, b, k: even(a).amax(2),
    lambda cell, a, b, k: torch.where(a > b[:, :1], a, -a),
    lambda cell, a, b, k: torch.maximum(*same(a, b)) - torch.minimum(*same(b, a)),
    lambda cell, a, b, k: a.clamp(-0.7, 0.9) + torch.log1p(a * a) - torch.sqrt(a * a + 1),
    lambda cell, a, b, k: torch.bmm(even(a).transpose(1, 2), even(a)).flatten(1) / a.shape[1],
    lambda cell, a, b, k: a[:, torch.arange(a.shape[1]).flip(0)] + nn.functional.pad(a[:, 1:], (0, 1)),
    lambda cell, a, b, k: nn.functional.silu(a) - nn.functional.softplus(a) + nn.functional.logsigmoid(a),
    lambda cell, a, b, k: torch.sin(a) + torch.cos(a) * (a > 0),
    lambda cell, a, b, k: torch.cat([x * (i + 1) for i, x in enumerate(a.chunk(2, 1))], 1),
    lambda cell, a, b, k: a.unsqueeze(1).expand(-1, 3, -1).flatten(1)[:, k % 3 :],
    lambda cell, a, b, k: cell.weigh(a, k),
    lambda cell, a, b, k: cell.weigh(torch.tanh(a), k + 1),
    lambda cell, a, b, k: cell.weigh(even(a), k + 2).flatten(1),
]
MOST = 24  # entries of a row


class Made(Cell):
    """A cell of the operations that it is told, each on what the others gave."""

    def __init__(self, plan=()):
        super().__init__()
        self.plan = plan

    def _build(self, generator):
        self.weights = nn.ParameterList([random(MOST, MOST, seed=k) / 3 for k in range(3)])
        self.bias = nn.Parameter(random(MOST, seed=9))

    def weigh(self, a, k):
        W = self.weights[k % 3][: a.shape[-1], : 1 + k % 11]
        return a @ W + self.bias[: W.shape[1]]

    def initial_state(self, batch_size, *, like):
        return super().initial_state(batch_size, like=like), like.new_zeros(batch_size, 5)

    def step(self, u, state):
        values = [u, *state]
        for op, i, j in self.plan:
            made = OPERATIONS[op % len(OPERATIONS)](self, values[i % len(values)], values[j % len(values)], i + j)
            values.append(made[:, :MOST])
        h = torch.tanh(self.weigh(torch.cat([values[-1], state[0]], 1)[:, :MOST], 7)[:, :1] + 0.5 * state[0])
        c = 0.9 * state[1] + torch.tanh(nn.functional.pad(values[-1][:, :5], (0, 5 - min(5, values[-1].shape[1]))))
        return h, (h, c)


plans = st.lists(st.tuples(*[st.integers(0, 99)] * 3), min_size=1, max_size=9)


def check(plan):
    cell, batch = Made(tuple(plan)).build(3, 4).double(), packed()
    state = random_state(cell, len(RAGGED))
    assert explain(cell, torch.float64) is None

    def results(run):
        x = batch.data.clone().requires_grad_()
        start = map_state(lambda s: s.clone().requires_grad_(), state)
        y, last = run(batch._replace(data=x), start)
        total = sum((v * random(*v.shape, seed=k)).sum() for k, v in enumerate([y, *floating(last)]))
        gradients = torch.autograd.grad(total, [x, *start, *cell.parameters()], materialize_grads=True)
        return [v.detach() for v in (y, *floating(last))] + list(gradients)

    sizes = batch.batch_sizes.tolist()
    for reverse in (False, True):
        expected = results(lambda b, s, way=reverse: run_steps(cell.step, cell.project(b.data).split(sizes), s, way))
        assert_same(results(lambda b, s, way=reverse: scan_generated(cell, b, s, way)), expected, 1e-10)


@settings(max_examples=25)
@given(plans)
@example([(13, 1, 0)])  # the largest of two entries: a sum of truths in its gradient
@example([(25, 0, 0)])  # rows inside of a sequence's row, of which some entries are left out
def test_a_random_cell_is_compiled_right(plan):
    check(plan)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@settings(max_examples=2000)
@given(plans)
def test_two_thousand_random_cells_are_compiled_right(plan):
    check(plan)
