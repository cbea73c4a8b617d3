"""Windows as batches: every step in its place."""

import numpy as np
import pytest
import torch

from skrnn.data import Panel, series_moments
from skrnn.training import WindowExamples, WindowSource, WindowSpec, _windows

T = 30
Y = np.arange(100.0, 100 + T)[:, None]
KNOWN = np.arange(T, dtype=float)[:, None]
GENERATOR = torch.Generator().manual_seed(0)


def windows(n_lags=4, horizon=3, recursive=False, scaling=None, **settings):
    present = settings.pop("present", np.ones(Y.shape, bool))
    panel = Panel(Y, present, KNOWN, np.empty((T, 0)), np.empty((1, 0)), np.array([0, T]))
    origins = np.arange(n_lags, T - horizon + 1)
    spec = WindowSpec(n_lags, horizon, scaling, recursive, settings.pop("mask", False), False, 0, torch.float64, torch.device("cpu"))
    return WindowSource(panel, series_moments([Y]), spec, (np.zeros(len(origins), int), origins), **settings)


@pytest.mark.parametrize("n_lags", range(1, 9))
@pytest.mark.parametrize("horizon", range(1, 9))
def test_a_decoder_reads_the_past_and_writes_the_future(n_lags, horizon):
    w = windows(n_lags, horizon)
    index = np.array([0, 5])
    pair, (target, weight) = w.packed(index), w.targets(index)
    origins = w.origins[index]
    read = pair.source.data[:, 0].reshape(n_lags, 2).numpy()
    np.testing.assert_array_equal(read, 100 + origins + np.arange(-n_lags, 0)[:, None])
    np.testing.assert_array_equal(pair.steps.data[:, 1].reshape(horizon, 2), origins + np.arange(horizon)[:, None])
    np.testing.assert_array_equal(target.reshape(horizon, 2), 100 + origins + np.arange(horizon)[:, None])
    np.testing.assert_array_equal(pair.first[:, 0], 100 + origins - 1)
    np.testing.assert_array_equal(pair.teacher, target)
    assert weight is None


@pytest.mark.parametrize("n_lags", range(1, 9))
@pytest.mark.parametrize("horizon", range(1, 9))
def test_a_recursive_network_sees_the_value_before_and_what_is_known_now(n_lags, horizon):
    w = windows(n_lags, horizon, recursive=True)
    index = np.array([1, 7])
    packed, (target, _) = w.packed(index), w.targets(index)
    steps = w.origins[index] + np.arange(1 - n_lags, horizon)[:, None]
    np.testing.assert_array_equal(packed.data[:, -1].reshape(steps.shape), 100 + steps - 1)
    np.testing.assert_array_equal(packed.data[:, 0].reshape(steps.shape), steps)
    np.testing.assert_array_equal(target.reshape(steps.shape), 100 + steps)


@pytest.mark.parametrize("recursive", [False, True])
def test_rows_are_the_places_of_the_outputs_window_after_window(recursive):
    w = windows(recursive=recursive)
    every, _ = w.targets(np.arange(len(w)))
    end_to_end = every.unflatten(0, (-1, len(w))).swapaxes(0, 1).flatten(0, 1)
    index = np.array([3, 0, 5])
    np.testing.assert_array_equal(end_to_end[w.rows(index)], w.targets(index)[0])


def test_what_is_missing_has_no_weight():
    present = np.ones(Y.shape, bool)
    present[10] = False
    w = windows(present=present, mask=True)
    target, weight = w.targets(np.arange(len(w)))
    rows = (w.origins + np.arange(3)[:, None]).ravel()
    np.testing.assert_array_equal(weight == 0, rows == 10)
    assert target.isfinite().all()


def test_an_epoch_has_every_window_once_or_as_many_as_it_is_told():
    every = np.concatenate(windows().shuffled(4, GENERATOR))
    assert sorted(every) == list(range(len(windows())))
    some = windows(per_epoch=10).shuffled(4, GENERATOR)
    assert [len(batch) for batch in some] == [4, 4, 2]
    assert len(set(np.concatenate(some))) == 10


def test_windows_are_drawn_by_their_odds():
    odds = np.zeros(len(windows()))
    odds[3] = 1
    drawn = windows(per_epoch=5, odds=odds).shuffled(None, GENERATOR)
    assert np.concatenate(drawn).tolist() == [3] * 5


def test_batches_do_not_depend_on_each_other():
    data = WindowExamples(windows())
    packed, target, _ = data.batch(np.array([2, 4]))
    alone, one, _ = data.batch(np.array([4]))
    np.testing.assert_array_equal(packed.source.data[1::2], alone.source.data)
    np.testing.assert_array_equal(target[1::2], one)


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("scaling", ["last_value", "window", "mean", "difference", "standard", None])
def test_windows_that_are_kept_ready_are_those_made_when_needed(recursive, scaling, monkeypatch):
    settings = {"recursive": recursive, "scaling": scaling, "present": Y % 7 != 0, "mask": True}
    index = np.array([7, 0, 7, 12])
    ready = WindowExamples(windows(**settings))
    ours = _tensors(ready.batch(index))
    assert ready._ready is not None
    monkeypatch.setattr(_windows, "_RESIDENT", 0)
    made = WindowExamples(windows(**settings))
    theirs = _tensors(made.batch(index))
    assert made._ready is None
    assert len(ours) == len(theirs) == (4 if recursive else 8)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def _tensors(part):
    """All tensors of a batch."""
    if isinstance(part, torch.Tensor):
        return [part]
    return [] if part is None else [tensor for each in part for tensor in _tensors(each)]


@pytest.mark.parametrize("scaling", ["last_value", "window", "mean", "difference", "standard", None])
def test_a_recursive_network_learns_where_the_units_tell_nothing(scaling):
    target, weight = windows(recursive=True, scaling=scaling).targets(np.array([0, 5]))
    if scaling in ("last_value", "window", "mean"):
        assert weight.reshape(6, 2)[:, 0].tolist() == [0, 0, 0, 2, 2, 2]
    else:
        assert weight is None
    assert len(target) == 12
