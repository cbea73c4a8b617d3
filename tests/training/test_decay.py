"""The L2 penalty: of which weights, and how strong."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LRU, LSTM, CfC, Elman, IndRNN, Jordan, Leaky
from skrnn.data import as_sequences
from skrnn.engine import BPTT, Rule
from skrnn.networks import Encoder, Recurrent, Seq2Seq, SequenceNetwork, StepNetwork
from skrnn.training import OPTIMIZERS, Batches, Data, SquaredError, Trainer
from skrnn.training._decay import decayed
from tests.cell_settings import CELLS, assert_same, built, random

EXACT = 1e-12  # float64, relative
LENGTHS = np.array([3, 1, 4, 4])
WEIGHT = np.array([2.0, 0.0, 1.0, 3.0])


def names_of_decayed(module):
    kept = {id(p) for p in decayed(module)}
    return {name for name, p in module.named_parameters() if id(p) in kept}


# -- of which weights ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "expected", "others"),
    [
        (LSTM(peephole=True, gate_recurrence="all"), {"W", "R", "p", "Q"}, {"b"}),
        (GRU(layer_norm=True), {"W", "R"}, {"b", "b_hn", "norms.0.gain"}),
        (IndRNN(), {"W", "R"}, {"b"}),
        (Jordan(), {"W", "R", "V"}, {"b", "d"}),
        (LRU(), {"B", "C", "D"}, {"nu", "theta", "gamma"}),
        (CfC("pure"), {"W", "R", "layers.0.W"}, {"b", "A", "w_tau"}),
        (Leaky(Elman(), 0.5, trainable=True), {"cell_.W", "cell_.R"}, {"cell_.b", "b_a"}),
    ],
    ids=lambda value: repr(value) if not isinstance(value, set) else "",
)
def test_weights_decay_but_not_biases_gains_and_levels(cell, expected, others):
    cell = built(cell)
    assert names_of_decayed(cell) == expected
    assert others <= {name for name, _ in cell.named_parameters()}


@pytest.mark.parametrize("cell", CELLS)
def test_every_matrix_decays(cell):
    cell = built(cell)
    assert {name for name, p in cell.named_parameters() if p.ndim > 1} <= names_of_decayed(cell)


def test_networks():
    generator = torch.Generator().manual_seed(0)
    pooled = SequenceNetwork(Recurrent(LSTM(), 3, 4, generator=generator), "attention", torch.zeros(2))
    assert {"pools.0.A", "pools.0.v", "head.W"} <= names_of_decayed(pooled)
    assert not {"pools.0.b", "head.b"} & names_of_decayed(pooled)
    writing = Seq2Seq(Encoder(Recurrent(LSTM(), 3, 4, bidirectional=True)), LSTM(), 4, torch.zeros(2), attention="bahdanau")
    assert {"bridges.0.V.0", "bridges.0.V.1", "head.W"} <= names_of_decayed(writing)
    assert not {"bridges.0.b.0", "bridges.0.b.1", "head.b"} & names_of_decayed(writing)


# -- how strong ----------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WithL2(Rule):
    """The gradient of the loss and of alpha / (2 n) Σ w², by autograd."""

    strength: float

    def gradient(self, network, packed, loss, stream=None):
        value = BPTT().gradient(network, packed, loss)
        penalty = sum(w.square().sum() for name, w in network.named_parameters() if name.rsplit(".", 1)[-1] != "b")
        (0.5 * self.strength * penalty).backward()
        return value


def network(per_step):
    recurrent = Recurrent(Elman(), 1, 3, generator=torch.Generator().manual_seed(0))
    net = StepNetwork(recurrent, torch.zeros(1)) if per_step else SequenceNetwork(recurrent, "mean", torch.zeros(1))
    net = net.double()
    with torch.no_grad():
        for k, weight in enumerate(net.parameters()):
            weight += 0.3 * random(*weight.shape, seed=k)
    return net


def data(per_step, rows=None, weight=None):
    """Sequences with a target for each, or for each step; ``rows`` are the sequences, some of them again."""
    values, rows = random(LENGTHS.sum(), 1).numpy(), range(len(LENGTHS)) if rows is None else rows
    sequences = as_sequences(np.split(values, LENGTHS.cumsum()[:-1]))[np.array(rows)]
    source = Batches(sequences, np.zeros(1), np.ones(1), torch.float64, torch.device("cpu"))
    target = torch.from_numpy(np.sin(3 * sequences.values if per_step else sequences.values[sequences.offsets[:-1]]))
    if weight is None:
        return Data(source, target, per_step=per_step)
    of_rows = np.repeat(weight, sequences.lengths) if per_step else weight
    return Data(source, target, torch.from_numpy(of_rows / of_rows.mean()), per_step, total_weight=of_rows.sum())


def trained(data, per_step, rule=None, **settings):
    net = network(per_step)
    given = {"optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "max_epochs": 5, "batch_size": None}
    Trainer(SquaredError(), rule or BPTT(), **given | settings).run(net, data, torch.Generator().manual_seed(0))
    return [w.detach() for w in net.parameters()]


@pytest.mark.parametrize(("per_step", "n"), [(False, len(LENGTHS)), (True, LENGTHS.sum())])
@pytest.mark.parametrize("optimizer", [name for name in OPTIMIZERS if name != "adamw"])
def test_the_gradient_is_that_of_the_penalised_mean_loss(optimizer, per_step, n):
    settings = {"optimizer": optimizer, "batch_size": 2}
    got = trained(data(per_step), per_step, alpha=3.0, **settings)
    expected = trained(data(per_step), per_step, WithL2(3.0 / n), **settings)
    assert_same(got, expected, EXACT)
    plain = trained(data(per_step), per_step, **settings)
    assert max(float((a - b).abs().max()) for a, b in zip(got, plain, strict=True)) > 1e-3


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_biases_feel_nothing_of_it(name):
    """Without a gradient of the loss, a penalty moves the weights alone; "adamw" shrinks them by the learning rate times its strength."""
    net = network(True)
    before = {k: w.detach().clone() for k, w in net.named_parameters()}
    for w in net.parameters():
        w.grad = torch.zeros_like(w)
    OPTIMIZERS[name](net.parameters(), decayed(net)).step(0.1, 0.5)
    for k, w in net.named_parameters():
        if k.endswith("b"):
            assert torch.equal(w, before[k])
        else:
            assert ((before[k] - w) * before[k] > 0).all()
            assert name != "adamw" or torch.allclose(w, before[k] * (1 - 0.1 * 0.5), rtol=1e-12)


@pytest.mark.parametrize("per_step", [False, True])
def test_a_weight_is_as_many_sequences(per_step):
    repeated = np.repeat(np.arange(len(LENGTHS)), WEIGHT.astype(int))
    got = trained(data(per_step, weight=WEIGHT), per_step, alpha=2.0)
    assert_same(got, trained(data(per_step, repeated), per_step, alpha=2.0), EXACT)
