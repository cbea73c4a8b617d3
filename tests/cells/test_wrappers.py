"""Wrappers around wrappers: any three of them, in any order, over the gated cells."""

import copy
import pickle
from itertools import permutations

import pytest
import torch
from sklearn.base import clone

from skrnn.cells import GRU, LSTM, BatchNorm, Elman, Leaky, RecurrentDropout, Residual, Skip, VariationalDropout, Zoneout, map_state
from skrnn.engine import scan
from skrnn.networks import Recurrent
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, leaves, pack_all, packed, run, sequences

EXACT = 1e-12  # float64
KINDS = {
    "Leaky": lambda cell: Leaky(cell, 0.4, trainable=True),
    "Skip": lambda cell: Skip(cell, 2),
    "Dilated": lambda cell: Skip(cell, 2, remove_short=True),
    "Residual": Residual,
    "Zoneout": lambda cell: Zoneout(cell, 0.2, 0.4),
    "VariationalDropout": VariationalDropout,
    "RecurrentDropout": RecurrentDropout,
    "BatchNorm": lambda cell: BatchNorm(cell, max_steps=5),
}


def is_chosen(order):
    """One order of each two outermost wrappers, and of each two innermost ones: in these all meet; the others are tested under ``slow``."""
    outer, middle, inner = order
    kinds = list(KINDS)
    others = [kind for kind in kinds if kind != middle]
    return inner == others[(others.index(outer) + 1 + kinds.index(middle) % 6) % 7]


ORDERS = [
    pytest.param((order, inner), id="-".join((*order, type(inner).__name__)), marks=[] if is_chosen(order) else [pytest.mark.slow])
    for k, order in enumerate(permutations(KINDS, 3))
    for inner in ((LSTM(), GRU("before"))[k % 2],)  # each order over one of the two
]
every_order = pytest.mark.parametrize("wrapped", ORDERS, indirect=True)


@pytest.fixture
def wrapped(request):
    """An unbuilt cell: the wrappers of an order, the first outermost."""
    order, cell = request.param
    for name in reversed(order):
        cell = KINDS[name](cell)
    return cell


def noisy(cell, seed=3):
    """A built cell that trains and draws from ``seed``."""
    return built(cell).train().draw_from(torch.Generator().manual_seed(seed))


@every_order
def test_a_ragged_batch_equals_its_sequences_one_by_one(wrapped):
    cell, xs = built(wrapped), sequences((4, 1, 6))
    for reverse in (False, True):
        outputs, last = run(cell, pack_all(xs), reverse=reverse)
        for i, x in enumerate(xs):
            (y,), alone = run(cell, pack_all([x]), reverse=reverse)
            assert_same([outputs[i], *(s[i] for s in last)], [y, *(s[0] for s in alone)], EXACT)


@every_order
def test_training_gives_the_same_bits_for_the_same_generator(wrapped):
    before, outputs = torch.get_rng_state(), []
    for _ in range(2):
        cell = noisy(wrapped)
        y, last = scan(cell, packed((4, 3, 3, 1)))
        y.data.square().sum().backward()
        outputs.append([y.data, *leaves(last), *(w.grad for w in cell.parameters() if w.grad is not None)])
    assert all(torch.equal(a, b) for a, b in zip(*outputs, strict=True))
    assert all(v.isfinite().all() for v in outputs[0])
    assert torch.equal(torch.get_rng_state(), before)


@every_order
def test_a_trained_cell_survives_pickling_and_cloning(wrapped):
    cell, batch = noisy(wrapped), packed((4, 3, 3, 1))
    scan(cell, batch)  # running statistics are no longer those of the start
    cell.eval()
    for twin in (pickle.loads(pickle.dumps(cell)), copy.deepcopy(cell)):
        assert torch.equal(scan(twin, batch)[0].data, scan(cell, batch)[0].data)
    assert repr(clone(cell)) == repr(wrapped)


@every_order
def test_the_cell_inside_is_reached_by_name(wrapped):
    outer = clone(wrapped).set_params(cell__cell__cell=Elman("relu"))
    outer.set_params(cell__cell__cell__layer_norm=True)
    assert repr(outer.cell.cell.cell) == "Elman(activation='relu', layer_norm=True)"
    assert {"cell__cell__cell__activation", "cell__cell__cell", "cell__cell", "cell"} <= set(outer.get_params())


@every_order
def test_a_state_keeps_its_structure(wrapped):
    cell, x = noisy(wrapped), torch.ones(3, INPUT, dtype=torch.float64)
    before = cell.initial_state(3, like=x)
    y, after = cell.step(cell.project(x), before)
    same = map_state(lambda a, b: torch.tensor(a.shape == b.shape and a.dtype == b.dtype), before, after)
    assert all(leaves(same))
    assert y.shape == (3, HIDDEN)


@pytest.mark.parametrize("kind", KINDS)
def test_layers_train_and_predict(kind):
    network = Recurrent(KINDS[kind](LSTM()), INPUT, HIDDEN, n_layers=2, bidirectional=True, generator=torch.Generator().manual_seed(0)).double()
    batch = packed()
    first, again = (network.train()(batch)[0].data for _ in range(2))
    assert torch.equal(first, again) == (kind in ("Leaky", "Skip", "Dilated", "Residual", "BatchNorm"))
    one, other = (network.eval()(batch)[0].data for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cell_inside_is_copied_and_stays_unbuilt(kind):
    inner = LSTM()
    outer = KINDS[kind](inner).build(INPUT, HIDDEN)
    assert outer.cell is inner
    assert not list(inner.parameters())
