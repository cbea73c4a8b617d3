"""A prediction has the same bits whatever is predicted beside it."""

import numpy as np
import pytest
import torch

import skrnn.cells
from skrnn.cells import GRU, LSTM, SLSTM, Elman, Leaky, Reservoir
from skrnn.data import Sequences, as_sequences
from skrnn.engine import pack, scan, unpack
from skrnn.frontends import Conv1d
from skrnn.networks import DualStage, Encoder, Pair, Recurrent, Seq2Seq, SequenceNetwork, StepNetwork, Values
from skrnn.networks._network import PIECE
from skrnn.networks._readout import POOLINGS
from tests.cell_settings import INPUT, built, leaves, random

N = 130  # sequences: several blocks of every kernel
LENGTHS = [1 + 5 * k % 9 for k in range(N)]
EQUAL = tuple(range(4, N, 9))  # of the same length
COMPANIES = (*[(k,) for k in (0, 1, 4, 129)], EQUAL[:3], (5, 77, 129), tuple(range(80, 40, -1)), EQUAL, tuple(range(N - 1, -1, -1)))
SETTINGS = [
    *(getattr(skrnn.cells, name)() for name in skrnn.cells.__all__),
    *(Elman(layer_norm=True), LSTM(layer_norm=True, peephole=True), GRU("before"), SLSTM(n_heads=3), Leaky(LSTM(block_size=3, peephole=True))),
]
CELLS = [pytest.param(cell, id=repr(cell)) for cell in SETTINGS]
precisions = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
WAYS = {
    f"{dtype}-{width}-{way}": (dtype, width, way == "reverse")
    for dtype in (torch.float32, torch.float64)
    for width in (1, 6, 33, 64)
    for way in ("forward", "reverse")
}
MET = ("torch.float32-33-forward", "torch.float32-6-reverse", "torch.float64-64-reverse", "torch.float64-1-forward")  # the others are slow
crossed = pytest.mark.parametrize(
    ("dtype", "width", "reverse"), [pytest.param(*way, id=name, marks=[] if name in MET else [pytest.mark.slow]) for name, way in WAYS.items()]
)


def made(lengths, dtype):
    """Random sequences end to end."""
    return Sequences(random(sum(lengths), INPUT, dtype=dtype).numpy(), np.cumsum([0, *lengths]))


def assert_alike(run, sequences, companies=COMPANIES):
    """``run`` gives the rows that belong to each sequence; they are equal, bit for bit, in every company."""
    with torch.no_grad():
        together = run(sequences)
        for company in companies:
            for i, rows in zip(company, run(sequences[list(company)]), strict=True):
                assert all(np.array_equal(a, b) for a, b in zip(rows, together[i], strict=True)), (company, i)


@pytest.mark.parametrize("cell", CELLS)
@crossed
def test_outputs_and_states_of_a_cell(cell, dtype, width, reverse):
    parts = max(len(cell.get_params().get("periods", "1")), cell.get_params().get("n_heads", 1), cell.get_params().get("cell__block_size", 1))
    cell = built(cell, dtype, hidden_size=-(-width // parts) * parts)

    def run(sequences):
        batch = pack(sequences, dtype=dtype)
        outputs, state = scan(cell, batch, reverse=reverse)
        states = [leaf[batch.unsorted_indices].numpy() for leaf in leaves(state)]
        return [(y, *(s[i] for s in states)) for i, y in enumerate(unpack(outputs))]

    assert_alike(run, made(LENGTHS, dtype))


@pytest.mark.parametrize("settings", [{}, {"leak_rate": 0.3, "activation": "sigmoid"}, {"density": 0.3}], ids=str)
@precisions
@pytest.mark.parametrize("width", [133, pytest.param(600, marks=pytest.mark.slow)])
def test_states_of_a_large_reservoir(settings, dtype, width):
    """Without the zeros of R or with them, many sequences side by side or one by one, in few steps or many."""
    cell = built(Reservoir(**settings), dtype, hidden_size=width)

    def run(sequences):
        return [(y,) for y in unpack(scan(cell, pack(sequences, dtype=dtype))[0])]

    assert_alike(run, made([1 + 7 * (5 * k % 9) for k in range(N)], dtype))


def layers(dtype, width, cell=None):
    stack = Recurrent(cell or GRU(), INPUT, width, n_layers=2, bidirectional=True, generator=torch.Generator().manual_seed(0))
    return stack.to(dtype).eval()


def with_weights(network, dtype):
    torch.nn.init.normal_(network.head.W, generator=torch.Generator().manual_seed(5))
    return network.to(dtype).eval()


@pytest.mark.parametrize("pooling", POOLINGS)
@precisions
@pytest.mark.parametrize("width", [1, 6, 33, 64])
@pytest.mark.parametrize("n_outputs", [1, 10])
def test_outputs_for_sequences(pooling, dtype, width, n_outputs):
    network = with_weights(SequenceNetwork(layers(dtype, width), pooling, torch.zeros(n_outputs)), dtype)

    def run(sequences):
        batch = pack(sequences, dtype=dtype)
        return [(a, b) for a, b in zip(network(batch).numpy(), network.features(batch).numpy(), strict=True)]

    assert_alike(run, made(LENGTHS, dtype))


@precisions
@pytest.mark.parametrize("width", [1, 6, 33, 64])
@pytest.mark.parametrize("n_outputs", [1, 10])
def test_outputs_for_steps(dtype, width, n_outputs):
    network = with_weights(StepNetwork(layers(dtype, width), torch.zeros(n_outputs)), dtype)

    def run(sequences):
        batch = pack(sequences, dtype=dtype)
        return [(y,) for y in unpack(batch._replace(data=network.outputs(batch)[0]))]

    assert_alike(run, made(LENGTHS, dtype))


@pytest.mark.parametrize("settings", [{"kernel_size": 4}, {"stride": 3, "activation": "gelu", "causal": False}, {"activation": "tanh"}], ids=str)
@precisions
@pytest.mark.parametrize("channels", [1, 6, 33])
def test_what_filters_along_time_give(settings, dtype, channels):
    filters = Conv1d(channels, **settings).build(INPUT, torch.Generator().manual_seed(0)).to(dtype)
    assert_alike(lambda sequences: [(y,) for y in unpack(filters(pack(sequences, dtype=dtype)))], made(LENGTHS, dtype))


WRITERS = [{}, {"attention": "bahdanau", "coverage": True}, {"attention": "dot"}, {"attention": "general", "input_feeding": False}]


@pytest.mark.parametrize("settings", WRITERS, ids=str)
@pytest.mark.parametrize("cell", [LSTM(), SLSTM()], ids=repr)
@precisions
@pytest.mark.parametrize("width", [6, 33])
def test_what_is_written(settings, cell, dtype, width):
    """Of sources and targets of any lengths, with a teacher or without."""
    recurrent = Recurrent(GRU(), INPUT, width, bidirectional=True, generator=torch.Generator().manual_seed(0))
    network = with_weights(Seq2Seq(Encoder(recurrent), cell, width, torch.zeros(2), feedback=Values(2), **settings), dtype)
    sources, targets = made(LENGTHS, dtype), made(LENGTHS[::-1], dtype)

    def run(numbers):
        steps = pack(targets[numbers], dtype=dtype)
        nothing, first = steps._replace(data=steps.data[:, :0]), torch.zeros(len(numbers), 2, dtype=dtype)
        source = pack(sources[numbers], dtype=dtype)
        taught = network(Pair(source, nothing, first, steps.data[:, :2]))
        free = network.free(Pair(source, nothing, first))
        return list(zip(*(unpack(steps._replace(data=rows)) for rows in (taught, free)), strict=True))

    assert_alike(run, np.arange(N))


@precisions
@pytest.mark.parametrize("width", [6, 33])
def test_what_follows_windows(dtype, width):
    network = with_weights(DualStage(LSTM(), 4, 7, width, width, torch.zeros(1), generator=torch.Generator().manual_seed(0)), dtype)
    windows = random(N, 7, 5, dtype=dtype).numpy()
    assert_alike(lambda some: [(y,) for y in network(pack(as_sequences(some), dtype=dtype)).numpy()], windows)


@pytest.mark.parametrize("pooling", POOLINGS)
@precisions
def test_a_long_sequence_changes_nothing_for_a_short_one(pooling, dtype):
    """It makes the network run piece after piece."""
    recurrent = Recurrent(GRU(), INPUT, 5, bidirectional=True, generator=torch.Generator().manual_seed(0)).to(dtype).eval()
    of_sequences = with_weights(SequenceNetwork(recurrent, pooling, torch.zeros(2)), dtype)
    of_steps = with_weights(StepNetwork(recurrent, torch.zeros(2)), dtype)

    def run(sequences):
        batch = pack(sequences, dtype=dtype)
        steps = unpack(batch._replace(data=of_steps.outputs(batch)[0]))
        return list(zip(of_sequences.features(batch).numpy(), steps, strict=True))

    assert_alike(run, made((PIECE - 5, 2 * PIECE + 3, 7, PIECE + 1), dtype), [(0,), (1,), (2,), (3,), (0, 2), (3, 0), (2, 1)])
