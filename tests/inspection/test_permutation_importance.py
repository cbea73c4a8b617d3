"""What answers hang on: channels and steps, in whatever container X comes."""

import pickle
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from joblib import parallel_config
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.inspection import permutation_importance as of_scikit_learn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import skrnn
from skrnn import (
    EchoStateClassifier,
    EchoStateRegressor,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    RNNSequenceRegressor,
    RNNTagger,
    Seq2SeqTranslator,
    Vec2SeqRegressor,
)
from skrnn.data import Sequences, as_sequences
from skrnn.frontends import Embedding, PerFrame
from skrnn.inspection import permutation_importance
from skrnn.metrics import step_scorer
from skrnn.preprocessing import TokenEncoder

SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}
TRAINED = {"hidden_size": 8, "max_epochs": 30, "random_state": 0}


@pytest.fixture(scope="module")
def lists():
    """Of 2 to 6 steps; the mean of channel 1 decides."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 3)) for n in rng.integers(2, 7, size=60)]
    return X, np.array([int(x[:, 1].mean() > 0) for x in X])


@pytest.fixture(scope="module")
def model(lists):
    return RNNClassifier(**TRAINED).fit(*lists)


@pytest.fixture(scope="module")
def equal():
    """Of 4 steps each; channel 2 of step 1 decides."""
    X = np.random.default_rng(1).normal(size=(80, 4, 3))
    return X, (X[:, 1, 2] > 0).astype(int)


def long_frame(X):
    """The steps of all sequences mixed up, in their order within each."""
    frame = pd.concat([pd.DataFrame(x, columns=list("abc")) for x in X], keys=[f"s{k}" for k in range(len(X))])
    return frame.sort_index(level=1, kind="stable", sort_remaining=False)


def nested_frame(X, make):
    return make({name: [x[:, k].tolist() for x in X] for k, name in enumerate("abc")})


def objects(X):
    cells = np.empty(len(X), dtype=object)
    cells[:] = X
    return cells


CONTAINERS = {
    "Sequences": as_sequences,
    "tuple": tuple,
    "objects": objects,
    "lists of lists": lambda X: [x.tolist() for x in X],
    "tensors": lambda X: [torch.from_numpy(x) for x in X],
    "packed": lambda X: torch.nn.utils.rnn.pack_sequence([torch.from_numpy(x) for x in X], enforce_sorted=False),
    "pandas": lambda X: [pd.DataFrame(x, columns=list("abc")) for x in X],
    "polars": lambda X: [pl.DataFrame(x, schema=list("abc"), orient="row") for x in X],
    "long": long_frame,
    "pandas cells": lambda X: nested_frame(X, pd.DataFrame),
    "polars cells": lambda X: nested_frame(X, pl.DataFrame),
}


class Recorder(RNNClassifier):
    """Keeps what it was asked to score."""

    def score(self, X, y, sample_weight=None):
        self.seen = [*vars(self).get("seen", []), X]
        return super().score(X, y, sample_weight)


# -- what is found ---------------------------------------------------------------------------------------------------------------------------------


def test_the_channel_that_decides_is_found_in_ragged_data(model, lists):
    result = permutation_importance(model, *lists, random_state=0)
    assert result.importances.shape == (3, 5)
    assert result.importances_mean[1] > 0.2 > abs(result.importances_mean[[0, 2]]).max()
    np.testing.assert_allclose(result.importances_std, result.importances.std(axis=1))


@pytest.mark.parametrize("ragged", [False, True])
def test_the_step_that_decides_is_found(equal, ragged):
    X, y = equal
    X = [x[: 2 + k % 3] for k, x in enumerate(X)] if ragged else X
    result = permutation_importance(RNNClassifier(**TRAINED).fit(X, y), X, y, per="step", random_state=0)
    assert result.importances.shape == (4, 5)
    assert result.importances_mean.argmax() == 1
    assert result.importances_mean[1] > 0.2


def test_windows_are_counted_from_the_first_step(equal):
    X, y = equal
    model = RNNClassifier(**TRAINED).fit(X, y)
    result = permutation_importance(model, X, y, per="step", window=3, random_state=0)
    assert result.importances.shape == (2, 5)
    assert result.importances_mean[0] > result.importances_mean[1]
    whole = permutation_importance(model, X, y, per="step", window=4, random_state=0)
    longer = permutation_importance(model, X, y, per="step", window=100, random_state=0)
    np.testing.assert_array_equal(whole.importances, longer.importances)


def test_what_the_model_never_sees_has_no_importance(lists):
    X, y = lists
    pipe = make_pipeline(FunctionTransformer(lambda X: [x[:, :2] for x in X]), RNNClassifier(**SMALL)).fit(X, y)
    assert (permutation_importance(pipe, X, y, random_state=0).importances[2] == 0).all()


def test_a_step_that_one_sequence_has_alone_has_no_importance(model, lists):
    X, y = lists
    X = [*X[:-1], np.random.default_rng(0).normal(size=(9, 3))]
    result = permutation_importance(model, X, y, per="step", random_state=0)
    assert result.importances.shape == (9, 5)
    assert (result.importances[6:] == 0).all()


# -- what is exchanged -----------------------------------------------------------------------------------------------------------------------------


def test_a_channel_keeps_its_course_and_its_values(lists):
    """End to end, in an order of sequences, and nothing else is touched."""
    X, y = lists
    model = Recorder(**SMALL).fit(X, y)
    permutation_importance(model, X, y, n_repeats=2, random_state=0)
    _, *seen = model.seen
    channel = np.concatenate(X)[:, 1]
    for new in seen[2:4]:
        assert [x.shape for x in new] == [x.shape for x in X]
        values = np.concatenate(new)
        np.testing.assert_array_equal(np.sort(values[:, 1]), np.sort(channel))
        np.testing.assert_array_equal(values[:, [0, 2]], np.concatenate(X)[:, [0, 2]])
        assert (values[:, 1] != channel).mean() > 0.9
        following = {a: b for x in X for a, b in zip(x[:-1, 1], x[1:, 1], strict=True)}
        kept = [following[a] == b for a, b in zip(values[:-1, 1], values[1:, 1], strict=True) if a in following]
        assert all(kept)


def test_a_channel_of_equal_lengths_is_that_of_another_sequence(equal):
    X, y = equal
    model = Recorder(**SMALL).fit(X, y)
    permutation_importance(model, X, y, n_repeats=1, random_state=0)
    new = model.seen[3]
    source = [int(np.flatnonzero((X[:, :, 2] == x[:, 2]).all(axis=1))[0]) for x in new]
    assert sorted(source) == list(range(len(X)))
    assert (X[:, :, :2] == new[:, :, :2]).all()


def test_a_step_is_exchanged_between_the_sequences_that_have_it(lists):
    X, y = lists
    model = Recorder(**SMALL).fit(X, y)
    permutation_importance(model, X, y, per="step", n_repeats=1, random_state=0)
    new = model.seen[1 + 4]
    assert all((a[:4] == b[:4]).all() and (a[5:] == b[5:]).all() for a, b in zip(X, new, strict=True))
    fifth, now = (np.array([x[4] for x in sequences if len(x) > 4]) for sequences in (X, new))
    assert not (fifth == now).all()
    np.testing.assert_array_equal(fifth[fifth[:, 0].argsort()], now[now[:, 0].argsort()])


def test_one_series_is_shifted_in_a_circle():
    X = np.random.default_rng(0).normal(size=(200, 2))
    y = X[:, 0] > 0
    model = RNNTagger(**TRAINED | {"max_epochs": 100}).fit(X, y)
    result = permutation_importance(model, X, y, random_state=0)
    assert result.importances_mean[0] > 5 * abs(result.importances_mean[1])

    class Watched(EchoStateRegressor):
        def score(self, X, y, sample_weight=None):
            self.seen = X
            return super().score(X, y, sample_weight)

    watched = Watched(20, random_state=0).fit(X, X[:, 0])
    permutation_importance(watched, X, X[:, 0], n_repeats=1, random_state=0)
    shifts = [k for k in range(200) if (np.roll(X[:, 1], k) == watched.seen[:, 1]).all()]
    assert len(shifts) == 1
    assert shifts != [0]
    assert (watched.seen[:, 0] == X[:, 0]).all()


def test_the_arrays_of_the_caller_stay_as_they_are(model, lists):
    X, y = lists
    before = pickle.dumps(X)
    for per in ("channel", "step"):
        permutation_importance(model, X, y, per=per, n_repeats=1)
    assert pickle.dumps(X) == before


# -- against scikit-learn --------------------------------------------------------------------------------------------------------------------------


def test_steps_of_univariate_rows_are_columns_of_scikit_learn():
    X, y = make_classification(n_samples=50, n_features=6, random_state=0)
    for table in (X, pd.DataFrame(X, columns=list("abcdef"))):
        model = RNNClassifier(**SMALL).fit(table, y)
        ours = permutation_importance(model, table, y, per="step", random_state=5)
        np.testing.assert_array_equal(ours.importances, of_scikit_learn(model, table, y, random_state=5).importances)


def test_channels_of_one_step_are_columns_of_scikit_learn():
    X, y = make_classification(n_samples=50, n_features=6, random_state=0)
    for model in (RNNClassifier(n_lags=1, **SMALL), make_pipeline(StandardScaler(), LogisticRegression())):
        model.fit(X, y)
        ours = permutation_importance(model, X, y, random_state=5, scoring="roc_auc", n_repeats=3)
        np.testing.assert_array_equal(ours.importances, of_scikit_learn(model, X, y, random_state=5, scoring="roc_auc", n_repeats=3).importances)


def test_vectors_are_exchanged_as_by_scikit_learn():
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(30, 3)), rng.normal(size=(30, 4))
    model = Vec2SeqRegressor(**SMALL).fit(X, Y)
    ours = permutation_importance(model, X, Y, random_state=5)
    np.testing.assert_array_equal(ours.importances, of_scikit_learn(model, X, Y, random_state=5).importances)


@pytest.mark.parametrize("settings", [{}, {"per": "step", "window": 2}])
def test_windows_of_a_table_say_what_sequences_say(settings, equal):
    X, y = equal
    table = X.reshape(80, 12)
    expected = permutation_importance(RNNClassifier(**SMALL).fit(X, y), X, y, random_state=0, **settings)
    for held in (table, table.tolist(), pd.DataFrame(table), pl.DataFrame(table, orient="row")):
        flat = RNNClassifier(n_lags=4, **SMALL).fit(held, y)
        np.testing.assert_array_equal(permutation_importance(flat, held, y, random_state=0, **settings).importances, expected.importances)


def test_columns_of_windows_are_ordered_as_by_scikit_learn(equal):
    X, y = equal
    flat = RNNClassifier(n_lags=4, **TRAINED).fit(X.reshape(80, 12), y)
    columns = of_scikit_learn(flat, X.reshape(80, 12), y, random_state=0).importances_mean.reshape(4, 3)
    channels = permutation_importance(flat, X.reshape(80, 12), y, random_state=0).importances_mean
    steps = permutation_importance(flat, X.reshape(80, 12), y, per="step", random_state=0).importances_mean
    assert columns.sum(axis=0).argmax() == channels.argmax() == 2
    assert columns.sum(axis=1).argmax() == steps.argmax() == 1


# -- containers ------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CONTAINERS)
@pytest.mark.parametrize("per", ["channel", "step"])
def test_every_container_says_the_same(name, per, lists):
    X, y = lists
    held = CONTAINERS[name](X)
    model = RNNClassifier(dtype="float64", **SMALL).fit(X, y)
    expected = permutation_importance(model, X, y, per=per, random_state=0, scoring="neg_log_loss", n_repeats=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = clone(model).fit(held, y)
        result = permutation_importance(same, held, y, per=per, random_state=0, scoring="neg_log_loss", n_repeats=2)
    np.testing.assert_allclose(result.importances, expected.importances, rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", ["Sequences", "tuple", "objects", "lists of lists", "pandas", "polars", "long", "pandas cells", "polars cells"])
def test_the_container_is_kept(name, lists):
    X, y = lists
    held = CONTAINERS[name](X)
    model = Recorder(**SMALL).fit(held, y)
    permutation_importance(model, held, y, n_repeats=1)
    for new in model.seen[1:]:
        assert type(new) is type(held)
        assert len(new) == len(held)
        if isinstance(held, pd.DataFrame):
            assert new.index.equals(held.index)
            assert list(new.columns) == list(held.columns)
            assert (new.dtypes == held.dtypes).all()
        elif name != "Sequences" and not isinstance(held, pl.DataFrame):
            assert {type(x) for x in new} == {type(x) for x in held}


def test_a_long_frame_has_an_answer_for_each_row(lists):
    X, _ = lists
    frame = long_frame(X)
    y = (frame["b"] > 0).to_numpy()
    model = RNNTagger(**TRAINED).fit(frame, y)
    result = permutation_importance(model, frame, y, random_state=0)
    assert result.importances_mean.argmax() == 1
    assert result.importances_mean[1] > 0.3


@pytest.mark.parametrize("settings", [{"layout": "nct"}, {"step_order": "newest_first"}, {"layout": "nct", "step_order": "newest_first"}])
@pytest.mark.parametrize("ragged", [False, True])
def test_other_layouts_say_the_same(settings, ragged, equal):
    X, y = equal
    X = [x[: 2 + k % 3] for k, x in enumerate(X)] if ragged else X
    step = -1 if "step_order" in settings else 1
    held = [x[::step].T if "layout" in settings else x[::step] for x in X]
    held = held if ragged else np.array(held)
    model = RNNClassifier(**SMALL).fit(X, y)
    other = RNNClassifier(**SMALL, **settings).fit(held, y)
    for per in ("channel", "step"):
        expected = permutation_importance(model, X, y, per=per, random_state=0, scoring="neg_log_loss")
        result = permutation_importance(other, held, y, per=per, random_state=0, scoring="neg_log_loss")
        np.testing.assert_allclose(result.importances, expected.importances, rtol=0, atol=1e-6)


def test_columns_that_hold_for_all_steps_are_channels():
    X = np.random.default_rng(0).normal(size=(80, 5))
    y = X[:, 4] > 0
    model = RNNClassifier(n_lags=4, layout="lags_then_constants", **TRAINED).fit(X, y)
    assert permutation_importance(model, X, y, random_state=0).importances_mean.argmax() == 1
    steps = permutation_importance(model, X, y, per="step", random_state=0).importances_mean
    assert steps.shape == (4,)
    assert abs(steps).max() < 0.1


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_categories_stay_categories(library):
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 7, size=60)
    kinds = [rng.choice(["red", "green", "blue"], n) for n in lengths]
    y = np.array([(kind == "red").any() for kind in kinds])
    if library == "pandas":
        X = [pd.DataFrame({"size": rng.normal(size=len(kind)), "kind": pd.Categorical(kind)}) for kind in kinds]
    else:
        X = [pl.DataFrame({"size": rng.normal(size=len(kind)), "kind": pl.Series(kind.tolist(), dtype=pl.Categorical)}) for kind in kinds]
    model = Recorder(**TRAINED).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = permutation_importance(model, X, y, random_state=0)
    assert result.importances_mean[1] > 0.1 > abs(result.importances_mean[0])
    assert all(str(x["kind"].dtype).lower().startswith("categor") for x in model.seen[-1])


@pytest.mark.parametrize("text", [True, False])
def test_tokens_are_exchanged_as_steps(text):
    rng = np.random.default_rng(0)
    X = ["".join(rng.choice(list("abc"), n)) for n in rng.integers(3, 7, size=60)]
    y = np.array([x[1] == "a" for x in X])
    X = X if text else [list(x) for x in X]
    model = RNNClassifier(frontend=Embedding(4), **TRAINED | {"max_epochs": 60}).fit(X, y)
    steps = permutation_importance(model, X, y, per="step", random_state=0).importances_mean
    assert steps.argmax() == 1
    assert permutation_importance(model, X, y, random_state=0).importances.shape == (1, 5)
    series = pd.Series(X, index=np.arange(60)[::-1])
    np.testing.assert_array_equal(permutation_importance(model, series, y, per="step", random_state=0).importances_mean, steps)


def test_a_translator_reads_exchanged_tokens():
    words = ["ab", "ba", "aab", "bba"] * 4
    model = Seq2SeqTranslator(**SMALL).fit(words, words)
    expected = permutation_importance(model, words, words, per="step", random_state=0).importances
    frame = permutation_importance(model, pd.DataFrame({"text": words}), words, per="step", random_state=0).importances
    np.testing.assert_array_equal(expected, frame)
    assert expected.shape == (3, 5)


def test_texts_that_a_pipeline_cuts_are_refused():
    X, y = ["not so bad", "bad", "so good", "good"] * 3, [1, 0, 1, 1] * 3
    pipe = make_pipeline(TokenEncoder(), RNNClassifier(frontend=Embedding(2), **SMALL)).fit(X, y)
    with pytest.raises(TypeError, match=r"pipeline\[:-1\].transform\(X\)"):
        permutation_importance(pipe, X, y, per="step")
    result = permutation_importance(pipe[-1], pipe[:-1].transform(X), y, per="step", random_state=0)
    assert result.importances.shape == (3, 5)


def test_pictures_are_exchanged_step_by_step():
    X = np.random.default_rng(0).normal(size=(12, 3, 4, 4))
    y = np.arange(12) % 2
    model = RNNClassifier(frontend=PerFrame(), **SMALL).fit(X, y)
    assert permutation_importance(model, X, y, per="step", n_repeats=1).importances.shape == (3, 1)
    with pytest.raises(ValueError, match="per='step'"):
        permutation_importance(model, X, y)


# -- estimators, scorers, arguments ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("estimator", [RNNClassifier, RNNRegressor, EchoStateClassifier, skrnn.LiquidStateClassifier, skrnn.Seq2SeqRegressor])
def test_estimators_of_sequences(estimator, lists):
    X, y = lists
    settings = {"max_epochs": 1} if "max_epochs" in estimator().get_params() else {}
    y = [x[:, 0] for x in X] if estimator is skrnn.Seq2SeqRegressor else y
    model = estimator(hidden_size=8, random_state=0, **settings).fit(X, y)
    result = permutation_importance(model, X, y, n_repeats=1, random_state=0)
    assert np.isfinite(result.importances).all()
    assert result.importances.shape == (3, 1)


@pytest.mark.parametrize("estimator", [RNNTagger, RNNSequenceRegressor, EchoStateRegressor])
@pytest.mark.parametrize("ragged", [True, False])
def test_estimators_of_steps(estimator, ragged, lists):
    X, _ = lists
    X = X if ragged else [x[:2] for x in X]
    y = [(x[:, 1] > 0).astype(int) for x in X]
    X, y = (X, y) if ragged else (np.array(X), np.array(y))
    settings = {"max_epochs": 60, "hidden_size": 8} if "max_epochs" in estimator().get_params() else {"hidden_size": 30}
    model = estimator(random_state=0, **settings).fit(X, y)
    scoring = step_scorer("f1_macro") if estimator is RNNTagger else step_scorer("neg_mean_absolute_error")
    for chosen in (None, scoring):
        result = permutation_importance(model, X, y, random_state=0, scoring=chosen)
        assert result.importances_mean.argmax() == 1
        assert result.importances_mean[1] > 0.1


def test_a_forecaster_has_covariates():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(150, 2)), columns=["a", "b"], index=pd.date_range("2024", periods=150))
    y = pd.Series(X["b"].to_numpy() * 3, index=X.index)
    model = RNNForecaster(horizon=30, n_lags=5, hidden_size=8, max_epochs=20, random_state=0).fit(X[:120], y[:120])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = permutation_importance(model, X[120:], y[120:], random_state=0)
    assert result.importances_mean.argmax() == 1
    with pytest.raises(TypeError, match="X must hold sequences"):
        permutation_importance(RNNForecaster(horizon=3, n_lags=5, max_epochs=1).fit(None, y[:30]), None, y[30:33])


def test_searches_and_pipelines_are_looked_into(lists):
    X, _ = lists
    table = np.concatenate(X)
    labels = table[:, 1] > 0
    search = GridSearchCV(RNNTagger(**TRAINED), {"hidden_size": [8]}, cv=2).fit(table, labels)
    pipe = make_pipeline(StandardScaler(), search).fit(table, labels)
    for model in (search, pipe):
        assert permutation_importance(model, table, labels, random_state=0).importances_mean.argmax() == 1


def test_weights_count(model, lists):
    X, y = lists
    weight = np.r_[np.ones(30), np.zeros(30)]
    weighted = permutation_importance(model, X, y, sample_weight=weight, random_state=0)
    equal = permutation_importance(model, X, y, random_state=0)
    assert not (weighted.importances == equal.importances).all()
    steps = model.score(X[:30], y[:30]) - weighted.importances
    np.testing.assert_allclose(steps * 30, np.round(steps * 30), atol=1e-9)


def test_several_scorings_have_a_result_each(model, lists):
    both = permutation_importance(model, *lists, scoring=["accuracy", "neg_log_loss"], random_state=0)
    alone = permutation_importance(model, *lists, scoring="accuracy", random_state=0)
    assert set(both) == {"accuracy", "neg_log_loss"}
    np.testing.assert_array_equal(both["accuracy"].importances, alone.importances)


def test_the_same_seed_says_the_same_side_by_side(model, lists):
    first = permutation_importance(model, *lists, random_state=3)
    np.random.seed(7)
    state = np.random.get_state()[1].copy()
    with parallel_config("threading"):
        again = permutation_importance(model, *lists, random_state=3, n_jobs=2)
    other = permutation_importance(model, *lists, random_state=4)
    np.testing.assert_array_equal(first.importances, again.importances)
    assert not (first.importances == other.importances).all()
    assert (np.random.get_state()[1] == state).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", CONTAINERS)
def test_other_processes_say_the_same(name, model, lists):
    X, y = CONTAINERS[name](lists[0]), lists[1]
    held = clone(model).fit(X, y)
    alone, beside = (permutation_importance(held, X, y, random_state=3, n_jobs=n_jobs) for n_jobs in (None, 2))
    np.testing.assert_array_equal(alone.importances, beside.importances)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"per": "time"}, "per must be 'channel' or 'step'; got 'time'"),
        ({"n_repeats": 0}, "n_repeats must be a whole number of at least 1; got 0"),
        ({"per": "step", "window": 1.5}, "window must be a whole number of at least 1; got 1.5"),
        ({"window": 2}, "window=2 is for per='step'"),
    ],
)
def test_wrong_arguments_are_named(settings, message, model, lists):
    with pytest.raises(ValueError, match=message):
        permutation_importance(model, *lists, **settings)


def test_what_cannot_be_exchanged_is_refused(model, lists):
    X, y = lists
    with pytest.raises(ValueError, match="steps cannot be exchanged"):
        permutation_importance(model, X[:1], y[:1], per="step")
    with pytest.raises(ValueError, match="one sequence of one step"):
        permutation_importance(model, [X[0][:1]], y[:1])
    with pytest.raises(ValueError, match="features"):
        permutation_importance(model, [x[:, :2] for x in X], y)
    assert permutation_importance(model, Sequences(X[0].astype(np.float32), [0, len(X[0])]), y[:1]).importances.shape == (3, 5)


def test_what_is_set_after_the_fit_changes_nothing():
    X = np.random.default_rng(0).normal(size=(12, 3, 2))
    y = X[:, 1].mean(axis=1)
    model = RNNRegressor(layout="nct", hidden_size=3, max_epochs=3, random_state=0).fit(X, y)
    before = permutation_importance(model, X, y, random_state=0).importances
    np.testing.assert_array_equal(permutation_importance(model.set_params(layout="ntc"), X, y, random_state=0).importances, before)


# -- what is known of sequences as wholes ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_static():
    """Channel 0 counts, upward or downward as the kind says; the size does not."""
    rng = np.random.default_rng(3)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(3, 8, size=160)]
    kind = rng.choice(["up", "down"], size=160)
    static = pd.DataFrame({"size": rng.normal(size=160), "kind": kind}, index=np.arange(160) + 7)
    y = (np.array([x[:, 0].mean() for x in X]) > 0) == (kind == "up")
    return RNNClassifier(hidden_size=12, max_epochs=60, learning_rate=0.01, random_state=0).fit(X, y, static=static), X, y, static


def test_columns_of_static_stand_behind_the_channels(with_static):
    model, X, y, static = with_static
    drop = permutation_importance(model, X, y, static=static, random_state=0)
    assert drop.importances.shape == (4, 5)
    assert sorted(drop.importances_mean.argsort()[2:]) == [0, 3]
    assert drop.importances_mean[[0, 3]].min() > 0.2
    assert np.abs(drop.importances_mean[[1, 2]]).max() < 0.1
    steps = permutation_importance(model, X, y, static=static, per="step", random_state=0)
    assert steps.importances.shape == (7, 5)
    pd.testing.assert_frame_equal(static, with_static[3])


def test_a_column_of_static_is_exchanged_as_one_of_a_table_is_in_scikit_learn(with_static):
    model, X, y, static = with_static
    drop = permutation_importance(model, X, y, static=static, random_state=0)

    class Wrapped:
        def fit(self, rows, y):
            return self

        def score(self, rows, y):
            return model.score(X, y, static=rows)

    expected = of_scikit_learn(Wrapped(), static, y, random_state=0)
    np.testing.assert_array_equal(drop.importances[2:], expected.importances)


def test_static_counts_the_same_in_every_container_and_with_every_scoring(with_static):
    model, X, y, static = with_static
    expected = permutation_importance(model, X, y, static=static, random_state=0).importances
    others = [pl.DataFrame({"size": static["size"].to_numpy(), "kind": static["kind"].tolist()}), static.to_numpy(), static.to_numpy().tolist()]
    for other in others:
        np.testing.assert_array_equal(permutation_importance(model, X, y, static=other, random_state=0).importances, expected)
    both = permutation_importance(model, X, y, static=static, scoring=["accuracy", "neg_log_loss"], random_state=0, n_jobs=2)
    np.testing.assert_array_equal(both["accuracy"].importances, expected)
    with config_context(enable_metadata_routing=True):
        search = GridSearchCV(RNNClassifier(**SMALL), {"hidden_size": [2]}, cv=2).fit(X, y, static=static)
    assert permutation_importance(search, X, y, static=static, n_repeats=2).importances.shape == (4, 2)


def test_static_is_refused_where_nothing_reads_it(with_static, lists):
    model, X, y, static = with_static
    with pytest.raises(ValueError, match="static was given to fit, and is missing here"):
        permutation_importance(model, X, y)
    with pytest.raises(ValueError, match="static must have a row for each of the 160 series; got 3"):
        permutation_importance(model, X, y, static=static[:3])
    with pytest.raises(TypeError, match="RNNTagger takes no static in predict"):
        permutation_importance(RNNTagger(**SMALL).fit(*steps_of(lists)), *steps_of(lists), static=static)
    with pytest.raises(TypeError, match=r"not to a pipeline: pass pipeline\[-1\]"):
        permutation_importance(make_pipeline(FunctionTransformer(), model), X, y, static=static)


def steps_of(lists):
    X, _ = lists
    return X, [(x[:, 0] > 0).astype(int) for x in X]
