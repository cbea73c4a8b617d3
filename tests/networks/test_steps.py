import pytest
import torch

from skrnn.cells import GRU, LSTM
from skrnn.engine import BPTT, TruncatedBPTT
from skrnn.networks import StepNetwork
from skrnn.networks import _steps as module
from tests.cell_settings import assert_same, pack_all, packed, random, sequences, stacked, unpack_all

EXACT = 1e-12  # float64, relative
STACKS = {"one way": {}, "both ways": {"bidirectional": True}, "two layers": {"n_layers": 2}}
every_stack = pytest.mark.parametrize("stack", STACKS)


def network(cell=None, **settings):
    """A network whose head is not at its start of zero."""
    net = StepNetwork(stacked(cell or LSTM(), **settings), torch.zeros(2)).double()
    torch.nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
    torch.nn.init.normal_(net.head.b, generator=torch.Generator().manual_seed(6))
    return net


def loss(outputs):
    return (outputs - random(*outputs.shape, seed=8)).square().sum()


def gradients_of(net, batch, rule):
    net.zero_grad()
    rule.gradient(net, batch, loss)
    return [w.grad.clone() for w in net.parameters()]


@every_stack
def test_a_ragged_batch_equals_its_sequences_one_by_one(stack):
    net, xs = network(**STACKS[stack]), sequences()
    batch = pack_all(xs)
    together = unpack_all(batch._replace(data=net(batch)))
    for x, y in zip(xs, together, strict=True):
        assert_same([net(pack_all([x]))], [y], EXACT)


@every_stack
def test_pieces_give_the_outputs_of_the_whole(stack, monkeypatch):
    monkeypatch.setattr(module, "PIECE", 3)
    net, batch = network(**STACKS[stack]), packed()
    assert_same([net.outputs(batch)[0]], [net(batch)], EXACT)


def test_outputs_go_on_from_a_state():
    net, xs = network(n_layers=2), sequences((7, 6, 6))
    first, states = net.outputs(pack_all([x[:3] for x in xs]))
    second, _ = net.outputs(pack_all([x[3:] for x in xs]), states)
    assert_same([torch.cat([first, second])], [net(pack_all(xs))], EXACT)


@every_stack
@pytest.mark.parametrize("n_steps", [1, 3, 7])
def test_truncation_equals_scans_with_cut_states(stack, n_steps):
    net, batch = network(**STACKS[stack]), packed()
    got = gradients_of(net, batch, TruncatedBPTT(n_steps))
    net.zero_grad()
    loss(net(batch, n_steps)).backward()
    assert_same(got, [w.grad for w in net.parameters()], EXACT)


@pytest.mark.parametrize(("n_steps", "stride"), [(2, 1), (4, 2), (3, 1), (6, 2)])
def test_every_output_sees_as_far_back_as_the_truncation_says(n_steps, stride):
    """k1 = stride, k2 = n_steps: the outputs of each piece from a run that begins n_steps before the piece's end, with the state cut there."""
    net, batch = network(GRU()), packed((9, 9, 9))
    outputs = net(batch).detach()
    expected = [torch.zeros_like(w) for w in net.parameters()]
    for end in range(stride, 9 + stride, stride):
        first = max(end - n_steps, 0)
        states = net.recurrent.start(batch)
        if first:
            _, states = net.recurrent.advance([batch._replace(data=batch.data[: 3 * first], batch_sizes=batch.batch_sizes[:first])], states)
        states = tuple(tuple(s.detach() for s in d) for d in states)
        last = min(end, 9)
        part = batch._replace(data=batch.data[3 * first : 3 * last], batch_sizes=batch.batch_sizes[first:last])
        rows = net.advance([part], (states, ()))[1][0] + net.head.b
        begin = 3 * (end - stride)
        whole = torch.cat([outputs[:begin], rows[begin - 3 * first :], outputs[3 * last :]])
        expected = [e + g for e, g in zip(expected, torch.autograd.grad(loss(whole), list(net.parameters())), strict=True)]
    assert_same(gradients_of(net, batch, TruncatedBPTT(n_steps, stride)), expected, EXACT)


@every_stack
def test_a_stride_does_not_change_the_gradient_of_short_sequences(stack):
    net, batch = network(**STACKS[stack]), packed()
    assert_same(gradients_of(net, batch, TruncatedBPTT(8, 2)), gradients_of(net, batch, BPTT()), EXACT)


def test_a_stride_needs_a_network_that_runs_piece_after_piece():
    net = network(n_layers=2, bidirectional=True)
    with pytest.raises(ValueError, match="stride=1 below n_steps=2 needs a network that runs piece after piece"):
        TruncatedBPTT(2, 1).gradient(net, packed(), loss)
