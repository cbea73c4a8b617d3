import numpy as np
import pytest

from skrnn.kernels import Layout, allow_threads, spiking

H, S, L = 7, 30, 3
precisions = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def case(dtype, lengths, seed=0):
    """Layout, input and tables of a lively random network, and its initial state."""
    rng = np.random.default_rng(seed)
    sizes = np.array([sum(n > k for n in lengths) for k in range(max(lengths))])
    u = (rng.random((sum(lengths), H)) * 40).astype(dtype)
    cells = np.array([0.98, 0.01, 0.02, 0.8, 0.9, 0.95, 1.5], dtype)
    edges = np.sort(np.concatenate([[0, S], rng.integers(0, S, H - 1)]))
    tables = [*(rng.integers(2, 5, H), edges, rng.integers(0, 2 * H, S), rng.integers(1, L + 1, S))]
    synapses = [a.astype(dtype) for a in (40 * rng.normal(size=S), rng.random(S), rng.random(S), rng.random(S))]
    B = len(lengths)
    state = [rng.random(shape).astype(dtype) for shape in ((B, H), (B, H), (B, H), (B, H), (B, L, 2 * H), (B, S), (B, S))]
    counters = [rng.integers(0, 3, (B, H)), rng.integers(0, 9, (B, H))]
    return Layout.of(sizes), u, (cells, *tables, *synapses), (*state, *counters)


@precisions
def test_the_state_and_the_tables_that_are_given_stay_as_they_are(dtype):
    layout, u, tables, state = case(dtype, (6, 4, 4, 1))
    before = [a.copy() for a in (*tables, *state)]
    y, last = spiking(layout, False, u, *tables, *state)
    assert y is u
    assert all(np.array_equal(a, b) for a, b in zip((*tables, *state), before, strict=True))
    assert not any(np.shares_memory(a, b) for a in last for b in state)
    assert [a.dtype for a in last] == [a.dtype for a in state]


@precisions
@pytest.mark.parametrize("cut", [1, 2, 5])
def test_a_carried_state_goes_on_bit_for_bit(dtype, cut):
    """Wherever the ring of currents on the way was cut."""
    layout, u, tables, state = case(dtype, (8, 8, 8))
    whole, last = spiking(layout, False, u.copy(), *tables, *state)
    first, middle = spiking(Layout.of(layout.sizes[:cut]), False, u[: 3 * cut].copy(), *tables, *state)
    second, end = spiking(Layout.of(layout.sizes[cut:]), False, u[3 * cut :].copy(), *tables, *middle)
    assert np.array_equal(np.vstack([first, second]), whole)
    assert all(np.array_equal(a, b) for a, b in zip(end, last, strict=True))


@precisions
@pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])
def test_the_same_bits_on_one_thread_and_on_two_and_alone(dtype, reverse, monkeypatch):
    monkeypatch.setattr("skrnn.kernels._loop.WORTH_THREADS", 0)
    lengths = sorted((1 + 5 * k % 9 for k in range(40)), reverse=True)
    layout, u, tables, state = case(dtype, lengths)
    found = []
    for n in (1, 2):
        with allow_threads(n):
            found.append(spiking(layout, reverse, u.copy(), *tables, *state))
    (y, last), (again, last_again) = found
    assert np.array_equal(y, again)
    assert all(np.array_equal(a, b) for a, b in zip(last, last_again, strict=True))
    for k in (0, 17, 39):
        rows = layout.starts[: lengths[k]] + k
        alone, end = spiking(Layout.of(np.ones(lengths[k], np.int64)), reverse, u[rows], *tables, *(s[k : k + 1] for s in state))
        assert np.array_equal(alone, y[rows])
        assert all(np.array_equal(a[0], b[k]) for a, b in zip(end, last, strict=True))


def test_the_network_of_these_tests_is_lively():
    layout, u, tables, state = case(np.float64, (50,) * 4)
    y, last = spiking(layout, False, u, *tables, *state)
    assert (np.diff(y[::4], axis=0) > 0).sum() > 20
    assert last[4].any()
