"""A closed loop is a scan: what runs on its own output is compiled, and equals the loop over its steps."""

import gc

import pytest
import torch

from skrnn import cells
from skrnn.engine import LinearTeaching, generating
from skrnn.frontends import TokenVectors
from skrnn.networks import Encoder, Recurrent, Seq2Seq, Tokens
from skrnn.networks import _self_feeding as module
from tests.networks.test_seq2seq import network, pair

WAYS = [
    {"cell": "lstm", "bidirectional": True, "context": "both"},
    {"cell": "gru", "n_layers": 2, "context": "every"},
    {"cell": "elman", "n_known": 0},
    {"cell": "lstm", "n_layers": 2, "dropout": 0.3},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def batch_of(net, way):
    return pair(n_known=way.get("n_known", 1))


@pytest.fixture
def compiled_only(monkeypatch):
    def refused(*args):
        raise AssertionError("it runs step by step")

    monkeypatch.setattr("skrnn.engine._scan.run_steps", refused)


@every_way
def test_predictions_are_compiled_and_equal_the_loop(way, compiled_only):
    net = network(**way)
    batch = batch_of(net, way)
    with torch.no_grad():
        one_by_one = torch.cat(net.write(batch, *net.start(batch))[0])
        torch.testing.assert_close(net.free(batch), one_by_one, rtol=0, atol=1e-12)


@every_way
def test_gradients_are_those_of_the_steps(way):
    net = network(**way)
    batch, found = batch_of(net, way)._replace(teacher=None), []
    for compiled in (True, False):
        net.zero_grad()
        with generating(compiled):
            net(batch).square().sum().backward()
        found.append([w.grad.clone() for w in net.parameters() if w.grad is not None])
    assert len(found[0]) == len(list(net.parameters()))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-11)


def test_a_teacher_is_asked_as_often_as_it_should_and_feeds_back_the_truth():
    net, batch = network(teacher_forcing=LinearTeaching(0.5, 0.0)), pair()
    runs = []
    for compiled in (True, False):
        net.draw_from(torch.Generator().manual_seed(3))
        with generating(compiled):
            runs.append(net.train()(batch).detach())
    torch.testing.assert_close(*runs, rtol=0, atol=1e-12)
    free, taught = (net.eval()(batch._replace(teacher=t)).detach() for t in (None, batch.teacher))
    assert not torch.allclose(runs[0], free)
    assert not torch.allclose(runs[0], taught)


def test_tokens_are_chosen_and_looked_up_in_the_program(compiled_only):
    g = torch.Generator().manual_seed(0)
    encoder = Encoder(Recurrent(cells.GRU(), 3, 4, generator=g))
    net = Seq2Seq(encoder, cells.LSTM(), 4, torch.zeros(7), feedback=Tokens(TokenVectors(7, 5, g)), generator=g).double().eval()
    torch.nn.init.normal_(net.head.W, generator=g)
    batch = pair(n_known=0)._replace(first=torch.arange(5.0, dtype=torch.float64)[:, None])
    with torch.no_grad():
        torch.testing.assert_close(net.free(batch), torch.cat(net.write(batch, *net.start(batch))[0]), rtol=0, atol=1e-12)


def test_what_is_compiled_does_not_keep_a_network_alive():
    net = network()
    net.free(pair())
    assert net in module._loops
    n = len(module._loops)
    del net
    gc.collect()
    assert len(module._loops) < n
