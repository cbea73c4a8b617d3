"""SequenceImputer: no sequence learns from another one or from its future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrnn.data import Sequences, as_sequences
from skrnn.preprocessing import SequenceImputer

NAN = np.nan
RAGGED = [np.array([[NAN, 1.0], [2.0, NAN], [NAN, NAN]]), np.array([[NAN, 5.0]]), np.array([[4.0, NAN], [NAN, 3.0]])]


def with_gaps(lengths, seed, n_features=2):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(n, n_features)) for n in lengths]
    for array in arrays:
        array[rng.random(size=array.shape) < 0.4] = NAN
    arrays.append(np.zeros((1, n_features)))  # so that no channel is without a value
    return arrays


def test_forward_fill_by_hand():
    got = SequenceImputer().fit_transform(RAGGED)
    assert [x.tolist() for x in got] == [[[3, 1], [2, 1], [2, 1]], [[3, 5]], [[4, 3], [4, 3]]]


@settings(deadline=None, derandomize=True, database=None, max_examples=60)
@given(lengths=st.lists(st.integers(1, 7), min_size=1, max_size=6), seed=st.integers(0, 10_000))
def test_forward_fill_is_that_of_pandas(lengths, seed):
    X = with_gaps(lengths, seed)
    imputer = SequenceImputer().fit(X)
    np.testing.assert_allclose(imputer.mean_, np.nanmean(np.concatenate(X), axis=0), rtol=1e-12)
    for x, z in zip(X, imputer.transform(X), strict=True):
        np.testing.assert_array_equal(z, pd.DataFrame(x).ffill().fillna(dict(enumerate(imputer.mean_))).to_numpy())


@settings(deadline=None, derandomize=True, database=None, max_examples=30)
@given(lengths=st.lists(st.integers(2, 7), min_size=1, max_size=6), seed=st.integers(0, 10_000))
def test_no_step_knows_its_future_or_another_sequence(lengths, seed):
    X = with_gaps(lengths, seed)
    imputer = SequenceImputer().fit(X)
    whole = imputer.transform(X)
    for x, z in zip(X, whole, strict=True):
        for n in range(1, len(x) + 1):
            np.testing.assert_array_equal(imputer.transform([x[:n]])[0], z[:n])


@pytest.mark.parametrize(("strategy", "expected"), [("mean", [3.0, 3.0]), ("constant", [-7.0, -7.0])])
def test_other_strategies(strategy, expected):
    got = SequenceImputer(strategy=strategy, fill_value=-7.0).fit_transform(RAGGED)
    for x, z in zip(RAGGED, got, strict=True):
        np.testing.assert_array_equal(z, np.where(np.isnan(x), expected, x))


@pytest.mark.parametrize("strategy", ["ffill", "mean", "constant"])
def test_indicator(strategy):
    plain = SequenceImputer(strategy=strategy).fit_transform(RAGGED)
    got = SequenceImputer(strategy=strategy, add_indicator=True).fit_transform(RAGGED)
    for x, p, z in zip(RAGGED, plain, got, strict=True):
        np.testing.assert_array_equal(z, np.hstack([p, np.isnan(x)]))


@pytest.mark.parametrize("strategy", ["ffill", "mean", "constant"])
def test_complete_data_stay_as_they_are(strategy):
    X = [np.nan_to_num(x) for x in RAGGED]
    for x, z in zip(X, SequenceImputer(strategy=strategy).fit_transform(X), strict=True):
        np.testing.assert_array_equal(z, x)


def test_the_mean_is_that_of_fit():
    imputer = SequenceImputer(strategy="mean").fit([np.array([[1.0], [3.0]])])
    np.testing.assert_array_equal(imputer.transform([np.array([[NAN], [100.0]])])[0], [[2.0], [100.0]])


@pytest.mark.parametrize("strategy", ["ffill", "mean"])
def test_a_channel_without_values(strategy):
    X = [np.array([[1.0, NAN], [2.0, NAN]]), np.array([[3.0, NAN]])]
    with pytest.raises(ValueError, match="feature 1 of X has no observed value"):
        SequenceImputer(strategy=strategy).fit(X)
    got = SequenceImputer(strategy="constant", fill_value=9.0).fit_transform(X)
    np.testing.assert_array_equal(np.concatenate(got)[:, 1], [9.0, 9.0, 9.0])


def test_unknown_strategy_and_infinity():
    with pytest.raises(ValueError, match=r"'strategy' parameter of SequenceImputer must be one of .*; got 'median'"):
        SequenceImputer(strategy="median").fit(RAGGED)
    with pytest.raises(ValueError, match=r"infinity .*sequence 0, step 0, feature 0"):
        SequenceImputer().fit([np.array([[np.inf]])])


def test_containers_types_and_input_are_kept():
    X = np.full((3, 4, 2), NAN, dtype=np.float32)
    X[:, 1] = [1, 2]
    before = X.copy()
    got = SequenceImputer().fit_transform(X)
    assert (type(got), got.shape, got.dtype) == (np.ndarray, (3, 4, 2), np.float32)
    np.testing.assert_array_equal(X, before)
    assert isinstance(SequenceImputer().fit_transform(as_sequences(X, allow_nan=True)), Sequences)
    assert isinstance(SequenceImputer().fit_transform(list(X)), list)
    table = SequenceImputer().fit_transform(X[:, :, 0])
    np.testing.assert_array_equal(table, np.ones((3, 4)))
    both = SequenceImputer(add_indicator=True).fit_transform(X[:, :, 0])
    np.testing.assert_array_equal(both[:, :, 1], np.isnan(X[:, :, 0]))


def test_names():
    assert SequenceImputer().fit(RAGGED).get_feature_names_out().tolist() == ["x0", "x1"]
    names = SequenceImputer(add_indicator=True).fit(RAGGED).get_feature_names_out(["a", "b"])
    assert names.tolist() == ["a", "b", "missingindicator_a", "missingindicator_b"]
    table = SequenceImputer(add_indicator=True).fit(np.ones((3, 5)))
    assert table.get_feature_names_out().tolist() == ["x0", "missingindicator_x0"]
