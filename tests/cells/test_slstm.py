import numpy as np
import pytest
import torch

from skrnn.cells import SLSTM
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, gradients, grid, leaves, pack_all, packed, random, random_state

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
both_gates = pytest.mark.parametrize("forget_gate", ["sigmoid", "exp"])


@pytest.mark.parametrize("n_heads", [1, 2, 3, 6])
def test_number_of_weights(n_heads):
    assert sum(w.numel() for w in SLSTM(n_heads).build(F, H).parameters()) == 4 * H * (F + 1) + 4 * H * H // n_heads


def test_heads_are_one_head_with_a_block_diagonal_matrix():
    heads, one = built(SLSTM(2)), built(SLSTM())
    blocks = [torch.block_diag(*R.split(H // 2)) for R in heads.R.split(H)]
    one.load_state_dict(heads.state_dict() | {"R": torch.cat(blocks)})
    (y, state), (y_one, state_one) = scan(heads, packed()), scan(one, packed())
    assert_same([y.data, *leaves(state)], [y_one.data, *leaves(state_one)], EXACT)


def unstabilised(cell, x):
    """c and n of the paper without m, from zero; they overflow for large i~."""
    W, R, b = (w.detach().numpy() for w in (cell.W, cell.R, cell.b))
    h, c, n, outputs = np.zeros(H), 0.0, 0.0, []
    for step in x.numpy():
        i, f, z, o = np.split(W @ step + R @ h + b, 4)
        f = np.exp(f) if cell.forget_gate == "exp" else 1 / (1 + np.exp(-f))
        c, n = f * c + np.exp(i) * np.tanh(z), f * n + np.exp(i)
        h = c / n / (1 + np.exp(-o))
        outputs.append(h)
    return torch.tensor(np.array(outputs))


@both_gates
def test_small_gates_need_no_stabiliser(forget_gate):
    cell, x = built(SLSTM(forget_gate=forget_gate)), random(12, F)
    assert gap(scan(cell, pack_all([x]))[0].data, unstabilised(cell, x)) <= EXACT


@both_gates
@pytest.mark.parametrize("shift", [-3.0, 50.0])
def test_what_is_added_to_the_input_gate_and_the_stabiliser_changes_nothing(forget_gate, shift):
    cell = built(SLSTM(forget_gate=forget_gate))
    h, c, m = random_state(cell, 3)
    y, (_, c_plain, m_plain) = scan(cell, packed((5, 4, 2)), type(cell.initial_state(1, like=h))(h, c, m))
    with torch.no_grad():
        cell.b[:H] += shift
    y_shifted, state = scan(cell, packed((5, 4, 2)), type(cell.initial_state(1, like=h))(h, c, m + shift))
    assert_same([y_shifted.data, state.c, state.m], [y.data, c_plain, m_plain + shift], EXACT)


@pytest.mark.parametrize("i", [-200.0, 0.0, 200.0])
def test_the_first_step_is_stored_whole(i):
    cell = built(SLSTM())
    with torch.no_grad():
        cell.b[:H] = i
    u = cell.project(random(4, F))
    _, _, z, o = u.chunk(4, -1)
    y, state = cell.step(u, cell.initial_state(4, like=u))
    assert_same([state.c, y], [torch.tanh(z), torch.sigmoid(o) * torch.tanh(z)], EXACT)


@pytest.mark.parametrize("settings", grid(n_heads=[1, 2], forget_gate=["sigmoid", "exp"]), ids=str)
def test_input_gates_of_200_do_not_overflow(settings):
    """exp(200) is infinite in float32, and exp(−200) is 0."""
    cell, batch = built(SLSTM(**settings), torch.float32, input_size=1), packed((9, 9), 1, dtype=torch.float32)
    with torch.no_grad():
        cell.W[:H] = 200
    batch.data.sign_()  # both signs
    values, slopes = gradients(cell, batch)
    assert all(v.isfinite().all() for v in values + slopes)
    assert values[0].abs().max() < 1


def test_a_late_input_can_overrule_all_that_is_stored():
    cell = built(SLSTM())
    with torch.no_grad():
        cell.W[:H] = torch.tensor([0.0, 0.0, 60.0])
        cell.R[:H] = 0
    x = random(20, F)
    x[:, 2], x[-1, 2] = 0, 1
    before = scan(cell, pack_all([x[:-1]]))[1]
    z = (cell.project(x[-1:]) + before.h @ cell.R.T).chunk(4, -1)[2]
    assert gap(scan(cell, pack_all([x]))[1].c, torch.tanh(z)) <= EXACT


def test_the_forget_bias_is_where_the_forget_gate_starts():
    b = SLSTM(forget_bias=-2.0).build(F, H).b
    assert (b[H : 2 * H] == -2).all()
    assert not torch.cat([b[:H], b[2 * H :]]).any()


@pytest.mark.parametrize("n_heads", [4, 7, 0, -1, 1.5, "2"])
def test_heads_that_do_not_divide_the_hidden_size_are_refused(n_heads):
    with pytest.raises(ValueError, match=rf"'n_heads' parameter of SLSTM must be a divisor of hidden_size=6; got {n_heads!r}"):
        SLSTM(n_heads).build(F, H)
