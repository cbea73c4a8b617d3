"""A fitted estimator at work: it reads X, runs its network, and gives what its target makes of the outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray
from torch import Tensor

from ...data import Sequences
from ._guards import predicting, require_target
from ._readers import Given, Reader
from ._targets import Target

Array = NDArray[np.float64]
T = TypeVar("T", bound=Target)


@dataclass(frozen=True)
class Predictor(Generic[T]):
    """Reader, target and network of a fitted estimator.

    Parameters
    ----------
    model : estimator
        Fitted; it is not changed.
    reader : Reader
    target : Target
        That has learned.
    """

    model: Any
    reader: Reader
    target: T

    @property
    def network(self) -> Any:
        """The trained module."""
        return self.model.network_

    @property
    def dtype(self) -> str:
        """The precision of the network."""
        return str(next(self.network.parameters()).dtype).removeprefix("torch.")

    def read(self, X: Any) -> Given:
        """X, checked against that of ``fit``."""
        return self.reader.read(self.model, X, reset=False)

    def source(self, sequences: Sequences) -> Any:
        """Sequences as the network gets them."""
        like = next(self.network.parameters())
        return self.reader.source(sequences, self.model.mean_, self.model.scale_, like.dtype, like.device)

    def outputs(self, given: Given) -> Array:
        """Outputs of the network, a row for each answer."""
        return self.gathered(given.sequences, self.network.answer, len(self.network.head.b), per_step=self.reader.per_step)

    def gathered(
        self, sequences: Sequences, ask: Callable[[Any], Tensor], width: int, *, per_step: bool = False, dtype: DTypeLike = np.float64
    ) -> NDArray[Any]:
        """What ``ask`` says of the batches of sequences, as the network gets them: a row for each, or for each of their steps."""
        source = self.source(sequences)
        rows = np.empty((sequences.offsets[-1] if per_step else len(sequences), width), dtype)
        with predicting(self.model):
            for index in source.chunks():
                rows[source.rows(index) if per_step else index] = ask(source.packed(index)).cpu().numpy()
        return rows

    def answers(self, X: Any, made: Callable[[T, Array], Any] | None = None) -> Any:
        """What the target makes of the outputs, in the user's container; ``made`` stands for decoding."""
        given = self.read(X)
        outputs = self.outputs(given)
        return self.reader.give(self.target.decode(outputs) if made is None else made(self.target, outputs), given)

    def compared(self, X: Any, y: Any, sample_weight: Any = None) -> tuple[Given, Any, Array | None]:
        """X, targets and weights, checked against each other and those of ``fit``."""
        given, wanted = self.reader.pair(self.model, X, y, self.target, reset=False)
        return given, wanted, None if sample_weight is None else self.reader.weights(sample_weight, given)


def compared(predictor: Predictor[Any], X: Any, y: Any, sample_weight: Any) -> tuple[NDArray[Any], NDArray[Any], Array | None]:
    """Targets, predictions and weights of all that has a target: rows, or steps."""
    require_target(predictor.model, y)
    given, rows, weight = predictor.compared(X, y, sample_weight)
    present = predictor.target.present(rows)
    weight = None if weight is None else weight[present]
    return rows[present], predictor.target.decode(predictor.outputs(given))[present], weight
