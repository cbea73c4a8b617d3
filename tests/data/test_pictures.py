import numpy as np
import pytest
import torch

from skrnn.data import Pictures, as_sequences
from tests.data.containers import objects

RNG = np.random.default_rng(0)
GREY = [RNG.normal(size=(n, 3, 4)) for n in (2, 5)]
COLOUR = [RNG.normal(size=(n, 3, 4, 2)) for n in (2, 5)]
EQUAL = RNG.normal(size=(4, 6, 3, 4, 2))


def read(X, shape=None):
    encoding = Pictures(shape)
    return encoding, encoding.codes(as_sequences(encoding.numbers(X, reset=True)), reset=True)


@pytest.mark.parametrize(
    ("X", "pictures"),
    [
        (GREY, GREY),
        (COLOUR, COLOUR),
        (tuple(COLOUR), COLOUR),
        (objects(COLOUR), COLOUR),
        ([torch.tensor(x) for x in COLOUR], COLOUR),
        ([x.tolist() for x in COLOUR], COLOUR),
        (EQUAL, list(EQUAL)),
        (torch.tensor(EQUAL), list(EQUAL)),
        (list(EQUAL), list(EQUAL)),
        (EQUAL[..., 0], list(EQUAL[..., 0])),
    ],
    ids=["grey", "colour", "tuple", "objects", "tensors", "lists", "array", "tensor", "equal", "grey array"],
)
def test_pixels_lie_side_by_side_and_the_shape_is_kept(X, pictures):
    encoding, sequences = read(X)
    assert encoding.shape_ == pictures[0].shape[1:]
    for found, expected in zip(sequences, pictures, strict=True):
        np.testing.assert_array_equal(found.reshape(-1, *encoding.shape_), expected)


def test_an_array_is_not_copied_and_bytes_become_numbers():
    _, sequences = read(EQUAL)
    assert np.shares_memory(sequences.values, EQUAL)
    assert read(GREY[0][None].astype(np.uint8))[1].dtype == np.float32


@pytest.mark.parametrize("X", [as_sequences([x.reshape(len(x), -1) for x in GREY]), [x.reshape(len(x), -1) for x in GREY]], ids=["Sequences", "list"])
def test_pixels_may_come_side_by_side_if_the_shape_is_told(X):
    encoding, sequences = read(X, (3, 4))
    np.testing.assert_array_equal(sequences[1], GREY[1].reshape(5, 12))
    assert encoding.shape_ == (3, 4)


def test_a_colour_has_one_mean_and_scale():
    encoding, sequences = read(COLOUR)
    mean, scale = encoding.statistics(sequences, lambda s: (s.values.mean(0), s.values.std(0)))
    pixels = np.concatenate([x.reshape(-1, 2) for x in COLOUR])
    np.testing.assert_allclose(mean.reshape(3, 4, 2), np.broadcast_to(pixels.mean(0), (3, 4, 2)))
    np.testing.assert_allclose(scale.reshape(3, 4, 2), np.broadcast_to(pixels.std(0), (3, 4, 2)))


def test_a_colour_is_weighed_by_sequences():
    encoding, sequences = read(GREY)
    seen = []
    encoding.statistics(sequences, lambda s: (seen.append(s.lengths), np.zeros(1), np.ones(1))[1:])
    assert seen[0].tolist() == [2 * 12, 5 * 12]


@pytest.mark.parametrize(
    ("X", "shape", "message"),
    [
        ([np.zeros((2, 3))], None, r"X must hold pictures, arrays \(n_steps, height, width\).*tell shape=\(height, width\[, channels\]\)"),
        (as_sequences([np.zeros((2, 3))]), None, "X must hold pictures"),
        (np.zeros((2, 3, 4)), None, "X must hold pictures"),
        ([np.zeros((2, 3, 4)), np.zeros((2, 3))], None, r"got an array of shape \(2, 3\)"),
        ([np.zeros((2, 3, 4, 5, 6))], None, r"got an array of shape \(2, 3, 4, 5, 6\)"),
        ([np.zeros((2, 3, 4)), np.zeros((2, 4, 3))], None, r"the pictures of sequence 1 of X have the shape \(4, 3\); expected \(3, 4\)"),
        (EQUAL, (3, 4), r"the pictures of X have the shape \(3, 4, 2\); expected \(3, 4\)"),
        ([np.zeros((2, 10))], (3, 4), r"X has 10 numbers at each step, but a picture of shape \(3, 4\) has 12"),
        (GREY, (3,), r"'shape' parameter must be \(height, width\) or .*; got \(3,\)"),
        (GREY, (3, 0), r"'shape' parameter"),
        (GREY, "ab", r"'shape' parameter"),
        ([np.zeros((0, 3, 4))], None, "sequence 0 is empty"),
        ([], (3, 4), "0 sample"),
    ],
)
def test_what_are_no_pictures_is_refused(X, shape, message):
    with pytest.raises(ValueError, match=message):
        read(X, shape)


def test_pictures_have_the_shape_of_fit():
    encoding, _ = read(GREY)
    with pytest.raises(ValueError, match=r"the pictures of sequence 0 of X have the shape \(3, 5\); expected \(3, 4\)"):
        encoding.numbers([np.zeros((2, 3, 5))], reset=False)
