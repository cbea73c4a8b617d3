"""Products of rows with weights inside of compiled loops: blocks of a few rows and two vectors of columns, whose sums stay in registers.

The weights lie in panels: two vectors of columns, row after row, then the next two; the last panel has one vector where that is enough. Columns
are filled up with zeros. Every entry is summed in the order of the rows of the weights, one fused multiplication after the other, so that its bits
do not depend on the rows beside it.
"""

from __future__ import annotations

from ._ir import ATTRIBUTES, BYTES, Function, suffix_of

PRODUCT = (("i64", "n"), ("i64", "stride"), ("i64", "inner"), ("i64", "width"), ("ptr", "x"), ("ptr", "w"), ("ptr", "out"))
PANELS = (*tuple(("i64", name) for name in ("inner", "width", "row", "column")), ("ptr", "w"), ("ptr", "out"))
OUTER = (*tuple(("i64", name) for name in ("n", "a_stride", "b_stride", "height", "width")), ("ptr", "a"), ("ptr", "b"), ("ptr", "out"))
_TALL = (8, 4, 2, 1)  # rows of a block
_DEEP = 256  # rows of a panel that stay in the nearest cache
_CHUNK = 64  # rows of factors that do


def products(lanes: int) -> list[Function]:
    """The functions that all programs share, for floats and doubles.

    ``product_…`` of ``(rows, distance of rows of x, inner, width, x, panels, out)``: ``inner`` is the number of rows of the weights, ``width`` that
    of their columns, which fill whole vectors; ``lanes`` float32 numbers are one. ``outer_…``, which is called like a pass with ``(rows, distance of
    rows of a, of b, columns of a, columns of b, a, b, out)``, adds ``aᵀ b`` to ``out``. ``panels_…`` of ``(rows of the weights, columns, distance of
    rows, of columns, weights, out)`` lays weights as panels.
    """
    sizes = {kind: lanes * 4 // BYTES[kind] for kind in ("float", "double")}
    return [f for kind, n in sizes.items() for f in (*_Product(kind, n).functions, *_Outer(kind, n).functions, _panels(kind, n))]


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
        """All rows times one panel, some rows of the weights after the others: as many high blocks as there are, then lower ones."""
        with f.loop("0", "%inner", _DEEP, "d") as deep:
            inner = f.call("smin", "i64", f.put(f"sub i64 %inner, {deep}"), str(_DEEP))
            panel = f.pointer(w, self.kind, f.put(f"mul i64 {deep}, {vectors * self.lanes}"))
            left = f.pointer("%x", self.kind, deep)
            for k, high in enumerate(_TALL):
                low = f.put(f"and i64 %n, {-_TALL[k - 1]}") if k else "0"
                end = f.put(f"and i64 %n, {-high}")
                with f.when(f.put(f"icmp slt i64 {low}, {end}")), f.loop(low, end, high, "r") as r:
                    x = f.pointer(left, self.kind, f.put(f"mul i64 {r}, %stride"))
                    y = f.pointer(out, self.kind, f.put(f"mul i64 {r}, %width"))
                    sizes = f"i64 {inner}, ptr {x}, i64 %stride, ptr {panel}, ptr {y}, i64 %width, i64 {deep}"
                    f.do(f"call void @block_{self.kind}_{high}_{vectors}({sizes})")

    def _block(self, high: int, vectors: int) -> Function:
        """A few rows times one panel."""
        kind, lanes = self.kind, self.lanes
        arguments = [("i64", "inner"), ("ptr", "x"), ("i64", "stride"), ("ptr", "w"), ("ptr", "out"), ("i64", "width"), ("i64", "done")]
        f = Function(f"block_{kind}_{high}_{vectors}", arguments, "void", ATTRIBUTES, internal=True)
        vector = f"<{lanes} x {kind}>"
        rows = [f.pointer("%x", kind, f.put(f"mul i64 {r}, %stride")) for r in range(high)]
        goals = [f.pointer("%out", kind, f.put(f"mul i64 {r}, %width")) for r in range(high)]
        sums = {(r, v): f.local(vector) for r in range(high) for v in range(vectors)}
        places = {(r, v): f.pointer(goals[r], kind, str(v * lanes)) for r, v in sums}
        for total in sums.values():
            f.do(f"store {vector} zeroinitializer, ptr {total}")
        with f.when(f.put("icmp sgt i64 %done, 0")):
            for at, total in sums.items():
                f.do(f"store {vector} {f.put(f'load {vector}, ptr {places[at]}, align {BYTES[kind]}')}, ptr {total}")
        with f.loop("0", "%inner", hint="k") as k:
            w = f.pointer("%w", kind, f.put(f"mul i64 {k}, {vectors * lanes}"))
            columns = [f.put(f"load {vector}, ptr {f.pointer(w, kind, str(v * lanes))}, align {BYTES[kind]}") for v in range(vectors)]
            for r, row in enumerate(rows):
                one = f.put(f"insertelement {vector} poison, {kind} {f.load(kind, f.pointer(row, kind, k))}, i32 0")
                x = f.put(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")
                for v, column in enumerate(columns):
                    summed = f.call("fmuladd", vector, x, column, f.put(f"load {vector}, ptr {sums[r, v]}"))
                    f.do(f"store {vector} {summed}, ptr {sums[r, v]}")
        for at, total in sums.items():
            f.do(f"store {vector} {f.put(f'load {vector}, ptr {total}')}, ptr {places[at]}, align {BYTES[kind]}")
        f.do("ret void")
        return f


def _panels(kind: str, lanes: int) -> Function:
    f = Function(f"panels_{kind}", [*PANELS], "void", ATTRIBUTES)
    above = f.put(f"add i64 %width, {lanes - 1}")
    whole = f.put(f"and i64 {above}, {-lanes}")
    with f.loop("0", whole, 2 * lanes, "p") as p:
        left = f.put(f"sub i64 {whole}, {p}")
        wide = f.call("smin", "i64", left, str(2 * lanes))
        there = f.call("smin", "i64", f.put(f"sub i64 %width, {p}"), wide)
        to = f.pointer("%out", kind, f.put(f"mul i64 {p}, %inner"))
        source = f.pointer("%w", kind, f.put(f"mul i64 {p}, %column"))
        with f.loop("0", "%inner", hint="k") as k:
            row = f.pointer(source, kind, f.put(f"mul i64 {k}, %row"))
            out = f.pointer(to, kind, f.put(f"mul i64 {k}, {wide}"))
            with f.loop("0", there, hint="j") as j:
                f.store(kind, f.load(kind, f.pointer(row, kind, f.put(f"mul i64 {j}, %column"))), f.pointer(out, kind, j))
            with f.when(f.put(f"icmp slt i64 {there}, {wide}")), f.loop(there, wide, hint="z") as z:
                f.store(kind, "0.0", f.pointer(out, kind, z))
    f.do("ret void")
    return f


class _Outer:
    """Sums of outer products: blocks of a few columns of ``a`` and two vectors of columns of ``b``, over some rows that stay in the cache."""

    def __init__(self, kind: str, lanes: int) -> None:
        self.kind, self.lanes, self.functions = kind, lanes, list[Function]()
        self.functions += [self._block(high) for high in _TALL]
        f = Function(f"outer_{kind}", [*OUTER], "void", ATTRIBUTES)
        packed = f.local(f"[{_CHUNK * _TALL[0]} x {kind}]")
        with f.loop("0", "%n", _CHUNK, hint="c") as low:
            rows = f.call("smin", "i64", f.put(f"sub i64 %n, {low}"), str(_CHUNK))
            a, b = (f.pointer(f"%{x}", kind, f.put(f"mul i64 {low}, %{x}_stride")) for x in ("a", "b"))
            for k, high in enumerate(_TALL):
                first = f.put(f"and i64 %height, {-_TALL[k - 1]}") if k else "0"
                end = f.put(f"and i64 %height, {-high}")
                with f.when(f.put(f"icmp slt i64 {first}, {end}")), f.loop(first, end, high, "i") as i:
                    self._pack(f, rows, f.pointer(a, kind, i), packed, high)
                    out = f.pointer("%out", kind, f.put(f"mul i64 {i}, %width"))
                    with f.loop("0", "%width", 2 * lanes, hint="j") as j:
                        there, of = f.put(f"sub i64 %width, {j}"), f"ptr {f.pointer(b, kind, j)}, i64 %b_stride, ptr {f.pointer(out, kind, j)}"
                        f.do(f"call void @outer_block_{kind}_{high}(i64 {rows}, ptr {packed}, {of}, i64 %width, i64 {there})")
        f.do("ret void")
        self.functions.append(f)

    def _pack(self, f: Function, rows: str, a: str, packed: str, high: int) -> None:
        """A few columns of ``a`` end to end: apart, they would drive each other out of the cache."""
        vector = f"<{high} x {self.kind}>"
        with f.loop("0", rows, hint="k") as k:
            row = f.put(f"load {vector}, ptr {f.pointer(a, self.kind, f.put(f'mul i64 {k}, %a_stride'))}, align {BYTES[self.kind]}")
            f.do(f"store {vector} {row}, ptr {f.pointer(packed, self.kind, f.put(f'mul i64 {k}, {high}'))}, align {BYTES[self.kind]}")

    def _block(self, high: int) -> Function:
        kind, lanes = self.kind, self.lanes
        arguments = [("i64", "n"), ("ptr", "a"), ("ptr", "b"), ("i64", "b_stride"), ("ptr", "out"), ("i64", "width"), ("i64", "there")]
        f = Function(f"outer_block_{kind}_{high}", arguments, "void", ATTRIBUTES, internal=True)
        vector = f"<{lanes} x {kind}>"
        masks = [self._mask(f, v * lanes) for v in range(2)]
        places = [f.pointer("%out", kind, f.put(f"add i64 {f.put(f'mul i64 {r}, %width')}, {v * lanes}")) for r in range(high) for v in range(2)]
        sums = [f.local(vector) for _ in places]
        for total, place, mask in zip(sums, places, masks * high):
            f.do(f"store {vector} {self._load(f, place, mask)}, ptr {total}")
        with f.loop("0", "%n", hint="k") as k:
            a = f.pointer("%a", kind, f.put(f"mul i64 {k}, {high}"))
            b = f.pointer("%b", kind, f.put(f"mul i64 {k}, %b_stride"))
            columns = [self._load(f, f.pointer(b, kind, str(v * lanes)), mask) for v, mask in enumerate(masks)]
            for r in range(high):
                one = f.put(f"insertelement {vector} poison, {kind} {f.load(kind, f.pointer(a, kind, str(r)))}, i32 0")
                x = f.put(f"shufflevector {vector} {one}, {vector} poison, <{lanes} x i32> zeroinitializer")
                for column, total in zip(columns, sums[2 * r :]):
                    summed = f.call("fmuladd", vector, x, column, f.put(f"load {vector}, ptr {total}"))
                    f.do(f"store {vector} {summed}, ptr {total}")
        for total, place, mask in zip(sums, places, masks * high):
            self._store(f, f.put(f"load {vector}, ptr {total}"), place, mask)
        f.do("ret void")
        return f

    def _mask(self, f: Function, first: int) -> str:
        """Which of the columns of a vector there are."""
        n = f.put(f"insertelement <{self.lanes} x i64> poison, i64 %there, i32 0")
        n = f.put(f"shufflevector <{self.lanes} x i64> {n}, <{self.lanes} x i64> poison, <{self.lanes} x i32> zeroinitializer")
        steps = ", ".join(f"i64 {first + k}" for k in range(self.lanes))
        return f.put(f"icmp slt <{self.lanes} x i64> <{steps}>, {n}")

    def _load(self, f: Function, place: str, mask: str) -> str:
        """A vector of which only some entries are there, and zeros."""
        vector, bits = f"<{self.lanes} x {self.kind}>", f"<{self.lanes} x i1>"
        name = f"llvm.masked.load.{suffix_of(vector)}.p0"
        f.intrinsics.add(f"declare {vector} @{name}(ptr, i32 immarg, {bits}, {vector})")
        return f.put(f"call {vector} @{name}(ptr {place}, i32 {BYTES[self.kind]}, {bits} {mask}, {vector} zeroinitializer)")

    def _store(self, f: Function, value: str, place: str, mask: str) -> None:
        vector, bits = f"<{self.lanes} x {self.kind}>", f"<{self.lanes} x i1>"
        name = f"llvm.masked.store.{suffix_of(vector)}.p0"
        f.intrinsics.add(f"declare void @{name}({vector}, ptr, i32 immarg, {bits})")
        f.do(f"call void @{name}({vector} {value}, ptr {place}, i32 {BYTES[self.kind]}, {bits} {mask})")


def lying(shape: tuple[int, ...], dtype: str, lanes: int) -> tuple[int, ...]:
    """The shape of a product's rows in memory, whose columns fill whole vectors."""
    return (*shape[:-1], whole_vectors(shape[-1], dtype, lanes))


def whole_vectors(width: int, dtype: str, lanes: int) -> int:
    """Columns that fill whole vectors; ``lanes`` float32 numbers in a vector."""
    lanes = lanes if dtype == "float32" else lanes // 2
    return -(-width // lanes) * lanes
