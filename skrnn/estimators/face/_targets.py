"""What estimators answer: classes, labels, numbers; what they look like to a network, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import issparse
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_y, check_array, column_or_1d

from ...data import StepRows, is_missing
from ...training import LOSSES, Batches, BinaryCrossEntropy, CrossEntropy, Data, Objective, Point
from ._held_out import Part
from ._readers import Given, Reader
from ._state import ClassState, NumberState, attributes_of
from ._step_values import numbers

Array = NDArray[np.float64]


@dataclass
class Target(ABC):
    """Checks y, learns what encoding and decoding need, encodes, decodes. What it learns are the attributes that a group of state declares."""

    def load(self, model: Any) -> Self:
        """Take what an estimator has learned."""
        vars(self).update({name: vars(model)[name] for name in attributes_of(type(self)) if name in vars(model)})
        return self

    def store(self, model: Any) -> None:
        """Give an estimator what was learned."""
        vars(model).update({name: vars(self)[name] for name in attributes_of(type(self)) if name in vars(self)})

    @abstractmethod
    def read(self, y: Any, given: Given, reader: Reader) -> Any:
        """y, checked against X."""

    @abstractmethod
    def weigh(self, y: Any, weight: Array | None) -> Array | None:
        """How much each answer counts, from what the user says and from y."""

    @abstractmethod
    def learn(self, y: Any, weight: Array | None, classes: Any = None) -> None:
        """Learn what encoding and decoding need; from ``classes`` if they are told."""

    def learn_more(self, y: Any) -> None:  # noqa: B027
        """Learn what may grow when training goes on with other answers."""

    @abstractmethod
    def encode(self, y: Any) -> Any:
        """y as the loss sees it."""

    @abstractmethod
    def decode(self, outputs: Any) -> Any:
        """Answers from the outputs of the network."""

    @property
    @abstractmethod
    def objective(self) -> Objective:
        """The loss."""

    @abstractmethod
    def strata(self, encoded: Any) -> NDArray[Any] | None:
        """What a held-out part should be balanced over."""

    @abstractmethod
    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        """What a trainer gets; ``taught`` is whether the network may see true answers while it gives its own."""


@dataclass
class RowTarget(Target):
    """An answer is a row: of each sequence, or of each step.

    Parameters
    ----------
    model : estimator
        For messages.
    dtype : {"float32", "float64"}
    per_step : bool
    """

    model: Any
    dtype: str
    per_step: bool = False

    @abstractmethod
    def present(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        """Which steps have a target; in one for each sequence nothing may be missing."""

    def _step_weights(self, y: NDArray[Any], weight: Array | None) -> Array | None:
        present = self.present(y)
        return weight if present.all() else present.astype(float) if weight is None else weight * present

    def _refuse_nothing(self, y: NDArray[Any]) -> NDArray[Any]:
        if not self.present(y).any():
            raise ValueError("y holds no target: every step is marked as missing")
        return y

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        rows, weight = (part_.values if isinstance(part_, StepRows) else part_ for part_ in (part.target, part.weight))
        values = torch.from_numpy(rows)
        values = values.to(source.device, source.dtype if values.is_floating_point() else values.dtype)
        return Data.weighted(source, values, weight, source.dtype, per_step=self.per_step)


@dataclass
class Classes(RowTarget, ClassState):
    """One of some classes, or a set of labels: a 0/1 column for each."""

    class_weight: Any = None
    missing_label: Any = None

    def read(self, y: Any, given: Given, reader: Reader) -> NDArray[Any]:
        rows = reader.align(y, given)
        if not self.per_step:
            kind = type_of_target(rows, input_name="y", raise_unknown=True)
            check_classification_targets(rows)
            if kind == "multiclass-multioutput":
                raise ValueError(
                    "Unknown label type: multiclass-multioutput. y needs one class for each sequence, or a column of 0 and 1 for each label"
                )
            if kind == "multilabel-indicator":
                return rows.toarray() if issparse(rows) else np.asarray(rows)
            return _check_y(column_or_1d(rows, warn=True), estimator=self.model)
        if rows.ndim == 2 and rows.shape[1] > 1:
            labels = self._refuse_nothing(rows)[self.present(rows)]
            if not np.isin(labels.astype(float), (0, 1)).all():
                raise ValueError("y has several columns: each must hold 0 and 1 for a label of its own, or NaN where a step has no target")
            return rows
        return self._refuse_nothing(column_or_1d(rows, warn=True))

    def present(self, y: NDArray[Any]) -> NDArray[np.bool_]:
        if not self.per_step:
            return np.ones(len(y), dtype=bool)
        there = _marked(y, self.missing_label)
        return there if there.ndim == 1 else np.asarray(there.all(axis=1))

    def weigh(self, y: NDArray[Any], weight: Array | None) -> Array | None:
        if self.class_weight is None:
            return self._step_weights(y, weight)
        present = self.present(y)
        of_class = np.zeros(len(y))
        of_class[present] = class_weights(self.class_weight, y[present])
        return of_class if weight is None else weight * of_class

    def learn(self, y: NDArray[Any], weight: Array | None, classes: Any = None) -> None:
        self.multilabel_ = y.ndim == 2
        known = self._labels(y)
        if not self.multilabel_:
            self.classes_ = np.unique(known) if classes is None else classes
        else:
            self.classes_ = np.arange(y.shape[1])

    def _labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """Those of the steps that have one."""
        labels = y[self.present(y)]
        labels = _of_one_kind(labels) if labels.dtype.kind == "O" and self.per_step else labels
        if self.per_step and labels.ndim == 1:
            check_classification_targets(labels)
        return labels

    def encode(self, y: NDArray[Any]) -> NDArray[Any]:
        if self.multilabel_ != (y.ndim == 2):
            found, fitted = ("multilabel-indicator", "single-label") if y.ndim == 2 else (type_of_target(y, input_name="y"), "multi-label")
            raise ValueError(f"y is {found}, but the estimator was fitted on {fitted} targets")
        if self.multilabel_ and y.shape[1] != len(self.classes_):
            raise ValueError(f"y has {y.shape[1]} labels (columns), expected {len(self.classes_)}")
        labels = self._labels(y)
        encoded = labels.astype(self.dtype) if self.multilabel_ else encode_classes(labels, self.classes_, self.dtype)
        if len(labels) == len(y):
            return encoded
        rows = np.zeros((len(y), *encoded.shape[1:]), encoded.dtype)
        rows[self.present(y)] = encoded
        return rows

    @property
    def objective(self) -> Objective:
        return BinaryCrossEntropy() if self.multilabel_ or len(self.classes_) == 2 else CrossEntropy(len(self.classes_))

    def strata(self, encoded: NDArray[Any]) -> NDArray[Any] | None:
        return None if self.per_step or (encoded.ndim == 2 and encoded.shape[1] > 1) else encoded.ravel()

    def decode(self, outputs: Array) -> NDArray[Any]:
        if self.multilabel_:
            return (outputs > 0).astype(int)
        return likeliest(outputs, self.classes_)

    def probabilities(self, outputs: Array) -> Array:
        """Of each class, or of each label, for each row of outputs."""
        if self.multilabel_:
            return expit(outputs)
        return np.hstack([expit(-outputs), expit(outputs)]) if len(self.classes_) == 2 else softmax(outputs, axis=1)

    def log_probabilities(self, outputs: Array) -> Array:
        """Of each class, or of each label; exact where the probabilities underflow."""
        if self.multilabel_:
            return log_expit(outputs)
        return np.hstack([log_expit(-outputs), log_expit(outputs)]) if len(self.classes_) == 2 else log_softmax(outputs, axis=1)

    def log_odds(self, outputs: Array) -> Array:
        """Of the second of two classes and of each label, or the unnormalised log probabilities of several classes."""
        return outputs[:, 0] if outputs.shape[1] == 1 and not self.multilabel_ else outputs


@dataclass
class Numbers(RowTarget, NumberState):
    """One number or several, standardised inside."""

    loss: str = "squared_error"
    quantile: float = 0.5

    def read(self, y: Any, given: Given, reader: Reader) -> Array:
        if self.per_step:
            rows = numbers(reader.align(y, given))
            return self._refuse_nothing(column_or_1d(rows, warn=True) if rows.ndim == 2 and rows.shape[1] == 1 else rows)
        y = reader.align(y, given)
        if np.asarray(y).dtype.kind in "mM":
            raise TypeError("y holds datetimes; a regression needs numbers")
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y", estimator=self.model)
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def present(self, y: Array) -> NDArray[np.bool_]:
        return ~np.asarray(np.isnan(y.reshape(len(y), -1)).any(axis=1))

    def weigh(self, y: Array, weight: Array | None) -> Array | None:
        return self._step_weights(y, weight) if self.per_step else weight

    def learn(self, y: Array, weight: Array | None, classes: Any = None) -> None:
        present = self.present(y)
        table = y.reshape(len(y), -1)
        self._refuse_out_of_range(table[present])
        self.target_mean_, self.target_scale_ = moments(table[present], None if weight is None else weight[present])
        if not self.objective.units(self.target_mean_, self.target_scale_)[1].all():
            raise ValueError(f"loss={self.loss!r} needs targets that are not all 0, nor all of those with a weight")
        self._single_output = y.ndim == 1

    def encode(self, y: Array) -> Array:
        table = y.reshape(len(y), -1)
        if table.shape[1] != len(self.target_mean_):
            raise ValueError(f"y has {table.shape[1]} outputs (columns), expected {len(self.target_mean_)}")
        present = self.present(y)
        self._refuse_out_of_range(table[present])
        location, scale = self.objective.units(self.target_mean_, self.target_scale_)
        return np.where(present[:, None], (table - location) / scale, 1.0)

    def _refuse_out_of_range(self, table: Array) -> None:
        wrong = ~self.objective.in_range(table)
        if wrong.any():
            raise ValueError(f"loss={self.loss!r} needs targets of {self.objective.range}; got y with {table[wrong][0]:g}")

    @property
    def objective(self) -> Point:
        return LOSSES[self.loss](self.quantile)

    def strata(self, encoded: Array) -> None:
        return None

    def decode(self, outputs: Array) -> Array:
        y = self.objective.in_units(outputs[..., None], *self.objective.units(self.target_mean_, self.target_scale_))[..., 0]
        return y[:, 0] if self._single_output else y


def told_classes(classes: Any, known: NDArray[Any] | None) -> NDArray[Any] | None:
    """What ``partial_fit`` is told about the classes: all of them in the first call, when none are ``known``; the same or nothing later."""
    if classes is None:
        if known is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return None
    if isinstance(classes, str):
        raise ValueError(f"classes must be a list of labels; got a string, {classes!r}")
    classes = np.unique(classes)
    if known is not None and not np.array_equal(classes, known):
        raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}")
    return classes


def encode_classes(y: NDArray[Any], classes: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Two classes as 0 and 1 in a column, more as indices; labels that are no class are refused."""
    if unseen := set(y.tolist()) - set(classes.tolist()):
        raise ValueError(
            f"y contains previously unseen labels: {sorted(unseen)}; classes should include all valid labels, they are {classes.tolist()}"
        )
    index = np.searchsorted(classes, y)
    return index[:, None].astype(dtype) if len(classes) == 2 else index


def class_weights(class_weight: Any, labels: NDArray[Any]) -> Array:
    """The weight of each label's class."""
    of_labels = labels.ndim == 2
    if class_weight != "balanced" and of_labels != isinstance(class_weight, list):
        kind, wanted = ("labels", "a list of a dict {0: weight, 1: weight} for each") if of_labels else ("classes", "one dict of them and weights")
        raise ValueError(f"The 'class_weight' parameter must be 'balanced' or, as y has {kind}, {wanted}; got {class_weight!r}")
    weight = compute_sample_weight(class_weight, labels)
    if not np.isfinite(weight).all() or (weight < 0).any() or not weight.any():
        raise ValueError(f"The 'class_weight' parameter must hold finite weights, none negative, and not only zeros; got {class_weight!r}")
    return weight


def likeliest(outputs: Array, classes: NDArray[Any]) -> NDArray[Any]:
    """The class of each row of outputs."""
    return classes[(outputs[:, 0] > 0).astype(int) if len(classes) == 2 else outputs.argmax(1)]


def moments(table: Array, weight: Array | None) -> tuple[Array, Array]:
    """Weighted mean and standard deviation of each column; a constant column gets 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.average(table, axis=0, weights=weight)
        deviation = np.sqrt(np.average((table - mean) ** 2, axis=0, weights=weight))
    if not np.isfinite(deviation).all():
        raise ValueError(f"Input y contains a value too large to be standardised: {np.abs(table).max():g}")
    return mean, np.where(deviation <= 1e-12 * np.abs(mean), 1.0, deviation)


def _of_one_kind(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels in an array of objects: strings as they are, numbers as numbers; refuse a mixture."""
    kinds = {isinstance(label, str) for label in labels.ravel()}
    if len(kinds) > 1:
        raise TypeError("y mixes strings and other labels, which cannot be put in order: use labels of one kind")
    return labels if kinds == {True} else np.array(labels.tolist())


def _marked(y: NDArray[Any], missing_label: Any) -> NDArray[np.bool_]:
    """Which entries are neither NaN nor None nor the label that stands for none."""
    if y.dtype.kind == "O":
        there = [not is_missing(label) and label != missing_label for label in y.ravel()]
        return np.array(there, dtype=bool).reshape(y.shape)
    present = ~np.isnan(y) if y.dtype.kind == "f" else np.ones(y.shape, dtype=bool)
    comparable = missing_label is not None and isinstance(missing_label, str) == (y.dtype.kind in "US")
    return present & (y != missing_label) if comparable else present
