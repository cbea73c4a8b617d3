import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman, RecurrentDropout, Residual, Skip, VariationalDropout, Zoneout
from skrnn.engine import generating, scan
from tests.cell_settings import HIDDEN, INPUT, assert_same, built, gap, leaves, pack_all, packed, random, random_state, without_kernel

F, H = INPUT, HIDDEN
EXACT = 1e-12  # float64
INNER = [Elman(), LSTM(), GRU("before")]
every_cell = pytest.mark.parametrize("inner", INNER, ids=repr)


def noisy(cell, seed=5, **sizes):
    """A built cell that trains and draws from ``seed``."""
    return built(cell, **sizes).train().draw_from(torch.Generator().manual_seed(seed))


def one_step(cell, state, n=1):
    """Output and state after a step with random input."""
    return cell.step(cell.project(random(n, cell.input_size)), state)


# -- what holds for all ---------------------------------------------------------------------------------------------------------------------------


NOISE = [Zoneout(LSTM()), VariationalDropout(LSTM()), RecurrentDropout(LSTM())]
every_noise = pytest.mark.parametrize("cell", NOISE, ids=repr)


@every_noise
def test_the_noise_follows_from_the_generator(cell):
    first, again, other = (scan(noisy(cell, seed), packed())[0].data for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@every_noise
def test_the_noise_leaves_the_global_generator_alone(cell):
    before = torch.get_rng_state()
    scan(noisy(cell), packed())
    assert torch.equal(torch.get_rng_state(), before)


@every_noise
def test_without_a_generator_the_noise_comes_from_torch(cell):
    cell, before = built(cell).train().draw_from(None), torch.get_rng_state()
    scan(cell, packed())
    assert not torch.equal(torch.get_rng_state(), before)
    torch.set_rng_state(before)


@every_noise
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_the_noise_is_the_same_in_every_precision(cell, dtype):
    """The same units are hit, or the outputs would differ by more than rounding; programs, which draw for all steps at once, run in these two."""
    with generating(dtype == torch.float32):
        low, high = (
            scan(built(cell, d).train().draw_from(torch.Generator().manual_seed(3)), packed(dtype=d))[0].data for d in (dtype, torch.float64)
        )
    assert low.dtype == dtype
    assert (low.double() - high).norm() <= (1e-5 if dtype == torch.float32 else 0.05) * high.norm()


@every_noise
def test_a_prediction_is_without_noise(cell):
    cell, batch = built(cell).draw_from(torch.Generator().manual_seed(0)), packed()
    assert torch.equal(scan(cell, batch)[0].data, scan(cell, batch)[0].data)


@every_cell
@pytest.mark.parametrize(
    "around",
    [
        lambda inner: Zoneout(inner, 0.0, 0.0),
        lambda inner: VariationalDropout(inner, 0.0, 0.0),
        lambda inner: RecurrentDropout(inner, 0.0),
    ],
    ids=["Zoneout", "VariationalDropout", "RecurrentDropout"],
)
@pytest.mark.parametrize("training", [False, True], ids=["predict", "train"])
def test_rates_of_zero_give_the_bits_of_the_cell_inside(inner, around, training):
    cell, batch = without_kernel(built(around(inner))).train(training), packed()
    assert torch.equal(*(scan(without_kernel(c), batch)[0].data for c in (cell, cell.cell_)))


def test_predictions_without_noise_have_the_kernel_of_the_cell_inside():
    assert all(built(cell).kernel() is not None for cell in (VariationalDropout(LSTM()), RecurrentDropout(LSTM()), Zoneout(LSTM(), 0.0, 0.0)))
    assert built(Zoneout(LSTM())).kernel() is None
    assert all(noisy(cell).kernel() is None for cell in (VariationalDropout(LSTM()), RecurrentDropout(LSTM())))


@pytest.mark.parametrize(
    ("kind", "name", "end"),
    [
        (Zoneout, "hidden_rate", r"\]"),
        (Zoneout, "cell_rate", r"\]"),
        (VariationalDropout, "input_rate", r"\)"),
        (VariationalDropout, "recurrent_rate", r"\)"),
        (RecurrentDropout, "rate", r"\)"),
    ],
)
@pytest.mark.parametrize("rate", [-0.1, 1.1, np.nan, None, "much"])
def test_a_rate_that_is_no_share_is_refused(kind, name, end, rate):
    with pytest.raises(ValueError, match=rf"'{name}' parameter of {kind.__name__} must be a share in \[0, 1{end}; got "):
        kind(**{name: rate}).build(F, H)


# -- zoneout --------------------------------------------------------------------------------------------------------------------------------------


@every_cell
@pytest.mark.parametrize("training", [False, True], ids=["predict", "train"])
def test_a_rate_of_one_freezes_the_state(inner, training):
    cell, batch = noisy(Zoneout(inner, 1.0, 1.0)).train(training), packed()
    state = random_state(cell, 5)
    y, last = scan(cell, batch, state)
    assert all(torch.equal(a, b) for a, b in zip(leaves(last), leaves(state), strict=True))
    assert torch.equal(y.data[:5], leaves(state)[0])


def test_while_training_every_unit_keeps_its_state_or_takes_the_new_one():
    cell = noisy(Zoneout(LSTM(), 0.3, 0.6), hidden_size=500)
    before = random_state(cell, 4)
    _, after = one_step(cell, before, 4)
    _, new = one_step(cell.cell_, before, 4)
    for old, now, fresh, rate in zip(before, after, new, (0.3, 0.6), strict=True):
        kept = now == old
        assert torch.equal(now[~kept], fresh[~kept])
        assert abs(float(kept.double().mean()) - rate) < 0.05  # 2000 units: 4.5 standard deviations


def test_the_hidden_state_comes_from_the_cell_before_it_is_zoned_out():
    """Krueger et al. (2017): h sees c~."""
    cell, state = noisy(Zoneout(LSTM(), 0.0, 1.0)), random_state(LSTM().build(F, H), 1)
    y, after = one_step(cell, state)
    expected, _ = one_step(cell.cell_, state)
    assert torch.equal(y, expected)
    assert torch.equal(after.c, state.c)


def test_a_prediction_takes_the_mean_of_the_training_steps():
    cell = noisy(Zoneout(LSTM(), 0.3, 0.6))
    state = random_state(cell, 1)
    draws = [torch.cat(one_step(cell, state)[1]) for _ in range(4000)]
    expected = torch.cat(one_step(cell.eval(), state)[1])
    assert gap(torch.stack(draws).mean(0), expected) < 0.05  # the largest of 12 means, 4.5 standard deviations


# -- variational dropout --------------------------------------------------------------------------------------------------------------------------


@every_cell
def test_a_sequence_does_without_the_same_inputs_and_units_at_every_step(inner):
    """What a step does follows from its input, the state and the sequence's factors alone."""
    cell = noisy(VariationalDropout(inner, 0.4, 0.4))
    state = cell.initial_state(2, like=random(1))
    m_x, m_h = state.masks.value
    inside, x = state.state, random(6, 2, F)
    for row in x:
        y, state = cell.step(cell.project(row), state)
        seen = (m_h * inside[0], *inside[1:]) if isinstance(inside, tuple) else m_h * inside
        expected, inside = cell.cell_.step(cell.cell_.project(m_x * row), seen)
        assert gap(y, expected) <= EXACT
    assert all(torch.equal(a, b) for a, b in zip(state.masks.value, (m_x, m_h), strict=True))


def test_factors_are_one_on_average_and_differ_between_sequences():
    cell = noisy(VariationalDropout(None, 0.2, 0.5), input_size=40, hidden_size=50)
    for factors, rate in zip(cell.initial_state(200, like=random(1)).masks.value, (0.2, 0.5), strict=True):
        assert set(factors.unique().tolist()) == {0.0, 1 / (1 - rate)}
        assert abs(float(factors.mean()) - 1) < 0.05  # of 8000 or more
        assert not torch.equal(factors[0], factors[1])


def test_without_input_dropout_the_projection_is_made_ahead():
    x = random(4, F)
    ahead, inside = built(VariationalDropout(LSTM(), 0.0)), built(VariationalDropout(LSTM(), 0.5))
    assert torch.equal(ahead.project(x), ahead.cell_.project(x))
    assert torch.equal(inside.project(x), x)


# -- recurrent dropout ----------------------------------------------------------------------------------------------------------------------------


def test_in_the_lstm_it_drops_what_the_input_gate_lets_in():
    """Semeniuta et al. (2016): c(t) = f(t) c(t-1) + i(t) d(g(t))."""
    cell = noisy(RecurrentDropout(LSTM(), 0.4), hidden_size=300)
    state, x = random_state(cell, 2), random(2, F)
    y, after = cell.step(cell.project(x), state)
    i, f, g, o = (cell.project(x) + state.h @ cell.cell_.R.T).chunk(4, 1)
    kept, new = torch.sigmoid(f) * state.c, torch.sigmoid(i) * torch.tanh(g)
    dropped = (after.c - kept).abs() < 0.1 * new.abs()
    assert gap(after.c, kept + ~dropped * new / 0.6) <= EXACT
    assert abs(float(dropped.double().mean()) - 0.4) < 0.1  # of 600: 5 standard deviations
    assert gap(y, torch.sigmoid(o) * torch.tanh(kept + new)) <= EXACT


@every_cell
def test_the_memory_is_the_cells_on_average(inner):
    cell = noisy(RecurrentDropout(inner, 0.4))
    state = random_state(cell, 1)
    draws = [leaves(one_step(cell, state)[1])[-1] for _ in range(4000)]
    assert gap(torch.stack(draws).mean(0), leaves(one_step(cell.eval(), state)[1])[-1]) < 0.1


def test_a_linear_memory_is_never_lost():
    """A step without input leaves what R makes of the state, whatever is dropped."""
    cell = noisy(RecurrentDropout(Elman("relu"), 0.5))
    torch.nn.init.zeros_(cell.cell_.b)
    state = torch.rand(3, H, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y, _ = cell.step(cell.project(torch.zeros(3, F, dtype=torch.float64)), state)
    assert gap(y, torch.relu(state @ cell.cell_.R.T)) <= EXACT


# -- around other wrappers ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("around", [Zoneout, RecurrentDropout])
def test_noise_leaves_alone_what_only_rides_along(around):
    cell = noisy(around(Skip(VariationalDropout(LSTM()), 3)))
    before = cell.initial_state(2, like=random(1))
    for row in random(5, 2, F):
        _, after = cell.step(cell.project(row), before)
        assert torch.equal(after.past.value[:, :-1], before.past.value[:, 1:])
        assert all(torch.equal(a, b) for a, b in zip(leaves(after.state.masks), leaves(before.state.masks), strict=True))
        before = after


def test_an_output_that_is_not_the_hidden_state_stays():
    cell = built(Zoneout(Residual(LSTM())))
    x, state = random(1, F), random_state(cell, 1)
    y, _ = cell.step(cell.project(x), state)
    expected, _ = cell.cell_.step(cell.cell_.project(x), state)
    assert_same([y], [expected], EXACT)
    assert gap(scan(cell, pack_all([x]), state)[0].data, y) <= EXACT
