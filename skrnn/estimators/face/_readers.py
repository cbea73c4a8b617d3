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
    StaticColumns,
    StepRows,
    TableLayout,
    check_same_times,
    check_sequences_and_layout,
    check_time_order,
    give_steps,
    long_index,
    refuse_other_index,
    refuse_other_order,
    step_rows,
    unmasked,
)
from ...training import Batches, channel_statistics
from ._held_out import Part, set_aside, speaking_of
from ._step_values import row_weights

Array = NDArray[np.float64]


class Given(NamedTuple):
    """Sequences, and the container that the user has them in."""

    sequences: Sequences
    layout: str | LongIndex


class Beside(NamedTuple):
    """Sequences, and a row for each of what is known of it as a whole."""

    sequences: Any
    static: Any


def beside(X: Any, static: Any) -> Any:
    """X, with a row for each sequence if there is one; what comes from a callback has it already."""
    return X if static is None else Beside(X, static)


def held_out_beside(X_val: Any, static_val: Any) -> Any:
    """As :func:`beside`, of sequences that tell when to stop."""
    if X_val is None and static_val is not None:
        raise ValueError("static_val is provided, but X_val was not provided.")
    return beside(X_val, static_val)


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

    def source(self, sequences: Any, mean: Array, scale: Array, dtype: Any, device: Any) -> Any:
        """What was read as a network gets it."""
        return Batches(sequences, mean, scale, dtype, device)

    def hold_out(self, part: Part, fraction: float, strata: NDArray[Any] | None, seed: int) -> tuple[Part, Part]:
        """A part to train on, and a part to hold out."""
        return set_aside(part, fraction, strata, seed)


@dataclass(frozen=True)
class RowReader(Reader, ABC):
    """One answer for each sequence."""

    def align(self, y: Any, given: Given) -> Any:
        check_consistent_length(given.sequences, y)
        refuse_other_order(y, _ids_of(given), "y")
        return unmasked(y)

    def weights(self, sample_weight: Any, given: Given) -> Array:
        refuse_other_order(sample_weight, _ids_of(given), "sample_weight")
        return _check_sample_weight(unmasked(sample_weight), given.sequences, dtype=np.float64, ensure_non_negative=True)

    def give(self, answers: NDArray[Any], given: Given) -> NDArray[Any]:
        return answers


@dataclass(frozen=True)
class Rows(RowReader):
    """Sequences, or the rows of a table, with one answer for each.

    Parameters
    ----------
    table_layout : TableLayout or None, default=None
        How the rows of a table are read.
    static : StaticColumns or None, default=None
        What is known of each sequence as a whole, which becomes channels behind the others, the same at every step; learned where ``read`` resets.
    """

    table_layout: TableLayout | None = None
    static: StaticColumns | None = None

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        X, rows = X if isinstance(X, Beside) else (X, None)
        sequences, layout = check_sequences_and_layout(
            model, X, reset=reset, compute_dtype=self.dtype, table_layout=self.table_layout, encoding=self.encoding
        )
        given = Given(sequences, layout)
        if self.static is None:
            return given
        table = self.static.read(rows, len(sequences), _ids_of(given), reset=reset)
        if reset:
            model._static_columns = self.static
        if not table.shape[1]:
            return given
        return given._replace(sequences=sequences.with_values(np.hstack([sequences.values, np.repeat(table, sequences.lengths, axis=0)])))

    def scales(self, sequences: Sequences, weight: Array | None) -> tuple[Array, Array]:
        n = 0 if self.static is None else self.static.n_columns_
        if not n:
            return super().scales(sequences, weight)
        of_steps = super().scales(sequences.with_values(sequences.values[:, :-n]), weight)
        once = Sequences(sequences.values[sequences.offsets[:-1], -n:], np.arange(len(sequences) + 1))
        of_rows = channel_statistics(once, weight) if self.standardize else (np.zeros(n), np.ones(n))
        return np.concatenate([of_steps[0], of_rows[0]]), np.concatenate([of_steps[1], of_rows[1]])


@dataclass(frozen=True)
class Vectors(RowReader):
    """The rows of a table, each a sequence of one step; ``hint`` is what to do with several vectors, for the error."""

    hint: str = ""

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        table, layout = check_sequences_and_layout(model, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True)
        if layout != ROWS:
            raise ValueError(f"X must be 2-D (n_samples, n_features), a vector to start from in each row; got {len(table)} sequences{self.hint}")
        if reset:
            model._rows_are_steps = False
        return Given(Sequences(table.values, np.arange(len(table.values) + 1)), layout)


@dataclass(frozen=True)
class VectorSets(RowReader):
    """Several vectors for each answer."""

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        if getattr(X, "ndim", 0) > 3:
            raise ValueError(
                f"X must be 3-D (n_samples, n_regions, n_features), the places of a grid one behind the other; got shape {np.shape(X)}: "
                "use X.reshape(len(X), -1, X.shape[-1]) if features are last"
            )
        sequences, layout = check_sequences_and_layout(model, X, reset=reset, compute_dtype=self.dtype, rows_are_steps=True)
        if layout == ROWS:
            raise ValueError(
                f"X must be 3-D (n_samples, n_regions, n_features), or a list of arrays (n_regions, n_features), to be looked at; got 2-D of shape "
                f"{(sequences.n_steps_total, sequences.n_features)}: use attention=None, or X[:, None]"
            )
        return Given(sequences, layout)


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


def refuse_other_rows(X: Any, y: Any, sample_weight: Any = None) -> None:
    """Refuse targets or weights that are named as the instances of a long X, in another order."""
    index = long_index(X.sequences if isinstance(X, Beside) else X)
    if index is not None:
        refuse_other_order(y, index.ids, "y")
        refuse_other_order(sample_weight, index.ids, "sample_weight")


def _ids_of(given: Given) -> list[Any] | None:
    """The names of sequences that come from a long frame."""
    return given.layout.ids if isinstance(given.layout, LongIndex) else None


def read_pair(reader: Reader, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
    """X by a reader, then y by a target."""
    with speaking_of(names[0]):
        given = reader.read(model, X, reset=reset)
    with speaking_of(names[1]):
        return given, target.read(y, given, reader)
