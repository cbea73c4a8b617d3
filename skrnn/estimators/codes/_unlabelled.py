"""What estimators share that learn an output for each sequence from what all of them have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from ...cells._starts import input_weights
from ...networks import SequenceNetwork
from ...training import Batches, Data, TogetherObjective, outputs_of_all
from ..face._guards import predicting
from ..face._held_out import Part
from ..face._readers import Given, Reader
from ..face._state import Fitted
from ..face._targets import Target
from ..face._trained import Lesson, seeing_layers

Array = NDArray[np.float64]


class OutputUnitState:
    """The units of the outputs."""

    output_mean_: Array
    output_map_: Array

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted(
            "output_mean_", "ndarray", ("n_outputs",), "Mean of the outputs of ``network_`` over the sequences of ``fit``, which is taken off them."
        ),
        Fitted("output_map_", "ndarray", ("n_outputs", "n_outputs"), "What they are multiplied by then."),
    )


@dataclass
class Untold(Target, OutputUnitState):
    """Nothing is told; outputs get the units that they had over all sequences of ``fit``.

    Parameters
    ----------
    model : estimator
    told_apart_by : TogetherObjective
    n_needed : int
        Sequences without which there is nothing to learn.
    why : str
        Why, for the error.
    """

    model: Any
    told_apart_by: TogetherObjective
    n_needed: int
    why: str

    def read(self, y: Any, given: Given, reader: Reader) -> Array:
        """y is not looked at."""
        return np.zeros((len(given.sequences), 1))

    def weigh(self, y: Array, weight: Array | None) -> Array | None:
        return weight

    def learn(self, y: Array, weight: Array | None, classes: Any = None) -> None:
        pass

    def encode(self, y: Array) -> Array:
        return y

    @property
    def objective(self) -> TogetherObjective:
        return self.told_apart_by

    def strata(self, encoded: Array) -> None:
        return None

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        n = len(part.sequences) if part.weight is None else np.count_nonzero(part.weight)
        if n < self.n_needed:
            whose = "X has" if taught else "what is held out has"
            raise ValueError(f"{whose} n_samples = {n} sequences to learn from, but {self.why}: it needs at least {self.n_needed}")
        mixed = Batches(part.sequences, self.model.mean_, self.model.scale_, source.dtype, source.device, by_length=False)
        return Data.weighted(mixed, torch.zeros(len(mixed), 1, dtype=source.dtype, device=source.device), part.weight, source.dtype)

    def decode(self, outputs: Array) -> Array:
        return (outputs - self.output_mean_) @ self.output_map_


def coding_network(model: Any, bias: torch.Tensor, generator: torch.Generator) -> SequenceNetwork:
    """The network that an estimator's parameters describe, with outputs that differ from the start: if all were alike, they would stay so."""
    layers, frontend = seeing_layers(model, generator)
    network = SequenceNetwork(layers, model.pooling, bias, frontend)
    network.head.W = input_weights(len(bias), layers.output_size, generator)
    return network


def note_units(model: Any, lesson: Lesson) -> None:
    """Fix the units that the outputs have over all that was learned from."""
    objective: Any = lesson.objective
    with predicting(model):
        outputs, _, weight = outputs_of_all(model.network_, lesson.data)
        units = objective.normalising(outputs.double(), weight)
    model.output_mean_, model.output_map_ = (part.double().cpu().numpy() for part in units)
