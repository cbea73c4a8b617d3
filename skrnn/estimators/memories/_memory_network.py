"""One class for each story and question."""

from __future__ import annotations

from dataclasses import field
from math import ceil
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions

from ..._bases import ClassifierMixin, _fit_context
from ...engine import Rule
from ...networks import TYINGS, MemoryNetwork
from ..face._declared import parameters
from ..face._guards import predicting
from ..face._held_out import HELD_OUT
from ..face._readers import beside
from ..face._settings import ClassWeighted, Decayed
from ..face._state import ClassState
from ..face._targets import Classes, told_classes
from ..face._trained import Trained
from ._stories import Stories, StoryState


@parameters
class MemoryNetworkClassifier(ClassifierMixin, ClassWeighted, Decayed, Trained, ClassState, StoryState):
    """Answer.

    Parameters
    ----------
    x : int
    """

    n_hops: int = field(default=3, kw_only=False)
    embedding_size: int = 20
    memory_size: int | None = 50
    position_encoding: bool = True
    temporal_encoding: bool = True
    time_noise: float = 0.1
    tying: str = "adjacent"
    linear_start: float = 0.2

    _built_from: ClassVar[tuple[str, ...]] = ("n_hops", "embedding_size", "memory_size", "position_encoding", "temporal_encoding", "time_noise", "tying")
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_hops": [Interval(Integral, 1, None, closed="left")],
        "embedding_size": [Interval(Integral, 1, None, closed="left")],
        "memory_size": [Interval(Integral, 1, None, closed="left"), None],
        "position_encoding": ["boolean"],
        "temporal_encoding": ["boolean"],
        "time_noise": [Interval(Real, 0, 1, closed="left")],
        "tying": [StrOptions(set(TYINGS))],
        "linear_start": [Interval(Real, 0, 1, closed="both")],
        "rule": [StrOptions({"bptt", "guessing"}), Rule],
    }

    def _reader(self) -> Stories:
        return Stories(self.dtype, standardize=False, memory_size=self.memory_size)

    def _target(self) -> Classes:
        return Classes(self, self.dtype, class_weight=self.class_weight)

    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> MemoryNetwork:
        n_ages = self._longest_story + ceil(self.time_noise * self._longest_story)
        return MemoryNetwork(
            len(self.vocabulary_) + 1,
            n_ages if self.temporal_encoding else 0,
            self.embedding_size,
            bias,
            n_hops=self.n_hops,
            by_place=self.position_encoding,
            tying=self.tying,
            noise=self.time_noise,
            n_linear=round(self.linear_start * self.max_epochs),
            generator=generator,
        )

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        return self._fit(X, y, sample_weight, (X_val, y_val))

    def predict(self, X: Any) -> NDArray[Any]:
        return self._predictor().answers(X)
