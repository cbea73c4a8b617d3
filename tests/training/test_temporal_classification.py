"""The loss of labels in order: against enumeration of all alignments, in packed order."""

import itertools

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from skrnn.training import TemporalClassification, Transcripts

N_STEPS = np.array([4, 9, 5, 9, 1])
N_FRAMES = -(-N_STEPS // 2)  # of some that are not equally long, as many frames
ROWS = [[1], [2, 1, 2], [2, 2], [], [3]]
OBJECTIVE = TemporalClassification(3)


def packed_outputs(seed=0, n_frames=N_FRAMES, n_steps=N_STEPS):
    """Outputs of each sequence, and all of them as a network puts them out: step by step, the longest sequence first."""
    g = torch.Generator().manual_seed(seed)
    each = [torch.randn(n, 4, generator=g, dtype=torch.float64) for n in n_frames.tolist()]
    order = sorted(range(len(each)), key=lambda k: -n_steps[k])
    rows = [each[k][step] for step in range(n_frames.max()) for k in order if step < len(each[k])]
    return each, torch.stack(rows)


def table(rows=ROWS, n_frames=N_FRAMES, n_steps=N_STEPS):
    return torch.from_numpy(Transcripts.of(n_steps, n_frames, rows).as_table())


def probability(outputs, labels):
    p = torch.softmax(outputs, -1).numpy()
    alignments = itertools.product(range(p.shape[1]), repeat=len(p))
    return sum(np.prod(p[np.arange(len(p)), a]) for a in alignments if [label for label, _ in itertools.groupby(a) if label] == labels)


def test_the_loss_is_that_of_all_alignments():
    each, outputs = packed_outputs()
    expected = [-np.log(probability(o, labels)) for o, labels in zip(each, ROWS, strict=True)]
    np.testing.assert_allclose(OBJECTIVE.losses(outputs, table()), expected, rtol=0, atol=1e-12)


def test_what_needs_one_blank_more_has_no_alignment():
    n_frames = np.array([2])
    each, outputs = packed_outputs(1, n_frames, n_frames)
    assert probability(each[0], [1, 1]) == 0
    assert OBJECTIVE.losses(outputs, table([[1, 1]], n_frames, n_frames)).item() == 0  # counts for nothing, and spoils no gradient
    assert Transcripts.of(n_frames, n_frames, [[1, 1]]).too_short().tolist() == [1]


@pytest.mark.parametrize(("labels", "missing"), [([], 0), ([1, 2, 1], 0), ([1, 2, 1, 2], 1), ([1, 1], 0), ([1, 1, 1], 2), ([2, 2, 1, 1], 3)])
def test_frames_that_are_missing(labels, missing):
    three = np.array([3, 9])
    assert Transcripts.of(three, three, [labels, [1] * 5]).too_short().tolist() == [missing, 0]


def test_gradient():
    _, outputs = packed_outputs()
    weight = torch.tensor([1.0, 0.3, 2.0, 0.5, 1.2], dtype=torch.float64)
    assert gradcheck(lambda o: OBJECTIVE.mean(o, table(), weight), outputs.requires_grad_())


def test_a_constant_output_is_the_same_in_every_frame():
    constant, weight = torch.tensor([0.3, -1.0, 0.5, 0.1], dtype=torch.float64), torch.tensor([1.0, 0.3, 2.0, 0.5, 1.2], dtype=torch.float64)
    expected = OBJECTIVE.mean(constant.expand(int(N_FRAMES.sum()), -1), table(), weight)
    assert OBJECTIVE.of_constant(constant, table(), weight).item() == pytest.approx(expected.item(), abs=1e-12)


def test_the_start_is_better_than_even_shares():
    rng = np.random.default_rng(0)
    lengths = rng.integers(20, 60, 50)
    rows = [rng.choice(3, 6, p=[0.7, 0.2, 0.1]) + 1 for _ in lengths]
    said, weight = table([row.tolist() for row in rows], lengths, lengths), torch.ones(50, dtype=torch.float64)
    best = OBJECTIVE.best_constant(said, weight)
    assert torch.softmax(best, 0)[0].item() == pytest.approx(1 - 300 / lengths.sum(), abs=1e-12)
    shifted = [OBJECTIVE.of_constant(best + 0.2 * torch.randn(4, generator=torch.Generator().manual_seed(k)), said, weight) for k in range(20)]
    assert OBJECTIVE.of_constant(best, said, weight) < OBJECTIVE.of_constant(torch.zeros(4, dtype=torch.float64), said, weight) - 10
    assert OBJECTIVE.of_constant(best, said, weight) < np.median(shifted)
