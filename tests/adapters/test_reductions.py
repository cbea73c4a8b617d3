"""RNNRegressor, unchanged, inside other libraries' reductions of forecasting to regression: the steps stand in the right order."""

import numpy as np
import pandas as pd
import pytest

from skrnn import RNNRegressor
from skrnn.preprocessing import make_windows

N_LAGS = 3
DAYS = pd.date_range("2024-01-01", periods=60)
RAMP = np.arange(60.0)
SERIES = np.sin(RAMP / 3) + RAMP / 20
EXOG = np.column_stack([RAMP + 1000, RAMP + 2000])


class LastStep(RNNRegressor):
    """Answers with the last step of the first channel, plus one: right on a ramp if the steps come in the right order, and only then."""

    def fit(self, X, y):
        self._outputs_expected = np.shape(y)[1:]
        return super().fit(X, y)

    def predict(self, X):
        steps = np.stack(list(self._predictor().read(X).sequences))
        assert steps.shape[1] == N_LAGS
        assert (np.diff(steps[:, :, 0], axis=1) == 1).all()
        last = steps[:, -1, 0]
        return last[:, None] + np.arange(1, 1 + self._outputs_expected[0]) if self._outputs_expected else last + 1


def small(cls, **settings):
    return cls(hidden_size=4, max_epochs=1, pooling="last", bidirectional=False, random_state=0, **settings)


def expected():
    """The forecast of a network that was trained on plain windows."""
    X, y = make_windows(SERIES, N_LAGS)
    return small(RNNRegressor).fit(X, y).predict(SERIES[None, -N_LAGS:, None])[0]


# -- sktime ----------------------------------------------------------------------------------------------------------------------------------------


def sktime_forecast(regressor, y, scitype, strategy, fh, X=None, X_future=None):
    compose = pytest.importorskip("sktime.forecasting.compose")
    reduced = compose.make_reduction(regressor, window_length=N_LAGS, scitype=scitype, strategy=strategy)
    return reduced.fit(pd.Series(y), X=X, fh=fh).predict(fh, X=X_future).to_numpy()


@pytest.mark.parametrize("strategy", ["recursive", "multioutput"])
@pytest.mark.parametrize(("scitype", "layout"), [("tabular-regressor", "ntc"), ("tabular-regressor", "nct"), ("time-series-regressor", "nct")])
def test_a_ramp_goes_on_in_sktime(strategy, scitype, layout):
    given = sktime_forecast(small(LastStep, n_lags=N_LAGS, layout=layout), RAMP, scitype, strategy, [1, 2, 3])
    np.testing.assert_array_equal(given, [60, 61, 62])


@pytest.mark.parametrize("scitype", ["tabular-regressor", "time-series-regressor"])
def test_a_ramp_goes_on_beside_covariates_in_sktime(scitype):
    X = pd.DataFrame(np.vstack([EXOG, EXOG[:3] + 60]))
    given = sktime_forecast(small(LastStep, n_lags=N_LAGS, layout="nct"), RAMP, scitype, "recursive", [1, 2, 3], X.iloc[:60], X.iloc[60:])
    np.testing.assert_array_equal(given, [60, 61, 62])


@pytest.mark.parametrize(("scitype", "settings"), [("tabular-regressor", {}), ("time-series-regressor", {"layout": "nct"})])
@pytest.mark.parametrize("strategy", ["recursive", "direct"])
def test_sktime_trains_the_network_of_plain_windows(scitype, settings, strategy):
    given = sktime_forecast(small(RNNRegressor, **settings), SERIES, scitype, strategy, [1])
    np.testing.assert_allclose(np.ravel(given), expected(), rtol=1e-6)


# -- mlforecast ------------------------------------------------------------------------------------------------------------------------------------


def mlforecast_forecast(regressor, y, h, *, as_numpy=False, **settings):
    mlforecast = pytest.importorskip("mlforecast")
    df = pd.DataFrame({"unique_id": "a", "ds": DAYS, "y": y})
    model = mlforecast.MLForecast(models={"net": regressor}, freq="D", lags=[1, 2, 3], **settings)
    return model.fit(df, as_numpy=as_numpy).predict(h)["net"].to_numpy()


@pytest.mark.parametrize("settings", [{}, {"date_features": ["month", "dayofweek"]}])
def test_a_ramp_goes_on_in_mlforecast(settings):
    np.testing.assert_array_equal(mlforecast_forecast(small(LastStep), RAMP, 3, **settings), [60, 61, 62])


def test_a_ramp_goes_on_in_mlforecast_with_bare_arrays():
    given = mlforecast_forecast(small(LastStep, step_order="newest_first"), RAMP, 3, as_numpy=True)
    np.testing.assert_array_equal(given, [60, 61, 62])


def test_mlforecast_trains_the_network_of_plain_windows():
    np.testing.assert_allclose(mlforecast_forecast(small(RNNRegressor), SERIES, 1), expected(), rtol=1e-6)


# -- skforecast ------------------------------------------------------------------------------------------------------------------------------------


def skforecast_forecast(kind, regressor, y, n_steps, exog=None, **settings):
    module = pytest.importorskip(f"skforecast.{kind}")
    cls = module.ForecasterRecursive if kind == "recursive" else module.ForecasterDirect
    model = cls(estimator=regressor, lags=N_LAGS, **settings)
    model.fit(pd.Series(y, index=DAYS), exog=None if exog is None else exog.iloc[:60])
    return model.predict(n_steps, exog=None if exog is None else exog.iloc[60:]).to_numpy()


def test_a_ramp_goes_on_in_skforecast():
    given = skforecast_forecast("recursive", small(LastStep, step_order="newest_first"), RAMP, 3)
    np.testing.assert_array_equal(given, [60, 61, 62])


def test_a_ramp_goes_on_beside_covariates_in_skforecast():
    exog = pd.DataFrame(np.vstack([EXOG, EXOG[:3] + 60]), index=pd.date_range("2024-01-01", periods=63), columns=["p", "q"])
    net = small(LastStep, step_order="newest_first", n_lags=N_LAGS, layout="lags_then_constants")
    np.testing.assert_array_equal(skforecast_forecast("recursive", net, RAMP, 3, exog), [60, 61, 62])


@pytest.mark.parametrize(("kind", "settings"), [("recursive", {}), ("direct", {"steps": 2})])
def test_skforecast_trains_the_network_of_plain_windows(kind, settings):
    given = skforecast_forecast(kind, small(RNNRegressor, step_order="newest_first"), SERIES, None if settings else 1, **settings)
    if kind == "recursive":
        np.testing.assert_allclose(given, expected(), rtol=1e-6)
    else:
        X, y = make_windows(SERIES, N_LAGS, 2)
        nets = [small(RNNRegressor).fit(X, y[:, k]) for k in range(2)]
        np.testing.assert_allclose(given, [net.predict(SERIES[None, -N_LAGS:, None])[0] for net in nets], rtol=1e-6)


# -- darts -----------------------------------------------------------------------------------------------------------------------------------------


def darts_forecast(regressor, y, n, covariates=None, **settings):
    darts, models = pytest.importorskip("darts"), pytest.importorskip("darts.models")
    series = darts.TimeSeries.from_times_and_values(DAYS, y)
    beside = {}
    if covariates is not None:
        days = pd.date_range(DAYS[0], periods=len(covariates))
        beside = {"future_covariates": darts.TimeSeries.from_times_and_values(days, covariates)}
    model = models.SKLearnModel(lags=N_LAGS, model=regressor, **settings).fit(series, **beside)
    return model.predict(n, **beside).values()[:, 0]


def test_a_ramp_goes_on_in_darts():
    np.testing.assert_array_equal(darts_forecast(small(LastStep), RAMP, 3), [60, 61, 62])


def test_a_ramp_goes_on_beside_covariates_in_darts():
    covariates = np.vstack([EXOG, EXOG[:3] + 60])
    net = small(LastStep, n_lags=N_LAGS, layout="lags_then_constants")
    np.testing.assert_array_equal(darts_forecast(net, RAMP, 3, covariates, lags_future_covariates=[0]), [60, 61, 62])


def test_darts_trains_the_network_of_plain_windows():
    np.testing.assert_allclose(darts_forecast(small(RNNRegressor), SERIES, 1), expected(), rtol=1e-6)
