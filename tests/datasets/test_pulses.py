"""Rhythms that are what their factors say."""

import numpy as np
import pytest

from skrnn.datasets import make_pulse_trains


def test_pulses_come_with_their_period_and_their_height():
    X, y = make_pulse_trains(200, 40, periods=(4, 7, 9), amplitudes=(0.5, 2.0), noise=0, random_state=0)
    assert X.shape == (200, 40, 1)
    for x, (period, amplitude) in zip(X[..., 0], y, strict=True):
        places = np.flatnonzero(x)
        assert places[0] < (4, 7, 9)[period]
        assert set(np.diff(places)) == {(4, 7, 9)[period]}
        assert set(x[places]) == {(0.5, 2.0)[amplitude]}
    assert len(np.unique(y, axis=0)) == 6
    assert len({int(np.flatnonzero(x)[0]) for x in X[y[:, 0] == 0, :, 0]}) == 4  # every phase


def test_noise_has_its_deviation_and_the_seed_alone_decides():
    before = np.random.get_state()[1].copy()
    X, y = make_pulse_trains(noise=0.3, random_state=0)
    again, _ = make_pulse_trains(noise=0.3, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)
    np.testing.assert_array_equal(X, again)
    plain, same = make_pulse_trains(noise=0, random_state=0)
    np.testing.assert_array_equal(y, same)
    assert (X - plain).std() == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"n_sequences": 0}, "n_sequences must be a whole number of at least 1; got 0"),
        ({"n_steps": 2.5}, "n_steps must be a whole number"),
        ({"periods": ()}, "the number of periods must be a whole number of at least 1; got 0"),
        ({"periods": (3, 0)}, "periods must be a whole number of at least 1; got 0"),
        ({"amplitudes": (1.0, -1.0)}, "amplitudes must be"),
        ({"noise": -0.1}, "noise must be"),
    ],
)
def test_what_makes_no_rhythm_is_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        make_pulse_trains(**settings)
