"""What a fitted estimator says depends on its fit: parameters that are set afterwards count from the next fit on."""

import copy
import pickle
from functools import cache
from numbers import Integral, Real

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.utils._param_validation import Interval, Options

from skrnn import (
    EchoStateClassifier,
    EchoStateRegressor,
    EchoStateTransformer,
    RNNAnomalyDetector,
    RNNClassifier,
    RNNForecaster,
    backtest,
)
from skrnn.frontends import Conv1d
from skrnn.preprocessing import DeltaEncoder
from tests.estimators.samples import CLASSES, LABELS, RAGGED, SAMPLES, SERIES, WORDS, fit_sample

# Of parameters whose constraints name no other values; those of sequences of names or numbers are left to tests of their own.
OTHERS = {
    "cell": ["elman"],
    "decoder_cell": ["elman"],
    "frontend": [Conv1d(4)],
    "activation": ["relu"],
    "class_weight": ["balanced"],
    "encoder": ["delta", DeltaEncoder()],
    "quantiles": [(0.2, 0.5, 0.8)],
    "past_columns": [(0,)],
    "time_column": [0],
    "covariates": [(1,)],
    "device": ["meta"],
}
MAY_CHANGE = {  # what is said to be for predictions
    "EchoStateForecaster": {"n_paths"},
    "PointerNetwork": {"beam_width"},
    "RNNCaptioner": {"beam_width", "length_penalty", "max_steps"},
    "RNNForecaster": {"n_paths"},
    "Seq2SeqTranslator": {"beam_width", "length_penalty", "max_steps", "coverage_penalty", "handle_unknown"},
    "SequenceTranscriber": {"beam_width", "language_model", "language_weight", "length_bonus"},
}
METHODS = ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples", "errors", "get_feature_names_out"]
METHODS += [
    "kept_steps",
    "surprise",
    "log_likelihood",
    "predict_interval",
    "predict_quantiles",
    "sample",
    "forecast",
    "predict_hypotheses",
    "predict_nodes",
    "input_attention",
    "temporal_attention",
]


def others(estimator, name):
    """Other values that a parameter may have."""
    found = OTHERS.get(name, [])[:]
    for allowed in estimator._parameter_constraints[name]:
        if isinstance(allowed, Options):
            found += sorted(map(str, allowed.options))
        elif allowed == "boolean":
            found += [True, False]
        elif allowed is None:
            found += [None]
        elif isinstance(allowed, Interval):
            low = 0 if allowed.left is None else allowed.left
            found += [int(low) + 1, int(low) + 4] if allowed.type is Integral else [low + 0.37 * ((allowed.right or low + 2) - low)]
        elif allowed is Real or allowed == "random_state":
            found += [7]
    now = getattr(estimator, name)
    return [value for value in found if type(value) is not type(now) or value != now]


def said(estimator, sample):
    """All that a fitted estimator says of its sample, as nested lists of arrays."""
    name = type(estimator).__name__
    X = SAMPLES[name][sample][0]
    few = X if X is None else X[:3]
    found = {}
    for method in METHODS:
        if not hasattr(estimator, method) or (method == "forecast" and name == "EchoStateRegressor" and sample):
            continue
        if name == "RNNAutoencoder" and method in ("forecast", "sample"):  # which these settings know nothing of
            continue
        ask = getattr(estimator, method)
        if method == "get_feature_names_out":
            found[method] = ask()
        elif method in ("forecast", "sample"):
            found[method] = ask(3) if name == "EchoStateRegressor" else ask(3, few)
        elif name in ("RNNForecaster", "DualStageAttentionRegressor"):
            found[method] = ask(few)
        else:
            found[method] = ask(X)
    return found


@cache
def _fitted(name, sample):
    return fit_sample(name, sample)


def fitted(name, sample=0):
    return copy.deepcopy(_fitted(name, sample))


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for method, answer in expected.items():
        assert pickle.dumps(found[method]) == pickle.dumps(answer), method


@pytest.mark.parametrize("name", [name for name in CLASSES if name in SAMPLES])
@pytest.mark.parametrize(("sample", "n_values"), [(0, 2), pytest.param(1, None, marks=pytest.mark.slow)])
def test_parameters_set_after_fit_change_nothing(name, sample, n_values):
    expected = said(fitted(name, sample), sample)
    free = MAY_CHANGE.get(name, set())
    for parameter in fitted(name).get_params(deep=False):
        for value in others(fitted(name), parameter)[:n_values] if parameter not in free else []:
            estimator = fitted(name, sample).set_params(**{parameter: value})
            assert_same(said(estimator, sample), expected)
            assert getattr(estimator, parameter) is value


def test_what_predictions_are_told_may_be_set():
    for name, free in MAY_CHANGE.items():
        assert free <= set(fitted(name)._may_change)
    translator = fitted("Seq2SeqTranslator")
    assert len(translator.set_params(beam_width=3).predict_hypotheses(WORDS[:1])[0]) == 3
    assert max(map(len, translator.set_params(max_steps=1).predict(WORDS))) <= 1
    assert len(translator.predict([["a", "?"]])) == 1
    with pytest.raises(ValueError, match=r"'\?'"):
        translator.set_params(handle_unknown="error").predict([["a", "?"]])


REFUSED = [
    ("SequenceTranscriber", {"beam_width": 4, "length_bonus": np.nan}),
    ("SequenceTranscriber", {"beam_width": 4, "length_bonus": np.inf}),
    ("SequenceTranscriber", {"language_weight": -1.0}),
    ("SequenceTranscriber", {"beam_width": 0}),
    ("PointerNetwork", {"beam_width": 2.5}),
    ("Seq2SeqTranslator", {"length_penalty": -5.0}),
    ("Seq2SeqTranslator", {"coverage_penalty": -2.0}),
    ("Seq2SeqTranslator", {"handle_unknown": "refuse"}),
    ("RNNCaptioner", {"max_steps": 0}),
    ("RNNForecaster", {"n_paths": 0}),
]


@pytest.mark.parametrize(("name", "settings"), REFUSED)
def test_what_predictions_are_told_is_checked_as_in_a_fit(name, settings):
    model, (X, *_) = fitted(name).set_params(**settings), SAMPLES[name][0]
    with pytest.raises(ValueError, match=f"The '{[*settings][-1]}' parameter of {name} must be "):
        model.predict(X)


DAYS = pd.date_range("2024-01-01", periods=120)
DATED = pd.DataFrame({"day": DAYS, "a": SERIES[:, 0], "b": SERIES[:, 1]})
WINDOWS = np.stack([SERIES[k : k + 6] for k in range(40)])
TINY = {"hidden_size": 5, "random_state": 0}
CASES = {
    "pooling by models": (lambda: EchoStateTransformer(pooling="model", **TINY).fit(RAGGED), {"pooling": None}, lambda e: e.transform(RAGGED)),
    "no pooling": (lambda: EchoStateTransformer(pooling=None, **TINY).fit(RAGGED), {"pooling": "last"}, lambda e: e.transform(RAGGED)),
    "feedback": (
        lambda: EchoStateRegressor(feedback=True, **TINY).fit(SERIES, SERIES[:, 0]),
        {"feedback": False, "standardize": False},
        lambda e: [e.predict(SERIES), e.forecast(4, SERIES[:4]), e.score(SERIES, SERIES[:, 0])],
    ),
    "another readout": (
        lambda: EchoStateClassifier(readout=LogisticRegression(), **TINY).fit(RAGGED, LABELS),
        {"readout": RidgeClassifier()},
        lambda e: [e.predict(RAGGED), e.predict_proba(RAGGED), e.decision_function(RAGGED)],
    ),
    "no readout": (
        lambda: EchoStateClassifier(readout=LogisticRegression(), **TINY).fit(RAGGED, LABELS),
        {"readout": None},
        lambda e: [e.predict(RAGGED), e.predict_proba(RAGGED), e.decision_function(RAGGED)],
    ),
    "a readout": (
        lambda: EchoStateClassifier(**TINY).fit(RAGGED, LABELS),
        {"readout": RidgeClassifier()},
        lambda e: [e.predict(RAGGED), e.predict_proba(RAGGED), e.decision_function(RAGGED)],
    ),
    "reconstruction": (
        lambda: RNNAnomalyDetector(mode="reconstruct", window=10, max_epochs=2, **TINY).fit(SERIES),
        {"mode": "predict", "horizon": 2, "calibration_fraction": 0.4},
        lambda e: [e.predict(SERIES), e.errors(SERIES)],
    ),
    "axes": (
        lambda: RNNClassifier(layout="nct", max_epochs=2, **TINY).fit(WINDOWS.swapaxes(1, 2), LABELS),
        {"layout": "ntc"},
        lambda e: e.predict_proba(WINDOWS.swapaxes(1, 2)),
    ),
    "lags": (
        lambda: RNNClassifier(step_order="newest_first", n_lags=6, max_epochs=2, **TINY).fit(WINDOWS.reshape(40, 12), LABELS),
        {"step_order": "oldest_first", "n_lags": 4},
        lambda e: e.transform(WINDOWS.reshape(40, 12)),
    ),
    "time": (
        lambda: RNNForecaster(time_column="day", past_columns=["a", "b"], horizon=3, max_epochs=2, **TINY).fit(DATED[:100], DATED.b[:100].to_numpy()),
        {"time_column": None, "past_columns": (), "dtype": "float64", "quantiles": (0.4, 0.5), "missing": "mask", "strategy": "recursive"},
        lambda e: [e.predict(DATED[101:103]), e.predict_quantiles(DATED[100:103]), e.score(DATED[100:103], DATED.b[100:103])],
    ),
}


@pytest.mark.parametrize(("made", "later", "ask"), CASES.values(), ids=CASES)
def test_a_fit_with_other_settings_stays_as_well(made, later, ask):
    estimator = made()
    expected = pickle.dumps(ask(estimator))
    for name, value in later.items():
        setattr(estimator, name, value)
    assert pickle.dumps(ask(estimator)) == expected
    for copied in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        assert pickle.dumps(ask(copied)) == expected
        assert {name: copied.get_params()[name] for name in later}.keys() == later.keys()


def test_the_next_fit_goes_by_the_new_parameters():
    X, y = SAMPLES["EchoStateClassifier"][0]
    changed = fitted("EchoStateClassifier").set_params(pooling="segments", washout=1, dtype="float64")
    expected = clone(changed).fit(X, y).predict_proba(X)
    assert not np.array_equal(changed.predict_proba(X), expected)
    np.testing.assert_array_equal(changed.fit(X, y).predict_proba(X), expected)


def test_series_go_on_as_they_were_learned():
    X, y = DATED[["a"]].to_numpy(), DATED.b.to_numpy()
    model = RNNForecaster(horizon=3, max_epochs=2, **TINY).fit(X[:90], y[:90])
    changed = copy.deepcopy(model).set_params(strategy="recursive", dtype="float64", missing="mask", quantiles=(0.4, 0.5), time_column=0)
    expected = copy.deepcopy(model).update(X[90:95], y[90:95]).predict(X[95:98])
    np.testing.assert_array_equal(changed.with_history(X[5:95], y[5:95]).predict(X[95:98]), model.with_history(X[5:95], y[5:95]).predict(X[95:98]))
    settings = {"initial_window": 100, "coverage": 0.8}
    table, other = (backtest(FrozenEstimator(one), y, X, **settings) for one in (model, changed))
    pd.testing.assert_frame_equal(other, table)
    np.testing.assert_array_equal(changed.update(X[90:95], y[90:95]).predict(X[95:98]), expected)


def test_a_reservoir_does_not_change_its_feedback_halfway():
    model = EchoStateRegressor(readout="rls", feedback=True, alpha=1.0, **TINY).partial_fit(SERIES, SERIES[:, 0])
    with pytest.raises(ValueError, match="feedback must stay between calls of partial_fit; got feedback=False: call fit"):
        model.set_params(feedback=False).partial_fit(SERIES, SERIES[:, 0])


def test_learning_goes_on_with_new_parameters():
    flat = WINDOWS.reshape(40, 12)
    model = RNNClassifier(n_lags=6, max_epochs=2, **TINY).fit(flat, LABELS)
    newest = model.set_params(step_order="newest_first").partial_fit(flat, LABELS)
    turned = flat.reshape(40, 6, 2)[:, ::-1].reshape(40, 12)
    expected = pickle.loads(pickle.dumps(newest)).set_params(step_order="oldest_first")
    np.testing.assert_array_equal(expected.predict_proba(flat), newest.predict_proba(flat))
    np.testing.assert_array_equal(newest.set_params(step_order="auto").predict_proba(flat), expected.predict_proba(flat))
    assert not np.array_equal(newest.predict_proba(turned), newest.predict_proba(flat))
