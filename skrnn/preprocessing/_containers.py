"""Giving data back in the container in which they came, with the names of their features."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import OneToOneFeatureMixin

from ..data._reading import ARRAY, LIST, OBJECTS, ROWS
from ..data._sequences import Sequences


def give_back(sequences: Sequences, layout: str) -> Any:
    """Put sequences into the container that `layout` names.

    Rows of a 2-D table stay rows while there is one channel, and become a 3-D array when there are several.
    """
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


def _writeable(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Copy what is read-only, as users may write into the arrays that a transformer gives them."""
    return array if array.flags.writeable else array.copy()


def names_in(estimator: Any, input_features: npt.ArrayLike | None) -> npt.NDArray[Any]:
    """Names of the features that came in: columns of 2-D data, channels of other data; checked as scikit-learn does."""
    return OneToOneFeatureMixin.get_feature_names_out(estimator, input_features)
