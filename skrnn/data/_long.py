"""Long frames: a row for each step of many sequences, with an index of two levels, (instance, time)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._frames import cells_of, columns_of, has_instances, kind_of, order_of_instances
from ._sequences import Array


@dataclass(frozen=True, eq=False)
class LongIndex:
    """Which rows of a long frame belong together.

    Attributes
    ----------
    ids : list
        The instances, in the order of their first appearance.
    order : ndarray of shape (n_rows,)
        The rows, instance by instance.
    offsets : ndarray of shape (n_instances + 1,)
        Where the instances begin and end among these.
    times : pandas.Index of shape (n_rows,)
        Of the frame's rows, as they stand.
    """

    ids: list[Any]
    order: NDArray[np.intp]
    offsets: Array
    times: Any

    @property
    def rows(self) -> list[NDArray[np.intp]]:
        """The rows of each instance."""
        return np.split(self.order, self.offsets[1:-1])

    def apart(self, values: Any) -> list[NDArray[Any]]:
        """Values of the frame's rows, those of each instance by themselves."""
        return [np.asarray(values)[rows] for rows in self.rows]

    def as_frame_has_them(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Rows that stand instance by instance, in the order of the frame."""
        given = np.empty_like(rows)
        given[self.order] = rows
        return given


def is_long(X: Any) -> bool:
    """Whether X is a pandas frame or series with an (instance, time) index, whose rows are steps."""
    kind = kind_of(X)
    return kind.startswith("pandas") and has_instances(X, kind, "X") and all(cells_of(column, kind) is None for _, column in columns_of(X, kind))


def long_index(X: Any) -> LongIndex | None:
    """The index of a long frame or series; None for anything else."""
    if not is_long(X):
        return None
    if len(X) == 0:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
    order, offsets = order_of_instances(X)
    ids = X.index.get_level_values(0)
    return LongIndex([ids[row] for row in order[offsets[:-1]]], order, offsets, X.index.get_level_values(1))


def refuse_other_index(X: Any, y: Any) -> None:
    """Refuse a long X and a long y whose rows do not stand for the same steps."""
    if is_long(X) and is_long(y) and not X.index.equals(y.index):
        raise ValueError("y has another (instance, time) index than X: both need the same rows in the same order; y.loc[X.index] puts y in that of X")


def refuse_other_order(rows: Any, ids: Sequence[Any] | None, name: str) -> None:
    """Refuse a pandas object with a row for each instance of a long frame, whose index has these in another order than ``ids``."""
    if ids is None or not kind_of(rows).startswith("pandas"):
        return
    labels = list(rows.index)
    if labels == [*ids] or set(labels).isdisjoint(ids):
        return
    if set(labels) != set(ids):
        if labels != [*range(len(labels))]:  # rows that are only numbered are not named
            stranger = next(iter(set(labels) - set(ids)), labels[0])
            raise ValueError(f"{name} has other instances than X, as {stranger!r}: {name}.loc[X.index.unique(0)] takes those of X")
    else:
        row = next(k for k, (label, instance) in enumerate(zip(labels, ids, strict=False)) if label != instance)
        raise ValueError(
            f"{name} has the instances of X in another order: row {row} is of {labels[row]!r}, expected {ids[row]!r}. "
            f"{name}.loc[X.index.unique(0)] puts them in that of X; {name}.to_numpy() takes them as they stand"
        )
