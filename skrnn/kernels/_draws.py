"""Random numbers in compiled loops: each follows from a seed, the row and the place in it alone, so that none has to be kept.

A row's key is SplitMix64 of seed and row (Steele, Lea, Flood, 2014); an entry mixes key and place by two multiplications (C. Wellons, "Prospecting
for hash functions", 2018). The same numbers by numpy and as LLVM's representation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._ir import Function

_GOLDEN = 0x9E3779B97F4A7C15
_ROW = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1))  # shifts and factors
_ENTRY = ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1))
_BITS = 24


def threshold(share: float) -> int:
    """Below which of 2²⁴ whole numbers a number of a share is."""
    return round(share * 2**_BITS)


def bernoulli(seed: int, n_rows: int, size: int, share: float) -> NDArray[np.bool_]:
    """Which entries of rows are drawn."""
    with np.errstate(over="ignore"):
        key = np.uint64(seed) + np.arange(1, n_rows + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
        for shift, factor in _ROW:
            key = (key ^ (key >> np.uint64(shift))) * np.uint64(factor)
        x = key.astype(np.uint32)[:, None] + np.arange(size, dtype=np.uint32) * np.uint32(_GOLDEN >> 32)
        for shift, factor in _ENTRY:
            x = (x ^ (x >> np.uint32(shift))) * np.uint32(factor)
    drawn: NDArray[Any] = (x >> np.uint32(32 - _BITS)) < np.uint32(threshold(share))
    return drawn


def key_of_row(f: Function, seed: str, row: str) -> str:
    """What the numbers of a row follow from."""
    step = f.put(f"mul i64 {f.put(f'add i64 {row}, 1')}, {_signed(_GOLDEN, 64)}")
    return f.put(f"trunc i64 {_mixed(f, 'i64', f.put(f'add i64 {seed}, {step}'), _ROW, 64)} to i32")


def is_drawn(f: Function, key: str, place: str, share: float) -> str:
    """Whether the entry at a place of a row is drawn."""
    step = f.put(f"mul i32 {f.put(f'trunc i64 {place} to i32')}, {_signed(_GOLDEN >> 32, 32)}")
    x = _mixed(f, "i32", f.put(f"add i32 {key}, {step}"), _ENTRY, 32)
    return f.put(f"icmp ult i32 {f.put(f'lshr i32 {x}, {32 - _BITS}')}, {threshold(share)}")


def _mixed(f: Function, kind: str, x: str, rounds: tuple[tuple[int, int], ...], bits: int) -> str:
    for shift, factor in rounds:
        x = f.put(f"xor {kind} {x}, {f.put(f'lshr {kind} {x}, {shift}')}")
        x = x if factor == 1 else f.put(f"mul {kind} {x}, {_signed(factor, bits)}")
    return x


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value
