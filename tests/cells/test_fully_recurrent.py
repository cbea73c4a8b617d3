import pytest
import torch

from skrnn.cells import Elman, FullyRecurrent
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gradients, packed, without_kernel

EXACT = 1e-12  # float64, relative


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu"])
def test_with_all_units_as_outputs_it_is_an_elman_network(activation):
    ours, elman = (cell.build(INPUT, HIDDEN, torch.Generator().manual_seed(0)).double() for cell in (FullyRecurrent(activation), Elman(activation)))
    (values, grads), (expected, expected_grads) = gradients(ours, packed()), gradients(elman, packed())
    assert_same(values + grads, expected + expected_grads, EXACT)


@pytest.mark.parametrize("n_outputs", [1, 2, HIDDEN])
@pytest.mark.parametrize("through", [lambda cell: cell, without_kernel], ids=["kernel", "steps"])
def test_only_the_outputs_are_seen_and_all_units_are_fed_back(n_outputs, through):
    some, every = through(built(FullyRecurrent(n_outputs=n_outputs))), built(FullyRecurrent())
    (y, state), (y_every, state_every) = scan(some, packed()), scan(every, packed())
    assert not y.data[:, n_outputs:].any()
    assert_same([y.data[:, :n_outputs], state], [y_every.data[:, :n_outputs], state_every], EXACT)


def test_hidden_units_get_their_gradient_through_the_outputs():
    """Of the last step only the outputs count, of the steps before every unit."""
    cell = built(FullyRecurrent(n_outputs=2))
    for n_steps, reached in ((1, [True] * 2 + [False] * 4), (2, [True] * HIDDEN)):
        y, _ = scan(cell, packed((n_steps,)))
        assert (torch.autograd.grad(y.data.sum(), cell.b)[0] != 0).tolist() == reached


def test_number_of_weights():
    assert sum(w.numel() for w in FullyRecurrent(n_outputs=1).build(INPUT, HIDDEN).parameters()) == HIDDEN * (INPUT + HIDDEN + 1)


@pytest.mark.parametrize("n_outputs", [0, -1, 7, 1.5, "all"])
def test_a_number_of_outputs_that_there_is_not_is_refused(n_outputs):
    message = rf"'n_outputs' parameter of FullyRecurrent must be None or a whole number from 1 to hidden_size=6; got {n_outputs!r}"
    with pytest.raises(ValueError, match=message):
        FullyRecurrent(n_outputs=n_outputs).build(INPUT, HIDDEN)
