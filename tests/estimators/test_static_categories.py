"""Categories of series as a whole: a forecaster that is told of them knows what it could not see in the windows."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrnn import RNNForecaster
from skrnn.data import StaticColumns

LEVELS = {"kiosk": -6.0, "market": 2.0, "shop": 6.0, "web": -2.0}


def offers(n_each=2, n_steps=40, random_state=0):
    """What an offer brings depends on the kind of the shop, and the windows before it seldom show one."""
    rng = np.random.default_rng(random_state)
    kinds = np.repeat(list(LEVELS), n_each)
    X = [(rng.random((n_steps, 1)) < 0.2).astype(float) for _ in kinds]
    return X, [LEVELS[kind] * x[:, 0] + rng.normal(scale=0.2, size=n_steps) for kind, x in zip(kinds, X, strict=True)], kinds


def test_a_category_halves_the_error_where_the_level_depends_on_it():
    X, y, kinds = offers()
    errors = []
    for static in (None, kinds[:, None]):
        model = RNNForecaster(n_lags=3, horizon=4, max_epochs=15, random_state=0)
        model.fit([x[:-4] for x in X], [series[:-4] for series in y], static=static)
        ahead = model.predict([x[-4:] for x in X])
        errors.append(np.abs(np.array(ahead) - [series[-4:] for series in y]).mean())
    assert errors[1] < 0.5 * errors[0]


def test_other_series_have_categories_too():
    _, y, kinds = offers(1)
    static = pd.DataFrame({"kind": kinds})
    model = RNNForecaster(n_lags=3, horizon=4, max_epochs=2, random_state=0).fit(None, y, static=static)
    others = model.with_history(None, y[::-1], static=static[::-1])
    np.testing.assert_array_equal(others.predict(), model.predict()[::-1])


KINDS = ["a", "b", "a"]
SIZES = [1.5, 2.0, 3.0]
EXPECTED = [[1, 0, 1.5], [0, 1, 2.0], [1, 0, 3.0]]
TABLES = {
    "lists": [list(row) for row in zip(KINDS, SIZES, strict=True)],
    "objects": np.array(list(zip(KINDS, SIZES, strict=True)), dtype=object),
    "pandas": pd.DataFrame({"kind": KINDS, "size": SIZES}),
    "pandas category": pd.DataFrame({"kind": pd.Categorical(KINDS), "size": SIZES}),
    "pandas category of numbers": pd.DataFrame({"kind": pd.Categorical([7, 9, 7]), "size": SIZES}),
    "polars": pl.DataFrame({"kind": KINDS, "size": SIZES}),
    "polars Enum": pl.DataFrame({"kind": pl.Series(KINDS, dtype=pl.Enum(["b", "a"])), "size": SIZES}),
}


@pytest.mark.parametrize("table", TABLES)
def test_every_table_gives_the_same(table):
    columns = StaticColumns().learn(TABLES[table])
    np.testing.assert_array_equal(columns.numbers(TABLES[table]), EXPECTED)


def test_what_is_not_known_is_none_of_the_categories():
    assert StaticColumns().learn([["a"], ["b"]]).numbers([["z"], ["b"]]).tolist() == [[0, 0], [0, 1]]


def test_numbers_stay_as_they_came():
    table = np.ones((2, 3))
    assert StaticColumns().learn(table).numbers(table) is table
    assert StaticColumns().learn([["1"], ["2"]]).numbers([["1"], ["2"]]).tolist() == [[1], [2]]
    assert StaticColumns().learn(None).numbers(None) is None


def settled(**settings):
    return RNNForecaster(hidden_size=4, n_lags=4, horizon=2, max_epochs=2, conformal=None, random_state=0, **settings)


def test_going_on_and_copies_know_the_categories():
    y = [np.arange(30.0), -np.arange(30.0)]
    model = settled(warm_start=True).fit(None, y, static=[["up"], ["down"]])
    said = model.predict()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(), said)
    numbered = settled().fit(None, y, static=[[0.0, 1.0], [1.0, 0.0]])
    np.testing.assert_array_equal(numbered.predict(), said)
    assert len(model.fit(None, y[:1], static=[["down"]]).predict()) == 1


@pytest.mark.parametrize(
    ("static", "message"),
    [
        ([["a"], [None]], "static has None in row 1 of channel 0: categories must be strings, or whole numbers"),
        ([["a"], ["b"], ["c"]], "static must have a row for each of the 2 series; got 3"),
        (pd.DataFrame({"kind": ["a", "b"], "size": [1.0, np.nan]}), "Input static contains NaN"),
        (
            pd.DataFrame({"kind": ["a", "b"], "size": ["1.5", "large"]}),
            r"static has 'large' in row 1 of channel 1 \('size'\)",
        ),
    ],
)
def test_what_is_no_category_is_refused(static, message):
    y = [np.arange(30.0), -np.arange(30.0)]
    with pytest.raises(ValueError, match=message):
        settled().fit(None, y, static=static)
