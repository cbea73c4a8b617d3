"""The skeleton of every estimator that trains a network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_sample_weight

from ..data import Sequences, TableLayout, check_sequences
from ..engine import Stream, limit_threads
from ..training import Batches, Data, Objective, channel_statistics
from ._guards import device_of, require_target, seed_of, unchanged_on_error
from ._held_out import Part, check_pair, set_aside, speaking_of
from ._parameters import parameters
from ._targets import Encoded
from ._trained import BaseTrained


@parameters
class BaseRecurrent(BaseTrained, ABC):
    """check → encode → build → train; concrete estimators encode targets and decode outputs."""

    @abstractmethod
    def _encode(self, y: Any, weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        """Check targets and encode them; ``reset`` learns what encoding and decoding need, from ``classes`` if they are given."""

    @abstractmethod
    def _decode(self, outputs: NDArray[np.float64]) -> NDArray[Any]:
        """Predictions from the outputs of the network."""

    @abstractmethod
    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Any:
        """The network, with weights from ``generator``; its head's bias starts at ``bias``."""

    def _weigh(self, y: Any, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """Weights of the sequences from those that the user passed and the targets."""
        return weight

    def _fit(self, X: Any, y: Any, sample_weight: Any, held_out: tuple[Any, Any]) -> Self:
        """Train from the start, or go on if ``warm_start`` says so."""
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        with limit_threads(self.n_threads), torch.inference_mode(False), unchanged_on_error(self):
            data, held, objective, generator = self._prepare(X, y, sample_weight, held_out, going_on=going_on)
            trainer = self._trainer(objective, early=held is not None)
            self._fit_network(trainer, data, held, generator, X, y)
        return self

    def _one_pass(self, X: Any, y: Any, sample_weight: Any, classes: Any = None, *, stream: Stream | None = None) -> Self:
        """``partial_fit``: go on, or begin, with one pass at the constant learning rate."""
        going_on = self.__sklearn_is_fitted__()
        with limit_threads(self.n_threads), torch.inference_mode(False), unchanged_on_error(self):
            data, _, objective, generator = self._prepare(X, y, sample_weight, (None, None), going_on=going_on, classes=classes)
            trainer = replace(self._trainer(objective, early=False), schedule="constant", max_epochs=1)
            self._fit_network(trainer, data, None, generator, X, y, optimizer=self.__dict__.get("_optimizer"), stream=stream)
            self._stream = stream
        return self

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, held_out: tuple[Any, Any], *, going_on: bool, classes: Any = None
    ) -> tuple[Data, Data | None, Objective, torch.Generator]:
        """Check everything, and make what training needs."""
        if going_on:
            self._check_same_network()
        check_pair(*held_out, self.early_stopping)
        sequences, y, weight = self._check(X, y, sample_weight, reset=not going_on)
        weight = self._weigh(y, weight)
        seed = seed_of(self.random_state)
        generator = torch.Generator().manual_seed(seed)
        encoded = self._encode(y, weight, reset=not going_on, classes=classes)
        if not going_on:
            self.mean_, self.scale_ = self._statistics(sequences, weight)
        self._begin_curves(going_on=going_on)
        train, rest = self._split(self._part(sequences, encoded.target, weight), *held_out, seed)
        data, held = self._data(train), None if rest is None else self._held_data(rest)
        if not going_on:
            self.network_ = self._network(data, encoded.objective, generator)
            self._network_settings = self._settings()
        return data, held, encoded.objective, generator

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Any, NDArray[np.float64] | None]:
        """Sequences, targets and weights as they came, checked against each other."""
        require_target(self, y)
        sequences = self._read(X, reset=reset)
        check_consistent_length(sequences, y)
        if sample_weight is None:
            return sequences, y, None
        return sequences, y, _check_sample_weight(sample_weight, sequences, dtype=np.float64, ensure_non_negative=True)

    def _read(self, X: Any, *, reset: bool) -> Sequences:
        """The sequences of X."""
        return check_sequences(self, X, reset=reset, compute_dtype=self.dtype, table_layout=self._windows())

    def _windows(self) -> TableLayout:
        """How a 2-D X, and the axes of other data, are to be read."""
        return TableLayout()

    def _part(self, sequences: Sequences, target: NDArray[Any], weight: NDArray[np.float64] | None) -> Part:
        return Part(sequences, target, weight)

    def _statistics(self, sequences: Sequences, weight: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.standardize:
            return channel_statistics(sequences, weight)
        return np.zeros(sequences.n_features), np.ones(sequences.n_features)

    def _split(self, part: Part, X_val: Any, y_val: Any, seed: int) -> tuple[Part, Part | None]:
        """The part to train on, and the part to hold out."""
        if X_val is not None:
            with speaking_of("X_val"):
                validation, y, _ = self._check(X_val, y_val, None, reset=False)
            with speaking_of("y_val"):
                return part, self._part(validation, self._encode(y, None, reset=False).target, self._weigh(y, None))
        if self.early_stopping is True:
            return set_aside(part, self.validation_fraction, self._strata(part.target), seed)
        return part, None

    def _strata(self, target: NDArray[Any]) -> NDArray[Any] | None:
        """What the held-out part should be balanced over."""
        return None

    def _data(self, part: Part) -> Data:
        dtype, device = getattr(torch, self.dtype), device_of(self)
        batches = Batches(part.sequences, self.mean_, self.scale_, dtype, device)
        values = torch.from_numpy(part.target)
        weight = None if part.weight is None else torch.from_numpy(part.weight / part.weight.mean()).to(device, dtype)
        total = None if part.weight is None else float(part.weight.sum())
        return Data(batches, values.to(device, dtype if values.is_floating_point() else values.dtype), weight, total_weight=total)

    def _held_data(self, part: Part) -> Data:
        """What held-out sequences are scored on."""
        return self._data(part)

    def _network(self, data: Data, objective: Objective, generator: torch.Generator) -> Any:
        weight = torch.ones(len(data.target), dtype=getattr(torch, self.dtype)) if data.weight is None else data.weight.cpu()
        bias = objective.best_constant(data.target.cpu(), weight)
        return self._assemble(bias, generator).to(device_of(self), getattr(torch, self.dtype))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags


def in_order(parts: list[tuple[NDArray[np.int64], NDArray[Any]]]) -> NDArray[Any]:
    """The rows of several parts in the order of all rows."""
    rows = np.concatenate([index for index, _ in parts])
    values = np.concatenate([values for _, values in parts])
    ordered = np.empty_like(values)
    ordered[rows] = values
    return ordered
