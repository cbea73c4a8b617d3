"""What holds for every cell of ``skrnn.cells.__all__`` in every setting."""

import copy
import io
import pickle
from inspect import signature
from itertools import product

import numpy as np
import pytest
import torch
from sklearn.base import clone
from torch.autograd import gradcheck

import skrnn.cells
from skrnn.cells import Leaky, map_state
from skrnn.engine import BPTT, RTRL, scan
from skrnn.kernels import allow_threads
from skrnn.networks import StepNetwork
from tests.cell_settings import (
    CELLS,
    DEFAULTS,
    INPUT,
    ONE_OF_EACH_CLASS,
    RAGGED,
    assert_same,
    built,
    floating,
    gradients,
    has_kernel,
    leaves,
    pack_all,
    packed,
    random_state,
    run,
    sequences,
    stacked,
    without_kernel,
)

EXACT = 1e-12  # float64, relative
SINGLE = 1e-5  # float32, relative
KERNELLED = [cell for cell in CELLS if has_kernel(cell.values[0])]
NAMED = [
    (name, key) for name in skrnn.cells.__all__ for key, p in signature(getattr(skrnn.cells, name)).parameters.items() if isinstance(p.default, str)
]

every_cell = pytest.mark.parametrize("cell", CELLS)
every_trained_class = pytest.mark.parametrize("cell", [c for c in ONE_OF_EACH_CLASS if any(True for _ in built(c.values[0]).parameters())])
SHAPES = {  # sequences and units: 40 sequences are several blocks of a kernel, odd widths leave remainders in its loops over four columns
    f"{batch_size}x{width}": (batch_size, width) for batch_size, width in [(1, 1), (3, 6), (5, 33), (17, 3), (40, 5)]
}
PRECISIONS = {"float64": torch.float64, "float32": torch.float32}
WAYS = {"forward": False, "reverse": True}
BESIDE_DEFAULTS = [
    "LSTM(peephole=True)",
    "LSTM(block_size=2, layer_norm=True, peephole=True)",
    "GRU(layer_norm=True, reset='before')",
    "Elman(layer_norm=True)",
]
# What is written once, against a cell's methods: settings that have other states or more gates, beside the defaults; the rest is slow.
one_of_each_class_and_some = pytest.mark.parametrize(
    "cell", [cell if cell.id in BESIDE_DEFAULTS else of_class for cell, of_class in zip(CELLS, ONE_OF_EACH_CLASS, strict=True)]
)


def every_kernel(always, **axes):
    """Kernels × all combinations of named values: the default of each class in all of them, every kernel in those that are ``always`` tested.

    The rest of the cross is slow.
    """
    cases = {"-".join(names): [axis[name] for axis, name in zip(axes.values(), names, strict=True)] for names in product(*axes.values())}

    def marks(cell, case):
        return cell.marks or ([] if cell in DEFAULTS or case in always else [pytest.mark.slow])

    crossed = [
        pytest.param(*cell.values, *values, id=f"{cell.id}-{case}", marks=marks(cell, case)) for cell in KERNELLED for case, values in cases.items()
    ]
    return pytest.mark.parametrize(("cell", *axes), crossed)


# -- sequences ---------------------------------------------------------------------------------------------------------------------------------


@every_cell
def test_a_ragged_batch_equals_its_sequences_one_by_one(cell):
    cell, xs = built(cell), sequences()
    outputs, last = run(cell, pack_all(xs))
    for i, x in enumerate(xs):
        (y,), alone = run(cell, pack_all([x]))
        assert_same([outputs[i], *(s[i] for s in last)], [y, *(s[0] for s in alone)], EXACT)


@every_cell
def test_the_order_of_a_batch_does_not_matter(cell):
    cell, xs = built(cell), sequences()
    outputs, last = run(cell, pack_all(xs))
    turned, turned_last = run(cell, pack_all(xs[::-1]))
    assert_same(outputs[::-1] + [s.flip(0) for s in last], turned + turned_last, EXACT)


@every_cell
def test_reverse_is_forward_over_reversed_sequences(cell):
    cell, xs = built(cell), sequences()
    start = random_state(cell, len(xs))
    outputs, last = run(cell, pack_all(xs), start, reverse=True)
    turned, turned_last = run(cell, pack_all([x.flip(0) for x in xs]), start)
    assert_same(outputs + last, [y.flip(0) for y in turned] + turned_last, EXACT)


@every_cell
def test_a_carried_state_continues_a_scan(cell):
    cell, xs = built(cell), sequences((7, 6, 5))
    whole, last = scan(cell, pack_all(xs))
    first, state = scan(cell, pack_all([x[:4] for x in xs]))
    second, state = scan(cell, pack_all([x[4:] for x in xs]), state)
    assert_same([torch.cat([first.data, second.data]), *leaves(state)], [whole.data, *leaves(last)], EXACT)


@every_cell
def test_truncation_does_not_change_values(cell):
    cell, batch = built(cell), packed()
    outputs, last = run(cell, batch)
    cut, cut_last = run(cell, batch, detach_every=3)
    assert_same(cut + cut_last, outputs + last, EXACT)


@every_cell
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.2)], ids=str)
def test_every_precision_computes_the_same_and_keeps_its_type(cell, dtype, tolerance):
    """Step by step, as what has no kernel; and a kernel equals the steps."""
    found = {}
    for precision in (dtype, torch.float64):
        outputs, last = scan(without_kernel(built(cell)).to(precision), packed(dtype=precision))
        assert {value.dtype for value in (outputs.data, *floating(last))} == {precision}
        found[precision] = outputs.data.double()
    assert (found[dtype] - found[torch.float64]).norm() <= tolerance * found[torch.float64].norm()


# -- gradients ---------------------------------------------------------------------------------------------------------------------------------


@every_cell
def test_gradient_of_the_steps(cell):
    cell, batch = without_kernel(built(cell, input_size=2)), packed((2, 4, 1), 2)
    batch.data.requires_grad_()
    state = map_state(lambda s: s.requires_grad_(s.is_floating_point()), random_state(cell, 3))

    def values(*_):  # gradcheck changes its inputs in place, so the cell sees them
        outputs, last = scan(cell, batch, state)
        return outputs.data, *floating(last)

    assert gradcheck(values, (batch.data, *floating(state), *cell.parameters()), fast_mode=True)


@every_trained_class
def test_torch_func_differentiates_through_a_scan(cell):
    network, batch = stacked(cell), packed()
    weights = dict(network.named_parameters())

    def loss(weights):
        return torch.func.functional_call(network, weights, (batch,))[0].data.square().sum()

    expected = torch.autograd.grad(loss(weights), list(weights.values()), materialize_grads=True)
    assert_same(torch.func.grad(loss)(weights).values(), expected, EXACT)


@one_of_each_class_and_some
def test_rtrl_equals_bptt(cell):
    batch = packed((3, 5, 1))
    net = StepNetwork(stacked(cell), torch.zeros(2)).double().eval()
    torch.nn.init.normal_(net.head.W, generator=torch.Generator().manual_seed(5))
    found = []
    for rule in (RTRL(), BPTT()):
        net.zero_grad()
        rule.gradient(net, batch, lambda outputs: outputs.square().sum())
        found.append([torch.zeros_like(w) if w.grad is None else w.grad.clone() for w in net.parameters()])
    assert_same(*found, 1e-10)


# -- kernels -----------------------------------------------------------------------------------------------------------------------------------


@every_cell
def test_to_ask_for_a_kernel_compiles_nothing_and_needs_no_weights(cell, monkeypatch):
    monkeypatch.delattr("numba.core.dispatcher.Dispatcher.compile")
    assert (built(cell).kernel() is None) == (copy.deepcopy(cell).eval().kernel() is None)


@every_kernel(
    ["1x1-float64-forward", "3x6-float64-reverse", "5x33-float64-forward", "17x3-float64-reverse", "40x5-float64-forward"],
    shape=SHAPES,
    dtype=PRECISIONS,
    reverse=WAYS,
)
def test_a_kernel_equals_the_steps(cell, shape, dtype, reverse):
    tolerance = EXACT if dtype == torch.float64 else SINGLE
    if ("relu" in repr(cell) or "identity" in repr(cell)) and dtype == torch.float32:
        tolerance *= 2  # rounding grows where outputs that nothing bounds are fed back
    given, (batch_size, width) = cell.get_params(), shape
    cell = built(cell, dtype, hidden_size=width * len(given.get("periods", "1")))
    batch = packed([1 + 5 * k % 9 for k in range(batch_size)], dtype=dtype)
    state = random_state(cell, batch_size, dtype=dtype)
    values, grads = gradients(cell, batch, state, reverse=reverse)
    expected, expected_grads = gradients(without_kernel(cell), batch, state, reverse=reverse)
    assert {value.dtype for value in values} == {dtype}
    assert_same(values + grads, expected + expected_grads, tolerance)


@every_kernel(["float64-forward"], dtype=PRECISIONS, reverse=WAYS)
def test_a_kernel_gives_the_same_bits_on_one_thread_and_on_two(cell, dtype, reverse, monkeypatch):
    for module in ("_loop", "_big_product"):
        monkeypatch.setattr(f"skrnn.kernels.{module}.WORTH_THREADS", 0)
    cell, batch = built(cell, dtype, hidden_size=18), packed([1 + 5 * k % 9 for k in range(40)], dtype=dtype)
    with allow_threads(1):
        one = gradients(cell, batch, reverse=reverse)
    with allow_threads(2):
        two = gradients(cell, batch, reverse=reverse)
    assert all(torch.equal(a, b) for a, b in zip(one[0] + one[1], two[0] + two[1], strict=True))


@every_kernel(["float64"], dtype=PRECISIONS)
def test_a_kernel_spreads_what_is_not_finite_as_the_steps_do(cell, dtype):
    """Each in a sequence of its own: the first rows of a packed batch are first steps."""
    cell, batch = built(cell, dtype), packed(dtype=dtype)
    batch.data[:2] = torch.tensor([[np.nan], [np.inf]])
    kernel, steps = (scan(c, batch)[0].data for c in (cell, without_kernel(cell)))
    assert torch.equal(kernel.isfinite(), steps.isfinite())


# -- objects -----------------------------------------------------------------------------------------------------------------------------------


class _NumpyOnly(pickle.Unpickler):
    """Refuses tensors and storages of torch; the modules themselves may be named."""

    def find_class(self, module, name):
        assert not module.startswith("torch") or module.startswith("torch.nn.modules"), f"the pickle holds {module}.{name}"
        return super().find_class(module, name)


def _through_pickle(cell):
    return _NumpyOnly(io.BytesIO(pickle.dumps(cell))).load()


@every_cell
@pytest.mark.parametrize("copied", [_through_pickle, copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_copy_of_a_built_cell_computes_the_same_bits(cell, copied):
    cell, batch = built(cell), packed()
    twin = copied(cell)
    assert torch.equal(scan(twin, batch)[0].data, scan(cell, batch)[0].data)
    assert not {w.data_ptr() for w in twin.parameters()} & {w.data_ptr() for w in cell.parameters()}


@every_cell
def test_a_clone_has_the_parameters_and_no_weights(cell):
    assert repr(clone(built(cell))) == repr(cell)
    assert not list(clone(built(cell)).parameters())


@every_cell
def test_repr_makes_the_cell_again(cell):
    again = eval(repr(cell), vars(skrnn.cells).copy())
    assert type(again) is type(cell)
    assert repr(again.get_params()) == repr(cell.get_params())


@every_cell
def test_parameters_are_set_by_name_also_inside_a_wrapper(cell):
    given = cell.get_params(deep=False)
    outer = Leaky(type(cell)()).set_params(**{f"cell__{name}": value for name, value in given.items()})
    assert repr(outer.cell) == repr(type(cell)().set_params(**given)) == repr(cell)
    assert {f"cell__{name}" for name in cell.get_params()} <= set(outer.get_params())


@every_cell
def test_the_weights_follow_from_the_seed(cell):
    first, again, other = (clone(cell).build(INPUT, 6, torch.Generator().manual_seed(seed)).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


@every_cell
def test_building_and_running_leave_global_random_states_alone(cell):
    before = torch.get_rng_state(), np.random.get_state()
    scan(built(cell), packed(RAGGED))
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1][1])


@pytest.mark.parametrize(("name", "parameter"), NAMED)
def test_an_unknown_setting_is_refused_by_name(name, parameter):
    cell = getattr(skrnn.cells, name)(**{parameter: "nonsense"})
    with pytest.raises(ValueError, match=rf"'{parameter}' parameter of {name} must be one of \[.*\]; got 'nonsense'"):
        cell.build(INPUT, 6)
