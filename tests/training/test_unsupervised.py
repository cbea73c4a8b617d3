"""Information and entropy of outputs that nobody says anything about."""

from itertools import product
from math import e, log, pi

import numpy as np
import pytest
import torch
from scipy.special import entr, expit, logit

from skrnn.data import Sequences
from skrnn.training import Batches, InformationGain, ParzenEntropy, shares

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(40, 3)) @ RNG.normal(size=(3, 3)) + [0.5, 0.0, -1.0]


def gradient(loss, values):
    values = torch.tensor(values, requires_grad=True)
    loss(values).backward()
    return values.grad.numpy()


def code_shares(u):
    """Shares (n, 2, 2, …) of all codes for each row, bit k along axis k + 1."""
    z = expit(u)
    joint = np.ones((len(z), *[2] * z.shape[1]))
    for code in product((0, 1), repeat=z.shape[1]):
        joint[(slice(None), *code)] = np.prod(np.where(code, z, 1 - z), axis=1)
    return joint


# -- information ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_bits", [1, 2, 3])
def test_information_is_that_of_the_joint_codes(n_bits):
    u = LOGITS[:, :n_bits]
    p = code_shares(u)
    expected = (entr(p.mean(axis=0)).sum() - entr(p).reshape(len(u), -1).sum(axis=1).mean()) / log(2)
    loss = InformationGain(n_bits).of_normalised(torch.tensor(u), None)
    assert abs(-float(loss) - expected) < 1e-12


def test_the_gradient_of_one_bit_is_the_closed_form():
    """f'(u) (u − logit of the mean) / n."""
    u = LOGITS[:, :1]
    z = expit(u)
    expected = z * (1 - z) * (u - logit(z.mean())) / len(u) / log(2)
    found = gradient(lambda values: InformationGain(1).of_normalised(values, None), u)
    np.testing.assert_allclose(-found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("n_bits", [2, 3])
def test_the_gradient_of_joint_codes_is_the_closed_form(n_bits):
    """Of each bit as if it were alone, with its log odds given the other bits in the place of those of the mean."""
    u = LOGITS[:, :n_bits]
    p, z = code_shares(u), expit(u)
    expected = np.empty_like(u)
    for k in range(n_bits):
        mean = np.moveaxis(p.mean(axis=0), k, -1)
        others = p.sum(axis=k + 1)
        predicted = (others * np.log(mean[..., 1] / mean[..., 0])).reshape(len(u), -1).sum(axis=1)
        expected[:, k] = z[:, k] * (1 - z[:, k]) * (u[:, k] - predicted) / len(u) / log(2)
    found = gradient(lambda values: InformationGain(n_bits).of_normalised(values, None), u)
    np.testing.assert_allclose(-found, expected, rtol=0, atol=1e-12)


def test_the_local_rule_is_that_of_the_paper():
    """Δu ∝ f'(u) (u − û), û = u + (Q − 2 I)(u − <u>) with the correlations Q; its loss is the information all the same."""
    z, gap = expit(LOGITS), LOGITS - LOGITS.mean(axis=0)
    predicted = LOGITS + gap @ (np.corrcoef(LOGITS.T) - 2 * np.eye(3))
    expected = z * (1 - z) * (LOGITS - predicted) / len(LOGITS) / log(2)
    local, joint = InformationGain(3, local=True), InformationGain(3)
    found = gradient(lambda values: local.of_normalised(values, None), LOGITS)
    np.testing.assert_allclose(-found, expected, rtol=0, atol=1e-12)
    assert float(local.of_normalised(torch.tensor(LOGITS, requires_grad=True), None).detach()) == float(
        joint.of_normalised(torch.tensor(LOGITS), None)
    )


def test_sure_and_different_bits_tell_everything_and_twins_nothing_more():
    signs = np.array(list(product((-1.0, 1.0), repeat=3)))
    gain = InformationGain(3)
    assert float(gain.of_normalised(torch.tensor(60 * signs), None)) == pytest.approx(-3)
    assert float(gain.of_normalised(torch.tensor(60 * signs[:, [0, 0, 1]]), None)) == pytest.approx(-2)
    assert float(gain.of_normalised(torch.zeros(8, 3, dtype=torch.float64), None)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("local", [False, True])
def test_to_count_twice_is_to_be_there_twice(local):
    often = RNG.integers(0, 3, size=len(LOGITS))
    gain = InformationGain(3, local=local)
    weight = torch.tensor(often / often.mean())
    counted = gradient(lambda values: gain.mean(values, values, weight), LOGITS)
    rows = np.repeat(np.arange(len(LOGITS)), often)
    repeated = gradient(lambda values: gain.mean(values, values, None), LOGITS[rows])
    summed = np.zeros_like(LOGITS)
    np.add.at(summed, rows, repeated)
    np.testing.assert_allclose(counted, summed, atol=1e-12)


def test_units_of_outputs_do_not_matter_to_bits():
    gain, y = InformationGain(3), torch.tensor(100 * LOGITS)
    assert float(gain.mean(y * torch.tensor([3.0, 0.2, -8.0]) + 50, y, None)) == pytest.approx(float(gain.mean(y, y, None)), rel=1e-6)


# -- entropy -------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bandwidth", [None, 0.3])
@pytest.mark.parametrize("n_outputs", [1, 2, 4])
def test_entropy_does_not_change_with_affine_maps(n_outputs, bandwidth):
    objective = ParzenEntropy(n_outputs, bandwidth)
    y = np.concatenate([RNG.normal(size=(60, n_outputs)), 4 + 0.2 * RNG.normal(size=(40, n_outputs))])
    before = float(objective.mean(torch.tensor(y), torch.tensor(y), None))
    for _ in range(5):
        A = RNG.normal(size=(n_outputs, n_outputs)) * 10.0 ** RNG.uniform(-2, 2, size=n_outputs)
        moved = torch.tensor(y @ A + RNG.normal(size=n_outputs))
        assert abs(float(objective.mean(moved, moved, None)) - before) < 1e-10


def loo_density(y, width):
    squares = ((y[:, None] - y) ** 2).sum(axis=-1)
    kernels = np.exp(-squares / (2 * width**2)) / (width * np.sqrt(2 * pi)) ** y.shape[1]
    return (kernels.sum(axis=1) - kernels.diagonal()) / (len(y) - 1)


@pytest.mark.parametrize("n", [50, 1500])  # at once, and in pieces
def test_entropy_is_the_equation_at_the_likeliest_width(n):
    y = np.concatenate([RNG.normal(size=(n // 2, 2)), 5 + RNG.normal(size=(n // 2, 2))]) / 3
    objective, values = ParzenEntropy(2), torch.tensor(y)
    width = objective.width(values, shares(values, None))
    here = np.log(loo_density(y, width)).mean()
    assert -float(objective.of_normalised(values, None)) == pytest.approx(here, abs=1e-10)
    assert here > max(np.log(loo_density(y, factor * width)).mean() for factor in (0.8, 0.95, 1.05, 1.25)) - 1e-4


def test_groups_have_less_entropy_than_a_cloud():
    cloud = RNG.normal(size=(600, 2))
    groups = RNG.choice([-1.0, 1.0], size=(600, 2)) + 0.1 * RNG.normal(size=(600, 2))
    objective = ParzenEntropy(2)
    of_cloud, of_groups = (float(objective.mean(torch.tensor(y), torch.tensor(y), None)) for y in (cloud, groups))
    assert of_cloud == pytest.approx(log(2 * pi * e), abs=0.15)
    assert of_groups < of_cloud - 2
    assert float(ParzenEntropy(2, maximise=True).mean(torch.tensor(groups), torch.tensor(groups), None)) == -of_groups


# -- what could go wrong -------------------------------------------------------------------------------------------------------------------------

DEGENERATE = {
    "alike": np.full((9, 2), 3.7),
    "zero": np.zeros((9, 2)),
    "twins": np.repeat(RNG.normal(size=(9, 1)), 2, axis=1),
    "two points": np.repeat([[0.0, 1.0], [1.0, 0.0]], 6, axis=0),
    "one": RNG.normal(size=(1, 2)),
    "two": RNG.normal(size=(2, 2)),
}


@pytest.mark.parametrize("objective", [InformationGain(2), InformationGain(2, local=True), ParzenEntropy(2), ParzenEntropy(2, maximise=True)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", DEGENERATE)
def test_losses_and_gradients_are_finite(objective, dtype, kind):
    values = torch.tensor(DEGENERATE[kind].astype(dtype), requires_grad=True)
    loss = objective.mean(values, values, None)
    loss.backward()
    assert loss.isfinite()
    assert values.grad.isfinite().all()


def test_what_is_compared_is_drawn_whatever_the_lengths():
    """Batches of like lengths, which are the rule, could not tell lengths apart."""
    lengths = np.repeat([2, 9], 32)
    sequences = Sequences(np.zeros((lengths.sum(), 1)), np.concatenate([[0], lengths.cumsum()]))
    mixed, sorted_ = (Batches(sequences, np.zeros(1), np.ones(1), torch.float64, torch.device("cpu"), by_length=way) for way in (False, True))
    generator = torch.Generator().manual_seed(0)
    assert all(len(set(lengths[index])) == 2 for index in mixed.shuffled(16, generator))
    assert all(len(set(lengths[index])) == 1 for index in sorted_.shuffled(16, generator))
