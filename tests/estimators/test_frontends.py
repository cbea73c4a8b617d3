"""From what a user brings to a fitted estimator and back: each frontend learns what the layers alone could not."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skrnn import RNNClassifier, RNNRegressor, RNNSequenceRegressor, RNNTagger, Seq2SeqRegressor
from skrnn.engine import TruncatedBPTT
from skrnn.frontends import Conv1d, Embedding, PerFrame
from skrnn.inspection import GradientFlowDisplay
from skrnn.training import AdditiveOutliers


def tokens(rng, n=200):
    """Whether the last of two kinds of words is a noun, among words that say nothing."""
    nouns, verbs, others = ["cat", "dog", "bird"], ["sees", "eats"], ["the", "a", "very"]
    X = [[*rng.choice(nouns + verbs + others, rng.integers(2, 7)), *rng.choice(others, rng.integers(0, 3))] for _ in range(n)]
    told = [[word for word in x if word not in others] for x in X]
    keep = [k for k, words in enumerate(told) if words]
    return [X[k] for k in keep], np.array([told[k][-1] in nouns for k in keep])


def events(rng, n=300):
    """Whether the last amount is large, or small for two kinds of events; amounts are large numbers."""
    X = [np.column_stack([rng.integers(10, 14, m), 1000 + rng.choice([-1, 1], m)]) for m in rng.integers(3, 8, n)]
    return X, np.array([(x[-1, 1] > 1000) != (x[-1, 0] in (11, 12)) for x in X])


def waves(rng, n=120):
    """Whether a long noisy signal swings fast or slowly."""
    y = np.arange(n) % 2 == 0
    lengths = rng.integers(80, 120, n)
    return [np.sin(np.arange(m) * (0.8 if fast else 0.5) + rng.uniform(0, 6))[:, None] for m, fast in zip(lengths, y, strict=True)], y


def films(rng, n=150):
    """Whether a dot moves to the right, in bytes."""
    right, X = rng.random(n) < 0.5, []
    for to_right in right:
        x = np.zeros((rng.integers(4, 7), 6, 6), dtype=np.uint8)
        for k, frame in enumerate(x):
            frame[rng.integers(6), (k if to_right else 5 - k) % 6] = 255
        X.append(x)
    return X, right


TASKS = {
    "tokens": (Embedding(4), tokens),
    "tokens, filtered": (Conv1d(8, 3, frontend=Embedding(4)), tokens),
    "events": (Embedding(3, channels=[0]), events),
    "waves": (Conv1d(8, 9, stride=8), waves),
    "films": (PerFrame(size=8, n_filters=4), films),
}


@pytest.mark.parametrize("task", TASKS)
def test_each_frontend_learns_its_task(task):
    frontend, make = TASKS[task]
    X, y = make(np.random.default_rng(0))
    n = 2 * len(X) // 3
    model = RNNClassifier(frontend=frontend, max_epochs=40, random_state=0).fit(X[:n], y[:n])
    assert model.score(X[n:], y[n:]) > 0.9
    np.testing.assert_array_equal(model.decision_function(X[n : n + 3]), model.decision_function(X[n:])[:3])


def settings_of(make):
    return {name: value for name, value in {"hidden_size": 6, "max_epochs": 3, "random_state": 0}.items() if name in make().get_params()}


def target_of(make, X):
    """Something to be learnt: of each sequence, of each step, or two numbers to be written."""
    if make in (RNNTagger, RNNSequenceRegressor):
        return [np.arange(len(x)) % 2 for x in X]
    return np.tile([[0.0, 1.0], [1.0, 0.0]], (len(X), 1))[: len(X)] if make is Seq2SeqRegressor else np.arange(len(X)) % 2


READERS = [RNNClassifier, RNNRegressor, RNNTagger, RNNSequenceRegressor, Seq2SeqRegressor]
every_reader = pytest.mark.parametrize("make", READERS)
every_task = pytest.mark.parametrize("task", ["tokens", "events", "films"])


def fitted(make, task, **settings):
    frontend, draw = TASKS[task]
    X, _ = draw(np.random.default_rng(0))
    X = X[:40]
    return make(frontend=frontend, **settings_of(make) | settings).fit(X, target_of(make, X)), X


def as_arrays(answers):
    return [np.asarray(answer) for answer in answers]


def assert_equal(some, others):
    for a, b in zip(as_arrays(some), as_arrays(others), strict=True):
        np.testing.assert_array_equal(a, b)


@every_reader
@every_task
def test_every_estimator_takes_every_frontend(make, task):
    model, X = fitted(make, task)
    said = model.predict(X)
    assert_equal(pickle.loads(pickle.dumps(model)).predict(X), said)
    assert_equal(clone(model).fit(X, target_of(make, X)).predict(X), said)
    assert_equal(model.predict(X[5:9]), said[5:9])
    assert len(np.unique(np.concatenate([np.ravel(answer) for answer in as_arrays(fitted(RNNSequenceRegressor, task)[0].predict(X))]))) > 2


@every_reader
def test_a_frontend_is_searched_like_a_cell(make):
    model, X = fitted(make, "tokens")
    y = target_of(make, X)
    search = GridSearchCV(model, {"frontend__size": [1, 3], "frontend": [Embedding(2)]}, cv=2).fit(X, y)
    assert search.best_estimator_.network_.frontend.size == search.best_params_["frontend__size"]


@every_reader
def test_a_fit_that_fails_leaves_what_was_learnt(make):
    model, X = fitted(make, "tokens")
    before = model.predict(X)
    with pytest.raises(ValueError, match="no category that occurs min_frequency"):
        model.set_params(frontend=Embedding(3, handle_unknown="use_encoded_value", min_frequency=10**6)).fit(X, target_of(make, X))
    assert_equal(model.predict(X), before)


def test_what_is_unknown_and_where():
    model, X = fitted(RNNClassifier, "tokens")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(model.predict([["the"], ["the", "zebra"]])) == 2
    np.testing.assert_array_equal(model.encoding_.categories_[0], sorted({word for x in X for word in x}))
    with pytest.warns(UserWarning, match="Nothing in sequence 1 of channel 0 of X was seen in fit"):
        model.predict([["the"], ["zebra", "gnu"]])
    strict = model.set_params(frontend=Embedding(4, handle_unknown="error")).fit(X, target_of(RNNClassifier, X))
    with pytest.raises(ValueError, match=r"unknown category 'zebra' in channel 0 of X \(sequence 1, step 1\)"):
        strict.predict([["the"], ["the", "zebra"]])


# -- without a frontend the types in X decide -------------------------------------------------------------------------------------------------


TOKEN_LISTS = {
    "lists of one length": lambda X: [x[:2] for x in X],
    "lists": lambda X: X,
    "a table of strings": lambda X: np.array([x[:2] for x in X]),
    "arrays": lambda X: [np.array(x) for x in X],
    "a pandas series": pd.Series,
    "a polars series": pl.Series,
    "a column of lists": lambda X: pd.DataFrame({"words": X}),
    "a polars column of lists": lambda X: pl.DataFrame({"words": X}),
}


@pytest.mark.parametrize("container", TOKEN_LISTS)
@every_reader
def test_tokens_are_embedded_by_themselves(make, container):
    words, _ = tokens(np.random.default_rng(0))
    words = [x for x in words if len(x) > 1][:20]
    X = TOKEN_LISTS[container](words)
    if make in (RNNTagger, RNNSequenceRegressor) and container == "a table of strings":
        X = list(X)  # for them a table is one sequence
    lengths = [2 if "length" in container or "table" in container else len(x) for x in words]
    y = target_of(make, [range(n) for n in lengths])
    model = make(**settings_of(make)).fit(X, y)
    said = model.predict(X)
    assert_equal(said, make(frontend=Embedding(), **settings_of(make)).fit(X, y).predict(X))
    assert_equal(pickle.loads(pickle.dumps(model)).predict(X), said)
    assert_equal(clone(model).fit(X, y).predict(X), said)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, "enum", "long"])
def test_columns_of_a_categorical_type_are_embedded_by_themselves(make):
    rng = np.random.default_rng(0)
    columns = [{"day": rng.choice(["mon", "sun"], 5), "sales": rng.normal(1000, 1, 5)} for _ in range(60)]
    y = [x["day"][-1] for x in columns]
    kind = {"enum": pl.Enum(["mon", "sun"]), pl.DataFrame: pl.Categorical}.get(make)
    if kind is not None:
        X = [pl.DataFrame(x).with_columns(pl.col("day").cast(kind)) for x in columns]
    else:
        X = [pd.DataFrame(x).astype({"day": pd.CategoricalDtype(["mon", "sun"])}) for x in columns]
        X = pd.concat(X, keys=range(60)) if make == "long" else X
    model = RNNClassifier(random_state=0, max_epochs=30).fit(X, y)
    assert model.score(X, y) > 0.9
    assert model.encoding_.names_ == ["day", "sales"]
    assert model.encoding_.places_.tolist() == [0]
    assert abs(model.mean_[1] - 1000) < 1


def test_the_frontend_that_types_ask_for_is_searched_too():
    X, y = tokens(np.random.default_rng(0), 40)
    search = GridSearchCV(RNNClassifier(**settings_of(RNNClassifier)), {"frontend__size": [2, 3]}, cv=2).fit(X, y)
    assert search.best_estimator_.network_.frontend.size == search.best_params_["frontend__size"]
    assert RNNClassifier().set_params(frontend="auto", frontend__size=3).frontend.channels == "from_dtype"


def test_numbers_need_no_frontend():
    X = np.random.default_rng(0).normal(size=(10, 4, 2))
    for container in (X, list(X), X[..., 0], X.astype(object)[..., 0], X.tolist(), [pd.DataFrame(x) for x in X]):
        model = RNNClassifier(**settings_of(RNNClassifier)).fit(container, np.arange(10) % 2)
        assert model.network_.frontend is None
        assert "encoding_" not in vars(model)


NUMBERS_BESIDE_STRINGS = "could not convert string to float"


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (["not good", "good"], r"X holds texts: say what their tokens are.*TokenEncoder\(\).*text.split\(\)"),
        (pd.Series(["not good", "good"]), r"X holds texts"),
        ([["1", "2"], ["3"]], r"is not compatible.*The first is '1' in channel 0 of X \(sequence 0, step 0\)"),
        ([["1.5", "n/a"], ["3", "2"]], r"The first is 'n/a' in channel 0 of X \(sequence 0, step 1\)"),
        ([["the", "cat"], ["a", 3]], r"strings or numbers, not both: channel 0 of X \(sequence 1, step 1\) holds 3"),
        ([["the", "cat"], ["a", None]], r"channel 0 of X \(sequence 1, step 1\) has no category"),
        ([[1.0, 2.0], [3.0, "high"]], r"The first is 'high' in channel 0 of X \(sequence 1, step 1\)"),
        ([[["mon", 1.0]], [["sun", 2.0]]], r"The first is 'mon' in channel 0 of X \(sequence 0, step 0\).*channels="),
        ([pd.DataFrame({"n": [1, 2], "day": [3, "sun"]})] * 2, r"The first is 'sun' in column 'day' of X \(sequence 0, step 1\)"),
        (
            [pl.DataFrame({"n": [1], "day": ["1"]}), pl.DataFrame({"n": [1], "day": ["sun"]})],
            r"The first is 'sun' in column 'day' of X \(seq",
        ),
        (
            pd.concat([pd.DataFrame({"n": [1, 2], "day": [3, "sun"]})] * 2, keys=["a", "b"]),
            NUMBERS_BESIDE_STRINGS + r".*The first is 'sun' in column 'day' of X \(sequence 0, step 1\)",
        ),
    ],
)
def test_strings_that_are_no_tokens_are_refused_with_their_place(X, message):
    with pytest.raises(ValueError, match=message):
        RNNClassifier().fit(X, [0, 1])


def test_strings_are_refused_where_fit_saw_numbers_and_numbers_where_it_saw_tokens():
    X, y = [["a", "b"], ["c"]], [0, 1]
    model = RNNClassifier(**settings_of(RNNClassifier)).fit(X, y)
    for wrong, message in ((np.zeros((2, 3)), "holds numbers, but held strings in fit"), (["a b", "c"], "X holds texts")):
        with pytest.raises(ValueError, match=message):
            model.predict(wrong)
    with pytest.raises(ValueError, match=r"could not convert string|not compatible with arrays of bytes/strings"):
        model.fit([[1.0, 2.0], [3.0, 4.0]], y).predict([["a", "b"], ["c", "d"]])


def test_a_step_estimator_names_column_and_step_of_a_string():
    with pytest.raises(ValueError, match=r"The first is 'sun' in column 'day' of X \(sequence 0, step 1\)"):
        RNNTagger().fit(pd.DataFrame({"n": [1, 2], "day": [3, "sun"]}), [0, 1])


def test_training_goes_on_with_the_categories_of_the_first_fit():
    model, X = fitted(RNNClassifier, "tokens", warm_start=True)
    some = [x for x in X if "cat" not in x]
    model.set_params(frontend=clone(model.frontend)).fit(some, target_of(RNNClassifier, some)).partial_fit(X, target_of(RNNClassifier, X))
    assert "cat" in model.encoding_.categories_[0]
    with pytest.raises(ValueError, match=r"network of frontend=Embedding\(size=4\), but the estimator now has frontend=Embedding\(size=5\)"):
        model.set_params(frontend__size=5).fit(X, target_of(RNNClassifier, X))


def test_without_a_frontend_nothing_is_left_of_it():
    model, _ = fitted(RNNClassifier, "events")
    X = np.random.default_rng(0).normal(size=(10, 4, 2))
    model.set_params(frontend=None).fit(X, np.arange(10) % 2)
    assert "encoding_" not in vars(model)
    assert model.network_.frontend is None


def test_attention_looks_at_what_comes_out_of_the_frontend():
    X = [np.random.default_rng(k).normal(size=(n, 2)) for k, n in enumerate([7, 4, 6, 7])]
    y = np.ones((4, 3))
    model = Seq2SeqRegressor(frontend=Conv1d(4, 3, stride=2), attention="dot", hidden_size=4, bidirectional=False, max_epochs=2, random_state=0)
    weights = model.fit(X, y).attention_weights(X)
    assert [w.shape for w in weights] == [(3, 4), (3, 2), (3, 3), (3, 4)]
    np.testing.assert_allclose([w.sum(1) for w in weights], 1, atol=1e-6)


def test_answers_at_every_step_need_every_step():
    X, _ = TASKS["waves"][1](np.random.default_rng(0), 10)
    with pytest.raises(ValueError, match="An answer at every step needs a frontend that keeps the steps"):
        RNNTagger(frontend=Conv1d(4, 3, stride=2)).fit(X, [np.zeros(len(x), int) for x in X])


def test_a_stream_goes_on_where_each_step_is_seen_by_itself():
    model, X = fitted(RNNTagger, "tokens")
    _, state = model.predict([x[:1] for x in X], return_state=True)
    assert_equal(model.predict([x[1:] or x[:1] for x in X], state=state)[0], model.predict(X)[0][1:])
    mixing = RNNTagger(frontend=Conv1d(4, 3), **settings_of(RNNTagger)).fit(np.zeros((3, 5, 1)), np.ones((3, 5), int))
    with pytest.raises(ValueError, match="A stream needs a frontend that takes each step by itself"):
        mixing.predict(np.zeros((3, 5, 1)), return_state=True)


def test_ids_get_no_outliers():
    X, y = TASKS["tokens"][1](np.random.default_rng(0), 20)
    with pytest.raises(ValueError, match="AdditiveOutliers"):
        RNNClassifier(frontend=Conv1d(4, 3, frontend=Embedding(4)), penalties=AdditiveOutliers()).fit(X, y)


def test_a_frame_with_a_categorical_column():
    rng = np.random.default_rng(0)
    X = [pd.DataFrame({"day": rng.choice(["mon", "sun"], 5), "sales": rng.normal(1000, 1, 5)}) for _ in range(60)]
    y = [x["day"].iloc[-1] for x in X]
    model = RNNClassifier(frontend=Embedding(2, channels=["day"]), random_state=0, max_epochs=30).fit(X, y)
    assert model.score(X, y) > 0.9
    np.testing.assert_array_equal(model.encoding_.categories_[0], ["mon", "sun"])
    assert model.mean_[0] == 0
    assert abs(model.mean_[1] - 1000) < 1


def test_truncation_learns_through_the_frontend():
    X, y = waves(np.random.default_rng(0))
    model = RNNClassifier(frontend=Conv1d(8, 9, stride=4), rule=TruncatedBPTT(10), random_state=0).fit(X[:80], y[:80])
    assert model.score(X[80:], y[80:]) > 0.9


def test_the_gradient_is_drawn_over_the_steps_behind_the_frontend():
    X = [np.random.default_rng(n).normal(size=(n, 2)) for n in (5, 6, 7, 8)]
    model = RNNClassifier("lstm", frontend=Conv1d(3, stride=3), **settings_of(RNNClassifier)).fit(X, [0, 1, 0, 1])
    norms = GradientFlowDisplay.from_estimator(model, X).norms
    assert all(len(of_steps) == 3 and np.isfinite(of_steps).all() for of_steps in norms.values())


@pytest.mark.parametrize(
    ("make", "wrong", "message"),
    [
        (Embedding(2), ["abc", None, "b"], r"sequence 1 of X must hold tokens or steps.*got None"),
        (Embedding(2), [["a"], 3, ["b"]], r"sequence 1 of X must hold tokens or steps.*got 3"),
        (Embedding(2), np.array([[1.0, 0.5], [2.0, 1.0]]), r"channel 0 of X holds 0.5: categories are strings or whole numbers"),
        (PerFrame(), np.zeros((4, 36, 6, 6)), "X holds pictures, whose steps come first"),
        (Conv1d(2, frontend="embedding"), np.zeros((4, 3, 1)), "The 'frontend' parameter must be a frontend"),
    ],
)
def test_what_cannot_be_read_is_refused(make, wrong, message):
    settings = {"layout": "nct"} if isinstance(make, PerFrame) else {}
    with pytest.raises((TypeError, ValueError), match=message):
        RNNClassifier(frontend=make, **settings).fit(wrong, np.arange(len(wrong)) % 2)


def test_too_few_channels_are_refused_and_lags_may_stand_beside_a_category():
    rng = np.random.default_rng(0)
    X = np.dstack([rng.normal(size=(20, 5)), rng.normal(size=(20, 5)), rng.integers(0, 3, (20, 5))])
    model = RNNClassifier(frontend=Embedding(2, channels=[-1]), **settings_of(RNNClassifier)).fit(X, np.arange(20) % 2)
    for few in (X[..., :2], X[..., 0]):
        with pytest.raises(ValueError, match=r"X has . features, but the frontend is expecting 3"):
            model.predict(few)
    lags = pd.DataFrame({**{f"lag{k}": rng.normal(size=20) for k in (1, 2, 3)}, "shop": [0, 1] * 10})
    model = RNNClassifier(frontend=Embedding(2, channels=[1]), **settings_of(RNNClassifier)).fit(lags, np.arange(20) % 2)
    np.testing.assert_array_equal(model.encoding_.categories_[0], [0, 1])
