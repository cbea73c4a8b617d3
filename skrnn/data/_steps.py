"""Targets for every time step: from whatever runs alongside the sequences to rows end to end, and predictions back."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._long import LongIndex
from ._reading import ARRAY, OBJECTS, ROWS, unmasked
from ._sequences import Sequences, rows_of


def step_rows(y: Any, sequences: Sequences, layout: str | LongIndex, name: str = "y") -> NDArray[Any]:
    """One row for each time step, end to end: (n_steps_total,) or (n_steps_total, n_outputs).

    Parameters
    ----------
    y : Sequences, list of arrays (n_steps,) or (n_steps, n_outputs), array (n_sequences, n_steps[, n_outputs]); array (n_steps[, n_outputs])
        if the sequences came as one 2-D table or as one long frame
    sequences : Sequences
        Whose steps the rows belong to.
    layout : str or LongIndex
        The container that the sequences came in (``layout_of``).
    name : str, default="y"
        The argument's name, for errors.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If there is not one row for each step; the message names the first sequence that differs.
    """
    y = unmasked(y)
    if isinstance(y, Sequences):
        return _joined(list(y), sequences, name)
    if layout != ROWS and (not isinstance(layout, LongIndex) or _is_parts(y)):
        return _joined([np.asarray(part) for part in y], sequences, name)
    rows = np.asarray(y)
    if rows.ndim not in (1, 2) or len(rows) != sequences.n_steps_total:
        raise ValueError(
            f"{name} should have shape (n_steps,) or (n_steps, n_outputs) with n_steps={sequences.n_steps_total}, a row for each row of the 2-D X; "
            f"got {rows.shape}"
        )
    return rows[layout.order] if isinstance(layout, LongIndex) else rows


def _is_parts(y: Any) -> bool:
    """Whether y has an array for each sequence, not a row for each step."""
    cells = isinstance(y, list | tuple) or (isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1)
    return cells and len(y) > 0 and np.ndim(y[0]) > 0


def _joined(parts: list[NDArray[Any]], sequences: Sequences, name: str) -> NDArray[Any]:
    if len(parts) != len(sequences):
        raise ValueError(f"Found input variables with inconsistent numbers of samples: X has {len(sequences)} sequences, {name} has {len(parts)}")
    for k, (part, n_steps) in enumerate(zip(parts, sequences.lengths, strict=True)):
        if part.ndim not in (1, 2) or part.ndim != parts[0].ndim or part.shape[1:] != parts[0].shape[1:]:
            raise ValueError(f"{name}[{k}] has shape {part.shape}; expected ({n_steps}, {', '.join(map(str, parts[0].shape[1:]))})")
        if len(part) != n_steps:
            raise ValueError(f"{name}[{k}] has {len(part)} steps, but X[{k}] has {n_steps}: there must be one target for each time step")
    return np.concatenate(parts)


def give_steps(rows: NDArray[Any], sequences: Sequences, layout: str | LongIndex) -> Any:
    """Rows end to end as the sequences came: an array for a 2-D table, a long frame or a 3-D array, else arrays in a list or in objects."""
    if isinstance(layout, LongIndex):
        return layout.as_frame_has_them(rows)
    if layout == ROWS:
        return rows
    if layout == ARRAY:
        return rows.reshape(len(sequences), -1, *rows.shape[1:])
    parts = PartList(part.copy() for part in np.split(rows, sequences.offsets[1:-1]))
    return parts.cells() if layout == OBJECTS else parts


def mirrored(sequences: Sequences) -> NDArray[np.floating]:
    """The rows of all sequences, each from its end."""
    ends = np.repeat(sequences.offsets[1:] + sequences.offsets[:-1] - 1, sequences.lengths)
    return np.asarray(sequences.values[ends - np.arange(sequences.n_steps_total)])


class PartList(list[NDArray[Any]]):
    """Answers of several sequences, an array for each, that numpy can join: of different lengths they become the cells of an array of objects."""

    def cells(self) -> NDArray[Any]:
        """The arrays in an array of objects."""
        return _cells(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        alike = len({part.shape for part in self}) < 2
        return np.array(list(self), dtype=dtype) if alike else self.cells()

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        # Folds of scikit-learn are joined as arrays, which must not depend on whether the sequences of one happen to have one length.
        if function is np.concatenate and not kwargs and len(args) == 1 and all(isinstance(parts, PartList) for parts in args[0]):
            return np.asarray(PartList(chain.from_iterable(args[0])))
        return function(*_as_arrays(args), **{name: _as_arrays(value) for name, value in kwargs.items()})


def _as_arrays(value: Any) -> Any:
    if isinstance(value, PartList):
        return np.asarray(value)
    return type(value)(map(_as_arrays, value)) if type(value) in (list, tuple) else value


class RowList(list[Any]):
    """Answers of several sequences, a list for each, that numpy can join: always the cells of an array of objects."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return _cells(self)


def _cells(items: list[Any]) -> NDArray[Any]:
    cells = np.empty(len(items), dtype=object)
    for k, item in enumerate(items):
        cells[k] = item
    return cells


@dataclass(frozen=True, eq=False)
class StepRows:
    """Rows end to end that are taken sequence by sequence."""

    values: NDArray[Any]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: NDArray[np.int64]) -> StepRows:
        rows, offsets = rows_of(self.offsets, index)
        return StepRows(self.values[rows], offsets)

    def any(self) -> bool:
        """Whether a row is not zero."""
        return bool(self.values.any())
