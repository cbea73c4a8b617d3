"""The loss of transducers: against enumeration of all ways through the lattice."""

import itertools

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from skrnn.kernels import align_lattice
from skrnn.training import Transcripts, Transduction

N_FRAMES = np.array([3, 1, 4, 2, 5])
ROWS = [[1, 2], [3], [2, 2, 1], [], [1, 1, 1, 3]]
OBJECTIVE = Transduction(3)
WEIGHT = torch.tensor([1.0, 0.3, 2.0, 0.5, 1.2], dtype=torch.float64)


def table(rows=ROWS, n_frames=N_FRAMES):
    return torch.from_numpy(Transcripts.of(n_frames, n_frames, rows).as_table())


def log_probabilities(seed=0):
    """Of each sequence (n_frames, n_labels + 1, 2): of leaving the frame, and of the next label."""
    g = torch.Generator().manual_seed(seed)
    sizes = [(int(T), len(row) + 1) for T, row in zip(N_FRAMES, ROWS, strict=True)]
    return [torch.log_softmax(torch.randn(T, steps, 3, generator=g, dtype=torch.float64), -1)[..., :2] for T, steps in sizes]


def as_outputs(each):
    return torch.cat([own.reshape(-1, 2) for own in each])


def ways(own):
    """Every way: the frame in which each label is written, and its log probability."""
    T, U = own.shape[0], own.shape[1] - 1
    for frames in itertools.combinations_with_replacement(range(T), U):
        written = sum(own[t, u, 1].item() for u, t in enumerate(frames))
        left = sum(own[t, sum(f <= t for f in frames), 0].item() for t in range(T))
        yield frames, written + left


def test_the_loss_is_that_of_all_ways():
    each = log_probabilities()
    expected = [-np.log(sum(np.exp(score) for _, score in ways(own.numpy()))) for own in each]
    np.testing.assert_allclose(OBJECTIVE.losses(as_outputs(each), table()), expected, rtol=0, atol=1e-12)


def test_gradient():
    outputs = as_outputs(log_probabilities()).requires_grad_()
    assert gradcheck(lambda o: OBJECTIVE.mean(o, table(), WEIGHT), outputs)


def test_the_likeliest_way():
    for seed in range(5):
        for own in log_probabilities(seed):
            T, steps, _ = own.shape
            best, _ = max(ways(own.numpy()), key=lambda way: way[1])
            assert tuple(align_lattice(own.reshape(-1, 2).numpy(), T, steps - 1)) == best


def constant_lattices(output):
    log_p = torch.log_softmax(output, -1)
    each = [torch.stack([log_p[0].expand(T, len(row) + 1), log_p[[*row, 0]].expand(T, -1)], -1) for T, row in zip(N_FRAMES, ROWS, strict=True)]
    return as_outputs(each)


def test_a_constant_output_is_the_same_at_every_node():
    constant = torch.tensor([0.3, -1.0, 0.5, 0.1], dtype=torch.float64)
    expected = OBJECTIVE.mean(constant_lattices(constant), table(), WEIGHT).item()
    assert OBJECTIVE.of_constant(constant, table(), WEIGHT).item() == pytest.approx(expected, abs=1e-12)


def test_no_constant_is_better_than_the_start():
    best = OBJECTIVE.best_constant(table(), WEIGHT).requires_grad_()
    (gradient,) = torch.autograd.grad(OBJECTIVE.of_constant(best, table(), WEIGHT), best)
    assert gradient.abs().max() < 1e-12
    for seed in range(20):
        other = best + 0.1 * torch.randn(4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        assert OBJECTIVE.of_constant(other, table(), WEIGHT) > OBJECTIVE.of_constant(best, table(), WEIGHT)


def test_what_is_hardly_possible_spoils_nothing():
    each = [own - 800 for own in log_probabilities()]
    outputs = as_outputs(each).requires_grad_()
    losses = OBJECTIVE.losses(outputs, table())
    losses.sum().backward()
    assert losses.isfinite().all()
    assert outputs.grad.isfinite().all()
