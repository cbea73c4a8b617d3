"""Several steps ahead at every step: inputs, targets, and the errors with which a step was predicted by those before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import Sequences, window_rows
from ._scores import ErrorModel

Array = NDArray[np.float64]


@dataclass(frozen=True)
class PredictionErrors(ErrorModel):
    """Each step is compared with what was predicted for it at the steps before.

    Parameters
    ----------
    channels : ndarray of shape (n_targets,)
    horizon : int
    predicted : callable
        From what a network sees to its predictions (n_steps_total, horizon, n_targets) at each step.
    """

    channels: NDArray[np.intp]
    horizon: int
    predicted: Callable[[Sequences], Array]

    def errors(self, sequences: Sequences) -> Array:
        values = sequences.values[:, self.channels].astype(np.float64)
        return aligned_errors(self.predicted(predictors(sequences, self.channels)), values, sequences, self.horizon)


def predictors(sequences: Sequences, targets: NDArray[np.intp]) -> Sequences:
    """What a network sees at each step: the target channels of the step, and the others of the step that it predicts first."""
    rows = np.minimum(np.arange(sequences.n_steps_total) + 1, np.repeat(sequences.offsets[1:] - 1, sequences.lengths))
    values = sequences.values[rows]
    values[:, targets] = sequences.values[:, targets]
    return sequences.with_values(values)


def training_windows(n_rows: int, window: int) -> NDArray[np.intp]:
    """Rows (n_windows, window) of a series to learn from, each at least once; windows overlap by half, the last one ends with the series."""
    window = min(window, n_rows)
    rows, _ = window_rows(n_rows + 1, window, 1, stride=max(1, window // 2))
    return rows if rows[-1, -1] == n_rows - 1 else np.vstack([rows, np.arange(n_rows - window, n_rows)])


def steps_ahead(values: NDArray[Any], rows: NDArray[np.intp], horizon: int) -> NDArray[Any]:
    """The values of the steps after each row (n_rows, horizon, n_channels), soonest first."""
    return np.asarray(values[rows[:, None] + 1 + np.arange(horizon)])


def aligned_errors(predicted: Array, values: Array, sequences: Sequences, n_first: int) -> Array:
    """What each step was, minus what was predicted for it at each of the steps before; NaN where nothing was.

    Parameters
    ----------
    predicted : ndarray of shape (n_steps_total, horizon, n_channels)
        At each step, the steps after it, soonest first.
    values : ndarray of shape (n_steps_total, n_channels)
    sequences : Sequences
        Whose steps these are.
    n_first : int
        Steps at the beginning of a sequence whose predictions do not count.

    Returns
    -------
    ndarray of shape (n_steps_total, horizon, n_channels)
        ``[s, j]``: of step ``s``, as predicted ``j + 1`` steps before.
    """
    horizon = np.arange(predicted.shape[1])
    origins = np.arange(len(values))[:, None] - 1 - horizon
    errors = values[:, None] - predicted[np.maximum(origins, 0), horizon]
    errors[origins < np.repeat(sequences.offsets[:-1] + n_first, sequences.lengths)[:, None]] = np.nan
    return np.asarray(errors)
