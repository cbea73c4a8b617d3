"""Sequences that are not trained on but tell when to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...data import Sequences

HELD_OUT = {"X_val": True, "y_val": True}  # where scikit-learn routes metadata, they reach ``fit`` without being asked for
STATIC = {"static": True}  # as does this, and every other method


class Part(NamedTuple):
    """Sequences, encoded targets, and how much each counts (``None``: all alike)."""

    sequences: Sequences
    target: Any  # an array, or StepRows
    weight: Any

    def rows(self, index: NDArray[np.int64]) -> Self:
        return type(self)(self.sequences[index], self.target[index], None if self.weight is None else self.weight[index])


def set_aside(part: Part, fraction: float, strata: NDArray[Any] | None, seed: int) -> tuple[Part, Part]:
    """Split into a part to train on and a part to hold out, both with the same shares of the strata."""
    from sklearn.model_selection import train_test_split  # loads scikit-learn's metrics, which most fits do without

    n = len(part.sequences)
    n_held = int(np.ceil(fraction * n))
    counts = np.array([n]) if strata is None else np.unique(strata, return_counts=True)[1]
    if n_held >= n:
        raise ValueError(f"validation_fraction={fraction} of {n} sequences leaves {n - n_held} to train on; pass more sequences.")
    if min(n_held, n - n_held) < len(counts) or (strata is not None and counts.min() < 2):
        raise ValueError(
            f"validation_fraction={fraction} of {n} sequences holds {n_held} out and leaves {n - n_held} to train on; both need every one of the "
            f"{len(counts)} classes, of which the smallest has {counts.min()}. Pass more sequences, or X_val and y_val."
        )
    train, held = train_test_split(np.arange(n), test_size=n_held, random_state=seed, stratify=strata)
    if part.weight is not None and not (part.weight[train].any() and part.weight[held].any()):
        raise ValueError(
            "sample_weight is zero for all sequences of the training or the held-out part; use early_stopping=False, or X_val and y_val."
        )
    return part.rows(train), part.rows(held)


def last_aside(part: Part, fraction: float) -> tuple[Part, Part]:
    """Split windows of a series into the first to train on and the last to hold out: neighbours overlap, so none is drawn."""
    n = len(part.sequences)
    n_held = int(np.ceil(fraction * n))
    if n_held == n:
        raise ValueError(f"validation_fraction={fraction} of {n} windows leaves none to learn from; use early_stopping=False, or a longer series.")
    return part.rows(np.arange(n - n_held)), part.rows(np.arange(n - n_held, n))


def check_pair(X_val: Any, y_val: Any, early_stopping: str | bool) -> None:
    """Refuse one without the other, and both where nothing would look at them."""
    if (X_val is None) != (y_val is None):
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ValueError(f"{given} is provided, but {missing} was not provided.")
    if X_val is not None and early_stopping is False:
        raise ValueError("X_val and y_val are passed to fit while early_stopping=False; use early_stopping=True or 'auto'.")


@contextmanager
def speaking_of(argument: str) -> Iterator[None]:
    """Let errors begin with the name of the argument that they are about; they stay as they are where it is empty."""
    try:
        yield
    except (TypeError, ValueError) as error:
        if not argument:
            raise
        raise type(error)(f"{argument}: {error}") from error
