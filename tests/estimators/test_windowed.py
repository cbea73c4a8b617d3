"""Windows in the rows of a table, in front of every estimator of whole sequences that is trained."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.callback import ScoringMonitor
from sklearn.ensemble import BaggingRegressor
from sklearn.inspection import permutation_importance
from sklearn.multioutput import RegressorChain

from skrnn import estimators
from tests.estimators.samples import CLASSES, EQUAL, TABLE, fit, make, target

N, T, F = EQUAL.shape
every_estimator = pytest.mark.parametrize("name", [name for name in CLASSES if "step_order" in getattr(estimators, name)().get_params()])


def outputs(model, X):
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@every_estimator
@pytest.mark.parametrize(
    ("how", "send"),
    [
        ({"n_lags": T}, lambda X: X.reshape(N, -1)),
        ({"layout": "nct"}, lambda X: X.swapaxes(1, 2)),
        ({"layout": "nct"}, lambda X: [x.T for x in X]),
        ({"n_lags": T, "layout": "nct"}, lambda X: X.swapaxes(1, 2).reshape(N, -1)),
        ({"n_lags": T, "step_order": "newest_first"}, lambda X: X[:, ::-1].reshape(N, -1)),
        ({"step_order": "newest_first"}, lambda X: X[:, ::-1]),
    ],
)
def test_the_way_in_which_windows_come_does_not_matter(name, how, send):
    plain = fit(name, EQUAL)
    y = target(plain, EQUAL)
    model = make(name, **how).fit(send(EQUAL), y)
    np.testing.assert_array_equal(outputs(model, send(EQUAL)), outputs(plain, EQUAL))
    if hasattr(plain, "transform"):
        np.testing.assert_array_equal(model.transform(send(EQUAL)), plain.transform(EQUAL))
    early = clone(model).fit(send(EQUAL), y, X_val=send(EQUAL), y_val=y)
    np.testing.assert_array_equal(outputs(early, send(EQUAL)), outputs(fit_early(name, y), EQUAL))


def fit_early(name, y):
    return make(name).fit(EQUAL, y, X_val=EQUAL, y_val=y)


@every_estimator
def test_a_table_of_named_lags_is_newest_first(name):
    plain = fit(name, TABLE)
    frame = pd.DataFrame(TABLE[:, ::-1], columns=[f"lag{k + 1}" for k in range(TABLE.shape[1])])
    model = make(name).fit(frame, target(plain, TABLE))
    np.testing.assert_array_equal(outputs(model, frame), outputs(plain, TABLE))
    assert list(model.feature_names_in_) == list(frame.columns)


@every_estimator
@pytest.mark.parametrize(("parameter", "value"), [("n_lags", 0), ("n_lags", 2.0), ("layout", "tnc"), ("step_order", "newest")])
def test_parameters_are_checked(name, parameter, value):
    with pytest.raises(ValueError, match=f"'{parameter}' parameter of {name}"):
        make(name, **{parameter: value}).fit(TABLE, target(make(name), TABLE))


@every_estimator
def test_a_failed_fit_changes_nothing(name):
    model = fit(name, EQUAL.reshape(N, -1), n_lags=T)
    before = outputs(model, EQUAL.reshape(N, -1))
    model.set_params(n_lags=T + 1)
    with pytest.raises(ValueError, match=f"no multiple of n_lags={T + 1}"):
        model.fit(EQUAL.reshape(N, -1), target(model, EQUAL))
    np.testing.assert_array_equal(outputs(model, EQUAL.reshape(N, -1)), before)


@every_estimator
def test_callbacks_may_ask_while_it_is_trained_on_a_table(name):
    model = make(name, n_lags=T)
    monitor = ScoringMonitor(scoring="accuracy" if hasattr(model, "predict_proba") else "r2")
    model.set_callbacks(monitor).fit(EQUAL.reshape(N, -1), target(model, EQUAL))
    scores = monitor.get_logs().data_as_pandas.query("task_name == 'epoch'")
    assert len(scores) == 3


def test_tools_that_know_tables_only_see_several_channels():
    X, y = EQUAL.reshape(N, -1), EQUAL[:, -1, 0]
    net = make("RNNRegressor", n_lags=T, max_epochs=60, hidden_size=16, pooling="last")
    assert BaggingRegressor(net, n_estimators=2, random_state=0).fit(X, y).predict(X).shape == (N,)
    assert RegressorChain(make("RNNRegressor")).fit(X, EQUAL[:, -1, :2]).predict(X).shape == (N, 2)
    importance = permutation_importance(net.fit(X, y), X, y, random_state=0).importances_mean
    assert importance.argmax() == (T - 1) * F  # the first channel of the last step
