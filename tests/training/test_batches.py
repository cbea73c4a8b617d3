import numpy as np
import pytest
import torch

from skrnn.data import as_sequences
from skrnn.training import Batches, _batches, _sources, channel_statistics
from tests.cell_settings import unpack_all

RNG = np.random.default_rng(0)
MEAN, SCALE = np.array([1.0, -2.0]), np.array([2.0, 0.5])
DATA = {
    "ragged": as_sequences([RNG.normal(size=(n, 2)) for n in RNG.integers(1, 20, size=101)]),
    "equal": as_sequences(RNG.normal(size=(101, 4, 2))),
}
every_data = pytest.mark.parametrize("X", DATA.values(), ids=DATA)


def batches(X, dtype=torch.float64):
    return Batches(X, MEAN, SCALE, dtype, torch.device("cpu"))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@every_data
@pytest.mark.parametrize("batch_size", [1, 7, 50, 101, 1000, None])
def test_an_epoch_has_every_sequence_once(X, batch_size):
    index = batches(X).shuffled(batch_size, generator())
    assert sorted(np.concatenate(index)) == list(range(101))
    sizes = [len(i) for i in index]
    assert max(sizes) <= (batch_size or 101)
    assert len(sizes) == -(-101 // min(batch_size or 101, 101))


@every_data
def test_the_order_follows_from_the_generator(X):
    first, again, other = (np.concatenate(batches(X).shuffled(7, generator(seed))) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_batches_hold_sequences_of_about_the_same_length():
    X = DATA["ragged"]
    spread = np.mean([np.ptp(X.lengths[i]) for i in batches(X).shuffled(10, generator())])
    assert spread < np.ptp(X.lengths) / 4  # batches drawn without regard to length spread over nearly all lengths


@every_data
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-15)], ids=str)
def test_a_batch_holds_the_standardised_sequences_in_the_order_of_the_index(X, dtype, tolerance):
    index = np.array([5, 0, 99, 5, 17])
    packed = batches(X, dtype).packed(index)
    assert packed.data.dtype == dtype
    for i, x in zip(index, unpack_all(packed), strict=True):
        np.testing.assert_allclose(x, (X[int(i)] - MEAN) / SCALE, rtol=0, atol=tolerance * 10)


@every_data
def test_what_is_made_when_it_is_needed_equals_what_is_kept_ready(X, monkeypatch):
    index = np.array([5, 0, 99, 5, 17])
    ready = batches(X).packed(index)
    monkeypatch.setattr(_batches, "_RESIDENT", 0)
    made = batches(X).packed(index)
    for a, b in zip(ready, made, strict=True):
        assert (a is b is None) or torch.equal(a, b)


@every_data
def test_chunks_hold_every_sequence_once_and_are_of_bounded_size(X, monkeypatch):
    monkeypatch.setattr(_sources, "_CHUNK_STEPS", 50)
    monkeypatch.setattr(_sources, "_CHUNK_SEQUENCES", 9)
    chunks = list(batches(X).chunks())
    assert sorted(np.concatenate(chunks)) == list(range(101))
    assert max(len(c) for c in chunks) <= 9
    assert all(X.lengths[c].sum() <= 50 for c in chunks)


def test_a_sequence_longer_than_a_chunk_is_a_chunk_of_its_own(monkeypatch):
    monkeypatch.setattr(_sources, "_CHUNK_STEPS", 5)
    chunks = list(batches(as_sequences([np.zeros((n, 2)) for n in (1, 30, 2)])).chunks())
    assert [c.tolist() for c in chunks] == [[1], [2, 0]]


# -- statistics of channels ----------------------------------------------------------------------------------------------------------------------


def test_statistics_are_those_of_all_steps(monkeypatch):
    monkeypatch.setattr(_batches, "_STEPS", 7)  # several pieces
    X = DATA["ragged"]
    mean, deviation = channel_statistics(X, None)
    np.testing.assert_allclose(mean, X.values.mean(0), rtol=0, atol=1e-14)
    np.testing.assert_allclose(deviation, X.values.std(0), rtol=1e-14)


def test_a_weight_counts_as_repetition(monkeypatch):
    monkeypatch.setattr(_batches, "_STEPS", 7)
    X = DATA["ragged"]
    weight = RNG.integers(0, 4, size=len(X))
    repeated = X[np.repeat(np.arange(len(X)), weight)]
    got, expected = channel_statistics(X, weight.astype(float)), channel_statistics(repeated, None)
    np.testing.assert_allclose(got, expected, rtol=1e-13)
    np.testing.assert_allclose(channel_statistics(X, 0.001 * weight), expected, rtol=1e-13)


@pytest.mark.parametrize("constant", [0.0, 0.1, -1e6, 1e-30])
def test_a_constant_channel_is_not_scaled(constant):
    X = as_sequences([np.column_stack([np.full(n, constant), RNG.normal(size=n)]) for n in (5, 9, 3)])
    mean, deviation = channel_statistics(X, np.array([0.3, 0.0, 1.1]))
    assert deviation[0] == 1
    assert deviation[1] != 1
    assert mean[0] == pytest.approx(constant, rel=1e-15)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 1e-8)])
def test_a_large_mean_does_not_spoil_the_deviation(dtype, tolerance):
    """The mean of squares minus the square of the mean would leave float64 six digits of 1e12, and float32 none."""
    noise = RNG.normal(size=(200_000, 1))
    values = (1e6 + noise).astype(dtype)
    mean, deviation = channel_statistics(as_sequences(values.reshape(100, 2000, 1)), None)
    exact = values.astype(np.longdouble)
    np.testing.assert_allclose(mean, exact.mean(0).astype(float), rtol=1e-14)
    np.testing.assert_allclose(deviation, exact.std(0).astype(float), rtol=tolerance)
