"""What classes and numbers look like to a network, and back: shared by estimators of whole sequences and of steps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, softmax
from sklearn.utils.class_weight import compute_sample_weight

from ..training import BinaryCrossEntropy, CrossEntropy, Objective


class Encoded(NamedTuple):
    """Targets as a network sees them: an array with a row for each output, or rows that are taken together; and the loss that compares."""

    target: Any
    objective: Objective


def told_classes(classes: Any, known: NDArray[Any] | None) -> NDArray[Any] | None:
    """What ``partial_fit`` is told about the classes: all of them in the first call, when none are ``known``; the same or nothing later."""
    if classes is None:
        if known is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        return None
    classes = np.unique(classes)
    if known is not None and not np.array_equal(classes, known):
        raise ValueError(f"`classes={classes!r}` is not the same as on last call to partial_fit, was: {known!r}")
    return classes


def encode_classes(y: NDArray[Any], classes: NDArray[Any], dtype: str) -> Encoded:
    """Two classes as 0 and 1 in a column, more as indices; labels that are no class are refused."""
    if unseen := set(y.tolist()) - set(classes.tolist()):
        raise ValueError(
            f"y contains previously unseen labels: {sorted(unseen)}; classes should include all valid labels, they are {classes.tolist()}"
        )
    index = np.searchsorted(classes, y)
    if len(classes) == 2:
        return Encoded(index[:, None].astype(dtype), BinaryCrossEntropy())
    return Encoded(index, CrossEntropy(len(classes)))


def class_weights(class_weight: Any, labels: NDArray[Any]) -> NDArray[np.float64]:
    """The weight of each label's class."""
    weight = compute_sample_weight(class_weight, labels)
    if (weight < 0).any() or not weight.any():
        raise ValueError(f"The 'class_weight' parameter must hold no negative weights, and not only zeros; got {class_weight!r}")
    return weight


def likeliest(outputs: NDArray[np.float64], classes: NDArray[Any]) -> NDArray[Any]:
    """The class of each row of outputs."""
    return classes[(outputs[:, 0] > 0).astype(int) if len(classes) == 2 else outputs.argmax(1)]


def probabilities(outputs: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Of each class, for each row of outputs."""
    return np.hstack([expit(-outputs), expit(outputs)]) if n_classes == 2 else softmax(outputs, axis=1)


def log_probabilities(outputs: NDArray[np.float64], n_classes: int) -> NDArray[np.float64]:
    """Of each class, exact where the probabilities underflow."""
    return np.hstack([log_expit(-outputs), log_expit(outputs)]) if n_classes == 2 else log_softmax(outputs, axis=1)


def moments(table: NDArray[np.float64], weight: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weighted mean and standard deviation of each column; a constant column gets 1."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean = np.average(table, axis=0, weights=weight)
        deviation = np.sqrt(np.average((table - mean) ** 2, axis=0, weights=weight))
    if not np.isfinite(deviation).all():
        raise ValueError(f"Input y contains a value too large to be standardised: {np.abs(table).max():g}")
    return mean, np.where(deviation <= 1e-12 * np.abs(mean), 1.0, deviation)
