"""Units of windows: exact both ways, blind to level and unit where they say so, from the past alone."""

import numpy as np
import pytest

from skrnn.data import SCALINGS, Panel, series_moments, windows_of
from skrnn.data._scales import window_units

RNG = np.random.default_rng(0)
Y = RNG.normal(size=(60, 2)).cumsum(axis=0)
KINDS = [*SCALINGS, None]
every_kind = pytest.mark.parametrize("kind", KINDS)


def panel(*series):
    y = np.concatenate(series)
    nothing = np.empty((len(y), 0))
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in series])])
    return Panel(y, np.ones(y.shape, bool), nothing, nothing, np.empty((len(series), 0)), offsets)


def window(y, kind, n_lags=6, horizon=3):
    origins = np.arange(n_lags, len(y) - horizon + 1)
    return windows_of(panel(y), np.zeros(len(origins), int), origins, (n_lags, horizon), (kind, series_moments([y])))


@every_kind
def test_units_go_back_exactly(kind):
    w = window(Y, kind)
    if kind == "difference":
        z, scale = w.z[:, 6:], w.scale[:, None]
        back = w.location[:, None] + np.cumsum(z * scale, axis=1)
    else:
        back = w.location[:, None] + w.z[:, 6:] * w.scale[:, None]
    np.testing.assert_allclose(back, Y[w.rows[:, 6:]], rtol=0, atol=1e-12)


@every_kind
def test_only_the_past_counts(kind):
    past = RNG.normal(size=(4, 6, 2))
    moments = series_moments([Y]).of(np.zeros(4, int))
    location, scale = window_units(kind, past, moments)
    assert location.shape == scale.shape == (4, 2)
    assert (scale > 0).all()


@pytest.mark.parametrize("kind", ["last_value", "window", "difference", "robust", "standard"])
def test_another_level_and_unit_change_nothing(kind):
    np.testing.assert_allclose(window(1000 + 50 * Y, kind).z, window(Y, kind).z, rtol=0, atol=1e-9)


@pytest.mark.parametrize("kind", ["last_value", "window", "difference"])
def test_a_trend_looks_the_same_everywhere(kind):
    z = window(np.arange(40.0)[:, None], kind).z
    if kind == "difference":
        z = z[1:]  # there is nothing before the first value
    np.testing.assert_allclose(z - z[:1], 0, atol=1e-12)


@every_kind
@pytest.mark.parametrize("n_lags", [1, 4])
def test_what_does_not_move_has_a_scale(kind, n_lags):
    w = window(np.full((20, 1), 7.0), kind, n_lags)
    assert np.isfinite(w.z).all()
    assert (w.scale >= 0.1).all()


def test_the_scale_of_deepar():
    past = np.array([[[2.0], [4.0]], [[-1.0], [1.0]]])
    location, scale = window_units("mean", past, series_moments([Y]))
    np.testing.assert_array_equal(location, 0)
    np.testing.assert_array_equal(scale, [[4.0], [2.0]])


def test_panels_are_cut_and_joined_series_by_series():
    whole = panel(Y, Y[:20] + 5)
    n = np.array([50, 15])
    again = whole.part(np.zeros(2, int), n).followed_by(whole.part(n, whole.lengths))
    np.testing.assert_array_equal(again.y, whole.y)
    np.testing.assert_array_equal(again.offsets, whole.offsets)
