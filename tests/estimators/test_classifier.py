"""RNNClassifier: shapes and consistency of what it says, and everything that the estimators share, shown once, on it."""

import os

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from scipy.special import expit, softmax
from sklearn import config_context
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNClassifier, cells
from skrnn.engine import TruncatedBPTT
from skrnn.networks import POOLINGS
from skrnn.preprocessing import PerStep
from skrnn.training import InterruptedWarning
from skrnn.training._optimizers import OPTIMIZERS
from skrnn.training._schedules import SCHEDULES
from tests.estimators.samples import EQUAL, RAGGED, TRAINED_CELLS, Hook, answers, make, target

N = len(RAGGED)
LARGEST = np.array([x[:, 0].max() for x in RAGGED])
THREE = np.digitize(LARGEST, [0.5, 1.2])
MANY = np.column_stack([LARGEST > 1, [x[:, 1].max() > 1 for x in RAGGED]]).astype(int)


def net(**settings):
    return make("RNNClassifier", **settings)


def high_or_low():
    return target(net(), RAGGED)


# What it says.


def test_two_classes():
    model = net().fit(RAGGED, high_or_low())
    said, p = model.decision_function(RAGGED), model.predict_proba(RAGGED)
    assert said.shape == (N,)
    assert p.shape == (N, 2)
    np.testing.assert_allclose(p[:, 1], expit(said), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(RAGGED), np.where(said > 0, *model.classes_[::-1]))


def test_three_classes():
    model = net().fit(RAGGED, THREE)
    said, p = model.decision_function(RAGGED), model.predict_proba(RAGGED)
    assert said.shape == p.shape == (N, 3)
    np.testing.assert_allclose(p, softmax(said, axis=1), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(RAGGED), model.classes_[p.argmax(1)])


def test_several_labels():
    model = net(max_epochs=60).fit(RAGGED, MANY)
    said, p = model.decision_function(RAGGED), model.predict_proba(RAGGED)
    assert said.shape == p.shape == model.predict(RAGGED).shape == MANY.shape
    np.testing.assert_allclose(p, expit(said), rtol=1e-12)
    np.testing.assert_array_equal(model.predict(RAGGED), p > 0.5)
    np.testing.assert_array_equal(model.classes_, [0, 1])
    assert model.score(RAGGED, MANY) > 0.9


@pytest.mark.parametrize("convert", [pd.DataFrame, np.ndarray.tolist, sparse.csr_matrix, sparse.csr_array, lambda y: y.astype(bool)])
def test_the_container_of_labels_does_not_matter(convert):
    settings = {"early_stopping": True, "class_weight": "balanced"}
    model, expected = (net(**settings).fit(RAGGED, y) for y in (convert(MANY), MANY))
    np.testing.assert_array_equal(answers(model, RAGGED), answers(expected, RAGGED))


@pytest.mark.parametrize("convert", [list, pd.Series, lambda y: pd.Series(y, dtype="category"), lambda y: y.astype(object), pl.Series])
def test_the_container_of_classes_does_not_matter(convert):
    model, expected = (net().fit(RAGGED, y) for y in (convert(high_or_low()), high_or_low()))
    np.testing.assert_array_equal(model.predict(RAGGED), expected.predict(RAGGED))
    np.testing.assert_array_equal(answers(model, RAGGED), answers(expected, RAGGED))


@pytest.mark.parametrize("y", [LARGEST > 1, THREE, MANY], ids=["two", "three", "labels"])
def test_probabilities(y):
    model = net().fit(RAGGED, y)
    p = model.predict_proba(RAGGED)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(RAGGED)), p, rtol=1e-12)
    assert ((p > 0) & (p < 1)).all()
    if y.ndim == 1:
        np.testing.assert_allclose(p.sum(1), 1, rtol=1e-12)


def test_log_probabilities_do_not_underflow():
    model = net().fit(RAGGED, high_or_low())
    model.network_.head.b.data.fill_(1e4)
    assert np.isfinite(model.predict_log_proba(RAGGED)).all()
    np.testing.assert_allclose(model.predict_log_proba(RAGGED)[:, 0], -1e4, rtol=1e-2)


@pytest.mark.parametrize(
    "classes",
    [
        np.array(["no", "yes"]),
        np.array([False, True]),
        np.array([-5, 3]),
        np.array([-1.0, 1.0]),
        np.array([7, -2, 100]),
        np.array(["é", "", "z"], dtype=object),
    ],
    ids=lambda classes: f"{classes.dtype}{len(classes)}",
)
def test_labels_come_back_as_they_were(classes):
    y = classes[THREE % len(classes)]
    model = net(max_epochs=60, learning_rate=0.05).fit(RAGGED, y)
    assert model.predict(RAGGED).dtype == y.dtype
    np.testing.assert_array_equal(model.classes_, np.unique(y))
    assert model.score(RAGGED, y) > 0.9


def test_it_begins_with_the_shares_of_the_classes():
    y = high_or_low()
    model = net(max_epochs=1, learning_rate=1e-12).fit(RAGGED, y)
    np.testing.assert_allclose(model.predict_proba(RAGGED), np.tile((y[:, None] == model.classes_).mean(0), (N, 1)), rtol=1e-5)


def test_the_loss_is_the_cross_entropy():
    model = net(max_epochs=5, learning_rate=1e-12).fit(RAGGED, THREE)
    np.testing.assert_allclose(model.loss_curve_, log_loss(THREE, model.predict_proba(RAGGED)), rtol=1e-4)


# Features for another model.


@pytest.mark.parametrize("settings", [{}, {"bidirectional": False}, {"cell": "lstm", "n_layers": 2}])
def test_features(settings):
    model = net(**settings).fit(RAGGED, high_or_low())
    names = model.get_feature_names_out()
    assert model.transform(RAGGED).shape == (N, len(names))
    cell = settings.get("cell", "gru")
    assert list(names) == [f"{cell}_h{k}" for k in range(8 if settings.get("bidirectional") is False else 16)]
    frame = model.set_output(transform="pandas").transform(RAGGED)
    assert list(frame.columns) == list(names)
    np.testing.assert_array_equal(frame, model.set_output(transform="default").transform(RAGGED))


def test_features_in_front_of_another_model():
    model = make_pipeline(PerStep(StandardScaler()), net(max_epochs=60), LogisticRegression(max_iter=1000)).fit(RAGGED, high_or_low())
    assert model.score(RAGGED, high_or_low()) > 0.9


@pytest.mark.parametrize("method", ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "get_feature_names_out"])
def test_not_fitted(method):
    with pytest.raises(NotFittedError, match="This RNNClassifier instance is not fitted yet"):
        getattr(net(), method)(*[RAGGED] * (method != "get_feature_names_out"))


# Every setting.

SETTINGS = [
    *({"cell": name.lower()} for name in TRAINED_CELLS),
    {"cell": cells.Leaky(cells.GRU())},
    *({"pooling": name} for name in POOLINGS),
    *({"optimizer": name} for name in OPTIMIZERS),
    *({"schedule": name} for name in SCHEDULES),
    *({"rule": rule} for rule in ("bptt", "truncated_bptt", TruncatedBPTT(4))),
    *({"n_layers": 3, "dropout": 0.2, "bidirectional": both} for both in (False, True)),
    {"clip_norm": None, "clip_value": 0.1},
    {"alpha": 1e-3},
    {"standardize": False},
    {"batch_size": None},
    {"dtype": "float64"},
    {"n_threads": 1},
    {"random_state": np.random.RandomState(0)},
]


every_setting = [settings if k % 4 == 0 else pytest.param(settings, marks=pytest.mark.slow) for k, settings in enumerate(SETTINGS)]


@pytest.mark.parametrize("settings", every_setting, ids=lambda settings: " ".join(settings))
def test_every_setting_learns(settings):
    """Within 60 epochs; most of them need 20."""
    y = high_or_low()
    learned = Hook(lambda model: model.n_iter_ % 20 == 0 and model.score(RAGGED, y) > 0.8)
    model = net(**{"max_epochs": 60, "learning_rate": 0.03} | settings).set_callbacks(learned).fit(RAGGED, y)
    assert model.n_iter_ in (20, 40, 60)
    assert model.score(RAGGED, y) > 0.8


def test_truncation_on_long_sequences():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 1)) + drift for n in rng.integers(150, 300, 12) for drift in (0.0, 0.3)]
    y = np.tile([0, 1], 12)
    exact, truncated = (net(rule=rule, max_epochs=15, pooling="mean").fit(X, y) for rule in ("bptt", TruncatedBPTT(50)))
    assert exact.score(X, y) > 0.9
    assert truncated.score(X, y) > 0.9
    assert not np.array_equal(answers(exact, X), answers(truncated, X))


def test_weight_decay_makes_weights_smaller():
    plain, decayed = (net(max_epochs=20, alpha=alpha).fit(RAGGED, high_or_low()) for alpha in (0, 2.5))
    assert sum(w.square().sum() for w in decayed.network_.parameters()) < sum(w.square().sum() for w in plain.network_.parameters())


# Early stopping.

TRAIN, HELD = slice(0, 25), slice(25, None)


def noisy(y):
    """Labels of which a third are wrong, so that learning by heart does not help on others."""
    return np.where(np.random.default_rng(0).random(len(y)) < 0.33, np.roll(y, 1), y)


def overfit(**settings):
    return net(**{"max_epochs": 80, "learning_rate": 0.03, "n_iter_no_change": 5} | settings)


def test_early_stopping_on_a_share():
    model = overfit(early_stopping=True, validation_fraction=0.25).fit(RAGGED, noisy(high_or_low()))
    assert model.n_iter_ == len(model.validation_scores_) == len(model.loss_curve_) < 80
    assert np.argmax(model.validation_scores_) == model.n_iter_ - 1 - 5
    assert overfit().fit(RAGGED, high_or_low()).validation_scores_ == []


@pytest.mark.parametrize("early_stopping", [True, "auto"])
def test_early_stopping_on_given_data_keeps_the_best_weights(early_stopping):
    y = noisy(high_or_low())
    model = overfit(early_stopping=early_stopping).fit(RAGGED[TRAIN], y[TRAIN], X_val=RAGGED[HELD], y_val=y[HELD])
    best = max(model.validation_scores_)
    assert model.n_iter_ < 80
    assert best > model.validation_scores_[-1]
    np.testing.assert_allclose(-log_loss(y[HELD], model.predict_proba(RAGGED[HELD])), best, rtol=1e-5)


def test_tol_is_what_counts_as_better():
    y = high_or_low()
    held = {"X_val": RAGGED[HELD], "y_val": y[HELD]}
    assert overfit(tol=10.0).fit(RAGGED[TRAIN], y[TRAIN], **held).n_iter_ == 5
    assert overfit(tol=0.0).fit(RAGGED[TRAIN], y[TRAIN], **held).n_iter_ > 5


def test_held_out_data_pass_through_a_pipeline():
    y = noisy(high_or_low())
    X = [1000 * x + 500 for x in RAGGED]
    with config_context(enable_metadata_routing=True):
        model = overfit(standardize=False)
        pipeline = make_pipeline(PerStep(StandardScaler()), model, transform_input=["X_val"])
        pipeline.fit(X[TRAIN], y[TRAIN], X_val=X[HELD], y_val=y[HELD])
    scaler = PerStep(StandardScaler()).fit(X[TRAIN])
    expected = overfit(standardize=False).fit(scaler.transform(X[TRAIN]), y[TRAIN], X_val=scaler.transform(X[HELD]), y_val=y[HELD])
    assert pipeline[-1].validation_scores_ == expected.validation_scores_
    np.testing.assert_array_equal(pipeline.predict_proba(X), expected.predict_proba(scaler.transform(X)))


def test_sample_weight_reaches_every_fit_of_a_search():
    y, weight = high_or_low(), np.where(LARGEST > 0.5, 1.0, 0.0)
    with config_context(enable_metadata_routing=True):
        model = net(max_epochs=10).set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"cell": ["gru"]}, cv=2).fit(RAGGED, y, sample_weight=weight)
    expected = net(max_epochs=10).fit(RAGGED, y, sample_weight=weight)
    np.testing.assert_array_equal(search.predict_proba(RAGGED), expected.predict_proba(RAGGED))
    assert not np.array_equal(search.predict_proba(RAGGED), net(max_epochs=10).fit(RAGGED, y).predict_proba(RAGGED))


def test_held_out_sequences_without_weight():
    with pytest.raises(ValueError, match="sample_weight is zero for all sequences of the training or the held-out part"):
        overfit(early_stopping=True).fit(RAGGED, high_or_low(), sample_weight=np.arange(N) < 2)


@pytest.mark.parametrize("settings", [{"hidden_size": 9}, {"cell": "lstm"}, {"dtype": "float64"}, {"n_layers": 2}])
def test_warm_start_refuses_another_net(settings):
    model = net(warm_start=True).fit(RAGGED, high_or_low()).set_params(**settings)
    with pytest.raises(ValueError, match=next(iter(settings))):
        model.fit(RAGGED, high_or_low())


# Callbacks.


def scores(monitor):
    return monitor.get_logs().data_as_pandas


def test_scores_of_every_epoch():
    monitor = ScoringMonitor(scoring="neg_log_loss")
    model = net(max_epochs=10).set_callbacks(monitor).fit(RAGGED, high_or_low())
    table = scores(monitor).query("task_name == 'epoch'")
    assert len(table) == 10
    np.testing.assert_allclose(table["neg_log_loss"].iloc[-1], -log_loss(high_or_low(), model.predict_proba(RAGGED)), rtol=1e-6)
    assert table["neg_log_loss"].is_monotonic_increasing


def test_a_monitored_fit_is_the_same_fit():
    monitored = net().set_callbacks(ScoringMonitor(scoring="accuracy")).fit(RAGGED, high_or_low())
    np.testing.assert_array_equal(answers(monitored, RAGGED), answers(net().fit(RAGGED, high_or_low()), RAGGED))


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_scores_inside_pipeline_and_search(n_jobs):
    monitor = ScoringMonitor(scoring="accuracy")
    pipeline = make_pipeline(PerStep(StandardScaler()), net(max_epochs=4).set_callbacks(monitor))
    GridSearchCV(pipeline, {"rnnclassifier__cell": ["elman", "gru"]}, cv=3, n_jobs=n_jobs).fit(RAGGED, high_or_low())
    logs = monitor.get_logs(select="all")
    assert sum((log.data_as_pandas["task_name"] == "epoch").sum() for log in logs) == (2 * 3 + 1) * 4


def test_progress_bar_of_scikit_learn():
    pytest.importorskip("rich")
    pipeline = make_pipeline(PerStep(StandardScaler()), net())
    search = GridSearchCV(pipeline, {"rnnclassifier__cell": ["elman", "gru"]}, cv=2)
    assert search.set_callbacks(ProgressBar()).fit(RAGGED, high_or_low()).score(RAGGED, high_or_low()) > 0.5


def stop_after_four(model):
    return model.n_iter_ == 4


def test_a_callback_stops_training():
    model = net(max_epochs=30).set_callbacks(Hook(stop_after_four)).fit(RAGGED, high_or_low())
    assert model.n_iter_ == len(model.loss_curve_) == 4
    pipeline = make_pipeline(PerStep(), model).fit(RAGGED, high_or_low())
    assert pipeline[-1].n_iter_ == 4
    search = GridSearchCV(pipeline, {"rnnclassifier__cell": ["elman", "gru"]}, cv=2).fit(RAGGED, high_or_low())
    assert search.best_estimator_[-1].n_iter_ == 4


def test_F12_an_error_in_a_callback_comes_through():
    model = net(max_epochs=30).set_callbacks(Hook(lambda model: 1 / 0))
    with pytest.raises(ZeroDivisionError):
        model.fit(RAGGED, high_or_low())
    expected = net(max_epochs=5).fit(RAGGED, high_or_low())
    np.testing.assert_array_equal(
        answers(model.set_callbacks().set_params(max_epochs=5).fit(RAGGED, high_or_low()), RAGGED), answers(expected, RAGGED)
    )


def interrupt_at(epoch):
    def interrupt(model):
        if model.n_iter_ == epoch:
            raise KeyboardInterrupt

    return Hook(interrupt)


@pytest.mark.parametrize("epoch", [1, 3])
def test_F1_an_interrupted_model_is_fitted(epoch):
    model = net(max_epochs=30).set_callbacks(interrupt_at(epoch))
    with pytest.warns(InterruptedWarning, match=f"interrupted by user after {epoch} epochs; the best weights so far are kept") as record:
        assert model.fit(RAGGED, high_or_low()) is model
    assert record[0].filename == __file__
    assert model.n_iter_ == len(model.loss_curve_) == epoch
    model.set_callbacks()
    assert log_loss(high_or_low(), model.predict_proba(RAGGED)) <= model.loss_curve_[0]
    model.set_params(warm_start=True).fit(RAGGED, high_or_low())
    assert model.n_iter_ == epoch + 30


def test_F2_interrupted_before_the_first_epoch_ended(monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skrnn.training._trainer._TrainingRun.epoch", interrupt)
    y = high_or_low()
    with pytest.warns(InterruptedWarning, match="interrupted by user after 0 epochs"):
        model = net().fit(RAGGED, y)
    np.testing.assert_allclose(model.predict_proba(RAGGED), np.tile((y[:, None] == model.classes_).mean(0), (N, 1)), rtol=1e-5)


# Quiet, unless asked.


def test_nothing_is_printed_or_written(capfd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = net(early_stopping=True).fit(RAGGED, high_or_low())
    model.score(RAGGED, high_or_low())
    assert capfd.readouterr() == ("", "")
    assert os.listdir(tmp_path) == []


def test_verbose_shows_epochs_on_standard_error(capfd):
    net(verbose=True, early_stopping=True).fit(RAGGED, high_or_low())
    out, err = capfd.readouterr()
    assert out == ""
    assert "epoch 3/3" in err
    assert "loss" in err
    assert "held-out loss" in err
    assert err.endswith("\n")


def test_verbose_says_when_a_cell_is_compiled_which_happens_once(capfd, tmp_path, monkeypatch):
    monkeypatch.setenv("SKRNN_CACHE_DIR", str(tmp_path))
    said = []
    for verbose in (True, True, False):
        net(verbose=verbose, hidden_size=11).fit(RAGGED, high_or_low())
        said.append("compiling (once)" in capfd.readouterr().err)
    assert said == [True, False, False]


def test_verbose_ends_its_line_when_training_stops_early(capfd):
    net(verbose=True, max_epochs=30).set_callbacks(Hook(stop_after_four)).fit(RAGGED, high_or_low())
    assert capfd.readouterr().err.endswith("\n")


def test_repr_names_what_differs_from_the_defaults():
    assert repr(RNNClassifier(cells.LSTM(peephole=True), max_epochs=7)) == "RNNClassifier(cell=LSTM(peephole=True), max_epochs=7)"


def test_html():
    assert "RNNClassifier" in net().fit(EQUAL, target(net(), EQUAL))._repr_html_()
