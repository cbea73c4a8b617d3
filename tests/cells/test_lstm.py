import pytest
import torch

from skrnn.cells import LSTM
from skrnn.engine import scan
from tests.cell_settings import (
    HIDDEN,
    INPUT,
    assert_same,
    built,
    gap,
    gradients,
    grid,
    leaves,
    packed,
    random_state,
    without_kernel,
)

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64


def n_weights(n_inputs=F, n_cells=H, **settings):
    return sum(w.numel() for w in LSTM(**settings).build(n_inputs, n_cells).parameters())


@pytest.mark.parametrize(("forget", "n_gates"), [("gate", 3), ("coupled", 2), ("none", 2)])
def test_number_of_weights(forget, n_gates):
    assert n_weights(forget=forget) == (n_gates + 1) * H * (F + H + 1)
    assert n_weights(forget=forget, peephole=True) - n_weights(forget=forget) == n_gates * H


@pytest.mark.parametrize("block_size", [1, 2, 3, 6])
@pytest.mark.parametrize(("forget", "n_gates"), [("gate", 3), ("coupled", 2), ("none", 2)])
def test_cells_of_a_block_share_their_gates(forget, n_gates, block_size):
    assert n_weights(forget=forget, block_size=block_size) == (H + n_gates * H // block_size) * (F + H + 1)


@pytest.mark.parametrize(
    ("task", "n_inputs", "n_blocks", "block_size", "n_outputs", "all_biases", "published"),
    [
        ("adding", 2, 2, 2, 1, True, 93),
        ("temporal order, two symbols", 8, 2, 2, 4, True, 156),
        ("temporal order, three symbols", 8, 3, 2, 8, True, 308),
        ("embedded Reber, four blocks", 7, 4, 1, 7, False, 264),
        ("embedded Reber, three blocks", 7, 3, 2, 7, False, 276),
    ],
)
def test_number_of_weights_of_1997(task, n_inputs, n_blocks, block_size, n_outputs, all_biases, published):
    """Cell and output layer, which sees the cells: with all biases, or with those of the gates alone."""
    n_cells = n_blocks * block_size
    hidden = n_weights(n_inputs, n_cells, forget="none", block_size=block_size, gate_recurrence="all")
    assert hidden + n_outputs * (n_cells + 1) - (0 if all_biases else n_cells + n_outputs) == published


VARIANTS = {  # of Greff et al. (2017): weights that each adds to 4 H (F + H + 1) + 3 H of the LSTM with peepholes
    "NIG": ({"input_gate": False}, -H * (F + H + 2)),
    "NFG": ({"forget": "none"}, -H * (F + H + 2)),
    "NOG": ({"output_gate": False}, -H * (F + H + 2)),
    "NIAF": ({"input_activation": "identity"}, 0),
    "NOAF": ({"output_activation": "identity"}, 0),
    "CIFG": ({"forget": "coupled"}, -H * (F + H + 2)),
    "NP": ({"peephole": False}, -3 * H),
    "FGR": ({"gate_recurrence": "gates"}, 9 * H * H),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_number_of_weights_of_the_eight_variants(name):
    settings, more = VARIANTS[name]
    assert n_weights(**{"peephole": True} | settings) == 4 * H * (F + H + 1) + 3 * H + more


def with_the_weights_of(full, cell, missing):
    """``cell``, which has no gates ``missing``, with all other weights of ``full``, an LSTM with peepholes."""
    gates = {name: name not in missing for name in "ifgo"}
    rows = torch.tensor(list(gates.values())).repeat_interleave(H)
    seeing = torch.tensor([gates[name] for name in "ifo"])
    weights = {name: getattr(full, name).detach()[rows] for name in ("W", "R", "b")} | {"p": full.p.detach()[seeing]}
    cell.load_state_dict(weights)
    return cell


@pytest.mark.parametrize(("missing", "settings"), [("i", {"input_gate": False}), ("o", {"output_gate": False}), ("f", {"forget": "none"})])
def test_a_gate_that_does_not_exist_is_a_gate_that_is_open(missing, settings):
    full = built(LSTM(peephole=True))
    k, seen = "ifgo".index(missing), "ifo".index(missing)
    with torch.no_grad():
        full.b[k * H : (k + 1) * H], full.p[seen] = 40.0, 0.0
        full.W[k * H : (k + 1) * H], full.R[k * H : (k + 1) * H] = 0.0, 0.0
    less = with_the_weights_of(full, built(LSTM(peephole=True, **settings)), missing)
    (y, state), (y_less, state_less) = scan(full, packed()), scan(without_kernel(less), packed())
    assert_same([y_less.data, *leaves(state_less)], [y.data, *leaves(state)], EXACT)


def test_without_gates_the_memory_is_a_sum():
    cell = built(LSTM("none", input_gate=False, output_gate=False, input_activation="identity", output_activation="identity"))
    torch.nn.init.zeros_(cell.R)
    batch = packed((9,))
    y = scan(without_kernel(cell), batch)[0].data
    assert gap(y, (batch.data @ cell.W.T + cell.b).cumsum(0)) <= EXACT


def test_an_identity_is_tanh_of_little():
    """Where the cell sees a ten-millionth, tanh bends it by 1e-21."""
    plain, straight = (built(LSTM(peephole=True, input_activation=f, output_activation=f)) for f in ("tanh", "identity"))
    for cell in (plain, straight):
        with torch.no_grad():
            for rows in (cell.W, cell.R, cell.b):
                rows[2 * H : 3 * H] *= 1e-7
    y, y_straight = (scan(cell, packed())[0].data.detach() for cell in (plain, straight))
    assert (y - y_straight).abs().max() < 1e-12 * y.abs().max()
    assert y.abs().max() > 1e-9


@pytest.mark.parametrize("gate_recurrence", ["gates", "all"])
@pytest.mark.parametrize("settings", grid(forget=["gate", "none", "coupled"], block_size=[1, 2]), ids=str)
def test_gates_that_nothing_sees_change_nothing(settings, gate_recurrence):
    fed = built(LSTM(gate_recurrence=gate_recurrence, **settings))
    torch.nn.init.zeros_(fed.Q)
    plain = built(LSTM(**settings))
    plain.load_state_dict({name: w for name, w in fed.state_dict().items() if name != "Q"})
    (y, state), (y_plain, state_plain) = (scan(without_kernel(cell), packed()) for cell in (fed, plain))
    assert_same([y.data, state.h, state.c], [y_plain.data, *leaves(state_plain)], EXACT)


def test_gates_that_only_gates_see_are_all_gates_that_the_cells_input_does_not():
    gates, everything = built(LSTM(gate_recurrence="gates")), built(LSTM(gate_recurrence="all"))
    with torch.no_grad():
        Q = torch.zeros_like(everything.Q)
        Q[: 2 * H], Q[3 * H :] = gates.Q[: 2 * H], gates.Q[2 * H :]
    everything.load_state_dict(gates.state_dict() | {"Q": Q})
    (y, state), (y_all, state_all) = scan(gates, packed()), scan(everything, packed())
    assert_same([y_all.data, *leaves(state_all)], [y.data, *leaves(state)], EXACT)


def test_the_gates_that_are_fed_back_are_those_of_the_step():
    """With biases alone they are constant: σ(b)."""
    cell = built(LSTM(gate_recurrence="gates"))
    for weight in (cell.W, cell.R, cell.Q):
        torch.nn.init.zeros_(weight)
    i, f, _, o = torch.sigmoid(cell.b).split(H)
    _, state = scan(cell, packed((4, 2)))
    assert gap(state.gates, torch.cat([i, f, o]).expand(2, -1)) <= EXACT


def test_a_coupled_forget_gate_needs_an_input_gate():
    with pytest.raises(ValueError, match=r"'input_gate' parameter of LSTM must be True where forget='coupled' makes f = 1 − i; got False"):
        LSTM("coupled", input_gate=False).build(F, H)


@pytest.mark.parametrize("block_size", [4, 7, 0, -1, 1.5, "2"])
def test_a_block_size_that_does_not_divide_the_hidden_size_is_refused(block_size):
    with pytest.raises(ValueError, match=rf"'block_size' parameter of LSTM must be a divisor of hidden_size=6; got {block_size!r}"):
        LSTM(block_size=block_size).build(F, H)


@pytest.mark.parametrize("forget_bias", [1.0, -2.0])
def test_the_forget_bias_is_where_the_forget_gate_starts(forget_bias):
    """Why +1 (Jozefowicz et al., 2015): a gate that starts open lets the gradient through."""
    b = LSTM(forget_bias=forget_bias).build(F, H).b
    assert (b[H : 2 * H] == forget_bias).all()
    assert not torch.cat([b[:H], b[2 * H :]]).any()


def test_a_coupled_gate_forgets_as_much_at_the_start_as_a_forget_gate():
    b = LSTM("coupled", forget_bias=1.5).build(F, H).b
    assert (b[:H] == -1.5).all()
    assert not b[H:].any()


@pytest.mark.parametrize("settings", grid(forget=["gate", "none", "coupled"], block_size=[1, 2]), ids=str)
def test_peepholes_of_zero_change_nothing(settings):
    seeing = built(LSTM(peephole=True, **settings))
    torch.nn.init.zeros_(seeing.p)
    plain = built(LSTM(**settings))
    plain.load_state_dict({name: w for name, w in seeing.state_dict().items() if name != "p"})
    (y, state), (y_plain, state_plain) = (scan(without_kernel(cell), packed()) for cell in (seeing, plain))
    assert_same([y.data, *leaves(state)], [y_plain.data, *leaves(state_plain)], EXACT)


def test_without_forget_gate_the_memory_only_grows():
    """The constant error carousel of 1997: the gradient of the last in the first memory is 1, apart from the way through the gates."""
    cell = built(LSTM(forget="none"))
    torch.nn.init.zeros_(cell.R)
    batch = packed((50,))
    h, c = cell.initial_state(1, like=batch.data)
    c = c.clone().requires_grad_()
    _, last = scan(cell, batch, type(cell.initial_state(1, like=h))(h, c))
    assert torch.equal(torch.autograd.grad(last.c.sum(), c)[0], torch.ones_like(c))


def test_every_gate_starts_orthogonal():
    cell = LSTM().build(F, 20)
    for R in cell.R.split(20):
        assert (R.T @ R - torch.eye(20)).abs().max() < 1e-6  # drawn in float32


MEETING = [
    *grid(gate_recurrence=["gates", "all"], peephole=[True], block_size=[3], layer_norm=[True]),
    {"gate_recurrence": "all", "peephole": True, "block_size": 2, "forget": "none"},
]
MEETING_SELDOM = [
    *grid(gate_recurrence=["gates", "all"], peephole=[True], block_size=[3], forget=["coupled"], layer_norm=[True]),
    {"gate_recurrence": "gates", "input_gate": False, "forget": "none", "peephole": True},
    {"layer_norm": True, "block_size": 2, "peephole": True, "input_activation": "identity"},
    {"layer_norm": True, "forget": "coupled", "output_activation": "identity"},
    {"layer_norm": True, "forget": "none", "input_gate": False, "output_gate": False, "block_size": 2},
    {"block_size": 2, "peephole": True, "input_gate": False, "output_gate": False},
]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("settings", [*MEETING, *(pytest.param(s, marks=pytest.mark.slow) for s in MEETING_SELDOM)], ids=str)
def test_the_kernel_equals_the_steps_where_options_meet(settings, reverse):
    cell, batch = built(LSTM(**settings)), packed()
    state = random_state(cell, 5)
    values, grads = gradients(cell, batch, state, reverse=reverse)
    expected, expected_grads = gradients(without_kernel(cell), batch, state, reverse=reverse)
    assert_same(values + grads, expected + expected_grads, EXACT)


@pytest.mark.parametrize(
    "settings",
    [{"forget": "none"}, {"input_gate": False, "peephole": True}, {"output_gate": False, "forget": "coupled", "peephole": True}],
    ids=str,
)
def test_a_gate_that_does_not_exist_stays_open_where_the_input_is_infinite(settings):
    """0 · ∞ is no number: a kernel must not compute such a gate."""
    cell, batch = built(LSTM(**settings)), packed((3,))
    batch.data[0] = torch.inf
    with torch.no_grad():
        cell.W.abs_()
    kernel, steps = (scan(c, batch)[0].data for c in (cell, without_kernel(cell)))
    assert kernel.isfinite().all()
    assert_same([kernel], [steps], EXACT)
