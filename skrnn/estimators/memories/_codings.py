"""Patterns of two values, as users write them and as −1 and 1."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import DataConversionWarning

VALUES = {"bipolar": (-1, 1), "binary": (0, 1)}
CODINGS = (*VALUES, "sign")


def coding_of(patterns: NDArray[Any]) -> str:
    """How patterns are coded; numbers of many values count by their signs, with a warning, and two values that are no coding are refused."""
    for coding, (low, high) in VALUES.items():
        if _is_of(patterns, low, high):
            return coding
    values = np.unique(patterns)
    if len(values) < 3 or set(values.tolist()) == {-1, 0, 1}:
        raise ValueError(
            f"X must hold patterns of -1 and 1, or of 0 and 1; got the values {values.tolist()}: recode them, or set coding='sign' for x > 0 to count"
        )
    warnings.warn(
        "X holds other values than -1 and 1, or 0 and 1: values above 0 are taken as 1, the others as -1. Make patterns of two values, X > threshold "
        "for instance, or set coding='sign' if this is meant",
        DataConversionWarning,
        stacklevel=5,  # where fit is called
    )
    return "sign"


def to_states(patterns: NDArray[Any], coding: str, name: str = "X") -> NDArray[np.float64]:
    """Patterns as −1.0 and 1.0."""
    if coding == "sign":
        return np.where(patterns > 0, 1.0, -1.0)
    low, high = VALUES[coding]
    if not _is_of(patterns, low, high):
        wrong = patterns[(patterns != low) & (patterns != high)]
        raise ValueError(f"{name} must hold patterns of {low} and {high}, the coding of this network; got {wrong.flat[0]!s} among them")
    return np.where(patterns == high, 1.0, -1.0)


def from_states(states: NDArray[np.float64], coding: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Patterns in their coding, of the type of numbers that came, or the next that has negative ones."""
    if coding == "binary":
        return (states > 0).astype(dtype)
    return states.astype(np.result_type(dtype, np.int8))


def _is_of(patterns: NDArray[Any], low: int, high: int) -> bool:
    return bool(np.all((patterns == low) | (patterns == high)))
