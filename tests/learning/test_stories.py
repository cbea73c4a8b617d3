"""Questions about stories, after 1,000 of them (Sukhbaatar et al., 2015, table 1: 0.1 % and 8.2 % errors on tasks of this kind)."""

import pytest

from benchmarks._story_experiments import flat_story_error, story_error

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.parametrize("seed", [0, 1, 2])]


def test_one_fact_is_found(seed):
    assert story_error("one_fact", seed) <= 0.05


def test_two_facts_need_more_than_one_hop(seed):
    three, one = story_error("two_facts", seed), story_error("two_facts", seed, n_hops=1)
    assert three <= 0.2
    assert one >= three + 0.3


def test_hops_that_are_told_what_to_find_are_as_good(seed):
    """With as many hops as facts, and a third of the passes."""
    assert story_error("two_facts", seed, supervised=True, n_hops=2, max_epochs=30) <= 0.2


def test_a_network_that_reads_all_as_one_text_answers_far_less(seed):
    assert flat_story_error("one_fact", seed) >= story_error("one_fact", seed) + 0.2
