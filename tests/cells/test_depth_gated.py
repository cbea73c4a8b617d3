import pytest
import torch

from skrnn.cells import LSTM, DepthGatedLSTM
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, leaves, packed, random

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64, relative


def shut(cell, bias=-40.0):
    """The same cell, whose depth gates see nothing and have the given bias."""
    with torch.no_grad():
        for gate in cell.gates:
            for weight in gate.parameters():
                weight.zero_()
            gate.b.fill_(bias)
    return cell


def stack(cell, batch):
    """Outputs and states, the top layer first, of the layers of the cell run one after the other."""
    states = []
    for layer in cell.layers:
        batch, state = scan(layer, batch)
        states.insert(0, state)
    return [batch.data, *leaves(tuple(states))]


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_shut_gates_leave_two_lstms_on_top_of_each_other(reverse):
    cell, batch = shut(built(DepthGatedLSTM())), packed()
    lower, upper = (built(LSTM(peephole=True), input_size=size) for size in (F, H))
    for layer, twin in zip(cell.layers, (lower, upper), strict=True):
        twin.load_state_dict(layer.state_dict())
    between, state = scan(lower, batch, reverse=reverse)
    expected, top = scan(upper, between, reverse=reverse)
    y, last = scan(cell, batch, reverse=reverse)
    assert_same([y.data, *leaves(last)], [expected.data, *top, *state], EXACT)


@pytest.mark.parametrize("depth", [1, 3, 6])
def test_shut_gates_leave_a_plain_stack(depth):
    cell = shut(built(DepthGatedLSTM(depth)))
    y, last = scan(cell, packed())
    assert_same([y.data, *leaves(last)], stack(cell, packed()), EXACT)


def test_an_open_gate_adds_the_cell_below():
    """In layers whose own input is shut out, an open gate makes every cell a copy of the first layer's."""
    cell = shut(built(DepthGatedLSTM(4)), bias=40.0)
    with torch.no_grad():
        for layer in cell.layers[1:]:
            for weight in (layer.W, layer.R, layer.p):
                weight.zero_()
            layer.b[: 2 * H] = -40.0  # neither in nor kept
    _, last = scan(cell, packed((1, 5)))
    assert all(gap(state.c, last[-1].c) <= EXACT for state in last)


def test_the_output_is_the_hidden_state_of_the_top_layer():
    y, last = scan(built(DepthGatedLSTM(3)), packed((4,)))
    assert len(last) == 3
    assert torch.equal(y.data[-1:], last[0].h)


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_number_of_weights(depth):
    cell = DepthGatedLSTM(depth).build(F, H)
    first, further = 4 * H * (F + H + 1) + 3 * H, 4 * H * (2 * H + 1) + 3 * H + H * H + 3 * H
    assert sum(w.numel() for w in cell.parameters()) == first + (depth - 1) * further


@pytest.mark.parametrize("forget_bias", [1.0, -2.0])
def test_depth_gates_start_as_far_open_as_forget_gates_are_shut(forget_bias):
    cell = DepthGatedLSTM(3, forget_bias).build(F, H)
    assert all((layer.b[H : 2 * H] == forget_bias).all() for layer in cell.layers)
    assert all((gate.b == -forget_bias).all() for gate in cell.gates)


@pytest.mark.parametrize("seed", range(5))
def test_the_first_of_six_layers_gets_more_gradient_at_the_start_than_in_a_plain_stack(seed):
    def gradient(prepare):
        cell = prepare(DepthGatedLSTM(6).build(F, 16, torch.Generator().manual_seed(seed)).double())
        y, _ = scan(cell, packed((20, 20, 20), seed=seed))
        return torch.autograd.grad((y.data * random(*y.data.shape, seed=seed + 9)).sum(), cell.layers[0].W)[0].norm()

    assert gradient(lambda cell: cell) > 1.2 * gradient(shut)


@pytest.mark.parametrize("depth", [0, -1, 1.5, "deep", None])
def test_a_depth_that_is_no_number_of_layers_is_refused(depth):
    with pytest.raises(ValueError, match=f"'depth' parameter of DepthGatedLSTM must be a whole number of at least 1; got {depth!r}"):
        DepthGatedLSTM(depth).build(F, H)
