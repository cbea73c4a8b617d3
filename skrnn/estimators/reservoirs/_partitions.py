"""Data that lie in partitions on the workers of a Dask cluster: each works on its own, and sums come back."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from operator import add, itemgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ...engine import limit_threads
from ...training import NormalEquations
from ..face._state import ReadState, attributes_of, fitted_names

TINY_CHANNEL = 10 * float(np.finfo(np.float64).eps)  # of the mean: a deviation that is rounding
TINY_TARGET = 1e-12

DelayedPair = tuple[Any, Any]  # sequences and their targets


def in_partitions(X: Any) -> bool:
    """Whether X is a Dask collection or a list of them; Dask is not loaded for the answer."""
    if "dask" not in sys.modules:
        return False
    from dask import is_dask_collection

    return is_dask_collection(X) or (isinstance(X, list | tuple) and len(X) > 0 and all(map(is_dask_collection, X)))


class Partitions:
    """Sequences and their targets, a delayed pair for each partition.

    Parameters
    ----------
    X : dask array of shape (n_sequences, n_steps, n_features), or list of delayed pairs (X, y)
    y : dask array with a row for each sequence; None for pairs
    sample_weight : None
        There are none yet.
    n_threads : int or "auto"
        Of each worker.
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any, n_threads: int | str) -> None:
        from dask import delayed, is_dask_collection

        if sample_weight is not None:
            raise ValueError("sample_weight must be None where X is a Dask collection; got " + type(sample_weight).__name__)
        self._n_threads = n_threads
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
        self._pairs = [delayed(_as_pair)(*parts) for parts in zip(X.to_delayed().ravel(), y.to_delayed().ravel(), strict=True)]

    def first(self) -> DelayedPair:
        """The first partition itself."""
        X, y = self._pairs[0].compute()
        return X, y

    def map(self, work: Callable[..., Any], *each: list[Any]) -> list[Any]:
        """``work((X, y), …)`` of every partition, with what there is for each in lists; ``work`` is sent to the workers, so it is small."""
        from dask import compute

        return list(compute(*self._applied(work, each)))

    def sum(self, work: Callable[..., Any], *each: list[Any]) -> tuple[Any, list[Any]]:
        """The sum of the first things that ``work`` gives, taken on the workers, and a list of the second ones."""
        from dask import compute, delayed

        results = self._applied(work, each)
        sums = [delayed(itemgetter(0))(result) for result in results]
        while len(sums) > 1:
            sums = [delayed(add)(*sums[k : k + 2]) if len(sums) > k + 1 else sums[k] for k in range(0, len(sums), 2)]
        total, *others = compute(*sums, *(delayed(itemgetter(1))(result) for result in results))
        return total, others

    def _applied(self, work: Callable[..., Any], each: tuple[list[Any], ...]) -> list[Any]:
        from dask import delayed

        sent = delayed(work, traverse=False, pure=False)  # once, not with every partition
        return [delayed(_apply)(sent, self._n_threads, pair, *own) for pair, *own in zip(self._pairs, *each, strict=True)]


def _as_pair(X: Any, y: Any) -> DelayedPair:
    return X, y


def _apply(work: Callable[..., Any], n_threads: int | str, pair: DelayedPair, *own: Any) -> Any:
    with limit_threads(n_threads), torch.inference_mode():
        return work(pair, *own)


def only_reading(model: Any, *names: str) -> Any:
    """A copy of an estimator that knows its parameters, what X was like, and what ``names`` say, but nothing that is large."""
    reader = copy.copy(model)
    known = {*attributes_of(ReadState), *names}
    for name in set(fitted_names(model)) - known:
        vars(reader).pop(name, None)
    return reader


def sums_of_columns(rows: NDArray[Any], weight: NDArray[np.float64] | None = None) -> NormalEquations:
    """What mean and variance of columns need: normal equations of one row of zeros as features."""
    return NormalEquations(1, rows.shape[1]).add(np.zeros((len(rows), 1)), rows, weight)


def mean_and_scale(sums: NormalEquations, tiny: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of columns; one that is ``tiny`` beside the mean is 1."""
    (moments,) = sums.folds
    deviation = np.sqrt(moments.square / moments.weight)
    return moments.mean_y, np.where(deviation <= tiny * np.abs(moments.mean_y), 1.0, deviation)


def split_by(values: NDArray[Any], lengths: list[int]) -> list[NDArray[Any]]:
    """What stands end to end, for each partition."""
    return np.split(values, np.cumsum(lengths)[:-1])
