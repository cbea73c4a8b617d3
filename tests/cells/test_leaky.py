import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman, Leaky, Residual
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, RATES, assert_same, built, gap, leaves, pack_all, packed, random

EXACT = 1e-12  # float64


@pytest.mark.parametrize("inner", [Elman(), LSTM(), GRU()], ids=repr)
def test_a_rate_of_one_is_the_cell_inside(inner):
    (y, state), (y_inner, state_inner) = scan(built(Leaky(inner, 1.0)), packed()), scan(built(inner), packed())
    assert_same([y.data, *leaves(state)], [y_inner.data, *leaves(state_inner)], EXACT)


@pytest.mark.parametrize("rate", [0.2, RATES], ids=["one rate", "a rate for each unit"])
def test_without_recurrence_it_is_an_exponential_moving_average(rate):
    cell = built(Leaky(Elman("relu"), rate), input_size=HIDDEN)
    with torch.no_grad():
        for weight, value in ((cell.cell_.W, torch.eye(HIDDEN)), (cell.cell_.R, 0.0), (cell.cell_.b, 0.0)):
            weight.copy_(torch.as_tensor(value))
    x, a = random(30, HIDDEN).abs(), torch.tensor(rate, dtype=torch.float64)
    weights = a * (1 - a) ** torch.arange(29, -1, -1, dtype=torch.float64)[:, None]
    _, last = scan(cell, pack_all([x]))
    assert gap(last[0], (weights * x).sum(0)) <= EXACT


def test_leaks_of_leaks_multiply():
    """A share of a share: 1 - (1 - a b) twice around is the same as once with the product."""
    twice, once = (built(cell) for cell in (Leaky(Leaky(LSTM(), 0.5), 0.6), Leaky(LSTM(), 0.3)))
    assert gap(scan(twice, packed())[0].data, scan(once, packed())[0].data) <= EXACT


def test_the_rate_is_no_weight_and_keeps_the_precision_of_the_network():
    cell = Leaky(rate=RATES).build(INPUT, HIDDEN).double()
    assert {name for name, _ in cell.named_parameters()} == {"cell_.W", "cell_.R", "cell_.b"}
    np.testing.assert_array_equal(cell.a.numpy(), RATES)


@pytest.mark.parametrize("rate", [0.3, (*RATES[:-1], 0.9)], ids=["one rate", "a rate for each unit"])
@pytest.mark.parametrize("inner", [Elman(), LSTM(), GRU()], ids=repr)
def test_learned_rates_start_at_the_rate(inner, rate):
    fixed, learned = Leaky(inner, rate).build(INPUT, HIDDEN).double(), Leaky(inner, rate, trainable=True).build(INPUT, HIDDEN).double()
    learned.cell_.load_state_dict(fixed.cell_.state_dict())
    assert gap(scan(learned, packed())[0].data, scan(fixed, packed())[0].data) <= 1e-6  # drawn in float32
    assert dict(learned.named_parameters())["b_a"].shape == np.shape(rate)


@pytest.mark.parametrize("inner", [Elman(), LSTM()], ids=repr)
def test_learned_rates_have_a_gradient(inner):
    cell = built(Leaky(inner, (*RATES[1:-1], 0.9, 0.95), trainable=True))
    scan(cell, packed())[0].data.square().sum().backward()
    assert cell.b_a.grad.abs().min() > 0


@pytest.mark.parametrize("rate", [1.0, RATES, 0.0])
def test_a_learned_rate_of_one_is_refused(rate):
    with pytest.raises(ValueError, match=r"'rate' parameter of Leaky must be one number or 6 .*, in \(0, 1\) where it is trainable; got "):
        Leaky(rate=rate, trainable=True).build(INPUT, HIDDEN)


def test_the_output_of_a_cell_that_puts_out_something_else_than_its_state_does_not_leak():
    cell, batch = built(Leaky(Residual(LSTM()), 0.3)), packed((1,))
    assert gap(scan(cell, batch)[0].data, scan(cell.cell_, batch)[0].data) <= EXACT


def test_the_cell_inside_is_copied_and_stays_unbuilt():
    inner = LSTM()
    outer = Leaky(inner).build(INPUT, HIDDEN)
    assert outer.cell is inner
    assert not list(inner.parameters())


def test_parameters_of_the_cell_inside_are_reached_through_any_depth():
    cell = Leaky(Leaky(LSTM())).set_params(cell__cell__peephole=True, cell__rate=0.1)
    assert repr(cell) == "Leaky(cell=Leaky(cell=LSTM(peephole=True), rate=0.1))"


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.5, np.nan, (0.5, 0.5), (0.5,) * 5 + (0.0,)])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match=r"'rate' parameter of Leaky must be one number or 6 \(hidden_size\), in \(0, 1\]; got "):
        Leaky(rate=rate).build(INPUT, HIDDEN)
