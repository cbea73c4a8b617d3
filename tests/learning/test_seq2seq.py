"""Copying and translating: what attention and a reversed source are for."""

import numpy as np
import pytest

from benchmarks._text_experiments import appointments_exact
from skrnn import Seq2SeqTranslator
from skrnn.datasets import make_copy, make_date_strings

pytestmark = pytest.mark.slow
SEEDS = (0, 1, 2)


def exact(seed, **settings):
    """Share of 300 fresh sequences copied exactly after 150, 300, 450 and 600 updates on fresh batches of 64: 3 to 10 of 10 symbols, GRU 64."""
    test, _ = make_copy(300, random_state=1000 + seed)
    one_direction = {"hidden_size": 64, "learning_rate": 3e-3, "batch_size": 64, "bidirectional": False, "random_state": seed}
    model, shares = Seq2SeqTranslator("gru", **one_direction | settings), []
    for k in range(4):
        model.partial_fit(*make_copy(150 * 64, random_state=10 * seed + k))
        shares.append(model.score(test, test))
    return shares


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("attention", ["bahdanau", "dot", "general"])
def test_attention_copies_what_one_vector_cannot_hold(attention, seed):
    """A plain net of the same size has 0.45 to 0.49."""
    assert exact(seed, attention=attention)[-1] >= 0.90


@pytest.mark.parametrize("seed", SEEDS)
def test_a_reversed_source_is_easier_at_every_checkpoint(seed):
    """Sutskever et al. (2014), section 3.3."""
    forward, reverse = (exact(seed, attention=None, reverse_source=way) for way in (False, True))
    assert np.greater_equal(reverse, forward).all()


@pytest.mark.parametrize("seed", SEEDS)
def test_dates_are_translated(seed):
    X, y = make_date_strings(3000, random_state=seed)
    model = Seq2SeqTranslator(max_epochs=20, random_state=seed).fit(X[:2000], y[:2000])
    assert model.score(X[2000:], y[2000:]) >= 0.99


@pytest.mark.parametrize("seed", SEEDS)
def test_names_and_numbers_that_are_in_no_vocabulary_are_copied(seed):
    """See, Liu & Manning (2017): without a pointer they cannot be written."""
    assert appointments_exact(True, seed) >= 0.98
    assert appointments_exact(False, seed) <= 0.01
