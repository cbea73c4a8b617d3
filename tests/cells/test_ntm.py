import numpy as np
import pytest
import torch

from skrnn.cells import GRU, NTM, Leaky, Skip, Zoneout, tapes
from skrnn.engine import explain, generating, scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gradients, packed, random

EXACT = 1e-12  # float64
SURE = 60.0  # an input of a sigmoid, or a difference of those of a softmax, that leaves no doubt


def set_heads(cell, **values):
    """Let the heads emit the same at every step, whatever comes in."""
    parts = dict(zip("kbgcqea", cell.d.split(cell._parts), strict=True))
    with torch.no_grad():
        cell.P.zero_()
        for name, value in values.items():
            parts[name].copy_(torch.as_tensor(value, dtype=cell.d.dtype))
    return cell


def states(cell, x):
    """Memory, weightings and what was read after each step."""
    state, found = cell.initial_state(1, like=x), []
    with torch.no_grad():
        for row in cell.project(x):
            _, state = cell.step(row[None], state)
            found.append(next(tapes(state)))
    return found


@pytest.mark.parametrize("controller", ["lstm", "gru", "feedforward"])
def test_number_of_weights(controller):
    F, H, N, D = INPUT, HIDDEN, 7, 4
    cell = NTM(controller, N, D, n_read=2, n_write=1, shift_range=2).build(F, H)
    inner = {"lstm": 4 * H * (F + H + 1), "gru": 3 * H * (F + H + 1) + H, "feedforward": H * (F + 1)}[controller]
    gates = {"lstm": 4, "gru": 3, "feedforward": 1}[controller]
    emitted = 3 * (D + 3 + 5) + 2 * D
    assert sum(w.numel() for w in cell.parameters()) == inner + gates * H * 2 * D + emitted * (H + 1) + H * 2 * D


@pytest.mark.parametrize(("towards", "step"), [(0, -1), (1, 0), (2, 1)])
def test_a_head_moves_by_place_and_comes_round(towards, step):
    cell = NTM(n_slots=5, slot_size=3).build(INPUT, HIDDEN, torch.Generator().manual_seed(0)).double()
    cell = set_heads(cell, g=-SURE, c=SURE, q=SURE * np.tile(np.arange(3) == towards, 2))
    for k, tape in enumerate(states(cell, random(12, INPUT))):
        torch.testing.assert_close(tape.weightings, torch.eye(5, dtype=torch.float64)[step * (k + 1) % 5].expand(1, 2, 5))


def test_a_head_finds_a_slot_by_what_is_in_it():
    cell = NTM(n_slots=5, slot_size=3).build(INPUT, HIDDEN).double()
    key = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    cell = set_heads(cell, k=key.repeat(2), b=1e3, g=SURE, c=SURE, q=SURE * np.tile(np.arange(3) == 1, 2))
    state = cell.initial_state(1, like=key)
    memory = next(tapes(state)).memory
    memory.copy_(random(1, 5, 3))
    memory[0, 3] = 7 * key  # its length does not matter
    _, state = cell.step(cell.project(random(1, INPUT)), state)
    tape = next(tapes(state))
    torch.testing.assert_close(tape.weightings, torch.eye(5, dtype=torch.float64)[3].expand(1, 2, 5))
    torch.testing.assert_close(tape.read, 7 * key[None])


def test_writing_erases_and_adds_where_the_head_is_alone():
    cell = NTM(n_slots=5, slot_size=2, weighting_start="learned", memory_start="learned").build(INPUT, HIDDEN).double()
    cell = set_heads(cell, g=-SURE, c=SURE, q=SURE * np.tile(np.arange(3) == 1, 2), e=[SURE, -SURE], a=[SURE, 0.5])
    with torch.no_grad():
        cell.w_0.copy_(SURE * torch.eye(5)[[1, 2]])
    before, (tape,) = cell.M_0.detach(), states(cell, random(1, INPUT))
    torch.testing.assert_close(tape.read[0], before[1])
    torch.testing.assert_close(tape.memory[0, 2], torch.tensor([1.0, before[2, 1] + np.tanh(0.5)], dtype=torch.float64))
    torch.testing.assert_close(tape.memory[0, [0, 1, 3, 4]], before[[0, 1, 3, 4]])


@pytest.mark.parametrize("starts", [("learned", "constant"), ("one_hot", "learned"), ("learned", "learned")])
def test_a_learned_start_is_a_start_that_is_given(starts):
    """Zeros before the first step mean the learned start; the same start as numbers gives the same outputs, and only the first step learns it."""
    cell, batch = built(NTM(n_slots=4, slot_size=3, weighting_start=starts[0], memory_start=starts[1])), packed()
    state = cell.initial_state(5, like=batch.data)
    tape = state.tape.value
    w = torch.eye(1, 4).double().expand(2, 4) if cell.w_0 is None else torch.softmax(cell.w_0, -1)
    given = tape._replace(weightings=w.expand(5, 2, 4), memory=tape.memory if cell.M_0 is None else cell.M_0.expand(5, 4, 3))
    with generating(False):
        (y, _), (z, _) = scan(cell, batch), scan(cell, batch, state._replace(tape=state.tape._replace(value=given)))
    assert_same([y.data], [z.data], EXACT)
    learned = [weight for name, weight in cell.named_parameters() if name in ("w_0", "M_0")]
    assert all(float(g.abs().max()) > 1e-6 for g in torch.autograd.grad(y.data.sum(), learned))


def test_weightings_stay_shares_over_three_hundred_steps():
    cell = built(NTM(n_slots=6, slot_size=3, n_read=2), torch.float32)
    for tape in states(cell, 3 * random(300, INPUT, dtype=torch.float32))[::30]:
        assert (tape.weightings >= 0).all()
        torch.testing.assert_close(tape.weightings.sum(-1), torch.ones(1, 3))


def test_gradients_are_finite_where_slots_are_unwritten_and_heads_far_from_them():
    cell = set_heads(NTM(n_slots=30).build(INPUT, HIDDEN).float(), g=-SURE, c=SURE)
    with generating(False):
        _, found = gradients(cell, packed((20, 8), dtype=torch.float32))
    assert all(torch.isfinite(g).all() for g in found)


@pytest.mark.parametrize("cell", [Leaky(NTM()), Zoneout(NTM(controller="gru")), Skip(NTM(), 2, remove_short=True), Skip(NTM(), 2)], ids=repr)
def test_no_wrapper_mixes_the_memory(cell):
    """Weightings are still shares, and the memory is where a wrapper's state is looked into."""
    cell = built(cell).train()
    with generating(False):
        _, last = scan(cell, packed())
    for tape in tapes(last):
        sums = tape.weightings.sum(-1)
        torch.testing.assert_close(sums, torch.ones_like(sums))


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("cell", [NTM(), NTM("gru", n_read=2), NTM("feedforward", memory_start="learned"), Leaky(NTM(n_write=3))], ids=repr)
def test_its_steps_are_compiled(cell, learns):
    assert explain(cell.build(6, 32).train(learns)) is None


def test_bits_do_not_depend_on_company_where_nothing_is_compiled():
    cell, batch = built(NTM(n_read=2), torch.float32), packed((9, 9, 9), dtype=torch.float32)
    with generating(False), torch.no_grad():
        together = scan(cell, batch)[0].data.view(9, 3, HIDDEN)
        alone = [scan(cell, packed((9,), dtype=torch.float32)._replace(data=batch.data.view(9, 3, -1)[:, k]))[0].data for k in range(3)]
    for k in range(3):
        assert torch.equal(together[:, k], alone[k])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"controller": "rnn"}, "'controller' parameter of NTM must be one of .*'feedforward'"),
        ({"controller": GRU()}, "'controller' parameter of NTM must be one of"),
        ({"n_slots": 2}, "'n_slots' parameter of NTM must be a whole number of at least 3"),
        ({"n_slots": 4, "shift_range": 2}, "'n_slots' parameter of NTM must be a whole number of at least 5"),
        ({"slot_size": 0}, "'slot_size' parameter of NTM"),
        ({"n_read": 0}, "'n_read' parameter of NTM"),
        ({"n_write": 1.5}, "'n_write' parameter of NTM"),
        ({"shift_range": -1}, "'shift_range' parameter of NTM must be a whole number of at least 0"),
        ({"weighting_start": "uniform"}, "'weighting_start' parameter of NTM must be one of .*'one_hot', 'learned'"),
        ({"memory_start": "random"}, "'memory_start' parameter of NTM"),
    ],
)
def test_what_it_cannot_be_built_from_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        NTM(**settings).build(INPUT, HIDDEN)
