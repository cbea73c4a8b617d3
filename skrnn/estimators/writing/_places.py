"""Places in what is read, one after the other, up to an end that the decoder finds itself."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length

from ...data import StepRows, offsets_of, read_tokens
from ...engine import BeamSearch
from ...training import Batches, Choosing, Data, Objective, Pairs
from ..face._guards import predicting
from ..face._held_out import Part
from ..face._predictor import Predictor
from ..face._readers import Given, Reader
from ..face._state import Fitted
from ..face._targets import Target
from ._decoder import written_data
from ._tokens import Hypothesis

Array = NDArray[np.float64]

_END = 0  # and a step is its place and one


class PlaceState:
    """How much is pointed at."""

    _longest: int
    _most_choices: int

    _leaves: ClassVar[tuple[Fitted, ...]] = (Fitted("_longest", "int"), Fitted("_most_choices", "int"))


@dataclass
class PlaceRows(Target, PlaceState):
    """A list of places of steps for each sequence.

    Parameters
    ----------
    model : estimator
    once : bool
        Whether no step may be there twice.
    """

    model: Any
    once: bool = True

    def read(self, y: Any, given: Given, reader: Reader) -> list[tuple[int, ...]]:
        rows: list[Any] = read_tokens(y, "y")
        check_consistent_length(given.sequences, rows)
        for k, (row, n_steps) in enumerate(zip(rows, given.sequences.lengths.tolist(), strict=True)):
            for place, step in enumerate(row):
                if not isinstance(step, Integral) or isinstance(step, bool) or step not in range(n_steps):
                    raise ValueError(f"y[{k}][{place}] must be the place of a step of X[{k}], a whole number from 0 to {n_steps - 1}; got {step!r}")
            if self.once and len(set(row)) < len(row):
                raise ValueError(f"y[{k}] has a step twice, {list(row)}; use visit_once=False")
        self._most_choices = 1 + int(given.sequences.lengths.max())
        return [tuple(map(int, row)) for row in rows]

    def weigh(self, y: Any, weight: Array | None) -> Array | None:
        return weight

    def learn(self, y: list[tuple[int, ...]], weight: Array | None, classes: Any = None) -> None:
        self._longest = max(map(len, y))

    def learn_more(self, y: list[tuple[int, ...]]) -> None:
        self._longest = max(self._longest, *map(len, y))

    def encode(self, y: list[tuple[int, ...]]) -> StepRows:
        values = [chosen for row in y for chosen in (*(step + 1 for step in row), _END)]
        return StepRows(np.array(values, dtype=np.int64), offsets_of([len(row) + 1 for row in y]))

    @property
    def objective(self) -> Objective:
        return Choosing(self._most_choices)

    def strata(self, encoded: StepRows) -> None:
        return None

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        """The teacher is asked in held-out pairs too, as for tokens."""
        return written_data(part, source, self.first(len(part.sequences)), taught=True)

    def first(self, n: int) -> torch.Tensor:
        """What stands for what was pointed at before the first step."""
        return torch.zeros(n, 1)

    def most_steps(self, n_steps: int) -> int:
        """Steps of the decoder after which a hypothesis ends, the end counted, where a source has so many."""
        return 1 + (n_steps if self.once else 2 * max(self._longest, 1))

    def decode(self, outputs: list[int]) -> list[int]:
        return [chosen - 1 for chosen in (outputs[: outputs.index(_END)] if _END in outputs else outputs)]


def place_hypotheses(predictor: Predictor[PlaceRows], X: Any) -> list[list[Hypothesis]]:
    """What might be pointed at in each sequence, the best first."""
    network, target, search = predictor.network, predictor.target, BeamSearch(predictor.model.beam_width)
    sequences = predictor.read(X).sequences
    found: list[list[Hypothesis]] = [[] for _ in range(len(sequences))]
    with predicting(predictor.model):
        pairs = Pairs.of_steps(predictor.source(sequences), np.arange(len(found) + 1), target.first(len(found)))
        for index in pairs.chunks():
            pair = pairs.packed(index)
            states, choices = network.start(pair)
            nothing = choices.memory.absent > 0
            n_steps = target.most_steps(int(sequences.lengths[index].max()))
            best = search(network.step, (states, choices, nothing), pair.first, n_steps, _END, pick=network.pick)
            parts = (part.cpu().tolist() for part in best)
            for i, scores, chosen, lengths in zip(index.tolist(), *parts, strict=True):
                every = zip(scores, chosen, lengths, strict=True)
                found[i] = [Hypothesis(target.decode(places[:n]), score) for score, places, n in every if score > -np.inf]
    return found
