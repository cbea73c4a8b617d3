"""Detectors find what was injected into a sine, and beat the week before on taxi rides; settings and data stand in ``benchmarks/anomalies.py``."""

import numpy as np
import pytest

from benchmarks import anomalies

slow = pytest.mark.slow


@pytest.mark.parametrize("seed", [pytest.param(0), *(pytest.param(seed, marks=slow) for seed in range(1, 5))])
def test_points_and_contextual_anomalies_of_a_sine(seed):
    found = anomalies.on_sine(seed)
    assert found["AP"] >= 0.9
    assert found["hit"] == found["of"] == 20


@pytest.fixture(scope="module")
def taxi():
    series = anomalies.taxi()
    if series is None:
        pytest.skip("the files are not there; SKRNN_DATA may name their folder")
    return series


def test_the_taxi_rides_are_read(taxi):
    assert (taxi.train.shape, taxi.test.shape, len(taxi.events)) == ((4032, 5), (10320, 5), 5)
    assert taxi.labels[: anomalies.N_KNOWN].sum() == 0
    assert taxi.labels.sum() == 1035


def test_the_week_before(taxi):
    """As the reference: the absolute difference, 0.418; here it is measured from its mean on the four weeks."""
    difference = np.abs(taxi.test[anomalies.WEEK :, 0] - taxi.test[: -anomalies.WEEK, 0])[anomalies.N_KNOWN - anomalies.WEEK :]
    assert anomalies.average_precision_score(taxi.labels[anomalies.N_KNOWN :], difference) == pytest.approx(0.418, abs=0.0005)
    found = anomalies.naive_on_taxi(taxi)
    assert found["AP"] == pytest.approx(0.418, abs=0.01)
    assert found["hit"] == 5


@slow
def test_taxi_rides_with_a_calendar(taxi):
    found = [anomalies.on_taxi(taxi, seed) for seed in range(5)]
    assert min(each["AP"] for each in found) > 0.418, found
    assert min(each["hit"] for each in found) >= 4, found
    assert max(each["false alarms"] for each in found) < 0.02, found
    assert max(each["RMSE / persistence"] for each in found) <= 0.75, found
