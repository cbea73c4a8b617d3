"""Data frames and tensors, recognised by the name of their class: nothing here imports pandas, polars or torch."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._finite import to_float
from ._sequences import Array, Sequences, offsets_of, places_in

KINDS = frozenset({"torch.Tensor", "torch.PackedSequence", "pandas.DataFrame", "pandas.Series", "polars.DataFrame", "polars.Series"})
LONG_HINT = " A long frame, with columns of ids and times, is read by frame.set_index([id, time]) or as_sequences(frame, id=…, time=…)."
# Tensor types that numpy has no word for.
WIDENED = frozenset({"torch.bfloat16", "torch.float8_e4m3fn", "torch.float8_e5m2"})


def kind_of(obj: Any) -> str:
    """Name the foreign container that `obj` is (one of `KINDS`, subclasses included), or give ""."""
    for cls in type(obj).__mro__:
        kind = f"{cls.__module__.partition('.')[0]}.{cls.__name__}"
        if kind in KINDS:
            return kind
    return ""


def tensor_to_array(tensor: Any) -> Array:
    """Give the values of a torch tensor wherever it lives; shared with a dense tensor of the CPU."""
    tensor = tensor.detach().cpu()
    return (tensor.float() if str(tensor.dtype) in WIDENED else tensor).numpy()


def sequences_of_packed(packed: Any, name: str) -> Sequences:
    """The sequences of torch's ``PackedSequence``, in their own order."""
    data, sizes = tensor_to_array(packed.data), tensor_to_array(packed.batch_sizes)
    n = int(sizes[0])
    order = np.arange(n) if packed.unsorted_indices is None else tensor_to_array(packed.unsorted_indices)
    lengths = np.searchsorted(-sizes, -np.arange(n))[order]
    offsets = offsets_of(lengths)
    step = places_in(lengths)
    rows = offsets_of(sizes)[step] + np.repeat(order, lengths)
    return Sequences(to_float(data[rows].reshape(len(data), -1), name), offsets)


def columns_of(frame: Any, kind: str) -> list[tuple[str, Any]]:
    """List the columns of a frame with their names; a series is its own only column."""
    if kind.endswith("Series"):
        return [(str(frame.name), frame)]
    if kind == "polars.DataFrame":
        return [(column.name, column) for column in frame.get_columns()]
    return [(str(label), frame.iloc[:, i]) for i, label in enumerate(frame.columns)]


def channel_names(X: Any) -> list[str] | None:
    """Names of the channels, where X is a frame or a list of frames whose columns are named by strings; refuse frames that disagree."""
    if kind_of(X).endswith("DataFrame"):
        return _labels(X)
    if not isinstance(X, list | tuple) and not (isinstance(X, np.ndarray) and X.dtype == object and X.ndim == 1):
        return None
    found = [_labels(item) if kind_of(item).endswith("DataFrame") else None for item in X]
    first = found[0] if found else None
    for i, names in enumerate(found):
        if first is not None and names is not None and names != first:
            raise ValueError(f"the columns of sequence {i} of X are named {names}, those of sequence 0 {first}: all need the same names in one order")
    return first


def _labels(frame: Any) -> list[str] | None:
    labels = list(frame.columns)
    return labels if all(isinstance(label, str) for label in labels) else None


def cells_of(column: Any, kind: str) -> list[Any] | None:
    """List the cells of a column that holds one sequence in each cell; None for a column of plain values."""
    if kind.startswith("polars"):
        return column.to_list() if type(column.dtype).__name__ in ("List", "Array") else None
    if column.dtype != object and not str(column.dtype).startswith("list"):
        return None
    cells = list(column)
    return cells if any(isinstance(cell, list | tuple | np.ndarray) or kind_of(cell) for cell in cells) else None


def names_categories(column: Any) -> bool:
    """Whether the type of a column says that it holds categories."""
    return str(column.dtype).lower().startswith(("category", "categorical", "enum"))


def refuse_columns(frame: Any, kind: str, name: str) -> None:
    """Refuse columns that would silently turn into numbers: points in time and categories."""
    for label, column in columns_of(frame, kind):
        dtype = str(column.dtype).lower()
        if dtype.startswith(("datetime", "timedelta", "date", "duration", "period", "interval")) or dtype == "time":
            long = LONG_HINT if kind.endswith("DataFrame") else ""
            raise TypeError(f"column {label!r} of {name} has the type {column.dtype}: a datetime is no number; convert it, e.g. to seconds.{long}")
        if names_categories(column):
            raise ValueError(f"column {label!r} of {name} is categorical: encode it as numbers first")


def has_instances(frame: Any, kind: str, name: str) -> bool:
    """Whether a pandas frame has a two-level (instance, time) index."""
    if not kind.startswith("pandas") or frame.index.nlevels == 1:
        return False
    if frame.index.nlevels != 2:
        raise ValueError(f"expected {name} to have a two-level (instance, time) index, got {frame.index.nlevels} levels")
    return True


def order_of_instances(frame: Any) -> tuple[Array, Array]:
    """Find the order of rows that puts each instance together, and the offsets of the instances.

    Instances come in the order of their first appearance. The time stamps of an instance must increase: sorting them in
    silence would hide a fault of the caller.
    """
    instances, names = frame.index.get_level_values(0).factorize()
    times, stamps = frame.index.get_level_values(1).factorize(sort=True)
    if (instances < 0).any() or (times < 0).any():
        raise ValueError(f"the index has a missing instance or time stamp in row {int(np.argmax((instances < 0) | (times < 0)))}")
    order = np.argsort(instances, kind="stable")
    same = np.diff(instances[order]) == 0
    step = np.diff(times[order])
    wrong = same & (step <= 0)
    if wrong.any():
        first = int(np.argmax(wrong))
        instance, stamp, before = names[instances[order[first]]], stamps[times[order[first + 1]]], stamps[times[order[first]]]
        if step[first] == 0:
            raise ValueError(f"duplicate timestamps: instance {instance} has the time {stamp} twice")
        raise ValueError(f"index is not sorted: instance {instance} has the time {stamp} after {before}")
    return order, offsets_of(np.bincount(instances))
