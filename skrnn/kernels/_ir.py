"""LLVM's intermediate representation as text: functions, loops, and the elementary functions in it.

The text names no CPU and no width of vectors but ``lanes``: LLVM makes vector code of the loops for the machine at hand.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

TYPES = {"float32": "float", "float64": "double", "int64": "i64", "bool": "i1"}
STORED = {"float": "float", "double": "double", "i64": "i64", "i1": "i8"}
BYTES = {"float": 4, "double": 8, "i64": 8, "i1": 1}
_LN2 = 0.693359375, -2.12194440054690582767878541e-4  # in two parts: the first one times a whole number is exact
_WHOLE = {"float": "i32", "double": "i64"}
FLAGS = "nsz"  # no more: what is not finite stays so, sums stay in their order, quotients are exact, and nothing is fused but what is told
ATTRIBUTES = 'nounwind "prefer-vector-width"="512"'  # LLVM else stops at 256 bits on most CPUs that have 512


def constant(value: Any, kind: str) -> str:
    """A number as LLVM writes it."""
    if kind == "i1":
        return "true" if value else "false"
    if kind in ("i64", "i32"):
        return str(int(value))
    value = float(value)
    if kind == "float" and math.isfinite(value):
        value = struct.unpack("f", struct.pack("f", value))[0]
    return "0x" + struct.pack(">d", value).hex().upper()


def suffix_of(kind: str) -> str:
    """How LLVM's own functions of a type are called."""
    if kind.startswith("<"):
        count, _, inner = kind[1:-1].partition(" x ")
        return f"v{count}{suffix_of(inner)}"
    return {"float": "f32", "double": "f64"}.get(kind, kind)


class Function:
    """The text of a function while it is written."""

    def __init__(
        self, name: str, arguments: list[tuple[str, str]], result: str = "void", attributes: str = ATTRIBUTES, *, internal: bool = False
    ) -> None:
        self.name = name
        linkage = "internal " if internal else ""
        self.head = f"define {linkage}{result} @{name}({', '.join(f'{kind} %{a}' for kind, a in arguments)}) {attributes} {{"
        self.entry: list[str] = []
        self.lines: list[str] = []
        self.intrinsics: set[str] = set()
        self.alike: list[str] = []
        self._n = 0
        self._block = "start"

    def text(self) -> str:
        return "\n".join([self.head, "entry:", *self.entry, "  br label %start", "start:", *self.lines, "}"])

    def new(self, hint: str = "v") -> str:
        self._n += 1
        return f"%{hint}.{self._n}"

    def put(self, expression: str) -> str:
        name = self.new()
        self.lines.append(f"  {name} = {expression}")
        return name

    def do(self, line: str) -> None:
        self.lines.append(f"  {line}")

    def _label(self, name: str) -> None:
        self.lines.append(f"{name}:")
        self._block = name

    def local(self, kind: str) -> str:
        """A place on the stack."""
        name = self.new("a")
        self.entry.append(f"  {name} = alloca {kind}")
        return name

    def pointer(self, base: str, kind: str, index: str) -> str:
        return self.put(f"getelementptr inbounds {kind}, ptr {base}, i64 {index}")

    def load(self, kind: str, pointer: str) -> str:
        value = self.put(f"load {STORED.get(kind, kind)}, ptr {pointer}" + (f", align {BYTES[kind]}" if kind in BYTES else ""))
        return self.put(f"trunc i8 {value} to i1") if kind == "i1" else value

    def store(self, kind: str, value: str, pointer: str) -> None:
        if kind == "i1":
            value = self.put(f"zext i1 {value} to i8")
        self.do(f"store {STORED.get(kind, kind)} {value}, ptr {pointer}" + (f", align {BYTES[kind]}" if kind in BYTES else ""))

    def call(self, intrinsic: str, kind: str, *args: str, flags: str = "") -> str:
        """One of LLVM's own functions."""
        suffix = suffix_of(kind)
        self.intrinsics.add(f"declare {kind} @llvm.{intrinsic}.{suffix}({', '.join([kind] * len(args))})")
        return self.put(f"call {flags}{' ' if flags else ''}{kind} @llvm.{intrinsic}.{suffix}({', '.join(f'{kind} {a}' for a in args)})")

    def outside(self, name: str, kind: str, *args: str) -> str:
        """A function of C's library."""
        self.intrinsics.add(f"declare {kind} @{name}({', '.join([kind] * len(args))})")
        return self.put(f"call {kind} @{name}({', '.join(f'{kind} {a}' for a in args)})")

    @contextmanager
    def loop(self, first: str, end: str, step: int = 1, hint: str = "i", *, alike: bool = False) -> Iterator[str]:
        """A loop whose body runs at least once; every time by the same instructions, if all are to be ``alike``."""
        before, i = self._block, self.new(hint)
        body, done = (f"{kind}{i[1:]}" for kind in ("body", "done"))
        self.do(f"br label %{body}")
        self._label(body)
        place = len(self.lines)
        self.lines.append("")
        yield i
        after = self.new("n")
        self.do(f"{after} = add nuw nsw i64 {i}, {step}")
        more = self.put(f"icmp slt i64 {after}, {end}")
        self.lines[place] = f"  {i} = phi i64 [ {first}, %{before} ], [ {after}, %{self._block} ]"
        mark = ""
        if alike:
            self.alike.append(f"{self.name}{i}")
            mark = f", !llvm.loop !{self.alike[-1]}"
        self.do(f"br i1 {more}, label %{body}, label %{done}{mark}")
        self._label(done)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        name = self.new("w")[1:]
        self.do(f"br i1 {condition}, label %then{name}, label %end{name}")
        self._label(f"then{name}")
        yield
        self.do(f"br label %end{name}")
        self._label(f"end{name}")


class _Real:
    """A number in a function, with the arithmetic of Python."""

    def __init__(self, f: Function, kind: str, name: str) -> None:
        self.f, self.kind, self.name = f, kind, name

    def _of(self, other: Any) -> str:
        return other.name if isinstance(other, _Real) else constant(other, self.kind)

    def _with(self, op: str, a: str, b: str) -> _Real:
        return _Real(self.f, self.kind, self.f.put(f"{op} {FLAGS} {self.kind} {a}, {b}"))

    def __add__(self, other: Any) -> _Real:
        return self._with("fadd", self.name, self._of(other))

    def __sub__(self, other: Any) -> _Real:
        return self._with("fsub", self.name, self._of(other))

    def __rsub__(self, other: Any) -> _Real:
        return self._with("fsub", self._of(other), self.name)

    def __mul__(self, other: Any) -> _Real:
        return self._with("fmul", self.name, self._of(other))

    def __truediv__(self, other: Any) -> _Real:
        return self._with("fdiv", self.name, self._of(other))

    def __rtruediv__(self, other: Any) -> _Real:
        return self._with("fdiv", self._of(other), self.name)

    __radd__, __rmul__ = __add__, __mul__

    def __neg__(self) -> _Real:
        return _Real(self.f, self.kind, self.f.put(f"fneg {FLAGS} {self.kind} {self.name}"))

    def fused(self, factor: Any, term: Any) -> _Real:
        """A product and a sum, rounded once."""
        return _Real(self.f, self.kind, self.f.call("fmuladd", self.kind, self.name, self._of(factor), self._of(term)))

    def least(self, other: Any) -> _Real:
        """The smaller one; what is not a number stays so."""
        return self._select("ogt", other)

    def most(self, other: Any) -> _Real:
        return self._select("olt", other)

    def _select(self, comparison: str, other: Any) -> _Real:
        beyond = self.f.put(f"fcmp {comparison} {self.kind} {self.name}, {self._of(other)}")
        return _Real(self.f, self.kind, self.f.put(f"select i1 {beyond}, {self.kind} {self._of(other)}, {self.kind} {self.name}"))

    def series(self, coefficients: list[float]) -> _Real:
        """A polynomial, from the highest power on."""
        total: Any = _Real(self.f, self.kind, constant(coefficients[0], self.kind))
        for c in coefficients[1:]:
            total = total.fused(self, c)
        return total

    def bits(self) -> _Bits:
        whole = _WHOLE[self.kind]
        return _Bits(self.f, self.kind, self.f.put(f"bitcast {self.kind} {self.name} to {whole}"))


class _Bits:
    """The bits of a number, as a whole one."""

    def __init__(self, f: Function, kind: str, name: str) -> None:
        self.f, self.kind, self.whole, self.name = f, kind, _WHOLE[kind], name

    def _with(self, op: str, other: Any) -> _Bits:
        b = other.name if isinstance(other, _Bits) else str(other)
        return _Bits(self.f, self.kind, self.f.put(f"{op} {self.whole} {self.name}, {b}"))

    def __add__(self, other: Any) -> _Bits:
        return self._with("add", other)

    def __sub__(self, other: Any) -> _Bits:
        return self._with("sub", other)

    def __lshift__(self, other: int) -> _Bits:
        return self._with("shl", other)

    def __rshift__(self, other: int) -> _Bits:
        return self._with("ashr", other)

    def __and__(self, other: int) -> _Bits:
        return self._with("and", other)

    def __or__(self, other: Any) -> _Bits:
        return self._with("or", other)

    def number(self) -> _Real:
        return _Real(self.f, self.kind, self.f.put(f"bitcast {self.whole} {self.name} to {self.kind}"))

    def value(self) -> _Real:
        return _Real(self.f, self.kind, self.f.put(f"sitofp {self.whole} {self.name} to {self.kind}"))


def _parts(x: _Real) -> tuple[_Real, _Real]:
    """``exp(x) = 2 s (1 + q)`` with a power of two ``s`` and ``|q| < 0.42``, as sums of the series of exp."""
    single = x.kind == "float"
    lowest, highest, top = (-87, 89, 7) if single else (-708.5, 710, 12)  # 0 below, and infinity above
    shift, bias = (23, 126) if single else (52, 1022)
    x = x.most(lowest).least(highest)
    magic = 1.5 * 2.0**shift  # a number so large that its last bit is worth 1
    rounded = x.fused(1 / math.log(2), magic)
    z = rounded - magic
    r = z.fused(-_LN2[1], z.fused(-_LN2[0], x))
    p = r.series([1 / math.factorial(k) for k in range(top, 1, -1)])
    s = ((rounded.bits() << shift) + (bias << shift)).number()
    return s, (p * r).fused(r, r)


def _exp(x: _Real) -> _Real:
    s, q = _parts(x)
    return 2 * s.fused(q, s)


def _expm1(x: _Real) -> _Real:
    s, q = _parts(x)
    return 2 * s.fused(q, s - 0.5)


def _sigmoid(x: _Real) -> _Real:
    return 1 / (1 + _exp(-x))


def _tanh(x: _Real) -> _Real:
    e = _expm1(2 * x.most(-20).least(20))
    return e / (e + 2)


def _log(x: _Real) -> _Real:
    single = x.kind == "float"
    shift, bias, last = (23, 127, 11) if single else (52, 1023, 23)
    half, one = (0x3504F3, 0x3F800000) if single else (0x6A09E667F3BCD, 0x3FF0000000000000)
    bits = x.bits()
    mantissa = bits & ((1 << shift) - 1)
    above = x.f.put(f"icmp sgt {bits.whole} {mantissa.name}, {half}")
    up = _Bits(x.f, x.kind, x.f.put(f"zext i1 {above} to {bits.whole}"))
    z = (((bits >> shift) - bias) + up).value()
    m = ((mantissa | one) - (up << shift)).number()  # between the roots of 1/2 and 2
    s = (m - 1) / (m + 1)
    q = s * s
    p = q.series([2 / k for k in range(last, 1, -2)])
    result = z.fused(_LN2[0], z.fused(_LN2[1], (s * q).fused(p, s + s)))
    beyond = x.f.put(f"fcmp ule {x.kind} {x.name}, {constant(0, x.kind)}")
    top = constant(math.inf, x.kind)
    zero = x.f.put(f"fcmp oeq {x.kind} {x.name}, {constant(0, x.kind)}")
    low = x.f.put(f"select i1 {zero}, {x.kind} {constant(-math.inf, x.kind)}, {x.kind} {constant(math.nan, x.kind)}")
    bounded = x.f.put(f"select i1 {x.f.put(f'fcmp oeq {x.kind} {x.name}, {top}')}, {x.kind} {top}, {x.kind} {result.name}")
    return _Real(x.f, x.kind, x.f.put(f"select i1 {beyond}, {x.kind} {low}, {x.kind} {bounded}"))


def _log1p(x: _Real) -> _Real:
    u = 1 + x
    lost = (x - (u - 1)) / u
    there = x.f.put(f"fcmp ord {x.kind} {lost.name}, {lost.name}")  # not where u is infinite
    return _log(u) + _Real(x.f, x.kind, x.f.put(f"select i1 {there}, {x.kind} {lost.name}, {x.kind} {constant(0, x.kind)}"))


ELEMENTARY: dict[str, Callable[[_Real], _Real]] = {
    "exp": _exp,
    "expm1": _expm1,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "log": _log,
    "log1p": _log1p,
}


def module_text(functions: list[Function], declared: Iterable[str] = ()) -> str:
    """Functions, and what they call of others."""
    every = sorted(set(declared).union(*(f.intrinsics for f in functions)))
    text = "\n".join([*every, *(f.text() for f in functions)]) + "\n"
    for k, loop in enumerate(loop for f in functions for loop in f.alike):
        text = text.replace(f"!llvm.loop !{loop}\n", f"!llvm.loop !{k + 2}\n") + f"!{k + 2} = distinct !{{!{k + 2}, !0, !1}}\n"
    return text + '!0 = !{!"llvm.loop.vectorize.enable", i1 false}\n!1 = !{!"llvm.loop.unroll.disable"}\n'


def elementary(name: str, kind: str) -> Function:
    """The function of a number in full, to be inlined."""
    f = Function(f"{name}_{kind}", [(kind, "x")], kind, "alwaysinline nounwind", internal=True)
    f.do(f"ret {kind} {ELEMENTARY[name](_Real(f, kind, '%x')).name}")
    return f
