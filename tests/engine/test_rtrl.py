import pytest
import torch

from skrnn.cells import GRU, LSTM, BatchNorm, Elman, Leaky
from skrnn.engine import BPTT, RTRL
from skrnn.networks import POOLINGS, SequenceNetwork, StepNetwork
from tests.cell_settings import assert_same, packed, random, stacked

EXACT = 1e-10  # float64, relative


def loss(outputs):
    return (outputs - random(*outputs.shape, seed=8)).square().sum()


def network(cell, pooling, **settings):
    recurrent = stacked(cell, **settings)
    net = StepNetwork(recurrent, torch.zeros(2)) if pooling == "steps" else SequenceNetwork(recurrent, pooling, torch.zeros(2))
    torch.nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
    return net.double().eval()


def gradients_of(net, rule, batch=None):
    net.zero_grad()
    rule.gradient(net, packed() if batch is None else batch, loss)
    return [w.grad.clone() for w in net.parameters()]


@pytest.mark.parametrize("settings", [{}, {"bidirectional": True}, {"n_layers": 2}], ids=str)
@pytest.mark.parametrize("pooling", [*POOLINGS, "steps"])
def test_it_is_the_gradient_of_bptt_in_every_stack(pooling, settings):
    net = network(LSTM(), pooling, **settings)
    assert_same(gradients_of(net, RTRL()), gradients_of(net, BPTT()), EXACT)


def test_it_adds_to_the_gradient_and_returns_the_loss():
    net, batch = network(GRU(), "max"), packed()
    once = gradients_of(net, RTRL(), batch)
    value = RTRL().gradient(net, batch, loss)
    assert_same([w.grad for w in net.parameters()], [2 * g for g in once], EXACT)
    assert not value.requires_grad
    assert_same([value], [loss(net(batch))], EXACT)


def cosine(a, b):
    a, b = (torch.cat([g.flatten() for g in gradients]) for gradients in (a, b))
    return float(a @ b / (a.norm() * b.norm()))


@pytest.mark.parametrize("cell", [Elman(), LSTM(), GRU()], ids=repr)
def test_snap_comes_closer_with_its_order(cell):
    """SnAp-1 leaves out what a weight does to other units; with one order more every unit of a full recurrence is reached."""
    net = network(cell, "last")
    exact = gradients_of(net, BPTT())
    first, second = (gradients_of(net, RTRL(order)) for order in (1, 2))
    assert 0.5 < cosine(first, exact) < 1 - 1e-6
    assert_same(second, exact, EXACT)


def test_snap_1_of_an_elman_net_is_its_equation():
    """j_i(t) = f'_i (R_ii j_i(t-1) + z_i(t)) for every weight into unit i (Menick et al., 2021)."""
    net, batch = network(Elman(), "last"), packed((6,))
    cell = net.recurrent.layers[0][0]
    got = gradients_of(net, RTRL(1), batch)
    W, R, b = (w.detach() for w in (cell.W, cell.R, cell.b))
    h, jW, jR, jb = torch.zeros_like(b), *(torch.zeros_like(w) for w in (W, R, b))
    for x in batch.data:
        new = torch.tanh(W @ x + R @ h + b)
        slope, own = 1 - new**2, R.diagonal()
        jW, jR, jb = (slope[:, None] * (own[:, None] * jW + x), slope[:, None] * (own[:, None] * jR + h), slope * (own * jb + 1))
        h = new
    out = net.head(h[None])
    dh = 2 * (out - random(*out.shape, seed=8))[0].detach() @ net.head.W.detach()
    expected = {"W": dh[:, None] * jW, "R": dh[:, None] * jR, "b": dh * jb}
    found = dict(zip([name.rpartition(".")[2] for name, _ in cell.named_parameters()], got, strict=False))
    assert_same([found[name] for name in "WRb"], [expected[name] for name in "WRb"], EXACT)


def test_more_than_64_units_are_refused_with_the_reason():
    net = SequenceNetwork(stacked(Elman()), "last", torch.zeros(1)).double()
    net.recurrent.layers[0][0].hidden_size = 65
    with pytest.raises(ValueError, match=r"RTRL costs O\(H⁴\) a step: it is refused above 64 units, and there are 65"):
        RTRL().gradient(net, packed(), loss)


def test_steps_that_are_random_are_refused():
    net = SequenceNetwork(stacked(Elman(), n_layers=2, dropout=0.5), "last", torch.zeros(2)).double().train()
    with pytest.raises(ValueError, match="RTRL needs steps that are not random while training"):
        RTRL().gradient(net, packed(), loss)


def test_sequences_that_influence_each_other_are_refused_while_training():
    net = network(Leaky(BatchNorm(LSTM())), "max").train()
    with pytest.raises(ValueError, match="RTRL follows each sequence by itself, but BatchNorm couples the sequences of a batch"):
        gradients_of(net, RTRL())


def test_a_bad_order_is_refused():
    with pytest.raises(ValueError, match="'order' parameter of RTRL must be a whole number of at least 1, or None; got 0"):
        RTRL(0)
