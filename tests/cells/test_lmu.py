import numpy as np
import pytest
import torch
from scipy.signal import cont2discrete
from scipy.special import eval_legendre

from skrnn.cells import LMU
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, gap, leaves, pack_all, random

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
every_order = pytest.mark.parametrize("order", [1, 2, 6, 16])


def window(order, theta):
    """An LMU whose memory sees its only input channel as it is, and nothing else."""
    cell = LMU(order, theta).build(1, H).double()
    for weight, value in ((cell.e_x, 1.0), (cell.e_h, 0.0), (cell.e_m, 0.0)):
        torch.nn.init.constant_(weight, value)
    return cell


def memories(cell, x):
    """The memory after every step."""
    states = [cell.initial_state(1, like=x)]
    for u in cell.project(x[:, None]).split(1):
        states.append(cell.step(u, states[-1])[1])
    return torch.cat([state.m for state in states[1:]]).detach().numpy()


@pytest.mark.parametrize("order", [12, 14, 16])
@pytest.mark.parametrize("delay", [0, 25, 50, 90, 99])
def test_the_memory_holds_the_window(order, delay):
    """Voelker et al. (2019): the input of so many steps ago is a sum of Legendre polynomials. The signal has up to three periods in a window."""
    theta, n = 100, 1000
    rng = np.random.default_rng(0)
    periods, phases, time = rng.uniform(0, 3, 8), rng.uniform(0, 2 * np.pi, 8), np.arange(n) / theta
    x = np.sin(2 * np.pi * np.multiply.outer(time, periods) + phases).sum(1)
    age = (delay + 0.5) / theta  # an input is held over a whole step
    decoded = memories(window(order, theta), torch.tensor(x)) @ eval_legendre(np.arange(order), 2 * age - 1)
    late = slice(4 * theta, None)  # the window was empty before the first step
    error = decoded[late] - np.roll(x, delay)[late]
    assert np.sqrt((error**2).mean()) < 0.05 * x[late].std()


@every_order
def test_a_constant_is_the_first_polynomial(order):
    cell, one = window(order, 20.0), torch.ones(1, dtype=torch.float64)
    _, state = cell.step(cell.project(one[:, None]), type(cell.initial_state(1, like=one))(torch.zeros(1, H).double(), torch.eye(1, order).double()))
    assert gap(state.m, torch.eye(1, order)) <= EXACT
    assert gap(memories(cell, torch.ones(400, dtype=torch.float64))[-1:], torch.eye(1, order)) <= 1e-6  # what is left of the empty window fades


@every_order
@pytest.mark.parametrize("theta", [1.0, 10.0, 64.0, 784])
def test_the_constants_are_those_of_scipy(order, theta):
    i, j = np.indices((order, order))
    A, B = np.where(i < j, -1.0, (-1.0) ** (i - j + 1)), (-1.0) ** np.arange(order)[:, None]
    scale = (2 * np.arange(order)[:, None] + 1) / theta
    A, B, *_ = cont2discrete((scale * A, scale * B, np.eye(order), np.zeros((order, 1))), dt=1, method="zoh")
    cell = LMU(order, theta).build(F, H)
    assert gap(cell.A, A) <= EXACT
    assert gap(cell.B, B[:, 0]) <= EXACT
    assert abs(np.linalg.eigvals(cell.A.numpy())).max() < 1


def test_the_constants_are_no_weights_and_keep_the_precision_of_the_network():
    cell = LMU().build(F, H)
    assert {name for name, _ in cell.named_parameters()} == {"e_x", "e_h", "e_m", "W", "R", "V"}
    assert not {"A", "B"} & set(cell.state_dict())
    assert {cell.A.dtype, cell.B.dtype} == {torch.float64}
    _, state = scan(cell, pack_all([random(3, F, dtype=torch.float32)]))
    assert {leaf.dtype for leaf in leaves(state)} == {torch.float32}


def test_number_of_weights():
    """212 units and order 256, with a readout for ten digits, are the 102 thousand weights of the paper's permuted MNIST."""
    assert sum(w.numel() for w in LMU(7).build(F, H).parameters()) == H * (F + H + 7) + F + H + 7
    assert sum(w.numel() for w in LMU(256, 784).build(1, 212).parameters()) + 213 * 10 == 102_027


def test_the_memory_starts_as_a_window_of_the_input_and_the_output():
    assert not LMU().build(F, H).e_m.any()


@pytest.mark.parametrize("order", [0, -1, 2.5, "6", None])
def test_an_order_that_counts_nothing_is_refused(order):
    with pytest.raises(ValueError, match=rf"'order' parameter of LMU must be a whole number of at least 1; got {order!r}"):
        LMU(order).build(F, H)


@pytest.mark.parametrize("theta", [0, -1.0, np.nan, np.inf, "long", None])
def test_a_window_without_length_is_refused(theta):
    with pytest.raises(ValueError, match=r"'theta' parameter of LMU must be a positive number of time steps; got "):
        LMU(theta=theta).build(F, H)
