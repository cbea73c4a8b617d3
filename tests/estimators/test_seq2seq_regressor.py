"""Sequences of numbers from sequences, and from vectors."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict, cross_val_score

from skrnn import Seq2SeqRegressor, Vec2SeqRegressor
from skrnn.data import as_sequences
from skrnn.engine import InverseSigmoidTeaching, TruncatedBPTT
from skrnn.training import ActivationPenalty, WeightNoise

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in RNG.integers(2, 8, size=30)]
N_TARGETS = RNG.integers(1, 6, size=30)
Y_RAGGED = [np.stack([np.sin(x[0, 0] + np.arange(n)), np.cos(x[0, 1] + np.arange(n))], 1) for x, n in zip(RAGGED, N_TARGETS, strict=True)]
VECTORS = RNG.normal(size=(30, 3))
Y_TABLE = np.sin(VECTORS[:, :1] + np.arange(4))
SETTINGS = [
    {},
    {"mode": "direct", "context": "every"},
    {"attention": "bahdanau", "coverage": True},
    {"attention": "dot", "cell": "lstm"},
    {"attention": "general", "bidirectional": False, "reverse_source": True, "n_layers": 2, "context": "both"},
    {"teacher_forcing": 0.5, "decoder_cell": "elman"},
]
every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)


def make(kind=Seq2SeqRegressor, **settings):
    return kind(**{"hidden_size": 6, "max_epochs": 2, "random_state": 0} | settings)


@every_setting
def test_company_order_and_container_do_not_matter(settings):
    model = make(**settings).fit(RAGGED, Y_RAGGED)
    together = model.predict(RAGGED, N_TARGETS)
    assert [part.shape for part in together] == [part.shape for part in Y_RAGGED]
    assert all(np.array_equal(a, b) for a, b in zip(together, model.predict(as_sequences(RAGGED), N_TARGETS), strict=True))
    for i in (0, 7, 29):
        np.testing.assert_allclose(model.predict(RAGGED[i : i + 1], N_TARGETS[i : i + 1])[0], together[i], rtol=0, atol=1e-6)
    for one, other in zip(model.predict(RAGGED[::-1], N_TARGETS[::-1])[::-1], together, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


@every_setting
def test_the_seed_decides_all(settings):
    first, again = (make(**settings).fit(RAGGED, Y_RAGGED) for _ in range(2))
    np.testing.assert_array_equal(first.predict(RAGGED), again.predict(RAGGED))
    for copied in (pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):
        np.testing.assert_array_equal(copied.predict(RAGGED), first.predict(RAGGED))


@pytest.mark.parametrize("kind", [Seq2SeqRegressor, Vec2SeqRegressor])
def test_predictions_have_the_shape_of_the_targets(kind):
    X = VECTORS
    for y, shape in ((Y_TABLE, (30, 4)), (Y_TABLE[:, 0], (30,)), (Y_TABLE[..., None], (30, 4, 1)), (np.dstack([Y_TABLE, Y_TABLE]), (30, 4, 2))):
        model = make(kind, max_epochs=1).fit(X, y)
        assert model.predict(X).shape == shape
        assert model.predict(X, n_steps=7).shape == (30, 7, *shape[2:])
        assert [len(part) for part in model.predict(X[:2], n_steps=[1, 3])] == [1, 3]
    assert model.horizon_ == 4


def test_arrays_in_a_list_have_lengths_of_their_own():
    """Also where those of a fold happen to be equal."""
    model = make(max_epochs=1).fit(VECTORS[:2], [np.arange(3.0), np.ones(3)])
    assert model.score(VECTORS, [np.arange(1.0, n + 2) for n in range(30)]) < 1
    assert [part.shape for part in model.predict(VECTORS[:2], n_steps=[2, 5])] == [(2,), (5,)]
    model = make(max_epochs=1).fit(VECTORS, as_sequences([np.ones((n % 3 + 1, 1)) for n in range(30)]))
    assert [part.shape for part in model.predict(VECTORS[:2], n_steps=[2, 5])] == [(2, 1), (5, 1)]
    cells = np.empty(30, dtype=object)
    cells[:] = Y_RAGGED
    np.testing.assert_array_equal(make().fit(RAGGED, cells).predict(RAGGED), make().fit(RAGGED, Y_RAGGED).predict(RAGGED))


def test_a_warm_start_takes_another_schedule_for_the_teacher():
    model = make(warm_start=True).fit(VECTORS, Y_TABLE).set_params(teacher_forcing=0.25).fit(VECTORS, Y_TABLE)
    assert model.network_.teaching(0) == 0.25


def test_shorter_runs_are_the_beginning_of_longer_ones():
    model = make().fit(VECTORS, Y_TABLE)
    np.testing.assert_allclose(model.predict(VECTORS, n_steps=9)[:, :4], model.predict(VECTORS), rtol=0, atol=1e-6)


def test_scores_of_all_shapes():
    y3 = np.dstack([Y_TABLE, 2 * Y_TABLE])
    model = make().fit(VECTORS, y3)
    assert model.score(VECTORS, y3) == pytest.approx(r2_score(y3.reshape(30, -1), model.predict(VECTORS).reshape(30, -1)))
    model = make().fit(RAGGED, Y_RAGGED)
    expected = r2_score(np.concatenate(Y_RAGGED), np.concatenate(model.predict(RAGGED, N_TARGETS)))
    assert model.score(RAGGED, Y_RAGGED) == pytest.approx(expected)
    assert np.isfinite(cross_val_score(make(), RAGGED, Y_RAGGED, cv=2)).all()


@pytest.mark.parametrize("attention", ["bahdanau", "dot", "general"])
def test_attention_weights(attention):
    model = make(attention=attention).fit(RAGGED, Y_RAGGED)
    weights = model.attention_weights(RAGGED, N_TARGETS)
    assert [w.shape for w in weights] == [(n, len(x)) for n, x in zip(N_TARGETS, RAGGED, strict=True)]
    for i, w in enumerate(weights):
        np.testing.assert_allclose(w.sum(1), 1, rtol=0, atol=1e-6)
        np.testing.assert_allclose(w, model.attention_weights([RAGGED[i]], N_TARGETS[[i]])[0], rtol=0, atol=1e-6)


def test_a_search_goes_over_everything():
    grid = [{"attention": [None, "dot"], "teacher_forcing": [1.0, InverseSigmoidTeaching(10)]}, {"cell__peephole": [True], "cell": ["lstm"]}]
    search = GridSearchCV(make(max_epochs=1), grid, cv=2).fit(RAGGED, Y_RAGGED)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_weights_are_repetitions():
    weight = RNG.integers(0, 3, size=30)
    settings = {"dtype": "float64", "batch_size": None, "optimizer": "sgd", "max_epochs": 5, "alpha": 1.0}
    weighted = make(**settings).fit(VECTORS, Y_TABLE, weight)
    repeated = make(**settings).fit(np.repeat(VECTORS, weight, axis=0), np.repeat(Y_TABLE, weight, axis=0))
    np.testing.assert_allclose(weighted.predict(VECTORS), repeated.predict(VECTORS), rtol=0, atol=1e-7)


def test_a_warm_start_and_passes_go_on():
    model = make(warm_start=True, max_epochs=2).fit(VECTORS, Y_TABLE)
    before = model.loss_curve_[-1]
    assert model.fit(VECTORS, Y_TABLE).n_iter_ == 4
    assert model.loss_curve_[-1] < before
    with pytest.raises(ValueError, match="network of attention=None, but the estimator now has attention=dot"):
        model.set_params(attention="dot").fit(VECTORS, Y_TABLE)
    passes = make()
    for _ in range(3):
        passes.partial_fit(VECTORS, Y_TABLE)
    assert passes.n_iter_ == 3


def test_held_out_pairs_are_scored_as_they_are_predicted():
    model = make(max_epochs=3, early_stopping=True, n_iter_no_change=9, dtype="float64")
    model.fit(VECTORS, Y_TABLE, X_val=VECTORS, y_val=Y_TABLE)
    errors = ((model.predict(VECTORS) - Y_TABLE) / model.target_scale_) ** 2
    assert max(model.validation_scores_) == pytest.approx(-errors.mean(), rel=1e-9)


def test_noise_in_the_weights_is_a_penalty_that_works():
    plain, noisy = (make(penalties=penalties).fit(RAGGED, Y_RAGGED) for penalties in (None, WeightNoise(0.1)))
    assert not np.allclose(plain.predict(RAGGED), noisy.predict(RAGGED))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "rtrl"}, "'rule' parameter of Seq2SeqRegressor must be"),
        ({"rule": TruncatedBPTT(3)}, "learns by rule='bptt' or 'guessing'; got TruncatedBPTT"),
        ({"penalties": ActivationPenalty()}, "knows no penalties but WeightNoise"),
        ({"teacher_forcing": 1.5}, "'teacher_forcing' parameter"),
        ({"attention": "cosine"}, "'attention' parameter"),
        ({"coverage": True, "attention": "dot"}, "coverage=True needs attention='bahdanau'"),
        ({"mode": "both"}, "'mode' parameter"),
    ],
)
def test_bad_settings_are_refused_and_nothing_changes(settings, message):
    model = make().fit(RAGGED, Y_RAGGED)
    before = model.predict(RAGGED)
    with pytest.raises(ValueError, match=message):
        model.set_params(**settings).fit(RAGGED, Y_RAGGED)
    np.testing.assert_array_equal(model.predict(RAGGED), before)


def test_bad_data_are_refused():
    model = make().fit(VECTORS, Y_TABLE)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(model).fit(VECTORS, Y_TABLE[:-1])
    with pytest.raises(ValueError, match=r"y .*NaN|NaN.* y"):
        clone(model).fit(VECTORS, np.where(Y_TABLE > 0.9, np.nan, Y_TABLE))
    with pytest.raises(ValueError, match="expected horizon_=4 in each row"):
        model.score(VECTORS, Y_TABLE[:, :3])
    with pytest.raises(ValueError, match="y has 2 outputs in each step, expected 1"):
        model.score(VECTORS, np.dstack([Y_TABLE, Y_TABLE]))
    with pytest.raises(ValueError, match="n_steps must be a whole number of at least 1, or 30 of them"):
        model.predict(VECTORS, n_steps=[1, 2])
    with pytest.raises(ValueError, match=r"attention=None.* looks at no steps"):
        model.attention_weights(VECTORS)
    with pytest.raises(ValueError, match="X must be 2-D"):
        make(Vec2SeqRegressor).fit(RAGGED, Y_RAGGED)


@pytest.mark.parametrize("settings", [{}, {"mode": "direct"}, pytest.param({"attention": "bahdanau"}, marks=pytest.mark.slow)], ids=str)
def test_the_next_values_of_a_sine(settings):
    """No step is written at another one's place."""
    t = np.random.default_rng(1).uniform(0, 6, size=(300, 1)) + 0.6 * np.arange(12)
    X, y = np.sin(t[:, :8]), np.sin(t[:, 8:])
    model = make(hidden_size=16, max_epochs=40, **settings).fit(X[:250], y[:250])
    assert model.score(X[250:], y[250:]) > 0.95


@pytest.mark.parametrize("n_outputs", [(), (2,)])
@pytest.mark.parametrize("lengths", [[2] * 6 + [3] * 6, [4, *[2] * 5, *[3] * 6], [2, 3] * 6], ids=str)
def test_folds_whose_targets_have_other_lengths_are_joined(lengths, n_outputs):
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(4, 9, size=12)]
    y = [rng.normal(size=(n, *n_outputs)) for n in lengths]
    model = Seq2SeqRegressor(hidden_size=3, max_epochs=1, random_state=0)
    answers = cross_val_predict(model, X, y, cv=2)
    assert len(answers) == 12
    for train, test in KFold(2).split(X):
        fitted = model.fit([X[i] for i in train], [y[i] for i in train])
        for i, part in zip(test, fitted.predict([X[i] for i in test]), strict=True):
            assert part.shape == (max(lengths[k] for k in train), *n_outputs)
            np.testing.assert_array_equal(answers[i], part)


def test_what_is_written_by_default_grows_with_targets_of_any_lengths():
    model = make().partial_fit(VECTORS, [row[:2] for row in Y_TABLE])
    assert [len(row) for row in model.partial_fit(VECTORS, list(Y_TABLE)).predict(VECTORS[:2])] == [Y_TABLE.shape[1]] * 2
