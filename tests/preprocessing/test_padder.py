"""SequencePadder: where steps go, and which are lost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn.data import as_sequences
from skrnn.preprocessing import SequencePadder

RAGGED = [np.arange(1.0, 7).reshape(3, 2), np.arange(7.0, 9).reshape(1, 2), np.arange(9.0, 17).reshape(4, 2)]


@settings(deadline=None, derandomize=True, database=None, max_examples=80)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    length=st.none() | st.integers(1, 8),
    side=st.sampled_from(["post", "pre"]),
    truncate=st.sampled_from(["post", "pre"]),
)
def test_each_row_is_the_cut_sequence_and_the_filling(lengths, length, side, truncate):
    rng = np.random.default_rng(sum(lengths))
    X = [rng.normal(size=(n, 2)) for n in lengths]
    padder = SequencePadder(length=length, fill_value=-5.0, side=side, truncate=truncate).fit(X)
    padded = padder.transform(X)
    size = max(lengths) if length is None else length
    assert padder.length_ == size
    assert padded.shape == (len(X), size, 2)
    for row, x in zip(padded, X, strict=True):
        kept = x[:size] if truncate == "post" else x[max(0, len(x) - size) :]
        filling = np.full((size - len(kept), 2), -5.0)
        np.testing.assert_array_equal(row, np.concatenate([kept, filling] if side == "post" else [filling, kept]))


@pytest.mark.parametrize("X", [RAGGED, tuple(RAGGED), as_sequences(RAGGED), [pd.DataFrame(x) for x in RAGGED], [x.tolist() for x in RAGGED]])
def test_every_container(X):
    np.testing.assert_array_equal(SequencePadder().fit_transform(X), as_sequences(RAGGED).to_padded(fill_value=0.0))


def test_length_is_that_of_fit():
    padder = SequencePadder().fit(RAGGED[:2])
    assert padder.length_ == 3
    np.testing.assert_array_equal(padder.transform(RAGGED)[2], RAGGED[2][:3])
    np.testing.assert_array_equal(padder.set_params(truncate="pre").transform(RAGGED)[2], RAGGED[2][1:])


def test_a_table_stays_a_table():
    X = np.arange(1.0, 7).reshape(2, 3)
    np.testing.assert_array_equal(SequencePadder(length=2).fit_transform(X), X[:, :2])
    np.testing.assert_array_equal(SequencePadder(length=5, side="pre").fit_transform(X), np.hstack([np.zeros((2, 2)), X]))


def test_nan_padding_is_taken_off_again():
    padded = SequencePadder(length=9, fill_value=np.nan).fit_transform(RAGGED)
    back = as_sequences(padded, padding="nan")
    for x, z in zip(RAGGED, back, strict=True):
        np.testing.assert_array_equal(z, x)


def test_type_and_input_are_kept():
    X = [x.astype(np.float32) for x in RAGGED]
    copies = [x.copy() for x in X]
    padded = SequencePadder().fit_transform(X)
    assert padded.dtype == np.float32
    padded[:] = 0
    for x, copy in zip(X, copies, strict=True):
        np.testing.assert_array_equal(x, copy)


@pytest.mark.parametrize("length", [0, -1, 2.5, "3", True])
def test_wrong_length(length):
    with pytest.raises(ValueError, match=f"'length' parameter of SequencePadder must be a whole number of at least 1, or None; got {length!r}"):
        SequencePadder(length=length).fit(RAGGED)


@pytest.mark.parametrize("parameter", ["side", "truncate"])
def test_wrong_end(parameter):
    with pytest.raises(ValueError, match=rf"'{parameter}' parameter of SequencePadder must be one of \['post', 'pre'\]; got 'left'"):
        SequencePadder(**{parameter: "left"}).fit(RAGGED)


def test_channels_must_agree():
    with pytest.raises(ValueError, match="X has 3 features, but SequencePadder is expecting 2 features"):
        SequencePadder().fit(RAGGED).transform(np.zeros((2, 4, 3)))


def test_names():
    assert SequencePadder().fit(RAGGED).get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]
    wide, late = SequencePadder(3).fit(np.eye(2)), SequencePadder(1, side="pre", truncate="pre").fit(np.eye(2))
    assert wide.get_feature_names_out().tolist() == ["x0", "x1", "padding0"]
    assert late.get_feature_names_out().tolist() == ["x1"]
