"""Answers at every step of a network with a memory."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import NeuralTuringMachine, RNNForecaster, RNNTagger, as_sequences
from skrnn.cells import NTM, Leaky
from skrnn.datasets import make_copy_memory, make_dynamic_ngrams
from skrnn.engine import generating
from skrnn.preprocessing import SequenceImputer

X, Y, SCORED = make_copy_memory(40, n_bits=2, max_length=3, random_state=0)
CELL = NTM("feedforward", n_slots=8, slot_size=3)  # as many slots as steps


def make(**settings):
    return NeuralTuringMachine(**{"cell": CELL, "hidden_size": 6, "max_epochs": 2, "random_state": 0} | settings)


@pytest.fixture(scope="module")
def model():
    return make().fit(X, Y)


def bits_of(model, X, Y):
    """Cross entropy of the labels of each sequence, from their probabilities."""
    found = []
    for proba, y in zip(model.predict_proba(X), Y, strict=True):
        there = ~np.isnan(y).any(1)
        p, y = proba[there], y[there]
        found.append(-np.log2(np.where(y == 1, p, 1 - p)).sum())
    return np.array(found)


def test_the_score_is_the_log_likelihood_of_a_sequence_in_bits(model):
    assert model.score(X, Y) == pytest.approx(-bits_of(model, X, Y).mean(), rel=1e-6)
    weight = np.arange(40.0)
    weighted = -np.average(bits_of(model, X, Y), weights=weight)
    assert model.score(X, Y, sample_weight=weight) == pytest.approx(weighted, rel=1e-6)
    assert model.score(X, Y, sample_weight=[np.full(len(x), w) for x, w in zip(X, weight, strict=True)]) == pytest.approx(weighted, rel=1e-6)
    untold = [*Y[:39], np.full_like(Y[39], np.nan)]
    assert model.score(X, untold) == pytest.approx(model.score(X[:39], Y[:39]), rel=1e-6)


def test_steps_without_a_target_are_not_scored_and_not_trained_on(model):
    """What stands there makes no difference, even half a target."""
    half = [np.where(np.arange(2) == 0, np.where(np.isnan(y), 1.0, y), y) for y in Y]
    assert model.score(X, half) == model.score(X, Y)
    np.testing.assert_array_equal(make().fit(X, half).predict_proba(X)[0], model.predict_proba(X)[0])


def test_labels_are_predicted_at_every_step_in_the_container_of_X(model):
    for answers, proba, x in zip(model.predict(X), model.predict_proba(X), X, strict=True):
        assert answers.shape == proba.shape == (len(x), 2)
        np.testing.assert_array_equal(answers, proba > 0.5)
    table = np.stack([x[:3] for x in X])
    assert model.predict(table).shape == (40, 3, 2)
    assert model.predict(X[0]).shape == (len(X[0]), 2)
    np.testing.assert_array_equal(model.predict([x[:3] for x in X])[7], model.predict(table)[7])


def test_one_label_is_a_class():
    X, y, scored = make_dynamic_ngrams(20, n_steps=30, random_state=0)
    model = make().fit(X, y)
    assert model.classes_.tolist() == [0, 1]
    of_target = np.take_along_axis(model.predict_proba(X), np.nan_to_num(y)[..., None].astype(int), axis=2)[..., 0]
    assert model.score(X, y) == pytest.approx(np.log2(of_target[scored]).sum() / 20, rel=1e-6)
    words = np.where(np.isnan(y), None, np.where(y == 1, "up", "down"))
    assert model.score(X, y) == make().fit(X, words).score(X, words)


def test_a_trace_says_where_the_heads_are_and_what_is_in_the_memory(model):
    trace = model.trace(X)
    for reads, writes, memory, x in zip(*trace, X, strict=True):
        assert reads.shape == writes.shape == (len(x), 1, 8)
        assert memory.shape == (len(x), 8, 3)
        np.testing.assert_allclose(reads.sum(-1), 1, rtol=1e-5)
        np.testing.assert_allclose(writes.sum(-1), 1, rtol=1e-5)
        change = np.diff(np.concatenate([np.full((1, 8, 3), 1e-6), memory]), axis=0)
        assert (np.abs(change) <= 2 * writes[:, 0, :, None] + 1e-6).all()  # at most the whole of a slot goes, and 1 comes
    assert trace.memory[0].any()


def test_the_trace_of_a_sequence_is_its_own_and_changes_nothing(model):
    before = model.predict_proba(X)
    together = model.trace(X)
    for part, alone in zip(together, model.trace([X[17]]), strict=True):
        np.testing.assert_allclose(part[17], alone[0], rtol=1e-4, atol=1e-6)
    for a, b in zip(before, model.predict_proba(X), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.trace(np.stack([x[:3] for x in X])).read_weights.shape == (40, 3, 1, 8)


TWO_READ = NTM("feedforward", n_slots=5, slot_size=2, n_read=2)


@pytest.mark.parametrize("cell", [TWO_READ, Leaky(TWO_READ)], ids=repr)
def test_reading_and_writing_heads_are_told_apart_in_layers_and_wrappers(cell):
    with generating(False):
        model = make(cell=cell, n_layers=2, max_epochs=1).fit(X[:16], Y[:16])
    for layer in (0, 1):
        trace = model.trace(X[:2], layer=layer)
        assert [trace.read_weights[0].shape[1], trace.write_weights[0].shape[1]] == [2, 1]
    assert not np.array_equal(model.trace(X[:2], layer=0).memory[1], model.trace(X[:2], layer=1).memory[1])
    with pytest.raises(ValueError, match="layer must be one of"):
        model.trace(X, layer=2)


def test_an_lstm_is_the_baseline_and_has_no_memory_to_show():
    model = make(cell="lstm").fit(X, Y)
    assert model.score(X, Y) < 0
    with pytest.raises(ValueError, match="needs a cell that reads and writes a memory, as 'ntm'; got 'lstm'"):
        model.trace(X)


def test_more_steps_to_keep_than_slots_warn():
    with pytest.warns(UserWarning, match=r"has 4 steps without a target, and the memory 3 slots: .*cell__n_slots=4"):
        make(cell=NTM("feedforward", n_slots=3, slot_size=3), max_epochs=1).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(cell=NTM("feedforward", n_slots=4, slot_size=3), max_epochs=1).fit(X, Y)
        make(cell="lstm", max_epochs=1).fit(X, Y)
        everywhere = [np.nan_to_num(y) for y in Y]
        make(cell=NTM("feedforward", n_slots=3, slot_size=3), max_epochs=1).fit(X, everywhere)


def test_copies_say_the_same(model):
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), clone(model).fit(X, Y)):
        assert all(np.array_equal(a, b) for a, b in zip(other.predict_proba(X), model.predict_proba(X), strict=True))
        assert np.array_equal(other.trace(X).memory[3], model.trace(X).memory[3])


def test_learning_goes_on():
    model = make().partial_fit(X[:20], Y[:20], classes=[0, 1])
    before = model.predict_proba(X)[0]
    assert not np.array_equal(model.partial_fit(X[20:], Y[20:]).predict_proba(X)[0], before)
    warm = make(warm_start=True).fit(X, Y)
    assert warm.fit(X, Y).n_iter_ == 4


def test_it_stands_in_scikit_learns_tools():
    search = GridSearchCV(make(max_epochs=1), {"cell__n_slots": [5, 6], "learning_rate": [1e-3]}, cv=2).fit(X, Y)
    assert search.best_score_ < 0
    assert search.best_estimator_.cell.n_slots == search.best_params_["cell__n_slots"]
    assert (cross_val_score(make(max_epochs=1), X, Y, cv=2, error_score="raise") < 0).all()
    piped = make_pipeline(SequenceImputer(), make()).fit(X, Y)
    assert len(piped.predict(X)) == 40


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([y[:-1] for y in Y], "y"),
        ([2 * y for y in Y], "y has several columns: each must hold 0 and 1"),
        ([np.full_like(y, np.nan) for y in Y], "y holds no target"),
        (None, "requires y to be passed"),
        (Y[:-1], "y"),
    ],
)
def test_targets_that_do_not_fit_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        make().fit(X, y)


def test_other_labels_than_in_fit_are_refused(model):
    with pytest.raises(ValueError, match=r"3 labels \(columns\), expected 2"):
        model.score(X, [np.column_stack([y, y[:, 0]]) for y in Y])


SERIES = np.sin(0.5 * np.arange(80))


def test_the_cell_goes_with_other_estimators_and_in_closed_loops():
    forecast = RNNForecaster("ntm", hidden_size=5, horizon=1, max_epochs=2, random_state=0, strategy="recursive").fit(None, SERIES).forecast(6)
    assert np.isfinite(forecast).all()
    tagger = RNNTagger("ntm", hidden_size=5, max_epochs=2, bidirectional=True, random_state=0).fit(X, [np.nan_to_num(y[:, 0]) for y in Y])
    assert len(tagger.predict(as_sequences([X[0]]))) == 1
