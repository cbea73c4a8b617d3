"""A multiplicative recurrence predicts text better than Elman's with as many weights (Sutskever et al., 2011; Krause et al., 2016)."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot
from torch.nn.utils.rnn import PackedSequence

from benchmarks._tasks import DATA
from skrnn.cells import LSTM, Elman, Multiplicative
from skrnn.kernels import allow_threads
from skrnn.networks import Recurrent

pytestmark = pytest.mark.slow

SEEDS = (0, 1)
HIDDEN = 128  # of Elman; the others get the units that make as many weights
STEPS, BATCH, LENGTH, RATE = 250, 32, 50, 1e-2


@pytest.fixture(scope="module")
def text():
    """Letters as numbers, for training and for testing: the last tenth."""
    path = DATA / "tinyshakespeare.txt"
    if not path.exists():
        pytest.skip("the file is not there; SKRNN_DATA may name its folder")
    _, letters = np.unique(list(path.read_text()), return_inverse=True)
    return torch.from_numpy(letters).split([len(letters) - len(letters) // 10, len(letters) // 10])


@pytest.fixture(scope="module")
def elman(text):
    return [bits_per_character(Elman(), HIDDEN, text, seed) for seed in SEEDS]


class Predictor(torch.nn.Module):
    """Scores of the next letter; at the start about those of its frequency."""

    def __init__(self, cell, hidden_size, frequency, generator):
        super().__init__()
        self.recurrent = Recurrent(cell, len(frequency), hidden_size, generator=generator)
        self.head = torch.nn.Linear(hidden_size, len(frequency))
        with torch.no_grad():
            self.head.weight.uniform_(-(hidden_size**-0.5), hidden_size**-0.5, generator=generator)
            self.head.bias.copy_(torch.log(frequency))

    def loss(self, letters, starts, length):
        """Mean of −ln p of the ``length`` letters after the first, of pieces from ``starts``."""
        rows = letters[torch.arange(length + 1)[:, None] + starts]
        x = one_hot(rows[:-1].flatten(), self.head.out_features).float()
        (outputs,) = self.recurrent(PackedSequence(x, torch.full((length,), len(starts))))
        return cross_entropy(self.head(outputs.data), rows[1:].flatten())


def bits_per_character(cell, hidden_size, text, seed):
    """On the test text after a few hundred steps of Adam, whose rate falls to zero."""
    (train, test), draw = text, torch.Generator().manual_seed(seed)
    frequency = torch.bincount(train, minlength=int(torch.cat(text).max()) + 1) + 1.0
    net = Predictor(cell, hidden_size, frequency, draw)
    optimizer = torch.optim.Adam(net.parameters(), RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda k: 1 - k / STEPS)
    with allow_threads(1):
        for _ in range(STEPS):
            optimizer.zero_grad()
            net.loss(train, torch.randint(len(train) - LENGTH, (BATCH,), generator=draw), LENGTH).backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            return float(net.eval().loss(test, torch.arange(0, len(test) - 200, 200), 200)) / math.log(2)


def n_weights(cell, hidden_size, n_letters):
    return sum(w.numel() for w in Predictor(cell, hidden_size, torch.ones(n_letters), None).parameters())


@pytest.mark.parametrize(("cell", "hidden_size"), [(Multiplicative(), 88), (Multiplicative(LSTM()), 51)], ids=repr)
def test_fewer_bits_per_character_than_elman_with_as_many_weights(cell, hidden_size, elman, text):
    n_letters = int(torch.cat(text).max()) + 1
    assert n_weights(cell, hidden_size, n_letters) <= n_weights(Elman(), HIDDEN, n_letters) < n_weights(cell, hidden_size + 1, n_letters)
    bits = [bits_per_character(cell, hidden_size, text, seed) for seed in SEEDS]
    assert max(bits) < min(elman) - 0.05
