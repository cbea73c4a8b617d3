import pytest
import torch

from skrnn.cells import LSTM
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, grid, has_kernel, leaves, packed

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64


def n_weights(**settings):
    return sum(w.numel() for w in LSTM(**settings).build(F, H).parameters())


@pytest.mark.parametrize(("forget", "n_gates"), [("gate", 3), ("coupled", 2), ("none", 2)])
def test_number_of_weights(forget, n_gates):
    assert n_weights(forget=forget) == (n_gates + 1) * H * (F + H + 1)
    assert n_weights(forget=forget, peephole=True) - n_weights(forget=forget) == n_gates * H


@pytest.mark.parametrize("block_size", [1, 2, 3, 6])
@pytest.mark.parametrize(("forget", "n_gates"), [("gate", 3), ("coupled", 2), ("none", 2)])
def test_cells_of_a_block_share_their_gates(forget, n_gates, block_size):
    assert n_weights(forget=forget, block_size=block_size) == (H + n_gates * H // block_size) * (F + H + 1)


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
    (y, state), (y_plain, state_plain) = scan(seeing, packed()), scan(plain, packed())
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


@pytest.mark.parametrize("forget", ["gate", "none", "coupled"])
def test_what_has_a_kernel(forget):
    assert has_kernel(LSTM(forget))
    assert has_kernel(LSTM(forget, block_size=2))
    assert has_kernel(LSTM(forget, peephole=True))
    assert not has_kernel(LSTM(forget, layer_norm=True))
