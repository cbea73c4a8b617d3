"""Writing down what is heard and seen: what both directions, a beam and a language model are for."""

import numpy as np
import pytest

from benchmarks._text_experiments import lines_exact, lines_read, noisy_lines, phoneme_errors, updates_until_five_percent
from skrnn import SequenceTranscriber
from skrnn.datasets import make_text_lines
from skrnn.frontends import PerFrame

pytestmark = pytest.mark.slow
SEEDS = (0, 1, 2)


def test_phonemes_are_learnt_within_400_updates_and_much_earlier_than_in_one_direction():
    """Measured over five seeds: 175, 175, 150, 200 and 150 updates; in one direction 275, 225, 375, 225 and 225."""
    both, one = ([updates_until_five_percent(phoneme_errors(seed, way)) for seed in range(5)] for way in (True, False))
    assert max(both) <= 400
    assert np.mean(one) >= 1.5 * np.mean(both)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_transducer_learns_phonemes_too(seed):
    errors = phoneme_errors(seed, n_updates=1000, loss="transducer", beam_width=4)
    assert updates_until_five_percent(errors) <= 1000


@pytest.mark.parametrize("seed", SEEDS)
def test_lines_of_text_are_read_without_an_error(seed):
    assert lines_read(seed) >= 0.95


def windows(X):
    """Each column with the three to its left and its right, as a picture."""
    return [np.lib.stride_tricks.sliding_window_view(np.pad(x, ((3, 3), (0, 0))), 7, axis=0) for x in X]


def test_lines_of_text_are_read_from_pictures_at_each_step():
    (X, y), (test, expected) = make_text_lines(1200, random_state=0), make_text_lines(300, random_state=1000)
    model = SequenceTranscriber("lstm", frontend=PerFrame(n_filters=8), max_epochs=15, random_state=0).fit(windows(X), y)
    assert lines_exact(model, windows(test), expected) >= 0.95


@pytest.mark.parametrize("seed", SEEDS)
def test_a_beam_and_a_language_model_read_what_is_hardly_there(seed):
    """The reader has learnt from invented words; the language model knows from text alone which ones there are.

    Label errors over three seeds: greedy 0.316, 0.315 and 0.279; beam 0.315, 0.312 and 0.276; with the model 0.047, 0.059 and 0.037.
    """
    greedy, beam, fused = noisy_lines(seed)
    assert beam <= greedy
    assert fused <= 0.5 * greedy
