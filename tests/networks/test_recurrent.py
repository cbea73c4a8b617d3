import copy
import pickle

import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman
from skrnn.networks._recurrent import Dropout
from tests.cell_settings import HIDDEN, assert_same, pack_all, packed, sequences, stacked, unpack_all

EXACT = 1e-12  # float64, relative
shapes = pytest.mark.parametrize(("n_layers", "bidirectional"), [(1, False), (1, True), (3, False), (3, True)])


@shapes
def test_there_is_a_batch_of_outputs_for_each_direction(n_layers, bidirectional):
    net, batch = stacked(GRU(), n_layers=n_layers, bidirectional=bidirectional), packed()
    outputs = net(batch)
    assert len(outputs) == 1 + bidirectional
    assert net.output_size == HIDDEN * len(outputs)
    for out in outputs:
        assert out.data.shape == (len(batch.data), HIDDEN)
        assert torch.equal(out.batch_sizes, batch.batch_sizes)


@shapes
def test_sequences_of_a_batch_do_not_see_each_other(n_layers, bidirectional):
    net, xs = stacked(LSTM(), n_layers=n_layers, bidirectional=bidirectional), sequences()
    together = [unpack_all(out) for out in net(pack_all(xs))]
    for i, x in enumerate(xs):
        assert_same([out.data for out in net(pack_all([x]))], [direction[i] for direction in together], EXACT)


@pytest.mark.parametrize("settings", [{}, {"bidirectional": True}, {"n_layers": 3}], ids=str)
def test_a_stream_of_pieces_gives_the_outputs_of_the_whole(settings):
    net, batch = stacked(LSTM(), **settings), packed((7, 6, 6, 2))
    states, got = net.start(batch), []
    for piece in zip(*net.pieces(batch, 3), strict=True):
        outputs, states = net.advance(piece, states)
        got.append([out.data for out in outputs])
    directions = [torch.cat(parts[::-1] if d else parts) for d, parts in enumerate(zip(*got, strict=True))]
    assert_same(directions, [out.data for out in net(batch)], EXACT)


def test_both_directions_of_an_upper_layer_keep_a_stack_from_streaming():
    streams = {(n, both): stacked(Elman(), n_layers=n, bidirectional=both).streams for n in (1, 2) for both in (False, True)}
    assert streams == {(1, False): True, (1, True): True, (2, False): True, (2, True): False}


def test_every_layer_and_direction_has_weights_of_its_own():
    cell = GRU()
    net = stacked(cell, n_layers=2, bidirectional=True)
    starts = [tuple(c.R.flatten().tolist()) for layer in net.layers for c in layer]
    assert len(set(starts)) == 4
    assert not list(cell.parameters())


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))], ids=["deepcopy", "pickle"])
def test_a_copy_computes_the_same_bits(copied):
    net, batch = stacked(GRU(layer_norm=True), n_layers=2, bidirectional=True), packed()
    assert all(torch.equal(a.data, b.data) for a, b in zip(copied(net)(batch), net(batch), strict=True))


# -- dropout -------------------------------------------------------------------------------------------------------------------------------------


def test_dropout_acts_in_training_only():
    net, plain = (stacked(GRU(), n_layers=2, dropout=rate) for rate in (0.5, 0.0))
    batch = packed()
    assert torch.equal(net.eval()(batch)[0].data, plain(batch)[0].data)
    assert not torch.equal(net.train()(batch)[0].data, plain(batch)[0].data)


def test_dropout_acts_between_layers_only():
    net, batch = stacked(GRU(), n_layers=1, dropout=0.5).train(), packed()
    assert torch.equal(net(batch)[0].data, net.eval()(batch)[0].data)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_keeps_the_expectation(rate):
    drop = Dropout(rate).draw_from(torch.Generator().manual_seed(0)).train()
    y = drop(torch.ones(100_000))
    assert y.unique().tolist() == pytest.approx([0.0, 1 / (1 - rate)])
    assert abs(float(y.mean()) - 1) < 5 * (rate / (1 - rate) / 100_000) ** 0.5  # five standard deviations


def test_dropout_draws_from_the_generator_of_the_network():
    net, batch = stacked(GRU(), n_layers=2, dropout=0.5).train(), packed()
    before = torch.get_rng_state()
    first, second, again = (net.draw_from(torch.Generator().manual_seed(s))(batch)[0].data for s in (1, 2, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
