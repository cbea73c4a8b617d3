import numpy as np
import pytest
import torch

from skrnn.cells import Clockwork, ClockworkState, Elman
from skrnn.engine import scan
from tests.cell_settings import (
    HIDDEN,
    INPUT,
    assert_same,
    built,
    gradients,
    has_kernel,
    packed,
    random,
    run,
    without_kernel,
)

EXACT = 1e-12  # float64, relative
LONG = (19, 8, 23, 1, 16)  # so that the longest period of the default comes round
both_ways = pytest.mark.parametrize("through", [lambda cell: cell, without_kernel], ids=["kernel", "steps"])


def of_groups(*edges):
    """Where R has weights: each group sees itself and slower ones."""
    group = torch.bucketize(torch.arange(edges[-1]), torch.tensor(edges[:-1]), right=True)
    return group[:, None] <= group


@pytest.mark.parametrize("activation", ["tanh", *(pytest.param(other, marks=pytest.mark.slow) for other in ("relu", "sigmoid"))])  # compiled anew
def test_one_period_is_an_elman_network_from_its_start_on(activation):
    clockwork, elman = (
        cell.build(INPUT, HIDDEN, torch.Generator().manual_seed(0)).double() for cell in (Clockwork((1,), activation), Elman(activation))
    )
    assert all(torch.equal(w, other) for w, other in zip(clockwork.parameters(), elman.parameters(), strict=True))
    for reverse in (False, True):
        (values, grads), (expected, expected_grads) = (gradients(cell, packed(), reverse=reverse) for cell in (clockwork, elman))
        assert_same(values + grads, expected + expected_grads, EXACT)


@both_ways
def test_groups_that_all_have_period_one_are_an_elman_network_with_block_triangular_weights(through):
    clockwork, elman = built(Clockwork((1, 1, 1, 1))), built(Elman())
    weights = clockwork.state_dict()
    elman.load_state_dict(weights | {"R": weights["R"] * of_groups(0, 2, 4, 5, 6)})
    assert_same([scan(through(clockwork), packed())[0].data], [scan(elman, packed())[0].data], EXACT)


@both_ways
def test_a_group_is_updated_when_its_period_divides_t_and_constant_between(through):
    y, _ = run(through(built(Clockwork((1, 2, 3, 7)), hidden_size=8)), packed((30,)))
    changed = (y[0].diff(dim=0) != 0).view(29, 4, 2)
    due = torch.tensor([[t % period == 0 for period in (1, 2, 3, 7)] for t in range(1, 30)])
    assert torch.equal(changed, due[..., None].expand_as(changed))


def test_every_group_is_updated_at_first():
    cell = built(Clockwork())
    y, _ = cell.step(cell.project(random(1, INPUT)), cell.initial_state(1, like=random(1)))
    assert (y != 0).all()


def test_a_slow_group_sees_no_faster_one():
    cell, batch = built(Clockwork((1, 2, 3))), packed((12,))
    h = random(1, HIDDEN).requires_grad_()
    _, last = scan(cell, batch, ClockworkState(h, torch.tensor([0])))
    reached = [torch.autograd.grad(last.h[:, k : k + 2].sum(), h, retain_graph=True)[0].view(3, 2).any(-1).tolist() for k in (0, 2, 4)]
    assert reached == [[True, True, True], [False, True, True], [False, False, True]]


@pytest.mark.parametrize(("hidden_size", "sizes"), [(4, [1, 1, 1, 1]), (6, [2, 2, 1, 1]), (7, [2, 2, 2, 1]), (32, [8, 8, 8, 8])])
def test_units_are_divided_as_evenly_as_possible_the_first_groups_getting_more(hidden_size, sizes):
    cell = built(Clockwork(), hidden_size=hidden_size)
    y, _ = run(cell, packed((9,)))
    n_updates = 1 + (y[0].diff(dim=0) != 0).sum(0)
    assert n_updates.tolist() == [n for n, size in zip([9, 5, 3, 2], sizes, strict=True) for _ in range(size)]


@both_ways
def test_number_of_weights_that_count(through):
    """Koutník et al. (2014): g groups of k units have k² g (g + 1) / 2 recurrent weights."""
    k, g = 3, 4
    _, (_, _, W, R, b) = gradients(
        through(built(Clockwork(), hidden_size=g * k)), packed(LONG), ClockworkState(random(5, g * k), torch.zeros(5, dtype=torch.int64))
    )
    assert W.all()
    assert b.all()
    assert R.count_nonzero() == k * k * g * (g + 1) // 2
    assert torch.equal(R != 0, of_groups(0, 3, 6, 9, 12))


@both_ways
def test_entries_of_the_weights_below_the_blocks_have_no_effect(through):
    cell = built(Clockwork())
    other = built(Clockwork())
    with torch.no_grad():
        other.R += 100 * ~of_groups(0, 2, 4, 5, 6)
    assert torch.equal(scan(through(other), packed())[0].data, scan(through(cell), packed())[0].data)


def test_weights_that_do_not_count_start_at_zero_and_each_group_orthonormal():
    R = Clockwork((1, 2, 4)).build(INPUT, 30).R
    assert not R[~of_groups(0, 10, 20, 30)].any()
    for units in R.split(10):
        assert (units @ units.T - torch.eye(10)).abs().max() < 1e-6  # drawn in float32


def test_an_identity_start_lets_every_unit_see_itself():
    assert torch.equal(Clockwork(recurrent_init="identity").build(INPUT, 7).R, torch.eye(7))


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("periods", [(1, 2, 4, 8), (2, 3), (1, 1, 5), (3,)], ids=str)
@pytest.mark.parametrize("hidden_size", [7, 33])
def test_the_kernel_equals_the_steps_whatever_the_counts_before(periods, hidden_size, reverse):
    cell, batch = built(Clockwork(periods), hidden_size=hidden_size), packed(LONG)
    for t in ([0] * 5, [3, 0, 8, 1, 6]):
        state = ClockworkState(random(5, hidden_size), torch.tensor(t))
        values, grads = gradients(cell, batch, state, reverse=reverse)
        expected, expected_grads = gradients(without_kernel(cell), batch, state, reverse=reverse)
        assert_same(values + grads, expected + expected_grads, EXACT)


def test_counts_before_may_lie_far_apart():
    """The kernel tabulates ticks; sequences whose counts have nothing in common must not cost memory for all between."""
    cell, batch = built(Clockwork((1, 2, 3))), packed(LONG)
    near, far = ClockworkState(random(5, HIDDEN), torch.tensor([0, 3, 1, 2, 5])), torch.tensor([0, 6, 6 * 10**15, -6, 6 * 10**12])
    values = scan(cell, batch, near)[0].data
    assert torch.equal(scan(cell, batch, ClockworkState(near.h, near.t + far))[0].data, values)


@both_ways
def test_the_state_counts_the_steps_of_each_sequence(through):
    cell = through(built(Clockwork()))
    for reverse in (False, True):
        _, (_, t) = run(cell, packed(LONG), reverse=reverse)
        assert t.tolist() == list(LONG)
        assert t.dtype == torch.int64


@both_ways
def test_the_clock_goes_on_from_the_count_before(through):
    """From a common multiple of the periods on, all is as from 0."""
    cell, batch = through(built(Clockwork((1, 2, 3)))), packed(LONG)
    h = random(5, HIDDEN)
    from_0, from_6, from_7 = (scan(cell, batch, ClockworkState(h, torch.full((5,), t)))[0].data for t in (0, 6, 7))
    assert torch.equal(from_0, from_6)
    assert not torch.equal(from_0, from_7)


def test_it_has_a_kernel():
    assert has_kernel(Clockwork())


@pytest.mark.parametrize("periods", [(), 4, (0, 1), (1, -2), (2, 1), (1.0, 2.0), (1, 2, 3, 4, 5, 6, 7), "1248", None, ((1, 2), (4, 8))], ids=str)
def test_periods_that_are_none_are_refused(periods):
    message = r"'periods' parameter of Clockwork must be 1 to hidden_size=6 whole numbers, the shortest first; got "
    with pytest.raises(ValueError, match=message):
        Clockwork(periods).build(INPUT, HIDDEN)


def test_periods_may_come_as_a_list_or_an_array():
    assert_same(*([scan(built(Clockwork(p)), packed())[0].data] for p in ([1, 3], np.array([1, 3]))), EXACT)
