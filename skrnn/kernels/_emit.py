"""From the schedule of a pass to LLVM's representation of it: a loop over time around products and loops over rows."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from ._draws import key_of_row
from ._entries import Buffer, Expression, loads
from ._index import Index, values_in
from ._ir import BYTES, FLAGS, STORED, TYPES, Function, constant, elementary, module_text
from ._products import PRODUCT
from ._schedule import Loop, Product, Schedule, Store
from ._values import ExpressionWriter

_LANES = 16  # partial sums of a fold: as many on every machine and in every program, so that zeros at the end change no bits
SEEDS = Buffer("seeds", "weights", (0,), "int64")  # of random numbers
_WALK = [("i64", "n_steps"), ("i64", "descending"), ("i64", "low"), ("i64", "high"), ("ptr", "sizes"), ("ptr", "starts"), ("ptr", "table")]


class ProgramText:
    """The text of all functions of a program."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}

    def text(self) -> str:
        declared = [f"declare void @product_{kind}({', '.join(k for k, _ in PRODUCT)})" for kind in ("float", "double")]
        return module_text(list(self.functions.values()), declared)

    def elementary(self, name: str, kind: str) -> str:
        f = elementary(name, kind)
        return self.functions.setdefault(f.name, f).name

    def add_pass(self, name: str, plan: Schedule, copies: list[tuple[Buffer, Buffer]]) -> list[Buffer]:
        """The loop over time of a pass as the function ``name``; its arrays in the order of the table that it is called with.

        In every step the second array of each of the ``copies`` first gets the rows of the first one.
        """
        arrays = plan.arrays | {a.name: a for pair in copies for a in pair}
        if any(item.draws() for level in plan.levels for item in level if isinstance(item, Loop)):
            arrays[SEEDS.name] = SEEDS
        names = sorted(arrays)
        f = Function(name, _WALK)
        places = {}
        for place, array in enumerate(names):
            pointer = f.new("t")
            f.entry += [f"  {pointer}p = getelementptr inbounds ptr, ptr %table, i64 {place}", f"  {pointer} = load ptr, ptr {pointer}p"]
            places[array] = pointer
        with f.loop("0", "%n_steps", hint="k") as k:
            self._step(f, k, plan, copies, {a: (places[a], arrays[a]) for a in names})
        f.do("ret void")
        self.functions[name] = f
        return [arrays[a] for a in names]

    def _step(self, f: Function, k: str, plan: Schedule, copies: list[tuple[Buffer, Buffer]], places: dict[str, tuple[str, Buffer]]) -> None:
        backward = f.put(f"sub i64 %n_steps, {f.put(f'add i64 {k}, 1')}")
        turned = f.put("icmp ne i64 %descending, 0")
        t = f.put(f"select i1 {turned}, i64 {backward}, i64 {k}")
        size = f.load("i64", f.pointer("%sizes", "i64", t))
        start = f.load("i64", f.pointer("%starts", "i64", t))
        below = f.call("smin", "i64", size, "%high")
        n = f.put(f"sub i64 {below}, %low")
        row = f.put(f"add i64 {start}, %low")
        first = {"steps": row, "sequences": "%low"}
        with f.when(f.put(f"icmp sgt i64 {n}, 0")):
            rows = {}
            for name, (pointer, array) in places.items():
                kind = STORED[TYPES[array.dtype]]
                rows[name] = f.pointer(pointer, kind, f.put(f"mul i64 {first[array.place]}, {array.size}")) if array.place in first else pointer
            for source, copy in copies:
                self._copy(f, n, source, rows[source.name], rows[copy.name])
            loops: list[Loop] = []
            for level in plan.levels:
                for item in level:
                    if isinstance(item, Product):
                        self._rows(f, (n, row), loops, rows, places)
                        self._product(f, n, item, rows)
                    else:
                        loops.append(item)
            self._rows(f, (n, row), loops, rows, places)

    def _copy(self, f: Function, n: str, array: Buffer, source: str, to: str) -> None:
        size = f.put(f"mul i64 {n}, {array.size * BYTES[TYPES[array.dtype]]}")
        f.intrinsics.add("declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)")
        f.do(f"call void @llvm.memcpy.p0.p0.i64(ptr {to}, ptr {source}, i64 {size}, i1 false)")

    def _product(self, f: Function, n: str, item: Product, rows: dict[str, str]) -> None:
        kind = TYPES[item.out.dtype]
        left = f.pointer(rows[item.left.name], kind, str(item.offset))
        count = n if item.folded == 1 else f.put(f"mul i64 {n}, {item.folded}")
        sizes = f"i64 {count}, i64 {item.stride}, i64 {item.inner}, i64 {item.out.shape[-1]}"
        f.do(f"call void @product_{kind}({sizes}, ptr {left}, ptr {rows[item.panels.name]}, ptr {rows[item.out.name]})")

    def _rows(self, f: Function, of: tuple[str, str], loops: list[Loop], rows: dict[str, str], places: dict[str, tuple[str, Buffer]]) -> None:
        """A function for loops that follow each other, which calls it with arrays that do not overlap."""
        if not loops:
            return
        name = f"{f.name}_{len(self.functions)}"
        written = {s.array.name for loop in loops for s in loop.stores if s.how != "silent"}
        used = sorted(written | {e.args[0].name for loop in loops for e in loop.reads()} | {SEEDS.name for loop in loops if loop.draws()})
        body = _Rows(self, name, [places[a][1] for a in used])
        for loop in loops:
            body.loop(loop)
        self.functions[name] = body.finished()
        f.do(f"call void @{name}(i64 {of[0]}, i64 {of[1]}, {', '.join(f'ptr {rows[a]}' for a in used)})")
        loops.clear()


class _Rows:
    """A function that goes through rows, and through the entries of each."""

    def __init__(self, module: ProgramText, name: str, arrays: list[Buffer]) -> None:
        self.module = module
        self.f = Function(name, [("i64", "n"), ("i64", "row"), *(("ptr noalias", a.name) for a in arrays)], internal=True)
        self.stack = ExitStack()
        b = self.stack.enter_context(self.f.loop("0", "%n", hint="b", alike=True))  # the bits of a row do not depend on where it stands
        self.row, self.keys = self.f.put(f"add i64 %row, {b}"), dict[int, str]()
        self.base = {}
        for a in arrays:
            kind = STORED[TYPES[a.dtype]]
            apart = a.place in ("steps", "sequences")
            self.base[id(a)] = self.f.pointer(f"%{a.name}", kind, self.f.put(f"mul i64 {b}, {a.size}")) if apart else f"%{a.name}"

    def finished(self) -> Function:
        self.stack.close()
        self.f.do("ret void")
        return self.f

    def loop(self, loop: Loop) -> None:
        for k in sorted(loop.draws() - set(self.keys)):
            seed = self.f.load("i64", self.f.pointer(f"%{SEEDS.name}", "i64", str(k)))
            self.keys[k] = key_of_row(self.f, seed, self.row)
        if loop.over:
            for store in loop.stores:
                self._fold(loop, store)
            return
        with self._counters(loop.sizes) as counters:
            value = ExpressionWriter(self, counters, loop.known(), [s.value for s in loop.stores if s.how != "silent"])
            made = [(s, value(s.value), {e: value(e) for e in values_in(s.place)}) for s in loop.stores if s.how != "silent"]
            for store, name, places in made:
                self._put(store, name, {**counters, **places})

    def _put(self, store: Store, name: str, counters: dict[Any, str]) -> None:
        kind = TYPES[store.array.dtype]
        pointer = self.place(store.array, store.place, counters)
        if store.how == "add":
            name = self._added(kind, self.f.load(kind, pointer), name)
        self.f.store(kind, name, pointer)

    def _added(self, kind: str, a: str, b: str) -> str:
        return self.f.put(f"add i64 {a}, {b}" if kind == "i64" else f"fadd {FLAGS} {kind} {a}, {b}")

    def _counters(self, sizes: tuple[int, ...], first: int = 0) -> Any:
        return _Nest(self.f, sizes, first)

    def _fold(self, loop: Loop, store: Store) -> None:
        """A sum or largest value: of one entry after the other, or, where those of a sum lie apart, of all entries side by side."""
        kind, n = TYPES[store.array.dtype], len(loop.sizes)
        lowest = -(2**63) if kind == "i64" else float("-inf")
        start = constant(0 if store.how == "sum" else lowest, kind)
        if n and _side_by_side(store.value, n, loop):
            self._fold_side_by_side(loop, store, start)
            return
        with self._counters(loop.sizes) as outer:
            totals = self.f.local(f"[{_LANES} x {kind}]")
            with self.f.loop("0", str(_LANES), hint="l") as lane:
                self.f.store(kind, start, self.f.pointer(totals, kind, lane))
            with self._counters(loop.over[:-1], n) as inner:
                self._fold_last(loop, store, totals, {**outer, **inner})
            self.f.store(kind, self._tree(store, kind, totals), self.place(store.array, store.place, outer))

    def _fold_last(self, loop: Loop, store: Store, totals: str, counters: dict[Any, str]) -> None:
        """The last axis that is folded: every so many entries into the same partial result."""
        kind, size = TYPES[store.array.dtype], loop.over[-1]
        part = ("counter", len(loop.sizes) + len(loop.over) - 1, size)

        def lanes(first: str, count: int) -> None:
            with self.f.loop("0", str(count), hint="l") as lane:
                at = self.f.put(f"add nuw nsw i64 {first}, {lane}")
                name = ExpressionWriter(self, {**counters, part: at}, {}, [store.value])(store.value)
                pointer = self.f.pointer(totals, kind, lane)
                self.f.store(kind, self._joined(store, kind, self.f.load(kind, pointer), name), pointer)

        whole = size // _LANES * _LANES
        if whole:
            with self.f.loop("0", str(whole), _LANES, hint="j") as first:
                lanes(first, _LANES)
        if size > whole:
            lanes(str(whole), size - whole)

    def _tree(self, store: Store, kind: str, totals: str) -> str:
        values = [self.f.load(kind, self.f.pointer(totals, kind, str(k))) for k in range(_LANES)]
        while len(values) > 1:
            half = len(values) // 2
            values = [self._joined(store, kind, a, b) for a, b in zip(values[:half], values[half:])]
        return values[0]

    def _fold_side_by_side(self, loop: Loop, store: Store, start: str) -> None:
        kind, n = TYPES[store.array.dtype], len(loop.sizes)
        with self._counters(loop.sizes[:-1]) as outer:
            with self._counters(loop.sizes[-1:], n - 1) as last:
                self.f.store(kind, start, self.place(store.array, store.place, {**outer, **last}))
            with self._counters(loop.over, n) as inner, self._counters(loop.sizes[-1:], n - 1) as last:
                counters = {**outer, **inner, **last}
                name = ExpressionWriter(self, counters, {}, [store.value])(store.value)
                pointer = self.place(store.array, store.place, counters)
                self.f.store(kind, self._joined(store, kind, self.f.load(kind, pointer), name), pointer)

    def _joined(self, store: Store, kind: str, total: str, name: str) -> str:
        if store.how == "sum":
            return self._added(kind, total, name)
        return self.f.call("smax", kind, total, name) if kind == "i64" else self.f.call("maximum", kind, total, name, flags=FLAGS)

    def place(self, array: Buffer, index: Index, counters: dict[Any, str]) -> str:
        """A pointer to an entry; ``counters`` are the names of counters, and of expressions that say where it stands."""
        return self.f.pointer(self.base[id(array)], STORED[TYPES[array.dtype]], self.index(index, counters))

    def index(self, index: Index, counters: dict[Any, str]) -> str:
        total = None
        for part, factor in index[1]:
            value = self._part(part, counters)
            value = value if factor == 1 else self.f.put(f"mul nsw i64 {value}, {factor}")
            total = value if total is None else self.f.put(f"add nsw i64 {total}, {value}")
        if total is None:
            return str(index[0])
        return self.f.put(f"add nsw i64 {total}, {index[0]}") if index[0] else total

    def _part(self, part: Any, counters: dict[Any, str]) -> str:
        if part[0] == "counter":
            return counters[part]
        if part[0] == "loaded":
            return counters[part[1]]
        kind, inner, divisor = part
        return self.f.put(f"{'udiv' if kind == 'quotient' else 'urem'} i64 {self.index(inner, counters)}, {divisor}")


class _Nest:
    """Loops inside of loops."""

    def __init__(self, f: Function, sizes: tuple[int, ...], first: int) -> None:
        self.f, self.sizes, self.first = f, sizes, first
        self.stack = ExitStack()

    def __enter__(self) -> dict[Any, str]:
        return {
            ("counter", self.first + k, size): self.stack.enter_context(self.f.loop("0", str(size), hint="j")) for k, size in enumerate(self.sizes)
        }

    def __exit__(self, *error: Any) -> None:
        self.stack.close()


def _side_by_side(value: Expression, n: int, loop: Loop) -> bool:
    """Whether more of the entries lie side by side along the last loop than along the last one that is folded."""
    last, folded = ("counter", n - 1, loop.sizes[-1]), ("counter", n + len(loop.over) - 1, loop.over[-1])
    strides = [dict(e.args[1][1]) for e in loads([value])]
    return sum(s.get(last) == 1 for s in strides) > sum(s.get(folded) == 1 for s in strides)
