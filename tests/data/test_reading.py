"""Reading: every container, dtype and memory layout says the same, and is left as it was."""

import hashlib
import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split
from torch.nn.utils.rnn import pack_sequence

from skrnn.data import Sequences, as_sequences
from tests.data.containers import FLAT, MULTIVARIATE, RAGGED, RECTANGULAR, ROWS, TABLE, UNIVARIATE, X3, assert_same, long_frame, objects

DTYPES = ["f2", "f4", "f8", "g", ">f4", ">f8", "?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]


def digest(array):
    return hashlib.sha256(array.tobytes()).hexdigest(), array.dtype, array.flags.writeable, array.strides


@pytest.mark.parametrize("name", MULTIVARIATE)
def test_ragged_containers(name):
    assert_same(as_sequences(MULTIVARIATE[name]), RAGGED)


@pytest.mark.parametrize("name", UNIVARIATE)
def test_univariate_containers(name):
    assert_same(as_sequences(UNIVARIATE[name]), FLAT)


@pytest.mark.parametrize("name", RECTANGULAR)
def test_three_dimensions(name):
    assert_same(as_sequences(RECTANGULAR[name]), X3)


@pytest.mark.parametrize("name", ROWS)
def test_two_dimensions_are_rows_of_univariate_sequences(name):
    assert_same(as_sequences(ROWS[name]), TABLE)


def test_bfloat16_tensors():
    X = torch.tensor(X3).bfloat16()
    assert_same(as_sequences(X), X.float().numpy())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("wrap", [lambda a: a, list, lambda a: a[:, :, 0]], ids=["3-D", "list", "2-D"])
def test_dtypes(dtype, wrap):
    X = np.abs(10 * X3).astype(dtype)
    before = digest(X)
    got = as_sequences(wrap(X))
    narrow = np.dtype(dtype).itemsize <= (4 if np.dtype(dtype).kind == "f" else 2)
    assert got.dtype == (np.float32 if narrow else np.float64)
    assert got.values.dtype.isnative
    assert_same(got, wrap(X).astype(float) if isinstance(wrap(X), np.ndarray) else X.astype(float))
    assert as_sequences(wrap(X), dtype=np.float32).dtype == np.float32
    assert as_sequences(wrap(X), dtype="float64").dtype == np.float64
    assert digest(X) == before


VIEWS = {
    "read-only": lambda a: Sequences(a.reshape(-1, 3), [0, 5, 10, 15, 20]).values.reshape(4, 5, 3),
    "Fortran": np.asfortranarray,
    "strided": lambda a: np.repeat(a, 2, axis=1)[:, ::2],
    "negative": lambda a: a[:, ::-1].copy()[:, ::-1],
    "negative features": lambda a: a[..., ::-1].copy()[..., ::-1],
    "unaligned": lambda a: np.frombuffer(b"." + a.tobytes(), dtype=a.dtype, offset=1).reshape(a.shape),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("wrap", [lambda a: a, list, lambda a: a[:, :, 0]], ids=["3-D", "list", "2-D"])
def test_memory_layouts(view, wrap):
    X = VIEWS[view](X3)
    before = digest(X)
    got = as_sequences(wrap(X))
    assert got.values.flags.c_contiguous
    assert got.values.flags.aligned
    assert_same(got, wrap(X3))
    assert digest(X) == before


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_copy(dtype):
    X = X3.astype(dtype)
    assert np.shares_memory(as_sequences(X).values, X)
    assert np.shares_memory(as_sequences(X[:, :, 0].copy()).values, X) is False
    table = TABLE.astype(dtype)
    assert np.shares_memory(as_sequences(table).values, table)
    tensor = torch.tensor(X)
    assert np.shares_memory(as_sequences(tensor).values, tensor.numpy())
    sequences = as_sequences(RAGGED)
    assert as_sequences(sequences) is sequences


def test_sequences_made_by_hand_are_put_in_order_where_needed():
    values = np.asfortranarray(RAGGED[1])
    assert as_sequences(Sequences(values, [0, 2, 5])).values.flags.c_contiguous
    assert_same(as_sequences(Sequences(values, [0, 2, 5])), [values[:2], values[2:]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("compute_dtype", [None, np.float32])
def test_a_memory_mapped_array_is_not_read_into_memory(tmp_path, dtype, compute_dtype):
    np.lib.format.open_memmap(tmp_path / "x.npy", mode="w+", dtype=dtype, shape=(600, 1000, 10)).flush()
    X = np.load(tmp_path / "x.npy", mmap_mode="r")
    as_sequences(X[:2])
    tracemalloc.start()
    sequences = as_sequences(X, compute_dtype=compute_dtype)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.shares_memory(sequences.values, X)
    assert peak < X.nbytes / 3


def test_nan_padding():
    padded = as_sequences(RAGGED).to_padded(7)
    assert_same(as_sequences(padded, padding="nan"), RAGGED)
    assert_same(as_sequences(as_sequences(FLAT).to_padded()[:, :, 0], padding="nan"), FLAT)
    assert np.shares_memory(as_sequences(X3, padding="nan").values, X3)


def test_nan_padding_keeps_gaps():
    padded = as_sequences(RAGGED).to_padded()
    padded[1, 2] = np.nan
    padded[1, 4, 0] = np.nan
    got = as_sequences(padded, padding="nan", allow_nan=True)
    np.testing.assert_array_equal(got.lengths, [2, 5, 1, 4])
    assert np.isnan(got[1][2]).all()
    with pytest.raises(ValueError, match="sequence 1, step 2, feature 0"):
        as_sequences(padded, padding="nan")


def test_nothing_but_padding():
    padded = X3.copy()
    padded[3] = np.nan
    with pytest.raises(ValueError, match=r"sequence 3 is empty \(length 0\): all its steps are NaN"):
        as_sequences(padded, padding="nan")
    with pytest.raises(ValueError, match="padding must be None or 'nan', got 'zero'"):
        as_sequences(X3, padding="zero")


def test_long_frames_keep_the_order_of_first_appearance():
    frame = long_frame(RAGGED, names=["d", "a", "c", "b"])
    assert_same(as_sequences(frame), RAGGED)
    by_time = frame.sort_index(level=1, kind="stable", sort_remaining=False)
    assert not by_time.index.equals(frame.index)
    first_seen = list(dict.fromkeys(by_time.index.get_level_values(0)))
    assert_same(as_sequences(by_time), [frame.loc[name].to_numpy() for name in first_seen])


def test_long_frames_with_bad_time_stamps():
    frame = long_frame(RAGGED, names=["d", "a", "c", "b"])
    with pytest.raises(ValueError, match="index is not sorted: instance a has the time 0 after 4"):
        as_sequences(frame.iloc[[0, 1, 6, 2]])
    with pytest.raises(ValueError, match="duplicate timestamps: instance a has the time 3 twice"):
        as_sequences(frame.iloc[[0, 5, 5]])
    missing = frame.set_index(pd.MultiIndex.from_arrays([[1.0] * 12, [*range(11), np.nan]]))
    with pytest.raises(ValueError, match="missing instance or time stamp in row 11"):
        as_sequences(missing)
    three = pd.concat({"z": frame})
    with pytest.raises(ValueError, match=r"two-level .* got 3 levels"):
        as_sequences(three)


@settings(deadline=None, derandomize=True, database=None, max_examples=40)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=6), n_features=st.integers(1, 3))
def test_every_container_says_the_same(lengths, n_features):
    rng = np.random.default_rng(sum(lengths))
    arrays = [rng.normal(size=(n, n_features)) for n in lengths]
    expected = as_sequences(arrays)
    for X in (objects(arrays), long_frame(arrays), [a.tolist() for a in arrays], [torch.tensor(a) for a in arrays]):
        got = as_sequences(X)
        assert got.values.tobytes() == expected.values.tobytes()
        np.testing.assert_array_equal(got.offsets, expected.offsets)
    back = as_sequences(expected.to_padded(), padding="nan")
    assert back.values.tobytes() == expected.values.tobytes()


# -- long frames and what torch packs ------------------------------------------------------------------------------------------------------------


LONG = {"who": ["b", "a", "b", "a", "b"], "when": [2, 1, 0, 0, 1], "x": [3.0, 20.0, 1.0, 10.0, 2.0], "z": [0, 1, 0, 1, 0]}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_a_long_frame_is_read_by_its_columns_of_ids_and_times(make):
    X = as_sequences(make(LONG), id="who", time="when")
    assert_same(X, [np.array([[1.0, 0], [2, 0], [3, 0]]), np.array([[10.0, 1], [20, 1]])])
    in_order_of_rows = as_sequences(make({name: LONG[name] for name in ("who", "x")}), id="who")
    assert_same(in_order_of_rows, [np.array([3.0, 1, 2])[:, None], np.array([20.0, 10])[:, None]])
    assert train_test_split(X, [0, 1], random_state=0)[0].shape == (1,)


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        ({"when": [0, 1, 0, 0, 1]}, {}, "duplicate timestamps: 'b' has the time 0 twice in X"),
        ({"who": ["b", None, "b", "a", "b"]}, {}, "column 'who' of X has no value in row 1"),
        ({"x": ["1", "2", "n/a", "4", "5"]}, {}, "could not convert string"),
        ({}, {"id": "name"}, r"id='name' is no column of X; it has \['who', 'when', 'x', 'z'\]"),
        ({}, {"id": None}, "time='when' needs id="),
    ],
)
def test_long_frames_that_cannot_be_read_are_refused(change, given, message):
    with pytest.raises(ValueError, match=message):
        as_sequences(pd.DataFrame(LONG | change), **{"id": "who", "time": "when"} | given)
    with pytest.raises(TypeError, match="id and time name columns of a frame, but X is ndarray"):
        as_sequences(np.ones((2, 2)), id="who")


def test_a_long_frame_without_a_word_is_told_how_to_be_read():
    for frame, error in (
        (pd.DataFrame(LONG), ValueError),
        (pd.DataFrame(LONG | {"when": pd.date_range("2024", periods=5)}).drop(columns="who"), TypeError),
    ):
        with pytest.raises(error, match=r"set_index\(\[id, time\]\) or as_sequences\(frame, id=…, time=…\)"):
            as_sequences(frame)


@pytest.mark.parametrize("sort", [True, False])
def test_a_packed_sequence_is_read_in_the_order_of_its_sequences(sort):
    arrays = sorted(RAGGED, key=len, reverse=True) if sort else RAGGED
    packed = pack_sequence([torch.tensor(a) for a in arrays], enforce_sorted=sort)
    assert_same(as_sequences(packed), arrays)
    whole = pack_sequence([torch.arange(len(a)) for a in arrays], enforce_sorted=sort)
    assert_same(as_sequences(whole), [np.arange(len(a))[:, None] for a in arrays])


def test_a_nested_tensor_is_read():
    for layout in (torch.strided, torch.jagged):
        assert_same(as_sequences(torch.nested.nested_tensor([torch.tensor(a) for a in RAGGED], layout=layout)), RAGGED)
