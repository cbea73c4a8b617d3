"""Networks that tell the next token: streams, gradients, what is looked up, and softmaxes."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from skrnn import cells
from skrnn.data import Corpus
from skrnn.engine import BPTT, Stream
from skrnn.frontends import TokenVectors
from skrnn.networks import AdaptiveNextToken, LanguageNetwork, NextToken, Recurrent
from skrnn.networks import _language as module
from skrnn.training import CrossEntropy, Likelihood, Passages

N_TOKENS = 7
IDS = np.random.default_rng(0).integers(0, N_TOKENS, 60)
EXACT = 1e-12  # float64, relative


def network(cell="lstm", n_layers=1, size=5, tied=False, **settings):
    g = torch.Generator().manual_seed(0)
    layers = Recurrent(cells.resolve(cell), size, size, n_layers=n_layers, generator=g)
    head = NextToken(size, torch.zeros(N_TOKENS), tied=tied)
    net = LanguageNetwork(layers, head, TokenVectors(N_TOKENS + 1, size, g), tied=tied, **settings).double()
    if not tied:
        nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
    return net


def corpus(*lengths, end=None):
    offsets = np.concatenate([[0], np.cumsum(lengths or (len(IDS),))])
    return Corpus(IDS[: offsets[-1]], offsets, np.full(len(offsets) - 1, N_TOKENS), end=end)


def passages(texts, n_steps=None, n_streams=None, states=None):
    return Passages(texts, (torch.float64, torch.device("cpu")), N_TOKENS, n_steps, n_streams, states)


def summed(objective, target, outputs):
    return objective.losses(outputs, target).sum() / len(IDS)


def gradients(net, source):
    """Of the mean loss of all tokens, from piece to piece."""
    net.zero_grad()
    objective = Likelihood(CrossEntropy(N_TOKENS), torch.zeros(N_TOKENS))
    for index in source.chunks():
        passage = source.packed(index)
        BPTT().gradient(net, passage, partial(summed, objective, passage.target))
    return [w.grad.clone() for w in net.parameters() if w.grad is not None]


def by_steps(net, cuts=()):
    """The same, step by step by hand; states are detached at the cuts."""
    net.zero_grad()
    state, total = net.start(1), torch.zeros((), dtype=torch.float64)
    inputs = [N_TOKENS, *IDS[:-1].tolist()]
    (states,) = state
    for k, (before, token) in enumerate(zip(inputs, IDS.tolist(), strict=True)):
        if k in cuts:
            states = cells.map_state(torch.Tensor.detach, states)
        x, now = net.vectors.W[[before]], []
        for layer, s in zip(net.recurrent.layers, states, strict=True):
            x, s = layer[0].step(layer[0].project(x), s)
            now.append(s)
        states = tuple(now)
        W = net.head.W if net.weights is None else net.weights
        total = total - torch.log_softmax(x @ W.T + net.head.b, -1)[0, token]
    (total / len(IDS)).backward()
    return [w.grad.clone() for w in net.parameters() if w.grad is not None]


def assert_same(got, expected):
    for a, b in zip(got, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("settings", [{}, {"cell": "gru", "n_layers": 2}, {"cell": "lru"}, {"tied": True}], ids=str)
def test_one_piece_is_back_propagation_through_all_of_time(settings):
    net = network(**settings)
    assert_same(gradients(net, passages(corpus(), len(IDS), 1)), by_steps(net))


@pytest.mark.parametrize("n_steps", [1, 7, 30])
def test_the_gradient_stops_where_a_piece_begins_and_the_state_goes_on(n_steps):
    net = network(n_layers=2)
    assert_same(gradients(net, passages(corpus(), n_steps, 1)), by_steps(net, range(0, len(IDS), n_steps)))


def told(net, source):
    """Log-likelihoods of all tokens, in the order of the corpus."""
    net.eval()
    rows = np.full(len(source.arrangement), np.nan)
    with torch.no_grad():
        for index in source.chunks():
            rows[source.rows(index)] = net(source.packed(index)).numpy()
    return rows


@pytest.mark.parametrize("cell", ["lstm", "gru", "elman", "lmu"])
@pytest.mark.parametrize("n_steps", [1, 3, 8, 60])
def test_what_is_told_does_not_depend_on_the_pieces(cell, n_steps):
    net, texts = network(cell), corpus(25, 1, 30, 4, end=2)
    whole = told(net, passages(texts))
    np.testing.assert_array_equal(told(net, passages(texts, n_steps)), whole)
    np.testing.assert_array_equal(told(net, passages(texts, n_steps, 1)), whole)  # a stream of all texts, each of which begins anew


def test_a_stream_that_begins_in_a_text_knows_nothing_of_what_came_before():
    net = network()
    source = passages(corpus(), 3, 2)
    assert len(source._groups[0]) == 2
    whole, cut = told(net, passages(corpus())), told(net, source)
    np.testing.assert_array_equal(cut[:30], whole[:30])
    assert (cut[30:33] != whole[30:33]).any()


def test_a_given_state_goes_on():
    net = network()
    first = passages(Corpus(IDS[:20], np.array([0, 20]), np.array([N_TOKENS])))
    said = told(net, first)
    ((_, stream),) = first.groups()
    rest = told(net, passages(Corpus(IDS[20:], np.array([0, 40]), IDS[19:20]), states=stream.states))
    np.testing.assert_array_equal(np.concatenate([said, rest]), told(net, passages(corpus())))


@pytest.mark.parametrize("name", [name for name in cells.__all__ if name not in ("Reservoir", "Spiking")])
def test_what_is_looked_up_is_what_is_projected(name, monkeypatch):
    """Values and gradients, of every cell."""
    net, source = network(name.lower(), size=6), passages(corpus(25, 35), 60, 1)
    looked_up = gradients(net.eval(), source)
    used = module._looking_up(net.recurrent, net.head.b) is not None
    monkeypatch.setattr(module, "_looking_up", lambda recurrent, like: None)
    projected = gradients(net, source)
    assert used or name in ("BatchNorm", "Clockwork", "Residual", "VariationalDropout")
    for a, b in zip(looked_up, projected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-11)


def test_dropped_tokens_and_features_are_drawn_from_the_generator_while_training():
    net = network(embedding_dropout=0.5, dropout=0.5)
    source = passages(corpus(), 60, 1)

    def said(seed):
        net.draw_from(torch.Generator().manual_seed(seed))
        next(iter(source.chunks()))
        return net(source.packed(np.array([0]))).detach()

    net.train()
    assert torch.equal(said(1), said(1))
    assert not torch.equal(said(1), said(2))
    net.eval()
    assert torch.equal(said(1), said(2))


def test_the_adaptive_softmax_is_that_of_torch():
    n, size, cutoffs = 50, 16, [5, 20]
    torchs = nn.AdaptiveLogSoftmaxWithLoss(size, n, cutoffs, div_value=4.0, head_bias=True).double()
    ours = AdaptiveNextToken(size, torch.zeros(n), cutoffs, torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        ours.W.copy_(torchs.head.weight)
        ours.b.copy_(torchs.head.bias)
        for cluster, (P, T) in zip(ours.clusters, torchs.tail, strict=True):
            cluster.P.copy_(P.weight)
            cluster.T.copy_(T.weight)
            cluster.b.zero_()
    rng = torch.Generator().manual_seed(1)
    y, target = torch.randn(40, size, generator=rng, dtype=torch.float64), torch.randint(0, n, (40,), generator=rng)
    torch.testing.assert_close(ours.log_likelihoods(y, target), torchs(y, target).output, rtol=EXACT, atol=EXACT)
    torch.testing.assert_close(ours.log_probabilities(y), torchs.log_prob(y), rtol=EXACT, atol=EXACT)


def test_an_adaptive_softmax_begins_with_how_often_tokens_come():
    shares = torch.linspace(1, 0.01, 30).double()
    shares /= shares.sum()
    head = AdaptiveNextToken(8, shares.log(), [3, 15], torch.Generator().manual_seed(0)).double()
    y = torch.randn(2, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(head.log_probabilities(y).exp(), shares.expand(2, -1), rtol=1e-6, atol=1e-9)


def test_a_stream_holds_no_gradient():
    net, source = network(), passages(corpus(), 20, 1)
    gradients(net, source)
    ((_, stream),) = source.groups()
    assert isinstance(stream, Stream)
    assert not any(leaf.requires_grad for leaf in cells.flat(stream.states))
