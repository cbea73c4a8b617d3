"""What all scores do with their arguments: columns of finite numbers, weights of rows, means over outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Scores = float | NDArray[np.float64]


def finite(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """An array of numbers, none of them infinite or NaN."""
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        row = np.argwhere(~np.isfinite(np.atleast_1d(array)))[0, 0]
        raise ValueError(f"{name} must be finite; got {np.atleast_1d(array)[row]} in row {row} (leave out rows without a target)")
    return array


def columns(name: str, values: ArrayLike, *, allow_nonfinite: bool = False) -> NDArray[np.float64]:
    """Values (n_samples,) or (n_samples, n_outputs) as the latter."""
    array = np.asarray(values, dtype=np.float64) if allow_nonfinite else finite(name, values)
    if array.ndim not in (1, 2) or array.size == 0:
        raise ValueError(f"{name} must have shape (n_samples,) or (n_samples, n_outputs), and a row; got {array.shape}")
    return array.reshape(len(array), -1)


def pair(
    y_true: ArrayLike, y_pred: ArrayLike, name: str = "y_pred", *, allow_nonfinite: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Targets and what is compared with them, in columns."""
    if np.shape(y_true) != np.shape(y_pred):
        raise ValueError(f"{name} must have the shape of y_true, {np.shape(y_true)}; got {np.shape(y_pred)}")
    return columns("y_true", y_true), columns(name, y_pred, allow_nonfinite=allow_nonfinite)


def positive(name: str, scale: Any, n_outputs: int, hint: str = "") -> NDArray[np.float64]:
    """What errors are divided by: a number above 0 for each output."""
    array = np.asarray(scale, dtype=np.float64)
    if array.shape not in ((), (n_outputs,)) or not ((array > 0) & (array < np.inf)).all():
        raise ValueError(f"{name} must be a number above 0 for each of {n_outputs} outputs{hint}; got {array.tolist()}")
    return array


def average(values: NDArray[Any], sample_weight: ArrayLike | None) -> NDArray[np.float64]:
    """The mean over rows, weighted if weights are given."""
    if sample_weight is None:
        return values.mean(axis=0)
    weight = finite("sample_weight", sample_weight)
    if weight.shape != (len(values),) or (weight < 0).any() or not weight.any():
        raise ValueError(f"sample_weight must be ({len(values)},) numbers of at least 0, not all of them 0; got shape {weight.shape}")
    return np.average(values, axis=0, weights=weight)


def combine(scores: NDArray[np.float64], multioutput: str | ArrayLike) -> Scores:
    """One score for each output, or their mean."""
    if isinstance(multioutput, str):
        if multioutput not in ("uniform_average", "raw_values"):
            raise ValueError(f"multioutput must be 'uniform_average', 'raw_values' or weights; got {multioutput!r}")
        return scores if multioutput == "raw_values" else float(scores.mean())
    weight = finite("multioutput", multioutput)
    if weight.shape != scores.shape or (weight < 0).any() or not weight.any():
        raise ValueError(f"multioutput must be {scores.shape} weights of at least 0, not all of them 0; got {weight.tolist()}")
    return float(np.average(scores, weights=weight))
