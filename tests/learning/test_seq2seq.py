"""Copying and translating: what attention and a reversed source are for."""

import numpy as np
import pytest

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


MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"]


def appointments(n, seed):
    """Who meets whom, written in three ways, with names that are in no vocabulary and years of which most are not; and the day in order."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        a, b = ("".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), size=6)).capitalize() for _ in range(2))
        day, month, year = rng.integers(1, 29), rng.integers(12), rng.integers(1000, 3000)
        ways = [
            f"{a} meets {b} on {day} {MONTHS[month]} {year}",
            f"in {year} on {MONTHS[month]} {day} {a} was met by {b}",
            f"{MONTHS[month]} {day} {year} {b} and {a}",
        ]
        X.append(ways[rng.integers(3)].split())
        y.append([str(year), f"{month + 1:02}", f"{day:02}", a, "and", b])
    return X, y


@pytest.mark.parametrize("seed", SEEDS)
def test_names_and_numbers_that_are_in_no_vocabulary_are_copied(seed):
    """See, Liu & Manning (2017): without a pointer they cannot be written."""
    (X, y), (new, expected) = appointments(1500, seed), appointments(300, 1000 + seed)
    with_it, without = (Seq2SeqTranslator(copy=copy, min_frequency=3, max_epochs=20, random_state=seed).fit(X, y) for copy in (True, False))
    assert with_it.score(new, expected) >= 0.98
    assert without.score(new, expected) <= 0.01
