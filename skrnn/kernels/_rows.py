"""What is done to rows so that the bits of each are its own, whatever rows stand beside it: products, logistic gates, sums over time.

BLAS computes a row in one way or another as there are few rows or many, and as it is the first or the sixth; vector code of others computes the
last numbers of an array in another way than the rest. Here every number is computed by the same operations in the same order, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._ir import FLAGS, Function, constant, elementary, module_text
from ._layout import Layout
from ._machine import KINDS, Functions, functions_of, lanes, lay_panels, times_panels
from ._products import whole_vectors
from ._threads import WORTH_THREADS, run_blocks

_BLOCK = 256  # rows that stay in the second cache


def row_product(x: NDArray[Any], W: NDArray[Any], b: NDArray[Any] | None = None) -> NDArray[Any]:
    """``x Wᵀ + b``; a row has the same bits whatever rows stand beside it, and on any number of threads."""
    (n, inner), m, size = x.shape, len(W), x.itemsize
    x, W = np.ascontiguousarray(x), np.ascontiguousarray(W)
    out = np.zeros((n, whole_vectors(m, x.dtype.name, lanes())), x.dtype)
    if out.size and inner:
        panels = np.empty(inner * out.shape[1], x.dtype)
        lay_panels(size, (inner, m), (1, inner), W.ctypes.data, panels.ctypes.data)
        blocks = [slice(low, low + _BLOCK) for low in range(0, n, _BLOCK)]
        run_blocks(lambda k: times_panels(x[blocks[k]], panels, out[blocks[k]]), len(blocks), worth_threads=n * W.size > WORTH_THREADS)
    return np.ascontiguousarray(out[:, :m]) if b is None else out[:, :m] + b


def row_logistic(x: NDArray[Any]) -> NDArray[Any]:
    """``1 / (1 + exp(−x))``; a number has the same bits at any place."""
    return _run("logistic", np.empty(x.shape, x.dtype), (x.size,), x)


def row_softmax(x: NDArray[Any]) -> NDArray[Any]:
    """``exp(x_j) / Σ_i exp(x_i)`` in each row; entries of −inf at its end, which are 0, change no other bit."""
    return _run("softmax", np.empty(x.shape, x.dtype), x.shape, x)


def row_scores(keys: NDArray[Any], queries: NDArray[Any]) -> NDArray[Any]:
    """Scalar products (n, n_keys) of each row of queries (n, size) with the keys (n, n_keys, size) that belong to it."""
    return _run("scores", np.zeros(keys.shape[:2], keys.dtype), keys.shape, keys, queries)


def row_mixtures(weights: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """``Σ_i weights[r, i] values[r, i]`` for each row r, from the first to the last; weights of 0 at its end change no bit."""
    return _run("mixtures", np.zeros((len(values), values.shape[2]), values.dtype), values.shape, weights, values)


def row_additions(total: NDArray[np.float64], owner: NDArray[np.int64], rows: NDArray[Any]) -> None:
    """Row after row is added to the row of ``total`` (float64) that owns it."""
    _run("additions", total, rows.shape, owner.astype(np.int64, copy=False), rows)


def time_sums(layout: Layout, rows: NDArray[Any]) -> NDArray[Any]:
    """Sums of the rows of each sequence of a packed batch, from the first step to the last."""
    out = np.zeros((int(layout.sizes[0]), rows.shape[1]), rows.dtype)
    return _run("sums", out, (len(layout.sizes), rows.shape[1]), *layout, rows)


def _run(name: str, out: NDArray[Any], sizes: tuple[int, ...], *arrays: NDArray[Any]) -> NDArray[Any]:
    """A function of sizes and arrays, the last of which says the type of numbers."""
    if out.size and all(sizes):
        arrays = tuple(map(np.ascontiguousarray, arrays))
        _functions()[f"{name}_{KINDS[arrays[-1].itemsize]}"](*sizes, *(a.ctypes.data for a in (*arrays, out)))
    return out


# -- the functions -------------------------------------------------------------------------------------------------------------------------------

_ARGUMENTS = {
    "logistic": (("n",), ("x", "out")),
    "softmax": (("n", "m"), ("x", "out")),
    "scores": (("n", "m", "size"), ("keys", "queries", "out")),
    "mixtures": (("n", "m", "size"), ("weights", "values", "out")),
    "additions": (("n", "width"), ("owner", "rows", "out")),
    "sums": (("n", "width"), ("sizes", "starts", "rows", "out")),
}


@cache
def _functions() -> Functions:
    made = [elementary(name, kind) for name in ("exp", "sigmoid") for kind in KINDS.values()]
    for name, (sizes, arrays) in _ARGUMENTS.items():
        for kind in KINDS.values():
            f = Function(f"{name}_{kind}", [*(("i64", s) for s in sizes), *(("ptr noalias", a) for a in arrays)])
            _BODIES[name](f, kind)
            f.do("ret void")
            made.append(f)
    counts = {f"{name}_{kind}": (len(sizes), len(arrays)) for name, (sizes, arrays) in _ARGUMENTS.items() for kind in KINDS.values()}
    return functions_of(module_text(made), counts)


def _place(f: Function, *factors: str, more: str = "0") -> str:
    """The product of some numbers, and another."""
    total = factors[0]
    for factor in factors[1:]:
        total = f.put(f"mul i64 {total}, {factor}")
    return f.put(f"add i64 {total}, {more}")


def _logistic(f: Function, kind: str) -> None:
    with f.loop("0", "%n") as j:
        x = f.load(kind, f.pointer("%x", kind, j))
        f.store(kind, f.put(f"call {kind} @sigmoid_{kind}({kind} {x})"), f.pointer("%out", kind, j))


def _softmax(f: Function, kind: str) -> None:
    total, peak = f.local(kind), f.local(kind)
    with f.loop("0", "%n", hint="r") as r:
        row, out = (f.pointer(a, kind, _place(f, r, "%m")) for a in ("%x", "%out"))
        f.store(kind, constant(float("-inf"), kind), peak)
        f.store(kind, constant(0, kind), total)
        with f.loop("0", "%m") as j:
            x = f.load(kind, f.pointer(row, kind, j))
            f.store(kind, f.call("maximum", kind, f.load(kind, peak), x), peak)
        with f.loop("0", "%m") as j:
            below = f.put(f"fsub {kind} {f.load(kind, f.pointer(row, kind, j))}, {f.load(kind, peak)}")
            e = f.put(f"call {kind} @exp_{kind}({kind} {below})")
            f.store(kind, e, f.pointer(out, kind, j))
            f.store(kind, f.put(f"fadd {FLAGS} {kind} {f.load(kind, total)}, {e}"), total)
        with f.loop("0", "%m") as j:
            share = f.pointer(out, kind, j)
            f.store(kind, f.put(f"fdiv {kind} {f.load(kind, share)}, {f.load(kind, total)}"), share)


def _scores(f: Function, kind: str) -> None:
    total = f.local(kind)
    with f.loop("0", "%n", hint="r") as r, f.loop("0", "%m", hint="i") as i:
        place = _place(f, r, "%m", more=i)
        f.store(kind, constant(0, kind), total)
        key, query = f.pointer("%keys", kind, _place(f, place, "%size")), f.pointer("%queries", kind, _place(f, r, "%size"))
        with f.loop("0", "%size") as j:
            a, b = (f.load(kind, f.pointer(x, kind, j)) for x in (key, query))
            f.store(kind, f.call("fmuladd", kind, a, b, f.load(kind, total)), total)
        f.store(kind, f.load(kind, total), f.pointer("%out", kind, place))


def _mixtures(f: Function, kind: str) -> None:
    with f.loop("0", "%n", hint="r") as r, f.loop("0", "%m", hint="i") as i:
        place = _place(f, r, "%m", more=i)
        weight = f.load(kind, f.pointer("%weights", kind, place))
        value, out = f.pointer("%values", kind, _place(f, place, "%size")), f.pointer("%out", kind, _place(f, r, "%size"))
        with f.loop("0", "%size") as j:
            a, to = f.load(kind, f.pointer(value, kind, j)), f.pointer(out, kind, j)
            f.store(kind, f.call("fmuladd", kind, weight, a, f.load(kind, to)), to)


def _additions(f: Function, kind: str) -> None:
    with f.loop("0", "%n", hint="r") as r:
        owner = f.load("i64", f.pointer("%owner", "i64", r))
        row, out = f.pointer("%rows", kind, _place(f, r, "%width")), f.pointer("%out", "double", _place(f, owner, "%width"))
        with f.loop("0", "%width") as j:
            a, to = f.load(kind, f.pointer(row, kind, j)), f.pointer(out, "double", j)
            a = a if kind == "double" else f.put(f"fpext float {a} to double")
            f.store("double", f.put(f"fadd double {f.load('double', to)}, {a}"), to)


def _sums(f: Function, kind: str) -> None:
    with f.loop("0", "%n", hint="t") as t:
        first = f.load("i64", f.pointer("%starts", "i64", t))
        rows = f.pointer("%rows", kind, _place(f, first, "%width"))
        with f.loop("0", _place(f, f.load("i64", f.pointer("%sizes", "i64", t)), "%width")) as j:
            to = f.pointer("%out", kind, j)
            f.store(kind, f.put(f"fadd {kind} {f.load(kind, to)}, {f.load(kind, f.pointer(rows, kind, j))}"), to)


_BODIES: dict[str, Callable[[Function, str], None]] = {
    "logistic": _logistic,
    "softmax": _softmax,
    "scores": _scores,
    "mixtures": _mixtures,
    "additions": _additions,
    "sums": _sums,
}
