"""Rules by which the weights of a network of units of −1 and 1 are learned, each also from where it stood."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ... import kernels

Array = NDArray[np.float64]

_NOTHING_NEW = 1e-10  # of the length of a pattern: what is left of one that is a sum of others


class Stored(NamedTuple):
    """Weights of each two units (n, n), whose diagonal is not looked at, and of each unit with itself (n,)."""

    weights: Array
    diagonal: Array

    @classmethod
    def nothing(cls, n_units: int) -> Self:
        """Before the first pattern."""
        return cls(np.zeros((n_units, n_units)), np.zeros(n_units))


def _hebb(patterns: Array, before: Stored) -> Stored:
    n = patterns.shape[1]
    counts = np.rint(before.weights * n) + patterns.T @ patterns  # whole numbers: the same bits at once and in parts
    np.fill_diagonal(counts, 0)
    return Stored(counts / n, before.diagonal)


def _storkey(patterns: Array, before: Stored) -> Stored:
    weights = before.weights.copy()
    kernels.store_patterns(patterns, weights, np.empty(len(weights)))
    return Stored(weights, before.diagonal)


def _pinv(patterns: Array, before: Stored) -> Stored:
    """The projection grows by what is new in the patterns, which stands at right angles to all that is known."""
    weights = before.weights.copy()
    np.fill_diagonal(weights, before.diagonal)
    _, sizes, directions = np.linalg.svd(patterns - patterns @ weights, full_matrices=False)
    new = directions[sizes > _NOTHING_NEW * np.sqrt(patterns.size)]
    weights += new.T @ new
    diagonal = weights.diagonal().copy()
    np.fill_diagonal(weights, 0)
    return Stored(weights, diagonal)


WEIGHT_RULES: dict[str, Callable[[Array, Stored], Stored]] = {"hebb": _hebb, "storkey": _storkey, "pinv": _pinv}
