import math

import pytest
import torch

from skrnn.cells import LRU
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, pack_all, packed, random, random_state

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
DRAWN = 1e-6  # starts are drawn in float32


def fresh(cell, hidden_size=H, input_size=F):
    """A built cell in double precision, with its weights as they start."""
    return cell.build(input_size, hidden_size, torch.Generator().manual_seed(0)).double()


def eigenvalues(cell):
    return torch.exp(torch.complex(-cell.nu.exp(), cell.theta.exp()))


def test_number_of_weights():
    assert sum(w.numel() for w in LRU().build(F, H).parameters()) == 3 * H + 2 * H * F + 2 * H * H + H * F


def test_eigenvalues_start_in_a_ring():
    moduli, phases = (f(eigenvalues(fresh(LRU(0.5, 0.9, 0.3), 4000))) for f in (torch.abs, torch.angle))
    assert moduli.min() >= 0.5 - DRAWN
    assert moduli.max() <= 0.9 + DRAWN
    assert phases.min() >= 0
    assert phases.max() <= 0.3 + DRAWN
    inner = (moduli < math.sqrt((0.5**2 + 0.9**2) / 2)).double().mean()  # the circle that halves the ring's area
    assert abs(inner - 0.5) < 0.05


def test_a_ring_without_width_is_a_circle():
    assert gap(eigenvalues(fresh(LRU(0.8, 0.8))).abs(), torch.full((H,), 0.8)) <= DRAWN


@pytest.mark.parametrize("nu", [-30.0, -3.0, 0.0, 3.0, 30.0])
def test_no_weight_makes_the_memory_grow(nu):
    cell, batch = built(LRU()), pack_all([torch.zeros(500, F, dtype=torch.float64)])
    torch.nn.init.constant_(cell.nu, nu)
    start = random_state(cell, 1)
    _, end = scan(cell, batch, start)
    assert (torch.hypot(end.real, end.imaginary) <= torch.hypot(start.real, start.imaginary) * (1 + EXACT)).all()


def test_white_noise_gives_the_memory_a_variance_of_one():
    """Times |B|² of a unit, which is 1 on average."""
    cell = fresh(LRU(0.5, 0.95), 16)
    noise = torch.nn.utils.rnn.pack_sequence(list(random(2000, 150, F)))
    _, state = scan(cell, noise)
    variance = (state.real.square() + state.imaginary.square()).mean(0) / cell.B.square().sum((0, 2))
    assert (variance - 1).abs().max() < 0.1
    assert abs(variance.mean() - 1) < 0.02
    assert abs(fresh(LRU(), 1000).B.square().sum((0, 2)).mean() - 1) < 0.05


def test_it_is_linear():
    cell, first, second = built(LRU()), packed(), packed(seed=20)
    both = first._replace(data=2 * first.data - 3 * second.data)
    (y, state), (y_1, state_1), (y_2, state_2) = (scan(cell, batch) for batch in (both, first, second))
    expected = [2 * a - 3 * b for a, b in zip([y_1.data, *state_1], [y_2.data, *state_2], strict=True)]
    assert_same([y.data, *state], expected, EXACT)


def test_the_next_step_does_not_read_the_output():
    cell, state = built(LRU()), random_state(built(LRU()), 5)
    y, other = (scan(cell, packed(), s)[0].data for s in (state, state._replace(h=state.h + 1)))
    assert torch.equal(y, other)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"r_max": 1.0}, r"'r_max' parameter of LRU must be a number in \(0, 1\); got 1.0"),
        ({"r_min": 0.95, "r_max": 0.9}, r"'r_min' parameter of LRU must be a number in \[0, r_max=0.9\]; got 0.95"),
        ({"r_min": -0.1}, r"'r_min' parameter of LRU must be a number in \[0, r_max=0.99\]; got -0.1"),
        ({"max_phase": 0.0}, r"'max_phase' parameter of LRU must be a number in \(0, 2π\]; got 0.0"),
        ({"max_phase": 7.0}, r"'max_phase' parameter of LRU must be a number in \(0, 2π\]; got 7.0"),
    ],
)
def test_a_start_outside_the_unit_disk_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        LRU(**given).build(F, H)
