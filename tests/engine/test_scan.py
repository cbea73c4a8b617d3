import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman, Leaky, map_state
from skrnn.engine import TimeSlices, scan
from tests.cell_settings import assert_same, built, gradients, pack_all, packed, random, random_state, sequences

EXACT = 1e-12  # float64, relative
some_cells = pytest.mark.parametrize("cell", [Elman(), LSTM(), GRU(), Leaky(LSTM(layer_norm=True))], ids=repr)
both_directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])


def of_weights(cell, outputs, last):
    """Gradients of a random projection of the outputs and the final state in the weights."""
    values = [outputs, *map_leaves(last)]
    total = sum((v * random(*v.shape, seed=k)).sum() for k, v in enumerate(values))
    return torch.autograd.grad(total, list(cell.parameters()), materialize_grads=True)


def map_leaves(state):
    found = []
    map_state(lambda s: found.append(s) or s, state)
    return found


@some_cells
@both_directions
@pytest.mark.parametrize("detach_every", [7, 100])
def test_truncation_beyond_the_last_step_is_none(cell, reverse, detach_every):
    cell, batch = built(cell), packed()
    cut, full = (of_weights(cell, *data_and_state(cell, batch, reverse, k)) for k in (detach_every, None))
    assert_same(cut, full, EXACT)


def data_and_state(cell, batch, reverse, detach_every):
    outputs, last = scan(cell, batch, reverse=reverse, detach_every=detach_every)
    return outputs.data, last


@some_cells
@both_directions
@pytest.mark.parametrize("detach_every", [1, 2, 3])
def test_truncation_is_a_scan_of_pieces_whose_states_are_constants(cell, reverse, detach_every):
    """Equal lengths, so that the pieces can be cut by hand."""
    cell, xs = built(cell), sequences((7, 7, 7))
    state, pieces = random_state(cell, 3), []
    firsts = range(0, 7, detach_every)
    for first in reversed(firsts) if reverse else firsts:
        state = map_state(torch.Tensor.detach, state)
        outputs, state = scan(cell, pack_all([x[first : first + detach_every] for x in xs]), state, reverse=reverse)
        pieces.append(outputs.data)
    by_hand = of_weights(cell, torch.cat(pieces[::-1] if reverse else pieces), state)
    outputs, last = scan(cell, pack_all(xs), random_state(cell, 3), reverse=reverse, detach_every=detach_every)
    assert_same(of_weights(cell, outputs.data, last), by_hand, EXACT)


@both_directions
def test_truncation_of_a_ragged_batch_is_that_of_its_sequences(reverse):
    """A piece ends at the same time step for all, so sequences that begin together are cut alike."""
    cell, xs = built(LSTM()), sequences((4, 7, 1, 7, 3))
    v = [random(len(x), 6, seed=k) for k, x in enumerate(xs)]
    together = scan(cell, pack_all(xs), reverse=reverse, detach_every=3)[0]
    total = (together.data * pack_all(v).data).sum()
    alone = sum((scan(cell, pack_all([x]), reverse=reverse, detach_every=3)[0].data * w).sum() for x, w in zip(xs, v, strict=True))
    assert_same(torch.autograd.grad(total, list(cell.parameters())), torch.autograd.grad(alone, list(cell.parameters())), EXACT)


@both_directions
def test_truncation_after_every_step_leaves_no_gradient_through_time(reverse):
    """The gradient in the input of each step comes from the output of this step alone."""
    cell, batch = built(Elman()), packed((5, 5))
    batch.data.requires_grad_()
    outputs, _ = scan(cell, batch, reverse=reverse, detach_every=1)
    for t in range(5):
        (g,) = torch.autograd.grad(outputs.data[2 * t : 2 * t + 2].sum(), batch.data, retain_graph=True)
        others = torch.arange(10) // 2 != t
        assert g[~others].all()
        assert not g[others].any()


@some_cells
@both_directions
def test_a_state_that_is_given_is_where_the_scan_begins(cell, reverse):
    cell, batch = built(cell), packed()
    start = random_state(cell, 5)
    default, given, zero = (gradients(cell, batch, s, reverse=reverse)[0][0] for s in (None, start, cell.initial_state(5, like=batch.data)))
    assert torch.equal(default, zero)
    assert not torch.equal(default, given)


def test_outputs_stand_at_their_steps_in_both_directions():
    """In reverse, the output of the last step has seen one input, and that of the first all."""
    cell, (x,) = built(GRU()), sequences((6,))
    whole = scan(cell, pack_all([x]), reverse=True)[0].data
    for first in range(6):
        assert_same([scan(cell, pack_all([x[first:]]), reverse=True)[0].data[0]], [whole[first]], EXACT)


@both_directions
@pytest.mark.parametrize("n_steps", [1, 3, 7, 100])
def test_pieces_of_a_batch_are_views_that_make_it_up(reverse, n_steps):
    batch = packed()
    pieces = list(TimeSlices(batch, n_steps, reverse=reverse))
    in_order = pieces[::-1] if reverse else pieces
    assert torch.equal(torch.cat([piece.data for piece in in_order]), batch.data)
    assert torch.equal(torch.cat([piece.batch_sizes for piece in in_order]), batch.batch_sizes)
    assert all(len(piece.batch_sizes) == n_steps for piece in in_order[:-1])
    assert len({piece.data.untyped_storage().data_ptr() for piece in [*pieces, batch]}) == 1


def test_a_scan_changes_no_argument():
    cell, batch = built(LSTM()), packed()
    state = random_state(cell, 5)
    before = [t.clone() for t in (*batch, *state)]
    scan(cell, batch, state)
    assert all(torch.equal(a, b) for a, b in zip((*batch, *state), before, strict=True))
