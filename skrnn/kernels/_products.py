"""Products of rows with weights inside of compiled loops: blocks of a few rows and two vectors of columns, whose sums stay in registers.

The weights lie in panels: two vectors of columns, row after row, then the next two; the last panel has one vector where that is enough. Columns
are filled up with zeros. Every entry is summed in the order of the rows of the weights, one fused multiplication after the other, so that its bits
do not depend on the rows beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._ir import ATTRIBUTES, BYTES, Function

PRODUCT = (("i64", "n"), ("ptr", "x"), ("i64", "stride"), ("ptr", "w"), ("ptr", "out"), ("i64", "inner"), ("i64", "width"))
_TALL = (8, 4, 2, 1)  # rows of a block


def products(lanes: int) -> list[Function]:
    """The functions ``product_float`` and ``product_double`` of ``(rows, x, distance of rows of x, panels, out, inner, width)``.

    ``inner`` is the number of rows of the weights, ``width`` that of their columns, which fill whole vectors; ``lanes`` float32 numbers are one.
    """
    return [f for kind in ("float", "double") for f in _Product(kind, lanes * 4 // BYTES[kind]).functions]


class _Product:
    def __init__(self, kind: str, lanes: int) -> None:
        self.kind, self.lanes, self.functions = kind, lanes, list[Function]()
        self.functions += [self._block(high, vectors) for vectors in (2, 1) for high in _TALL]
        f = Function(f"product_{kind}", [*PRODUCT], "void", ATTRIBUTES)
        pairs = f.put(f"sdiv i64 %width, {2 * lanes}")
        with f.when(f.put(f"icmp sgt i64 {pairs}, 0")), f.loop("0", pairs, hint="p") as p:
            w = f.pointer("%w", kind, f.put(f"mul i64 {f.put(f'mul i64 {p}, %inner')}, {2 * lanes}"))
            self._panel(f, w, f.pointer("%out", kind, f.put(f"mul i64 {p}, {2 * lanes}")), 2)
        low = f.put(f"mul i64 {pairs}, {2 * lanes}")
        with f.when(f.put(f"icmp slt i64 {low}, %width")):
            self._panel(f, f.pointer("%w", kind, f.put(f"mul i64 {low}, %inner")), f.pointer("%out", kind, low), 1)
        f.do("ret void")
        self.functions.append(f)

    def _panel(self, f: Function, w: str, out: str, vectors: int) -> None:
        """All rows times one panel: as many high blocks as there are, then lower ones."""
        for k, high in enumerate(_TALL):
            low = f.put(f"and i64 %n, {-_TALL[k - 1]}") if k else "0"
            end = f.put(f"and i64 %n, {-high}")
            with f.when(f.put(f"icmp slt i64 {low}, {end}")), f.loop(low, end, high, "r") as r:
                x = f.pointer("%x", self.kind, f.put(f"mul i64 {r}, %stride"))
                y = f.pointer(out, self.kind, f.put(f"mul i64 {r}, %width"))
                f.do(f"call void @block_{self.kind}_{high}_{vectors}(i64 %inner, ptr {x}, i64 %stride, ptr {w}, ptr {y}, i64 %width)")

    def _block(self, high: int, vectors: int) -> Function:
        """A few rows times one panel."""
        kind, lanes = self.kind, self.lanes
        arguments = [("i64", "inner"), ("ptr", "x"), ("i64", "stride"), ("ptr", "w"), ("ptr", "out"), ("i64", "width")]
        f = Function(f"block_{kind}_{high}_{vectors}", arguments, "void", ATTRIBUTES, internal=True)
        vector = f"<{lanes} x {kind}>"
        sums = [[f.local(vector) for _ in range(vectors)] for _ in range(high)]
        for total in (s for row in sums for s in row):
            f.do(f"store {vector} zeroinitializer, ptr {total}")
        rows = [f.pointer("%x", kind, f.put(f"mul i64 {r}, %stride")) for r in range(high)]
        with f.loop("0", "%inner", hint="k") as k:
            at = f.pointer("%w", kind, f.put(f"mul i64 {k}, {vectors * lanes}"))
            columns = [f.put(f"load {vector}, ptr {f.pointer(at, kind, str(v * lanes))}, align {BYTES[kind]}") for v in range(vectors)]
            for row, totals in zip(rows, sums):
                one = f.put(f"insertelement {vector} poison, {kind} {f.load(kind, f.pointer(row, kind, k))}, i32 0")
                x = f.put(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")
                for column, total in zip(columns, totals):
                    summed = f.call("fmuladd", vector, x, column, f.put(f"load {vector}, ptr {total}"))
                    f.do(f"store {vector} {summed}, ptr {total}")
        for r, totals in enumerate(sums):
            y = f.pointer("%out", kind, f.put(f"mul i64 {r}, %width"))
            for v, total in enumerate(totals):
                f.do(f"store {vector} {f.put(f'load {vector}, ptr {total}')}, ptr {f.pointer(y, kind, str(v * lanes))}, align {BYTES[kind]}")
        f.do("ret void")
        return f


def whole_vectors(width: int, dtype: str, lanes: int) -> int:
    """Columns that fill whole vectors; ``lanes`` float32 numbers in a vector."""
    lanes = lanes if dtype == "float32" else lanes // 2
    return -(-width // lanes) * lanes


def as_panels(W: NDArray[Any], lanes: int) -> NDArray[Any]:
    """Weights (inner, width) as panels; ``lanes`` numbers of their type in a vector."""
    inner, width = W.shape
    whole = -(-width // lanes) * lanes
    if whole != width:
        W = np.concatenate([W, np.zeros((inner, whole - width), W.dtype)], 1)
    pairs = whole // (2 * lanes) * 2 * lanes
    first = W[:, :pairs].reshape(inner, -1, 2 * lanes).swapaxes(0, 1)
    return np.concatenate([first.reshape(-1), W[:, pairs:].reshape(-1)])
