"""Texts in streams: every token is told once, from the one before it, and goes on from where its stream was."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from skrnn.data import Arrangement, Corpus, Known
from skrnn.training import Passages

BEGIN, END = 99, 98


def corpus(lengths, end=None, known=None):
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return Corpus(np.arange(offsets[-1]), offsets, np.full(len(lengths), BEGIN), known, end)


def source(texts, n_steps=None, n_streams=None):
    return Passages(texts, (torch.float32, torch.device("cpu")), 100, n_steps, n_streams)


CASES = [((50,), None), ((7, 1, 20, 3, 9), None), ((7, 1, 20, 3, 9), END), ((1,) * 30, END), ((1,), None)]


@pytest.mark.parametrize(("lengths", "end"), CASES)
@pytest.mark.parametrize(("n_steps", "n_streams"), [(None, None), (4, None), (1, 1), (2, 3), (64, 32)])
def test_every_token_is_told_once_from_the_one_before(lengths, end, n_steps, n_streams):
    texts = corpus(lengths, end)
    batches = source(texts, n_steps, n_streams)
    for epoch in range(2):
        seen = []
        for index in batches.shuffled(None, torch.Generator().manual_seed(epoch)):
            passage = batches.packed(index)
            assert int(passage.steps.batch_sizes.sum()) == len(passage.target) == len(passage.steps.data)
            seen += zip(passage.steps.data.tolist(), passage.target.tolist(), strict=True)
        expected = []
        for low, high in pairwise(texts.offsets):
            row = [BEGIN, *range(low, high)]
            expected += zip(row, [*row[1:], *([] if end is None else [end])], strict=end is not None)
        assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize(("n_steps", "n_streams"), [(3, 2), (5, 1), (64, 3), (2, None)])
def test_states_follow_their_streams(n_steps, n_streams):
    """What would count the tokens of a text counts right, whatever the cuts."""
    texts = corpus((30, 2, 17, 1, 25), END)
    batches = source(texts, n_steps, n_streams)
    begun = set()
    for index in batches.shuffled(None, torch.Generator().manual_seed(0)):
        passage = batches.packed(index)
        n = int(passage.steps.batch_sizes[0])
        whose = torch.arange(n) if passage.whose is None else passage.whose
        afresh = torch.zeros(n, dtype=torch.bool) if passage.afresh is None else passage.afresh
        first, room = passage.steps.data[:n], passage.stream.states
        carried = torch.full((n,), -1) if room is None else room[whose]
        for before, stream, anew, last in zip(first.tolist(), whose.tolist(), afresh.tolist(), carried.tolist(), strict=True):
            assert anew == (before == BEGIN or stream not in begun)  # else it goes on from the token that came last
            assert anew or before == last
        ends = passage.steps.batch_sizes.cumsum(0)
        lengths = (passage.steps.batch_sizes[None] > torch.arange(n)[:, None]).sum(1)
        last_rows = torch.tensor([int(ends[k - 1] - passage.steps.batch_sizes[k - 1]) + i for i, k in enumerate(lengths.tolist())])
        after = passage.target[last_rows]
        room = torch.full((passage.n_streams,), -1) if room is None else room.clone()
        lasts = torch.arange(n) if passage.last is None else passage.last
        room[whose[lasts]] = after[lasts]
        passage.stream.states = room
        begun |= set(whose.tolist())


def test_texts_come_in_another_order_in_every_epoch():
    batches, g = source(corpus((5,) * 30), 1, 1), torch.Generator().manual_seed(0)

    def order():
        return [int(t) for index in batches.shuffled(None, g) for t in batches.packed(index).target]

    first, second = order(), order()
    assert first != second
    assert sorted(first) == sorted(second)
    assert all(b == a + 1 or b % 5 == 0 for a, b in pairwise(first))


def test_there_are_fewer_streams_of_a_short_text():
    assert len(source(corpus((10_000,)), 10, 32)._groups[0]) == 32
    assert len(source(corpus((700,)), 10, 32)._groups[0]) == 7
    assert len(source(corpus((5,)), 10, 32)._groups[0]) == 1


def test_the_work_at_once_is_bounded():
    wide = Passages(corpus((5000,)), (torch.float32, torch.device("cpu")), 2**18)
    assert max(len(wide.packed(index).target) for index in wide.chunks()) <= 2**6
    many = source(corpus((3,) * 2000))
    assert max(len(many.packed(index).target) for index in many.chunks()) <= 2**15
    assert len(list(many.groups())) == 4


def test_numbers_that_are_not_known_have_one_id():
    known = Known(np.array([3, 5, 9]), np.array([2, 0, 1]), 7)
    assert known.look_up(np.array([9, 3, 4, 5, 100, 0])).tolist() == [1, 2, 7, 0, 7, 7]
    texts = corpus((10,), known=known)
    assert texts.ids(np.array([3, 9, 5])).tolist() == [2, 1, 0]
    np.testing.assert_allclose(texts.shares(8), [0.1, 0.1, 0.1, 0, 0, 0, 0, 0.7])


def test_a_share_is_held_out():
    train, held = corpus((80,), END).cut(0.25, np.random.default_rng(0))
    assert train.tokens.tolist() == list(range(60))
    assert (train.end, held.end) == (None, END)
    assert held.at(np.array([0, 0]), np.array([0, 20]))[0].tolist() == [59, 79]
    train, held = corpus((2, 3, 4, 5, 6)).cut(0.3, np.random.default_rng(0))
    assert (len(train), len(held)) == (3, 2)
    assert sorted([*train.tokens.tolist(), *held.tokens.tolist()]) == list(range(20))
    with pytest.raises(ValueError, match="leaves none to learn from"):
        corpus((1,)).cut(0.5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="of 2 texts leaves none to learn from"):
        corpus((3, 3)).cut(0.9, np.random.default_rng(0))


def test_places_of_texts_in_another_order():
    texts = corpus((2, 3), END)
    turned = Arrangement(texts, np.array([1, 0]))
    inputs, targets = turned.at(np.arange(7))
    assert inputs.tolist() == [BEGIN, 2, 3, 4, BEGIN, 0, 1]
    assert targets.tolist() == [2, 3, 4, END, 0, 1, END]
    assert turned.rows(np.arange(7)).tolist() == [3, 4, 5, 6, 0, 1, 2]
