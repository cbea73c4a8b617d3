import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman, Leaky, Residual, Skip
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, leaves, pack_all, packed, random, random_state, unpack_all

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
every_cell = pytest.mark.parametrize("inner", [Elman(), LSTM(peephole=True), GRU("before")], ids=repr)


# -- skip connections through time ----------------------------------------------------------------------------------------------------------------


def test_around_elman_the_delay_has_recurrent_weights_of_its_own():
    """h(t) = tanh(W x(t) + R h(t-1) + R_D h(t-D) + b), with all h that are not yet there 0."""
    cell, x = built(Skip(Elman(), 3)), random(9, F)
    (W, R_D), R, b = cell.cell_.W.split([F, H], 1), cell.cell_.R, cell.cell_.b
    h = [torch.zeros(H, dtype=torch.float64)] * 3
    for row in x:
        h.append(torch.tanh(W @ row + R @ h[-1] + R_D @ h[-3] + b))
    assert gap(scan(cell, pack_all([x]))[0].data, torch.stack(h[3:])) <= EXACT


@every_cell
def test_without_short_connections_it_runs_over_every_so_many_steps(inner):
    cell, x = built(Skip(inner, 4, remove_short=True)), random(11, F)
    (y,) = unpack_all(scan(cell, pack_all([x]))[0])
    interleaved = unpack_all(scan(cell.cell_, pack_all([x[k::4] for k in range(4)]))[0])
    assert_same([y[k::4] for k in range(4)], interleaved, EXACT)


@every_cell
def test_a_delay_of_one_without_short_connections_is_the_cell_inside(inner):
    cell, batch = built(Skip(inner, 1, remove_short=True)), packed()
    (y, state), (expected, last) = scan(cell, batch), scan(cell.cell_, batch)
    assert_same([y.data, *leaves(state.state)], [expected.data, *leaves(last)], EXACT)


@pytest.mark.parametrize("remove_short", [False, True])
def test_what_comes_in_arrives_again_after_the_delay_and_not_before(remove_short):
    cell = built(Skip(Elman(), 5, remove_short))
    if not remove_short:
        torch.nn.init.zeros_(cell.cell_.R)
    x = random(12, F).requires_grad_()
    y = scan(cell, pack_all([x]))[0].data
    reached = [bool(torch.autograd.grad(row.sum(), x, retain_graph=True)[0][0].any()) for row in y]
    assert [k for k, arrives in enumerate(reached) if arrives] == [0, 5, 10]


def test_number_of_weights():
    """Lin et al. (1996): H H more for a delay; none where it stands in for the last step."""
    n = {short: sum(w.numel() for w in Skip(Elman(), 7, short).build(F, H).parameters()) for short in (False, True)}
    assert n == {False: H * (F + 2 * H + 1), True: H * (F + H + 1)}


def test_outputs_come_in_again_where_they_are_not_the_hidden_state():
    cell, x = built(Skip(Residual(Elman()), 1)), random(2, F)
    y = scan(cell, pack_all([x]))[0].data
    seen = torch.cat([x, torch.stack([torch.zeros(H, dtype=torch.float64), y[0]])], 1)
    assert gap(y, scan(cell.cell_, pack_all([seen]))[0].data) <= EXACT


@pytest.mark.parametrize("delay", [0, -3, 2.0, None, "long"])
def test_a_delay_that_is_no_number_of_steps_is_refused(delay):
    with pytest.raises(ValueError, match=r"'delay' parameter of Skip must be a whole number of at least 1; got "):
        Skip(delay=delay).build(F, H)


def test_a_delay_may_come_from_numpy():
    cell = Skip(delay=np.int64(3)).build(F, H)
    assert cell.initial_state(2, like=torch.ones(1)).past.value.shape == (2, 3, H)


# -- residual connections -------------------------------------------------------------------------------------------------------------------------


@every_cell
def test_residual_adds_the_input(inner):
    cell, batch = built(Residual(inner), input_size=H), packed(n_features=H)
    (y, state), (inside, last) = scan(cell, batch), scan(cell.cell_, batch)
    assert_same([y.data, *leaves(state)], [inside.data + batch.data, *leaves(last)], EXACT)
    assert cell.P is None


@every_cell
def test_residual_brings_other_sizes_through_a_matrix(inner):
    cell, batch = built(Residual(inner)), packed()
    y, inside = scan(cell, batch)[0].data, scan(cell.cell_, batch)[0].data
    assert gap(y, inside + batch.data @ cell.P.T) <= EXACT
    assert cell.P.shape == (H, F)


def test_the_hidden_state_of_residual_is_that_of_the_cell_inside():
    cell, state = built(Residual(LSTM())), random_state(LSTM().build(F, H), 2)
    x = random(2, F)
    y, new = cell.step(cell.project(x), state)
    expected, _ = cell.cell_.step(cell.cell_.project(x), state)
    assert gap(new.h, expected) <= EXACT
    assert gap(y - new.h, x @ cell.P.T) <= EXACT


def test_residual_has_the_kernel_of_the_cell_inside():
    assert built(Residual(LSTM())).kernel() is not None
    assert built(Residual(Leaky(LSTM()))).kernel() is None
