from itertools import pairwise

import numpy as np
import pytest
import torch

from skrnn.cells import CoRNN, map_state
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, gap, packed, random, random_state

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64


def undriven(*settings):
    """Oscillators that nothing drives."""
    cell = CoRNN(*settings).build(F, H).double()
    for weight in cell.parameters():
        torch.nn.init.zeros_(weight)
    return cell


def positions(cell, n_steps):
    state = random_state(cell, 1)
    y, last = scan(cell, packed((n_steps,)), state)
    return y.data, last


def test_number_of_weights():
    assert sum(w.numel() for w in CoRNN().build(F, H).parameters()) == H * (F + 2 * H + 1)


@pytest.mark.parametrize(("step_size", "frequency"), [(0.1, 1.0), (0.3, 4.0), (0.05, 66.0)])
def test_without_damping_an_oscillator_swings_for_ever(step_size, frequency):
    """y(t+1) + y(t-1) = (2 − γ Δt²) y(t), whose solutions are sines."""
    y, _ = positions(undriven(step_size, frequency, 0.0), 2000)
    assert gap(y[2:] + y[:-2], (2 - frequency * step_size**2) * y[1:-1]) <= EXACT
    early, late = y[:1000].abs().amax(0), y[1000:].abs().amax(0)
    assert ((late / early - 1).abs() < 0.02).all()


@pytest.mark.parametrize("settings", [(0.3, 1.0, 2.0), (0.06, 66.0, 15.0), (0.042, 2.7, 4.7), (0.076, 0.4, 8.0), (0.1, 0.2, 6.4), (1.3, 1.0, 0.8)])
def test_with_damping_it_comes_to_rest(settings):
    """The constants of the paper's experiments, and some that are nearly too large."""
    y, _ = positions(undriven(*settings), 4000)
    assert y[-1].abs().max() < 1e-4 * y[0].abs().max()


@pytest.mark.parametrize("settings", [(1.3, 1.0, 0.9), (0.5, 1.0, 4.0), (2.0, 1.0, 0.0), (0.3, 50.0, 0.1)])
def test_a_step_that_is_too_long_would_explode_and_is_refused(settings):
    step_size, frequency, damping = settings
    cell = undriven()
    cell.set_params(step_size=step_size, frequency=frequency, damping=damping)
    step = torch.func.jacrev(lambda y, z: torch.stack(cell.step(cell.b, (y, z))[1]), (0, 1))(*torch.zeros(2, H).double())
    radius = np.abs(np.linalg.eigvals(torch.cat(step, -1).reshape(2 * H, 2 * H).detach().numpy())).max()
    assert radius > 1 - 1e-7
    with pytest.raises(ValueError, match=r"'step_size' parameter of CoRNN must be positive and so small that .* < 4, else nothing comes to rest"):
        CoRNN(*settings).build(F, H)


def test_a_constant_drive_is_followed_to_the_point_where_the_pull_balances_it():
    cell = undriven(0.3, 2.0, 2.0)
    with torch.no_grad():
        cell.b.copy_(random(H))
    y, (_, z) = positions(cell, 300)
    assert gap(y[-1], cell.b.tanh() / 2) <= EXACT
    assert z.abs().max() <= EXACT


def test_smaller_steps_approach_the_differential_equation():
    """y'' = tanh(b) − γ y − ε y' over the same time: the error of a first-order scheme halves with the step."""
    ends = []
    for k in range(4):
        cell = undriven(0.1 / 2**k, 1.0, 0.5)
        with torch.no_grad():
            cell.b.copy_(random(H))
        ends.append(scan(cell, packed((20 * 2**k,)), map_state(torch.ones_like, random_state(cell, 1)))[1].y)
    errors = [(a - b).abs().max() for a, b in pairwise(ends)]
    assert all(1.8 < a / b < 2.2 for a, b in pairwise(errors))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"step_size": 0.0}, "'step_size' parameter of CoRNN must be positive"),
        ({"step_size": np.nan}, "'step_size' parameter of CoRNN must be positive"),
        ({"step_size": "small"}, "'step_size' parameter of CoRNN must be positive"),
        ({"frequency": 0.0}, "'frequency' parameter of CoRNN must be a positive number; got 0.0"),
        ({"frequency": np.inf}, "'frequency' parameter of CoRNN must be a positive number; got inf"),
        ({"damping": -0.1}, "'damping' parameter of CoRNN must be a number of at least 0; got -0.1"),
        ({"damping": None}, "'damping' parameter of CoRNN must be a number of at least 0; got None"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(settings, expected):
    with pytest.raises(ValueError, match=expected):
        CoRNN(**settings).build(F, H)
