"""From expressions to LLVM's representation of them, in the body of a loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from ._draws import is_drawn
from ._entries import Expression
from ._index import Index, values_in
from ._ir import ELEMENTARY, FLAGS, TYPES, Function, constant

_ARITHMETIC = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_ORDER = ("gt", "ge", "lt", "le", "eq", "ne")
_LIBRARY = {"sqrt": "sqrt", "sin": "sin", "cos": "cos", "floor": "floor", "abs": "fabs"}


class ExpressionWriter:
    """Writes expressions, each once, in the body of a loop."""

    def __init__(self, rows: Any, counters: dict[Any, str], known: dict[tuple[int, Index], Expression], roots: list[Expression]) -> None:
        self.rows, self.f, self.counters, self.known = rows, rows.f, counters, known
        self.written: dict[Expression, str] = {}
        self.users = Counter(id(root) for root in roots)
        seen, stack = set(roots), list(roots)
        while stack:
            for e in self._made_of(stack.pop()):
                self.users[id(e)] += 1
                if e not in seen:
                    seen.add(e)
                    stack.append(e)

    def __call__(self, root: Expression) -> str:
        stack = [root]
        while stack:  # no recursion: chains can be long
            e = stack[-1]
            if e in self.written:
                stack.pop()
                continue
            needed = [a for a in self._inputs(e) if a not in self.written]
            if needed:
                stack += needed
            else:
                self.written[e] = self._write(e)
                stack.pop()
        return self.written[root]

    def _made_of(self, e: Expression) -> list[Expression]:
        inside = self.known.get((id(e.args[0]), e.args[1])) if e.op == "load" else None
        return e.inputs() if inside is None else [inside]

    def _inputs(self, e: Expression) -> list[Expression]:
        product = self._fused(e)
        return self._made_of(e) if product is None else [*product.args, *(a for a in e.args if a is not product)]

    def _fused(self, e: Expression) -> Expression | None:
        """A product of which only this sum makes use: both are rounded once."""
        if e.op not in ("add", "sub") or e.dtype not in ("float32", "float64"):
            return None
        return next((a for a in e.args if a.op == "mul" and self.users[id(a)] == 1), None)

    def _write_fused(self, e: Expression, product: Expression) -> str:
        kind = TYPES[e.dtype]
        a, b = (self.written[x] for x in product.args)
        first = e.args[0] is product
        c = self.written[e.args[1 if first else 0]]
        if e.op == "sub" and first:
            c = self.f.put(f"fneg {FLAGS} {kind} {c}")
        elif e.op == "sub":
            a = self.f.put(f"fneg {FLAGS} {kind} {a}")
        return self.f.call("fmuladd", kind, a, b, c)

    def _write(self, e: Expression) -> str:
        f, kind, op = self.f, TYPES[e.dtype], e.op
        if op == "number":
            return constant(e.args[0], kind)
        if op == "load":
            inside = self.known.get((id(e.args[0]), e.args[1]))
            if inside is not None:
                return self.written[inside]
            array, index = e.args
            counters = {**self.counters, **{v: self.written[v] for v in values_in(index)}}
            return f.load(kind, self.rows.place(array, index, counters))
        if op == "draw":
            k, share, place = e.args
            drawn = is_drawn(f, self.rows.keys[k], self.rows.index(place, self.counters), share)
            return f.put(f"uitofp i1 {drawn} to {kind}")
        product = self._fused(e)
        if product is not None:
            return self._write_fused(e, product)
        a = [self.written[x] for x in e.args]
        source = TYPES[e.args[0].dtype]
        writer: Callable[..., str] | None = _WRITERS.get(op)
        if writer is not None:
            return writer(f, kind, source, *a)
        if op in ELEMENTARY:
            return f.put(f"call {kind} @{self.rows.module.elementary(op, kind)}({kind} {a[0]})")
        if op in _LIBRARY:
            return f.call(_LIBRARY[op], kind, a[0], flags=FLAGS)
        if kind == "i64":
            return f.put(f"{op} {kind} {a[0]}, {a[1]}")
        return f.put(f"{_ARITHMETIC[op]} {FLAGS} {kind} {a[0]}, {a[1]}")


def _compared(op: str) -> Callable[..., str]:
    def write(f: Function, kind: str, source: str, a: str, b: str) -> str:
        if source in ("float", "double"):
            return f.put(f"fcmp {'une' if op == 'ne' else 'o' + op} {source} {a}, {b}")
        return f.put(f"icmp {op if op in ('eq', 'ne') else 's' + op} {source} {a}, {b}")

    return write


def _chosen(comparison: str) -> Callable[..., str]:
    def write(f: Function, kind: str, source: str, a: str, b: str) -> str:
        if kind in ("float", "double"):
            return f.call({"gt": "maximum", "lt": "minimum"}[comparison], kind, a, b, flags="nsz")
        test = f.put(f"icmp s{comparison} {kind} {a}, {b}")
        return f.put(f"select i1 {test}, {kind} {a}, {kind} {b}")

    return write


def _cast(f: Function, kind: str, source: str, a: str) -> str:
    if source == "i1":
        return f.put(f"zext i1 {a} to i64" if kind == "i64" else f"uitofp i1 {a} to {kind}")
    if kind == "i1":
        return f.put(f"fcmp une {source} {a}, {constant(0, source)}" if source != "i64" else f"icmp ne i64 {a}, 0")
    if source == "i64":
        return f.put(f"sitofp i64 {a} to {kind}")
    if kind == "i64":
        return f.put(f"fptosi {source} {a} to i64")
    return f.put(f"{'fpext' if kind == 'double' else 'fptrunc'} {source} {a} to {kind}")


def _sign(f: Function, kind: str, source: str, a: str) -> str:
    zero = constant(0, kind)
    up, down = (f.put(f"uitofp i1 {f.put(f'fcmp {c} {kind} {a}, {zero}')} to {kind}") for c in ("ogt", "olt"))
    return f.put(f"fsub {kind} {up}, {down}")


def _remainder(f: Function, kind: str, source: str, a: str, b: str) -> str:
    """With the sign of the divisor, as in Python."""
    if kind != "i64":
        whole = f.call("floor", kind, f.put(f"fdiv {kind} {a}, {b}"))
        return f.put(f"fsub {kind} {a}, {f.put(f'fmul {kind} {whole}, {b}')}")
    rest = f.put(f"srem i64 {a}, {b}")
    differ = f.put(f"icmp slt i64 {f.put(f'xor i64 {rest}, {b}')}, 0")
    wrong = f.put(f"and i1 {differ}, {f.put(f'icmp ne i64 {rest}, 0')}")
    return f.put(f"select i1 {wrong}, i64 {f.put(f'add i64 {rest}, {b}')}, i64 {rest}")


def _negative(f: Function, kind: str, source: str, a: str) -> str:
    return f.put(f"sub i64 0, {a}" if kind == "i64" else f"fneg {FLAGS} {kind} {a}")


_WRITERS: dict[str, Callable[..., str]] = {op: _compared(op) for op in _ORDER} | {
    "maximum": _chosen("gt"),
    "minimum": _chosen("lt"),
    "cast": _cast,
    "sign": _sign,
    "neg": _negative,
    "remainder": _remainder,
    "where": lambda f, kind, source, c, a, b: f.put(f"select i1 {c}, {kind} {a}, {kind} {b}"),
    "and": lambda f, kind, source, a, b: f.put(f"and {kind} {a}, {b}"),
    "or": lambda f, kind, source, a, b: f.put(f"or {kind} {a}, {b}"),
    "not": lambda f, kind, source, a: f.put(f"xor {kind} {a}, {'true' if kind == 'i1' else '-1'}"),
    "erf": lambda f, kind, source, a: f.outside({"float": "erff", "double": "erf"}[kind], kind, a),
    "pow": lambda f, kind, source, a, b: f.call("pow", kind, a, b),
}
