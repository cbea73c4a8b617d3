import numpy as np
import pytest
import torch

from skrnn.cells import CfC
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, built, gap, pack_all, packed, random
from tests.oracles.functions import oracle

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
MODES = ["default", "no_gate", "pure"]
every_mode = pytest.mark.parametrize("mode", MODES)


def n_weights(*settings, **more):
    return sum(w.numel() for w in CfC(*settings, **more).build(F, H).parameters())


@pytest.mark.parametrize(("size", "S"), [(None, H), (128, 128), (1, 1)])
def test_number_of_weights(size, S):
    assert n_weights(backbone_size=size) == n_weights("no_gate", size) == S * (F + H + 1) + 4 * H * (S + 1)
    assert n_weights("pure", size) == S * (F + H + 1) + H * (S + 1) + 2 * H
    assert n_weights("default", size, 3) - n_weights("default", size) == 2 * S * (S + 1)
    assert n_weights("default", size, 0) == 4 * H * (F + H + 1)
    assert n_weights("default", size) - n_weights("default", size, time_delta=1) == S


def with_times(x, times, channel):
    """x with a channel of times."""
    parts = [x[:, :channel], times[:, None], x[:, channel:]] if channel >= 0 else [x, times[:, None]]
    return pack_all([torch.cat(parts, -1)])


@every_mode
@pytest.mark.parametrize("channel", [0, 1, -1])
def test_without_times_all_steps_are_1_apart(mode, channel):
    plain, timed = built(CfC(mode)), built(CfC(mode, time_delta=channel), input_size=F + 1)
    x = random(9, F)
    regular, twice = (scan(timed, with_times(x, torch.full((9,), time, dtype=x.dtype), channel))[0].data for time in (1.0, 2.0))
    expected = scan(plain, pack_all([x]))[0].data
    assert gap(regular, expected) <= EXACT
    assert gap(twice, expected) > 0.01


@pytest.mark.parametrize("mode", ["default", "no_gate"])
def test_other_weights_undo_a_standardisation_of_the_times(mode):
    cell, x, times = built(CfC(mode, time_delta=-1), input_size=F + 1), random(9, F), random(9, seed=4).exp()
    expected = scan(cell, with_times(x, times, -1))[0].data
    mean, scale = times.mean(), times.std()
    with torch.no_grad():
        for w in (cell.layers[0].W, cell.layers[0].b):
            p, q = w[2 * H : 3 * H].clone(), w[3 * H :].clone()
            w[2 * H : 3 * H], w[3 * H :] = scale * p, q + mean * p
    assert gap(scan(cell, with_times(x, (times - mean) / scale, -1))[0].data, expected) <= EXACT


def after(cell, time):
    """The step of a cell after some time, and what its heads say."""
    x = torch.cat([random(5, F), torch.full((5, 1), time, dtype=torch.float64)], -1)
    h, u = random(5, H, seed=3), cell.project(x)
    return cell.step(u, h)[0], cell.layers[0](u[:, :-1] + h @ cell.R.T)


def test_time_decides_between_two_candidates():
    """After a very long time every unit has gone all the way to one of them, by the sign of its rate."""
    h, heads = after(built(CfC(time_delta=-1), input_size=F + 1), 1e6)
    f, g, p, _ = heads.chunk(4, -1)
    assert gap(h, torch.where(p > 0, g, f).tanh()) <= EXACT


def test_the_closed_form_begins_at_its_heads_and_ends_at_its_equilibrium():
    cell = built(CfC("pure", time_delta=-1), input_size=F + 1)
    h, f = after(cell, 0.0)
    assert gap(h, cell.A * (1 - f)) <= EXACT
    assert gap(after(cell, 1e6)[0], cell.A.expand(5, H)) <= EXACT


def test_the_closed_form_after_some_time():
    cell, x = built(CfC("pure", time_delta=0), input_size=F + 1), random(4, F + 1).abs()  # times are not negative
    h, u = random(4, H, seed=3), cell.project(x)
    expected = [oracle(cell)(row, start)[0] for row, start in zip(x.numpy(), h.numpy(), strict=True)]
    assert gap(cell.step(u, h)[0], np.array(expected)) <= EXACT


def test_every_weight_of_the_closed_form_learns_from_the_start():
    cell = CfC("pure").build(F, H).double()
    scan(cell, packed())[0].data.square().sum().backward()
    assert all((w.grad != 0).all() for w in cell.parameters())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"backbone_size": 0}, "'backbone_size' parameter of CfC must be a whole number of at least 1, or None; got 0"),
        ({"backbone_size": 2.5}, "'backbone_size' parameter of CfC must be a whole number of at least 1, or None; got 2.5"),
        ({"backbone_layers": -1}, "'backbone_layers' parameter of CfC must be a whole number of at least 0; got -1"),
        ({"time_delta": 3}, r"'time_delta' parameter of CfC must be one of several input channels \(3 here\), or None; got 3"),
        ({"time_delta": -4}, r"'time_delta' parameter of CfC must be one of several input channels \(3 here\), or None; got -4"),
        ({"time_delta": "t"}, r"'time_delta' parameter of CfC must be one of several input channels \(3 here\), or None; got 't'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings, expected):
    with pytest.raises(ValueError, match=expected):
        CfC(**settings).build(F, H)


def test_times_alone_are_no_input():
    with pytest.raises(ValueError, match=r"one of several input channels \(1 here\), or None; got 0"):
        CfC(time_delta=0).build(1, H)
