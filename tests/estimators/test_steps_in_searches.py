"""Estimators with an answer for each step in scikit-learn's searches: scorers over steps, out-of-fold answers, long frames."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, roc_auc_score
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, cross_val_predict, cross_val_score

from skrnn import RNNAnomalyDetector, RNNSequenceRegressor, RNNTagger, as_sequences
from skrnn.metrics import step_scorer
from tests.estimators.samples import objects

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(5 + i % 5, 3)) for i in range(16)]
TAGS = [np.where(x[:, 0] > 0, "p", "n") for x in RAGGED]
SUMS = [x.sum(axis=1) for x in RAGGED]
EQUAL = RNG.normal(size=(12, 6, 2))
GRADES = np.digitize(EQUAL[..., 0], [-0.5, 0.5])
FRAME = pd.concat({name: pd.DataFrame(x, columns=["a", "b", "c"]) for name, x in zip("ponmlkjihgfedcba", RAGGED, strict=True)})
M = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}


def by_hand(model, X, y, cv, score, method="predict"):
    found = []
    for train, test in cv.split(X):
        fitted = model.fit([X[i] for i in train], [y[i] for i in train])
        answers = getattr(fitted, method)([X[i] for i in test])
        found.append(score(np.concatenate([y[i] for i in test]), np.concatenate(answers)))
    return found


@pytest.mark.parametrize(
    ("name", "score", "method"),
    [
        ("accuracy", accuracy_score, "predict"),
        ("f1_macro", lambda y, z: f1_score(y, z, average="macro"), "predict"),
        ("roc_auc", lambda y, p: roc_auc_score(y == "p", p[:, 1]), "predict_proba"),
    ],
)
def test_a_scorer_sees_all_steps_of_ragged_sequences(name, score, method):
    cv = KFold(3)
    found = cross_val_score(RNNTagger(**M), RAGGED, TAGS, cv=cv, scoring=step_scorer(name), error_score="raise")
    np.testing.assert_allclose(found, by_hand(RNNTagger(**M), RAGGED, TAGS, cv, score, method), rtol=1e-12)


def test_numbers_are_scored_too_and_containers_agree():
    cv = KFold(3)
    expected = by_hand(RNNSequenceRegressor(**M), RAGGED, SUMS, cv, mean_absolute_error)
    for X, y in ((RAGGED, SUMS), (objects(RAGGED), objects(SUMS)), (as_sequences(RAGGED), as_sequences([z[:, None] for z in SUMS]))):
        found = cross_val_score(RNNSequenceRegressor(**M), X, y, cv=cv, scoring=step_scorer("neg_mean_absolute_error"), error_score="raise")
        np.testing.assert_allclose(-found, expected, rtol=1e-6)


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "roc_auc_ovr", "neg_log_loss"])
def test_steps_of_a_3d_array_are_not_outputs(scoring):
    listed = cross_val_score(RNNTagger(**M), list(EQUAL), list(GRADES), cv=3, scoring=step_scorer(scoring), error_score="raise")
    np.testing.assert_array_equal(cross_val_score(RNNTagger(**M), EQUAL, GRADES, cv=3, scoring=step_scorer(scoring), error_score="raise"), listed)


def test_accuracy_over_steps_is_the_score():
    model = RNNTagger(**M).fit(RAGGED, TAGS)
    assert step_scorer("accuracy")(model, RAGGED, TAGS) == model.score(RAGGED, TAGS)
    numbers = RNNSequenceRegressor(**M).fit(RAGGED, SUMS)
    assert step_scorer("r2")(numbers, RAGGED, SUMS) == pytest.approx(numbers.score(RAGGED, SUMS), abs=1e-12)


def test_steps_without_a_target_are_left_out():
    y = [tags.astype(object) for tags in TAGS]
    marked = [np.where(np.arange(len(t)) == 1, "none", t) for t in TAGS]
    for part in y:
        part[1] = None
    model = RNNTagger(**M).fit(RAGGED, y)
    assert step_scorer("accuracy")(model, RAGGED, y) == model.score(RAGGED, y)
    assert step_scorer("accuracy", missing_label="none")(model, RAGGED, marked) == model.score(RAGGED, y)
    with pytest.raises(ValueError, match="no target to score"):
        step_scorer("accuracy")(model, RAGGED[:1], [[None] * 5])


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA], ids=["None", "NaN", "NA"])
def test_whatever_marks_a_step_without_a_target(missing):
    X = np.tile([[-1.0], [1.0]], (10, 1))
    y = np.array(["low", "high"] * 10, dtype=object)
    model = RNNTagger(hidden_size=4, max_epochs=2, random_state=0).fit(X, y)
    some = y.copy()
    some[::3] = missing
    kept = np.arange(20) % 3 > 0
    assert step_scorer("accuracy")(model, X, some) == accuracy_score(y[kept].astype(str), model.predict(X)[kept].astype(str))


def test_a_scorer_of_steps_can_be_pickled_and_searched_with():
    scorer = pickle.loads(pickle.dumps(step_scorer("f1_macro")))
    search = GridSearchCV(RNNTagger(**M), {"cell": ["elman", "gru"]}, scoring=scorer, cv=2, error_score="raise").fit(RAGGED, TAGS)
    assert np.isfinite(search.best_score_)


@pytest.mark.parametrize("kind", [RNNTagger, RNNSequenceRegressor])
@pytest.mark.parametrize("container", [list, objects])
def test_answers_out_of_fold(kind, container):
    y = TAGS if kind is RNNTagger else SUMS
    answers = cross_val_predict(kind(**M), container(RAGGED), container(y), cv=3)
    assert [len(part) for part in answers] == [len(x) for x in RAGGED]
    for train, test in KFold(3).split(RAGGED):
        fitted = kind(**M).fit([RAGGED[i] for i in train], [y[i] for i in train])
        for i, part in zip(test, fitted.predict([RAGGED[i] for i in test]), strict=True):
            np.testing.assert_array_equal(answers[i], part)


@pytest.mark.parametrize("container", [list, objects, as_sequences])
@pytest.mark.parametrize("lengths", [[5, 5, 6, 7], [6, 7, 5, 5], [5, 5, 7, 7]], ids=str)
def test_folds_of_one_length_are_joined_with_others(lengths, container):
    X = [RNG.normal(size=(n, 3)) for n in lengths]
    y = [x.sum(axis=1) for x in X]
    answers = cross_val_predict(RNNSequenceRegressor(**M), container(X), y, cv=2)
    assert (answers.dtype, answers.shape) == (object, (4,))
    for train, test in KFold(2).split(X):
        fitted = RNNSequenceRegressor(**M).fit([X[i] for i in train], [y[i] for i in train])
        for i, part in zip(test, fitted.predict([X[i] for i in test]), strict=True):
            np.testing.assert_array_equal(answers[i], part)


def test_folds_of_the_same_length_are_joined_to_a_table():
    answers = cross_val_predict(RNNSequenceRegressor(**M), list(EQUAL), list(EQUAL[..., 0]), cv=3)
    assert (answers.dtype, answers.shape) == (float, (12, 6))


def test_lists_of_answers_are_arrays_to_numpy():
    parts = RNNTagger(**M).fit(EQUAL, GRADES).predict(list(EQUAL))
    table = RNNTagger(**M).fit(EQUAL, GRADES).predict(EQUAL)
    np.testing.assert_array_equal(np.mean(parts, axis=1), table.mean(axis=1))
    np.testing.assert_array_equal(np.stack([parts, parts]), np.stack([table, table]))
    np.testing.assert_array_equal(np.concatenate([parts, table]), np.concatenate([table, table]))
    np.testing.assert_array_equal(np.concatenate([parts, parts], axis=1), np.concatenate([table, table], axis=1))
    np.testing.assert_array_equal(np.concatenate(parts), table.ravel())


def test_answers_are_in_the_container_that_came():
    model = RNNTagger(**M).fit(RAGGED, TAGS)
    assert isinstance(model.predict(RAGGED), list)
    cells = model.predict(objects(RAGGED))
    assert (cells.dtype, cells.shape) == (object, (16,))
    assert np.asarray(model.predict(RAGGED[:1] * 3)).shape == (3, 5)  # of one length, as before


# -- long frames -------------------------------------------------------------------------------------------------------------------------------


def test_rows_of_a_long_frame_have_answers_in_its_order():
    tags, order = pd.Series(np.concatenate(TAGS), FRAME.index), RNG.permutation(len(FRAME))
    mixed = FRAME.iloc[order].sort_index(level=1, kind="stable")
    model = RNNTagger(**M).fit(FRAME, tags)
    np.testing.assert_array_equal(model.predict(FRAME), np.concatenate(model.predict(RAGGED)))
    np.testing.assert_array_equal(pd.Series(model.predict(mixed), mixed.index)[FRAME.index], model.predict(FRAME))
    np.testing.assert_array_equal(model.predict_proba(FRAME), np.concatenate(model.predict_proba(RAGGED)))
    assert model.score(mixed, tags[mixed.index]) == model.score(RAGGED, TAGS)
    assert RNNTagger(**M).fit(FRAME, tags.to_numpy()).score(FRAME, TAGS) == model.score(FRAME, tags)


def test_weights_of_a_long_frame_go_by_rows():
    sums, weight = pd.Series(np.concatenate(SUMS), FRAME.index), RNG.uniform(size=len(FRAME))
    long = RNNSequenceRegressor(**M).fit(FRAME, sums, sample_weight=weight)
    listed = RNNSequenceRegressor(**M).fit(RAGGED, SUMS, sample_weight=np.split(weight, np.cumsum([len(x) for x in RAGGED])[:-1]))
    np.testing.assert_array_equal(long.predict(FRAME), np.concatenate(listed.predict(RAGGED)))


def test_a_long_frame_needs_no_scorer_of_its_own():
    tags, groups = pd.Series(np.concatenate(TAGS), FRAME.index), FRAME.index.get_level_values(0)
    found = cross_val_score(RNNTagger(**M), FRAME, tags, cv=GroupKFold(4), groups=groups, scoring="f1_macro", error_score="raise")
    assert np.isfinite(found).all()
    answers = cross_val_predict(RNNTagger(**M), FRAME, tags, cv=GroupKFold(4), groups=groups)
    assert answers.shape == tags.shape
    for train, test in GroupKFold(4).split(FRAME, tags, groups):
        np.testing.assert_array_equal(answers[test], RNNTagger(**M).fit(FRAME.iloc[train], tags.iloc[train]).predict(FRAME.iloc[test]))


def test_an_index_of_other_rows_is_refused():
    tags = pd.Series(np.concatenate(TAGS), FRAME.index)
    with pytest.raises(ValueError, match=r"y has another \(instance, time\) index than X"):
        RNNTagger(**M).fit(FRAME, tags[::-1])
    with pytest.raises(ValueError, match="n_steps=110"):
        RNNTagger(**M).fit(FRAME, tags.to_numpy()[1:])


@pytest.mark.parametrize("mode", ["predict", "reconstruct"])
@pytest.mark.parametrize("n_steps", [1, 2, 3, 4])
def test_series_shorter_than_the_horizon_are_judged(mode, n_steps):
    wave = np.sin(np.arange(100.0))[:, None]
    model = RNNAnomalyDetector(mode=mode, horizon=3, window=6, **M).fit(wave)
    assert model.predict(wave[:n_steps]).shape == model.score_samples(wave[:n_steps]).shape == (n_steps,)
    assert np.isfinite(model.score_samples(wave[:n_steps])).all()
    short, long = model.predict([wave[:n_steps], wave])
    np.testing.assert_array_equal(short, model.predict(wave[:n_steps]))
    np.testing.assert_array_equal(long, model.predict(wave))
