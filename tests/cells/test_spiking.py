import math

import numpy as np
import pytest
import torch

from skrnn.cells import Spiking, SpikingState
from skrnn.cells._column import connect
from skrnn.engine import scan
from tests.cell_settings import assert_same, built, gradients, leaves, pack_all, packed, random_state, run, without_kernel

EXACT = 1e-10  # float64, relative, over thousands of steps
PAPER = 135  # neurons
LONELY = {"connection_length": 0.0, "input_fraction": 1.0, "inhibitory_fraction": 0.0}
both_ways = pytest.mark.parametrize("through", [lambda cell: cell, without_kernel], ids=["kernel", "steps"])


def poisson(*shape, rate=20.0, dt=0.5, seed=0, dtype=torch.float64):
    """Spike trains with ``rate`` spikes a second."""
    return (torch.rand(shape, generator=torch.Generator().manual_seed(seed)) < rate * dt / 1000).to(dtype)


def spikes_of(cell, y):
    """Spikes behind the filtered spikes of one sequence, from its first step on."""
    before = torch.cat([torch.zeros_like(y[:1]), y[:-1]])
    return y - math.exp(-cell.dt / cell.filter_time) * before


def driven(cell, spikes):
    """Outputs for (B, T, F) spikes, and the last state."""
    y, last = run(cell, pack_all(list(spikes)))
    return torch.stack(y), SpikingState(*last)


# -- kernel --------------------------------------------------------------------------------------------------------------------------------------


SETTINGS = [{"dynamic_synapses": False}, {"dt": 1.0, "connection_length": 4.0}]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("settings", [{}, *(pytest.param(s, marks=pytest.mark.slow) for s in SETTINGS)], ids=str)
def test_the_kernel_equals_the_steps_over_thousands_of_steps(settings, reverse):
    cell = built(Spiking(**settings), input_size=4, hidden_size=PAPER)
    batch = pack_all([poisson(n, 4, rate=40, seed=n) for n in (300, 2000)])
    outputs, last = run(cell, batch, reverse=reverse)
    expected, expected_last = run(without_kernel(cell), batch, reverse=reverse)
    assert all(spikes_of(cell, y.flip(0) if reverse else y).round().sum() > PAPER for y in outputs)
    assert_same(outputs + last, expected + expected_last, EXACT)


@pytest.mark.parametrize(("batch_size", "width"), [(1, 1), (3, 6), (5, 33), (17, 3), (40, 12)])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_the_kernel_equals_the_steps_from_any_state(batch_size, width, reverse):
    cell = built(Spiking(connection_length=6.0, dt=2.0, input_scaling=3.0), hidden_size=width)
    batch, state = packed([1 + 5 * k % 9 for k in range(batch_size)]), random_state(cell, batch_size)
    outputs, last = run(cell, batch, state, reverse=reverse)
    expected, expected_last = run(without_kernel(cell), batch, state, reverse=reverse)
    assert_same(outputs + last, expected + expected_last, EXACT)


def test_the_kernel_runs_what_needs_no_gradient():
    cell, batch = built(Spiking()), packed()
    kernel = cell.kernel()
    state = cell.initial_state(5, like=batch.data)
    batch.data.requires_grad_()
    assert kernel(batch, state, False) is None
    with torch.no_grad():
        assert kernel(batch, state, False) is not None
    assert kernel(packed(), state._replace(v=state.v.clone().requires_grad_()), False) is None


def test_outputs_do_not_change_with_small_changes_of_the_input():
    cell = built(Spiking(dt=2.0, input_scaling=3.0, connection_length=6.0))
    batch = packed()
    y, _ = scan(cell, batch)
    x = batch.data.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(scan(cell, batch._replace(data=x))[0].data.sum() + 0 * x.sum(), x)
    assert y.data.any()
    assert not gradient.any()
    assert torch.equal(scan(cell, batch._replace(data=batch.data + 1e-9))[0].data, y.data)
    (_, _, potentials, *_), (of_input, *_) = gradients(cell, batch)
    assert potentials.any()
    assert of_input.any()  # potentials do change


# -- neurons -------------------------------------------------------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(("tau_m", "tau_e"), [(30.0, 3.0), (10.0, 40.0), (5.0, 5.0)])
def test_an_input_spike_makes_the_exact_potential_of_the_differential_equations(through, tau_m, tau_e):
    """τ_m v' = −v + e and τ_E e' = −e from v = 0, e = 18 / 128; too little for a spike."""
    cell = through(built(Spiking(**LONELY, membrane_time=tau_m, synapse_times=(tau_e, 6.0), input_scaling=1 / 128), input_size=1, hidden_size=1))
    for n in (1, 2, 7, 60):
        x = torch.zeros(1, n, 1, dtype=torch.float64)
        x[0, 0] = 1
        start = cell.initial_state(1, like=x)
        _, last = run(cell, pack_all(list(x)), start._replace(v=torch.zeros_like(start.v)))
        t, rate = 0.5 * n, 1 / tau_e - 1 / tau_m
        share = t * math.exp(-t / tau_m) if rate == 0 else (math.exp(-t / tau_m) - math.exp(-t / tau_e)) / rate
        assert float(last[1]) == pytest.approx(18 / 128 * share / tau_m, rel=1e-12)


@both_ways
@pytest.mark.parametrize(("share", "rest"), [(0.0, 3.0), (1.0, 2.0)], ids=["excitatory", "inhibitory"])
def test_a_neuron_rests_after_a_spike(through, share, rest):
    """Driven hard, it spikes at once when it may: every 7 steps if it rests for 6."""
    cell = through(built(Spiking(**LONELY | {"inhibitory_fraction": share}, input_scaling=100.0), input_size=1, hidden_size=2))
    y, _ = driven(cell, torch.ones(1, 30, 1, dtype=torch.float64))
    every = round(rest / 0.5) + 1
    assert torch.equal(spikes_of(cell, y[0])[:, 0].round(), (torch.arange(30) % every == 0).double())


@both_ways
def test_the_output_is_the_sum_of_fading_traces(through):
    cell = through(built(Spiking(filter_time=10.0), input_size=2, hidden_size=PAPER))
    y, _ = driven(cell, poisson(1, 400, 2, rate=60))
    s = spikes_of(cell, y[0])
    assert torch.equal(s.round(), s.round().clamp(0, 1))
    ages = 0.5 * torch.arange(399, -1, -1, dtype=torch.float64)
    assert_same([y[0, -1]], [torch.exp(-ages / 10) @ s.round()], EXACT)


@both_ways
def test_nothing_happens_without_input(through):
    y, last = driven(through(built(Spiking(), hidden_size=PAPER)), torch.zeros(2, 100, 3, dtype=torch.float64))
    assert not y.any()
    assert last.since.eq(100).all()


# -- synapses ------------------------------------------------------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(("dt", "to_excitatory", "else_"), [(0.5, 3, 2), (0.1, 15, 8), (4.0, 1, 1)])
def test_a_spike_arrives_after_its_delay(through, dt, to_excitatory, else_):
    """Currents change exactly so many steps after the spike of a single neuron, by A U for its first spike."""
    cell = through(built(Spiking(dt=dt, recurrent_scaling=0.01), hidden_size=PAPER))
    start = cell.initial_state(1, like=cell.W)
    for j in range(4):
        v = torch.zeros_like(start.v)
        v[0, j] = 100
        mine = cell._pre == j
        for n in range(1, to_excitatory + 2):
            _, last = run(cell, packed((n,))._replace(data=torch.zeros(n, 3, dtype=torch.float64)), start._replace(v=v))
            current = torch.cat(last[2:4], -1)[0]
            for target, delay, jump in zip(cell._target[mine], cell._delay[mine], (cell.A * cell.U)[mine], strict=True):
                fade = cell.synapse_times[int(target >= PAPER)]
                late = n - 1 - int(delay)
                assert float(current[target]) == pytest.approx(float(jump) * math.exp(-late * dt / fade) if late >= 0 else 0.0, abs=1e-12)
    assert set(cell._delay.tolist()) == {to_excitatory, else_}


def regular(cell, n_spikes, gap):
    """The amplitudes with which all synapses transmit the last of ``n_spikes`` spikes, ``gap`` ms apart."""
    state = cell.initial_state(1, like=cell.W)
    sent = []
    for _ in range(n_spikes):
        v, since = torch.full_like(state.v, 100), torch.full_like(state.since, round(gap / cell.dt) - 1)
        _, state = cell.step(torch.zeros_like(v), state._replace(v=v, since=since, rest=0 * since))
        sent.append((cell.A * state.p * state.r)[0])
    return torch.stack(sent)


def test_the_first_spike_finds_all_resources():
    cell = built(Spiking(), hidden_size=PAPER)
    assert_same([regular(cell, 1, 50.0)[0]], [cell.A * cell.U], EXACT)


def test_synapses_tire_or_facilitate_as_their_kind_does():
    """Excitatory synapses to excitatory neurons depress, those to inhibitory ones facilitate at first (Markram et al., 1998)."""
    cell = built(Spiking(), hidden_size=PAPER)
    first, second = regular(cell, 2, 50.0).abs()
    slow = cell._delay == 3  # only from excitatory to excitatory
    quick_and_exciting = (cell._delay == 2) & (cell.A > 0)
    assert (second < first)[slow].double().mean() > 0.9
    assert (second > first)[quick_and_exciting].double().mean() > 0.9


def test_static_synapses_have_the_strength_to_which_dynamic_ones_settle_at_20_hz():
    dynamic, fixed = (built(Spiking(dynamic_synapses=on), hidden_size=PAPER) for on in (True, False))
    strengths = regular(fixed, 5, 50.0)
    assert_same([strengths], [fixed.A.expand_as(strengths)], 1e-12)
    assert_same([fixed.A], [regular(dynamic, 400, 50.0)[-1]], 1e-5)  # drawn and computed in float32


# -- wiring --------------------------------------------------------------------------------------------------------------------------------------


def test_the_chance_of_a_synapse_falls_with_the_distance_and_depends_on_the_kind():
    """Counts over 60 columns, within four standard deviations."""
    k = np.arange(PAPER)
    place = np.stack([k % 3, k // 3 % 3, k // 9], 1)
    near = np.exp(-np.square(place[:, None] - place).sum(-1) / 2.0**2)
    np.fill_diagonal(near, 0)
    expected, found = np.zeros((2, 2)), np.zeros((2, 2))
    for seed in range(60):
        draw = torch.Generator().manual_seed(seed)
        inhibits = torch.zeros(PAPER, dtype=torch.bool).index_fill(0, torch.randperm(PAPER, generator=draw)[:27], True)
        synapses = connect((3, 3), 2.0, inhibits, draw)
        kind = inhibits.long().numpy()
        expected += [[near[np.ix_(kind == a, kind == b)].sum() for b in (0, 1)] for a in (0, 1)]
        np.add.at(found, (kind[synapses.pre], kind[synapses.post]), 1)
        assert (synapses.pre != synapses.post).all()
        assert (synapses.pre.diff() >= 0).all()
        assert torch.equal(synapses.inhibits, inhibits[synapses.pre])
        assert torch.equal(synapses.A < 0, synapses.inhibits)
    expected *= [[0.3, 0.2], [0.4, 0.1]]
    assert (np.abs(found - expected) < 4 * np.sqrt(expected)).all(), found / expected


def test_amplitudes_and_times_have_the_means_of_the_paper():
    synapses = connect((40, 40), 1e9, torch.arange(1600) % 5 == 4, torch.Generator().manual_seed(0))
    kind = 2 * synapses.inhibits.long() + (synapses.post % 5 == 4)
    means = {
        "A": (30, 60, -19, -19),
        "U": (0.5, 0.05, 0.25, 0.32),
        "D": (1100, 125, 700, 144),
        "F": (50, 1200, 20, 60),
        "delay": (1.5, 0.8, 0.8, 0.8),
    }
    for name, expected in means.items():
        values = synapses._asdict()[name]
        for k, mean in enumerate(expected):
            assert float(values[kind == k].mean()) == pytest.approx(mean, rel=0.05)
    assert 0 < float(synapses.U.min()) < float(synapses.U.max()) <= 1
    assert float(synapses.D.min()) > 0
    assert float(synapses.F.min()) > 0
    assert float(synapses.A[kind == 0].std()) == pytest.approx(30, rel=0.05)


def test_a_fifth_of_the_neurons_inhibits_and_a_channel_reaches_three_tenths():
    cell = built(Spiking(), input_size=7, hidden_size=PAPER)
    assert (cell._refractory == 4).sum() == 27
    assert torch.equal((cell.W > 0).sum(0), torch.full((7,), round(0.3 * PAPER)))
    assert set(cell.W.unique().tolist()) == {0, 9, 18}
    assert not list(cell.parameters())


@both_ways
def test_a_length_of_0_leaves_neurons_by_themselves(through):
    cell = built(Spiking(connection_length=0.0), input_size=1, hidden_size=PAPER)
    y, last = driven(through(cell), poisson(3, 500, 1, rate=100))
    deaf = cell.W[:, 0] == 0
    assert y[..., ~deaf].any()
    assert not y[..., deaf].any()
    assert not last.on_way.any()


# -- the column of the paper ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dynamic", [True, False])
def test_four_spike_trains_of_20_hz_keep_the_column_at_about_20_hz(dynamic):
    rates = []
    for seed in range(5):
        cell = built(Spiking(dynamic_synapses=dynamic), torch.float32, input_size=4, hidden_size=PAPER, seed=seed)
        y, _ = driven(cell, poisson(20, 2000, 4, seed=seed, dtype=torch.float32))
        rates.append(sum(float(spikes_of(cell, one).round().sum()) for one in y) / 20 / PAPER)
    assert 15 < np.mean(rates) < 25, rates


def test_states_of_different_inputs_are_far_apart_and_those_of_different_starts_are_not():
    """Maass et al. (2002), figure of the separation: mean squared distance after half a second, of 50 pairs for each of 5 columns."""
    for seed in range(5):
        draw = torch.Generator().manual_seed(seed)
        cell = built(Spiking(), torch.float32, input_size=4, hidden_size=PAPER, seed=seed)
        x = poisson(100, 1000, 4, seed=seed, dtype=torch.float32)
        ends = []
        for part in (x[:50], x[:50], x[50:]):
            start = cell.initial_state(50, like=x)
            start = start._replace(v=1.5 * torch.rand(start.v.shape, generator=draw))
            ends.append(scan(cell, pack_all(list(part)), start)[1].h)
        same, different = ((ends[0] - end).square().mean() for end in ends[1:])
        assert different > 10 * same


# -- settings ------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dt": 0}, "'dt' parameter of Spiking must be a positive number of ms; got 0"),
        ({"dt": math.nan}, "'dt' parameter of Spiking must be a positive number of ms; got nan"),
        ({"connection_length": -1.0}, "'connection_length' parameter of Spiking must be a number of at least 0; got -1.0"),
        ({"inhibitory_fraction": 1.5}, "'inhibitory_fraction' parameter of Spiking must be a number from 0 to 1; got 1.5"),
        ({"input_fraction": "all"}, "'input_fraction' parameter of Spiking must be a number from 0 to 1; got 'all'"),
        ({"input_scaling": math.inf}, "'input_scaling' parameter of Spiking must be a number of at least 0; got inf"),
        ({"recurrent_scaling": None}, "'recurrent_scaling' parameter of Spiking must be a number of at least 0; got None"),
        ({"membrane_time": True}, "'membrane_time' parameter of Spiking must be a positive number of ms; got True"),
        ({"filter_time": -30}, "'filter_time' parameter of Spiking must be a positive number of ms; got -30"),
        ({"synapse_times": 3.0}, r"'synapse_times' parameter of Spiking must be two positive numbers of ms; got 3\.0"),
        ({"synapse_times": (3.0, 0.0)}, r"'synapse_times' parameter of Spiking must be two positive numbers of ms; got \(3\.0, 0\.0\)"),
        ({"refractory_times": (3.0,)}, r"'refractory_times' parameter of Spiking must be two numbers of ms of at least 0; got \(3\.0,\)"),
        ({"column": (3, 2.5)}, r"'column' parameter of Spiking must be two whole numbers of at least 1; got \(3, 2\.5\)"),
        ({"column": (0, 3)}, r"'column' parameter of Spiking must be two whole numbers of at least 1; got \(0, 3\)"),
    ],
    ids=str,
)
def test_wrong_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Spiking(**settings).build(3, 6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_state_can_be_carried_in_either_precision(dtype):
    cell = built(Spiking(), dtype, hidden_size=9)
    state = cell.initial_state(2, like=torch.zeros(1, dtype=dtype))
    assert [leaf.dtype for leaf in leaves(state)] == 7 * [dtype] + 2 * [torch.int64]
    assert (state.v >= 0).all()
    assert (state.v < 1.5).all()
