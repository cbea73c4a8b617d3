"""Checking: every fault in values, shapes and kinds, and the door of the estimators."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
import torch
from sklearn.base import BaseEstimator

from skrnn.data import Sequences, as_sequences, check_sequences
from tests.data.containers import FLAT, MULTIVARIATE, RAGGED, TABLE, UNIVARIATE, X3, assert_same, objects


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("chunk", [1, 7, 1_000_000])
def test_the_first_bad_value_is_named(monkeypatch, value, dtype, chunk):
    monkeypatch.setattr("skrnn.data._finite.CHUNK", chunk)
    X = as_sequences(RAGGED, dtype=dtype).values.copy()
    X[5, 1] = X[6, 0] = value
    words = "NaN" if np.isnan(value) else rf"infinity or a value too large for dtype\('{np.dtype(dtype)}'\)"
    with pytest.raises(ValueError, match=rf"Input X contains {words} \(first at sequence 1, step 3, feature 1\)"):
        as_sequences(Sequences(X, [0, 2, 7, 8, 12]))


def test_nan_allowed_but_not_infinity():
    X = X3.copy()
    X[0, 0, 0] = np.nan
    assert np.isnan(as_sequences(X, allow_nan=True).values[0, 0])
    with pytest.raises(ValueError, match=r"SequenceImputer"):
        as_sequences(X)
    X[2, 1, 2] = np.inf
    with pytest.raises(ValueError, match=r"Input data contains infinity .*sequence 2, step 1, feature 2"):
        as_sequences(X, allow_nan=True, name="data")


@pytest.mark.parametrize("value", [1e39, -1e300])
@pytest.mark.parametrize("keyword", ["dtype", "compute_dtype"])
def test_too_large_for_the_type_of_the_computation(value, keyword):
    X = X3.copy()
    X[2, 1, 2] = value
    assert as_sequences(X)[2][1, 2] == value
    with pytest.raises(ValueError, match=r"infinity or a value too large for dtype\('float32'\) \(first at sequence 2, step 1, feature 2\)"):
        as_sequences(X, **{keyword: np.float32})


def test_the_largest_float32_is_not_too_large():
    limit = float(np.finfo(np.float32).max)
    assert as_sequences(np.full((1, 1, 1), limit), compute_dtype=np.float32)[0][0, 0] == limit


def test_longdouble_too_large_for_float64():
    with pytest.raises(ValueError, match="too large for dtype"):
        as_sequences(np.full((1, 2, 1), np.longdouble("1e4000")))


@pytest.mark.parametrize("keyword", ["dtype", "compute_dtype"])
def test_only_two_types(keyword):
    with pytest.raises(ValueError, match="must be float32 or float64, got float16"):
        as_sequences(X3, **{keyword: np.float16})


CONTENT = {
    "no sequence": ([], r"Found array with 0 sample\(s\)"),
    "no sequence, objects": (objects([]), r"Found array with 0 sample\(s\)"),
    "no sequence, 1-D": (np.empty(0), r"Found array with 0 sample\(s\)"),
    "no sequence, 2-D": (np.empty((0, 3)), r"Found array with 0 sample\(s\) \(shape=\(0, 3\)\)"),
    "no sequence, 3-D": (np.empty((0, 4, 3)), r"Found array with 0 sample\(s\) \(shape=\(0, 4, 3\)\)"),
    "no sequence, Sequences": (as_sequences(RAGGED)[:0], r"Found array with 0 sample\(s\)"),
    "no sequence, column": (pd.DataFrame({"a": pl.Series([], dtype=pl.List(pl.Float64)).to_list()}), r"0 sample\(s\)|0 feature\(s\)"),
    "no sequence, polars": (pl.DataFrame({"a": pl.Series([], dtype=pl.List(pl.Float64))}), r"Found array with 0 sample\(s\)"),
    "no feature, 2-D": (np.empty((4, 0)), r"Found array with 0 feature\(s\) \(shape=\(4, 0\)\) while a minimum of 1 is required"),
    "no feature, 3-D": (np.empty((4, 5, 0)), r"Found array with 0 feature\(s\) \(shape=\(4, 5, 0\)\) while a minimum of 1 is required"),
    "no feature, list": ([np.empty((4, 0)), np.empty((5, 0))], r"Found array with 0 feature\(s\)"),
    "no step, 3-D": (np.empty((4, 0, 3)), "sequences of length 0"),
    "no step, list": ([*RAGGED, np.empty((0, 3))], r"sequence 4 is empty \(length 0\)"),
    "no step, lists": ([[1.0], [], [2.0, 3.0]], r"sequence 1 is empty \(length 0\)"),
    "no step, nested lists": ([[[1.0, 2.0]], []], r"sequence 1 is empty \(length 0\)"),
    "no step, column": (pd.Series([[1.0], []]), r"sequence 1 is empty \(length 0\)"),
    "widths": ([*RAGGED[:2], np.zeros((2, 4))], "sequence 2 has 4 features, sequence 0 has 3; all sequences need the same n_features"),
    "ranks": ([*RAGGED[:2], np.zeros(2)], "sequence 2 is 1-D, sequence 0 is 2-D"),
    "ranks, None": ([*RAGGED[:2], None], "sequence 2 is 0-D"),
    "3-D sequences": ([X3, X3[:1]], "sequence 0 is 3-D"),
    "ragged steps": ([[[1, 2], [3]], [[1, 2]]], "sequence 0 of X is no table of numbers: every step needs the same number of features"),
    "0-D": (np.array(3.0), "Reshape your data"),
    "1-D": (np.arange(3.0), "Reshape your data"),
    "1-D list": ([1.0, 2.0], "Reshape your data"),
    "1-D objects": (objects([1.0, 2.0]), "Reshape your data"),
    "1-D series": (pd.Series([1.0, 2.0]), "Expected a 2-dimensional container"),
    "4-D": (np.zeros((2, 2, 2, 2)), r"2-D \(n_samples, n_features\) or 3-D \(n_sequences, n_steps, n_features\), got 4-D"),
    "text": (np.array([["a", "b"]]), "dtype='numeric' is not compatible with arrays of bytes/strings"),
    "bytes": (np.array([[b"a", b"b"]]), "dtype='numeric' is not compatible with arrays of bytes/strings"),
    "list of text": (["ab", "cd"], "dtype='numeric' is not compatible with arrays of bytes/strings"),
    "arrays of text": ([np.array(["a"]), np.array(["b", "c"])], "dtype='numeric' is not compatible with arrays of bytes/strings"),
    "3-D text": (np.full((2, 2, 2), "a"), "dtype='numeric' is not compatible with arrays of bytes/strings"),
    "complex, 2-D": (TABLE + 1j, "Complex data not supported"),
    "complex, 3-D": (X3 + 1j, "Complex data not supported"),
    "complex, list": ([RAGGED[0], RAGGED[1] + 1j], "Complex data not supported"),
    "lengths of columns": (pd.DataFrame({"a": [[1, 2], [3]], "b": [[1, 2], [3, 4]]}), "sequence 1 has 2 steps in column 'b' and 1 in 'a'"),
    "mixed columns": (pd.DataFrame({"a": [[1, 2], [3]], "b": [1, 2]}), "column 'b' of X holds single values, column 'a' holds sequences"),
    "categories": (pd.DataFrame({"a": [1.0, 2.0], "b": pd.Categorical([1, 2])}), "column 'b' of X is categorical"),
    "missing": (pd.DataFrame({"a": pd.array([1, None], dtype="Int64")}), "Input X contains NaN .*sequence 1, step 0"),
    "missing cell value": (pl.Series("a", [[1.0, None], [2.0]]), "Input X contains NaN .*sequence 0, step 1"),
    "masked": (np.ma.masked_array(X3, mask=np.isin(X3, X3[1, 2, 0])), "Input X contains NaN .*sequence 1, step 2, feature 0"),
}
SPARSE = scipy.sparse.csr_array(TABLE)
KINDS = {
    "generator": ((a for a in RAGGED), "Expected a sequence of arrays, got generator"),
    "None": (None, "Expected a sequence of arrays, got NoneType"),
    "path": ("data.csv", "Expected a sequence of arrays, got str"),
    "dict": ({"a": 1}, "Expected a sequence of arrays, got dict"),
    "number": (3.0, "Expected a sequence of arrays, got float"),
    "sparse": (SPARSE, "Sparse data was passed, but dense data is required"),
    "sparse matrix": (scipy.sparse.csr_matrix(TABLE), "Sparse data was passed, but dense data is required"),
    "list of sparse": ([SPARSE, SPARSE], "Sparse data was passed, but dense data is required"),
    "dict object, 2-D": (np.array([[{"a": 1}, 2.0]], dtype=object), "argument must be a string or a real number"),
    "dict object, 3-D": (np.array([[[{"a": 1}, 2.0]]], dtype=object), "argument must be a string or a real number"),
    "dict object, list": ([np.array([{"a": 1}, 2.0]), np.array([1.0])], "argument must be a string or a real number"),
    "list of dicts": ([{"a": 1}, {"b": 2}], "argument must be a string or a real number"),
    "datetime, 2-D": (TABLE.astype("M8[s]"), "datetime"),
    "datetime, 3-D": (X3.astype("M8[s]"), "datetime"),
    "timedelta, list": ([a.astype("m8[s]") for a in RAGGED], "datetime"),
    "datetime column": (pd.DataFrame({"a": [1.0], "t": pd.to_datetime(["2020-01-01"])}), "column 't' of X .* datetime"),
    "datetime column, polars": (pl.DataFrame({"t": [1]}).cast(pl.Datetime), "column 't' of X .* datetime"),
    "datetime column in a list": ([pd.DataFrame({"t": pd.to_datetime(["2020-01-01"])})], "column 't' of sequence 0 of X .* datetime"),
}


class Door(BaseEstimator):
    """The smallest estimator behind the door."""

    def fit(self, X, y=None, **options):
        check_sequences(self, X, reset=True, **options)
        return self

    def predict(self, X, **options):
        return check_sequences(self, X, reset=False, **options)


@pytest.mark.parametrize("name", CONTENT)
@pytest.mark.parametrize("read", [as_sequences, Door().fit], ids=["function", "door"])
def test_wrong_content(name, read):
    X, message = CONTENT[name]
    with pytest.raises(ValueError, match=message):
        read(X)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("read", [as_sequences, Door().fit], ids=["function", "door"])
def test_wrong_kind(name, read):
    X, message = KINDS[name]
    with pytest.raises(TypeError, match=message):
        read(X)


def test_an_error_leaves_the_estimator_as_it_was():
    door = Door().fit(pd.DataFrame(TABLE, columns=list("abcde")))
    before = {key: np.array(value, copy=True) for key, value in vars(door).items()}
    assert before
    bad = X3.copy()
    bad[0, 0, 0] = np.nan
    for X in (bad, bad[:, :, 0], pd.DataFrame(bad[:, :, 0]), list(bad), pd.DataFrame({"a": ["x"]}), pd.DataFrame({"z": [1.0], 0: [2.0]})):
        with pytest.raises((ValueError, TypeError)):
            door.fit(X)
        assert vars(door).keys() == before.keys()
        for key, value in before.items():
            np.testing.assert_array_equal(vars(door)[key], value)
    for X in (pd.DataFrame(TABLE[:, :4], columns=list("abcd")), bad, X3):
        with pytest.raises(ValueError, match=r"feature names should match|X has|NaN"):
            door.predict(X)
    for key, value in before.items():
        np.testing.assert_array_equal(vars(door)[key], value)


@pytest.mark.parametrize("X", [TABLE, TABLE.tolist(), pd.DataFrame(TABLE), pl.DataFrame(TABLE), torch.tensor(TABLE)])
def test_columns_are_the_features_of_a_table(X):
    door = Door().fit(X)
    assert (door.n_features_in_, door._n_channels, door._n_columns) == (5, 1, 5)


@pytest.mark.parametrize("name", MULTIVARIATE)
def test_channels_are_the_features_of_sequences(name):
    door = Door().fit(pd.DataFrame(TABLE, columns=list("abcde")))
    assert door.feature_names_in_.tolist() == list("abcde")
    door.fit(MULTIVARIATE[name])
    assert (door.n_features_in_, door._n_channels, door._n_columns) == (3, 3, None)
    assert ("feature_names_in_" in vars(door)) == ("polars" in name)  # the columns of its frames always have names
    assert len(vars(door).get("feature_names_in_", range(3))) == 3


@pytest.mark.parametrize("name", UNIVARIATE)
def test_univariate_sequences_have_one_channel(name):
    door = Door().fit(UNIVARIATE[name])
    assert (door.n_features_in_, door._n_channels) == (1, 1)


def test_another_number_of_columns():
    with pytest.raises(ValueError, match=r"X has 4 features, but Door is expecting 5 features as input\."):
        Door().fit(TABLE).predict(TABLE[:, :4])


@pytest.mark.parametrize("fitted", [X3, RAGGED, as_sequences(X3)], ids=["3-D", "list", "Sequences"])
def test_another_number_of_channels(fitted):
    door = Door().fit(fitted)
    with pytest.raises(ValueError, match=r"X has 4 features, but Door is expecting 3 features as input\."):
        door.predict(np.zeros((2, 7, 4)))
    with pytest.raises(ValueError, match=r"X has 5 features, but Door is expecting 3 .* did you pass \(n_sequences, n_features, n_steps\)\?"):
        door.predict(X3.transpose(0, 2, 1))
    with pytest.raises(ValueError, match=r"X has 1 features, but Door is expecting 3 .* a 2-D X holds one univariate sequence per row"):
        door.predict(TABLE)


def test_another_length_is_fine():
    assert len(Door().fit(X3).predict(X3[:, :2])) == 4
    assert len(Door().fit(RAGGED).predict(X3)) == 4


def test_tables_and_univariate_sequences_understand_each_other():
    assert_same(Door().fit(TABLE).predict(FLAT), FLAT)
    assert_same(Door().fit(TABLE).predict(X3[:, :, :1]), X3[:, :, :1])
    assert_same(Door().fit(FLAT).predict(TABLE), TABLE)
    assert_same(Door().fit(X3[:, :, :1]).predict(TABLE[:, :2]), TABLE[:, :2])
    with pytest.raises(ValueError, match="X has 3 features, but Door is expecting 1 features"):
        Door().fit(TABLE).predict(X3)


def test_one_column_is_still_a_table():
    with pytest.raises(ValueError, match="X has 5 features, but Door is expecting 1 features"):
        Door().fit(TABLE[:, :1]).predict(TABLE)


def test_names_of_columns():
    frame = pd.DataFrame(TABLE, columns=list("abcde"))
    door = Door().fit(frame)
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        door.predict(frame[list("edcba")])
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        door.predict(TABLE)
    with pytest.raises(ValueError, match=r"unique|duplicate"):
        Door().fit(pd.DataFrame(TABLE, columns=list("aacde")))


def test_options_reach_the_check():
    X = X3.copy()
    X[0, 0, 0] = np.nan
    assert np.isnan(Door().fit(X, allow_nan=True).predict(X, allow_nan=True).values[0, 0])
    with pytest.raises(ValueError, match="float32"):
        Door().fit(np.full((1, 2), 1e39), compute_dtype=np.float32)


def test_the_door_does_not_copy_a_table():
    table = TABLE.copy()
    assert np.shares_memory(Door().fit(table).predict(table).values, table)


# -- names of channels ---------------------------------------------------------------------------------------------------------------------------

CHANNELS = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [101.0, 102.0, 104.0]})
NAMED = {
    "list": lambda names: [CHANNELS[names], CHANNELS[names] + 1],
    "tuple": lambda names: (CHANNELS[names],),
    "instances": lambda names: pd.concat({k: CHANNELS[names] + k for k in range(2)}),
    "nested": lambda names: pd.DataFrame({name: [CHANNELS[name].tolist(), [5.0]] for name in names}),
    "polars": lambda names: [pl.DataFrame(CHANNELS[names].to_dict("list"))],
}


@pytest.mark.parametrize("make", NAMED.values(), ids=NAMED)
def test_names_of_channels_are_noted_and_compared(make):
    estimator = BaseEstimator()
    check_sequences(estimator, make(["a", "b"]), reset=True)
    assert estimator.feature_names_in_.tolist() == ["a", "b"]
    for good in (make(["a", "b"]), [CHANNELS.to_numpy()], NAMED["list"](["a", "b"])):
        check_sequences(estimator, good, reset=False)
    for wrong in (make(["b", "a"]), NAMED["list"](["b", "a"]), [CHANNELS.rename(columns={"a": "c"})]):
        with pytest.raises(ValueError, match=r"feature names should match those that were passed during fit.*in fit \['a', 'b'\]"):
            check_sequences(estimator, wrong, reset=False)
    check_sequences(estimator, [CHANNELS.to_numpy()], reset=True)
    assert "feature_names_in_" not in vars(estimator)


def test_frames_of_a_list_agree_about_their_columns():
    with pytest.raises(ValueError, match=r"columns of sequence 1 of X are named \['b', 'a'\], those of sequence 0 \['a', 'b'\]"):
        check_sequences(BaseEstimator(), [CHANNELS, CHANNELS[["b", "a"]]], reset=True)
