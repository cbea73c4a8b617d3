import pytest
import torch
from sklearn.base import clone

from skrnn.cells import GRU, LSTM, Elman, Hyper, Leaky, Multiplicative
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, leaves, packed, random_state, run, without_kernel

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
INNER = [Elman(), LSTM(peephole=True), GRU("before"), Leaky(LSTM()), Multiplicative(LSTM())]
each_cell = pytest.mark.parametrize("inner", INNER, ids=repr)


def assert_it_is_the_cell_inside(cell):
    (y, state), (y_inner, state_inner) = (scan(without_kernel(c), packed()) for c in (cell, cell.cell_))
    assert all(torch.equal(a, b) for a, b in zip([y.data, *leaves(state.cell)], [y_inner.data, *leaves(state_inner)], strict=True))


@each_cell
def test_a_hypernetwork_of_zeros_leaves_the_cell_inside(inner):
    cell = built(Hyper(inner))
    for weight in (*cell.hyper_.parameters(), cell.R, cell.E, cell.D_x, cell.D_h, cell.D_b):
        torch.nn.init.zeros_(weight)
    assert_it_is_the_cell_inside(cell)


@each_cell
def test_it_starts_as_the_cell_inside(inner):
    cell = Hyper(inner).build(F, H, torch.Generator().manual_seed(0)).double()
    assert_it_is_the_cell_inside(cell)
    plain = clone(inner).build(F, H, torch.Generator().manual_seed(0)).double()
    assert gap(scan(cell, packed())[0].data, scan(plain, packed())[0].data) <= EXACT


def test_at_the_start_the_gradient_reaches_all_scalings():
    """D of zeros alone does not stop them from learning, as it would together with E of zeros."""
    cell = Hyper().build(F, H, torch.Generator().manual_seed(0)).double()
    scan(cell, packed())[0].data.square().sum().backward()
    assert all(D.grad.abs().max() > 1e-6 for D in (cell.D_x, cell.D_h, cell.D_b))


@pytest.mark.parametrize(("D", "same"), [("D_x", "u"), ("D_h", "h"), ("D_b", "b")])
def test_a_constant_hypernetwork_is_a_cell_with_other_weights(D, same):
    """Its units are held at one value: each scaling is then one of rows of W and b, of columns of R, or a bias."""
    cell = built(Hyper(LSTM(), hyper_size=1, embedding_size=1))
    with torch.no_grad():
        for weight in cell.hyper_.parameters():
            weight.zero_()
        cell.hyper_.b.copy_(torch.tensor([40.0, -40.0, 40.0, 40.0]))  # q = tanh 1
        for other in {"D_x", "D_h", "D_b"} - {D}:
            getattr(cell, other).zero_()
        cell.R.zero_()
        cell.E.fill_(1.0)
        plain, d = without_kernel(cell.cell_), getattr(cell, D)[:, 0] * torch.tanh(torch.ones((), dtype=torch.float64))
        expected, before = scan(cell, packed())[0].data, scan(plain, packed())[0].data
        if same == "u":
            plain.W *= (1 + d)[:, None]
            plain.b *= 1 + d
        elif same == "h":
            plain.R *= 1 + d
        else:
            plain.b += d
    assert gap(before, expected) > 0.01
    assert gap(scan(plain, packed())[0].data, expected) <= EXACT


def test_the_hypernetwork_remembers_what_the_cell_forgets():
    """The cell inside sees no input and no state of its own: what changes its output can only come through the hypernetwork's memory."""
    cell = built(Hyper(Elman()))
    for weight in (cell.cell_.W, cell.cell_.R, cell.R):
        torch.nn.init.zeros_(weight)
    (whole,), _ = run(cell, packed((5,)))
    batch = packed((5,))
    batch.data[0] += 1
    (other,), _ = run(cell, batch)
    assert ((whole - other)[1:].abs().amax(-1) > 1e-4).all()


@pytest.mark.parametrize("inner", [Elman(), LSTM(), Multiplicative()], ids=repr)
@pytest.mark.parametrize(("Q", "N"), [(1, 1), (4, 3)])
def test_number_of_weights(inner, Q, N):
    plain = clone(inner).build(F, H)
    own, k = sum(w.numel() for w in plain.parameters()), plain.project(torch.ones(1, F)).shape[-1]
    n = sum(w.numel() for w in Hyper(inner, Q, N).build(F, H).parameters())
    assert n == own + 4 * Q * (F + H + Q + 1) + 3 * N * Q + N * (2 * k + H)


@pytest.mark.parametrize(("hidden_size", "units"), [(1, 1), (3, 1), (6, 1), (40, 10)])
def test_by_default_the_hypernetwork_has_a_quarter_of_the_units(hidden_size, units):
    assert Hyper().build(F, hidden_size).hyper_.hidden_size == units


@pytest.mark.parametrize("inner", [Elman(), Multiplicative(LSTM())], ids=repr)
def test_leaky_units_around_it_leak_from_the_state_of_both_networks(inner):
    """A rate of one changes nothing, and half a rate goes half the way."""
    plain, one, half = (built(cell) for cell in (Hyper(inner), Leaky(Hyper(inner), 1.0), Leaky(Hyper(inner), 0.5)))
    assert gap(scan(one, packed())[0].data, scan(plain, packed())[0].data) <= EXACT
    state, batch = random_state(plain, 5), packed((1,) * 5)
    new, halfway = scan(plain, batch, state)[1], scan(half, batch, state)[1]
    assert_same(leaves(halfway), [(a + b) / 2 for a, b in zip(leaves(state), leaves(new), strict=True)], EXACT)


def test_the_state_is_that_of_the_cell_and_of_the_hypernetwork():
    cell = built(Hyper(LSTM(), hyper_size=2))
    state = random_state(cell, 4)
    assert [leaf.shape for leaf in leaves(state)] == [(4, H), (4, H), (4, 2), (4, 2)]
    assert torch.equal(scan(cell, packed((5, 5)))[1].cell.h, scan(cell, packed((5, 5)))[0].data[-2:])


@pytest.mark.parametrize("value", [0, -1, 1.5, "6"])
def test_sizes_that_are_no_counts_are_refused(value):
    with pytest.raises(ValueError, match=rf"'hyper_size' parameter of Hyper must be a whole number of at least 1, or None; got {value!r}"):
        Hyper(hyper_size=value).build(F, H)
    with pytest.raises(ValueError, match=rf"'embedding_size' parameter of Hyper must be a whole number of at least 1; got {value!r}"):
        Hyper(embedding_size=value).build(F, H)
