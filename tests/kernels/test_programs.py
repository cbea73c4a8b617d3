"""What programs are made of: elementary functions, products, objects in a cache, and the representation for other machines."""

import multiprocessing
import os
import stat
from pathlib import Path

import llvmlite.binding as llvm
import numpy as np
import pytest
import torch

from skrnn.cells import GRU, LSTM, SLSTM, map_state
from skrnn.engine._trace import trace
from skrnn.kernels import Program
from skrnn.kernels import _machine as machine
from skrnn.kernels._index import at, counter, divided, highest, joined, plus, split, times
from skrnn.kernels._ir import ELEMENTARY, Function, elementary, module_text
from skrnn.kernels._products import products, whole_vectors

RNG = np.random.default_rng(0)
KINDS = {"float": np.float32, "double": np.float64}
EXPECTED = {
    "exp": np.exp,
    "expm1": np.expm1,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "log": np.log,
    "log1p": np.log1p,
}
BOUNDS = {"exp": (-80, 80), "expm1": (-80, 80), "sigmoid": (-80, 80), "tanh": (-30, 30), "log": (1e-30, 1e30), "log1p": (-0.99, 1e6)}
WALK = [("i64", "n_steps"), ("i64", "b"), ("i64", "c"), ("i64", "d"), ("ptr noalias", "x"), ("ptr noalias", "y"), ("ptr", "z")]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SKRNN_CACHE_DIR", str(tmp_path))
    return tmp_path


# -- elementary functions --------------------------------------------------------------------------------------------------------------------------


def applied(name, x):
    """An elementary function in a loop, which LLVM turns into vector code."""
    kind = {np.dtype(dtype): kind for kind, dtype in KINDS.items()}[x.dtype]
    inner, f = elementary(name, kind), Function("apply", WALK)
    with f.loop("0", "%n_steps") as i:
        value = f.load(kind, f.pointer("%x", kind, i))
        f.store(kind, f.put(f"call {kind} @{inner.name}({kind} {value})"), f.pointer("%y", kind, i))
    f.do("ret void")
    y = np.empty_like(x)
    compiled = machine.Compiled(module_text([inner, f]), ["apply"])
    compiled.passes["apply"](len(x), 0, 0, 0, x.ctypes.data, y.ctypes.data, None)
    return y


@pytest.mark.parametrize("dtype", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", ELEMENTARY)
def test_a_function_is_that_of_numpy(name, dtype):
    low, high = BOUNDS[name]
    x = np.concatenate([np.linspace(low, high, 5001), RNG.normal(size=1000) * 1e-3, [low, high]]).clip(low, high).astype(dtype)
    expected = EXPECTED[name](x.astype(np.longdouble))
    assert (np.abs(applied(name, x) - expected) <= 4 * np.finfo(dtype).eps * np.abs(expected)).all()


@pytest.mark.parametrize("dtype", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("name", ELEMENTARY)
def test_what_is_not_finite_stays_so(name, dtype):
    x = np.array([np.nan, np.inf, -np.inf, 0, 1e4, -1e4], dtype)
    with np.errstate(all="ignore"):
        expected = EXPECTED[name](x)
    np.testing.assert_allclose(applied(name, x), expected, rtol=1e-6, atol=1e-37)


# -- products ------------------------------------------------------------------------------------------------------------------------------------


def multiplied(a, w):
    width = whole_vectors(w.shape[1], a.dtype.name, machine.lanes())
    panels, out = np.full(len(w) * width, np.nan, a.dtype), np.full((len(a), width), np.nan, a.dtype)
    machine.lay_panels(a.itemsize, w.shape, [s // w.itemsize for s in w.strides], w.ctypes.data, panels.ctypes.data)
    machine.times_panels(np.ascontiguousarray(a), panels, out)
    assert not out[:, w.shape[1] :].any()
    return out[:, : w.shape[1]]


@pytest.mark.parametrize("dtype", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 9, 31])
@pytest.mark.parametrize(("inner", "width"), [(1, 1), (3, 2), (6, 5), (33, 19), (64, 40), (5, 100), (300, 17)])
def test_a_product_is_that_of_numpy_and_its_rows_have_bits_of_their_own(rows, inner, width, dtype):
    a, w = RNG.normal(size=(rows, inner)).astype(dtype), RNG.normal(size=(width, inner)).astype(dtype).T
    found = multiplied(a, w)
    assert (np.abs(found - a.astype(np.longdouble) @ w) <= 2 * inner * np.finfo(dtype).eps * (np.abs(a) @ np.abs(w))).all()
    for k in range(rows):
        np.testing.assert_array_equal(multiplied(a[k : k + 1], w)[0], found[k])


# -- places --------------------------------------------------------------------------------------------------------------------------------------


def value_of(index, counters):
    """What an index is for numbers in place of its counters."""
    total = index[0]
    for part, factor in index[1]:
        if part[0] == "counter":
            total += factor * counters[part]
        else:
            inner = value_of(part[1], counters)
            total += factor * (inner // part[2] if part[0] == "quotient" else inner % part[2])
    return total


@pytest.mark.parametrize(
    ("shape", "other"), [((4, 6), (2, 12)), ((3, 5), (5, 3)), ((2, 3, 4), (24,)), ((6, 4), (2, 3, 2, 2)), ((1, 7), (7, 1))], ids=str
)
def test_places_of_a_view_are_those_of_numpy(shape, other):
    counters = [counter(k, size) for k, size in enumerate(shape)]
    place = joined(tuple(counters), shape)
    assert highest(place) == np.prod(shape) - 1
    parts = split(place, other)
    for position in np.ndindex(*shape):
        given = {("counter", k, size): i for k, (size, i) in enumerate(zip(shape, position, strict=True))}
        flat = np.ravel_multi_index(position, shape)
        assert value_of(place, given) == flat
        assert tuple(value_of(p, given) for p in parts) == np.unravel_index(flat, other)


def test_places_that_are_multiples_are_divided_without_a_division():
    i, j = counter(0, 5), counter(1, 4)
    whole, rest = divided(plus(plus(times(i, 8), j), at(2)), 8)
    assert whole == i
    assert rest == plus(j, at(2))


# -- objects and their cache -----------------------------------------------------------------------------------------------------------------------


def lstm_program(cell=None, dtype=torch.float32, learns=True):
    cell = (LSTM(peephole=True) if cell is None else cell).build(3, 9, torch.Generator().manual_seed(0)).to(dtype)
    x = torch.zeros(1, 3, dtype=dtype)
    return Program(trace(cell, x, map_state(lambda s: s[:1], cell.initial_state(1, like=x)), learns), learns)


def objects(folder):
    return sorted(path for path in Path(folder).rglob("*.o"))


def test_an_object_is_kept_and_found_again(own_cache, monkeypatch):
    machine._shared_code.cache_clear()
    lstm_program().compile()
    kept = objects(own_cache)
    assert len(kept) == 2  # the program, and the products that all share
    assert list(own_cache.rglob("*")) == sorted([*kept, *(path.parent for path in kept)], key=str) or not list(own_cache.rglob("tmp*"))
    monkeypatch.setattr(machine, "object_code", None)
    machine._shared_code.cache_clear()
    lstm_program().compile()


@pytest.mark.parametrize("damage", [b"", b"nonsense", None], ids=["empty", "other", "half"])
def test_a_damaged_object_is_compiled_again(damage, own_cache):
    lstm_program().compile()
    for path in objects(own_cache):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2] if damage is None else damage)
    machine._shared_code.cache_clear()
    lstm_program().compile()
    assert all(machine._read(path) for path in objects(own_cache))


def test_the_object_of_another_cpu_is_another_one(own_cache, monkeypatch):
    lstm_program().compile()
    before = objects(own_cache)
    triple, cpu, features = machine._host()
    monkeypatch.setattr(machine, "_host", lambda: (triple, cpu, features + ",-avx512f"))
    lstm_program().compile()
    assert len(objects(own_cache)) > len(before)


@pytest.mark.skipif(os.name == "nt" or (os.getuid() == 0 and not Path("/proc").exists()), reason="needs a folder that cannot be written")
def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    locked = tmp_path / "file"
    locked.write_text("not a folder")
    monkeypatch.setenv("SKRNN_CACHE_DIR", str(locked / "inside"))
    lstm_program().compile()
    assert stat.S_ISREG(locked.stat().st_mode)


def test_an_empty_name_keeps_nothing(monkeypatch, tmp_path):
    monkeypatch.setenv("SKRNN_CACHE_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    lstm_program().compile()
    assert not (tmp_path / "other").exists()
    monkeypatch.delenv("SKRNN_CACHE_DIR")
    assert machine.cache_directory() == tmp_path / "other" / "skrnn"


def compile_here(folder):
    os.environ["SKRNN_CACHE_DIR"] = folder
    lstm_program(GRU()).compile()
    return len(objects(folder))


def test_processes_that_compile_the_same_at_once_do_not_disturb_each_other(own_cache):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        found = pool.map(compile_here, [str(own_cache)] * 4)
    assert found[-1] == len(objects(own_cache)) == 2


# -- other machines ------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("triple", "cpu", "features"),
    [("x86_64-unknown-linux-gnu", "haswell", ""), ("x86_64-pc-windows-msvc", "x86-64", ""), ("aarch64-unknown-linux-gnu", "neoverse-n1", "")],
    ids=["AVX2", "Windows, SSE2", "AArch64"],
)
@pytest.mark.parametrize("lanes", [4, 8])
def test_programs_and_products_are_compiled_for_other_machines(triple, cpu, features, lanes):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    for text in (lstm_program().text, module_text(products(lanes))):
        assert len(machine.object_code(text, triple, cpu, features)) > 500


def test_the_text_of_a_program_is_the_same_in_every_process():
    """Else nothing would be found in the cache. Where nodes lie in memory differs from one to the next."""
    assert lstm_program().text == lstm_program().text
    texts, held = set(), []
    for k in range(8):
        held.append([object() for _ in range(1000 + 37 * k)])
        texts.add(lstm_program(SLSTM(3)).text)
    assert len(texts) == 1
