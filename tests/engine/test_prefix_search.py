"""The search among alignments, over frames so few that all of them can be enumerated."""

import itertools
from functools import cache

import numpy as np
import pytest

from skrnn.engine import PrefixSearch
from skrnn.kernels import align_labels

N_FRAMES, N_CLASSES = 5, 2


def said(alignment):
    """Labels of an alignment: what is repeated once, and no blanks."""
    return tuple(label for label, _ in itertools.groupby(alignment) if label)


@cache
def alignments(n_frames, n_labels):
    """All of them, everything that they say, and which of these each says."""
    every = list(itertools.product(range(n_labels), repeat=n_frames))
    places = {}
    which = [places.setdefault(said(alignment), len(places)) for alignment in every]
    return np.array(every), list(places), np.array(which)


def enumerated(p):
    """The probability of everything that can be said."""
    every, labels, which = alignments(*p.shape)
    return dict(zip(labels, np.bincount(which, np.prod(p[np.arange(len(p)), every], axis=1)), strict=True))


def frames(rng, n=N_FRAMES, n_classes=N_CLASSES):
    weights = np.exp(2 * rng.normal(size=(n, 1 + n_classes)))
    return weights / weights.sum(axis=1, keepdims=True)


def found(p, width, **settings):
    return {tuple(labels): rank for labels, rank in PrefixSearch(width, **settings)([np.log(p)])[0]}


def test_a_beam_of_everything_is_enumeration():
    rng = np.random.default_rng(0)
    greedy_is_wrong = 0
    for _ in range(200):
        p = frames(rng)
        expected, best = enumerated(p), found(p, 3**N_FRAMES)
        assert best.keys() == expected.keys()
        assert [np.exp(best[labels]) for labels in expected] == pytest.approx(list(expected.values()), abs=1e-12)
        assert next(iter(best)) == max(expected, key=expected.get)
        assert list(best.values()) == sorted(best.values(), reverse=True)
        greedy_is_wrong += said(p.argmax(axis=1)) != next(iter(best))
    assert greedy_is_wrong >= 20  # or the search were for nothing


def test_the_likeliest_alignment_may_say_what_is_not_likeliest():
    p = np.array([[0.6, 0.4], [0.6, 0.4]])
    assert said(p.argmax(axis=1)) == ()
    assert list(found(p, 2)) == [(1,), ()]
    assert np.exp(found(p, 2)[1,]) == pytest.approx(0.64, abs=1e-12)


@pytest.mark.parametrize("width", [1, 2, 5])
def test_a_narrow_beam_promises_no_more_than_there_is(width):
    """What it keeps is part of the probability of the labels, and a wider beam finds nothing worse."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        p = frames(rng, 8, 3)
        expected, best = enumerated(p), found(p, width)
        assert 1 <= len(best) <= width
        assert all(np.exp(rank) <= expected[labels] + 1e-12 for labels, rank in best.items())
    wide = [max(found(p, k).values()) for k in (width, 500)]
    assert wide[0] <= wide[1] + 1e-12


def language(prefixes):
    """After each label another one is likely, and none is long."""
    return np.log([[0.1, 0.7] if prefix[-1:] == (1,) else [0.6, 0.2] for prefix in prefixes])


@pytest.mark.parametrize("bonus", [0.0, 0.7, -1.0])
def test_a_language_model_and_a_bonus_are_added_for_each_label(bonus):
    p = frames(np.random.default_rng(2))
    best = {tuple(labels): rank for labels, rank in PrefixSearch(300, bonus)([np.log(p)], language)[0]}
    for labels, probability in enumerated(p).items():
        spoken = sum(language([labels[:k]])[0, label - 1] + bonus for k, label in enumerate(labels))
        assert best[labels] == pytest.approx(np.log(probability) + spoken, abs=1e-12)


def test_a_language_model_is_asked_about_each_beginning_once():
    asked = []

    def counting(prefixes):
        asked.extend(prefixes)
        return language(prefixes)

    rng = np.random.default_rng(3)
    PrefixSearch(4)([np.log(frames(rng, n)) for n in (6, 3, 9)], counting)
    assert len(asked) == len(set(asked)) > 1


def test_sequences_do_not_know_of_each_other():
    rng = np.random.default_rng(4)
    several = [np.log(frames(rng, n, 3)) for n in (7, 1, 4)]

    def even(prefixes):
        return np.full((len(prefixes), 3), np.log(1 / 3))

    for says in (None, even):
        search = PrefixSearch(3, 0.2)
        assert search(several, says) == [search([each], says)[0] for each in several]


def test_labels_stand_where_the_likeliest_alignment_has_them():
    rng = np.random.default_rng(5)
    for _ in range(100):
        p, labels = frames(rng, 6), rng.integers(1, 1 + N_CLASSES, rng.integers(0, 4))
        every = [a for a in itertools.product(range(1 + N_CLASSES), repeat=6) if said(a) == tuple(labels)]
        spans = align_labels(np.log(p), labels)
        alignment = np.zeros(6, int)
        for (start, stop), label in zip(spans, labels, strict=True):
            alignment[start:stop] = label
        assert tuple(alignment) == max(every, key=lambda a: np.prod(p[np.arange(6), a]))


@pytest.mark.parametrize("settings", [{"width": 0}, {"width": 2.5}, {"length_bonus": np.nan}, {"length_bonus": np.inf}])
def test_settings_are_checked(settings):
    with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter of PrefixSearch must be"):
        PrefixSearch(**settings)


def test_what_is_no_number_is_never_kept():
    """Whoever compares with NaN keeps all or nothing; all would be more than there is room for."""
    log_p = np.log(np.full((30, 4), 0.25))
    log_p[3:, 2] = np.nan
    for labels, rank in PrefixSearch(2)([log_p])[0]:
        assert 2 not in labels[3:]
        assert np.isfinite(rank)
