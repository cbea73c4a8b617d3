"""Estimators that answer at every time step."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNSequenceRegressor, RNNTagger, as_sequences
from skrnn.cells import LSTM
from skrnn.engine import RTRL, TruncatedBPTT

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in RNG.integers(2, 9, size=24)]
EQUAL = RNG.normal(size=(24, 6, 2))
TABLE = RNG.normal(size=(60, 2))
KINDS = {"RNNTagger": RNNTagger, "RNNSequenceRegressor": RNNSequenceRegressor}
every_kind = pytest.mark.parametrize("name", KINDS)


def make(name, **settings):
    return KINDS[name](**{"hidden_size": 8, "max_epochs": 3, "random_state": 0, "dtype": "float64"} | settings)


def signal(x):
    """What a causal network can learn: the running sum of the first channel."""
    return np.cumsum(x[:, 0])


def target(name, X):
    table = isinstance(X, np.ndarray) and X.ndim == 2
    steps = [signal(x) for x in ([X] if table else X)]
    steps = [np.where(s > 0, "up", "down") for s in steps] if name == "RNNTagger" else steps
    return steps[0] if table else np.stack(steps) if isinstance(X, np.ndarray) else steps


def fitted(name, X=RAGGED, **settings):
    return make(name, **settings).fit(X, target(name, X))


def numbers(model, X):
    """What a model says, as a list of arrays of numbers."""
    said = model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)
    return [np.asarray(part, dtype=float) for part in said]


# -- shapes and containers ---------------------------------------------------------------------------------------------------------------------


@every_kind
def test_a_list_gives_a_list(name):
    predicted = fitted(name).predict(RAGGED)
    assert isinstance(predicted, list)
    assert [p.shape for p in predicted] == [(len(x),) for x in RAGGED]


@every_kind
def test_a_3d_array_gives_an_array(name):
    assert fitted(name, EQUAL).predict(EQUAL).shape == (24, 6)


@every_kind
def test_a_2d_array_is_one_sequence_whose_rows_are_steps(name):
    model = fitted(name, TABLE)
    assert model.n_features_in_ == 2
    assert model.predict(TABLE).shape == (60,)
    np.testing.assert_array_equal(model.predict(TABLE), model.predict(TABLE[None])[0])
    np.testing.assert_array_equal(model.predict(TABLE), model.predict([TABLE])[0])


def test_several_outputs():
    y = [np.column_stack([signal(x), -2 * signal(x) + 1]) for x in RAGGED]
    model = make("RNNSequenceRegressor", max_epochs=60).fit(RAGGED, y)
    assert [p.shape for p in model.predict(RAGGED)] == [part.shape for part in y]
    assert model.score(RAGGED, y) > 0.8
    assert make("RNNSequenceRegressor").fit(EQUAL, EQUAL).predict(EQUAL).shape == EQUAL.shape


def test_probabilities_of_every_step():
    proba = fitted("RNNTagger").predict_proba(RAGGED)
    assert [p.shape for p in proba] == [(len(x), 2) for x in RAGGED]
    np.testing.assert_allclose(np.concatenate(proba).sum(1), 1, rtol=1e-12)


@every_kind
def test_how_the_sequences_come_does_not_matter(name):
    a, b = make(name), make(name)
    a.fit(EQUAL, target(name, EQUAL))
    b.fit(list(EQUAL), list(target(name, EQUAL)))
    for p, q, r in zip(numbers(a, EQUAL), numbers(b, list(EQUAL)), numbers(b, as_sequences(EQUAL)), strict=True):
        np.testing.assert_array_equal(p, q)
        np.testing.assert_array_equal(q, r)


@every_kind
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_prediction_does_not_depend_on_the_other_sequences(name, bidirectional):
    model = fitted(name, bidirectional=bidirectional)
    together = numbers(model, RAGGED)
    for x, p in zip(RAGGED, together, strict=True):
        np.testing.assert_allclose(numbers(model, [x])[0], p, rtol=0, atol=1e-9)
    for p, q in zip(numbers(model, RAGGED[::-1])[::-1], together, strict=True):
        np.testing.assert_allclose(p, q, rtol=0, atol=1e-9)


@every_kind
def test_a_causal_prediction_does_not_look_ahead(name):
    model = fitted(name)
    for k in (1, 2):
        whole, short = numbers(model, [x for x in RAGGED if len(x) > k]), numbers(model, [x[:-k] for x in RAGGED if len(x) > k])
        for p, q in zip(whole, short, strict=True):
            np.testing.assert_allclose(p[:-k], q, rtol=0, atol=1e-9)


# -- learning ----------------------------------------------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("X", [RAGGED, EQUAL, TABLE], ids=["ragged", "3-D", "2-D"])
def test_it_learns(name, X):
    model = fitted(name, X, max_epochs=100, dtype="float32")
    assert model.score(X, target(name, X)) > 0.9


@every_kind
def test_the_same_seed_gives_the_same_bits(name):
    for p, q in zip(numbers(fitted(name), RAGGED), numbers(fitted(name), RAGGED), strict=True):
        np.testing.assert_array_equal(p, q)


@every_kind
def test_truncation_and_real_time_learning_on_short_sequences_are_exact(name):
    settings = {"batch_size": None, "optimizer": "sgd", "learning_rate": 0.1}
    whole = numbers(fitted(name, **settings), RAGGED)
    for rule in (TruncatedBPTT(10), RTRL(), "rtrl"):
        for p, q in zip(numbers(fitted(name, rule=rule, **settings), RAGGED), whole, strict=True):
            np.testing.assert_allclose(p, q, rtol=0, atol=1e-9)


@every_kind
def test_early_stopping_on_sequences_set_aside(name):
    model = fitted(name, early_stopping=True, max_epochs=5)
    assert len(model.validation_scores_) == model.n_iter_ == 5


@every_kind
def test_partial_fit_goes_on(name):
    model = make(name)
    y = target(name, RAGGED)
    known = {"classes": ["up", "down"]} if name == "RNNTagger" else {}
    for _ in range(3):
        model.partial_fit(RAGGED, y, **known)
    assert model.n_iter_ == 3
    assert model.loss_curve_[-1] < 1.5


# -- steps without a target --------------------------------------------------------------------------------------------------------------------


def hidden(y, value):
    """A copy in which every third step has no target, and the same with nonsense instead."""
    parts = [np.array(part, dtype=object) for part in y]
    for part in parts:
        part[::3] = value
    return parts


@pytest.mark.parametrize(("name", "none"), [("RNNTagger", None), ("RNNTagger", -1), ("RNNTagger", np.nan), ("RNNSequenceRegressor", np.nan)])
def test_steps_without_a_target_count_as_weight_zero(name, none):
    y = target(name, RAGGED)
    weight = [np.arange(len(x)) % 3 != 0 for x in RAGGED]
    mark = {"missing_label": -1} if none == -1 else {}
    left_out = make(name, **mark).fit(RAGGED, hidden(y, none))
    weighted = make(name).fit(RAGGED, y, sample_weight=[w.astype(float) for w in weight])
    for p, q in zip(numbers(left_out, RAGGED), numbers(weighted, RAGGED), strict=True):
        np.testing.assert_allclose(p, q, rtol=0, atol=1e-9)
    assert left_out.score(RAGGED, hidden(y, none)) == pytest.approx(left_out.score(RAGGED, y, sample_weight=weight))


def test_minus_one_can_be_a_class():
    y = [np.where(signal(x) > 0, 1, -1) for x in RAGGED]
    model = make("RNNTagger", max_epochs=100).fit(RAGGED, y)
    assert model.classes_.tolist() == [-1, 1]
    assert {-1, 1} == set(np.concatenate(model.predict(RAGGED)).tolist())
    assert make("RNNTagger", missing_label=-1).fit(RAGGED, y).classes_.tolist() == [1]


def test_a_class_cannot_mark_steps_without_a_target():
    y = [np.where(signal(x) > 0, 1, -1) for x in RAGGED]
    model = make("RNNTagger", missing_label=-1)
    with pytest.raises(ValueError, match="-1 is among the classes, and the missing_label of steps without a target"):
        model.partial_fit(RAGGED, y, classes=[-1, 1])
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(("known", "other"), [(["LOC", "ORG"], "LOCATION"), ([0, 1], 0.5), ([False, True], 2)])
def test_a_label_that_is_no_class_is_never_right(known, other):
    y = [np.where(signal(x) > 0, known[1], known[0]) for x in RAGGED]
    model = make("RNNTagger", max_epochs=100).fit(RAGGED, y)
    predicted = model.predict(RAGGED)
    assert model.score(RAGGED, predicted) == 1
    asked = [np.where(p == known[0], np.array(other, dtype=object), p.astype(object)) for p in predicted]
    expected = np.mean(np.concatenate(predicted) == known[1])
    assert 0 < expected < 1
    assert model.score(RAGGED, asked) == expected
    assert model.score(RAGGED, [np.array(part.tolist()) for part in asked]) == expected


@every_kind
def test_no_target_at_all_is_refused(name):
    with pytest.raises(ValueError, match="y holds no target: every step is marked as missing"):
        make(name).fit(RAGGED, [np.full(len(x), np.nan) for x in RAGGED])


def test_balanced_classes():
    y = [np.where(np.arange(len(x)) == 0, "first", "later") for x in RAGGED]
    plain, balanced = (make("RNNTagger", class_weight=w, max_epochs=1).fit(RAGGED, y) for w in (None, "balanced"))
    assert np.mean(np.concatenate(balanced.predict(RAGGED)) == "first") > np.mean(np.concatenate(plain.predict(RAGGED)) == "first")


# -- streams -----------------------------------------------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("settings", [{}, {"cell": LSTM(peephole=True), "n_layers": 2}], ids=["gru", "lstm"])
def test_a_stream_in_pieces_is_the_whole(name, settings):
    model = fitted(name, EQUAL, **settings)
    state, parts = None, []
    for piece in np.split(EQUAL, [1, 4], axis=1):
        y, state = model.predict(piece, state=state, return_state=True)
        parts.append(y)
    np.testing.assert_array_equal(np.concatenate(parts, 1), model.predict(EQUAL))


@every_kind
def test_a_ragged_stream_goes_on_in_the_order_of_the_sequences(name):
    model = fitted(name)
    longer = [x for x in RAGGED if len(x) > 3]
    _, state = model.predict([x[: len(x) // 2] for x in longer], return_state=True)
    second = model.predict([x[len(x) // 2 :] for x in longer], state=state)
    for x, part, whole in zip(longer, second, model.predict(longer), strict=True):
        np.testing.assert_array_equal(part, whole[len(x) // 2 :])


@every_kind
def test_a_state_that_does_not_fit_is_refused(name):
    model = fitted(name, EQUAL)
    _, state = model.predict(EQUAL[:3], return_state=True)
    with pytest.raises(ValueError, match=r"state does not fit: it holds arrays of shapes \[\(3, 8\)\], expected \[\(4, 8\)\]"):
        model.predict(EQUAL[:4], state=state)
    with pytest.raises(ValueError, match="A stream goes forward in time: state and return_state need bidirectional=False"):
        fitted(name, bidirectional=True).predict(EQUAL, return_state=True)


def online(name, rule, pieces):
    """A trained model that goes on from a stream, a piece at a time, with a step size that leaves its weights where they are."""
    model, y, first = fitted(name, EQUAL, clip_norm=None), target(name, EQUAL), 0
    model.set_params(rule=rule, learning_rate=1e-12)
    for n in pieces:
        piece = slice(first, first + n)
        model.partial_fit(EQUAL[:, piece], y[:, piece], continue_stream=True)
        first += n
    return model


@every_kind
@pytest.mark.parametrize("rule", ["bptt", "rtrl", TruncatedBPTT(2)], ids=str)
def test_learning_online_goes_on_from_the_state(name, rule):
    whole, parts = (online(name, rule, pieces) for pieces in ([6], [1, 2, 3]))
    np.testing.assert_allclose(np.average(parts.loss_curve_[-3:], weights=[1, 2, 3]), whole.loss_curve_[-1], rtol=1e-9)
    np.testing.assert_allclose(*(model._stream.states[0][0] for model in (whole, parts)), rtol=0, atol=1e-9)


def test_real_time_recurrent_learning_sees_back_beyond_the_call():
    """One step at a time, RTRL's gradient at the last step is that of BPTT over all steps; BPTT's own stops where the call begins."""
    full, rtrl, bptt = (online("RNNTagger", rule, pieces) for rule, pieces in (("rtrl", [6]), ("rtrl", [1] * 6), ("bptt", [1] * 6)))
    np.testing.assert_allclose(rtrl._stream.influence, full._stream.influence, rtol=0, atol=1e-8)
    assert bptt._stream.influence is None


def test_streams_that_do_not_fit_are_refused():
    model, y = make("RNNSequenceRegressor"), target("RNNSequenceRegressor", EQUAL)
    with pytest.raises(ValueError, match="The sequences of a stream need equally many steps in one call; got 2 to 8"):
        model.partial_fit(RAGGED, target("RNNSequenceRegressor", RAGGED), continue_stream=True)
    model.partial_fit(EQUAL, y, continue_stream=True)
    with pytest.raises(ValueError, match="The stream has 24 sequences; got 3"):
        model.partial_fit(EQUAL[:3], y[:3], continue_stream=True)
    with pytest.raises(ValueError, match="continue_stream=True needs bidirectional=False"):
        make("RNNSequenceRegressor", bidirectional=True).partial_fit(EQUAL, y, continue_stream=True)


# -- bad targets -------------------------------------------------------------------------------------------------------------------------------


@every_kind
def test_targets_that_do_not_fit_are_refused_and_nothing_changes(name):
    model, y = fitted(name), target(name, RAGGED)
    before = copy.deepcopy(vars(model))
    short = [*y[:3], y[3][:-1], *y[4:]]
    with pytest.raises(
        ValueError, match=rf"y\[3\] has {len(y[3]) - 1} steps, but X\[3\] has {len(y[3])}: there must be one target for each time step"
    ):
        model.fit(RAGGED, short)
    with pytest.raises(ValueError, match="X has 24 sequences, y has 23"):
        model.fit(RAGGED, y[:-1])
    with pytest.raises(ValueError, match=r"y should have shape \(n_steps,\) or \(n_steps, n_outputs\) with n_steps=60"):
        model.fit(TABLE, target(name, TABLE)[:-1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        model.fit(RAGGED, None)
    assert vars(model).keys() == before.keys()
    assert model.loss_curve_ == before["loss_curve_"]


def test_text_is_no_number_and_infinity_no_target():
    with pytest.raises(ValueError, match="y must hold numbers"):
        make("RNNSequenceRegressor").fit(RAGGED, target("RNNTagger", RAGGED))
    with pytest.raises(ValueError, match="Input y contains infinity"):
        make("RNNSequenceRegressor").fit(RAGGED, [np.full(len(x), np.inf) for x in RAGGED])


def test_the_tags_are_told_once():
    model, y = make("RNNTagger"), target("RNNTagger", RAGGED)
    with pytest.raises(ValueError, match=r"classes must be passed on the first call to partial_fit\."):
        model.partial_fit(RAGGED, y)
    model.partial_fit(RAGGED, y, classes=["up", "down"])
    before = dict(vars(model))
    with pytest.raises(ValueError, match=r"`classes=array\(\['down'\].* is not the same as on last call to partial_fit, was: array"):
        model.partial_fit(RAGGED, y, classes=["down"])
    assert vars(model) == before
    assert model.partial_fit(RAGGED, y, classes=["down", "up"]).n_iter_ == 2


def test_an_unseen_tag_is_refused():
    model = fitted("RNNTagger")
    with pytest.raises(ValueError, match=r"y contains previously unseen labels: \['sideways'\]"):
        model.partial_fit(RAGGED, [np.full(len(x), "sideways") for x in RAGGED])


@every_kind
@pytest.mark.parametrize("weight", [[-1.0] * 24, [np.nan] * 24, [0.0] * 24], ids=["negative", "nan", "zero"])
def test_bad_weights_are_refused(name, weight):
    with pytest.raises(ValueError, match="sample_weight must hold one finite number ≥ 0 for each sequence or each step, and not only zeros"):
        make(name).fit(RAGGED, target(name, RAGGED), sample_weight=weight)


# -- scikit-learn ------------------------------------------------------------------------------------------------------------------------------


@every_kind
def test_pickle_and_clone(name):
    model = fitted(name)
    again = pickle.loads(pickle.dumps(model))
    for p, q in zip(numbers(model, RAGGED), numbers(again, RAGGED), strict=True):
        np.testing.assert_array_equal(p, q)
    assert clone(model).get_params() == model.get_params()


@every_kind
def test_a_series_in_a_pipeline_under_time_series_split(name):
    scores = cross_val_score(make_pipeline(StandardScaler(), make(name)), TABLE, target(name, TABLE), cv=TimeSeriesSplit(3), error_score="raise")
    assert np.isfinite(scores).all()


@every_kind
def test_a_search_over_ragged_sequences(name):
    y = target(name, RAGGED)
    search = GridSearchCV(make(name), {"cell": ["elman", LSTM()], "rule": ["bptt", TruncatedBPTT(3)]}, cv=2, error_score="raise").fit(RAGGED, y)
    assert len(search.cv_results_["params"]) == 4
    assert search.score(RAGGED, y) == search.best_estimator_.score(RAGGED, y)


def test_several_labels_at_each_step():
    """A column of 0 and 1 for each label; a step with a NaN has no target."""
    y = [np.column_stack([np.cumsum(x[:, 0]) > 0, x[:, 1] > 0]).astype(float) for x in RAGGED]
    y[3][0, 1] = np.nan
    model = RNNTagger(hidden_size=12, max_epochs=200, random_state=0).fit(RAGGED, y)  # of one update each
    assert model.multilabel_
    tags, shares = model.predict(RAGGED), model.predict_proba(RAGGED)
    assert [t.shape for t in tags] == [t.shape for t in shares] == [x[:, :2].shape for x in RAGGED]
    assert all(((s > 0.5) == t).all() for s, t in zip(shares, tags, strict=True))
    assert model.score(RAGGED, y) > 0.8  # the share of steps whose labels are all right
    with pytest.raises(ValueError, match=r"y has 3 labels \(columns\), expected 2"):
        model.partial_fit(RAGGED, [np.ones((len(x), 3)) for x in RAGGED])
    with pytest.raises(ValueError, match="multilabel-indicator, but the estimator was fitted on single-label"):
        RNNTagger(max_epochs=1).fit(RAGGED, [x[:, 0] > 0 for x in RAGGED]).partial_fit(RAGGED, y)
    with pytest.raises(ValueError, match="each must hold 0 and 1 for a label of its own"):
        RNNTagger().fit(RAGGED, [2 * x[:, :2] for x in RAGGED])
