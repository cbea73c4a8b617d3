"""What every estimator that trains a network does when its data are ready: build layers, run the trainer, tell the callbacks."""

from __future__ import annotations

import copy
from abc import ABC
from typing import Any, ClassVar

import torch
from sklearn.callback import CallbackSupportMixin

from ..cells import resolve
from ..engine import resolve_rule
from ..networks import Recurrent
from ..training import Examples, History, Objective, Trainer, as_penalties
from ._parameters import TrainedParameters, parameters
from ._progress import Progress


@parameters
class BaseTrained(CallbackSupportMixin, TrainedParameters, ABC):
    """Trains ``network_``."""

    _built_from: ClassVar[tuple[str, ...]] = ("hidden_size", "n_layers", "bidirectional", "dropout", "dtype")  # and the cell
    _also_fitted: ClassVar[tuple[str, ...]] = ("_n_channels", "_n_columns", "_columns")

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

    def _begin_curves(self, *, going_on: bool) -> None:
        """Losses and scores of the epochs to come, behind those of the epochs before if training goes on."""
        self.n_iter_: int = self.n_iter_ if going_on else 0
        self.loss_curve_: list[float] = [*self.loss_curve_] if going_on else []
        self.validation_scores_: list[float] = [*self.validation_scores_] if going_on else []

    def _recurrent(self, input_size: int, generator: torch.Generator) -> Recurrent:
        return Recurrent(
            resolve(self.cell),
            input_size,
            self.hidden_size,
            n_layers=self.n_layers,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
            generator=generator,
        )

    def _trainer(self, objective: Objective, *, early: bool) -> Trainer:
        return Trainer(
            objective=objective,
            rule=resolve_rule(self.rule),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            schedule=self.schedule,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            alpha=self.alpha,
            clip_norm=self.clip_norm,
            clip_value=self.clip_value,
            patience=self.n_iter_no_change if early else None,
            tol=self.tol,
            penalties=as_penalties(self.penalties),
        )

    def _fit_network(
        self, trainer: Trainer, data: Examples, held: Examples | None, generator: torch.Generator, X: Any, y: Any, **going_on: Any
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
            self._optimizer = trainer.run(self.network_, data, generator, held_out=held, on_epoch=on_epoch, **going_on).optimizer
        finally:
            if progress is not None:
                progress.end()
        context.call_on_fit_task_end(estimator=self, X=X, y=y, reconstruction_attributes=self._fitted_now)

    def _fitted_now(self) -> dict[str, Any]:
        """Fitted attributes for a copy of this estimator, as if training had stopped here."""
        names = [k for k in self.__dict__ if k.endswith("_") and not k.startswith("_")] + [*self._also_fitted]
        return copy.deepcopy({k: self.__dict__[k] for k in names})

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in super().__getstate__().items() if k not in ("_optimizer", "_stream")}

    def __sklearn_is_fitted__(self) -> bool:
        return "network_" in self.__dict__
