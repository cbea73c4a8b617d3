"""Windows in the rows of a table: which column is which step of which channel."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import BaseEstimator

from skrnn.data import TableLayout, check_sequences
from skrnn.preprocessing import SequencePadder

CUBE = np.random.default_rng(0).normal(size=(7, 4, 3))  # 4 steps, 3 channels
NEWEST = CUBE[:, ::-1]
WAYS = [("ntc", "oldest_first"), ("ntc", "newest_first"), ("nct", "oldest_first"), ("nct", "newest_first")]


class Door(BaseEstimator):
    """An estimator as far as the door is concerned."""


def read(X, door=None, **how):
    door, reset = (Door(), True) if door is None else (door, False)
    return check_sequences(door, X, reset=reset, table_layout=TableLayout(**how)), door


def sent(layout, step_order):
    """The cube as who has this habit would send it."""
    cube = NEWEST if step_order == "newest_first" else CUBE
    return cube.swapaxes(1, 2) if layout == "nct" else cube


@pytest.mark.parametrize(("layout", "step_order"), WAYS)
def test_a_row_is_the_three_axes_flattened(layout, step_order):
    for X in (sent(layout, step_order), sent(layout, step_order).reshape(7, 12), list(sent(layout, step_order))):
        sequences, _ = read(X, n_lags=4, layout=layout, step_order=step_order)
        np.testing.assert_array_equal(np.stack(list(sequences)), CUBE)


@pytest.mark.parametrize(("layout", "step_order"), WAYS)
def test_after_a_table_comes_a_cube_and_the_other_way_round(layout, step_order):
    how = {"n_lags": 4, "layout": layout, "step_order": step_order}
    cube = sent(layout, step_order)
    for first, second in ((cube, cube.reshape(7, 12)), (cube.reshape(7, 12), cube)):
        _, door = read(first, **how)
        assert door._n_channels == 3
        np.testing.assert_array_equal(np.stack(list(read(second, door, **how)[0])), CUBE)


def test_ragged_sequences_newest_first_are_turned_one_by_one():
    X = [np.arange(3.0)[:, None], np.arange(10.0, 15.0)[:, None]]
    sequences, _ = read([x[::-1] for x in X], step_order="newest_first")
    for given, expected in zip(sequences, X, strict=True):
        np.testing.assert_array_equal(given, expected)


def test_constants_hold_for_the_whole_window():
    table = np.column_stack([CUBE[:, :, 0], CUBE[:, 0, 1:]])
    sequences, _ = read(table, n_lags=4, layout="lags_then_constants")
    np.testing.assert_array_equal(np.stack(list(sequences))[:, :, 0], CUBE[:, :, 0])
    np.testing.assert_array_equal(np.stack(list(sequences))[:, :, 1:], np.repeat(CUBE[:, :1, 1:], 4, axis=1))
    newest = np.column_stack([CUBE[:, ::-1, 0], CUBE[:, 0, 1:]])
    turned, _ = read(newest, n_lags=4, layout="lags_then_constants", step_order="newest_first")
    np.testing.assert_array_equal(turned.values, sequences.values)


FRAMES = {"pandas": pd.DataFrame, "polars": pl.DataFrame}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
@pytest.mark.parametrize("pattern", ["lag{}", "lag_{}"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_lags_tell_their_order_by_their_names(frame, pattern, shuffled):
    columns = {pattern.format(k): CUBE[:, -k, 0] for k in ([3, 1, 4, 2] if shuffled else [1, 2, 3, 4])}
    for how in ({}, {"n_lags": 4}):
        sequences, door = read(frame(columns), step_order="auto", **how)
        np.testing.assert_array_equal(np.stack(list(sequences))[:, :, 0], CUBE[:, :, 0])
    # what fit has learned from the names holds for arrays too
    array = np.column_stack(list(columns.values()))
    with pytest.warns(UserWarning, match="feature names"):
        np.testing.assert_array_equal(read(array, door)[0].values, sequences.values)


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_beside_named_lags_other_columns_are_constants(frame):
    sequences, door = read(frame({"month": CUBE[:, 0, 1], "lag1": CUBE[:, 3, 0], "lag7": CUBE[:, 2, 0]}), step_order="auto")
    assert (door.n_features_in_, door._n_channels) == (3, 2)
    np.testing.assert_array_equal(np.stack(list(sequences)), np.stack([CUBE[:, 2:, 0], CUBE[:, [0, 0], 1]], axis=2))


@pytest.mark.parametrize("names", [["a", "b"], ["lag1_mean", "xlag2"], ["Lag1", "lag"], ["1", "2"]])
def test_other_names_tell_nothing(names):
    frame = pd.DataFrame(CUBE[:, :2, 0], columns=names)
    np.testing.assert_array_equal(np.stack(list(read(frame, step_order="auto")[0]))[:, :, 0], CUBE[:, :2, 0])


def test_names_tell_nothing_to_who_does_not_ask():
    frame = pd.DataFrame(CUBE[:, :2, 0], columns=["lag1", "lag2"])
    np.testing.assert_array_equal(np.stack(list(read(frame)[0]))[:, :, 0], CUBE[:, :2, 0])
    np.testing.assert_array_equal(SequencePadder().fit_transform(frame), frame)


def test_a_stated_order_goes_before_names():
    frame = pd.DataFrame(CUBE[:, :2, 0], columns=["lag1", "lag2"])
    np.testing.assert_array_equal(np.stack(list(read(frame, step_order="oldest_first")[0]))[:, :, 0], CUBE[:, :2, 0])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="X has 12 columns, which is no multiple of n_lags=5"):
        read(CUBE.reshape(7, 12), n_lags=5)
    with pytest.raises(ValueError, match="X has 12 columns, which is no multiple of n_lags=13"):
        read(CUBE.reshape(7, 12), n_lags=13, layout="lags_then_constants")
    with pytest.raises(ValueError, match="needs n_lags"):
        read(CUBE.reshape(7, 12), layout="lags_then_constants")
    with pytest.raises(ValueError, match="n_lags=3, but 2 columns of X have names of lags"):
        read(pd.DataFrame({"lag1": [1.0], "lag2": [2.0], "x": [3.0]}), n_lags=3, step_order="auto")
    _, door = read(CUBE.reshape(7, 12), n_lags=4)
    with pytest.raises(ValueError, match="X has 8 features, but Door is expecting 12 features"):
        read(CUBE.reshape(7, 12)[:, :8], door, n_lags=4)
    with pytest.raises(ValueError, match="X has 4 features, but Door is expecting 3 features"):
        read(CUBE.swapaxes(1, 2), door, n_lags=4)


def test_an_error_names_step_and_channel():
    table = CUBE.reshape(7, 12).copy()
    table[5, 7] = np.nan  # step 2, channel 1
    with pytest.raises(ValueError, match="sequence 5, step 2, feature 1"):
        read(table, n_lags=4)


def test_rows_that_are_sequences_already_are_not_copied():
    table = np.ascontiguousarray(CUBE[:, :, 0])
    assert np.shares_memory(read(table)[0].values, table)
    assert np.shares_memory(read(CUBE)[0].values, CUBE)
    assert np.shares_memory(read(CUBE.reshape(7, 12), n_lags=4)[0].values, CUBE)
