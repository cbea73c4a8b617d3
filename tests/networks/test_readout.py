import pytest
import torch
from torch.nn.utils.rnn import PackedSequence

from skrnn.cells import GRU
from skrnn.engine import TimeSlices
from skrnn.networks import POOLINGS, SequenceNetwork, _sequence
from skrnn.networks._readout import RecurrentConvolution, pooling
from tests.cell_settings import HIDDEN, assert_same, pack_all, packed, random, sequences, stacked, unpack_all

EXACT = 1e-12  # float64, relative
H = HIDDEN
every_pooling = pytest.mark.parametrize("name", POOLINGS)
both_directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
batches = pytest.mark.parametrize("lengths", [(4, 7, 1, 7, 3), (5, 5, 5), (6,)], ids=["ragged", "equal", "one"])


def pool_of(name):
    pool = pooling(name, H, torch.Generator().manual_seed(0)).double()
    for k, weight in enumerate(pool.parameters()):
        torch.nn.init.normal_(weight, generator=torch.Generator().manual_seed(k))
    return pool


def by_hand(name, pool, y, reverse):
    """The pooled vector of one sequence of outputs (n_steps, H)."""
    match name:
        case "last":
            return y[0] if reverse else y[-1]
        case "mean":
            return y.mean(0)
        case "max":
            return y.max(0).values
        case "attention":
            return torch.softmax(torch.tanh(y @ pool.A.T + pool.b) @ pool.v, 0) @ y
        case "hopfield":
            return torch.stack([torch.softmax(y @ xi / H**0.5, 0) @ y[:, j] for j, xi in enumerate(pool.xi)])


@every_pooling
@both_directions
@batches
def test_a_ragged_batch_is_pooled_sequence_by_sequence(name, reverse, lengths):
    pool, batch = pool_of(name), packed(lengths, H)
    got = pool(batch, reverse=reverse)[batch.unsorted_indices]
    assert_same(got, [by_hand(name, pool, y, reverse) for y in unpack_all(batch)], EXACT)


@every_pooling
@both_directions
@batches
@pytest.mark.parametrize("n_steps", [1, 2, 3, 7])
def test_pieces_pool_as_the_whole(name, reverse, lengths, n_steps):
    pool, batch = pool_of(name), packed(lengths, H)
    collected = pool.start(len(lengths), like=batch.data)
    for piece in TimeSlices(batch, n_steps, reverse=reverse):
        collected = pool.update(collected, piece, reverse=reverse)
    assert_same([pool.finish(collected)], [pool(batch, reverse=reverse)], EXACT)


@every_pooling
@batches
def test_outputs_that_do_not_change_are_pooled_to_themselves(name, lengths):
    """For attention: its weights sum to 1."""
    batch = packed(lengths, H)
    y = random(H)
    pooled = pool_of(name)(batch._replace(data=y.expand_as(batch.data)))
    assert_same([pooled], [y.expand(len(lengths), H)], EXACT)


@pytest.mark.parametrize(("name", "weight"), [("attention", "v"), ("hopfield", "xi")])
def test_attention_takes_scores_of_any_size(name, weight):
    pool, batch = pool_of(name), packed((5, 3), H)
    with torch.no_grad():
        getattr(pool, weight).mul_(1e4)  # exp(1e4) overflows
    assert_same(pool(batch), [by_hand(name, pool, y, False) for y in unpack_all(batch)], EXACT)


@every_pooling
def test_gradients_of_a_pooling(name):
    pool, batch = pool_of(name), packed((4, 2, 3), H)

    def pooled(data, *_):
        return pool(PackedSequence(data, batch.batch_sizes))

    assert torch.autograd.gradcheck(pooled, (batch.data.requires_grad_(), *pool.parameters()))


def test_an_unknown_pooling_is_refused():
    with pytest.raises(ValueError, match=r"pooling must be one of \['last', 'mean', 'max', 'attention', 'hopfield'\]; got 'median'"):
        pooling("median", H, None)


# -- recurrent convolution -----------------------------------------------------------------------------------------------------------------------


@batches
@pytest.mark.parametrize("n_directions", [1, 2])
def test_a_recurrent_convolution_sees_each_step_between_its_neighbours(n_directions, lengths):
    pool = RecurrentConvolution(3, H, n_directions, torch.Generator().manual_seed(0)).double()
    seen, before, after = packed(lengths, 3), packed(lengths, H, seed=1), packed(lengths, H, seed=2)
    got = pool([before, after][:n_directions], seen)[seen.unsorted_indices]
    for k, (x, h, g) in enumerate(zip(*map(unpack_all, (seen, before, after)), strict=True)):
        zero = h.new_zeros(1, H)
        sums = x @ pool.W_e.T + pool.b + torch.cat([zero, h[:-1]]) @ pool.W_c[0].T
        if n_directions == 2:
            sums = sums + torch.cat([g[1:], zero]) @ pool.W_c[1].T
        assert_same([got[k]], [torch.tanh(sums).amax(0)], EXACT)


def test_gradients_of_a_recurrent_convolution():
    pool, seen, outputs = RecurrentConvolution(2, H, 2, torch.Generator().manual_seed(0)).double(), packed((4, 2, 3), 2), packed((4, 2, 3), H, seed=1)

    def pooled(x, h, *_):
        both = PackedSequence(h, outputs.batch_sizes)
        return pool([both, both], PackedSequence(x, seen.batch_sizes))

    assert torch.autograd.gradcheck(pooled, (seen.data.requires_grad_(), outputs.data.requires_grad_(), *pool.parameters()))


# -- the network around the readout --------------------------------------------------------------------------------------------------------------


def network(name, **settings):
    net = SequenceNetwork(stacked(GRU(), **settings), name, torch.tensor([1.0, -2.0])).double().eval()
    torch.nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(1))
    return net


@every_pooling
@pytest.mark.parametrize("settings", [{}, {"bidirectional": True}, {"n_layers": 2, "bidirectional": True}], ids=str)
def test_features_and_outputs_stand_in_the_order_of_the_sequences(name, settings, monkeypatch):
    net, xs = network(name, **settings), sequences()
    outputs, features = net(pack_all(xs)), net.features(pack_all(xs))
    assert features.shape == (5, net.recurrent.output_size)
    assert_same([net.head(features)], [outputs], EXACT)
    assert_same(outputs, [net(pack_all([x]))[0] for x in xs], EXACT)
    monkeypatch.setattr(_sequence, "PIECE", 2)
    assert_same([net.features(pack_all(xs))], [features], EXACT)


def test_a_network_starts_from_its_constant():
    bias = torch.tensor([1.0, -2.0])
    net = SequenceNetwork(stacked(GRU(), dtype=torch.float32), "mean", bias)
    assert torch.equal(net(packed(dtype=torch.float32)), bias.expand(5, 2))
