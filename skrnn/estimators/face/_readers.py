"""What estimators read: sequences, one answer for each or for each of their steps, or vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_sample_weight

from ...data import (
    ROWS,
    AsItIs,
    Encoding,
    LongIndex,
    Sequences,
    StepRows,
    TableLayout,
    check_same_times,
    check_sequences_and_layout,
    check_time_order,
    give_steps,
    refuse_other_index,
    step_rows,
    unmasked,
)
from ...training import channel_statistics
from ._held_out import Part, set_aside, speaking_of
from ._step_values import row_weights

Array = NDArray[np.float64]


class Given(NamedTuple):
    """Sequences, and the container that the user has them in."""

    sequences: Sequences
    layout: str | LongIndex


@dataclass(frozen=True)
class Reader(ABC):
    """Reads X, and what belongs to it, and gives answers back as X came.

    Parameters
    ----------
    dtype : {"float32", "float64"}
        In which will be computed: values that are too large for it are refused.
    standardize : bool
        Whether channels get units of their own.
    encoding : Encoding or None
        What makes numbers of what X holds; it learns where ``read`` resets.
    """

    dtype: str
    standardize: bool = True
    encoding: Encoding | None = field(default=None, kw_only=True)

    per_step: ClassVar[bool] = False  # whether there is an answer for each step

    @abstractmethod
    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        """The sequences of X; ``reset`` notes what later data are compared with."""

    @abstractmethod
    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        """X and y, checked against each other; ``names`` are those of the arguments, for errors that would not say which they are about."""

    @abstractmethod
    def align(self, y: Any, given: Given) -> Any:
        """y, checked to have a row for each answer."""

    @abstractmethod
    def weights(self, sample_weight: Any, given: Given) -> Array:
        """How much each answer counts."""

    @abstractmethod
    def give(self, answers: NDArray[Any], given: Given) -> Any:
        """Answers, a row each, in the user's container."""

    def by_sequence(self, rows: Any, sequences: Sequences) -> Any:
        """Rows that are taken sequence by sequence."""
        return StepRows(rows, sequences.offsets) if self.per_step and rows is not None else rows

    def scales(self, sequences: Sequences, weight: Array | None) -> tuple[Array, Array]:
        """Means and standard deviations of the channels.

        A step without a target, or with no weight, is still seen by the steps after it, and counts.
        """
        if self.standardize:
            encoding = self.encoding or AsItIs()
            return encoding.statistics(sequences, lambda quantities: channel_statistics(quantities, None if self.per_step else weight))
        return np.zeros(sequences.n_features), np.ones(sequences.n_features)

    def hold_out(self, part: Part, fraction: float, strata: NDArray[Any] | None, seed: int) -> tuple[Part, Part]:
        """A part to train on, and a part to hold out."""
        return set_aside(part, fraction, strata, seed)


@dataclass(frozen=True)
class RowReader(Reader, ABC):
    """One answer for each sequence."""

    def align(self, y: Any, given: Given) -> Any:
        check_consistent_length(given.sequences, y)
        return unmasked(y)

    def weights(self, sample_weight: Any, given: Given) -> Array:
        return _check_sample_weight(unmasked(sample_weight), given.sequences, dtype=np.float64, ensure_non_negative=True)

    def give(self, answers: NDArray[Any], given: Given) -> NDArray[Any]:
        return answers


@dataclass(frozen=True)
class Rows(RowReader):
    """Sequences, or the rows of a table, with one answer for each."""

    table_layout: TableLayout | None = None

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        given = check_sequences_and_layout(model, X, reset=reset, compute_dtype=self.dtype, table_layout=self.table_layout, encoding=self.encoding)
        return Given(*given)


@dataclass(frozen=True)
class Vectors(RowReader):
    """The rows of a table, each a sequence of one step."""

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        table, layout = check_sequences_and_layout(model, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True)
        if layout != ROWS:
            raise ValueError(f"X must be 2-D (n_samples, n_features), a vector to start from in each row; got {len(table)} sequences")
        if reset:
            model._rows_are_steps = False
        return Given(Sequences(table.values, np.arange(len(table.values) + 1)), layout)


@dataclass(frozen=True)
class Steps(Reader):
    """Sequences with one answer for each of their steps; a table is one sequence, whose rows are its steps."""

    per_step: ClassVar[bool] = True

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        refuse_other_index(X, y)
        check_same_times(X, y)
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        check_time_order(X)
        given = check_sequences_and_layout(model, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True, encoding=self.encoding)
        return Given(*given)

    def align(self, y: Any, given: Given) -> NDArray[Any]:
        return step_rows(y, *given)

    def weights(self, sample_weight: Any, given: Given) -> Array:
        return row_weights(sample_weight, *given)

    def give(self, answers: NDArray[Any], given: Given) -> Any:
        return give_steps(answers, *given)


def read_pair(reader: Reader, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
    """X by a reader, then y by a target."""
    with speaking_of(names[0]):
        given = reader.read(model, X, reset=reset)
    with speaking_of(names[1]):
        return given, target.read(y, given, reader)
