"""The tasks of the neural Turing machine."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.special import xlogy

from skrnn.datasets import (
    make_associative_recall,
    make_copy_memory,
    make_dynamic_ngrams,
    make_priority_sort,
    make_repeat_copy,
    ngram_bayes_bits,
)

TASKS = [make_copy_memory, make_repeat_copy, make_associative_recall, make_dynamic_ngrams, make_priority_sort]
every_task = pytest.mark.parametrize("task", TASKS)


@every_task
def test_scored_steps_are_those_with_a_target_and_the_seed_decides_all(task):
    X, y, scored = task(30, random_state=3)
    assert len(X) == len(y) == len(scored) == 30
    for x, wanted, there in zip(X, y, scored, strict=True):
        assert len(x) == len(wanted) == len(there)
        assert there.dtype == bool
        assert there.any()
        np.testing.assert_array_equal(np.isnan(wanted).reshape(len(x), -1).any(1), ~there)
        assert set(np.unique(wanted[there])) <= {0.0, 1.0}
    again = task(30, random_state=3)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip([*X, *y, *scored], [*again[0], *again[1], *again[2]], strict=True))
    assert not np.array_equal(X[0], task(30, random_state=4)[0][0])


def test_a_copy_is_what_was_given():
    X, y, scored = make_copy_memory(300, n_bits=3, min_length=2, max_length=5, random_state=0)
    assert {int(there.sum()) for there in scored} == {2, 3, 4, 5}
    for x, wanted, there in zip(X, y, scored, strict=True):
        n = int(there.sum())
        np.testing.assert_array_equal(wanted[there], x[:n, :3])
        assert x[:, 3].tolist() == [0] * n + [1] + [0] * n
        assert not x[there].any()


def test_a_repeat_copy_is_given_as_often_as_is_asked_for():
    X, y, scored = make_repeat_copy(2000, n_bits=2, max_length=3, min_repeats=2, max_repeats=6, random_state=0)
    asked = []
    for x, wanted, there in zip(X, y, scored, strict=True):
        n = int(x[:, 2].argmax())
        answer = wanted[there]
        assert answer[:, 2].tolist() == [0] * (len(answer) - 1) + [1]
        times = (len(answer) - 1) // n
        np.testing.assert_array_equal(answer[:-1, :2], np.tile(x[:n, :2], (times, 1)))
        asked.append((times, x[n, 3]))
    times, told = np.array(asked).T
    assert set(times) == {2, 3, 4, 5, 6}
    np.testing.assert_allclose(told, (times - 4) / 2**0.5)
    assert make_repeat_copy(5, min_repeats=3, max_repeats=3)[0].values[:, -1].any() == 0  # one number tells nothing


def test_the_item_behind_that_which_is_asked_for_is_recalled():
    X, y, scored = make_associative_recall(300, n_bits=4, item_length=2, max_items=4, random_state=0)
    numbers = set()
    for x, wanted, there in zip(X, y, scored, strict=True):
        begins, asks = np.flatnonzero(x[:, 4]), np.flatnonzero(x[:, 5])
        items = [x[b + 1 : b + 3, :4] for b in begins]
        query = x[asks[0] + 1 : asks[1], :4]
        followers = [b for a, b in pairwise(items) if np.array_equal(a, query)]
        assert any(np.array_equal(wanted[there], follower) for follower in followers)
        numbers.add(len(items))
    assert numbers == {2, 3, 4}


def test_what_is_sorted_has_the_highest_priorities_in_order():
    X, y, scored = make_priority_sort(50, n_bits=3, n_items=7, n_sorted=5, random_state=0)
    for x, wanted, there in zip(X, y, scored, strict=True):
        order = np.argsort(x[:7, 3])[::-1][:5]
        np.testing.assert_array_equal(wanted[there], x[order, :3])
        assert x[7].tolist() == [0, 0, 0, 0, 1]
        assert np.abs(x[:7, 3]).max() <= 1


def test_the_bits_of_the_bayes_oracle_are_the_sequential_posterior():
    X, y, _ = make_dynamic_ngrams(5, n_steps=40, n_gram=3, random_state=0)
    for x, wanted, bits in zip(X[..., 0], y, ngram_bayes_bits(X, y, n_gram=3), strict=True):
        seen, total = {}, 0.0
        for place in range(1, 39):
            ones, zeros = seen.get(key := (x[place - 1], x[place]), (0, 0))
            share = (ones + 0.5) / (ones + zeros + 1)
            total -= np.log2(share if wanted[place] else 1 - share)
            seen[key] = (ones + wanted[place], zeros + 1 - wanted[place])
        assert bits == pytest.approx(total)


def test_the_bayes_oracle_needs_what_was_measured_and_no_constant_is_better():
    """Of 195 bits 128.7 ± 1.2, with the table known 98.9."""
    X, y, scored = make_dynamic_ngrams(1000, random_state=0)
    bits = ngram_bayes_bits(X, y)
    assert scored.sum() == 195 * 1000
    assert 125 < bits.mean() < 132
    entropy = -np.sum([xlogy(share, share) for share in (np.nanmean(y, axis=1), 1 - np.nanmean(y, axis=1))], axis=0) / np.log(2)
    assert bits.mean() + 3 * bits.std() / 1000**0.5 < 195 * entropy.mean()  # of who knows the share of ones, but no contexts


@pytest.mark.parametrize(
    ("task", "settings", "message"),
    [
        (make_copy_memory, {"max_length": 0}, "max_length must be a whole number of at least 1; got 0"),
        (make_copy_memory, {"min_length": 3, "max_length": 2}, "max_length must be a whole number of at least 3; got 2"),
        (make_copy_memory, {"n_sequences": 0}, "n_sequences"),
        (make_copy_memory, {"n_bits": 0.5}, "n_bits"),
        (make_repeat_copy, {"min_repeats": 0}, "min_repeats must be a whole number of at least 1; got 0"),
        (make_associative_recall, {"min_items": 1}, "min_items must be a whole number of at least 2; got 1"),
        (make_associative_recall, {"item_length": 0}, "item_length"),
        (make_dynamic_ngrams, {"n_steps": 5}, "n_steps must be a whole number of at least 6; got 5"),
        (make_dynamic_ngrams, {"n_gram": 1}, "n_gram must be a whole number of at least 2; got 1"),
        (make_priority_sort, {"n_items": 3, "n_sorted": 4}, "n_items must be a whole number of at least 4; got 3"),
    ],
)
def test_what_cannot_be_drawn_is_refused(task, settings, message):
    with pytest.raises(ValueError, match=message):
        task(**settings)
