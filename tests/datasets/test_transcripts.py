"""Sounds and lines of text are what they say they are."""

import numpy as np
import pytest

from skrnn.datasets import make_phonemes, make_text_lines


def test_sounds_that_belong_together_begin_alike():
    X, y = make_phonemes(400, n_phonemes=5, min_length=1, max_length=1, noise=0, random_state=0)
    assert set(y) == set("abcde")
    onset, end = {}, {}
    for x, label in zip(X, y, strict=True):
        loud = x[x.any(axis=1)]
        assert 5 <= len(loud) <= 10
        onset[label], end[label] = loud[0], loud[-1]
    for one, other in ("ab", "cd"):
        np.testing.assert_array_equal(onset[one], onset[other])
        assert not np.allclose(end[one], end[other])
    assert not np.allclose(onset["a"], onset["c"])


def test_lengths_and_silences_are_as_told():
    X, y = make_phonemes(300, n_bands=3, min_length=2, max_length=4, noise=0, random_state=0)
    assert {len(row) for row in y} == {2, 3, 4}
    assert {x.shape[1] for x in X} == {3}
    assert {int(np.argmax(x.any(axis=1))) for x in X} == set(range(5))


@pytest.mark.parametrize("make", [make_phonemes, make_text_lines])
def test_noise_is_added_to_what_would_be_there_without(make):
    (clean, y), (noisy, same) = (make(200, noise=noise, random_state=0) for noise in (0, 0.5))
    added = np.concatenate(noisy) - np.concatenate(clean)
    assert y == same
    assert added.mean() == pytest.approx(0, abs=0.01)
    assert added.std() == pytest.approx(0.5, abs=0.01)


def test_a_line_is_its_letters_one_after_the_other():
    X, y = make_text_lines(200, noise=0, random_state=0)
    alphabet = {}
    for x, line in zip(X, y, strict=True):
        assert x.shape[1] == 8
        assert set(np.unique(x)) == {0.0, 1.0}
        ink = x.any(axis=1)
        runs = np.split(np.arange(len(x)), np.flatnonzero(np.diff(ink.astype(int))) + 1)
        glyphs = [x[run] for run in runs if ink[run[0]]]
        letters = line.replace(" ", "")
        assert len(glyphs) == len(letters)
        for glyph, letter in zip(glyphs, letters, strict=True):
            alphabet.setdefault(letter, set()).add(np.trim_zeros(glyph.ravel()).tobytes() + bytes([len(glyph)]))
        assert max(len(run) for run in runs if not ink[run[0]]) >= (5 if " " in line else 1)
    assert len(alphabet) == 26
    assert all(len(pictures) == 1 for pictures in alphabet.values())
    assert len(set.union(*alphabet.values())) == 26
    assert {len(line.split()) for line in y} == {1, 2, 3}


def test_lines_are_of_the_words_that_are_told():
    _, y = make_text_lines(50, words=["CAT", "DOG"], random_state=0)
    assert {word for line in y for word in line.split()} == {"CAT", "DOG"}


@pytest.mark.parametrize("make", [make_phonemes, make_text_lines])
def test_the_seed_decides_all(make):
    (X, y), (again, labels), (other, _) = make(5, random_state=1), make(5, random_state=1), make(5, random_state=2)
    assert y == labels
    assert all(np.array_equal(a, b) for a, b in zip(X, again, strict=True))
    assert not np.array_equal(X[0], other[0])


@pytest.mark.parametrize(
    ("make", "settings", "match"),
    [
        (make_phonemes, {"n_sequences": 0}, "n_sequences"),
        (make_phonemes, {"n_phonemes": 27}, "n_phonemes must be at most 26"),
        (make_phonemes, {"min_length": 3, "max_length": 2}, "max_length"),
        (make_phonemes, {"noise": -1}, "noise must be at least 0"),
        (make_text_lines, {"n_lines": 0}, "n_lines"),
        (make_text_lines, {"min_words": 2, "max_words": 1}, "max_words"),
        (make_text_lines, {"noise": -1}, "noise must be at least 0"),
        (make_text_lines, {"words": []}, "the number of words"),
        (make_text_lines, {"words": ["OK", "ok"]}, "words must be made of the capitals A to Z; got 'ok'"),
    ],
)
def test_what_cannot_be_made_is_refused(make, settings, match):
    with pytest.raises(ValueError, match=match):
        make(**settings)
