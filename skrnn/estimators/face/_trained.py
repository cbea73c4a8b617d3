"""The one skeleton of estimators that train a network: read, encode, build, train, and go on."""

from __future__ import annotations

import copy
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from ..._bases import BaseEstimator, CallbackSupportMixin
from ...cells import Parametrised, resolve, visual_block
from ...data import Encoding, StaticColumns
from ...engine import Stream, resolve_rule
from ...frontends import Embedding, Frontend, resolve_frontend
from ...kernels import announcing
from ...networks import Recurrent
from ...training import DivergenceError, Examples, History, Objective, Trainer, as_penalties
from ._guards import device_of, learning, require_target, seed_of, with_named_cell
from ._held_out import Part, check_pair, speaking_of
from ._noted import as_fitted, note_parameters
from ._predictor import Predictor
from ._pretrained import pretrained_of, start_from
from ._progress import Progress
from ._readers import Reader
from ._settings import Computation, Spoken, Training
from ._state import ReadState, ScaleState, TrainedState, attributes_of, fitted_names, pickled
from ._summary import summary_of
from ._targets import Target

Array = NDArray[np.float64]

TRAINED = attributes_of(TrainedState)
AUTO = "auto"  # a frontend where the types in X ask for one


@dataclass
class Lesson:
    """What a network is trained on: data, loss, and the source of weights and orders; and what the user gave, for callbacks."""

    data: Examples
    held: Examples | None
    objective: Objective
    generator: torch.Generator
    given: tuple[Any, Any]
    going_on: bool
    pretrained: Any = None


class Trained(CallbackSupportMixin, Training, Spoken, Computation, BaseEstimator, ReadState, ScaleState, TrainedState, ABC):
    """Trains ``network_``. An estimator says what it reads, what it answers, and what its network is."""

    alpha: Any  # of the groups Decayed or WindowTraining

    _sk_visual_block_ = visual_block

    _resolve_cell: ClassVar[Any] = staticmethod(resolve)  # what makes a cell of its own of one, or of its name

    # What X and y are. A forecaster, which reads panels, has none, and makes its lessons itself.
    _reader: Callable[[], Reader]
    _target: Callable[[], Target]

    @abstractmethod
    def _assemble(self, bias: torch.Tensor, generator: torch.Generator) -> Any:
        """The network, with weights from ``generator``; its head's bias starts at ``bias``."""

    # -- fit ---------------------------------------------------------------------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        held_out: tuple[Any, Any] = (None, None),
        *,
        conclude: Callable[[Self, Lesson], None] = lambda model, lesson: None,
        n_starts: int = 1,
    ) -> Self:
        """Train from the start, or go on if ``warm_start`` says so."""
        going_on = self.warm_start and self.__sklearn_is_fitted__()
        with learning(self):
            lesson = self._prepare(X, y, sample_weight, held_out, going_on=going_on)
            n_starts = 1 if going_on else n_starts
            self._train(lesson, self._trainer(lesson, self.alpha), lambda model: conclude(model, lesson), n_starts=n_starts)
        return self

    def _one_pass(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        classes: Any = None,
        *,
        stream: Stream | None = None,
        conclude: Callable[[Self, Lesson], None] = lambda model, lesson: None,
    ) -> Self:
        """``partial_fit``: go on, or begin, with one pass at the constant learning rate."""
        with learning(self):
            lesson = self._prepare(X, y, sample_weight, going_on=self.__sklearn_is_fitted__(), classes=classes)
            trainer = replace(self._trainer(lesson, self.alpha), schedule="constant", max_epochs=1)
            self._train(lesson, trainer, lambda model: conclude(model, lesson), optimizer=vars(self).get("_optimizer"), stream=stream)
            self._stream = stream
        return self

    def _prepare(
        self, X: Any, y: Any, sample_weight: Any, held_out: tuple[Any, Any] = (None, None), *, going_on: bool, classes: Any = None
    ) -> Lesson:
        """Check everything, learn what reading and encoding need, and make what training needs."""
        if going_on:
            refuse_other_network(self)
        else:
            for name in ("network_", "encoding_"):
                vars(self).pop(name, None)  # neither precision nor categories are those of what is to come
        check_pair(*held_out, self.early_stopping)
        reader, target = self._reader(), self._target().load(self)
        require_target(self, y)
        given, y_read = reader.pair(self, X, y, target, reset=not going_on)
        if reader.encoding is not None and is_of_use(self, reader.encoding):
            self.encoding_ = reader.encoding
        sequences = given.sequences
        weight = target.weigh(y_read, None if sample_weight is None else reader.weights(sample_weight, given))
        seed = seed_of(self.random_state)
        if not going_on:
            target.learn(y_read, weight, classes)
        else:
            target.learn_more(y_read)
        target.store(self)
        encoded = target.encode(y_read)
        pretrained = None if going_on else pretrained_of(self, X, sequences.n_features)
        if pretrained is not None:
            self.mean_, self.scale_ = pretrained.mean_, pretrained.scale_
        elif not going_on:
            self.mean_, self.scale_ = reader.scales(sequences, weight)
        part = Part(sequences, reader.by_sequence(encoded, sequences), reader.by_sequence(weight, sequences))
        train, rest = part, None
        if held_out[0] is not None:
            rest = self._read_held_out(reader, target, *held_out)
        elif self.early_stopping is True:
            train, rest = reader.hold_out(part, self.validation_fraction, target.strata(encoded), seed)
        place = getattr(torch, self.dtype), device_of(self)
        data = target.data(train, reader.source(train.sequences, self.mean_, self.scale_, *place))
        held = None if rest is None else target.data(rest, reader.source(rest.sequences, self.mean_, self.scale_, *place), taught=False)
        return Lesson(data, held, target.objective, torch.Generator().manual_seed(seed), (X, y), going_on, pretrained)

    def _read_held_out(self, reader: Reader, target: Target, X_val: Any, y_val: Any) -> Part:
        (sequences, _), y = reader.pair(self, X_val, y_val, target, reset=False, names=("X_val", "y_val"))
        with speaking_of("y_val"):
            weight = target.weigh(y, None)
            return Part(sequences, reader.by_sequence(target.encode(y), sequences), reader.by_sequence(weight, sequences))

    # -- training ----------------------------------------------------------------------------------------------------------------------------------

    def _trainer(self, lesson: Lesson, alpha: float) -> Trainer:
        return Trainer(
            objective=lesson.objective,
            rule=resolve_rule(self.rule),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            alpha=alpha,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            patience=None if lesson.held is None else self.n_iter_no_change,
            tol=self.tol,
            penalties=as_penalties(self.penalties),
            frozen=(self.frozen,) if isinstance(self.frozen, str) else tuple(self.frozen),
        )

    def _train(
        self, lesson: Lesson, trainer: Trainer, conclude: Callable[[Self], None] = lambda model: None, *, n_starts: int = 1, **going_on: Any
    ) -> None:
        """Build the network unless there is one to go on with, train it, and let ``conclude`` learn what follows from its weights.

        Of several starts that with the least loss is kept, held out if anything is. ``conclude`` is called for the copies that callbacks get as
        well: they are as if training had stopped there.
        """
        note_parameters(self)
        context, (X, y) = self._init_callback_context(max_subtasks=n_starts * trainer.max_epochs), lesson.given
        context.call_on_fit_task_begin(estimator=self, X=X, y=y)
        seconds_before, start = self.fit_time_ if lesson.going_on else 0.0, time.perf_counter()

        def now() -> dict[str, Any]:
            return self._as_if_done(conclude)

        def seen() -> bool:
            self.fit_time_ = seconds_before + time.perf_counter() - start
            task = context.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(estimator=self, X=X, y=y)
            return task.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=now)

        best, kept = -np.inf, dict[str, Any]()
        for again in range(n_starts):
            if again:  # its weights do not hang on how many sequences the start before has shuffled
                lesson.generator = torch.Generator().manual_seed(lesson.generator.initial_seed() + 1)
            try:
                over = self._run(lesson, trainer, seen, **going_on)
            except DivergenceError:  # warned of; another start may do better
                if not kept and again == n_starts - 1:
                    raise
                continue
            score = trainer.score(self.network_, lesson.held or lesson.data) if n_starts > 1 else np.inf
            if score > best or not kept:
                best, kept = score, {name: vars(self)[name] for name in TRAINED if name in vars(self)}
            if over:
                break
        vars(self).update(kept)
        self.fit_time_ = seconds_before + time.perf_counter() - start
        conclude(self)
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=now)

    def _run(self, lesson: Lesson, trainer: Trainer, seen: Callable[[], bool], **going_on: Any) -> bool:
        """Train from one start, or go on; ``seen`` is called after each epoch, and says whether it is the last. Whether that or the user ended it."""
        if not lesson.going_on:
            self._build(lesson)
        self.n_iter_ = self.n_iter_ if lesson.going_on else 0
        self.loss_curve_ = [*self.loss_curve_] if lesson.going_on else []
        self.validation_scores_ = [*self.validation_scores_] if lesson.going_on else []
        progress = Progress(trainer.max_epochs) if self.verbose else None
        epochs_before = self.n_iter_

        def on_epoch(history: History) -> bool:
            self.n_iter_ = self.best_epoch_ = epochs_before + len(history.losses)
            self.loss_curve_.append(history.losses[-1])
            self.validation_scores_.extend(history.scores[-1:])
            if progress is not None:
                progress.show(history)
            return seen()

        try:
            with announcing(None if progress is None else progress.compiling):
                history = trainer.run(self.network_, lesson.data, lesson.generator, held_out=lesson.held, on_epoch=on_epoch, **going_on)
        finally:
            if progress is not None:
                progress.end()
        self._optimizer, self.best_epoch_ = history.optimizer, epochs_before + history.kept
        return history.stopped

    def _build(self, lesson: Lesson) -> None:
        target, weight = lesson.data.target.cpu(), lesson.data.weight
        bias = lesson.objective.best_constant(target, torch.ones(len(target), dtype=getattr(torch, self.dtype)) if weight is None else weight.cpu())
        self.network_ = self._assemble(bias, lesson.generator).to(device_of(self), getattr(torch, self.dtype))
        if lesson.pretrained is not None:
            start_from(self.network_, lesson.pretrained)
        self._network_settings = network_settings(self)

    def _as_if_done(self, conclude: Callable[[Self], None]) -> dict[str, Any]:
        """What a copy of this estimator is to have, as if training had stopped here."""
        done = copy.copy(self)
        done.__dict__.update(copy.deepcopy({name: vars(self)[name] for name in fitted_names(self) if name != "_optimizer"}))
        conclude(done)
        return {name: vars(done)[name] for name in fitted_names(done)}

    def _predictor(self) -> Predictor[Any]:
        """This estimator at work."""
        check_is_fitted(self)
        model = as_fitted(self)
        return Predictor(model, model._reader(), model._target().load(model))

    @property
    def n_parameters_(self) -> int:
        """Weights of the network."""
        check_is_fitted(self)
        return sum(parameter.numel() for parameter in self.network_.parameters())

    def summary(self) -> str:
        """What was fitted, in some lines: the parts of the network with their weights, and how it was trained.

        Returns
        -------
        str
        """
        check_is_fitted(self)
        return summary_of(self)

    # -- scikit-learn ------------------------------------------------------------------------------------------------------------------------------

    def set_params(self, **params: Any) -> Self:
        """Set parameters, ``cell__…`` and ``frontend__…`` too where cell or frontend is a name.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self
        """
        return super().set_params(**_with_named_frontend(self, with_named_cell(self, params, self._resolve_cell)))

    def __getstate__(self) -> dict[str, Any]:
        return pickled(self, super().__getstate__())

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in vars(self)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.required = True
        return tags


def predictor_of(model: Trained) -> Predictor[Any]:
    """A fitted estimator at work."""
    return model._predictor()


def network_settings(model: Any) -> dict[str, Any]:
    """What the network of an estimator is built from."""
    settings = {name: vars(model)[name] for name in ("cell", *model._built_from) if name in vars(model)}
    settings |= {name: model._resolve_cell(value) for name, value in settings.items() if name.endswith("cell") and value is not None}
    return {name: repr(value) if isinstance(value, Parametrised) else value for name, value in settings.items()}


def refuse_other_network(model: Any) -> None:
    """Training can only go on with the network that was built."""
    for (name, now), then in zip(network_settings(model).items(), model._network_settings.values(), strict=True):
        if now != then:
            raise ValueError(
                f"Training goes on with a network of {name}={then}, but the estimator now has {name}={now}; use warm_start=False and fit."
            )


def encoding_of(model: Any) -> Encoding | None:
    """What makes numbers of X for the frontend of an estimator: what has learned in ``fit``, or what will."""
    if "network_" in vars(model):
        return vars(model).get("encoding_")
    frontend = _frontend_of(model)
    return None if frontend is None else frontend.encoding()


def is_of_use(model: Any, encoding: Encoding) -> bool:
    """Whether there will be a frontend for what was learned; where it is for the types in X to decide, they may know of none."""
    return not (model.frontend == AUTO and encoding.finds_nothing)


def _with_named_frontend(model: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Parameters to be set, where those of the frontend "auto" are set in one that does the same."""
    asked = any(name.startswith("frontend__") for name in params)
    if not asked or params.get("frontend", model.get_params(deep=False).get("frontend")) != AUTO:
        return params
    return params | {"frontend": Embedding(channels="from_dtype")}


def _frontend_of(model: Any) -> Frontend | None:
    return Embedding(channels="from_dtype") if model.frontend == AUTO else resolve_frontend(model.frontend)


def seen_lengths(model: Any, lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many steps the recurrent layers see of sequences of so many."""
    frontend = model.network_.frontend if "network_" in vars(model) else _frontend_of(model)
    return lengths if frontend is None else frontend.out_lengths(lengths)


def static_columns_of(model: Any) -> StaticColumns:
    """The columns of what is known of sequences as a whole: those that were learned in ``fit``, or that will be."""
    return model._static_columns if "network_" in vars(model) else StaticColumns()


def seeing_layers(model: Any, generator: torch.Generator, n_static: int = 0) -> tuple[Recurrent, Frontend | None]:
    """The layers that an estimator's parameters describe, and what stands before them; the last channels go past that."""
    frontend, width = seeing_frontend(model, generator, n_static)
    return recurrent_layers(model, width + n_static, generator), frontend


def seeing_frontend(model: Any, generator: torch.Generator, n_static: int = 0) -> tuple[Frontend | None, int]:
    """What an estimator's parameters say to stand before the layers, and how many channels come out of it; the last channels go past it."""
    frontend, width = _frontend_of(model), len(model.mean_) - n_static
    if model.frontend == AUTO and "encoding_" not in vars(model):
        frontend = None
    if frontend is not None:
        width = frontend.build(width, generator, model.encoding_).output_size
    return frontend, width


def recurrent_layers(model: Any, input_size: int, generator: torch.Generator) -> Recurrent:
    """The layers that an estimator's parameters describe."""
    return Recurrent(
        resolve(model.cell),
        input_size,
        model.hidden_size,
        n_layers=model.n_layers,
        bidirectional=model.bidirectional,
        dropout=model.dropout,
        generator=generator,
    )
