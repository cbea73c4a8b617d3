"""Learning rules do what their papers say, with the networks of the papers."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from benchmarks import _guessing, _lstm_1997
from skrnn.datasets import make_parity, make_temporal_order
from skrnn.engine import pack, scan

EXACT = 1e-12  # float64
SINGLE = 1e-5  # float32, after 60 steps of weights within ± 1

# -- random weight guessing (Schmidhuber & Hochreiter, 1996) -------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "published"),
    [("A1", 2906), ("A2", 2797), ("A2 without self-connections", 250)],
)
def test_weights_of_parity_are_guessed(name, published):
    """20 runs; within a factor of three of the paper's mean: numbers of trials scatter as widely as their mean."""
    trials, right = zip(*(_guessing.guess_parity(name, seed) for seed in range(20)), strict=True)
    assert published / 3 <= np.mean(trials) <= 3 * published, trials
    assert min(right) == 1


@pytest.mark.parametrize("name", ["A1", "A2"])
def test_the_compiled_networks_that_guess_are_those_of_the_paper(name):
    network = _guessing.LastOutput(name, 0)
    with torch.no_grad():
        for w in network.parameters():
            w.uniform_(-1, 1, generator=network.generator)
    packed = pack(make_parity(9, (3, 60), random_state=0)[0])
    with torch.no_grad():
        compiled, last = scan(network.cell, packed)
    steps, state = scan(network.cell, packed)
    for a, b in ((compiled.data, steps.data), (last.y, state.y), (last.h, state.h)):
        torch.testing.assert_close(a, b.detach(), atol=SINGLE, rtol=0)


# -- the truncated gradient of the LSTM (Hochreiter & Schmidhuber, 1997) -------------------------------------------------------------------------


def moved_by_autograd(weights, x, target):
    """The weights after one sequence, by the package."""
    cell = clone(_lstm_1997.CELL).build(_lstm_1997.INPUTS, _lstm_1997.UNITS).double()
    V, d = (torch.from_numpy(w.copy()).requires_grad_() for w in (weights.V, weights.d))
    for name in "WRQb":
        cell.get_parameter(name).data = torch.from_numpy(weights._asdict()[name].copy())
    _, state = scan(cell, pack(x, dtype=torch.float64), grad_path="cell_only")
    error = torch.sigmoid(state.h @ V.T + d) - torch.from_numpy(target)
    (error.square().sum() / 2).backward()
    shares = dict.fromkeys("WRQb", torch.from_numpy(_lstm_1997.SHARES)) | dict.fromkeys("Vd", torch.ones(_lstm_1997.CLASSES))
    learned = {name: cell.get_parameter(name) for name in "WRQb"} | {"V": V, "d": d}
    return {name: w.detach() - _lstm_1997.RATE * shares[name].view(-1, *[1] * (w.ndim - 1)) * w.grad for name, w in learned.items()}


def test_the_rule_of_1997_written_out_is_the_path_through_the_cell():
    """Not compiled here, which would take longer than the sequences."""
    X, y = make_temporal_order(5, random_state=0)
    weights = _lstm_1997.start(0)
    weights.b[:2] += 2  # gates half open, and strong ways back: else the gradient that the rule leaves out is too small to tell
    weights = weights._replace(R=5 * weights.R, Q=5 * weights.Q, V=5 * weights.V)
    for k, target in enumerate(_lstm_1997.one_hot(y)):
        expected = moved_by_autograd(weights, X[k : k + 1], target)
        _lstm_1997.learn.py_func(X[k], target, weights, _lstm_1997.RATE, _lstm_1997.SHARES)
        for name, w in expected.items():
            np.testing.assert_allclose(weights._asdict()[name], w.numpy(), atol=EXACT, rtol=0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_temporal_order_with_the_lstm_of_1997_and_its_own_rule(seed):
    """The paper's mean is 31,390 sequences, after which 1 of 2,560 is wrong."""
    n, wrong = _lstm_1997.solve(seed)
    assert 15_000 <= n <= 70_000
    assert wrong <= 3
