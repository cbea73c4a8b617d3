"""Compiled steps are the steps, and where they cannot be had nobody notices."""

import pickle

import numpy as np
import pytest
import torch
from torch import nn

from skrnn import RNNClassifier
from skrnn.cells import GRU, LRU, LSTM, BatchNorm, CfC, Clockwork, DepthGatedLSTM, Elman, Hyper, Leaky, Skip, VariationalDropout, Zoneout
from skrnn.engine import BPTT, RTRL, TruncatedBPTT, scan
from skrnn.engine import _compiled as compiled
from skrnn.networks import StepNetwork
from skrnn.networks._watched import Watched
from skrnn.training import Pascanu
from tests.cell_settings import ONE_OF_EACH_CLASS, RAGGED, assert_same, built, gradients, packed, random_state, stacked, without_kernel

EXACT = 1e-12  # float64, relative
SINGLE = 1e-5  # float32, relative
BATCHES = {"ragged": (4, 9, 1, 7, 3), "equal": (7, 7, 7), "one": (9,)}
SLOW = [
    *(LSTM(peephole=True), GRU("before"), Leaky(LSTM()), CfC(), Hyper(), Clockwork(), DepthGatedLSTM(), LRU()),
    *(Skip(GRU(), 3), VariationalDropout(LSTM())),
]

both_directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])


@pytest.fixture
def uncompiled(monkeypatch):
    """Pieces of steps that run as they stand: all but the compiler."""
    compiled._steps_of.cache_clear()
    monkeypatch.setattr(torch, "compile", lambda steps, **_: steps)
    yield
    compiled._steps_of.cache_clear()


@pytest.fixture
def traced(monkeypatch):
    """The compiler reads the steps, and makes no code of them."""
    compiled._steps_of.cache_clear()
    compile = torch.compile
    monkeypatch.setattr(torch, "compile", lambda steps, **_: compile(steps, fullgraph=True, backend="eager"))
    yield
    compiled._steps_of.cache_clear()


def learning(cell, **sizes):
    """A built cell that learns step by step."""
    return without_kernel(built(cell, **sizes)).train()


def ran(cell, batch, *, together=2, after=0, reverse=False):
    """Whether the compiled steps did it."""
    with compiling(together, after):
        return compiled.scan_compiled(cell, batch, cell.initial_state(int(batch.batch_sizes[0]), like=batch.data), reverse) is not None


def compiling(together=2, after=0):
    return compiled.compiling("cpu", together=together, after=after)


def assert_compiled_is_eager(cell, lengths, reverse, tolerance=EXACT, dtype=torch.float64):
    cell, batch = learning(cell, dtype=dtype).draw_from(torch.Generator()), packed(lengths, dtype=dtype)
    assert ran(cell, batch, reverse=reverse)
    state = random_state(cell, len(lengths), dtype=dtype)
    with compiling():
        values, grads = gradients(cell, batch, state, reverse=reverse)
    expected, expected_grads = gradients(cell, batch, state, reverse=reverse)
    assert_same(values + grads, expected + expected_grads, tolerance)


# -- the same --------------------------------------------------------------------------------------------------------------------------------------


EVERY = [(cell, lengths) for cell in [Elman("relu"), *SLOW] for lengths in BATCHES.values()]


@pytest.mark.parametrize(("cell", "lengths"), [EVERY[0], *(pytest.param(*each, marks=pytest.mark.slow) for each in EVERY[1:])], ids=repr)
@both_directions
def test_compiled_steps_are_the_steps(cell, lengths, reverse):
    assert_compiled_is_eager(cell, lengths, reverse)


@pytest.mark.slow
def test_single_precision_compiles_too():
    assert_compiled_is_eager(LSTM(peephole=True), BATCHES["ragged"], False, SINGLE, torch.float32)


@pytest.mark.parametrize("cell", ONE_OF_EACH_CLASS)
@both_directions
def test_pieces_of_every_cell_are_its_steps(uncompiled, monkeypatch, cell, reverse):
    """Not while training, where some draw; the compiler refuses those."""
    monkeypatch.setattr(compiled, "_learns", lambda cell: True)
    cell, batch = without_kernel(built(cell)), packed()
    assert ran(cell, batch, together=3, reverse=reverse) != any(isinstance(m, BatchNorm) for m in cell.modules())
    state = random_state(cell, len(RAGGED))
    with compiling(together=3):
        values, grads = gradients(cell, batch, state, reverse=reverse)
    expected, expected_grads = gradients(cell, batch, state, reverse=reverse)
    assert_same(values + grads, expected + expected_grads, EXACT)


def test_one_compiled_function_serves_all_cells_of_the_same_settings_and_all_batches(traced):
    from torch._dynamo.utils import counters

    before = counters["stats"]["unique_graphs"]
    for seed, lengths in enumerate([(7, 7, 7), (4, 9, 1, 7, 3), (8, 6)]):
        cell = learning(Elman("tanh"), seed=seed)
        for reverse in (False, True):
            assert ran(cell, packed(lengths), reverse=reverse)
    assert counters["stats"]["unique_graphs"] == before + 1


@pytest.mark.parametrize("cell", [Skip(GRU(), 3), VariationalDropout(LSTM())], ids=repr)
def test_a_cell_within_a_cell_projects_within_the_step(traced, cell):
    assert ran(learning(cell).draw_from(torch.Generator()), packed())


# -- when ------------------------------------------------------------------------------------------------------------------------------------------


def test_only_what_learns_for_long_is_compiled(uncompiled):
    cell, batch = learning(Elman()), packed((6, 6))
    assert [ran(cell, batch, after=12) for _ in range(4)] == [False, False, True, True]
    assert not ran(learning(Elman()), batch, after=12)
    assert not ran(cell, packed((3, 2)))
    with torch.no_grad():
        assert not ran(cell, batch)
    assert not ran(cell.eval(), batch)


def test_predictions_do_not_change_when_steps_are_compiled(uncompiled):
    cell, batch = learning(Elman()), packed()
    before = scan(cell.eval(), batch)[0].data
    with compiling():
        scan(cell.train(), batch)
        assert torch.equal(scan(cell.eval(), batch)[0].data, before)


def test_a_pickle_holds_nothing_compiled(traced):
    cell = Slow("relu").build(3, 6).double().train()
    before = pickle.dumps(cell)
    assert ran(cell, packed())
    assert pickle.dumps(cell) == before


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits():
    def fitted():
        return RNNClassifier(Leaky(LSTM()), hidden_size=6, max_epochs=3, batch_size=4, random_state=0).fit(X, y).predict_proba(X)

    X = np.random.default_rng(0).normal(size=(10, 6, 2)).astype(np.float32)
    y = np.arange(10) % 2
    with compiling():
        assert np.array_equal(fitted(), fitted())


# -- where it cannot be had ------------------------------------------------------------------------------------------------------------------------


class Slow(Elman):
    """An Elman network without a kernel."""

    def kernel(self):
        return None


class Unreadable(Slow):
    """Looks at its numbers, which no compiler can do beforehand."""

    def step(self, u, state):
        return super().step(u if float(u.detach().sum()) > 0 else -u, state)


class Wrong(Slow):
    """Something else when compiled."""

    def step(self, u, state):
        y, new = super().step(u, state)
        return (y * 1.001, new) if torch.compiler.is_compiling() else (y, new)


class WrongGradient(Slow):
    """Another gradient when compiled."""

    def step(self, u, state):
        return super().step(u, state.detach() if torch.compiler.is_compiling() else state)


@pytest.mark.parametrize("cell", [Zoneout(GRU()), BatchNorm(LSTM()), Unreadable(), Wrong(), WrongGradient()], ids=repr)
def test_cells_that_cannot_be_compiled_run_as_ever(traced, cell):
    batch, found = packed(), []
    for devices in (("cpu",), ()):
        twin = learning(cell).draw_from(torch.Generator().manual_seed(0))
        with compiled.compiling(*devices, together=2):
            found.append(gradients(twin, batch))
    assert not ran(learning(cell), batch)
    for got, expected in zip(*found, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))


@pytest.mark.parametrize("error", [RuntimeError("no C++ compiler"), ImportError("no Triton"), OSError("cache cannot be written")], ids=repr)
def test_a_machine_without_a_compiler_runs_as_ever(uncompiled, monkeypatch, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr(torch, "compile", refuse)
    cell, batch = learning(LSTM(peephole=True)), packed()
    with compiling():
        y = scan(cell, batch)[0].data
    assert torch.equal(y, scan(cell, batch)[0].data)


def test_what_fails_later_runs_as_ever(uncompiled, monkeypatch):
    calls = []

    def fails_at_the_fourth(steps, **_):
        def run(*given):
            calls.append(given)
            if len(calls) > 3:
                raise RuntimeError
            return steps(*given)

        return run

    monkeypatch.setattr(torch, "compile", fails_at_the_fourth)
    cell, batch = learning(LSTM(peephole=True)), packed((9, 9))
    with compiling():
        y = scan(cell, batch)[0].data
    assert torch.equal(y, scan(cell, batch)[0].data)
    assert len(calls) == 4


def test_watched_cells_keep_all_steps():
    cell, batch = built(GRU("before")).train(), packed()
    watched = Watched.around(cell)
    with compiling():
        y = scan(watched, batch)[0].data
    assert len(watched.steps) == len(batch.batch_sizes)
    weights = list(cell.parameters())
    got = torch.autograd.grad(y.sum(), [watched.steps[2].after, *weights])
    assert got[0].any()


@pytest.mark.parametrize("grad_path", ["cell_only", "none"])
def test_a_cut_gradient_stays_cut(uncompiled, grad_path):
    cell, batch = learning(LSTM()), packed()
    with compiling():
        got = gradients(cell, batch, grad_path=grad_path)
    expected = gradients(cell, batch, grad_path=grad_path)
    assert_same(got[0] + got[1], expected[0] + expected[1], EXACT)


@pytest.mark.parametrize("rule", [BPTT(), TruncatedBPTT(4), TruncatedBPTT(6, stride=2), RTRL()], ids=repr)
def test_every_rule_learns_the_same(uncompiled, rule):
    found = []
    for devices in (("cpu",), ()):
        net = StepNetwork(stacked(Slow("tanh")), torch.zeros(2)).double().train()
        nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
        with compiled.compiling(*devices, together=2):
            rule.gradient(net, packed((9, 8, 5)), lambda outputs: outputs.square().sum())
        found.append([w.grad for w in net.parameters()])
    assert_same(*found, EXACT)


def test_omega_differentiates_twice(uncompiled):
    found = []
    for devices in (("cpu",), ()):
        net = StepNetwork(stacked(Slow("tanh")), torch.zeros(2)).double().train()
        nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
        with compiled.compiling(*devices, together=2):
            Pascanu().around(BPTT()).gradient(net, packed((9, 8, 5)), lambda outputs: outputs.square().sum())
        found.append([w.grad for w in net.parameters()])
    assert_same(*found, EXACT)


def test_torch_func_goes_through(uncompiled):
    net, batch = stacked(Slow()).train(), packed()
    weights = dict(net.named_parameters())

    def loss(weights):
        return torch.func.functional_call(net, weights, (batch,))[0].data.square().sum()

    expected = torch.func.grad(loss)(weights)
    with compiling():
        got = torch.func.grad(loss)(weights)
    assert_same(got.values(), expected.values(), EXACT)
