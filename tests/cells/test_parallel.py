import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from skrnn.cells import LRU, QRNN, MinGRU, MinLSTM
from skrnn.cells._parallel import last_steps, linear_scan, steps_before
from tests.cell_settings import as_on_a_gpu, assert_same, built, gradients, pack_all, packed, random

LONG = (2000, 3, 1024, 1, 2000, 1025)
TOLERANCE = {torch.float32: 1e-5, torch.complex64: 1e-5, torch.float64: 1e-12, torch.complex128: 1e-12}  # relative
both_directions = pytest.mark.parametrize("reverse", [False, True], ids=["forward", "reverse"])


def drawn(*shape, seed, dtype):
    parts = [random(*shape, seed=seed + k) for k in range(2)]
    return (torch.complex(*parts) if dtype.is_complex else parts[0]).to(dtype)


def recurrence(lengths, dtype, n_units=3):
    """Factors of modulus 0.9 to 1, summands, initial states and batch sizes."""
    sizes = packed(lengths).batch_sizes
    a, b = (drawn(sum(lengths), n_units, seed=seed, dtype=dtype) for seed in (0, 2))
    a = a / a.abs() * (1 - 0.1 * random(*a.shape, seed=4).sigmoid().to(a.real.dtype))
    return [v.requires_grad_() for v in (a, b, drawn(len(lengths), n_units, seed=5, dtype=dtype))], sizes


def loop(a, b, h, sizes, reverse):
    """The recurrence step by step, and its last values."""
    a, b, h, outputs = a.split(sizes.tolist()), b.split(sizes.tolist()), list(h.unbind()), {}
    for t in reversed(range(len(sizes))) if reverse else range(len(sizes)):
        now = a[t] * torch.stack(h[: len(a[t])]) + b[t]
        h[: len(now)], outputs[t] = now.unbind(), now
    return torch.cat([outputs[t] for t in range(len(sizes))]), torch.stack(h)


@both_directions
@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
def test_a_scan_equals_the_loop_over_2000_steps(dtype, reverse):
    inputs, sizes = recurrence(LONG, dtype)
    got, expected = linear_scan(*inputs, sizes, reverse), loop(*inputs, sizes, reverse)
    weights = [drawn(*v.shape, seed=7, dtype=dtype) for v in expected]
    grads, expected_grads = (torch.autograd.grad(values, inputs, weights) for values in (got, expected))
    assert_same([*got, *grads], [*expected, *expected_grads], TOLERANCE[dtype])


@both_directions
def test_factors_of_0_and_summands_of_any_size_are_safe(reverse):
    """Neither quotients nor logarithms: a gate may close altogether, and a state may be negative."""
    (a, b, h), sizes = recurrence((40, 7), torch.float64)
    a = (a.detach() * (random(*a.shape, seed=8) > 0)).requires_grad_()
    b = b.detach() * 1e200
    got, expected = linear_scan(a, b, h, sizes, reverse), loop(a, b, h, sizes, reverse)
    grads, expected_grads = (torch.autograd.grad([v / 1e200 for v in values], [a, h], expected) for values in (got, expected))
    assert_same([v / 1e200 for v in (*got, *grads)], [v / 1e200 for v in (*expected, *expected_grads)], 1e-12)


@both_directions
@pytest.mark.parametrize("dtype", [torch.float64, pytest.param(torch.complex128, marks=pytest.mark.slow)], ids=str)
def test_a_scan_can_be_differentiated_twice(dtype, reverse):
    inputs, sizes = recurrence((5, 1, 3), dtype, n_units=2)
    assert gradcheck(lambda *v: linear_scan(*v, sizes, reverse), inputs)
    assert gradgradcheck(lambda *v: linear_scan(*v, sizes, reverse), inputs)


@both_directions
def test_neighbours_along_time(reverse):
    """Rows are numbered 10 i + t for step t of sequence i."""
    lengths = (4, 1, 2)
    batch = pack_all([10.0 * i + torch.arange(n)[:, None] for i, n in enumerate(lengths)])
    first, back = torch.tensor([[-1.0], [-2.0], [-3.0]]), 1 if reverse else -1  # before the sequences, longest first
    edges = {10 * i + (n - 1 if reverse else 0): -1.0 - k for k, (i, n) in enumerate(((0, 4), (2, 2), (1, 1)))}
    before = [edges.get(int(v), v + back) for v in batch.data[:, 0].tolist()]
    assert steps_before(batch.data, first, batch.batch_sizes, reverse)[:, 0].tolist() == before
    assert last_steps(batch.data, batch.batch_sizes, reverse)[:, 0].tolist() == ([0, 20, 10] if reverse else [3, 21, 10])


@both_directions
@pytest.mark.parametrize("lengths", [(4, 7, 1, 7, 3), (1,)], ids=["ragged", "one step"])
@pytest.mark.parametrize(
    "cell",
    [MinGRU(), MinGRU("positive"), MinLSTM(), MinLSTM("positive"), LRU(), *(QRNN(width, pool) for width in (1, 2, 4) for pool in ("f", "fo", "ifo"))],
    ids=repr,
)
def test_what_a_gpu_computes(cell, lengths, reverse):
    cell, batch = built(cell), packed(lengths)
    values, grads = gradients(cell, batch, reverse=reverse)
    parallel, parallel_grads = gradients(as_on_a_gpu(cell), batch, reverse=reverse)
    assert_same(parallel + parallel_grads, values + grads, 1e-12)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@both_directions
@pytest.mark.parametrize("cell", [MinGRU(), MinLSTM("positive"), LRU(), QRNN()], ids=repr)
def test_a_gpu_computes_what_a_cpu_does(cell, reverse):
    cell, batch = built(cell), packed((300, 7, 1, 300))
    values, grads = gradients(cell, batch, reverse=reverse)
    on_gpu, gpu_grads = gradients(cell.cuda(), batch.to("cuda"), reverse=reverse)
    assert_same([v.cpu() for v in on_gpu + gpu_grads], values + grads, 1e-10)
