"""sktime's own checks, all of them, and what they do not ask."""

import numpy as np
import pandas as pd
import pytest

from skrnn import RNNClassifier, RNNForecaster, RNNRegressor
from skrnn.adapters import sktime as adapters

pytest.importorskip("sktime")
SMALL = {"horizon": 6, "n_lags": 6, "hidden_size": 4, "max_epochs": 2}
SERIES = pd.Series(np.sin(np.arange(60) / 3), index=pd.period_range("2020-01", periods=60, freq="M"), name="sales")
X = pd.DataFrame({"promo": np.cos(np.arange(72.0))}, index=pd.period_range("2020-01", periods=72, freq="M"))


@pytest.mark.timeout(1200)  # hundreds of checks, each with fits of its own
@pytest.mark.parametrize("name", adapters.__all__)
def test_checks_of_sktime(name):
    from sktime.utils.estimator_checks import check_estimator

    results = check_estimator(getattr(adapters, name), raise_exceptions=False, verbose=False)
    assert {check: result for check, result in results.items() if result != "PASSED"} == {}
    assert len(results) > 100


@pytest.mark.parametrize(
    ("adapter", "inner", "y"), [("SktimeClassifier", RNNClassifier, np.array(list("ab") * 5)), ("SktimeRegressor", RNNRegressor, np.arange(10.0))]
)
@pytest.mark.parametrize("equal", [True, False])
def test_predictions_are_those_inside(adapter, inner, y, equal):
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(7 if equal else 3 + k, 2)) for k in range(10)]
    panel = np.stack([x.T for x in sequences]) if equal else [pd.DataFrame(x, columns=["p", "q"]) for x in sequences]
    net = inner(hidden_size=4, max_epochs=2)
    outer = getattr(adapters, adapter)(net, random_state=0).fit(panel, y)
    np.testing.assert_array_equal(outer.predict(panel), net.set_params(random_state=0).fit(sequences, y).predict(sequences))
    assert getattr(adapters, adapter)(net).set_params(estimator__hidden_size=5).estimator.hidden_size == 5


def test_forecasts_are_those_inside():
    outer = adapters.SktimeForecaster(RNNForecaster(**SMALL), random_state=0).fit(SERIES, X=X.iloc[:60], fh=[1, 3, 5])
    inner = RNNForecaster(**SMALL | {"horizon": 5}, random_state=0).fit(X.iloc[:60].to_numpy(), SERIES.to_numpy())
    future = X.iloc[60:65]
    given = outer.predict(X=future)
    assert given.name == "sales"
    assert list(given.index.astype(str)) == ["2025-01", "2025-03", "2025-05"]
    np.testing.assert_array_equal(given, inner.forecast(5, future.to_numpy())[[0, 2, 4]])
    low, high = inner.predict_interval(future.to_numpy(), 0.8)
    interval = outer.predict_interval(X=future, coverage=0.8)
    np.testing.assert_allclose(interval["sales", 0.8], np.column_stack([low, high])[[0, 2, 4]])
    with pytest.raises(ValueError, match="2025-05 is missing"):
        outer.predict(X=future.iloc[:4])


def test_update_moves_on():
    outer = adapters.SktimeForecaster(RNNForecaster(**SMALL), random_state=0).fit(SERIES.iloc[:50], fh=[1, 2])
    inner = RNNForecaster(**SMALL | {"horizon": 2}, random_state=0).fit(None, SERIES.iloc[:50].to_numpy())
    outer.update(SERIES.iloc[48:55], update_params=False)  # two steps are known already
    inner.update(None, SERIES.iloc[50:55].to_numpy())
    given = outer.predict()
    assert str(given.index[0]) == "2024-08"
    np.testing.assert_array_equal(given, inner.forecast(2))
