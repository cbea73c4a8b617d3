"""Batches of pairs: every row at its place, whatever the order."""

import numpy as np
import torch

from skrnn.data import Sequences
from skrnn.training import Batches, Data, Pairs

SOURCE, STEPS = np.array([3, 1, 4, 2]), np.array([2, 5, 1, 2])


def data():
    """Source values are 10 times the number of their sequence, plus the step; those of the target 1000 more."""

    def rows(lengths):
        return np.concatenate([10 * i + np.arange(n) for i, n in enumerate(lengths)])[:, None].astype(float)

    source = Sequences(rows(SOURCE), np.concatenate([[0], SOURCE.cumsum()]))
    target = torch.from_numpy(1000 + rows(STEPS))
    batches = Batches(source, np.zeros(1), np.ones(1), torch.float64, torch.device("cpu"))
    pairs = Pairs(batches, np.concatenate([[0], STEPS.cumsum()]), -target, torch.arange(4.0)[:, None], target + 5000)
    return Data(pairs, target, torch.arange(10.0), per_step=True)


def test_every_row_stands_at_its_place():
    for index in ([0, 1, 2, 3], [3, 1], [2], [2, 0]):
        pair, target, weight = data().batch(np.array(index))
        assert torch.equal(pair.teacher, target + 5000)
        assert torch.equal(pair.steps.data, -target)
        assert torch.equal(
            weight, torch.cat([torch.arange(10.0)[STEPS[:i].sum() :][: STEPS[i]] for i in range(4)])[data().source.rows(np.array(index))]
        )
        assert pair.first[:, 0].tolist() == index
        order = range(len(index)) if pair.steps.sorted_indices is None else pair.steps.sorted_indices.tolist()
        begins = target[: int(pair.steps.batch_sizes[0]), 0].tolist()
        assert begins == [1000 + 10 * index[k] for k in order]
        assert pair.steps.batch_sizes.tolist() == [sum(STEPS[i] > k for i in index) for k in range(max(STEPS[index]))]


def test_batches_and_chunks_hold_every_pair_once():
    pairs = data().source
    for lots in (pairs.shuffled(2, torch.Generator().manual_seed(0)), list(pairs.chunks())):
        assert sorted(np.concatenate(lots).tolist()) == [0, 1, 2, 3]
    assert pairs.lengths.tolist() == (SOURCE + STEPS).tolist()
