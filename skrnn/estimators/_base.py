"""The skeleton of every estimator that trains a network on whole sequences."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import TransformerMixin, _fit_context
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from ..cells import resolve
from ..data import Sequences, check_sequences
from ..engine import limit_threads, resolve_rule
from ..networks import Recurrent, SequenceNetwork
from ..training import Batches, Data, History, Objective, Trainer, channel_statistics
from ._held_out import Part, check_pair, set_aside, speaking_of
from ._parameters import TrainedParameters, parameters
from ._progress import Progress

_CALLBACK_STATE = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


class Encoded(NamedTuple):
    """Targets as a network sees them: an array with a row for each sequence, and the loss that compares."""

    target: NDArray[Any]
    objective: Objective


@parameters
class BaseRecurrent(CallbackSupportMixin, TransformerMixin, TrainedParameters, ABC):
    """check → encode → build → train; concrete estimators encode targets and decode outputs."""

    @abstractmethod
    def _encode(self, y: Any, weight: NDArray[np.float64] | None, *, reset: bool, classes: Any = None) -> Encoded:
        """Check targets and encode them; ``reset`` learns what encoding and decoding need, from ``classes`` if they are given."""

    @abstractmethod
    def _decode(self, outputs: NDArray[np.float64]) -> NDArray[Any]:
        """Predictions from the outputs of the network."""

    def _weigh(self, y: Any, weight: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        """Weights of the sequences from those that the user passed and the targets."""
        return weight

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, sample_weight: Any = None, X_val: Any = None, y_val: Any = None) -> Self:
        """Train on sequences.

        Parameters
        ----------
        X : Sequences, array (n_sequences, n_steps, n_features), list of arrays (n_steps, n_features), or array (n_sequences, n_steps)
            Sequences of any lengths; the rows of a 2-D array are univariate sequences.
        y : array-like of shape (n_sequences,) or (n_sequences, n_outputs)
            One target for each sequence.
        sample_weight : array-like of shape (n_sequences,), default=None
            How much each sequence counts.
        X_val, y_val : as X and y, default=None
            Sequences and targets for early stopping. In a :class:`~sklearn.pipeline.Pipeline` they pass through the steps before with
            ``transform_input=["X_val"]``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X, y or a parameter is not as described; the message names it, and the estimator is unchanged.
        TypeError
            If X is no container of sequences.
        skrnn.training.DivergenceError
            If the loss becomes infinite or NaN again and again.
        """
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        with limit_threads(self.n_threads), torch.inference_mode(False), self._unchanged_on_error():
            data, held, objective, generator = self._prepare(X, y, sample_weight, (X_val, y_val), going_on=going_on)
            trainer = self._trainer(objective, early=held is not None)
            self._fit_network(trainer, data, held, generator, X, y)
        return self

    def _one_pass(self, X: Any, y: Any, sample_weight: Any, classes: Any = None) -> Self:
        """``partial_fit``: go on, or begin, with one pass at the constant learning rate."""
        going_on = self.__sklearn_is_fitted__()
        with limit_threads(self.n_threads), torch.inference_mode(False), self._unchanged_on_error():
            data, _, objective, generator = self._prepare(X, y, sample_weight, (None, None), going_on=going_on, classes=classes)
            trainer = replace(self._trainer(objective, early=False), schedule="constant", max_epochs=1)
            self._fit_network(trainer, data, None, generator, X, y, optimizer=self.__dict__.get("_optimizer"))
        return self

    @contextmanager
    def _unchanged_on_error(self) -> Iterator[None]:
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            callbacks = {k: self.__dict__[k] for k in _CALLBACK_STATE if k in self.__dict__}  # scikit-learn still has to tear them down
            self.__dict__.clear()
            self.__dict__.update(before | callbacks)
            raise

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, held_out: tuple[Any, Any], *, going_on: bool, classes: Any = None
    ) -> tuple[Data, Data | None, Objective, torch.Generator]:
        """Check everything, and make what training needs."""
        if going_on:
            self._check_same_network()
        check_pair(*held_out, self.early_stopping)
        sequences, weight = self._check(X, y, sample_weight, reset=not going_on)
        weight = self._weigh(y, weight)
        seed = self._seed()
        generator = torch.Generator().manual_seed(seed)
        encoded = self._encode(y, weight, reset=not going_on, classes=classes)
        if not going_on:
            self.mean_, self.scale_ = self._statistics(sequences, weight)
            self.n_iter_ = 0
        self.loss_curve_: list[float] = [*self.loss_curve_] if going_on else []
        self.validation_scores_: list[float] = [*self.validation_scores_] if going_on else []
        train, rest = self._split(Part(sequences, encoded.target, weight), *held_out, seed)
        data, held = self._data(train), None if rest is None else self._data(rest)
        if not going_on:
            self.network_ = self._network(data, encoded.objective, generator)
            self._network_settings = self._settings()
        return data, held, encoded.objective, generator

    def _settings(self) -> dict[str, Any]:
        """The parameters that a network is built from."""
        names = ("hidden_size", "n_layers", "bidirectional", "pooling", "dropout", "dtype")
        return {"cell": repr(resolve(self.cell))} | {name: getattr(self, name) for name in names}

    def _check_same_network(self) -> None:
        """Training can only go on with the network that was built."""
        for (name, now), then in zip(self._settings().items(), self._network_settings.values(), strict=True):
            if now != then:
                raise ValueError(
                    f"Training goes on with a network of {name}={then}, but the estimator now has {name}={now}; use warm_start=False and fit."
                )

    def _seed(self) -> int:
        """From ``random_state``; ``None`` is new every time, and numpy's global generator is left alone."""
        if self.random_state is None:
            return int(np.random.default_rng().integers(2**31))
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _check(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> tuple[Sequences, NDArray[np.float64] | None]:
        if y is None:
            raise ValueError(f"{type(self).__name__} requires y to be passed, but the target y is None")
        sequences = check_sequences(self, X, reset=reset, compute_dtype=self.dtype)
        check_consistent_length(sequences, y)
        if sample_weight is None:
            return sequences, None
        return sequences, _check_sample_weight(sample_weight, sequences, dtype=np.float64, ensure_non_negative=True)

    def _statistics(self, sequences: Sequences, weight: NDArray[np.float64] | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.standardize:
            return channel_statistics(sequences, weight)
        return np.zeros(sequences.n_features), np.ones(sequences.n_features)

    def _split(self, part: Part, X_val: Any, y_val: Any, seed: int) -> tuple[Part, Part | None]:
        """The part to train on, and the part to hold out."""
        if X_val is not None:
            with speaking_of("X_val"):
                validation, _ = self._check(X_val, y_val, None, reset=False)
            with speaking_of("y_val"):
                return part, Part(validation, self._encode(y_val, None, reset=False).target, None)
        if self.early_stopping is True:
            return set_aside(part, self.validation_fraction, self._strata(part.target), seed)
        return part, None

    def _strata(self, target: NDArray[Any]) -> NDArray[Any] | None:
        """What the held-out part should be balanced over."""
        return None

    def _data(self, part: Part) -> Data:
        dtype, device = getattr(torch, self.dtype), self._device()
        batches = Batches(part.sequences, self.mean_, self.scale_, dtype, device)
        values = torch.from_numpy(part.target)
        weight = None if part.weight is None else torch.from_numpy(part.weight / part.weight.mean()).to(device, dtype)
        return Data(batches, values.to(device, dtype if values.is_floating_point() else values.dtype), weight)

    def _device(self) -> torch.device:
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        try:
            return torch.empty(0, device=self.device).device
        except (RuntimeError, AssertionError) as error:
            raise ValueError(f"The 'device' parameter of {type(self).__name__} is {self.device!r}, which torch cannot use here: {error}") from error

    def _network(self, data: Data, objective: Objective, generator: torch.Generator) -> SequenceNetwork:
        recurrent = Recurrent(
            resolve(self.cell),
            len(self.mean_),
            self.hidden_size,
            n_layers=self.n_layers,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            generator=generator,
        )
        weight = torch.ones(len(data.target), dtype=getattr(torch, self.dtype)) if data.weight is None else data.weight.cpu()
        bias = objective.best_constant(data.target.cpu(), weight)
        return SequenceNetwork(recurrent, self.pooling, bias).to(self._device(), getattr(torch, self.dtype))

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
        )

    def _fit_network(
        self, trainer: Trainer, data: Data, held: Data | None, generator: torch.Generator, X: Any, y: Any, *, optimizer: Any = None
    ) -> None:
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
            self._optimizer = trainer.run(self.network_, data, generator, held_out=held, on_epoch=on_epoch, optimizer=optimizer).optimizer
        finally:
            if progress is not None:
                progress.end()
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=self._fitted_now)

    def _fitted_now(self) -> dict[str, Any]:
        """Fitted attributes for a copy of this estimator, as if training had stopped here."""
        names = [k for k in self.__dict__ if k.endswith("_") and not k.startswith("_")] + ["_n_channels"]
        return copy.deepcopy({k: self.__dict__[k] for k in names})

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k != "_optimizer"}

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in self.__dict__

    def _features(self, X: Any) -> Iterator[tuple[NDArray[np.int64], torch.Tensor]]:
        """Pooled hidden states chunk after chunk, with the rows they belong to."""
        check_is_fitted(self)
        network = self.network_
        weight = network.head.W
        sequences = check_sequences(self, X, reset=False, compute_dtype=self.dtype)
        batches = Batches(sequences, self.mean_, self.scale_, weight.dtype, weight.device)
        for index in batches.chunks():
            yield index, network.features(batches.packed(index))

    def _outputs(self, X: Any) -> NDArray[np.float64]:
        """Outputs of the network (n_sequences, n_outputs)."""
        with limit_threads(self.n_threads), torch.inference_mode():
            return _in_order([(index, self.network_.head(features).double().cpu().numpy()) for index, features in self._features(X)])

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict a target for each sequence.

        Parameters
        ----------
        X : as in ``fit``
            Sequences of any lengths, with the channels seen in ``fit``.

        Returns
        -------
        ndarray of shape (n_sequences,) or (n_sequences, n_outputs)
        """
        return self._decode(self._outputs(X))

    def transform(self, X: Any) -> NDArray[np.floating]:
        """Pooled hidden states: features for another model.

        Parameters
        ----------
        X : as in ``fit``

        Returns
        -------
        ndarray of shape (n_sequences, n_units)
            ``n_units`` is ``hidden_size``, twice if bidirectional (forward units first).
        """
        with limit_threads(self.n_threads), torch.inference_mode():
            return _in_order([(index, features.cpu().numpy()) for index, features in self._features(X)])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Names of the columns of ``transform``: the cell's name and h0, h1, …

        Parameters
        ----------
        input_features : ignored

        Returns
        -------
        ndarray of str
        """
        check_is_fitted(self)
        name = type(self.network_.recurrent.layers[0][0]).__name__.lower()
        return np.array([f"{name}_h{k}" for k in range(self.network_.recurrent.output_size)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _in_order(parts: list[tuple[NDArray[np.int64], NDArray[Any]]]) -> NDArray[Any]:
    rows = np.concatenate([index for index, _ in parts])
    values = np.concatenate([values for _, values in parts])
    ordered = np.empty_like(values)
    ordered[rows] = values
    return ordered
