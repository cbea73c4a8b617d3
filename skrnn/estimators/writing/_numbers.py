"""Numbers that are written: one, or several, for each step of a horizon."""

from __future__ import annotations

from collections.abc import Sized
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import r2_score
from sklearn.utils import check_consistent_length
from torch import Tensor

from ...data import PartList, Sequences, StepRows, as_sequences, unmasked
from ...training import Batches, Data, Objective, Pairs, SquaredError
from ..face._guards import predicting, require_target
from ..face._held_out import Part
from ..face._predictor import Predictor
from ..face._readers import Given, Reader
from ..face._state import Fitted
from ..face._step_values import told_offsets
from ..face._targets import Target, moments
from ._decoder import written_data

Array = NDArray[np.float64]


class ToWrite(NamedTuple):
    """Sequences of numbers to be written, and the shape they came in."""

    sequences: Sequences
    ndim: int  # 0: each has a length of its own
    one_number: bool  # whether a step has no axis of outputs


class WrittenNumbersState:
    """The units and the shape of sequences of numbers."""

    target_mean_: Array
    target_scale_: Array
    horizon_: int
    _target_ndim: int
    _one_number: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("target_mean_, target_scale_", "ndarray", ("n_outputs",), "Mean and standard deviation of the targets, over all steps."),
        Fitted("horizon_", "int", (), "Steps of the targets; of those with lengths of their own, the largest number."),
        Fitted("_target_ndim", "int"),
        Fitted("_one_number", "bool"),
    )


@dataclass
class NumberSequences(Target, WrittenNumbersState):
    """Sequences of numbers, of one length or of lengths of their own; standardised inside."""

    def read(self, y: Any, given: Given, reader: Reader) -> ToWrite:
        y = unmasked(y)
        ragged = _is_ragged(y)
        array = y if ragged else np.asarray(y)
        ndim = 0 if ragged else array.ndim
        targets = as_sequences(array[:, None] if ndim == 1 else array, dtype=np.float64, name="y")
        check_consistent_length(given.sequences, targets)
        return ToWrite(targets, ndim, ndim in (1, 2) or (ragged and np.ndim(y[0]) == 1))

    def weigh(self, y: ToWrite, weight: Array | None) -> Array | None:
        return weight

    def learn_more(self, y: ToWrite) -> None:
        if not self._target_ndim:
            self.horizon_ = max(self.horizon_, int(y.sequences.lengths.max()))

    def learn(self, y: ToWrite, weight: Array | None, classes: Any = None) -> None:
        targets, self._target_ndim, self._one_number = y
        self.horizon_ = int(targets.lengths.max())
        self._check_lengths(targets)
        self.target_mean_, self.target_scale_ = moments(targets.values, None if weight is None else np.repeat(weight, targets.lengths))

    def encode(self, y: ToWrite) -> StepRows:
        targets = y.sequences
        if targets.n_features != len(self.target_mean_):
            raise ValueError(f"y has {targets.n_features} outputs in each step, expected {len(self.target_mean_)}")
        self._check_lengths(targets)
        return StepRows((targets.values - self.target_mean_) / self.target_scale_, targets.offsets)

    def _check_lengths(self, targets: Sequences) -> None:
        if self._target_ndim and (targets.lengths != self.horizon_).any():
            raise ValueError(f"y has {targets.lengths.min()} to {targets.lengths.max()} steps, expected horizon_={self.horizon_} in each row")

    @property
    def objective(self) -> Objective:
        return SquaredError()

    def strata(self, encoded: StepRows) -> None:
        return None

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        """Held-out pairs are not taught: the decoder runs on its own output, as in ``predict``."""
        return written_data(part, source, self.first(len(part.sequences)), taught=taught)

    def first(self, n: int) -> Tensor:
        """What stands for the output before the first step: the mean."""
        return torch.zeros(n, len(self.target_mean_))

    def decode(self, outputs: Array) -> Array:
        return self.target_mean_ + self.target_scale_ * outputs

    def offsets(self, n: int, n_steps: Any = None) -> NDArray[np.int64]:
        """Where the steps of n sequences begin and end; ``None`` is as many steps as in ``fit``."""
        return told_offsets(self.horizon_ if n_steps is None else n_steps, n)

    def shaped(self, values: Array, offsets: NDArray[np.int64], n_steps: Any) -> Any:
        """Values, end to end, in the shape of the targets of ``fit``; a list where steps were, or are, told for each row."""
        if self._one_number:
            values = values[:, 0]
        if np.ndim(n_steps) or not self._target_ndim:
            return PartList(part.copy() for part in np.split(values, offsets[1:-1]))
        if self._target_ndim == 1 and n_steps is None:
            return values
        return values.reshape(len(offsets) - 1, -1, *values.shape[1:])


def write(predictor: Predictor[NumberSequences], given: Given, offsets: NDArray[np.int64]) -> Array:
    """Numbers (n_target_steps_total, n_outputs), end to end."""
    target, sequences = predictor.target, given.sequences
    values = np.empty((int(offsets[-1]), len(target.target_mean_)))
    with predicting(predictor.model):
        pairs = Pairs.of_steps(predictor.source(sequences), offsets, target.first(len(sequences)))
        for index in pairs.chunks():
            values[pairs.rows(index)] = predictor.network.free(pairs.packed(index)).double().cpu().numpy()
    return target.decode(values)


def written_as_targets(predictor: Predictor[NumberSequences], X: Any, n_steps: Any) -> Any:
    """What is written for each row of X, in the shape of the targets of ``fit``."""
    given = predictor.read(X)
    n = len(given.sequences)
    offsets = predictor.target.offsets(n, n_steps)
    return predictor.target.shaped(write(predictor, given, offsets), offsets, n_steps)


def r2_of_written(predictor: Predictor[NumberSequences], X: Any, y: Any, sample_weight: Any) -> float:
    """R² of what is written, over the columns of a table, or over all steps of targets with lengths of their own."""
    require_target(predictor.model, y)
    given, wanted, weight = predictor.compared(X, y, sample_weight)
    predictor.target.encode(wanted)  # checks it against the targets of fit
    true, written = wanted.sequences.values, write(predictor, given, wanted.sequences.offsets)
    if wanted.ndim:
        n = len(given.sequences)
        return float(r2_score(true.reshape(n, -1), written.reshape(n, -1), sample_weight=weight))
    return float(r2_score(true, written, sample_weight=None if weight is None else np.repeat(weight, wanted.sequences.lengths)))


def _is_ragged(y: Any) -> bool:
    """Whether y holds an array for each sequence, whose lengths are its own; numbers in rows of one length are a table."""
    if isinstance(y, Sequences):
        return True
    items = y if isinstance(y, list | tuple) or (isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1) else ()
    return len({len(item) for item in items if isinstance(item, Sized)}) > 1 or any(isinstance(item, np.ndarray) and item.ndim for item in items)
