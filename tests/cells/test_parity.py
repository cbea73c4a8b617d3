"""Elman, LSTM and GRU with their defaults are what torch computes."""

import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman
from skrnn.cells._kernel import run_torch
from tests.cell_settings import HIDDEN, INPUT, as_on_a_gpu, assert_same, built, gradients, packed, random, random_state, stacked, without_kernel

EXACT = 1e-12  # float64, relative
TWINS = {
    "tanh": (Elman(), torch.nn.RNN, {}),
    "relu": (Elman("relu"), torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTM(), torch.nn.LSTM, {}),
    "gru": (GRU(), torch.nn.GRU, {}),
}
KERNELS = {"rnn_tanh": Elman(), "rnn_relu": Elman("relu"), "lstm": LSTM(), "gru": GRU()}


def twins(name, n_layers, bidirectional):
    """Our layers, torch's module with the same weights, and the pairs (our weight, function of torch's parameters)."""
    cell, module, settings = TWINS[name]
    ours = stacked(cell, n_layers=n_layers, bidirectional=bidirectional)
    theirs = module(INPUT, HIDDEN, n_layers, bidirectional=bidirectional, **settings).double()
    for k, weight in enumerate(theirs.parameters()):
        torch.nn.init.normal_(weight, std=0.4, generator=torch.Generator().manual_seed(k))
    with torch.no_grad():
        for k, layer in enumerate(ours.layers):
            for cell, suffix in zip(layer, ("", "_reverse"), strict=False):
                W, R, b_i, b_h = (getattr(theirs, f"{part}_l{k}{suffix}") for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
                cell.W.copy_(W), cell.R.copy_(R), cell.b.copy_(b_i + b_h)
                if name == "gru":
                    cell.b[2 * HIDDEN :] = b_i[2 * HIDDEN :]
                    cell.b_hn.copy_(b_h[2 * HIDDEN :])
    return ours, theirs


def weights_and_gradients(ours, theirs, x, values, expected):
    """Gradients of the same projection of both outputs: in the input, W, R and b."""
    v = random(*values.shape, seed=9)
    mine = [(cell.W, cell.R, cell.b) for layer in ours.layers for cell in layer]
    named = theirs._flat_weights
    other = [named[4 * k : 4 * k + 3] for k in range(len(named) // 4)]
    return (torch.autograd.grad((out * v).sum(), [x, *(w for ws in sets for w in ws)]) for out, sets in ((values, mine), (expected, other)))


@pytest.mark.parametrize("lengths", [(5, 5, 5), (4, 7, 1, 7, 3)], ids=["equal", "ragged"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("n_layers", [1, 3])
@pytest.mark.parametrize("name", TWINS)
def test_layers_equal_those_of_torch(name, n_layers, bidirectional, lengths):
    ours, theirs = twins(name, n_layers, bidirectional)
    batch = packed(lengths)
    batch.data.requires_grad_()
    values = torch.cat([direction.data for direction in ours(batch)], -1)
    expected = theirs(batch)[0].data
    got, wanted = weights_and_gradients(ours, theirs, batch.data, values, expected)
    assert_same([values, *got], [expected, *wanted], EXACT)


@pytest.mark.parametrize("lengths", [(5, 5, 5), (4, 7, 1, 7, 3)], ids=["equal", "ragged"])
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
@pytest.mark.parametrize("name", KERNELS)
def test_torchs_kernel_equals_ours_and_the_steps(monkeypatch, name, reverse, lengths):
    """The call that cuDNN gets on a GPU, here on the CPU."""
    cell, batch = built(KERNELS[name]), packed(lengths)
    state = random_state(cell, len(lengths))
    ours, steps = (gradients(c, batch, state, reverse=reverse) for c in (cell, without_kernel(cell)))
    module, called = type(cell).__module__, []
    monkeypatch.setattr(f"{module}.run_torch", lambda kind, *given: called.append(kind) or run_torch(kind, *given))
    torchs = gradients(as_on_a_gpu(cell), batch, state, reverse=reverse)
    assert called == [name]
    assert_same(torchs[0] + torchs[1], steps[0] + steps[1], EXACT)
    assert_same(torchs[0] + torchs[1], ours[0] + ours[1], EXACT)
