"""The one list of cells to test, and how tests make built cells and packed batches.

A cell that appears in ``skrnn.cells.__all__`` is tested with its defaults without a line here; ``VARIANTS`` adds settings worth testing.
Where options are crossed, the settings in which every two of their values meet are always tested, the whole cross under ``slow``.
"""

import copy
from itertools import combinations, product

import pytest
import torch

import skrnn.cells
from skrnn.cells import GRU, LSTM, Elman, Hyper, Leaky, Multiplicative, map_state
from skrnn.engine import _generated, scan
from skrnn.networks import Recurrent

_generated._MOST_PROGRAMS = 10_000  # tests go through all cells one after the other, again and again: none is to be traced twice
INPUT, HIDDEN = 3, 6
RAGGED = (4, 7, 1, 7, 3)  # lengths: unsorted, with ties and a single step
RATES = (0.05, 0.2, 0.4, 0.6, 0.8, 1.0)  # one for each of HIDDEN units


def grid(**axes):
    """Every combination of the values of ``axes``, as keyword arguments."""
    return [dict(zip(axes, values, strict=True)) for values in product(*axes.values())]


class Seldom(dict):
    """Settings that are tested under ``slow`` only: each two of their values meet in others."""


def seldom(settings):
    return [Seldom(given) for given in settings]


def pairwise(**axes):
    """Combinations in which every two values of two axes meet, as few as are found by taking the best next; then all others, which are slow."""
    every, chosen = grid(**axes), []
    pairs = [set(combinations(given.items(), 2)) for given in every]
    unmet = set().union(*pairs)
    while unmet:
        best = max(range(len(every)), key=lambda k: len(pairs[k] & unmet))
        chosen.append(every[best])
        unmet -= pairs[best]
    return chosen + seldom(given for given in every if given not in chosen)


VARIANTS = {
    "Elman": [
        *grid(activation=["tanh", "relu"], layer_norm=[False, True]),
        {"activation": "sigmoid"},
        *seldom([{"activation": "sigmoid", "layer_norm": True}]),
        *grid(activation=["relu"], recurrent_init=["identity", "uniform", "glorot", "spectral_radius"]),
    ],
    "LSTM": [
        {"peephole": True},
        {"peephole": True, "block_size": 2, "layer_norm": True},
        *pairwise(forget=["gate", "none", "coupled"], peephole=[False, True], block_size=[1, 2], layer_norm=[False, True]),
        {"block_size": HIDDEN, "peephole": True},
        *grid(recurrent_init=["uniform", "glorot", "spectral_radius"]),
        {"forget_bias": -0.5, "recurrent_init": "identity"},
        *grid(chrono=[20], forget=["gate", "none", "coupled"]),
        {"input_gate": False, "peephole": True},
        {"input_gate": False, "forget": "none"},
        *seldom(grid(input_gate=[False], forget=["gate", "none"], peephole=[False, True])),
        {"output_gate": False, "block_size": 2, "layer_norm": True},
        {"output_gate": False, "forget": "coupled", "peephole": True},
        {"forget": "none", "input_gate": False, "output_gate": False, "peephole": True, "gate_recurrence": "all"},
        {"input_activation": "identity", "output_activation": "identity", "peephole": True},
        {"input_activation": "identity", "forget": "coupled", "block_size": 2},
        *seldom([{"output_activation": "identity", "peephole": True}]),
        {"gate_recurrence": "gates", "peephole": True, "layer_norm": True},
        {"gate_recurrence": "all", "peephole": True},
        {"gate_recurrence": "gates", "forget": "none", "block_size": 2},
        {"gate_recurrence": "all", "forget": "coupled", "block_size": 2},
        *seldom(grid(gate_recurrence=["gates", "all"], peephole=[True], layer_norm=[False, True])),
        *seldom(grid(gate_recurrence=["gates", "all"], forget=["none", "coupled"], block_size=[2])),
        {"gate_recurrence": "gates", "output_gate": False},
    ],
    "GRU": [
        {"reset": "before", "layer_norm": True},
        *pairwise(reset=["after", "before"], gates=["full", "gru1", "gru2", "gru3"], layer_norm=[False, True]),
        *grid(recurrent_init=["identity", "uniform", "glorot", "spectral_radius"]),
        *grid(chrono=[20], gates=["full", "gru3"]),
    ],
    "Leaky": [
        *grid(cell=[None, LSTM()], rate=[0.3], trainable=[True]),
        {"cell": GRU("before"), "rate": (*RATES[:-1], 0.9), "trainable": True},
        *grid(cell=[Elman("relu"), Elman(layer_norm=True), LSTM(peephole=True), GRU("before", layer_norm=True), Leaky(Leaky(LSTM(), 0.3), 0.7)]),
        *grid(cell=[None, LSTM()], rate=[1.0]),
        {"cell": LSTM(), "rate": RATES},  # its kernels are tested in other widths too, which Elman's rates would have to fit
    ],
    "Multiplicative": [
        *grid(cell=[LSTM(peephole=True), GRU("before"), Leaky(LSTM()), Multiplicative(LSTM())]),
        *grid(cell=[None, LSTM()], n_factors=[2, HIDDEN + 3]),
    ],
    "Hyper": [
        *grid(cell=[Elman(), LSTM(peephole=True), GRU("before"), Leaky(LSTM()), Multiplicative(LSTM()), Hyper(GRU())]),
        {"hyper_size": 4, "embedding_size": 3},
        {"cell": Multiplicative(Hyper(Leaky())), "hyper_size": 1, "embedding_size": 1},
    ],
    "Skip": [
        *grid(cell=[None, LSTM(peephole=True), GRU("before")], delay=[3], remove_short=[False, True]),
        *grid(cell=[LSTM(), Leaky(GRU(), RATES)], delay=[1]),
        {"cell": Leaky(LSTM(), RATES), "delay": 2, "remove_short": True},
    ],
    "Residual": grid(cell=[LSTM(), GRU("before"), Leaky(LSTM())]),
    "Zoneout": [
        *grid(cell=[LSTM(peephole=True), GRU("before"), Leaky(LSTM(), 0.3)], hidden_rate=[0.05], cell_rate=[0.5]),
        *grid(cell=[LSTM()], hidden_rate=[0.0], cell_rate=[0.0, 0.3]),
    ],
    "VariationalDropout": grid(cell=[LSTM(peephole=True), Leaky(GRU())], input_rate=[0.0, 0.5]),
    "RecurrentDropout": grid(cell=[LSTM(peephole=True), Leaky(GRU())]),
    "BatchNorm": [
        *grid(cell=[LSTM(peephole=True), GRU("before")]),
        *grid(cell=[Elman("relu")], max_steps=[2], gain=[1.0]),
    ],
    "SLSTM": [
        *grid(n_heads=[1, 2, 6], forget_gate=["sigmoid", "exp"]),
        {"n_heads": 3, "forget_bias": -0.5, "recurrent_init": "uniform"},
    ],
    "CfC": [
        *pairwise(mode=["default", "no_gate", "pure"], backbone_size=[None, 4], backbone_layers=[0, 1, 3]),
        *grid(mode=["default", "no_gate"], time_delta=[0, -1]),
    ],
    "LMU": grid(order=[1, 5], theta=[3.0, 40]),
    "CoRNN": [{"step_size": 0.05, "frequency": 66.0, "damping": 15.0}, {"step_size": 1.0, "frequency": 0.5, "damping": 0.0}],
    "Antisymmetric": pairwise(step_size=[0.05, 1.0], diffusion=[0.0, 0.5], gated=[False, True]),
    "Clockwork": [
        *grid(periods=[(1,), (1, 1, 1), (1, 3, 4), (2, 3)]),
        {"periods": (1, 3, 4), "activation": "relu"},
        {"periods": (2, 3), "activation": "sigmoid"},
        *seldom(grid(periods=[(1,), (1, 1, 1), (1, 3, 4), (2, 3)], activation=["relu", "sigmoid"])),
        *grid(recurrent_init=["identity", "uniform", "glorot", "spectral_radius"]),
    ],
    "DepthGatedLSTM": [
        {"depth": 1},
        {"depth": 4, "forget_bias": -0.5, "recurrent_init": "uniform"},
    ],
    "FullyRecurrent": grid(activation=["tanh", "relu", "sigmoid"], n_outputs=[None, 1]),  # one unit there is in every width
    "Jordan": [
        *grid(output_activation=["sigmoid", "tanh", "relu", "identity"]),
        {"activation": "relu", "output_activation": "identity"},
        {"activation": "sigmoid", "output_activation": "sigmoid"},
        *seldom(grid(activation=["relu", "sigmoid"], output_activation=["sigmoid", "tanh", "relu", "identity"])),
        *grid(decay=[0.0, 0.9], n_hidden=[1, 9]),
    ],
    "IndRNN": [
        *grid(activation=["relu", "tanh"], n_steps=[None, 4]),
        {"n_steps": 20, "max_gain": 1.0},
    ],
    "LRU": [{"r_min": 0.9, "r_max": 0.999, "max_phase": 0.3}],
    "MinGRU": [{"candidate": "positive"}, {"update_bias": -2.0}],
    "MinLSTM": [{"candidate": "positive"}, {"forget_bias": 3.0}],
    "Reservoir": [
        *grid(activation=["tanh", "sigmoid", "identity"]),
        *grid(activation=["tanh", "relu"], leak_rate=[0.3]),
        *seldom(grid(activation=["relu", "sigmoid", "identity"], leak_rate=[1.0, 0.3])),
        *grid(topology=["cycle", "cycle_jumps", "delay_line", "orthogonal", "small_world"]),
        {"topology": "cycle", "weights": "normal"},
        {"topology": "orthogonal", "weights": "sign"},
        *seldom(grid(topology=["cycle", "cycle_jumps", "delay_line", "orthogonal", "small_world"], weights=["normal", "sign"])),
        {"input_scaling": 0.7, "bias_scaling": 0.0, "density": 0.5, "spectral_radius": 0.0, "noise": 0.1},
    ],
    "NTM": [
        {"controller": "gru", "n_slots": 7, "slot_size": 4, "n_read": 2, "weighting_start": "learned"},
        {"controller": "feedforward", "n_slots": 5, "slot_size": 3, "n_write": 2, "shift_range": 2, "memory_start": "learned"},
        {"n_slots": 4, "slot_size": 1, "shift_range": 0, "weighting_start": "learned", "memory_start": "learned"},
    ],
    "QRNN": [
        {"width": 1, "pool": "f"},
        {"width": 2, "pool": "ifo"},
        {"width": 4, "pool": "fo"},
        *seldom(grid(width=[1, 2, 4], pool=["f", "fo", "ifo"])),
        {"forget_bias": 1.0},
    ],
    "SRU": [{"activation": "tanh", "highway_bias": -2.0}],
    "Spiking": [
        *grid(dynamic_synapses=[True, False], connection_length=[6.0], dt=[2.0], input_scaling=[4.0], recurrent_scaling=[3.0]),
        {"column": (1, 2), "connection_length": 0.0, "inhibitory_fraction": 0.5, "input_fraction": 1.0},
        {"connection_length": 9.0, "input_scaling": 9.0, "membrane_time": 30.0, "synapse_times": (30.0, 2.0), "refractory_times": (0.0, 1.0)},
    ],
}


def _cells():
    found = {}
    for name in skrnn.cells.__all__:
        for given in ({}, *VARIANTS.get(name, ())):
            cell, marks = getattr(skrnn.cells, name)(**given), [pytest.mark.slow] if isinstance(given, Seldom) else []
            found.setdefault(repr(cell), pytest.param(cell, id=repr(cell), marks=marks))
    return list(found.values())


CELLS = _cells()
DEFAULTS = [cell for cell in CELLS if cell.id.endswith("()")]  # one of each class
ONE_OF_EACH_CLASS = [cell if cell in DEFAULTS else pytest.param(*cell.values, id=cell.id, marks=pytest.mark.slow) for cell in CELLS]


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
    """The same cell, run step by step by torch."""
    twin = copy.deepcopy(cell)
    twin.kernel, twin.state_varies = lambda: None, True  # then there is no program either
    return twin


def as_on_a_gpu(cell):
    """The same cell, run by what its kernel is on a GPU."""
    twin = copy.deepcopy(cell)
    gpu = twin.kernel().gpu
    twin.kernel = lambda: gpu
    return twin


def has_kernel(cell):
    """Whether there is a whole-sequence kernel for ``cell`` in predictions on a CPU."""
    kernel = copy.deepcopy(cell).eval().kernel()
    return kernel is not None and getattr(kernel, "cpu", None) is not None


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
