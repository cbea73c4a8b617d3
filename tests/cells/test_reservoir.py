import numpy as np
import pytest
import torch
from scipy import sparse

from skrnn.cells import Leaky, Reservoir, spectral_radius
from skrnn.engine import scan
from tests.cell_settings import assert_same, gap, gradients, pack_all, packed, random, run, sequences, without_kernel

EXACT = 1e-12  # float64
RNG = np.random.default_rng(0)
SINGLE = 2e-6  # float32
TOPOLOGIES = ["random", "cycle", "cycle_jumps", "delay_line", "orthogonal", "small_world"]
every_size = pytest.mark.parametrize("size", [1, 2, 6, 33, 120])


def made(size=40, n_features=3, seed=0, dtype=torch.float64, **settings):
    return Reservoir(**settings).build(n_features, size, torch.Generator().manual_seed(seed)).to(dtype).eval()


def modulus(R):
    """All eigenvalues, whatever the size."""
    return abs(np.linalg.eigvals(R.toarray() if sparse.issparse(R) else R)).max()


# -- scales ------------------------------------------------------------------------------------------------------------------------------------

ONES = {"spectral_radius": 1.0, "leak_rate": 1.0, "input_scaling": 1.0, "bias_scaling": 1.0}
SCALES = {"spectral_radius": 0.7, "leak_rate": 0.3, "input_scaling": 0.45, "bias_scaling": 0.0}


@pytest.mark.parametrize("size", [40, 700])
def test_from_scales_of_one_a_rescaled_reservoir_is_multiplied_to_the_bit(size):
    unit = made(size, **ONES)
    weights = {name: buffer.clone() for name, buffer in unit.named_buffers()}
    cell = unit.rescaled(**SCALES)
    assert torch.equal(cell.W, unit.W * 0.45)
    assert torch.equal(cell.b, unit.b * 0)
    assert (cell.recurrent_matrix() != unit.recurrent_matrix() * 0.7).sum() == 0
    assert cell.a.tolist() == [0.3] * size
    assert repr(cell) == repr(Reservoir(**SCALES))
    assert not cell.training
    assert all(torch.equal(buffer, weights[name]) for name, buffer in unit.named_buffers())


@pytest.mark.parametrize("settings", [{}, {"input_scaling": (0.1, 1.0, 2.0), "leak_rate": 0.5}, {"topology": "cycle"}], ids=str)
def test_a_rescaled_reservoir_is_the_one_of_the_same_seed_with_other_scales(settings):
    other = {"spectral_radius": 1.2, "input_scaling": (3.0, 0.0, 1.0), "leak_rate": tuple(np.linspace(0.1, 1, 40))}
    got, expected = made(**settings).rescaled(**other), made(**settings | other)
    assert_same([got.W, got.b, got.R, got.a], [expected.W, expected.b, expected.R, expected.a], EXACT)
    assert made(**settings).rescaled(leak_rate=1).a is None


def test_weights_that_were_given_are_not_rescaled():
    given = {"recurrent_weights": RNG.normal(size=(40, 40)), "input_weights": RNG.normal(size=(40, 3)), "bias": RNG.normal(size=40)}
    cell, plain = made(**given).rescaled(**SCALES), made(**given)
    assert_same([cell.W, cell.b, cell.R], [plain.W, plain.b, plain.R], 0.0)
    assert cell.a.tolist() == [0.3] * 40


def test_a_rescaled_reservoir_keeps_its_precision_and_checks_its_scales():
    cell = made(dtype=torch.float32).rescaled(leak_rate=0.3, input_scaling=2.0)
    assert {buffer.dtype for buffer in cell.buffers()} == {torch.float32}
    with pytest.raises(ValueError, match=r"'leak_rate' parameter of Reservoir must be in \(0, 1\]; got 1.5"):
        cell.rescaled(leak_rate=1.5)
    with pytest.raises(ValueError, match=r"bias_scaling=0\.0 has left nothing of the weights"):
        made(bias_scaling=0.0).rescaled(bias_scaling=1.0)


# -- connections -------------------------------------------------------------------------------------------------------------------------------


@every_size
@pytest.mark.parametrize("weights", ["uniform", "normal", "sign"])
@pytest.mark.parametrize("topology", [t for t in TOPOLOGIES if t != "delay_line"])
def test_the_spectral_radius_is_exact(topology, weights, size):
    R = made(size, topology=topology, weights=weights, spectral_radius=1.3).recurrent_matrix()
    assert modulus(R) == pytest.approx(1.3, rel=1e-6 if topology == "cycle_jumps" else 1e-9)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
@pytest.mark.parametrize("weights", ["uniform", "sign"])
def test_the_spectral_radius_of_a_large_reservoir_is_exact(weights, seed):
    """One vector of ARPACK misses the largest eigenvalue of one of these matrices in three, by about a per cent."""
    R = made(900, seed=seed, weights=weights, spectral_radius=0.7).recurrent_matrix()
    assert sparse.issparse(R)
    assert modulus(R) == pytest.approx(0.7, rel=1e-9)


@every_size
def test_the_same_number_of_inputs_for_each_unit(size):
    for topology in ("random", "small_world"):
        for settings, expected in (({}, min(10, size)), ({"fan_in": 1}, 1), ({"density": 0.5}, max(1, round(size / 2))), ({"fan_in": size}, size)):
            R = made(size, topology=topology, **settings).recurrent_matrix()
            assert (np.count_nonzero(R, axis=1) == expected).all()


def test_the_random_sources_are_any_units():
    R = made(400, fan_in=20).recurrent_matrix()
    fan_out = np.count_nonzero(R, axis=0)
    assert fan_out.sum() == 400 * 20
    assert 5 < fan_out.min() < fan_out.max() < 45  # binomial with mean 20 and deviation 4.4


def test_a_cycle_and_a_delay_line():
    shifted = 0.9 * np.eye(7, k=-1)
    np.testing.assert_array_equal(made(7, topology="delay_line").recurrent_matrix(), shifted)
    shifted[0, -1] = 0.9
    np.testing.assert_array_equal(made(7, topology="cycle").recurrent_matrix(), shifted)


def test_a_cycle_with_jumps():
    """Rodan & Tiňo (2012): of 18 units, jumps of 3 go all the way around; of jumps of 4, the last ends before the cycle closes."""
    for jump, stops in ((3, [0, 3, 6, 9, 12, 15, 0]), (4, [0, 4, 8, 12, 16])):
        there = made(18, topology="cycle_jumps", jump_length=jump).recurrent_matrix() > 0
        expected = np.roll(np.eye(18, dtype=bool), 1, axis=0)
        expected[stops[1:], stops[:-1]] = expected[stops[:-1], stops[1:]] = True
        np.testing.assert_array_equal(there, expected)


def test_an_orthogonal_reservoir():
    R = made(30, topology="orthogonal", spectral_radius=0.5).recurrent_matrix()
    np.testing.assert_allclose(R @ R.T, 0.25 * np.eye(30), atol=1e-14)


def test_a_small_world_has_few_long_connections():
    R = made(300, topology="small_world", fan_in=6).recurrent_matrix()
    units, sources = np.nonzero(R)
    distance = np.minimum((units - sources) % 300, (sources - units) % 300)
    assert 0.05 < (distance > 3).mean() < 0.15


def test_weights_and_scales():
    cell = made(200, weights="sign", input_scaling=(0.0, 0.1, 2.0), bias_scaling=0.5)
    np.testing.assert_allclose(cell.W.abs(), np.tile([0, 0.1, 2], (200, 1)), atol=EXACT)
    np.testing.assert_allclose(cell.b.abs(), 0.5, atol=EXACT)
    uniform = made(2000, n_features=1, input_scaling=0.4).W
    assert 0.39 < uniform.abs().max() <= 0.4
    assert 0.9 < made(2000, n_features=1, weights="normal", input_scaling=1.0).W.std() < 1.1


def test_scales_do_not_change_what_is_drawn():
    one, other = made(), made(spectral_radius=0.45, input_scaling=0.6, bias_scaling=0.1, leak_rate=0.2)
    assert_same([2 * other.R, other.W / 2, 2 * other.b], [one.R, one.W, one.b], EXACT)
    assert torch.equal(made(topology="cycle").W, one.W)


def test_no_recurrence_at_all():
    assert not made(spectral_radius=0.0).R.any()


def test_nothing_is_trained():
    cell = made(600)
    assert not list(cell.parameters())
    assert {"W", "b", "values", "rows", "columns"} == set(cell.state_dict())
    assert cell.values.numel() == 6000


# -- the spectral radius -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 30, pytest.param(800, marks=pytest.mark.slow)])
def test_the_radius_of_matrices_with_known_eigenvalues(size):
    rng = np.random.default_rng(0)
    triangular = np.triu(rng.standard_normal((size, size)), 1)
    assert spectral_radius(triangular) == 0
    assert spectral_radius(triangular + np.diag(np.linspace(-3, 1, size))) == pytest.approx(3)
    assert spectral_radius(sparse.csr_array((size, size))) == 0
    assert spectral_radius(np.roll(np.eye(size), 1, 0) * -1.5) == pytest.approx(1.5)


def test_a_radius_needs_a_square():
    with pytest.raises(ValueError, match=r"'matrix' of spectral_radius must be square; got the shape \(2, 3\)"):
        spectral_radius(np.ones((2, 3)))


# -- states ------------------------------------------------------------------------------------------------------------------------------------


def test_one_leak_rate_for_all_is_the_leaky_wrapper():
    inner = made()
    outer = Leaky(Reservoir(), 0.3).build(3, 40, torch.Generator().manual_seed(0)).double().eval()
    leaky = made(leak_rate=0.3)
    assert torch.equal(outer.cell_.R, inner.R)
    assert gap(scan(leaky, packed())[0].data, scan(outer, packed())[0].data) <= EXACT


def test_the_leaky_form_of_2007_is_the_same_reservoir_in_other_units():
    """Jaeger et al. (2007), eq. 2 with γ = 1, h = (1 − a) h + f(W x + b + R' h): a times its states, where R' = a R."""
    cell, a = made(leak_rate=0.25), 0.25
    W, b, R, h = cell.W.numpy(), cell.b.numpy(), a * cell.recurrent_matrix(), np.zeros(40)
    xs = random(30, 3)
    outputs = scan(cell, pack_all([xs]))[0].data.numpy()
    for x, y in zip(xs.numpy(), outputs, strict=True):
        h = (1 - a) * h + np.tanh(W @ x + b + R @ h)
        np.testing.assert_allclose(y, a * h, atol=EXACT)


@pytest.mark.parametrize("topology", TOPOLOGIES)
@pytest.mark.parametrize("size", [40, 250, 600])
def test_the_state_forgets_where_it_began(topology, size):
    """The echo state property, at the default spectral radius of 0.9."""
    cell, x = made(size, topology=topology), [random(400, 3)]
    states = [0.9 * random(1, size, seed=s).tanh() for s in (1, 2)]
    first, second = (scan(cell, pack_all(x), state)[0].data for state in states)
    assert (first[0] - second[0]).abs().max() > 1e-3
    assert (first[-1] - second[-1]).abs().max() < 1e-10


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("settings", "dtype", "tolerance"),
    [
        ({}, torch.float64, EXACT),
        ({}, torch.float32, SINGLE),
        ({"leak_rate": tuple(np.linspace(0.1, 1, 250))}, torch.float64, EXACT),
        pytest.param({"leak_rate": 0.3}, torch.float64, EXACT, marks=pytest.mark.slow),
        pytest.param({"leak_rate": 0.3}, torch.float32, SINGLE, marks=pytest.mark.slow),  # compiled anew, as all functions are in tests/kernels
        pytest.param({"activation": "relu"}, torch.float64, EXACT, marks=pytest.mark.slow),
        pytest.param({"activation": "relu"}, torch.float32, SINGLE, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("lengths", [(60,), (3, 41, 41, 1), tuple(range(60, 10, -1)), tuple(25 + k % 7 for k in range(150))], ids=len)
def test_the_kernel_of_a_sparse_reservoir_equals_the_steps(settings, dtype, tolerance, lengths, reverse):
    cell, batch = made(250, dtype=dtype, **settings), packed(lengths, dtype=dtype)
    state = random(len(lengths), 250, dtype=dtype)
    got, last = run(cell, batch, state, reverse=reverse)
    expected, expected_last = run(without_kernel(cell), batch, state, reverse=reverse)
    assert_same(got + last, expected + expected_last, tolerance)


@pytest.mark.parametrize("size", [250, 700])
def test_a_panel_equals_its_sequences_one_by_one(size):
    cell, xs = made(size, leak_rate=0.5), sequences([20 + 5 * k % 9 for k in range(40)])
    outputs, last = run(cell, pack_all(xs))
    for i, x in enumerate(xs):
        (y,), alone = run(cell, pack_all([x]))
        assert_same([outputs[i], last[0][i]], [y, alone[0][0]], EXACT)


@pytest.mark.parametrize("size", [40, 250, 600])
def test_gradients_pass_through_a_reservoir(size):
    cell, batch = made(size, leak_rate=0.6), packed((4, 30, 2))
    values, found = gradients(cell, batch)
    expected_values, expected = gradients(without_kernel(cell), batch)
    assert_same(values + found, expected_values + expected, EXACT)
    without = scan(cell, batch)[0].data
    assert not without.requires_grad
    assert gap(values[0], without) <= EXACT


@pytest.mark.parametrize("size", [40, 250, 600])
def test_noise_only_while_training(size):
    cell, batch = made(size, noise=0.1), packed((30, 25))
    calm = made(size)
    assert torch.equal(scan(cell, batch)[0].data, scan(calm, batch)[0].data)
    cell.train()
    noisy = [scan(cell.draw_from(torch.Generator().manual_seed(seed)), batch)[0].data for seed in (0, 0, 1)]
    assert torch.equal(noisy[0], noisy[1])
    assert not torch.equal(noisy[0], noisy[2])
    first = torch.atanh(noisy[0][:2]) - torch.atanh(scan(calm, batch)[0].data[:2])
    assert 0.07 < first.std() < 0.13


def test_a_function_of_ones_own():
    cell = made(activation=torch.sin)
    h = torch.zeros(40, dtype=torch.float64)
    x = random(12, 3)
    y = scan(cell, pack_all([x]))[0].data
    for row, out in zip(x, y, strict=True):
        h = torch.sin(cell.W @ row + cell.b + cell.R @ h)
        assert gap(out, h) <= EXACT
    assert cell.kernel() is None


def test_float32_and_float64_are_the_same_reservoir():
    x = packed((200,))
    low = scan(made(300, dtype=torch.float32), x._replace(data=x.data.float()))[0].data
    assert gap(low.double(), scan(made(300), x)[0].data) <= 1e-5


# -- given matrices ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [20, 600])
@pytest.mark.parametrize("kind", [sparse.csr_array, sparse.coo_matrix, sparse.lil_array, np.asarray])
def test_given_matrices_are_used_as_they_are(kind, size):
    rng = np.random.default_rng(0)
    R = sparse.random_array((size, size), density=3 / size, rng=rng).toarray()  # some units have no input, some have many
    W, b = rng.standard_normal((size, 2)), rng.standard_normal(size)
    cell = made(size, 2, recurrent_weights=kind(R), input_weights=W, bias=b, spectral_radius=5.0)
    got = cell.recurrent_matrix()
    np.testing.assert_array_equal(got.toarray() if sparse.issparse(got) else got, R)
    np.testing.assert_array_equal(cell.W, W)
    np.testing.assert_array_equal(cell.b, b)
    x, h = random(50, 2), np.zeros(size)
    for row, y in zip(x.numpy(), scan(cell, pack_all([x]))[0].data.numpy(), strict=True):
        h = np.tanh(W @ row + b + R @ h)
        np.testing.assert_allclose(y, h, atol=EXACT)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spectral_radius": -0.1}, "'spectral_radius' parameter of Reservoir must be a finite number of at least 0; got -0.1"),
        ({"spectral_radius": "1"}, "'spectral_radius' parameter of Reservoir must be a finite number of at least 0; got '1'"),
        ({"noise": np.nan}, "'noise' parameter of Reservoir must be a finite number of at least 0; got nan"),
        ({"bias_scaling": np.inf}, "'bias_scaling' parameter of Reservoir must be a finite number of at least 0; got inf"),
        ({"leak_rate": 0.0}, r"'leak_rate' parameter of Reservoir must be in \(0, 1\]; got 0.0"),
        ({"leak_rate": 1.5}, r"'leak_rate' parameter of Reservoir must be in \(0, 1\]; got 1.5"),
        ({"leak_rate": (0.5, 0.5)}, r"'leak_rate' parameter of Reservoir must be one finite number .* or 6 \(hidden_size\); got \(0.5, 0.5\)"),
        ({"input_scaling": (1, 2)}, r"'input_scaling' parameter of Reservoir must be one finite number .* or 3 \(input_size\); got \(1, 2\)"),
        ({"fan_in": 7}, r"'fan_in' parameter of Reservoir must be None or from 1 to 6 \(hidden_size\); got 7"),
        ({"fan_in": 0}, r"'fan_in' parameter of Reservoir must be None or from 1 to 6 \(hidden_size\); got 0"),
        ({"density": 0.0}, r"'density' parameter of Reservoir must be None or a share in \(0, 1\]; got 0.0"),
        ({"jump_length": 1}, r"'jump_length' parameter of Reservoir must be None or from 2 to 5 \(hidden_size - 1\); got 1"),
        ({"activation": 3}, "'activation' parameter of Reservoir must be one of .*; got 3"),
        ({"recurrent_weights": np.ones((2, 2))}, r"'recurrent_weights' parameter .* must be numbers of shape \(6, 6\); got .* of shape \(2, 2\)"),
        ({"input_weights": [["a"] * 3] * 6}, r"'input_weights' parameter of Reservoir must be numbers of shape \(6, 3\); got <U1 of shape \(6, 3\)"),
        ({"bias": [np.nan] * 6}, "'bias' parameter of Reservoir must be finite; got NaN or infinity"),
    ],
    ids=str,
)  # fmt: skip
def test_what_does_not_fit_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Reservoir(**settings).build(3, 6)
