"""Changes and back: exact, per series, and on behind the training end."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.dummy import DummyRegressor

from skrnn import Sequences, as_sequences
from skrnn.preprocessing import Differencer

RNG = np.random.default_rng(0)
SERIES = RNG.normal(size=(40, 2)).cumsum(axis=0)
SEVERAL = [SERIES, SERIES[:25] + 50, SERIES[5:]]
LAGS = [1, 3, 12, (1, 1), (1, 7), (7, 1), (2, 3, 4)]
every_lag = pytest.mark.parametrize("lags", LAGS)


@every_lag
def test_changes_are_those_of_the_definition(lags):
    expected = SERIES
    for lag in np.atleast_1d(lags):
        expected = expected[lag:] - expected[:-lag]
    n_lost = int(np.sum(lags))
    np.testing.assert_array_equal(Differencer(lags, edge="drop").fit_transform(SERIES), expected)
    for edge, value in (("zero", 0.0), ("nan", np.nan)):
        changes = Differencer(lags, edge=edge).fit_transform(SERIES)
        np.testing.assert_array_equal(changes[n_lost:], expected)
        np.testing.assert_array_equal(changes[:n_lost], np.full((n_lost, 2), value))


@every_lag
@pytest.mark.parametrize("edge", ["zero", "nan", "drop"])
def test_what_fit_saw_is_restored(lags, edge):
    differencer = Differencer(lags, edge=edge, origin="start")
    for X in (SERIES, SEVERAL):
        changes = differencer.fit_transform(X)
        given = differencer.inverse_transform(changes)
        for back, series in zip(given if isinstance(X, list) else [given], X if isinstance(X, list) else [X], strict=True):
            np.testing.assert_allclose(back, series, atol=1e-12)


@every_lag
@pytest.mark.parametrize("horizon", [1, 2, 5, 13])
def test_it_goes_on_behind_the_end(lags, horizon):
    past, future = SERIES[:-horizon], SERIES[-horizon:]
    changes = Differencer(lags).fit_transform(SERIES)[-horizon:]
    np.testing.assert_allclose(Differencer(lags).fit(past).inverse_transform(changes), future, atol=1e-12)


def test_each_series_goes_on_behind_its_own_end():
    differencer = Differencer((1, 3)).fit([x[:-4] for x in SEVERAL])
    changes = [x[-4:] for x in Differencer((1, 3)).fit_transform(SEVERAL)]
    for given, series in zip(differencer.inverse_transform(changes), SEVERAL, strict=True):
        np.testing.assert_allclose(given, series[-4:], atol=1e-12)
    with pytest.raises(ValueError, match="X has 2 series, but Differencer was fitted on 3"):
        differencer.inverse_transform(changes[:2])


def test_no_change_crosses_from_one_series_to_the_next():
    for given, series in zip(Differencer(2).fit_transform(SEVERAL), SEVERAL, strict=True):
        np.testing.assert_array_equal(given, Differencer(2).fit_transform(series))


@pytest.mark.parametrize(
    ("X", "kind"),
    [(SERIES, np.ndarray), (pd.DataFrame(SERIES), np.ndarray), (SEVERAL, list), (SERIES[None], np.ndarray), (as_sequences(SEVERAL), Sequences)],
)
def test_the_container_stays(X, kind):
    assert isinstance(Differencer().fit_transform(X), kind)
    if kind is np.ndarray:
        assert Differencer().fit_transform(X).shape == np.shape(X)


def test_a_trend_is_forecast_by_a_constant():
    ramp = np.arange(10.0, 40.0)
    model = TransformedTargetRegressor(DummyRegressor(strategy="median"), transformer=Differencer(), check_inverse=False)
    model.fit(np.zeros((30, 1)), ramp)
    np.testing.assert_allclose(model.predict(np.zeros((5, 1))), np.arange(40.0, 45.0))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lags": 0}, "'lags' parameter"),
        ({"lags": ()}, "'lags' parameter"),
        ({"lags": 1.0}, "'lags' parameter"),
        ({"edge": "keep"}, "'edge' parameter"),
        ({"origin": "middle"}, "'origin' parameter"),
        ({"lags": (1, 24)}, r"series 1 has 25 steps \(n_samples=25\); lags=\(1, 24\) need at least 26"),
    ],
)
def test_parameters_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        Differencer(**settings).fit(SEVERAL)


def test_missing_values_are_named():
    holed = SERIES.copy()
    holed[3, 1] = np.nan
    with pytest.raises(ValueError, match="sequence 0, step 3, feature 1"):
        Differencer().fit(holed)
