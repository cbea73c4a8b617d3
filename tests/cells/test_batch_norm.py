import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LSTM, BatchNorm, Elman, VariationalDropout
from skrnn.engine import scan
from tests.cell_settings import HIDDEN, INPUT, RAGGED, assert_same, built, gap, leaves, packed, random, run
from tests.oracles.functions import oracle

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
every_cell = pytest.mark.parametrize("inner", [Elman(), LSTM(), GRU("before")], ids=repr)
ONCE = {"momentum": 1.0}  # running statistics are those of the last batch


def trained(cell, batch, reverse=False):
    """A built cell that has seen a batch while training, and what it put out."""
    cell = built(cell).train()
    y = scan(cell, batch, reverse=reverse)[0].data
    return cell.eval(), y


@every_cell
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_running_statistics_of_the_batch_give_what_the_batch_gave(inner, reverse):
    batch = packed((9,) * 7)
    cell, y = trained(BatchNorm(inner, **ONCE), batch, reverse)
    assert gap(scan(cell, batch, reverse=reverse)[0].data, y) <= EXACT


def test_every_step_of_a_batch_has_mean_zero_and_the_gain_as_deviation():
    cell, batch = built(BatchNorm(Elman(), gain=0.7)).train(), packed((5,) * 400)
    u, n_steps = cell.project(batch.data).split(400)[3], torch.full((400,), 3)
    normal = cell.norm_x(u, n_steps).detach()
    assert float(normal.mean(0).abs().max()) <= EXACT
    assert gap(normal.std(0, correction=0), cell.norm_x.gain.abs()) < 1e-4  # sqrt(var / (var + 1e-5))


def test_steps_have_statistics_of_their_own():
    """The tenth step sees ten times the deviation of the first."""
    x = random(10, 300, F) * torch.arange(1, 11)[:, None, None]
    cell, batch = built(BatchNorm(Elman(), max_steps=20)).train(), packed((10,) * 300)
    scan(cell, batch._replace(data=x.flatten(0, 1)))
    deviation = cell.norm_x.var.sqrt()
    assert gap(deviation[9] / deviation[0], torch.full((H,), 10.0)) < 0.2  # of 300 sequences
    assert torch.equal(deviation[10:], torch.ones(10, H, dtype=torch.float64))


def test_later_steps_share_the_last_statistics():
    cell, _ = trained(BatchNorm(Elman(), max_steps=4), packed((9,) * 6))
    norm, a = cell.norm_h, random(1, H)
    assert norm.n_batches.tolist() == [1, 1, 1, 6]
    assert torch.equal(norm(a, torch.tensor([3])), norm(a, torch.tensor([50])))
    assert not torch.equal(norm(a, torch.tensor([2])), norm(a, torch.tensor([3])))


def test_steps_that_no_batch_has_reached_take_the_last_statistics():
    cell, _ = trained(BatchNorm(Elman(), max_steps=50), packed((4,) * 6))
    norm, a = cell.norm_h, random(1, H)
    assert torch.equal(norm(a, torch.tensor([3])), norm(a, torch.tensor([40])))


@pytest.mark.parametrize(("momentum", "weights"), [(0.1, [1 / 3, 1 / 3, 1 / 3]), (0.5, [0.25, 0.25, 0.5]), (1.0, [0, 0, 1])])
def test_the_first_batches_count_alike_and_then_by_momentum(momentum, weights):
    cell = built(BatchNorm(Elman(), momentum=momentum)).train()
    batches = [packed((1,) * 8, seed=seed) for seed in (1, 20, 40)]
    for batch in batches:
        scan(cell, batch)
    means = torch.stack([cell.project(batch.data).mean(0) for batch in batches])
    assert gap(cell.norm_x.mean[0], torch.tensor(weights, dtype=torch.float64) @ means) <= EXACT


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_ragged_batches_count_where_two_sequences_are_left(reverse):
    """Forward a step is the same for all; backward 7 steps long sequences have made some when the shorter ones begin."""
    cell, _ = trained(BatchNorm(Elman(), max_steps=8), packed(RAGGED), reverse)
    assert cell.norm_x.n_batches[:7].gt(0).all()
    assert cell.norm_x.n_batches[7] == 0
    alone, _ = trained(BatchNorm(Elman()), packed((5,)), reverse)
    assert alone.norm_x.n_batches.eq(0).all()


@pytest.mark.parametrize("inner", [Elman("relu"), LSTM(peephole=True), GRU("before")], ids=repr)
def test_after_training_it_computes_its_equations(inner):
    cell, _ = trained(BatchNorm(inner, max_steps=5), packed((4,) * 6))
    (y,), _ = run(cell, packed((9,)))
    step, state = oracle(cell), cell.initial_state(1, like=random(1))
    now = tuple(np.zeros(H) for _ in leaves(state.state)) if isinstance(state.state, tuple) else np.zeros(H)
    now = (now, 0)
    for x, row in zip(packed((9,)).data.numpy(), y, strict=True):
        expected, now = step(x, now)
        np.testing.assert_allclose(row.detach(), expected, rtol=0, atol=EXACT)


def test_the_bias_stays_outside():
    """Cooijmans et al. (2016): BN(W x) + b; what is alike in all sequences leaves b alone."""
    cell, batch = built(BatchNorm(Elman())).train(), packed((3,) * 4)
    y = scan(cell, batch._replace(data=torch.ones_like(batch.data)))[0].data
    assert gap(y, torch.tanh(cell.cell_.b).expand(12, H)) <= EXACT


def test_the_scale_of_the_input_and_of_its_weights_does_not_matter():
    cell, batch = built(BatchNorm(LSTM())).train(), packed((6,) * 30)
    y = scan(cell, batch)[0].data
    assert gap(scan(cell, batch._replace(data=1000 * batch.data))[0].data, y) < 1e-3  # var + 1e-5
    assert gap(scan(cell, batch._replace(data=batch.data + 5))[0].data, y) <= 1e-9  # a small difference of large numbers


def test_the_gradient_passes_through_the_statistics_and_no_buffer():
    cell, batch = built(BatchNorm(LSTM())).train(), packed((5,) * 4)
    batch.data.requires_grad_()
    outputs = scan(cell, batch)[0].data
    assert torch.autograd.gradcheck(lambda *_: scan(cell, batch)[0].data, (batch.data, *cell.parameters()), fast_mode=True)
    outputs.sum().backward()
    assert all(w.grad is not None for w in cell.parameters())
    assert not any(b.requires_grad for b in cell.buffers())


def test_it_normalises_what_a_wrapper_inside_takes_for_its_input():
    cell, batch = built(BatchNorm(VariationalDropout(LSTM()))), packed()
    assert cell.norm_x.gain.shape == (F,)
    assert torch.isfinite(scan(cell.train(), batch)[0].data).all()


def test_number_of_weights():
    """A gain for each of the 4 H sums that x goes into and for each unit."""
    plain, normal = (sum(w.numel() for w in cell.build(F, H).parameters()) for cell in (LSTM(), BatchNorm(LSTM())))
    assert normal == plain + 4 * H + H


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_steps", 0, "a whole number of at least 1"),
        ("max_steps", 2.5, "a whole number of at least 1"),
        ("momentum", 0.0, r"a share in \(0, 1\]"),
        ("momentum", 1.5, r"a share in \(0, 1\]"),
        ("momentum", None, r"a share in \(0, 1\]"),
    ],
)
def test_bad_settings_are_refused_by_name(name, value, expected):
    with pytest.raises(ValueError, match=f"'{name}' parameter of BatchNorm must be {expected}; got "):
        BatchNorm(**{name: value}).build(F, H)


@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_predictions_after_training_do_not_depend_on_the_batch(reverse):
    cell, _ = trained(BatchNorm(LSTM()), packed(RAGGED), reverse)
    outputs, last = run(cell, packed(RAGGED), reverse=reverse)
    for i, n in enumerate(RAGGED):
        (y,), alone = run(cell, packed((n,), seed=1 + i), reverse=reverse)
        assert_same([outputs[i], *(s[i] for s in last)], [y, *(s[0] for s in alone)], EXACT)
