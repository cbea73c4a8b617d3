import numpy as np
import pytest
from scipy import sparse

from skrnn.kernels import Candidates, Layout, Sparse, allow_threads, reservoir, run_candidates

TOLERANCE = {np.float32: 2e-6, np.float64: 1e-13}
precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])
RNG = np.random.default_rng
FUNCTIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0), "sigmoid": lambda a: 1 / (1 + np.exp(-a)), "identity": lambda a: a}


def matrix(size, dtype=np.float64, density=0.1):
    R = sparse.random_array((size, size), density=density, rng=RNG(0), data_sampler=lambda size: RNG(1).uniform(-0.5, 0.5, size)).toarray()
    return R.astype(dtype)


def batch(sizes, n_units, dtype):
    layout = Layout.of(np.array(sizes))
    return layout, RNG(2).standard_normal((sum(sizes), n_units)).astype(dtype), RNG(3).standard_normal((sizes[0], n_units)).astype(dtype)


def regular(size, fan_in, dtype):
    """As many inputs for every unit."""
    R = np.zeros((size, size), dtype)
    for row in R:
        row[RNG(size).choice(size, fan_in, replace=False)] = RNG(1).uniform(-0.5, 0.5, fan_in)
    return R


@precisions
@pytest.mark.parametrize(("size", "fan_in"), [(5, 1), (16, 3), (37, 4), (100, 7)])
@pytest.mark.parametrize("sizes", [[3] * 60, [2] * 30 + [1] * 30], ids=["three", "ragged"])
@pytest.mark.parametrize("leaky", [False, True])
def test_units_side_by_side_have_the_bits_of_units_one_by_one(sizes, size, fan_in, leaky, dtype, monkeypatch):
    layout, u, h = batch(sizes, size, dtype)
    R, rate = Sparse.compress(regular(size, fan_in, dtype)), np.linspace(0.2, 1, size).astype(dtype) if leaky else None
    assert R.side_by_side() is not None
    together = reservoir["tanh"](layout, False, u.copy(), R, h, rate)
    monkeypatch.setattr(Sparse, "side_by_side", lambda self: None)
    alone = reservoir["tanh"](layout, False, u.copy(), R, h, rate)
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_array_equal(one, other)


def test_units_with_different_numbers_of_inputs_are_not_laid_side_by_side():
    assert Sparse.compress(matrix(37)).side_by_side() is None


@precisions
@pytest.mark.parametrize("density", [0.0, 0.03, 0.3])
def test_compression_keeps_every_entry(density, dtype):
    """Units without inputs, and units with an odd number of them."""
    R = matrix(37, dtype, density)
    S = Sparse.compress(R)
    assert S.columns.dtype == S.begins.dtype == np.uint32
    np.testing.assert_array_equal(sparse.csr_array(tuple(S), shape=R.shape).toarray(), R)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        *((name, np.float64) for name in FUNCTIONS),
        ("tanh", np.float32),
        *(pytest.param(name, np.float32, marks=pytest.mark.slow) for name in FUNCTIONS if name != "tanh"),
    ],
)
@pytest.mark.parametrize("sizes", [[1] * 9, [7, 7, 5, 1], [40, 40, 20, 9, 8, 7, 1, 1], [300, 299, 130]], ids=["one", "few", "ragged", "many"])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_sparse_reservoir_equals_a_dense_one_and_numpy(name, sizes, reverse, dtype):
    layout, u, h = batch(sizes, 37, dtype)
    R, rate = matrix(37, dtype), np.linspace(0.2, 1, 37).astype(dtype)
    expected, state = u.astype(np.float64), h.astype(np.float64)
    for t in reversed(range(len(sizes))) if reverse else range(len(sizes)):
        rows = slice(layout.starts[t], layout.starts[t] + sizes[t])
        new = FUNCTIONS[name](expected[rows] + state[: sizes[t]] @ R.T)
        state[: sizes[t]] += rate * (new - state[: sizes[t]])
        expected[rows] = state[: sizes[t]]
    for weights in (R, Sparse.compress(R)):
        y, last = reservoir[name](layout, reverse, u.copy(), weights, h, rate)
        np.testing.assert_allclose(y, expected, rtol=0, atol=10 * TOLERANCE[dtype])
        np.testing.assert_allclose(last, state, rtol=0, atol=10 * TOLERANCE[dtype])


@precisions
def test_the_first_state_stays_as_it_is(dtype):
    layout, u, h = batch([9, 9, 2], 20, dtype)
    before = h.copy()
    reservoir["tanh"](layout, False, u, Sparse.compress(matrix(20, dtype)), h)
    np.testing.assert_array_equal(h, before)


@precisions
def test_threads_do_not_change_the_bits(dtype, monkeypatch):
    monkeypatch.setattr("skrnn.kernels._reservoir.WORTH_THREADS", 0)
    layout, u, h = batch([150, 150, 149, 3], 50, dtype)
    R = Sparse.compress(matrix(50, dtype))
    scales = Candidates(*RNG(4).uniform(0.1, 1, (4, 70)))
    found = []
    for n in (1, 2):
        with allow_threads(n):
            states = reservoir["tanh"](layout, False, u.copy(), R, h)
            found.append([*states, *run_candidates("tanh", u, h[0], R, scales)])
    assert all(np.array_equal(one, two) for one, two in zip(*found, strict=True))


@precisions
@pytest.mark.parametrize("n_candidates", [1, 5, 33, 70])
def test_candidates_are_reservoirs_of_their_own(n_candidates, dtype):
    n_steps, size = 50, 37
    u, b, R = RNG(0).standard_normal((n_steps, size)).astype(dtype), RNG(1).standard_normal(size), matrix(size, dtype)
    scales = Candidates(*RNG(2).uniform(0.1, 1, (4, n_candidates)))
    blocks = list(run_candidates("tanh", u, b, Sparse.compress(R), scales, block_size=16))
    assert [block.shape for block in blocks] == [(n, size, n_candidates) for n in (16, 16, 16, 2)]
    states, layout = np.concatenate(blocks), Layout.of(np.ones(n_steps, np.int64))
    for k, (radius, leak, scale, shift) in enumerate(np.transpose(scales)):
        drive = (scale * u + shift * b).astype(dtype)
        alone, _ = reservoir["tanh"](layout, False, drive, (radius * R).astype(dtype), np.zeros((1, size), dtype), np.full(size, leak, dtype))
        np.testing.assert_allclose(states[:, :, k], alone, rtol=0, atol=5 * TOLERANCE[dtype])
