"""Sequences with a class each: how they are read, classes as a ridge regression sees them, and probabilities from its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d

from ..face._guards import require_target
from ..face._readers import Given, Rows
from ..face._targets import Classes

Array = NDArray[np.float64]


def read_labelled(model: Any, X: Any, y: Any, *, reset: bool) -> tuple[Given, NDArray[Any]]:
    """X and a label for each sequence, checked; ``reset`` notes what later data are compared with."""
    require_target(model, y)
    reader = Rows(model.dtype, model.standardize)
    given, labels = reader.pair(model, X, y, Classes(model, model.dtype), reset=reset)
    return given, column_or_1d(labels)


def class_columns(labels: NDArray[np.int64], n_classes: int) -> Array:
    """A column of 0 and 1 for each class, or one of -1 and 1 where there are at most two."""
    return (np.eye(n_classes)[labels] if n_classes > 2 else 2.0 * labels[:, None] - 1).astype(np.float64)


def rank_in_class(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many sequences of the same class come before each."""
    order = np.argsort(labels, kind="stable")
    firsts = np.searchsorted(labels[order], labels[order])
    rank = np.empty_like(order)
    rank[order] = np.arange(len(labels)) - firsts
    return rank


def stratified_folds(labels: NDArray[np.int64], n_folds: int) -> NDArray[np.int64]:
    """Folds with equal shares of the classes; what is left over is spread."""
    shift = np.concatenate([[0], np.cumsum(np.bincount(labels))[:-1]])
    return (rank_in_class(labels) + shift[labels]) % n_folds


def nearest_probabilities(outputs: Array) -> Array:
    """The nearest point of the probability simplex to each row."""
    descending = -np.sort(-outputs, axis=1)
    excess = (np.cumsum(descending, axis=1) - 1) / np.arange(1, outputs.shape[1] + 1)
    last = (descending > excess).sum(axis=1) - 1
    return np.maximum(outputs - excess[np.arange(len(outputs)), last][:, None], 0)
