"""The one list of cells to test, and how tests make built cells and packed batches.

A cell that appears in ``skrnn.cells.__all__`` is tested with its defaults without a line here; ``VARIANTS`` adds settings worth testing.
"""

import copy
from itertools import product

import pytest
import torch

import skrnn.cells
from skrnn.cells import GRU, LSTM, Elman, Leaky, map_state
from skrnn.engine import scan
from skrnn.networks import Recurrent

INPUT, HIDDEN = 3, 6
RAGGED = (4, 7, 1, 7, 3)  # lengths: unsorted, with ties and a single step
RATES = (0.05, 0.2, 0.4, 0.6, 0.8, 1.0)  # one for each of HIDDEN units


def grid(**axes):
    """Every combination of the values of ``axes``, as keyword arguments."""
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


VARIANTS = {
    "Elman": [
        *grid(activation=["tanh", "relu", "sigmoid"], layer_norm=[False, True]),
        *grid(activation=["relu"], recurrent_init=["identity", "uniform"]),
    ],
    "LSTM": [
        *grid(forget=["gate", "none", "coupled"], peephole=[False, True], block_size=[1, 2], layer_norm=[False, True]),
        {"block_size": HIDDEN, "peephole": True},
        {"recurrent_init": "uniform"},
        {"forget_bias": -0.5, "recurrent_init": "identity"},
    ],
    "GRU": [
        *grid(reset=["after", "before"], gates=["full", "gru1", "gru2", "gru3"], layer_norm=[False, True]),
        *grid(recurrent_init=["identity", "uniform"]),
    ],
    "Leaky": [
        *grid(cell=[Elman("relu"), LSTM(peephole=True), GRU("before", layer_norm=True), Leaky(Leaky(LSTM(), 0.3), 0.7)]),
        *grid(cell=[None, LSTM()], rate=[1.0, RATES]),
    ],
}


def _settings():
    cells = [getattr(skrnn.cells, name)(**given) for name in skrnn.cells.__all__ for given in ({}, *VARIANTS.get(name, ()))]
    return list({repr(cell): cell for cell in cells}.values())


SETTINGS = _settings()
CELLS = [pytest.param(cell, id=repr(cell)) for cell in SETTINGS]


def random(*shape, seed=0, dtype=torch.float64):
    """Standard normal numbers."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def built(cell, dtype=torch.float64, *, input_size=INPUT, hidden_size=HIDDEN, seed=0):
    """A built copy of ``cell`` none of whose weights is trivial: biases are not 0, gains not 1."""
    new = copy.deepcopy(cell).build(input_size, hidden_size, torch.Generator().manual_seed(seed)).to(dtype)
    with torch.no_grad():
        for k, weight in enumerate(new.parameters()):
            weight += 0.3 * random(*weight.shape, seed=100 + k, dtype=dtype)
    return new.eval()


def stacked(cell, seed=0, dtype=torch.float64, **settings):
    """``Recurrent`` layers of ``cell`` with weights drawn from ``seed``."""
    return Recurrent(cell, INPUT, HIDDEN, generator=torch.Generator().manual_seed(seed), **settings).to(dtype).eval()


def packed(lengths=RAGGED, n_features=INPUT, *, dtype=torch.float64, seed=1):
    """A packed batch of random sequences."""
    return pack_all(sequences(lengths, n_features, dtype=dtype, seed=seed))


def sequences(lengths=RAGGED, n_features=INPUT, *, dtype=torch.float64, seed=1):
    """Random sequences, as a list of tensors."""
    return [random(n, n_features, seed=seed + k, dtype=dtype) for k, n in enumerate(lengths)]


def pack_all(tensors):
    """Tensors of shape (n_steps, n_features) as a packed batch."""
    return torch.nn.utils.rnn.pack_sequence(tensors, enforce_sorted=False)


def unpack_all(batch):
    """The tensors of a packed batch, in the order before packing."""
    return torch.nn.utils.rnn.unpack_sequence(batch)


def random_state(cell, batch_size, *, dtype=torch.float64, seed=7):
    """A state of ``cell`` without zeros; whole numbers, which count steps, stay."""
    draw = torch.Generator().manual_seed(seed)

    def leaf(s):
        return 0.5 * torch.randn(s.shape, generator=draw, dtype=torch.float64).to(dtype) if s.is_floating_point() else s

    return map_state(leaf, cell.initial_state(batch_size, like=torch.zeros(1, dtype=dtype)))


def leaves(state):
    """The tensors of a state."""
    return [state] if torch.is_tensor(state) else [leaf for part in state for leaf in leaves(part)]


def floating(state):
    """The tensors of a state that are not counters."""
    return [leaf for leaf in leaves(state) if leaf.is_floating_point()]


def without_kernel(cell):
    """The same cell, run step by step."""
    twin = copy.deepcopy(cell)
    twin.fused = lambda packed, state, reverse: None
    return twin


def has_kernel(cell):
    """Whether a whole-sequence kernel runs ``cell`` on the CPU."""
    cell, batch = built(cell), packed((1,))
    return cell.fused(batch, cell.initial_state(1, like=batch.data), False) is not None


def gap(a, b):
    """The largest difference of two tensors, relative to the largest entry of the second, or to 0.1 if that is smaller: sums cancel."""
    a, b = torch.as_tensor(a).detach(), torch.as_tensor(b).detach()
    assert a.shape == b.shape
    return float((a - b).abs().max()) / max(float(b.abs().max()), 0.1)


def assert_same(got, expected, tolerance):
    """Tensors of two lists agree to a relative tolerance, and none is NaN."""
    gaps = [gap(a, b) for a, b in zip(got, expected, strict=True)]
    assert all(g <= tolerance for g in gaps), gaps


def run(cell, batch, state=None, *, reverse=False, **settings):
    """Outputs and final state of ``scan``, sequence after sequence in the order before packing."""
    outputs, last = scan(cell, batch, state, reverse=reverse, **settings)
    back = torch.arange(int(batch.batch_sizes[0])) if batch.unsorted_indices is None else batch.unsorted_indices
    return unpack_all(outputs), [leaf[back] for leaf in leaves(last)]


def gradients(cell, batch, state=None, *, reverse=False, **settings):
    """Outputs, final state, and the gradients of a random projection of both in the input, the initial state and every weight."""
    x = batch.data.detach().clone().requires_grad_()
    state = cell.initial_state(int(batch.batch_sizes[0]), like=x) if state is None else state
    state = map_state(lambda s: s.detach().clone().requires_grad_(s.is_floating_point()), state)
    outputs, last = scan(cell, batch._replace(data=x), state, reverse=reverse, **settings)
    values = [outputs.data, *floating(last)]
    total = sum((v * random(*v.shape, seed=50 + k, dtype=v.dtype)).sum() for k, v in enumerate(values))
    found = torch.autograd.grad(total, [x, *floating(state), *cell.parameters()], materialize_grads=True)
    return [v.detach() for v in values], list(found)
