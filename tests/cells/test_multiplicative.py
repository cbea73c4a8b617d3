import pytest
import torch
from sklearn.base import clone

from skrnn.cells import GRU, LSTM, Elman, Leaky, Multiplicative
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, leaves, packed, random, random_state, without_kernel

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
INNER = [Elman(), LSTM(peephole=True), GRU("before"), Leaky(LSTM())]
each_cell = pytest.mark.parametrize("inner", INNER, ids=repr)


def set_weights(cell, **values):
    with torch.no_grad():
        for name, value in values.items():
            getattr(cell, name).copy_(torch.as_tensor(value))
    return cell


@each_cell
def test_products_of_one_leave_the_cell_inside(inner):
    cell, batch = set_weights(built(Multiplicative(inner)), W=0.0, b=1.0, R=torch.eye(H)), packed()
    (y, state), (y_inner, state_inner) = (scan(without_kernel(c), batch) for c in (cell, cell.cell_))
    assert all(torch.equal(a, b) for a, b in zip([y.data, *leaves(state)], [y_inner.data, *leaves(state_inner)], strict=True))


@each_cell
@pytest.mark.parametrize("n_factors", [None, H, H + 3])
def test_it_starts_as_the_cell_inside(inner, n_factors):
    cell, plain = (c.build(F, H, torch.Generator().manual_seed(3)).double() for c in (Multiplicative(inner, n_factors), clone(inner)))
    (y, state), (y_inner, state_inner) = scan(cell, packed()), scan(plain, packed())
    tolerance = EXACT if n_factors in (None, H) else 1e-5  # P R is an identity that was drawn in float32
    assert_same([y.data, *leaves(state)], [y_inner.data, *leaves(state_inner)], tolerance)


def test_too_few_factors_start_as_a_projection():
    cell = Multiplicative(n_factors=2).build(F, H)
    Q = cell.P @ cell.R
    assert gap(Q @ Q, Q) <= 1e-5  # drawn in float32
    assert abs(float(Q.detach().trace()) - 2) <= 1e-5


def test_every_symbol_has_recurrent_weights_of_its_own():
    """The multiplicative RNN: symbol k sees R_cell diag(W_k + b) R, which is what an Elman network with these weights computes in one step."""
    cell, plain, h = built(Multiplicative()), built(Elman()), random_state(Elman().build(F, H), 1)
    for k, x in enumerate(torch.eye(F, dtype=torch.float64)[:, None]):
        of_symbol = cell.cell_.R @ torch.diag(cell.W[:, k] + cell.b) @ cell.R
        set_weights(plain, W=cell.cell_.W, b=cell.cell_.b, R=of_symbol)
        assert gap(cell.step(cell.project(x), h)[0], plain.step(plain.project(x), h)[0]) <= EXACT


def test_around_an_lstm_the_memory_is_not_multiplied():
    """The multiplicative LSTM: only h is replaced, so that open gates keep c whatever the input is."""
    cell, batch = built(Multiplicative(LSTM())), packed()
    open_and_shut = torch.tensor([-40.0, 40.0, 0.0, 0.0], dtype=torch.float64).repeat_interleave(H)
    set_weights(cell.cell_, W=0.0, R=0.0, b=open_and_shut)
    state = random_state(cell, 5)
    assert gap(scan(cell, batch, state)[1].c, state.c) <= EXACT


def test_a_gru_inside_carries_the_product_on():
    cell, x = built(Multiplicative(GRU())), random(1, F)
    set_weights(cell.cell_, W=0.0, R=0.0, b=torch.tensor([0.0, 40.0, 0.0]).repeat_interleave(H))  # z = 1
    h = random_state(cell, 1)
    m = (x @ cell.W.T + cell.b) * (h @ cell.R.T)
    assert gap(cell.step(cell.project(x), h)[1], m) <= EXACT


def n_weights(cell):
    return sum(w.numel() for w in cell.build(F, H).parameters())


@pytest.mark.parametrize("n_factors", [2, H, 9])
def test_number_of_weights(n_factors):
    """With H factors: 2 H F + 2 H² + H of Sutskever et al., and h n + h² + 4 h (n + h + 1) of Krause et al.; both and the H of b."""
    factors = n_factors * (F + H + 1) + (0 if n_factors == H else H * n_factors)
    assert n_weights(Multiplicative(n_factors=n_factors)) == H * (F + H + 1) + factors
    assert n_weights(Multiplicative(LSTM(), n_factors)) == 4 * H * (F + H + 1) + factors


@pytest.mark.parametrize("n_factors", [0, -1, 1.5, "6"])
def test_a_number_of_factors_that_is_no_count_is_refused(n_factors):
    with pytest.raises(
        ValueError, match=rf"'n_factors' parameter of Multiplicative must be a whole number of at least 1, or None; got {n_factors!r}"
    ):
        Multiplicative(n_factors=n_factors).build(F, H)
