"""Reading sequences from the containers of users, and giving them back in the same."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import get_tags

from ..data._checks import check_sequences_and_layout
from ..data._long import LongIndex
from ..data._reading import ARRAY, LIST, OBJECTS, ROWS, SEQUENCES
from ..data._sequences import Array, Sequences
from ..data._time_axis import check_time_order

STEPS = "steps"  # beside the layouts of the door: a 2-D table that is one sequence


def read_sequences(transformer: Any, X: Any, *, reset: bool) -> tuple[Sequences, str]:
    """Read sequences, and how they lie in their container; each row of a 2-D X is one of them."""
    sequences, layout = check_sequences_and_layout(transformer, X, reset=reset, allow_nan=get_tags(transformer).input_tags.allow_nan)
    return sequences, SEQUENCES if isinstance(layout, LongIndex) else layout


def read_series(transformer: Any, X: Any, *, reset: bool, allow_nan: bool = False) -> tuple[Sequences, str]:
    """Read sequences, and how they lie in their container; a 2-D X is one of them, and its rows are the time steps."""
    check_time_order(X)
    sequences, layout = check_sequences_and_layout(transformer, X, reset=reset, allow_nan=allow_nan, rows_are_steps=True)
    return sequences, SEQUENCES if isinstance(layout, LongIndex) else STEPS if layout == ROWS else layout


def give_back(sequences: Sequences, layout: str | LongIndex) -> Any:
    """Put sequences into the container that `layout` names.

    Rows of a 2-D table stay rows while there is one channel, and become a 3-D array when there are several. A table that is one sequence stays
    one.
    """
    if layout == STEPS:
        return _writeable(sequences.values)
    if layout == LIST:
        return [array.copy() for array in sequences]
    if layout == OBJECTS:
        cells = np.empty(len(sequences), dtype=object)
        for i, array in enumerate(sequences):
            cells[i] = array.copy()
        return cells
    if layout == ROWS and sequences.n_features == 1:
        return _writeable(sequences.values.reshape(len(sequences), -1))
    if layout in (ROWS, ARRAY):
        return _writeable(sequences.values.reshape(len(sequences), -1, sequences.n_features))
    return sequences


def _writeable(array: Array) -> Array:
    """Copy what is read-only, as users may write into the arrays that a transformer gives them."""
    return array if array.flags.writeable else array.copy()
