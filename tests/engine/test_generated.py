"""Any cell as a compiled program: it computes what the steps do, or says why there is none."""

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from skrnn.cells import GRU, LMU, LSTM, SLSTM, BatchNorm, Cell, Elman, RecurrentDropout, VariationalDropout, Zoneout, flat, in_torch, map_state
from skrnn.engine import _generated as module
from skrnn.engine import explain, generating
from skrnn.engine._generated import scan_generated
from skrnn.engine._steps import run_steps
from skrnn.engine._trace import replayed
from skrnn.kernels import _arrays as arrays
from skrnn.kernels import allow_threads, bernoulli
from tests.cell_settings import CELLS, DEFAULTS, RAGGED, assert_same, built, floating, gap, pack_all, packed, random, random_state, sequences

EXACT = 1e-12  # float64, relative
SINGLE = 1e-5  # float32, relative
every_cell = pytest.mark.parametrize("cell", CELLS)
every_class = pytest.mark.parametrize("cell", DEFAULTS)


def steps(cell, batch, state, reverse=False):
    return run_steps(cell.step, cell.project(batch.data).split(batch.batch_sizes.tolist()), state, reverse)


def program(cell, batch, state, reverse=False):
    done = scan_generated(cell, batch, state, reverse)
    assert done is not None, explain(cell, batch.data.dtype)
    return done


def results(run, cell, batch, state, reverse=False):
    """Outputs, final state, and gradients of a random projection of both in all that they are made from."""
    x = batch.data.detach().clone().requires_grad_()
    state = map_state(lambda s: s.detach().clone().requires_grad_(s.is_floating_point()), state)
    y, last = run(cell, batch._replace(data=x), state, reverse)
    values = [v for v in (y, *floating(last)) if v.numel()]
    total = sum((v * random(*v.shape, seed=50 + k, dtype=v.dtype)).sum() for k, v in enumerate(values))
    into = [t for t in (x, *floating(state), *cell.parameters()) if t.requires_grad]
    return [v.detach() for v in values] + [g for g in torch.autograd.grad(total, into, materialize_grads=True) if g.numel()]


# -- a program is the steps ----------------------------------------------------------------------------------------------------------------------


@every_cell
def test_every_cell_has_a_program_that_equals_its_steps(cell):
    cell, batch = built(cell), packed()
    assert explain(cell, torch.float64) is None
    state = random_state(cell, len(RAGGED))
    for reverse in (False, True):
        got, expected = (results(run, cell, batch, state, reverse) for run in (program, steps))
        assert_same(got, expected, 10 * EXACT if "layer_norm" in repr(cell) else EXACT)


@every_class
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize(
    ("batch_size", "width"),
    [(1, 1), pytest.param(3, 6, marks=pytest.mark.slow), (5, 33), pytest.param(17, 3, marks=pytest.mark.slow), (40, 5)],
)
def test_programs_of_any_size_equal_their_steps(cell, batch_size, width, dtype):
    """Odd widths leave remainders of vectors, and 40 sequences are several blocks."""
    width *= len(cell.get_params().get("periods", "1"))
    cell, batch = built(cell, dtype, hidden_size=width), packed([1 + 5 * k % 9 for k in range(batch_size)], dtype=dtype)
    state = random_state(cell, batch_size, dtype=dtype)
    assert_same(*(results(run, cell, batch, state) for run in (program, steps)), EXACT if dtype == torch.float64 else 2 * SINGLE)


@every_class
def test_a_long_batch_runs_in_pieces_of_time(cell, monkeypatch):
    """Passes take turns: each goes through some steps, and what they hand to each other has memory for no more than those."""
    cell, batch = built(cell), packed([9, 7, 7, 3, 1])
    state = random_state(cell, 5)
    whole = [results(program, cell, batch, state, reverse) for reverse in (False, True)]
    monkeypatch.setattr(arrays, "_CACHED", 1)
    monkeypatch.setattr(arrays, "WORTH_THREADS", 0)
    assert len(arrays.Allotment(module.Layout.of(batch.batch_sizes.numpy()), [], 1).pieces) == 9
    for way in module._programs.values():
        way._allotments.clear()
    for reverse, expected in zip((False, True), whole, strict=True):
        assert_same(results(program, cell, batch, state, reverse), expected, EXACT)


def test_the_memory_of_what_passes_hand_to_each_other_does_not_grow_with_the_length():
    cell = built(LSTM(), torch.float32, hidden_size=32)
    way = module._way_of(cell, torch.zeros(1, 3), cell.initial_state(1, like=torch.zeros(1, 3)))
    size = [way.program.arrays(module.Layout.of(np.full(n, 8))).allotment.length for n in (10_000, 20_000)]
    kept = sum(a.length for a in way.program._own if a.place == "steps")
    assert size[1] - size[0] <= 8 * 10_000 * kept + 2**16


@every_class
def test_predictions_are_those_of_the_steps_in_single_precision(cell):
    cell, batch = built(cell, torch.float32), packed(dtype=torch.float32)
    state = random_state(cell, len(RAGGED), dtype=torch.float32)
    with torch.no_grad():
        (y, last), (expected, expected_last) = (run(cell, batch, state) for run in (program, steps))
    assert_same([y, *floating(last)], [expected, *floating(expected_last)], SINGLE)


@every_class
def test_a_cell_has_a_program_where_no_gradient_can_ever_be_wanted(cell, monkeypatch):
    """There torch shows some operations whole, which it else takes apart; estimators predict in this way."""
    batch, found = packed(), []
    for quiet in (torch.no_grad, torch.inference_mode):
        monkeypatch.setattr(module, "_shared", {})
        with quiet():
            cell = built(cell)
            y, last = program(cell, batch, random_state(cell, len(RAGGED)))
            found.append([y, *floating(last)])
    assert_same(*found, EXACT)


@pytest.mark.parametrize("inner", [Elman(), LSTM(), GRU("before"), SLSTM()], ids=repr)
@pytest.mark.parametrize("around", [Zoneout, VariationalDropout, RecurrentDropout, partial(RecurrentDropout, rate=0.5)])
def test_noise_is_drawn_from_the_generator_and_goes_back_too(inner, around):
    cell, batch = built(around(inner)).train(), packed()
    state = cell.initial_state(len(RAGGED), like=batch.data)

    with torch.enable_grad():
        way = module._way_of(cell, batch.data, state)
    seeds, sizes = list(range(5, 5 + len(way.graph.draws))), batch.batch_sizes.tolist()

    def replays(cell, batch, state, reverse):
        with in_torch(), replayed(iter(way.numbers(seeds, sizes, reverse))):
            return steps(cell, batch, state, reverse)

    def runs(cell, batch, state, reverse):
        x = batch.data
        return module._way_of(cell, x, state).run(cell, x, state, module.Layout.of(batch.batch_sizes.numpy()), reverse, seeds)

    assert seeds or around is VariationalDropout  # whose masks are in the state
    for reverse in (False, True):
        assert_same(results(runs, cell, batch, state, reverse), results(replays, cell, batch, state, reverse), EXACT)


@pytest.mark.parametrize("share", [0.05, 0.5, 0.85])
def test_random_numbers_are_drawn_as_often_as_they_should_and_do_not_hang_together(share):
    drawn = bernoulli(17, 4000, 50, share).astype(float)
    n = drawn.size
    assert abs(drawn.mean() - share) < 4 * np.sqrt(share * (1 - share) / n)
    centred = (drawn - drawn.mean()) / drawn.std()
    others = [
        (bernoulli(18, 4000, 50, share) - share) / np.sqrt(share * (1 - share)),
        np.roll(centred, 1, 0),
        np.roll(centred, 1, 1),
        np.roll(centred, 7, 1),
    ]
    assert all(abs((centred * other).mean()) < 4 / np.sqrt(n) for other in others)


@every_class
def test_the_bits_of_a_sequence_are_its_own(cell):
    cell, xs = built(cell, torch.float32, hidden_size=18), sequences((9, 5, 5, 2, 1, 1, 1, 1, 1, 1, 1), dtype=torch.float32)
    batch = pack_all(xs)
    with torch.no_grad():
        y = torch.nn.utils.rnn.unpack_sequence(batch._replace(data=program(cell, batch, cell.initial_state(len(xs), like=xs[0]))[0]))
        for k, x in enumerate(xs):
            alone = pack_all([x])
            assert torch.equal(program(cell, alone, cell.initial_state(1, like=x))[0], y[k])


@every_class
def test_the_bits_are_the_same_on_one_thread_and_on_two(cell, monkeypatch):
    monkeypatch.setattr("skrnn.kernels._program.WORTH_THREADS", 0)
    monkeypatch.setattr("skrnn.kernels._big_product.WORTH_THREADS", 0)
    cell, batch = built(cell, torch.float32, hidden_size=18), packed([1 + 5 * k % 9 for k in range(40)], dtype=torch.float32)
    state = random_state(cell, 40, dtype=torch.float32)
    found = []
    for n in (1, 2):
        with allow_threads(n):
            found.append(results(program, cell, batch, state))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


@every_class
def test_what_is_not_finite_spreads_as_in_the_steps(cell):
    cell, batch = built(cell), packed()
    batch.data[:2] = torch.tensor([[np.nan], [np.inf]])
    with torch.no_grad():
        y, expected = (run(cell, batch, cell.initial_state(len(RAGGED), like=batch.data))[0] for run in (program, steps))
    assert torch.equal(y.isfinite(), expected.isfinite())


def test_gradients_can_be_taken_twice_and_memory_is_not_shared_between_graphs():
    cell, batch = built(LMU()), packed()
    state = cell.initial_state(len(RAGGED), like=batch.data)
    expected = results(steps, cell, batch, state)
    x, other = (batch.data.clone().requires_grad_() for _ in range(2))
    first, second = (program(cell, batch._replace(data=v), state)[0].square().sum() for v in (x, other))
    twice = [torch.autograd.grad(first, x, retain_graph=True)[0] for _ in range(2)]
    (last,) = torch.autograd.grad(second, other)
    assert torch.equal(twice[0], twice[1])
    assert torch.equal(twice[0], last)
    assert_same(results(program, cell, batch, state), expected, EXACT)


# -- cells of users ------------------------------------------------------------------------------------------------------------------------------


class OwnCell(Cell):
    """A cell of which only the step is written."""

    def _build(self, generator):
        self.make()

    def make(self):
        raise NotImplementedError


class Mixture(OwnCell):
    def make(self):
        H = self.hidden_size
        self.into, self.out = nn.Linear(self.input_size + H, 3 * H), nn.Linear(H, H)
        self.norm = nn.LayerNorm(H)

    def step(self, u, state):
        a, b, c = self.into(torch.cat([u, state], -1)).chunk(3, -1)
        mixed = torch.softmax(a, -1) * nn.functional.silu(b) + nn.functional.gelu(c) + nn.functional.softplus(b) * nn.functional.elu(a)
        h = state + 0.5 * self.norm(self.out(mixed)).clamp(-1, 1)
        return h, h


class WithMemory(OwnCell):
    """Reads a memory of slots by attention, and writes one slot by a softmax: products for every sequence."""

    slots, width = 5, 4

    def make(self):
        H = self.hidden_size
        self.key, self.value, self.write = nn.Linear(H, self.width), nn.Linear(H, self.width), nn.Linear(H, self.slots)
        self.cell = nn.Linear(self.input_size + H + self.width, H)
        self.each = nn.Linear(self.width, self.width)

    def initial_state(self, batch_size, *, like):
        return super().initial_state(batch_size, like=like), like.new_zeros(batch_size, self.slots, self.width)

    def step(self, u, state):
        h, memory = state
        scores = torch.bmm(memory, self.key(h)[:, :, None])[:, :, 0] / memory.norm(dim=-1).clamp_min(0.1)
        read = torch.einsum("bs,bsw->bw", torch.softmax(scores, -1), memory)
        h = torch.tanh(self.cell(torch.cat([u, h, read], -1)))
        where = torch.softmax(self.write(h), -1)[:, :, None]
        memory = (1 - where) * self.each(memory) + where * self.value(h)[:, None]
        return h, (h, memory)


class Heads(OwnCell):
    """Products of heads in a batch, with weights of each."""

    def make(self):
        n, d = 2, self.hidden_size // 2
        self.R = nn.Parameter(torch.randn(n, d, d, generator=torch.Generator().manual_seed(0)) / 2)
        self.into = nn.Linear(self.input_size, self.hidden_size)

    def step(self, u, state):
        heads = state.unflatten(-1, (2, -1))
        h = torch.tanh(self.into(u) + torch.einsum("bhk,hkm->bhm", heads, self.R).flatten(1))
        return h, h


class Slots(OwnCell):
    """Puts what it sees at a place that moves, and gathers it from there: other places for every sequence."""

    def make(self):
        self.into = nn.Linear(self.input_size, self.hidden_size)
        self.register_buffer("turn", torch.arange(self.hidden_size).flip(0))

    def initial_state(self, batch_size, *, like):
        return super().initial_state(batch_size, like=like), torch.zeros(batch_size, 1, dtype=torch.int64)

    def step(self, u, state):
        h, place = state
        a = torch.tanh(self.into(u))
        place = (place + 1 + (a[:, :1] > 0).long()) % self.hidden_size
        h = 0.9 * h[:, self.turn].scatter_add(1, place, a[:, :1]) + 0.1 * a.gather(1, place)
        return h, (h, place)


@pytest.mark.parametrize("kind", [Mixture, WithMemory, Heads, Slots])
def test_a_cell_of_a_user_is_compiled(kind):
    cell, batch = built(kind()), packed()
    state = random_state(cell, len(RAGGED))
    assert_same(results(program, cell, batch, state), results(steps, cell, batch, state), EXACT)


# -- what is refused -----------------------------------------------------------------------------------------------------------------------------


class Branching(OwnCell):
    def make(self):
        self.w = nn.Parameter(torch.ones(self.hidden_size))

    def step(self, u, state):
        h = torch.tanh(state * self.w + u.sum(-1, keepdim=True))
        return (h, h) if h.sum() > 0 else (-h, -h)


class FromOutside(Branching):
    def make(self):
        super().make()
        self.plain = [torch.ones(self.hidden_size)]

    def step(self, u, state):
        h = torch.tanh(state * self.w + self.plain[0])
        return h, h


class Writing(Branching):
    def make(self):
        super().make()
        self.register_buffer("seen", torch.zeros(self.hidden_size))

    def step(self, u, state):
        self.seen += 1
        return state * self.w, state * self.w


class AcrossSequences(Branching):
    def step(self, u, state):
        h = torch.tanh((state - state.mean(0)) * self.w)
        return h, h


class Sorting(Branching):
    def step(self, u, state):
        h = torch.sort(state * self.w, -1).values
        return h, h


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (Branching, "a branch on values"),
        (FromOutside, r"a tensor of shape \(6,\) from outside the cell"),
        (Writing, "writes into a tensor that is seen elsewhere"),
        (AcrossSequences, "mean over sequences"),
        (Sorting, "aten.sort.* is not known"),
    ],
)
def test_what_cannot_be_compiled_is_explained_and_runs_step_by_step(kind, reason):
    from skrnn.engine import scan

    cell, batch = built(kind()), packed()
    before = {name: b.clone() for name, b in cell.named_buffers()}
    why = explain(cell, torch.float64)
    assert __import__("re").search(reason, why), why
    assert all(torch.equal(b, before[name]) for name, b in cell.named_buffers())
    assert scan_generated(cell, batch, cell.initial_state(len(RAGGED), like=batch.data), False) is None
    with generating(False):
        expected = scan(built(kind()), batch)[0].data
    assert torch.equal(scan(cell, batch)[0].data, expected)


def test_a_state_of_other_shapes_for_other_batches_has_no_program():
    """As that of a decoder that attends to all steps of a source."""

    class Remembers(Branching):
        state_varies = True

        def step(self, u, state):
            h = torch.tanh(state * self.w)
            return h, h

    assert "differs from batch to batch" in explain(built(Remembers()), torch.float64)


def test_weights_that_change_before_the_gradient_is_taken_are_an_error():
    cell, batch = built(LMU()), packed()
    y, _ = program(cell, batch, cell.initial_state(len(RAGGED), like=batch.data))
    with torch.no_grad():
        cell.R += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_sequences_that_influence_each_other_are_not_compiled_while_training():
    cell = built(BatchNorm(LSTM()))
    assert explain(cell, torch.float64) is None
    statistics = cell.norm_x.var.clone()
    assert "influence each other" in explain(cell.train(), torch.float64)
    assert torch.equal(cell.norm_x.var, statistics)


def test_a_program_that_does_not_compute_what_the_steps_do_is_not_used(monkeypatch):
    monkeypatch.setattr(module, "_agree", lambda got, expected: False)
    monkeypatch.setattr(module, "_programs", {})
    cell = built(LMU(order=3))
    assert "does not compute" in explain(cell, torch.float64)
    assert scan_generated(cell, packed(), cell.initial_state(len(RAGGED), like=packed().data), False) is None


def test_settings_that_change_after_the_build_count():
    cell, batch = built(Zoneout(Elman())), packed()
    state = random_state(cell, len(RAGGED))
    first = program(cell, batch, state)[0]
    cell.hidden_rate = 0.8
    assert gap(program(cell, batch, state)[0], first) > 0.01
    assert_same(results(program, cell, batch, state), results(steps, cell, batch, state), EXACT)


def test_weights_that_do_not_learn_get_no_gradient():
    cell, batch = built(LMU()), packed()
    cell.R.requires_grad_(False)
    state = random_state(cell, len(RAGGED))
    assert_same(results(program, cell, batch, state), results(steps, cell, batch, state), EXACT)


def test_other_precisions_and_transforms_run_in_torch():
    cell, batch = built(LMU(), torch.bfloat16), packed(dtype=torch.bfloat16)
    assert scan_generated(cell, batch, cell.initial_state(len(RAGGED), like=batch.data), False) is None


def test_states_that_only_pass_through_get_their_gradient():
    """As the keys of an attention, which every step reads and none changes."""

    class Reads(OwnCell):
        def make(self):
            self.q = nn.Linear(self.hidden_size, self.hidden_size)

        def initial_state(self, batch_size, *, like):
            return super().initial_state(batch_size, like=like), like.new_ones(batch_size, 3, self.hidden_size)

        def step(self, u, state):
            h, keys = state
            h = torch.tanh((keys * self.q(h)[:, None]).sum(1) + u.sum(-1, keepdim=True))
            return h, (h, keys)

    cell, batch = built(Reads()), packed()
    state = random_state(cell, len(RAGGED))
    assert_same(results(program, cell, batch, state), results(steps, cell, batch, state), EXACT)
    assert len(flat(state)) == 2


# -- cells that are alike ------------------------------------------------------------------------------------------------------------------------


class Scaled(Cell):
    """Its step depends on a buffer, and on something that is not plain."""

    def __init__(self, scale=1.0, squash=None):
        super().__init__()
        self.scale = scale
        self.squash = squash

    def _build(self, generator):
        self.register_buffer("factor", torch.tensor(self.scale))
        self.W = nn.Parameter(torch.eye(self.hidden_size, self.input_size))

    def step(self, u, state):
        squash = self.squash or torch.tanh
        h = squash(u @ self.W.T + self.factor * state)
        return h, h


@pytest.fixture
def traces(monkeypatch):
    found, plain = [], module.trace
    monkeypatch.setattr(module, "trace", lambda *args: found.append(1) or plain(*args))
    monkeypatch.setattr(module, "_shared", {})
    return found


def equals_its_steps(cell):
    batch = packed(dtype=torch.float32)
    state = cell.initial_state(len(RAGGED), like=batch.data)
    with torch.no_grad():
        (y, _), (expected, _) = (run(cell, batch, state) for run in (program, steps))
    assert_same([y], [expected], SINGLE)


@pytest.mark.parametrize("kind", [GRU, LSTM, lambda: Zoneout(LSTM(peephole=True))])
def test_cells_that_are_alike_are_traced_once(kind, traces):
    for seed in range(3):
        equals_its_steps(built(kind(), torch.float32, seed=seed))
    assert len(traces) == 1
    equals_its_steps(built(kind(), torch.float32, hidden_size=9))
    assert len(traces) == 2


@pytest.mark.parametrize(
    "cells",
    [
        [Scaled(), Scaled(0.5)],
        [Scaled(squash=torch.tanh), Scaled(squash=torch.sin)],
        [LSTM(), LSTM(peephole=True)],
        [GRU(), GRU("before")],
    ],
    ids=["a buffer", "a function", "a weight", "a setting"],
)
def test_cells_that_differ_are_traced_each(cells, traces):
    for cell in cells:
        equals_its_steps(built(cell, torch.float32))
    assert len(traces) == 2


def test_cells_that_are_alike_draw_from_their_own_generators(traces):
    def outputs(seed):
        cell = built(Zoneout(GRU()), torch.float32).train()
        cell.draw_from(torch.Generator().manual_seed(seed))
        batch = packed(dtype=torch.float32)
        return program(cell, batch, cell.initial_state(len(RAGGED), like=batch.data))[0].detach()

    first, again, other = map(outputs, (1, 1, 2))
    assert len(traces) == 1
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
