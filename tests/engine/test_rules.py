import subprocess
import sys
from itertools import product

import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman, Leaky, map_state
from skrnn.engine import BPTT, TruncatedBPTT, resolve_rule, scan
from skrnn.networks import POOLINGS, SequenceNetwork
from tests.cell_settings import assert_same, built, packed, random, stacked

EXACT = 1e-12  # float64, relative
RAGGED, EQUAL = (4, 7, 1, 7, 3), (7, 7, 7)
every_pooling = pytest.mark.parametrize("pooling", POOLINGS)
# Equal lengths are ragged ones with fewer cases: one pooling, that of most steps, sees both.
every_pooling_of_batches = pytest.mark.parametrize(
    ("pooling", "lengths"),
    [
        pytest.param(pooling, lengths, id=f"{name}-{pooling}", marks=[pytest.mark.slow] * (lengths is EQUAL and pooling != "attention"))
        for name, lengths in {"ragged": RAGGED, "equal": EQUAL}.items()
        for pooling in POOLINGS
    ],
)
STACKS = {  # those that run piece after piece
    "one way": {},
    "both ways": {"bidirectional": True},
    "two layers": {"n_layers": 2},
    "dropout": {"n_layers": 2, "dropout": 0.5},
}


def network(pooling, cell=None, **settings):
    """A network whose head is not at its start of zero, in training mode."""
    recurrent = stacked(cell or LSTM(), **settings)
    net = SequenceNetwork(recurrent, pooling, torch.zeros(2)).double().train()
    torch.nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
    return net


def loss(outputs):
    return (outputs - random(*outputs.shape, seed=8)).square().sum()


def piece_after_piece(net, batch, n_steps):
    """The truncated gradient without any second pass: one graph over all pieces, whose states are cut."""
    states, collected = net.start(batch)
    for piece in zip(*net.pieces(batch, n_steps), strict=True):
        (states, collected), _ = net.advance(piece, (states, collected))
        states = map_state(torch.Tensor.detach, states)
    loss(net.finish(collected, (), batch)).backward()


def gradients_of(learn, net, seed=3):
    """Gradients of all weights after ``learn(net)``, and the random numbers drawn meanwhile."""
    net.draw_from(torch.Generator().manual_seed(seed)).zero_grad()
    learn(net)
    return [w.grad.clone() for w in net.parameters()], net.generator.get_state()


@every_pooling_of_batches
@pytest.mark.parametrize(("stack", "n_steps"), list(product(STACKS, [1, 3])))
def test_truncation_equals_one_graph_over_all_pieces(pooling, lengths, stack, n_steps):
    """With dropout, the second pass has to draw the masks of the first again, and leave the generator where the first left it."""
    net, batch = network(pooling, **STACKS[stack]), packed(lengths)
    got, draws = gradients_of(lambda net: TruncatedBPTT(n_steps).gradient(net, batch, loss), net)
    expected, expected_draws = gradients_of(lambda net: piece_after_piece(net, batch, n_steps), net)
    assert_same(got, expected, EXACT)
    assert torch.equal(draws, expected_draws)


@every_pooling_of_batches
@pytest.mark.parametrize("cell", [Elman(), GRU("before", layer_norm=True)], ids=repr)
@pytest.mark.parametrize("stack", ["one way", "both ways", "two layers"])
def test_truncation_equals_scans_with_cut_states(pooling, lengths, cell, stack):
    net, batch = network(pooling, cell, **STACKS[stack]), packed(lengths)
    got, _ = gradients_of(lambda net: TruncatedBPTT(3).gradient(net, batch, loss), net)
    expected, _ = gradients_of(lambda net: loss(net(batch, 3)).backward(), net)
    assert_same(got, expected, EXACT)


@every_pooling
def test_a_stack_whose_upper_layer_needs_both_directions_is_cut_alike(pooling):
    net, batch = network(pooling, n_layers=2, bidirectional=True), packed()
    got, _ = gradients_of(lambda net: TruncatedBPTT(3).gradient(net, batch, loss), net)
    cut, full = (gradients_of(lambda net, k=k: loss(net(batch, k)).backward(), net)[0] for k in (3, None))
    assert_same(got, cut, EXACT)
    assert max(float((g - f).abs().max()) for g, f in zip(got, full, strict=True)) > 1e-3


@every_pooling
@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("n_steps", [7, 500])
def test_truncation_of_sequences_that_are_not_longer_is_exact(pooling, stack, n_steps):
    net, batch = network(pooling, **STACKS[stack]), packed()
    got, draws = gradients_of(lambda net: TruncatedBPTT(n_steps).gradient(net, batch, loss), net)
    expected, expected_draws = gradients_of(lambda net: BPTT().gradient(net, batch, loss), net)
    assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))
    assert torch.equal(draws, expected_draws)


@pytest.mark.parametrize("rule", [BPTT(), TruncatedBPTT(3)])
def test_a_rule_adds_to_the_gradient_and_returns_the_loss(rule):
    net, batch = network("mean"), packed()
    once, _ = gradients_of(lambda net: rule.gradient(net, batch, loss), net)
    twice, _ = gradients_of(lambda net: [rule.gradient(net, batch, loss) for _ in range(2)], net)
    assert_same(twice, [2 * g for g in once], EXACT)
    value = rule.gradient(net, batch, loss)
    assert not value.requires_grad
    assert_same([value], [loss(net(batch))], EXACT)


MEMORY = """
import resource, torch
from skrnn.cells import LSTM
from skrnn.engine import TruncatedBPTT
from skrnn.networks import Recurrent, SequenceNetwork
from torch.nn.utils.rnn import PackedSequence
net = SequenceNetwork(Recurrent(LSTM(), 1, 16), "attention", torch.zeros(1))
peaks = []
for n_steps in (2_000, 100_000):
    batch = PackedSequence(torch.ones(n_steps, 1), torch.ones(n_steps, dtype=torch.int64))
    TruncatedBPTT(500).gradient(net, batch, lambda outputs: outputs.sum())
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(peaks[1] - peaks[0])
"""


def test_the_memory_of_truncation_does_not_grow_with_the_length():
    """100,000 steps take 1.2 MB of data and less than 6 MB beside; their whole graph would take 65 MB."""
    done = subprocess.run([sys.executable, "-c", MEMORY], timeout=60, check=True, capture_output=True, text=True)
    assert int(done.stdout) < 7_500  # KiB


def test_rules_have_names():
    assert resolve_rule("bptt") == BPTT()
    assert resolve_rule("truncated_bptt") == TruncatedBPTT(500)
    assert resolve_rule(TruncatedBPTT(7)) == TruncatedBPTT(7)
    with pytest.raises(
        ValueError, match=r"'rule' parameter must be a Rule or one of \['bptt', 'guessing', 'rtrl', 'snap1', 'truncated_bptt'\]; got 'hebb'"
    ):
        resolve_rule("hebb")


# -- the way of the gradient -------------------------------------------------------------------------------------------------------------------


def truncated_1997(cell, xs, weights):
    """The LSTM's gradient when errors flow only through the cell: forward sensitivities of c(t) = f c(t-1) + i g with h(t-1) held constant."""
    H = cell.hidden_size
    h, c = np.zeros(H), np.zeros(H)
    dW, dR, db = (np.zeros(w.shape) for w in weights)
    eW, eR, eb = (np.zeros((4, H, *w.shape[1:])) for w in weights)  # dc/dweights of each cell's own rows
    W, R, b = weights
    for t, x in enumerate(xs):
        i, f, g, o = np.split(W @ x + R @ h + b, 4)
        i, f, o, g = *(1 / (1 + np.exp(-a)) for a in (i, f, o)), np.tanh(g)
        slopes = np.stack([g * i * (1 - i), c * f * (1 - f), i * (1 - g * g), 0 * o])
        for e, seen in ((eW, x), (eR, h), (eb, None)):
            now = slopes if seen is None else slopes[..., None] * seen
            e *= f if seen is None else f[:, None]
            e += now
        c_new = f * c + i * g
        h_new = o * np.tanh(c_new)
        dh = 2 * (h_new - t)  # of the loss (h - t)²
        through_c, through_o = dh * o * (1 - np.tanh(c_new) ** 2), dh * np.tanh(c_new) * o * (1 - o)
        for d, e, seen in ((dW, eW, x), (dR, eR, h), (db, eb, None)):
            d += (e * (through_c if seen is None else through_c[:, None])).reshape(d.shape)
            d[3 * H :] += through_o if seen is None else through_o[:, None] * seen
        h, c = h_new, c_new
    return dW, dR, db


def test_the_path_through_the_cell_is_the_rule_of_1997():
    cell, batch = built(LSTM()), packed((9,))
    weights = [w.detach().numpy() for w in (cell.W, cell.R, cell.b)]
    expected = truncated_1997(cell, batch.data.numpy(), weights)
    y, _ = scan(cell, batch, grad_path="cell_only")
    (y.data - torch.arange(9.0, dtype=torch.float64)[:, None]).square().sum().backward()
    assert_same([cell.W.grad, cell.R.grad, cell.b.grad], map(torch.from_numpy, expected), EXACT)


@pytest.mark.parametrize("cell", [LSTM("none", gate_recurrence="all"), Leaky(LSTM(gate_recurrence="gates"), 0.5)], ids=repr)
def test_gates_that_are_fed_back_are_no_path_through_the_cell(cell):
    """1997: the net inputs of gates take what other cells and gates put out, and send no error back."""
    cell, batch = built(cell), packed((9,))
    y, _ = scan(cell, batch, grad_path="cell_only")
    state, outputs = cell.initial_state(1, like=batch.data), []
    for u in cell.project(batch.data).split(1):
        out, state = cell.step(u, state._replace(h=state.h.detach(), gates=state.gates.detach()))
        outputs.append(out)
    weights = list(cell.parameters())
    assert_same(*(torch.autograd.grad(v.square().sum(), weights) for v in (y.data, torch.cat(outputs))), EXACT)


def test_no_path_is_copy_back():
    """Elman (1990): the context is an input like any other."""
    cell, batch = built(Elman()), packed((9,))
    y, _ = scan(cell, batch, grad_path="none")
    y.data.square().sum().backward()
    context = torch.cat([torch.zeros(1, cell.hidden_size, dtype=torch.float64), y.data[:-1]]).detach()
    W, R, b = (w.detach().clone().requires_grad_() for w in (cell.W, cell.R, cell.b))
    torch.tanh(batch.data @ W.T + context @ R.T + b).square().sum().backward()
    assert_same([cell.W.grad, cell.R.grad, cell.b.grad], [W.grad, R.grad, b.grad], EXACT)


@pytest.mark.parametrize("path", ["cell_only", "none"])
@pytest.mark.parametrize("reverse", [False, True])
def test_the_path_of_the_gradient_does_not_change_values(path, reverse):
    cell, batch = built(LSTM()), packed()
    assert_same([scan(cell, batch, reverse=reverse, grad_path=path)[0].data], [scan(cell, batch, reverse=reverse)[0].data], EXACT)


@pytest.mark.parametrize("path", ["full", "cell_only", "none"])
def test_rules_pass_the_path_on(path):
    net, batch = network("mean"), packed()
    expected, _ = gradients_of(lambda net: loss(net(batch, grad_path=path)).backward(), net)
    for rule in (BPTT(path), TruncatedBPTT(7, grad_path=path)):
        assert_same(gradients_of(lambda net, rule=rule: rule.gradient(net, batch, loss), net)[0], expected, EXACT)


def test_bad_settings_of_rules_are_refused_by_name():
    for rule in (BPTT, TruncatedBPTT):
        with pytest.raises(ValueError, match=f"'grad_path' parameter of {rule.__name__} must be one of .*; got 'half'"):
            rule(grad_path="half")
    with pytest.raises(ValueError, match="'n_steps' parameter of TruncatedBPTT must be a whole number of at least 1; got 0"):
        TruncatedBPTT(0)
    with pytest.raises(ValueError, match="'stride' parameter of TruncatedBPTT must be a divisor of n_steps=10; got 3"):
        TruncatedBPTT(10, stride=3)
