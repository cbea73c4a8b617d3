"""The container: indexing, sharing of memory, and life in scikit-learn's machinery."""

import copy
import pickle
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.utils import _safe_indexing

from skrnn.data import Sequences

ragged = st.lists(st.integers(1, 5), min_size=1, max_size=8)


def make(lengths, n_features=2, dtype=np.float64):
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.arange(offsets[-1] * n_features, dtype=dtype).reshape(-1, n_features)
    return Sequences(values, offsets)


def assert_same(sequences, arrays):
    assert isinstance(sequences, Sequences)
    assert len(sequences) == len(arrays)
    for got, expected in zip(sequences, arrays, strict=True):
        np.testing.assert_array_equal(got, expected)


class MeanLength(RegressorMixin, BaseEstimator):
    """Insists on getting Sequences; predicts a constant times the length."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def fit(self, X, y):
        assert isinstance(X, Sequences)
        assert len(X) == len(y)
        self.fitted_ = True
        return self

    def predict(self, X):
        assert isinstance(X, Sequences)
        return self.factor * X.lengths


def test_attributes():
    X = make([2, 3, 1], dtype=np.float32)
    assert isinstance(X, Sequence)
    assert (len(X), X.shape, X.n_features, X.n_steps_total, X.dtype) == (3, (3,), 2, 6, np.float32)
    np.testing.assert_array_equal(X.lengths, [2, 3, 1])
    assert X.offsets.dtype == np.int64
    assert repr(X) == "Sequences(n_sequences=3, n_features=2, lengths=1..3, dtype=float32)"


@pytest.mark.parametrize("values", [np.zeros((6, 2)), np.zeros((2, 6)).T, np.zeros((12, 2))[::-2]], ids=["C", "Fortran", "strided"])
def test_values_are_a_read_only_view_and_the_caller_keeps_his_array(values):
    X = Sequences(values, [0, 2, 6])
    assert np.shares_memory(X.values, values)
    assert values.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        X.values[0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        X[0][0, 0] = 1
    with pytest.raises(AttributeError, match="cannot assign"):
        X.values = values


def test_later_changes_of_the_callers_offsets_do_not_matter():
    offsets = np.array([0, 2, 6])
    X = Sequences(np.zeros((6, 2)), offsets)
    offsets[1] = 5
    np.testing.assert_array_equal(X.lengths, [2, 4])


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([1, 2, 6], "start with 0, got 1"),
        ([0, 2, 5], r"number of rows of values \(6\), got 5"),
        ([0, 4, 2, 6], r"offsets\[2\] = 2 comes after 4"),
        ([0, 1, 2, 3, 4, 4, 6], r"sequence 4 is empty \(length 0\)"),
        ([0.0, 2.0, 6.0], "1-D integers"),
        ([[0, 6]], "1-D integers"),
        ([], "1-D integers"),
    ],
)
def test_wrong_offsets(offsets, message):
    with pytest.raises(ValueError, match=message):
        Sequences(np.zeros((6, 2)), offsets)


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (np.zeros((6, 2), dtype=int), TypeError, "float32 or float64 array, got int64; as_sequences"),
        (np.zeros((6, 2), dtype=">f8"), TypeError, "got >f8"),
        ([[0.0, 1.0]], TypeError, "got list"),
        (np.zeros(6), ValueError, "must be 2-D .* got 1-D"),
        (np.zeros((6, 0)), ValueError, r"0 feature\(s\) \(shape=\(6, 0\)\)"),
    ],
)
def test_wrong_values(values, error, message):
    with pytest.raises(error, match=message):
        Sequences(values, [0, 2, 6])


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(lengths=ragged, data=st.data())
def test_indexing_is_that_of_a_list(lengths, data):
    X = make(lengths)
    arrays = list(X)
    n = len(arrays)
    i = data.draw(st.integers(-n, n - 1))
    np.testing.assert_array_equal(X[i], arrays[i])
    np.testing.assert_array_equal(X[np.int32(i), ...], arrays[i])
    index = data.draw(st.lists(st.integers(-n, n - 1), max_size=10))
    expected = [arrays[k] for k in index]
    for key in (index, np.array(index, dtype=np.int64), np.array(index, dtype=np.int8)):
        assert_same(X[key], expected)
        assert_same(X[key, ...], expected)
    mask = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    assert_same(X[np.array(mask)], [a for a, m in zip(arrays, mask, strict=True) if m])
    assert_same(X[mask], [a for a, m in zip(arrays, mask, strict=True) if m])
    border = st.none() | st.integers(-n - 2, n + 2)
    key = slice(data.draw(border), data.draw(border), data.draw(st.sampled_from([None, 1, 2, -1, -3])))
    assert_same(X[key], arrays[key])


def test_integers_and_slices_share_memory():
    X = make([2, 3, 1, 4])
    assert np.shares_memory(X[-2], X.values)
    assert np.shares_memory(X[1:3].values, X.values)
    assert np.shares_memory(X[1:3, ...].values, X.values)


@pytest.mark.parametrize("key", [5, -6, [0, 5], np.array([-6]), np.array([True, False]), [[0, 1]], (0, 1), (..., 0), True, np.True_, "a", [0.5]])
def test_wrong_index(key):
    with pytest.raises(IndexError):
        make([1, 2, 3, 4, 5])[key]


@pytest.mark.parametrize("key", [[2, 0], (2, 0), np.array([2, 0]), [True, False, True], np.array([True, False, True]), slice(1, 3)])
def test_safe_indexing(key):
    X = make([2, 3, 1])
    assert_same(_safe_indexing(X, key), _safe_indexing(list(X), key))


@settings(deadline=None, derandomize=True, database=None, max_examples=40)
@given(lengths=ragged, extra=st.integers(0, 3))
def test_padded(lengths, extra):
    X = make(lengths, dtype=np.float32)
    padded = X.to_padded(max(lengths) + extra, fill_value=-1.0)
    assert padded.shape == (len(lengths), max(lengths) + extra, 2)
    assert padded.dtype == np.float32
    for row, array in zip(padded, X, strict=True):
        np.testing.assert_array_equal(row[: len(array)], array)
        assert (row[len(array) :] == -1).all()


def test_padded_too_short():
    with pytest.raises(ValueError, match=r"length=2 is shorter than the longest sequence \(3 steps\)"):
        make([1, 3]).to_padded(2)


def test_concatenate():
    parts = [make([2, 3]), make([1]), make([4, 1], dtype=np.float32)]
    assert_same(Sequences.concatenate(iter(parts)), [array for part in parts for array in part])
    with pytest.raises(ValueError, match="part 1 has 3 features, part 0 has 2"):
        Sequences.concatenate([make([2]), make([2], n_features=3)])
    with pytest.raises(ValueError, match="at least one"):
        Sequences.concatenate([])


def test_with_values():
    X = make([2, 3])
    Z = X.with_values(np.ones((5, 7), dtype=np.float32))
    np.testing.assert_array_equal(Z.offsets, X.offsets)
    assert (Z.n_features, Z.dtype) == (7, np.float32)
    with pytest.raises(ValueError, match=r"number of rows of values \(4\)"):
        X.with_values(np.ones((4, 7)))


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda X: pickle.loads(pickle.dumps(X))], ids=["copy", "deepcopy", "pickle"])
def test_copies_stay_read_only(again):
    X = make([2, 3, 1])
    Z = again(X)
    assert_same(Z, list(X))
    assert not Z.values.flags.writeable
    assert not Z.offsets.flags.writeable


def test_pickle_of_a_slice_holds_only_the_slice():
    X = make([1000] * 50)
    assert len(pickle.dumps(X[:1])) < len(pickle.dumps(X)) / 40


def test_splitters_keep_the_type():
    X = make(np.arange(1, 31))
    y = X.lengths.astype(float)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    assert isinstance(train, Sequences)
    np.testing.assert_array_equal(train.lengths, y_train)
    np.testing.assert_array_equal(test.lengths, y_test)
    np.testing.assert_array_equal(cross_val_score(MeanLength(), X, y, cv=KFold(3, shuffle=True, random_state=0), error_score="raise"), [1, 1, 1])


def test_ragged_targets_are_split_too():
    X = make(np.arange(1, 13))

    class Aligned(MeanLength):
        def score(self, X, y):
            assert isinstance(y, Sequences)
            return float((X.lengths == y.lengths).mean())

    assert cross_val_score(Aligned(), X, X.with_values(X.values[:, :1]), cv=3, error_score="raise").tolist() == [1, 1, 1]


@pytest.mark.parametrize("n_jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_grid_search(n_jobs):
    X = make(np.arange(1, 31))
    search = GridSearchCV(MeanLength(), {"factor": [0.5, 1.0, 2.0]}, cv=3, n_jobs=n_jobs, error_score="raise")
    assert search.fit(X, X.lengths.astype(float)).best_params_ == {"factor": 1.0}


def test_memory_mapped_values_are_not_copied(tmp_path):
    values = np.memmap(tmp_path / "x", dtype=np.float32, mode="w+", shape=(100, 3))
    X = Sequences(values, [0, 40, 100])
    assert np.shares_memory(X.values, values)
    values[50, 1] = 7  # through the file's own handle, which stays writeable
    assert X[1][10, 1] == 7
