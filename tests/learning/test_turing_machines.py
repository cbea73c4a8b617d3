"""Algorithms with a memory: the tasks of Graves, Wayne & Danihelka (2014) at a small size, beside an LSTM of as many weights."""

import numpy as np
import pytest

from benchmarks import _memory_experiments as experiments
from skrnn import NeuralTuringMachine
from skrnn.datasets import make_copy_memory

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.parametrize("seed", range(5))
def test_a_copy_is_learned_and_goes_on_to_lengths_that_were_not_trained(seed):
    bits, *wrong = experiments.copies(seed, experiments.MACHINE)
    _, *of_lstm = experiments.copies(seed, experiments.LSTM)
    assert bits < 0.1
    assert max(wrong) <= 0.05
    assert (np.subtract(of_lstm, wrong) >= 0.1).all()


def test_the_defaults_learn_a_copy_of_the_default_size():
    """A thousand sequences, again and again."""
    X, y, _ = make_copy_memory(random_state=0)
    X_new, y_new, _ = make_copy_memory(random_state=1)
    assert NeuralTuringMachine(random_state=0).fit(X, y).score(X_new, y_new) > -0.1


def test_a_repeat_copy_takes_fewer_bits_than_with_an_lstm():
    """In the mean of three runs: one of them has not yet found out how."""
    machine, lstm = (np.mean([experiments.repeat_copy(seed, network) for seed in range(3)]) for network in (experiments.MACHINE, experiments.LSTM))
    assert machine < lstm


@pytest.mark.parametrize("network", [experiments.MACHINE, experiments.LSTM], ids=["machine", "lstm"])
def test_dynamic_ngrams_are_learned_and_never_below_what_can_be_known(network):
    """A constant needs 184 bits."""
    least, error = experiments.least_bits_of_ngrams()
    assert least - 3 * error <= experiments.dynamic_ngrams(0, network) < 184
