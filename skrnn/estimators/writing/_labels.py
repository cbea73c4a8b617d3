"""Labels in order, without their places in the sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length

from ...data import all_strings, is_missing, offsets_of, read_tokens, rows_of_texts
from ...training import Batches, Data, Lattices, Objective, TemporalClassification, Transcripts, Transduction
from ..face._held_out import Part
from ..face._readers import Given, Reader
from ..face._state import Fitted
from ..face._targets import Target
from ..face._trained import seen_lengths

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class LabelState:
    """The labels."""

    classes_: NDArray[Any]
    _joins: bool
    _labels_per_step: float

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("classes_", "ndarray", ("n_classes",), "The labels, sorted; the blank between them is none of them."),
        Fitted("_joins", "bool"),
        Fitted("_labels_per_step", "float"),
    )


class Said(NamedTuple):
    """The labels of each sequence, whether they came as strings, and what they are said of."""

    rows: list[tuple[Any, ...]]
    joins: bool
    n_steps: Ints


@dataclass
class LabelRows(Target, LabelState):
    """A list of labels for each sequence, of any length; they are strings if all targets were.

    Parameters
    ----------
    model : estimator
    """

    model: Any

    def read(self, y: Any, given: Given, reader: Reader) -> Said:
        y = rows_of_texts(y, "y")
        rows = [tuple(map(plain, row)) for row in read_tokens(y, "y")]
        check_consistent_length(given.sequences, rows)
        for k, row in enumerate(rows):
            for place, label in enumerate(row):
                _refuse_blank(label, f"y[{k}][{place}]")
        return Said(rows, all_strings(y), given.sequences.lengths)

    def weigh(self, y: Said, weight: Array | None) -> Array | None:
        return weight

    def learn(self, y: Said, weight: Array | None, classes: Any = None) -> None:
        labels = {label for row in y.rows for label in row} if classes is None else set(map(plain, classes))
        for label in labels:
            _refuse_blank(label, "Among classes")
        if not labels:
            raise ValueError("y holds no label: every list is empty, so that there is nothing to learn")
        self.classes_ = _as_array(sorted(labels, key=lambda label: (type(label).__name__, label)))
        self._joins = y.joins and all(isinstance(label, str) and len(label) == 1 for label in labels)  # others could not be told apart
        self._labels_per_step = _most_per_step(y)

    def learn_more(self, y: Said) -> None:
        self._labels_per_step = max(self._labels_per_step, _most_per_step(y))

    def encode(self, y: Said) -> Ints:
        """A table of :class:`~skrnn.training.Transcripts`; labels that are not known are refused, and sequences that have not enough frames."""
        ids = {label: k + 1 for k, label in enumerate(self.classes_.tolist())}
        for k, row in enumerate(y.rows):
            for place, label in enumerate(row):
                if label not in ids:
                    raise ValueError(f"y[{k}][{place}] is {label!r}, a label that was not seen in fit; the labels are {self.classes_.tolist()}")
        transcripts = Transcripts.of(y.n_steps, seen_lengths(self.model, y.n_steps), [[ids[label] for label in row] for row in y.rows])
        missing = transcripts.too_short()
        if missing.any() and not self._transduces:
            k = int(missing.argmax())
            n, frames = transcripts.n_labels[k], transcripts.n_frames[k]
            seen = f"{frames} frames" if frames == y.n_steps[k] else f"{y.n_steps[k]} steps, of which the frontend makes {frames} frames"
            raise ValueError(
                f"X[{k}] is too short for its labels: it has {seen}, but y[{k}] has {n} labels, which need {frames + missing[k]}, one for each "
                "and one for the blank between two that are the same"
            )
        return transcripts.as_table()

    @property
    def objective(self) -> Objective:
        return (Transduction if self._transduces else TemporalClassification)(len(self.classes_))

    @property
    def _transduces(self) -> bool:
        return bool(self.model.loss == "transducer")

    def strata(self, encoded: Ints) -> None:
        return None

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        read = self.lattices(source, part.target) if self._transduces else source
        return Data.weighted(read, torch.from_numpy(part.target).to(source.device), part.weight, source.dtype)

    def lattices(self, source: Batches, table: Ints) -> Lattices:
        """Sequences, and what is encoded of each, to be followed by a transducer."""
        rows = [np.append(row, 0) for row in Transcripts.rows_of(table)]
        teacher = torch.from_numpy(np.concatenate(rows)).to(source.device, source.dtype)[:, None]
        offsets = offsets_of([len(row) for row in rows])
        return Lattices.of_steps(source, offsets, teacher.new_zeros(len(rows), 1), teacher)

    def most_labels(self, n_steps: Ints) -> Ints:
        """How many labels a transducer writes at most: twice as many for each step as any target had from which it learned."""
        return np.ceil(2 * self._labels_per_step * n_steps).astype(np.int64)

    def decode(self, outputs: list[int]) -> Any:
        """Labels of ids."""
        labels = self.classes_[np.array(outputs, dtype=int) - 1].tolist()
        return "".join(labels) if self._joins else labels


def _most_per_step(y: Said) -> float:
    return float(np.max([len(row) for row in y.rows] / y.n_steps))


def plain(label: Any) -> Any:
    """A label as Python has it."""
    return label.item() if isinstance(label, np.generic) else label


def _refuse_blank(label: Any, place: str) -> None:
    if is_missing(label) or label == "":
        raise ValueError(f"{place} is {label!r}, which is no label: the blank between labels is the network's own, and y has none of it")


def _as_array(labels: list[Any]) -> NDArray[Any]:
    """Labels of one plain type in an array of that type, others as objects."""
    if len({type(label) for label in labels}) == 1 and isinstance(labels[0], str | int | float):
        array = np.array(labels)
        if array.tolist() == labels:  # arrays of strings lose zeros at their ends
            return array
    array = np.empty(len(labels), dtype=object)
    array[:] = labels
    return array
