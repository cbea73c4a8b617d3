"""Data that lie in pieces on the workers of a Dask cluster: each works on its own, and sums come back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from operator import add, itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..engine import limit_threads
from ..training import NormalEquations

TINY_CHANNEL = 10 * float(np.finfo(np.float64).eps)  # of the mean: a deviation that is rounding

Sums = NormalEquations  # of one row of zeros as features: weights, means and squares of what stands as targets


def in_pieces(X: Any) -> bool:
    """Whether X is a Dask collection or a list of them; Dask is not loaded for the answer."""
    if "dask" not in sys.modules:
        return False
    from dask import is_dask_collection

    return is_dask_collection(X) or (isinstance(X, list | tuple) and len(X) > 0 and all(map(is_dask_collection, X)))


class Pieces:
    """Sequences and their targets, a delayed pair for each piece.

    Parameters
    ----------
    X : dask array of shape (n_sequences, n_steps, n_features), or list of delayed pairs (X, y)
    y : dask array with a row for each sequence; None for pairs
    sample_weight : None
        There are none yet.
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any) -> None:
        from dask import delayed, is_dask_collection

        if sample_weight is not None:
            raise ValueError("sample_weight must be None where X is a Dask collection; got " + type(sample_weight).__name__)

        if isinstance(X, list | tuple):
            if y is not None:
                raise ValueError("y must be None where X is a list of delayed pairs (X, y); got " + type(y).__name__)
            self._pairs = list(X)
            return
        shape = np.shape(X)
        if len(shape) != 3:
            raise ValueError(f"A Dask array X must have the shape (n_sequences, n_steps, n_features); got {shape}")
        if not is_dask_collection(y) or np.shape(y)[:1] != shape[:1]:
            got = f"{type(y).__name__} of shape {np.shape(y)}"
            raise ValueError(f"y must be a Dask array with a row for each of the {shape[0]} sequences of the Dask array X; got {got}")
        X = X.rechunk({1: -1, 2: -1})
        y = y.rechunk((X.chunks[0], *[-1] * (y.ndim - 1)))
        self._pairs = [delayed(_pair)(*parts) for parts in zip(X.to_delayed().ravel(), y.to_delayed().ravel(), strict=True)]

    def first(self) -> tuple[Any, Any]:
        """The first piece itself."""
        X, y = self._pairs[0].compute()
        return X, y

    def map(self, function: Callable[..., Any], model: Any, *each: list[Any]) -> list[Any]:
        """``function(model, X, y, …)`` of every piece, with what there is for each in lists."""
        from dask import compute

        return list(compute(*self._applied(function, model, each)))

    def sum(self, function: Callable[..., Any], model: Any, *each: list[Any]) -> tuple[Any, list[Any]]:
        """The sum of the first things that the function gives, taken on the workers, and a list of the second ones."""
        from dask import compute, delayed

        results = self._applied(function, model, each)
        sums = [delayed(itemgetter(0))(result) for result in results]
        while len(sums) > 1:
            sums = [delayed(add)(*sums[k : k + 2]) if len(sums) > k + 1 else sums[k] for k in range(0, len(sums), 2)]
        total, *others = compute(*sums, *(delayed(itemgetter(1))(result) for result in results))
        return total, others

    def _applied(self, function: Callable[..., Any], model: Any, each: tuple[list[Any], ...]) -> list[Any]:
        from dask import delayed

        sent = delayed(model, traverse=False, pure=False)  # once, not with every piece
        return [delayed(_apply)(function, sent, pair, *own) for pair, *own in zip(self._pairs, *each, strict=True)]


def _pair(X: Any, y: Any) -> tuple[Any, Any]:
    return X, y


def _apply(function: Callable[..., Any], model: Any, pair: tuple[Any, Any], *own: Any) -> Any:
    with limit_threads(model.n_threads), torch.inference_mode():
        return function(model, *pair, *own)


def sums_of(rows: NDArray[Any], weight: NDArray[np.float64] | None = None) -> Sums:
    """What mean and variance of columns need."""
    return NormalEquations(1, rows.shape[1]).add(np.zeros((len(rows), 1)), rows, weight)


def mean_and_scale(sums: Sums, tiny: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of columns; one that is ``tiny`` beside the mean is 1."""
    (moments,) = sums.folds
    deviation = np.sqrt(moments.square / moments.weight)
    return moments.mean_y, np.where(deviation <= tiny * np.abs(moments.mean_y), 1.0, deviation)


def split_by(values: NDArray[Any], lengths: list[int]) -> list[NDArray[Any]]:
    """What stands end to end, for each piece."""
    return np.split(values, np.cumsum(lengths)[:-1])
