"""What forecasters and detectors leave, and what their copies can do while they learn."""

import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor

from skrnn import DualStageAttentionRegressor, RNNAnomalyDetector, RNNForecaster, SeasonalNaiveDetector

T = 60
DRIVERS = np.random.default_rng(0).normal(size=(T, 2))
WAVE = np.sin(np.arange(T) / 3)
SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}

forecaster = partial(RNNForecaster, horizon=3, n_paths=5, calibration_fraction=0.4, **SMALL)
detector = partial(RNNAnomalyDetector, horizon=2, window=10, **SMALL)
LEARNERS = {
    "direct": (forecaster, DRIVERS, WAVE),
    "recursive": (partial(forecaster, strategy="recursive", conformal="split"), DRIVERS, WAVE),
    "seq2seq": (partial(forecaster, strategy="seq2seq", conformal="adaptive"), DRIVERS, WAVE),
    "stopped": (partial(forecaster, early_stopping=True, validation_fraction=0.2), DRIVERS, WAVE),
    "alone": (forecaster, None, WAVE),
    "with a clock": (partial(forecaster, time_column=0), np.arange(T)[:, None], WAVE),
    "several": (forecaster, None, [WAVE, WAVE[:40]]),
    "driven": (partial(DualStageAttentionRegressor, n_lags=3, **SMALL), DRIVERS, WAVE),
    "predicting": (detector, DRIVERS, WAVE > 0.9),
    "reconstructing": (partial(detector, mode="reconstruct"), DRIVERS, WAVE > 0.9),
}
every_learner = pytest.mark.parametrize(("make", "X", "y"), LEARNERS.values(), ids=LEARNERS)


def asked(model, X, y):
    """All that a copy says while training."""
    if isinstance(model, RNNAnomalyDetector):
        return {"mean": float(np.mean(model.score_samples(X)))}
    low, high = model.predict_interval(X[:3], 0.5) if isinstance(model, RNNForecaster) else (0.0, 1.0)
    return {"mean": float(np.mean(model.predict(X[:3]))), "width": float(np.mean(np.subtract(high, low)))}


@every_learner
def test_callbacks_can_ask_a_copy_while_it_learns(make, X, y):
    scoring = asked if isinstance(make(), RNNAnomalyDetector) else "r2"
    for callback in (ProgressBar(), ScoringMonitor(scoring=asked), ScoringMonitor(scoring=scoring)):
        model = make().set_callbacks(callback).fit(X, y)
        assert model.n_iter_ == 2
        if isinstance(callback, ScoringMonitor):
            scores = [[v for k, v in row.items() if k in ("mean", "width", "r2")] for row in callback.get_logs().data]
            assert len(scores) == 3  # two epochs, and all of it
            assert np.isfinite(scores).all()
            assert all(map(len, scores)) == (X is not None and make().get_params().get("time_column") is None)


def test_a_copy_is_as_if_training_had_stopped_there():
    monitor = ScoringMonitor(scoring=asked)
    for conformal in ("split", "adaptive"):
        model = forecaster(conformal=conformal).set_callbacks(monitor).fit(DRIVERS, WAVE)
        said = asked(model, DRIVERS, WAVE)
        last = max(monitor.get_logs().data, key=lambda row: row["task_id_path"])
        assert {name: last[name] for name in said} == said


def test_learning_more_keeps_errors_once():
    monitor = ScoringMonitor(scoring=asked)
    model = forecaster(conformal="adaptive").fit(DRIVERS, WAVE).set_callbacks(monitor)
    plain = forecaster(conformal="adaptive").fit(DRIVERS, WAVE)
    for each in (model, plain):
        each.update(DRIVERS[:4], WAVE[:4], learn=True)
    said = asked(model, DRIVERS, WAVE)
    assert said == asked(plain, DRIVERS, WAVE)
    assert all({name: row[name] for name in said} == said for row in monitor.get_logs().data)


@every_learner
def test_learning_anew_is_in_the_precision_of_now(make, X, y):
    model = make().fit(X, y).set_params(dtype="float64").fit(X, y)
    expected = make(dtype="float64").fit(X, y)
    for a, b in zip(model.network_.parameters(), expected.network_.parameters(), strict=True):
        np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


@pytest.mark.parametrize("make", [*(make for make, *_ in LEARNERS.values()), SeasonalNaiveDetector], ids=[*LEARNERS, "naive"])
def test_all_that_a_fit_leaves_is_declared(make):
    X, y = next(((X, y) for other, X, y in LEARNERS.values() if other is make), (DRIVERS, WAVE))
    model = make().fit(X, y)
    for each in (model, pickle.loads(pickle.dumps(model))):
        declared = {name: entry for entry in each._fitted for name in entry.attributes}
        for name, value in vars(each).items():
            if name in each.get_params() or name.startswith("_skl"):
                continue
            entry = declared[name]
            assert not entry.derived
            if entry.kind == "ndarray":
                assert value.ndim == len(entry.shape)
            elif entry.kind != "list of float":
                kinds = entry.kind.replace("torch.nn.", "").replace("None", "NoneType").split(" or ")
                assert {kind.__name__ for kind in type(value).__mro__} & set(kinds)
    assert isinstance(model, SeasonalNaiveDetector) or not {"_optimizer", "_stream"} & set(vars(each))
