"""Learning rules do what their papers say, with the networks of the papers."""

import numpy as np
import pytest
import torch

from skrnn.cells import Jordan
from skrnn.datasets import make_parity
from skrnn.engine import Guessing, pack, scan
from skrnn.kernels import allow_threads

pytestmark = pytest.mark.slow


class HiddenThenOutput(torch.nn.Module):
    """10 logistic units that see the input and the output of the step before, and an output that sees them: A2 without self-connections."""

    def __init__(self, seed):
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)
        self.cell = Jordan(decay=0.0, activation="sigmoid", output_activation="sigmoid", n_hidden=10).build(1, 1, self.generator)

    def forward(self, packed):
        """The output after the last step of each sequence, in the order before packing."""
        _, state = scan(self.cell, packed)
        return state.y[packed.unsorted_indices, 0]


def guess_parity(seed):
    """Trials until all of 100 sequences are right to 0.1, and how many of 100 others are."""
    (X, y), (X_test, y_test) = make_parity(random_state=2 * seed), make_parity(random_state=2 * seed + 1)
    packed, target = pack(X), torch.from_numpy(y)
    network, rule, n_trials, worst = HiddenThenOutput(seed), Guessing(scale=100.0), 0, 1.0
    while worst >= 0.1 and n_trials < 5000:
        worst = float(rule.gradient(network, packed, lambda out: (out - target).abs().max()))
        n_trials += 1
    with torch.no_grad():
        return n_trials, np.mean(np.abs(network(pack(X_test)).numpy() - y_test) < 0.1)


def test_weights_of_parity_are_guessed():
    """20 runs as in the paper, whose mean is 250 trials (Schmidhuber & Hochreiter, 1996)."""
    with allow_threads(1):
        trials, right = zip(*map(guess_parity, range(20)), strict=True)
    assert 100 <= np.mean(trials) <= 700, trials
    assert min(right) == 1
