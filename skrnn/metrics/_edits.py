"""Errors of what was written down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import average


def edit_distance(y_true: Sequence[Any], y_pred: Sequence[Any]) -> int:
    """How many symbols must be replaced, put in or left out to make one sequence of another (Levenshtein, 1966).

    Parameters
    ----------
    y_true, y_pred : sequence of symbols, or string
        Two sequences of any lengths; the symbols of a string are its characters.

    Returns
    -------
    int

    Examples
    --------
    >>> from skrnn.metrics import edit_distance
    >>> edit_distance("kitten", "sitting")
    3
    """
    ids: dict[Any, int] = {}
    true, pred = (np.array([ids.setdefault(symbol, len(ids)) for symbol in _symbols(row)], dtype=np.int64) for row in (y_true, y_pred))
    places = np.arange(len(pred) + 1)
    row = places
    for k, symbol in enumerate(true.tolist()):
        other = np.append(k + 1, np.minimum(row[:-1] + (pred != symbol), row[1:] + 1))
        row = np.minimum.accumulate(other - places) + places  # what is put in, one after the other
    return int(row[-1])


def label_error_rate(y_true: Sequence[Any], y_pred: Sequence[Any], *, sample_weight: ArrayLike | None = None) -> float:
    """Labels that are wrong, missing or too many, as a share of those that there are: of characters the CER, of words the WER.

    Parameters
    ----------
    y_true : sequence of label sequences or strings
        What was said, for each row; the labels of a string are its characters.
    y_pred : sequence of label sequences or strings
        What was written down.
    sample_weight : array-like of shape (n_rows,), default=None
        How much each row counts.

    Returns
    -------
    float
        Σ edit distances / Σ labels of ``y_true``, over all rows: above 1 where more is wrong than there is. Where there are no labels at all, the
        number of those that were written.

    References
    ----------
    A. Graves, S. Fernández, F. Gomez, J. Schmidhuber, "Connectionist temporal classification", ICML 2006, section 2.1; differs from the paper in
    the mean, which is over all labels, as is usual since, and not over the rates of the rows.

    Examples
    --------
    >>> from skrnn.metrics import label_error_rate
    >>> label_error_rate(["spam", "eggs"], ["spa", "eggs"])
    0.125
    """
    if isinstance(y_true, str) or isinstance(y_pred, str):
        raise TypeError("y_true and y_pred must be sequences of label sequences, one for each row; got a single string")
    if len(y_true) != len(y_pred) or not len(y_true):
        raise ValueError(f"y_true and y_pred must have the same number of rows, and at least one; got {len(y_true)} and {len(y_pred)}")
    errors = np.array([edit_distance(true, pred) for true, pred in zip(y_true, y_pred, strict=True)])
    wrong, labels = average(errors, sample_weight), average(np.array([len(row) for row in y_true]), sample_weight)
    return float(wrong / labels) if labels > 0 else float(errors.sum())


def _symbols(row: Any) -> Any:
    return row.tolist() if isinstance(row, np.ndarray) else row
