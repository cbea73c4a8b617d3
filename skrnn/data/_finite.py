"""Types and values of the numbers: what becomes of each dtype, and the search for NaN and infinity."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ._sequences import Array, Sequences, offsets_of, refuse_empty

# Elements looked at together: bounds the extra memory (a mask and a cast), whatever the size of the data.
CHUNK = 1_000_000
STRINGS_HINT = " Estimators read tokens and categories with frontend=Embedding(), of skrnn.frontends, which is told by channels= what holds them."


def float_dtype(dtype: np.dtype[Any], name: str) -> np.dtype[Any]:
    """Choose float32 or float64 for the numbers of a dtype; refuse what are no numbers.

    float32 is enough where it holds every value of the type exactly (float16, bool, integers of at most 16 bits).
    """
    if dtype.kind == "f":
        return np.dtype(np.float32 if dtype.itemsize <= 4 else np.float64)
    if dtype.kind in "biu":
        return np.dtype(np.float32 if dtype.itemsize <= 2 else np.float64)
    if dtype.kind == "c":
        raise ValueError(f"Complex data not supported: {name} has the type {dtype}")
    if dtype.kind in "mM":
        raise TypeError(f"{name} has the type {dtype}: a datetime is no number; convert it, e.g. to seconds")
    if dtype.kind in "USVT":
        raise ValueError(
            f"dtype='numeric' is not compatible with arrays of bytes/strings. Convert {name} to numeric values, got {dtype}.{STRINGS_HINT}"
        )
    return np.dtype(np.float64)


def to_float(array: Array, name: str) -> Array:
    """Convert to native float32 or float64; no copy where it is that already."""
    dtype = float_dtype(array.dtype, name)
    with hinting(), np.errstate(over="ignore"):  # what is too large becomes infinite, which the finite check reports
        return np.asarray(array, dtype=dtype)


@contextmanager
def hinting() -> Iterator[None]:
    """Say what strings need, where they are taken for numbers."""
    try:
        yield
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(f"{error}.{STRINGS_HINT}") from error


def contiguous(array: Array, dtype: np.dtype[Any] | None = None) -> Array:
    """Give a plain array that is C-contiguous and aligned, as kernels and torch need; no copy where it is that already."""
    return np.require(array, dtype, ["C", "A", "E"])


def check_finite(sequences: Sequences, limit: np.dtype[Any], allow_nan: bool, name: str, is_one: bool = False) -> None:
    """Refuse the first NaN (unless allowed) or infinity, after a cast to `limit`, with its place; `is_one`: a table was read as one sequence."""
    values, width = sequences.values, sequences.n_features
    n_rows = max(1, CHUNK // width)
    for start in range(0, len(values), n_rows):
        rows = values[start : start + n_rows]
        with np.errstate(over="ignore"):
            cast = rows.astype(limit, copy=False)
        bad = np.isinf(cast) if allow_nan else ~np.isfinite(cast)
        if bad.any():
            row, feature = divmod(int(np.argmax(bad)), width)
            raise ValueError(_complaint(sequences, start + row, feature, limit, name, is_one))


def _complaint(sequences: Sequences, row: int, feature: int, limit: np.dtype[Any], name: str, is_one: bool) -> str:
    """Say what is wrong with a value, and where it stands."""
    value = sequences.values[row, feature]
    i = int(np.searchsorted(sequences.offsets, row, side="right")) - 1
    place = f"sequence {i}, step {row - sequences.offsets[i]}, feature {feature}"
    if np.isnan(value):
        imputer = "SequenceImputer(rows='steps')" if is_one else "SequenceImputer"
        advice = f"skrnn.preprocessing.{imputer} fills missing values in front of an estimator."
        if not is_one and _are_padding(sequences.values[row : sequences.offsets[i + 1]]):
            advice = f"If what ends sequences is padding, skrnn.as_sequences({name}, padding='nan') takes it off; else {advice}"
        return f"Input {name} contains NaN (first at {place}). {advice}"
    dtype = sequences.dtype if np.isinf(value) else limit
    return f"Input {name} contains infinity or a value too large for {dtype!r} (first at {place})."


def _are_padding(rest: Array) -> bool:
    """Whether nothing but NaN follows."""
    return bool(np.isnan(rest).all())


def trim_nan(sequences: Sequences) -> Sequences:
    """Take the steps off the end of each sequence in which every feature is NaN (padding)."""
    values, offsets = sequences.values, sequences.offsets
    rows = np.arange(len(values))
    last = np.maximum.reduceat(np.where(np.isnan(values).all(axis=1), -1, rows), offsets[:-1])
    # A sequence of nothing but padding has no last row; it keeps zero steps, for the caller to refuse.
    lengths = np.maximum(last + 1 - offsets[:-1], 0)
    if np.array_equal(lengths, sequences.lengths):
        return sequences
    refuse_empty(lengths, ": all its steps are NaN")
    keep = rows < np.repeat(offsets[:-1] + lengths, sequences.lengths)
    return Sequences(values[keep], offsets_of(lengths))
