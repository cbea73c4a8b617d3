"""Frames with a row for each step, and columns that say of which sequence, and when."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._frames import columns_of, kind_of
from ._reading import table_to_array
from ._sequences import Array, Sequences, offsets_of


def sequences_of_long(frame: Any, id: str, time: str | None, name: str) -> Sequences:
    """The rows of each id, in the order of their times, or of the rows; ids in the order of their first appearance."""
    kind = kind_of(frame)
    if not kind.endswith("DataFrame"):
        raise TypeError(f"id and time name columns of a frame, but {name} is {type(frame).__name__}")
    columns = dict(columns_of(frame, kind))
    for role, label in (("id", id), ("time", time)):
        if label is not None and label not in columns:
            raise ValueError(f"{role}={label!r} is no column of {name}; it has {list(columns)}")
    ids, instances = _in_order_of_appearance(columns[id], f"{id!r} of {name}")
    order = np.argsort(instances, kind="stable")
    if time is not None:
        stamps, ranks = np.unique(np.asarray(columns[time].to_numpy()), return_inverse=True)
        _refuse_missing(columns[time], f"{time!r} of {name}")
        order = np.lexsort((ranks, instances))
        same = (np.diff(instances[order]) == 0) & (np.diff(ranks[order]) == 0)
        if same.any():
            row = order[int(np.argmax(same))]
            raise ValueError(f"duplicate timestamps: {ids[instances[row]]!r} has the time {stamps[ranks[row]]} twice in {name}")
    given = [label for label in (id, time) if label is not None]
    rest = frame.drop(columns=given) if kind.startswith("pandas") else frame.drop(given)
    if len(columns) == len(given):
        raise ValueError(f"{name} has no column beside {given}")
    return Sequences(table_to_array(rest, name)[order], offsets_of(np.bincount(instances)))


def _in_order_of_appearance(column: Any, name: str) -> tuple[list[Any], Array]:
    """What there is, and the place in it of each row."""
    _refuse_missing(column, name)
    places: dict[Any, int] = {}
    codes = np.array([places.setdefault(value, len(places)) for value in column.to_list()], dtype=np.intp)
    return list(places), codes


def _refuse_missing(column: Any, name: str) -> None:
    missing = np.asarray(column.isna() if kind_of(column).startswith("pandas") else column.is_null())
    if missing.any():
        raise ValueError(f"column {name} has no value in row {int(np.argmax(missing))}")
