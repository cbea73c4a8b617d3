import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LSTM, Elman
from skrnn.cells._starts import RECURRENT_STARTS, input_weights, recurrent_weights, small
from tests.cell_settings import INPUT, grid

H = 60
SINGLE = 1e-6  # drawn in float32
every_start = pytest.mark.parametrize("start", RECURRENT_STARTS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def square(start, size=H):
    return recurrent_weights([size], size, start, generator()).detach()


def radius(R):
    return float(torch.linalg.eigvals(R.double()).abs().max())


@pytest.fixture
def in_double():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def test_orthogonal():
    R = square("orthogonal")
    assert (R.T @ R - torch.eye(H)).abs().max() < SINGLE


@pytest.mark.parametrize("rows", [20, 90])
def test_a_block_that_is_not_square_has_orthonormal_rows_or_columns(rows):
    R = recurrent_weights([rows], H, "orthogonal", generator()).detach()
    gram = R @ R.T if rows < H else R.T @ R
    assert (gram - torch.eye(len(gram))).abs().max() < SINGLE


def test_identity():
    assert torch.equal(square("identity"), torch.eye(H))


@pytest.mark.parametrize(("start", "bound"), [("uniform", H**-0.5), ("glorot", (3 / H) ** 0.5)])
def test_uniform_numbers_fill_their_bounds(start, bound):
    R = square(start)
    assert 0.99 * bound < R.abs().max() <= bound
    assert abs(float(R.std()) * 3**0.5 / bound - 1) < 0.03  # 3600 numbers: the standard error is 0.7 %
    assert abs(float(R.mean())) < 0.04 * bound


def test_glorot_counts_both_sides_of_a_block():
    R = recurrent_weights([20], H, "glorot", generator())
    assert 0.98 * (6 / 80) ** 0.5 < R.abs().max() <= (6 / 80) ** 0.5


@pytest.mark.parametrize("size", [1, 2, 5, H])
def test_the_spectral_radius_is_095(size):
    assert radius(square("spectral_radius", size)) == pytest.approx(0.95, abs=SINGLE)


def test_a_matrix_of_a_spectral_radius_is_full_and_normal():
    """Circular law: numbers of deviation s have the radius s sqrt(H)."""
    R = square("spectral_radius", 300)
    assert R.all()
    assert float(R.std()) * 300**0.5 == pytest.approx(0.95, rel=0.1)
    assert float((R.abs() < R.std()).double().mean()) == pytest.approx(0.683, abs=0.01)


@every_start
@pytest.mark.parametrize("rows", [20, H, 90])
def test_blocks_of_any_height_have_their_shape_and_follow_each_other(start, rows):
    R = recurrent_weights([rows, H], H, start, generator())
    assert R.shape == (rows + H, H)
    assert torch.equal(R[:rows], recurrent_weights([rows], H, start, generator()))


@every_start
@pytest.mark.parametrize("make", [Elman, GRU, LSTM], ids=lambda make: make.__name__)
def test_every_gate_has_the_start(make, start):
    blocks = make(recurrent_init=start).build(INPUT, H, generator()).R.detach().split(H)
    first = {"orthogonal": lambda R: (R.T @ R).diagonal().mean(), "spectral_radius": radius}.get(start, lambda R: R.abs().max())
    assert [float(first(R)) for R in blocks] == pytest.approx([float(first(square(start)))] * len(blocks), rel=0.01)
    assert start == "identity" or not any(torch.equal(blocks[0], R) for R in blocks[1:])


@every_start
def test_the_generator_decides(start):
    R, again, other = (recurrent_weights([H], H, start, generator(seed)) for seed in (3, 3, 4))
    assert torch.equal(R, again)
    assert start == "identity" or not torch.equal(R, other)


SETTINGS = [
    *(make(recurrent_init=start) for make in (Elman, GRU, LSTM) for start in RECURRENT_STARTS),
    *(LSTM(peephole=True, gate_recurrence="all", **given) for given in grid(chrono=[None, 30], forget=["gate", "coupled"])),
    GRU(chrono=30),
]


@pytest.mark.usefixtures("in_double")
@pytest.mark.parametrize("cell", SETTINGS, ids=repr)
def test_the_weights_are_the_same_in_every_dtype(cell):
    double = [w.detach().clone() for w in cell.build(INPUT, 8, generator()).parameters()]
    torch.set_default_dtype(torch.float32)
    single = list(cell.build(INPUT, 8, generator()).parameters())
    assert {w.dtype for w in double} == {torch.float64}
    assert {w.dtype for w in single} == {torch.float32}
    assert all(torch.equal(d, s.double()) for d, s in zip(double, single, strict=True))


def test_input_weights_fill_the_bound_of_each_gate():
    W = input_weights(90, 10, generator(), n_blocks=3)
    assert W.shape == (270, 10)
    for block in W.split(90):
        assert 0.98 * 0.06**0.5 < block.abs().max() <= 0.06**0.5


def test_small_weights_fill_their_bound():
    assert 0.99 / 8 < small((30, 64), 64, generator()).abs().max() <= 1 / 8


def test_an_unknown_start_is_refused():
    with pytest.raises(ValueError, match=r"recurrent_init must be one of \['orthogonal', .*\]; got 'zeros'"):
        recurrent_weights([H], H, "zeros", generator())


# -- chrono --------------------------------------------------------------------------------------------------------------------------------------

LONGEST = 101


@pytest.fixture(scope="module")
def many():
    """Biases of 2000 units: enough for statistics."""
    return {make: make(chrono=LONGEST, recurrent_init="identity").build(1, 2000, generator()).b.detach().split(2000) for make in (GRU, LSTM)}


@pytest.mark.parametrize("make", [GRU, LSTM], ids=lambda make: make.__name__)
def test_time_constants_are_uniform_between_one_and_the_longest(make, many):
    """A gate of bias b keeps σ(b), for 1 / (1 − σ(b)) = 1 + exp(b) steps (Tallec & Ollivier, 2018)."""
    steps = np.sort(np.exp(many[make][1].double().numpy()))
    expected = 1 + (LONGEST - 2) * (np.arange(2000) + 0.5) / 2000
    assert np.abs(steps - expected).max() < 0.035 * LONGEST  # Kolmogorov & Smirnov: 1.36 / sqrt(2000) = 0.03
    assert 1 <= steps.min() < steps.max() <= LONGEST - 1 + 1e-4


def test_the_other_biases_stay_and_the_input_gate_mirrors_the_forget_gate(many):
    r, _, n = many[GRU]
    i, f, g, o = many[LSTM]
    assert torch.equal(i, -f)
    assert not any(b.any() for b in (r, n, g, o))


@pytest.mark.parametrize("forget", ["none", "coupled"])
def test_chrono_without_forget_gate_starts_the_input_gate(forget):
    i, g, o = LSTM(forget, chrono=LONGEST).build(1, 50, generator()).b.detach().split(50)
    assert -np.log(LONGEST - 1) < i.min() < i.max() < 0
    assert not torch.cat([g, o]).any()


def test_chrono_without_input_gate_starts_the_forget_gate():
    f, g, o = LSTM(chrono=LONGEST, input_gate=False).build(1, 50, generator()).b.detach().split(50)
    assert 0 < f.min() < f.max() < np.log(LONGEST - 1)
    assert not torch.cat([g, o]).any()


def test_cells_of_a_block_have_one_chrono_bias():
    b = LSTM(chrono=LONGEST, block_size=5).build(1, 50, generator()).b.detach()
    assert torch.equal(b[:10], -b[10:20])
    assert b[:10].unique().numel() == 10


def test_a_dependency_of_two_steps_starts_every_gate_half_open():
    assert not LSTM(chrono=2).build(1, 5, generator()).b.any()


@pytest.mark.parametrize("make", [GRU, LSTM], ids=lambda make: make.__name__)
def test_chrono_changes_no_other_weight(make):
    plain, chrono = (make(chrono=longest).build(INPUT, 8, generator()) for longest in (None, LONGEST))
    assert torch.equal(plain.W, chrono.W)
    assert torch.equal(plain.R, chrono.R)


@pytest.mark.parametrize("make", [GRU, LSTM], ids=lambda make: make.__name__)
@pytest.mark.parametrize("chrono", [1, 0, -5, 2.5, "10", True])
def test_a_chrono_that_is_no_number_of_steps_is_refused(make, chrono):
    match = rf"'chrono' parameter of {make.__name__} must be a number of time steps of at least 2, or None; got {chrono!r}"
    with pytest.raises(ValueError, match=match):
        make(chrono=chrono).build(INPUT, 6)


def test_gates_without_bias_refuse_chrono():
    with pytest.raises(ValueError, match=r"'chrono' parameter of GRU must be None where gates='gru2' have no bias; got 50"):
        GRU(gates="gru2", chrono=50).build(INPUT, 6)
