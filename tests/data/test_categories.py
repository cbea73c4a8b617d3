"""Categories in every container become the same ids; what cannot be is refused with its channel, sequence and step."""

import copy

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.preprocessing import OrdinalEncoder

from skrnn.data import Categories, Sequences, as_sequences, check_sequences_and_layout
from tests.data.containers import long_frame, objects

SEQUENCES = [[["sun", 1.5, 3], ["rain", -2.0, 7]], [["fog", 0.25, 3], ["sun", 0.5, 3], ["rain", 4.0, 12]]]
IDS = [[[2, 1.5, 0], [1, -2.0, 1]], [[0, 0.25, 0], [2, 0.5, 0], [1, 4.0, 2]]]
NAMES = ["weather", "size", "place"]


def frames(make):
    return [make({name: [row[k] for row in rows] for k, name in enumerate(NAMES)}) for rows in SEQUENCES]


def pandas_categories():
    return [frame.astype({"weather": "category"}) for frame in frames(pd.DataFrame)]


CONTAINERS = {
    "lists": SEQUENCES,
    "tuples": tuple(tuple(map(tuple, rows)) for rows in SEQUENCES),
    "object arrays": [np.array(rows, dtype=object) for rows in SEQUENCES],
    "an object array of object arrays": objects([np.array(rows, dtype=object) for rows in SEQUENCES]),
    "pandas": frames(pd.DataFrame),
    "pandas string": [frame.astype({"weather": "string"}) for frame in frames(pd.DataFrame)],
    "pandas category": pandas_categories(),
    "polars String": frames(pl.DataFrame),
    "polars Categorical": [frame.with_columns(pl.col("weather").cast(pl.Categorical)) for frame in frames(pl.DataFrame)],
    "polars Enum": [frame.with_columns(pl.col("weather").cast(pl.Enum(["sun", "rain", "fog"]))) for frame in frames(pl.DataFrame)],
    "long": long_frame([np.array(rows, dtype=object) for rows in SEQUENCES]).set_axis(NAMES, axis=1),
    "pandas columns": pd.DataFrame({name: [[row[k] for row in rows] for rows in SEQUENCES] for k, name in enumerate(NAMES)}),
    "polars columns": pl.DataFrame({name: [[row[k] for row in rows] for rows in SEQUENCES] for k, name in enumerate(NAMES)}),
}
every_container = pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)


def learn(X, *given, rows="sequences", **settings):
    encoding = Categories(*given, **settings)
    numbers = encoding.numbers(X, reset=True, rows=rows)
    return encoding, encoding.codes(as_sequences(numbers), reset=True)


def read(encoding, X):
    return encoding.codes(as_sequences(encoding.numbers(X, reset=False)), reset=False)


def assert_ids(sequences, ids):
    assert [np.asarray(part).tolist() for part in sequences] == [np.asarray(part, dtype=float).reshape(len(part), -1).tolist() for part in ids]


# -- containers --------------------------------------------------------------------------------------------------------------------------------


@every_container
def test_every_container_gives_the_same(X):
    kept = copy.deepcopy(X)
    encoding, sequences = learn(X, [0, -1])
    assert_ids(sequences, IDS)
    assert_ids(read(encoding, X), IDS)
    assert encoding.places_.tolist() == [0, 2]
    assert [c.tolist() for c in encoding.categories_] == [["fog", "rain", "sun"], [3, 7, 12]]
    assert encoding.n_ids == [3, 3]
    assert repr(kept) == repr(X)


@pytest.mark.parametrize("name", ["pandas", "pandas category", "polars String", "polars Enum", "long", "pandas columns", "polars columns"])
def test_channels_may_be_named(name):
    encoding, sequences = learn(CONTAINERS[name], ["place", "weather"])
    assert_ids(sequences, IDS)
    assert encoding.names_ == NAMES


def test_missing_numbers_of_a_frame_are_nan_for_the_door():
    frame = pd.DataFrame({"day": ["mo", "tu"], "n": pd.array([1, None], dtype="Int64"), "x": [0.5, np.nan]})
    for X in (frame, pl.DataFrame({"day": ["mo", "tu"], "n": [1, None], "x": [0.5, None]})):
        (found,) = Categories(["day"]).numbers([X], reset=True)
        np.testing.assert_array_equal(found, [[0, 1, 0.5], [1, np.nan, np.nan]])


NUMBERS = [np.array([[5, 1], [2, 0]]), np.array([[9, 1], [5, 1], [2, 3]])]


@pytest.mark.parametrize(
    "X",
    [NUMBERS, [a.astype(np.int8) for a in NUMBERS], as_sequences(NUMBERS), [torch.tensor(a) for a in NUMBERS], long_frame(NUMBERS), pl.DataFrame(
        {"a": [a[:, 0].tolist() for a in NUMBERS], "b": [a[:, 1].tolist() for a in NUMBERS]})],
    ids=["arrays", "int8", "Sequences", "tensors", "long", "polars"],
)  # fmt: skip
def test_numbers_are_categories_too(X):
    encoding, sequences = learn(X, [0])
    assert_ids(sequences, [[[1, 1], [0, 0]], [[2, 1], [1, 1], [0, 3]]])
    assert encoding.categories_[0].dtype.kind == "i"


TOKENS = [["to", "be", "or"], ["not", "to", "be"]]
TOKEN_IDS = [[3, 0, 2], [1, 3, 0]]


@pytest.mark.parametrize(
    "X",
    [
        TOKENS,
        [np.array(row) for row in TOKENS],
        [pd.Series(row) for row in TOKENS],
        [pl.Series(row) for row in TOKENS],
        pd.Series(TOKENS),
        pl.Series(TOKENS),
        objects([tuple(row) for row in TOKENS]),
    ],
    ids=["lists", "arrays", "pandas", "polars", "series of lists", "polars series of lists", "objects"],
)
def test_a_list_of_tokens_is_a_sequence_whatever_the_lengths(X):
    encoding, sequences = learn(X, rows="steps")
    assert_ids(sequences, TOKEN_IDS)
    assert_ids(read(encoding, X[:1]), TOKEN_IDS[:1])
    assert_ids(read(encoding, [list(X[0]), list(X[1])[:2]]), [TOKEN_IDS[0], TOKEN_IDS[1][:2]])


def test_the_tokens_of_a_string_are_its_characters():
    assert_ids(learn(["abca", "cb"])[1], [[0, 1, 2, 0], [2, 1]])
    assert_ids(learn(np.array(["abca", "cb"]))[1], [[0, 1, 2, 0], [2, 1]])


def test_numbers_in_lists_are_tokens_too():
    encoding, sequences = learn([[7, 3], [3, 9]], rows="steps")
    assert_ids(sequences, [[1, 0], [0, 2]])
    assert_ids(read(encoding, [[9]]), [[2]])


@pytest.mark.parametrize("make", [np.array, pd.DataFrame, pl.DataFrame], ids=["array", "pandas", "polars"])
def test_rows_of_a_table_of_strings_are_sequences_of_one_channel(make):
    X = make([["b", "a"], ["c", "b"]])
    if isinstance(X, pl.DataFrame):
        X = X.transpose()
    assert_ids(learn(X)[1], [[1, 0], [2, 1]])


class _Estimator(BaseEstimator):
    """What the door needs of one."""


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda columns: np.array(list(columns.values()), dtype=object).T])
def test_rows_of_a_table_may_be_steps_of_several_channels(make):
    columns = {"day": ["mo", "tu", "mo"], "sales": [3.0, 1.0, 4.0]}
    estimator, encoding, X = _Estimator(), Categories([0]), make(columns)
    for reset in (True, False):
        sequences, layout = check_sequences_and_layout(estimator, X, reset=reset, rows_are_steps=True, encoding=encoding)
        assert_ids(sequences, [[[0, 3.0], [1, 1.0], [0, 4.0]]])
        assert layout == "rows"
    if not isinstance(X, np.ndarray):
        assert estimator.feature_names_in_.tolist() == ["day", "sales"]


# -- as scikit-learn ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["strings", "numbers"])
def test_ids_are_those_of_the_ordinal_encoder(kind):
    rng = np.random.default_rng(0)
    steps = rng.integers(-3, 9, size=(40, 2))
    new = np.array([[1, 100], [-50, 0]])
    if kind == "strings":
        steps, new = (np.array([[f"c{v}" for v in row] for row in part], dtype=object) for part in (steps, new))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1).fit(steps)
    encoding, sequences = learn([steps[:25], steps[25:]], handle_unknown="use_encoded_value")
    np.testing.assert_array_equal(sequences.values, encoder.transform(steps))
    for own, theirs in zip(encoding.categories_, encoder.categories_, strict=True):
        assert own.tolist() == theirs.tolist()
    expected = encoder.transform(new)
    np.testing.assert_array_equal(read(encoding, [new]).values, np.where(expected < 0, [len(c) for c in encoding.categories_], expected))


def test_rare_categories_are_unknown():
    encoding, sequences = learn([["a", "b"], ["a", "c"]], handle_unknown="use_encoded_value", min_frequency=2)
    assert_ids(sequences, [[0, 1], [0, 1]])
    assert_ids(read(encoding, [["z", "a"]]), [[1, 0]])
    assert encoding.n_ids == [2]


def test_channels_of_ids_are_numbered():
    encoding = Categories.numbered(3, 2)
    assert_ids(encoding.codes(Sequences(np.array([[2.0, 0.0], [1.0, 1.0]]), [0, 2]), reset=False), [[[2, 0], [1, 1]]])
    assert encoding.n_ids == [3, 2]


def test_categories_are_no_quantities():
    encoding, sequences = learn(CONTAINERS["lists"], [0, 2])
    mean, scale = encoding.statistics(sequences, lambda s: (s.values.mean(0), s.values.std(0)))
    numbers = np.array([row[1] for rows in SEQUENCES for row in rows])
    np.testing.assert_allclose(mean, [0, numbers.mean(), 0])
    np.testing.assert_allclose(scale, [1, numbers.std(), 1])
    encoding, sequences = learn(TOKENS)
    mean, scale = encoding.statistics(sequences, lambda s: pytest.fail("there is nothing to measure"))
    assert (mean.tolist(), scale.tolist()) == ([0], [1])


# -- what is refused ---------------------------------------------------------------------------------------------------------------------------


@every_container
def test_an_unknown_category_is_named_with_its_place(X):
    encoding = learn(X, [0, 2])[0]
    name = "" if encoding.names_ is None else r" \('weather'\)"
    changed = copy.deepcopy(SEQUENCES)
    changed[1][2][0] = "hail"
    new = changed if encoding.names_ is None else [pd.DataFrame(rows, columns=NAMES) for rows in changed]
    with pytest.raises(
        ValueError, match=rf"unknown category 'hail' in channel 0{name} of X \(sequence 1, step 2\); handle_unknown='use_encoded_value'"
    ):
        read(encoding, new)
    changed[1][2] = ["fog", 1.0, 8]
    with pytest.raises(ValueError, match=r"unknown category 8(\.0)? in channel 2.* of X \(sequence 1, step 2\)"):
        read(encoding, changed)


PLACES = {
    "long": long_frame([np.array(rows, dtype=object) for rows in SEQUENCES]).iloc[[2, 0, 3, 1, 4]],
    "nested": CONTAINERS["pandas columns"],
    "array": np.array([[["sun"], ["rain"], ["sun"]], [["rain"], ["rain"], ["fog"]]]),
}


@pytest.mark.parametrize(("name", "place"), [("long", (0, 0)), ("nested", (1, 0)), ("array", (1, 2))])
def test_places_are_counted_in_sequences_and_steps(name, place):
    X = PLACES[name]
    encoding = learn([["sun", "rain"]])[0] if name == "array" else learn(frames(pd.DataFrame) if name == "nested" else SEQUENCES[:1] * 2, [0])[0]
    if name == "nested":
        encoding.categories_[0] = np.array(["rain", "sun"], dtype=object)
    with pytest.raises(ValueError, match=rf"unknown category 'fog' in channel 0.* of X \(sequence {place[0]}, step {place[1]}\)"):
        encoding.numbers(X, reset=False)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([["a", None]], r"contains NaN: channel 0 of X \(sequence 0, step 1\) has no category"),
        ([np.array(["a", np.nan], dtype=object)], r"contains NaN: channel 0 of X \(sequence 0, step 1\)"),
        ([pd.DataFrame({"k": pd.array(["a", pd.NA], dtype="string")})], r"channel 0 \('k'\) of X \(sequence 0, step 1\) has no category"),
        ([["a", "b"], ["a", 3]], r"strings or numbers, not both: channel 0 of X \(sequence 1, step 1\) holds 3"),
        ([["a"], [2]], r"strings or numbers, not both: channel 0 of X \(sequence 1, step 0\) holds 2"),
        ([["a", b"b"]], r"strings or numbers: channel 0 of X \(sequence 0, step 1\) holds a bytes"),
        ([["a"], []], r"sequence 1 is empty"),
        ([], r"0 sample"),
        ([np.array([[2.0**60]])], r"of 9007199254740992 and more, which float64 cannot tell apart"),
        ([np.zeros((2, 2, 2))], r"2-D \(n_steps, n_features\) or 1-D"),
        ([np.zeros((2, 2)), np.array([["a"]])], r"sequence 1 has 1 features, sequence 0 has 2"),
    ],
)
def test_what_are_no_categories_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        learn(X)


@pytest.mark.parametrize(
    ("X", "given", "message"),
    [
        (SEQUENCES, [2], r"channel 0 of X \(sequence 0, step 0\) holds a string, 'sun', and is not among the channels=\[2\]"),
        (frames(pd.DataFrame), ["place"], r"channel 0 \('weather'\) of X \(sequence 0, step 0\) holds a string"),
        (frames(pd.DataFrame), ["wheather"], r"names 'wheather', which is no channel of X; X has \['weather', 'size', 'place'\]"),
        (SEQUENCES, ["weather"], r"names 'weather', but the channels of X have no names"),
        (NUMBERS, ["weather"], r"names 'weather', but the channels of X have no names"),
        (SEQUENCES, [3], r"channels has 3, but the channels of X are 0 to 2"),
        (NUMBERS, [-3], r"channels has -3, but the channels of X are 0 to 1"),
        (NUMBERS, [], r"'channels' parameter must be a list of channels"),
        (NUMBERS, "ab", r"'channels' parameter must be a list of channels"),
        (NUMBERS, [True], r"'channels' parameter must be a list of channels"),
        (
            [frames(pd.DataFrame)[0], frames(pd.DataFrame)[1][NAMES[::-1]]],
            [0],
            r"the channels of sequence 1 are named \['place', 'size', 'weather'\]",
        ),
    ],
)
def test_channels_that_are_none_are_refused(X, given, message):
    with pytest.raises(ValueError, match=message):
        learn(X, given)


def test_what_differs_from_fit_is_refused():
    strings, numbers = learn(SEQUENCES, [0])[0], learn(NUMBERS, [0])[0]
    with pytest.raises(ValueError, match=r"channel 0 of X holds numbers, but held strings in fit"):
        read(strings, [np.zeros((2, 3))])
    with pytest.raises(ValueError, match=r"channel 0 of X holds numbers, but held strings in fit"):
        read(strings, [np.zeros((2, 3), dtype=object)])
    with pytest.raises(ValueError, match=r"channel 0 of X holds strings, but held numbers in fit"):
        read(numbers, [np.array([["a", 1]], dtype=object)])
    with pytest.raises(ValueError, match=r"X has 2 features, but the frontend is expecting 3"):
        read(strings, [np.array([["sun", 1]], dtype=object)])
    named = learn(frames(pd.DataFrame), [0])[0]
    with pytest.raises(ValueError, match=r"channels of X are named \['a', 'size', 'place'\], but in fit \['weather', 'size', 'place'\]"):
        read(named, [frame.rename(columns={"weather": "a"}) for frame in frames(pd.DataFrame)])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"handle_unknown": "ignore"}, r"'handle_unknown' parameter must be one of \['error', 'use_encoded_value'\]; got 'ignore'"),
        ({"min_frequency": 0}, r"'min_frequency' parameter must be a whole number of at least 1; got 0"),
        ({"min_frequency": 2}, r"min_frequency=2 makes rare categories unknown"),
        ({"min_frequency": 9, "handle_unknown": "use_encoded_value"}, r"channel 0 of X has no category that occurs min_frequency=9 times"),
    ],
)
def test_parameters_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        learn(TOKENS, **settings)


@pytest.mark.parametrize("X", [[["a", "b"], ["c"]], [np.array([1, 2, 3])]], ids=["strings", "numbers"])
def test_more_categories_than_single_precision_tells_apart_are_refused(X, monkeypatch):
    monkeypatch.setattr("skrnn.data._ids._MOST", 3)
    with pytest.raises(ValueError, match=r"channel 0 of X has 3 categories, but ids are exact in float32 below 3 only"):
        learn(X)
    assert int(np.float32(2**24 - 1)) == 2**24 - 1


def test_strings_in_windows_are_refused():
    with pytest.raises(ValueError, match="X holds strings, but n_lags, layout or names of lags tell how to read its columns"):
        Categories().numbers(pd.DataFrame({"lag_1": ["a"], "lag_2": ["b"]}), reset=True, rows="windows")
    with pytest.raises(ValueError, match="X holds strings, but n_lags, layout or names of lags tell how to read its columns"):
        Categories().numbers(np.array([["a", "b"]]), reset=True, rows="windows")
