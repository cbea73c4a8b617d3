"""Fixed layers side by side."""

import copy

import pytest
import torch
from torch.nn.utils.rnn import pack_sequence

from skrnn.cells import GRU, LSTM, Leaky, Reservoir
from skrnn.engine import scan
from skrnn.networks import Reservoirs

LENGTHS = (9, 7, 7, 2)
CELLS = {
    "one": [[Reservoir(leak_rate=0.4)]],
    "deep": [[Reservoir(), Reservoir(leak_rate=0.3), GRU()]],
    "side by side": [[Reservoir(), LSTM()], [Leaky(), Reservoir(spectral_radius=0.5)]],
}
all_cells = pytest.mark.parametrize("cells", CELLS.values(), ids=CELLS)


def build(cells, **settings):
    return Reservoirs(cells, 3, 8, generator=torch.Generator().manual_seed(0), **settings).double()


def packed():
    generator = torch.Generator().manual_seed(1)
    return pack_sequence([torch.randn(n, 3, generator=generator, dtype=torch.float64) for n in LENGTHS])


def flat(state):
    return [state] if torch.is_tensor(state) else [leaf for part in state for leaf in flat(part)]


@all_cells
def test_features_are_the_input_and_the_states_of_all_layers(cells):
    network, x = build(cells), packed()
    features, _ = network(x, network.start(4))
    expected = [x.data]
    for layers in network.groups:
        part = x
        for cell in layers:
            part, _ = scan(cell, part)
            expected.append(part.data)
    torch.testing.assert_close(features, torch.cat(expected, 1), rtol=0, atol=1e-12)
    assert features.shape[1] == network.output_size
    without = build(cells, include_input=False)
    assert torch.equal(without(x, without.start(4))[0], features[:, 3:])


@all_cells
@pytest.mark.parametrize("block", [1, 8, 11, 1000])
def test_blocks_are_one_run(cells, block, monkeypatch):
    network, x = build(cells), packed()
    monkeypatch.setattr("skrnn.networks._reservoirs._NUMBERS", block * network.output_size)
    whole, last = network(x, network.start(4))
    parts, ends = zip(*network.blocks(x, network.start(4)), strict=True)
    assert (len(parts) == 1) == (block == 1000)
    torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=1e-12)
    for got, expected in zip(flat(ends[-1]), flat(last), strict=True):
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-12)


def test_the_recipes_are_not_built_and_nothing_is_trained():
    cell = GRU()
    network = build([[cell], [cell]])
    assert not list(cell.parameters())
    assert not any(w.requires_grad for w in network.parameters())
    assert not torch.equal(network.groups[0][0].W, network.groups[1][0].W)  # two draws
    assert not network.training


def test_the_seed_decides():
    one, same, other = (Reservoirs([[Reservoir()]], 3, 8, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(one.groups[0][0].R, same.groups[0][0].R)
    assert not torch.equal(one.groups[0][0].R, other.groups[0][0].R)
    torch.testing.assert_close(
        copy.deepcopy(one)(packed()._replace(data=packed().data.float()), one.start(4))[0].isfinite().all(), torch.tensor(True)
    )


def test_forgetting_is_that_of_the_spectral_radius():
    """A linear reservoir forgets its start by the spectral radius with every step, whatever it sees."""
    network = build([[Reservoir(activation="identity", spectral_radius=0.7, topology="orthogonal")]])
    x = pack_sequence([packed().data[:20]])
    left = network.forgetting(x, 3, torch.Generator().manual_seed(0))
    torch.testing.assert_close(left, 0.7 ** torch.arange(20, dtype=torch.float64), rtol=1e-6, atol=0)


def test_forgetting_of_a_state_that_counts_steps():
    network = build([[LSTM()], [Reservoir()]])
    left = network.forgetting(pack_sequence([packed().data[:20]]), 3, torch.Generator().manual_seed(0))
    assert left[0] == 1
    assert left[-1] < left[5] < 1
