"""Places of entries: whole numbers that are linear in the counters of loops.

An index is ``(constant, ((part, factor), ...))``; a part is a counter of a loop, the whole quotient or the rest of an index by a number, or a
whole number that is read from an array. Plain tuples, because they are compared and looked up all the time.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Index = tuple[int, tuple[tuple[Any, int], ...]]


def at(constant: int) -> Index:
    return constant, ()


def counter(axis: int, size: int) -> Index:
    """A counter that runs over ``size`` places along an axis; where there is one place, that."""
    return (0, ((("counter", axis, size), 1),)) if size > 1 else at(0)


def loaded(value: Any, size: int) -> Index:
    """A place that an expression gives, below ``size``."""
    return 0, ((("loaded", value, size), 1),)


def values_in(a: Index) -> Iterator[Any]:
    """The expressions that an index is made of."""
    for part, _ in a[1]:
        if part[0] == "loaded":
            yield part[1]
        elif part[0] != "counter":
            yield from values_in(part[1])


def plus(a: Index, b: Index) -> Index:
    if not b[1]:
        return a[0] + b[0], a[1]
    if not a[1]:
        return a[0] + b[0], b[1]
    parts = dict(a[1])
    for part, factor in b[1]:
        parts[part] = parts.get(part, 0) + factor
    return a[0] + b[0], tuple(sorted(((p, f) for p, f in parts.items() if f), key=repr))


def times(a: Index, factor: int) -> Index:
    return (a[0] * factor, tuple((part, f * factor) for part, f in a[1])) if factor else at(0)


def highest(a: Index) -> int:
    """The largest value that an index takes."""
    return a[0] + sum(factor * (_size(part) - 1) for part, factor in a[1])


def _size(part: Any) -> int:
    if part[0] in ("counter", "loaded"):
        return part[2]
    kind, index, divisor = part
    return highest(index) // divisor + 1 if kind == "quotient" else divisor


def divided(a: Index, divisor: int) -> tuple[Index, Index]:
    """Whole quotient and rest: linear again where the terms that are no multiples of the divisor stay below it."""
    many = a[0] // divisor, tuple((part, f // divisor) for part, f in a[1] if f % divisor == 0)
    rest = a[0] % divisor, tuple((part, f) for part, f in a[1] if f % divisor)
    if highest(rest) < divisor:
        return many, rest
    return (0, ((("quotient", a, divisor), 1),)), (0, ((("rest", a, divisor), 1),))


def joined(indices: tuple[Index, ...], shape: tuple[int, ...]) -> Index:
    """The place in a row whose axes lie one after the other."""
    place = at(0)
    for index, size in zip(indices, shape):
        place = plus(times(place, size), index)
    return place


def split(place: Index, shape: tuple[int, ...]) -> tuple[Index, ...]:
    """An index along each axis, from the place in a row."""
    found: list[Index] = []
    for size in reversed(shape[1:]):
        place, rest = divided(place, size) if size > 1 else (place, at(0))
        found.append(rest)
    return (place, *reversed(found)) if shape else ()
