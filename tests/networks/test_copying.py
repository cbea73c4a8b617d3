"""Writing and pointing: what the mixture says is what the papers say, and its gradient is right where tokens stand twice or nowhere."""

import numpy as np
import pytest
import torch

from skrnn import cells
from skrnn.data import as_sequences
from skrnn.engine import pack, unpack
from skrnn.frontends import TokenVectors
from skrnn.networks import Encoder, Pair, PointerGenerator, Recurrent, Seq2Seq, Tokens

V, H = 5, 4  # the vocabulary, and what a source has beside it: V, V + 1, …
SOURCES = [[3, 5, 4, 5], [4, 3], [5, 6, 7, 6, 5, 3], [5, 6, 5]]  # some known, all known, twice the same, all strange
TARGETS = [[5, 3, 2], [4, 2], [7, 5, 6, 6, 2], [6, 2]]
ALL = range(4)
WAYS = [
    {},
    {"cell": "lstm", "n_layers": 2, "coverage": True, "context": "both"},
    {"cell": "gru", "bidirectional": True, "attention": "dot"},
    {"cell": "elman", "attention": "general", "input_feeding": False},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def head(scale=1.0):
    made = PointerGenerator(H, torch.zeros(V)).double()
    draw = torch.Generator().manual_seed(0)
    for weight in made.parameters():
        torch.nn.init.normal_(weight, std=scale, generator=draw)
    return made


def put_out(rows=SOURCES, scale=1.0):
    """As of a cell that attends: y(t), weights, 0 behind the end of a source, and tokens."""
    draw, n = torch.Generator().manual_seed(1), max(map(len, rows))
    y = torch.randn(len(rows), H, generator=draw, dtype=torch.float64)
    scores = scale * torch.randn(len(rows), n, generator=draw, dtype=torch.float64)
    tokens = torch.tensor([[*row, *[0] * (n - len(row))] for row in rows], dtype=torch.float64)
    there = torch.tensor([[k < len(row) for k in range(n)] for row in rows])
    return y, torch.softmax(scores.masked_fill(~there, -torch.inf), -1), tokens


def network(*, cell="gru", bidirectional=False, n_layers=1, attention="bahdanau", seed=0, **settings):
    g = torch.Generator().manual_seed(seed)
    encoder = Encoder(Recurrent(cells.resolve(cell), 1, H, n_layers=n_layers, bidirectional=bidirectional, generator=g))
    fed = Tokens(TokenVectors(V, 3, g), 0)
    looking = {"attention": attention, "copy": True}
    net = Seq2Seq(encoder, cells.resolve(cell), H, torch.zeros(V), n_layers=n_layers, feedback=fed, generator=g, **looking, **settings)
    for weight in net.head.parameters():
        torch.nn.init.normal_(weight, generator=g)
    return net.double().eval()


def pair(rows=ALL, *, teacher=True):
    source = [np.c_[np.sin(SOURCES[i]), SOURCES[i]] for i in rows]
    told = pack(as_sequences([np.array(TARGETS[i], dtype=float)[:, None] for i in rows]), dtype=torch.float64)
    first = torch.ones(len(rows), 1, dtype=torch.float64)
    return Pair(pack(as_sequences(source), dtype=torch.float64), told._replace(data=told.data[:, :0]), first, told.data if teacher else None)


def parts(batch, rows):
    return list(unpack(batch.steps._replace(data=rows.detach())))


def test_the_equations_of_the_papers():
    made, (y, a, tokens) = head(), put_out()
    outputs = made(torch.cat([y, a, tokens], -1)).detach().numpy()
    p = {name: weight.detach().numpy() for name, weight in made.named_parameters()}
    for k, row in enumerate(SOURCES):
        z = p["vocabulary.W"] @ y[k].numpy() + p["vocabulary.b"]
        writes = 1 / (1 + np.exp(-(p["switch.W"] @ y[k].numpy() + p["switch.b"])[0]))
        expected = np.zeros(V + a.shape[1])
        expected[:V] = writes * np.exp(z) / np.exp(z).sum()
        for j, token in enumerate(row):
            expected[token] += (1 - writes) * float(a[k, j])
        np.testing.assert_allclose(np.exp(outputs[k]), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("scale", [1.0, 300.0])
def test_probabilities_sum_to_one(scale):
    outputs = head(scale)(torch.cat(put_out(scale=scale), -1))
    torch.testing.assert_close(outputs.exp().sum(-1), torch.ones(4, dtype=torch.float64), rtol=0, atol=1e-12)


def test_what_a_source_does_not_have_is_impossible():
    outputs = head()(torch.cat(put_out(), -1))
    possible = [[*range(V), *{token for token in row if token >= V}] for row in SOURCES]
    assert [torch.isfinite(row).nonzero()[:, 0].tolist() for row in outputs] == possible


def test_the_gradient():
    made, (y, a, tokens) = head(), put_out()

    def run(y, scores, *weights):
        return made(torch.cat([y, torch.softmax(scores.masked_fill(a == 0, -torch.inf), -1), tokens], -1)).masked_fill(~there, 0)

    there = torch.isfinite(made(torch.cat([y, a, tokens], -1)))
    scores = torch.where(a > 0, a.log(), 0)
    assert torch.autograd.gradcheck(run, [leaf.requires_grad_() for leaf in (y, scores, *made.parameters())])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_gradient_is_finite_where_probabilities_are_not_to_be_told_from_zero(dtype):
    """And it is there: what the network was sure of, and wrong, can be unlearned."""
    made = head(1000.0).to(dtype)
    y, a, tokens = (part.to(dtype) for part in put_out(scale=1000.0))
    y.requires_grad_()
    a.requires_grad_()
    outputs = made(torch.cat([y, a, tokens], -1))
    torch.nn.functional.cross_entropy(outputs, torch.tensor([4, 1, 7, 6])).backward()
    assert all(torch.isfinite(g).all() for g in (y.grad, a.grad, *(w.grad for w in made.parameters())))
    assert made.vocabulary.W.grad.any()


@every_way
def test_the_network_mixes_what_it_writes_and_what_it_looks_at(way):
    net, batch = network(**way), pair([2])
    got = net(batch).exp().detach().numpy()
    looked = torch.stack(net.attention_weights(batch))[:, 0].detach().numpy()
    np.testing.assert_allclose(got.sum(1), 1, rtol=0, atol=1e-12)
    copied = got[:, V:]  # what only copies have: their shares are those of the weights
    shares = np.stack([looked[:, [0, 4]].sum(1), looked[:, [1, 3]].sum(1), looked[:, 2]], 1)
    np.testing.assert_allclose(copied[:, :3] / copied.sum(1, keepdims=True), shares / shares.sum(1, keepdims=True), rtol=0, atol=1e-12)
    assert (copied[:, 3:] == 0).all()


@every_way
def test_company_does_not_matter_in_any_bit(way):
    net = network(**way)
    with torch.inference_mode():
        for run, taught in ((net, True), (net.free, False)):
            together = parts(batch := pair(teacher=taught), run(batch))
            turned = parts(batch := pair(ALL[::-1], teacher=taught), run(batch))[::-1]
            for i in ALL:
                (alone,) = parts(batch := pair([i], teacher=taught), run(batch))
                width = V + len(SOURCES[i])
                assert (together[i][:, width:] == -np.inf).all()
                np.testing.assert_array_equal(alone, together[i][:, :width])
                np.testing.assert_array_equal(turned[i], together[i])


@every_way
def test_all_ways_of_running_are_one(way):
    net, batch = network(**way), pair()
    step_by_step = torch.cat(net.write(batch, *net.start(batch), p=1.0)[0])
    torch.testing.assert_close(step_by_step, net(batch), rtol=0, atol=1e-12)
    free = net.free(pair(teacher=False))
    told = net(pair()._replace(teacher=free.argmax(1, keepdim=True).double()))
    torch.testing.assert_close(told, free, rtol=0, atol=1e-12)


def test_with_a_sure_teacher_all_steps_are_mixed_at_once(monkeypatch):
    net, batch, rows = network().train(), pair(), []
    mix = PointerGenerator.forward
    monkeypatch.setattr(PointerGenerator, "forward", lambda head, x: rows.append(len(x)) or mix(head, x))
    net(batch)
    assert rows == [sum(map(len, TARGETS))]


def test_a_copied_token_is_fed_back_as_the_one_that_stands_for_it():
    tokens = TokenVectors(V, 3, torch.Generator().manual_seed(0))
    ids = torch.tensor([[4.0], [V], [V + 7.0]])
    assert torch.equal(Tokens(tokens, 0).vectors(ids), tokens.W[[4, 0, 0]])


def test_the_gradient_of_the_network():
    net, batch = network(coverage=True), pair([0, 2])
    there = torch.isfinite(net(batch))
    assert torch.autograd.gradcheck(lambda *_: net(batch).masked_fill(~there, 0), list(net.parameters()), fast_mode=True)


def test_without_attention_nothing_points():
    with pytest.raises(ValueError, match=r"copy=True needs attention, .*; got attention=None"):
        network(attention=None)
