"""The skeleton of every estimator that trains a network."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import _check_sample_weight

from ..cells import resolve
from ..data import Sequences, check_sequences
from ..engine import Stream, limit_threads, resolve_rule
from ..networks import Recurrent
from ..training import Batches, Data, History, Objective, Trainer, as_penalties, channel_statistics
from ._guards import device_of, require_target, seed_of, unchanged_on_error
from ._held_out import Part, check_pair, set_aside, speaking_of
from ._parameters import TrainedParameters, parameters
from ._progress import Progress
from ._targets import Encoded


@parameters
class BaseRecurrent(CallbackSupportMixin, TrainedParameters, ABC):
    """check → encode → build → train; concrete estimators encode targets and decode outputs."""

    _built_from: ClassVar[tuple[str, ...]] = ("hidden_size", "n_layers", "bidirectional", "dropout", "dtype")  # and the cell

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
            self.n_iter_ = 0
        self.loss_curve_: list[float] = [*self.loss_curve_] if going_on else []
        self.validation_scores_: list[float] = [*self.validation_scores_] if going_on else []
        train, rest = self._split(self._part(sequences, encoded.target, weight), *held_out, seed)
        data, held = self._data(train), None if rest is None else self._held_data(rest)
        if not going_on:
            self.network_ = self._network(data, encoded.objective, generator)
            self._network_settings = self._settings()
        return data, held, encoded.objective, generator

    def _settings(self) -> dict[str, Any]:
        """The parameters that a network is built from."""
        return {"cell": repr(resolve(self.cell))} | {name: getattr(self, name) for name in self._built_from}

    def _check_same_network(self) -> None:
        """Training can only go on with the network that was built."""
        for (name, now), then in zip(self._settings().items(), self._network_settings.values(), strict=True):
            if now != then:
                raise ValueError(
                    f"Training goes on with a network of {name}={then}, but the estimator now has {name}={now}; use warm_start=False and fit."
                )

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, Any, NDArray[np.float64] | None]:
        """Sequences, targets and weights as they came, checked against each other."""
        require_target(self, y)
        sequences = check_sequences(self, X, reset=reset, compute_dtype=self.dtype)
        check_consistent_length(sequences, y)
        if sample_weight is None:
            return sequences, y, None
        return sequences, y, _check_sample_weight(sample_weight, sequences, dtype=np.float64, ensure_non_negative=True)

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
        return Data(batches, values.to(device, dtype if values.is_floating_point() else values.dtype), weight)

    def _held_data(self, part: Part) -> Data:
        """What held-out sequences are scored on."""
        return self._data(part)

    def _recurrent(self, input_size: int, generator: torch.Generator) -> Recurrent:
        """Recurrent layers over sequences of so many channels."""
        return Recurrent(
            resolve(self.cell),
            input_size,
            self.hidden_size,
            n_layers=self.n_layers,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            generator=generator,
        )

    def _network(self, data: Data, objective: Objective, generator: torch.Generator) -> Any:
        weight = torch.ones(len(data.target), dtype=getattr(torch, self.dtype)) if data.weight is None else data.weight.cpu()
        bias = objective.best_constant(data.target.cpu(), weight)
        return self._assemble(bias, generator).to(device_of(self), getattr(torch, self.dtype))

    def _trainer(self, objective: Objective, *, early: bool) -> Trainer:
        return Trainer(
            objective=objective,
            rule=resolve_rule(self.rule),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            weight_decay=self.alpha,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            patience=self.n_iter_no_change if early else None,
            tol=self.tol,
            penalties=as_penalties(self.penalties),
        )

    def _fit_network(self, trainer: Trainer, data: Data, held: Data | None, generator: torch.Generator, X: Any, y: Any, **going_on: Any) -> None:
        context = self._init_callback_context(max_subtasks=trainer.max_epochs)
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        progress = Progress(trainer.max_epochs) if self.verbose else None
        epochs_before = self.n_iter_

        def on_epoch(history: History) -> bool:
            self.n_iter_ = epochs_before + len(history.losses)
            self.loss_curve_.append(history.losses[-1])
            self.validation_scores_.extend(history.scores[-1:])
            if progress is not None:
                progress.show(history)
            task = context.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(estimator=self, X=X, y=y)
            return task.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=self._fitted_now)

        try:
            self._optimizer = trainer.run(self.network_, data, generator, held_out=held, on_epoch=on_epoch, **going_on).optimizer
        finally:
            if progress is not None:
                progress.end()
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=self._fitted_now)

    def _fitted_now(self) -> dict[str, Any]:
        """Fitted attributes for a copy of this estimator, as if training had stopped here."""
        names = [k for k in self.__dict__ if k.endswith("_") and not k.startswith("_")] + ["_n_channels"]
        return copy.deepcopy({k: self.__dict__[k] for k in names})

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k not in ("_optimizer", "_stream")}

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in self.__dict__

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
