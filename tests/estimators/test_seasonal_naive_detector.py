"""The yardstick."""

import numpy as np
import pytest

from skrnn import SeasonalNaiveDetector

RNG = np.random.default_rng(0)
WAVE = np.sin(2 * np.pi / 24 * np.arange(480))[:, None] * [1.0, 2.0] + 0.1 * RNG.normal(size=(480, 2))


def test_ranks_as_the_seasonal_difference():
    model = SeasonalNaiveDetector(24).fit(WAVE[:, :1])
    difference = WAVE[24:, 0] - WAVE[:-24, 0]
    rank = np.argsort(np.abs(difference - model.error_gaussian_.mean * model.target_scale_))
    np.testing.assert_array_equal(np.argsort(-model.score_samples(WAVE[:, :1])[24:]), rank)


def test_an_anomaly_is_found_and_echoes_a_season_later():
    model = SeasonalNaiveDetector(24).fit(WAVE[:360])
    test = WAVE[360:].copy()
    test[50] += 3
    assert sorted(np.argsort(model.score_samples(test))[:2]) == [50, 74]
    assert np.flatnonzero(model.predict(test) == -1).tolist()[:2] == [50, 74]


def test_the_first_season_is_ordinary():
    model = SeasonalNaiveDetector(24).fit(WAVE)
    np.testing.assert_allclose(model.score_samples(WAVE)[:24], model.score_samples(WAVE)[360:].mean())
    assert (model.predict(WAVE)[:24] == 1).all()


def test_series_do_not_see_each_other():
    model = SeasonalNaiveDetector(24).fit([WAVE[:200], WAVE[200:]])
    scores = model.score_samples([WAVE[:100], WAVE[100:]])
    np.testing.assert_array_equal(scores[1], model.score_samples(WAVE[100:]))


def test_an_exactly_periodic_series_has_no_errors():
    model = SeasonalNaiveDetector(2).fit(np.tile([0.0, 1.0], 20)[:, None])
    assert model.score_samples([[0.0], [1.0], [0.0], [3.0]]).tolist()[:3] == [0, 0, 0]
    assert model.predict(np.array([[0.0], [1.0], [0.0], [3.0]])).tolist() == [1, 1, 1, -1]


@pytest.mark.parametrize(
    ("settings", "X", "message"),
    [
        ({"period": 480}, WAVE, r"period=480 needs a longer series: the longest has n_samples = 480"),
        ({"period": 479}, WAVE, "holds 1 steps"),
        ({"period": 24, "covariates": [0, 1]}, WAVE, "all 2 columns"),
    ],
)
def test_what_is_refused(settings, X, message):
    with pytest.raises(ValueError, match=message):
        SeasonalNaiveDetector(**settings).fit(X)
