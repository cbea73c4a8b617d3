"""The loop over epochs and batches: knows no cell and no estimator."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from torch import Generator, Tensor, nn

from ..cells import hidden
from ..engine import Rule, Runnable, Stream, check_rule
from ._decay import decayed
from ._frozen import frozen
from ._objectives import Objective
from ._optimizers import OPTIMIZERS, Optimizer, clip_norm
from ._penalised import check_penalties, penalised
from ._penalties import Penalty
from ._schedules import Plateau, over_time
from ._sources import Examples

_RECOVERIES = 3
_EXPLODED = 1000  # times the loss of the best constant output, and training has diverged although the loss is finite


class DivergenceWarning(ConvergenceWarning):
    """The loss became infinite or NaN, or grew a thousandfold, and training went on from the best weights; or a closed loop left all bounds."""


class DivergenceError(ConvergenceWarning, ValueError):
    """The loss became infinite or NaN, or grew a thousandfold, again and again."""


class InterruptedWarning(UserWarning):
    """Training was interrupted by the user; the best weights so far are kept."""


@dataclass
class History:
    """What happened: mean training loss and held-out score of each epoch, and the optimiser with its moments; whose weights were kept.

    ``kept`` is the epoch of the weights that the network has, 0 for those that it began with. ``stopped`` is whether the user, who
    ``interrupted`` it, or a callback ended it.
    """

    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    kept: int = 0
    interrupted: bool = False
    stopped: bool = False
    optimizer: Optimizer | None = None


@dataclass
class Trainer:
    """Minimise the mean loss of batches.

    Parameters
    ----------
    objective : Objective
    rule : Rule
        How the gradient is computed.
    optimizer : {"adam", "adamw", "sgd", "rmsprop"}
    learning_rate : float
    schedule : {"constant", "one_cycle", "cosine", "plateau"}
    max_epochs : int
    batch_size : int or None
        Sequences a batch; ``None`` is all of them.
    alpha : float
        Strength of an L2 penalty of the weights, alpha / (2 n) · Σ w² beside the mean loss of n rows: see :attr:`Examples.n_rows`, and
        :func:`decayed` for which weights. "adamw" shrinks them without its moments.
    clip_norm, clip_value : float or None
        Bounds of the gradient's Euclidean norm and of its entries.
    patience : int or None
        Epochs without a better held-out score after which training stops; ``None``: never.
    tol : float
        What counts as better.
    penalties : tuple of Penalty
        What the gradient is of beside the loss, the first nearest to the rule. Losses and scores are without them.
    frozen : tuple of str
        Parts of the network whose weights stay as they are.
    """

    objective: Objective
    rule: Rule
    optimizer: str
    learning_rate: float
    schedule: str
    max_epochs: int
    batch_size: int | None
    alpha: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    patience: int | None = None
    tol: float = 0.0
    penalties: tuple[Penalty, ...] = ()
    frozen: tuple[str, ...] = ()

    def run(
        self,
        network: Runnable,
        data: Examples,
        generator: Generator,
        *,
        held_out: Examples | None = None,
        on_epoch: Callable[[History], bool] = lambda history: False,
        optimizer: Optimizer | None = None,
        stream: Stream | None = None,
    ) -> History:
        """Train ``network`` in place and leave it in ``eval`` mode, with the best weights if there is a held-out set or the user interrupts.

        With a stream all sequences are one batch, which goes on from it in their order.

        Raises
        ------
        ValueError
            If the rule, a penalty or the stream does not fit the network or the data.
        DivergenceError
            If the loss is infinite or NaN for the fourth time; the best weights are restored before.
        """
        check_rule(self.rule, network)
        check_penalties(self.penalties, network)
        if stream is not None:
            _check_stream(stream, data.source.lengths)
        run = _TrainingRun(self, network, data, generator, held_out, optimizer)
        run.stream = stream
        restored = held_out is not None or not self.rule.follows_gradient
        try:
            with torch.inference_mode(False), torch.enable_grad(), frozen(network, self.frozen):
                while len(run.history.losses) < self.max_epochs and not run.enough:
                    if run.epoch() and on_epoch(run.history):
                        run.history.stopped = True
                        break
        except KeyboardInterrupt:
            run.best.restore()
            run.history.interrupted = run.history.stopped = restored = True
            epochs = len(run.history.losses)
            warnings.warn(f"Training interrupted by user after {epochs} epochs; the best weights so far are kept.", InterruptedWarning, stacklevel=7)
        finally:
            network.eval()
            network.zero_grad(set_to_none=True)
        if restored:
            run.best.restore()
        run.history.kept = run.best.epoch if restored else len(run.history.losses)
        run.history.optimizer = run.optimizer
        return run.history

    def score(self, network: nn.Module, data: Examples) -> float:
        """Negative mean loss on held-out data."""
        network.eval()
        if self.objective.together:
            return -float(self.objective.mean(*outputs_of_all(network, data)))
        total = torch.zeros((), dtype=torch.float64)
        weights = 0.0
        with torch.no_grad():
            for index in data.source.chunks():
                packed, target, weight = data.batch(index)
                losses = self.objective.losses(network(packed), target).double()
                counts = torch.ones_like(losses) if weight is None else weight.double()
                total += (losses * counts).sum().cpu()
                weights += float(counts.sum())
        return -float(total) / weights


def outputs_of_all(network: nn.Module, data: Examples) -> tuple[Tensor, Tensor, Tensor | None]:
    """The outputs of all examples, with targets and weights, as one batch."""
    with torch.no_grad():
        parts = [(network(packed), target, weight) for packed, target, weight in (data.batch(index) for index in data.source.chunks())]
    outputs, targets, weights = zip(*parts, strict=True)
    return torch.cat(outputs), torch.cat(targets), None if data.weight is None else torch.cat(weights)


def _check_stream(stream: Stream, lengths: NDArray[np.int64]) -> None:
    if (lengths != lengths[0]).any():
        raise ValueError(f"The sequences of a stream need equally many steps in one call; got {lengths.min()} to {lengths.max()}")
    if stream.states is not None and len(hidden(stream.states)) != len(lengths):
        raise ValueError(f"The stream has {len(hidden(stream.states))} sequences; got {len(lengths)}")


class _Best:
    """The best weights so far; the first are the initial ones, whose loss is that of the best constant output."""

    def __init__(self, network: nn.Module, badness: float) -> None:
        self._network = network
        self._state: dict[str, Tensor] = {}
        self.keep(badness, 0)

    def keep(self, badness: float, epoch: int) -> None:
        self.badness, self.epoch = badness, epoch
        self._state = {k: v.detach().clone() for k, v in self._network.state_dict().items()}

    def restore(self) -> None:
        self._network.load_state_dict(self._state)


class _TrainingRun:
    """The state of one training run."""

    stream: Stream | None = None

    def __init__(
        self, settings: Trainer, network: Any, data: Examples, generator: Generator, held_out: Examples | None, optimizer: Optimizer | None
    ) -> None:
        self.settings, self.network, self.data, self.generator, self.held_out = settings, network, data, generator, held_out
        if not settings.rule.follows_gradient and settings.batch_size is not None and settings.batch_size < len(data.source):
            raise ValueError(f"{settings.rule!r} judges weights by the whole training set: use batch_size=None; got {settings.batch_size}")
        self.rule = penalised(settings.rule, settings.penalties)
        self.history = History()
        self.plateau = Plateau()
        self._rate, self._recoveries, self._waited = settings.learning_rate, 0, 0
        self._decay = settings.alpha / data.n_rows if settings.alpha else 0.0
        self.optimizer = self._new_optimizer() if optimizer is None else optimizer.twin()
        self._factor = over_time(settings.schedule)
        network.draw_from(generator)
        constant = self._loss_of_constant()
        self._too_large = _EXPLODED * (1 + abs(constant))  # a log-likelihood may be below 0
        self.best = _Best(network, constant if held_out is None else -settings.score(network, held_out))

    def _loss_of_constant(self) -> float:
        objective, target = self.settings.objective, self.data.target
        like = self.optimizer.parameters[0]
        weight = like.new_ones(len(target)) if self.data.weight is None else self.data.weight
        constant = objective.best_constant(target, weight)
        return float(objective.of_constant(constant, target, weight))

    @property
    def enough(self) -> bool:
        """Whether the goal is reached, or there was no better score for too long."""
        losses, s = self.history.losses, self.settings
        return bool(losses and losses[-1] <= s.rule.goal) or (s.patience is not None and self._waited >= s.patience)

    def epoch(self) -> bool:
        """One pass over the data; False if it diverged and has to be repeated."""
        self.network.train()
        in_order = [np.arange(len(self.data.source))]
        batches = self.data.source.shuffled(self.settings.batch_size, self.generator) if self.stream is None else in_order
        total, rows = torch.zeros((), dtype=torch.float64, device=self.data.target.device), 0
        for k, index in enumerate(batches):
            done = (len(self.history.losses) + k / len(batches)) / self.settings.max_epochs
            loss, n = self._step(index, self._rate * self.plateau.factor * self._factor(done))
            total += loss * n
            rows += n
        mean = float(total) / rows
        if self.settings.rule.follows_gradient and not (mean < self._too_large and self._finite_weights()):
            self._recover()
            return False
        self.network.eval()
        self._judge(mean)
        return True

    def _step(self, index: Any, learning_rate: float) -> tuple[Tensor, int]:
        s = self.settings
        packed, target, weight = self.data.batch(index)
        for parameter in self.optimizer.parameters:
            parameter.grad = None
        loss = self.rule.gradient(self.network, packed, lambda outputs: s.objective.mean(outputs, target, weight), self.stream)
        if s.clip_value is not None:
            nn.utils.clip_grad_value_(self.optimizer.parameters, s.clip_value)
        if s.clip_norm is not None:
            clip_norm(self.optimizer.parameters, s.clip_norm)
        self.optimizer.step(learning_rate, self._decay)
        return loss, len(target)

    def _finite_weights(self) -> bool:
        """The loss of an epoch does not yet show what its last update did."""
        return bool(torch.stack(torch._foreach_norm([*self.optimizer.parameters])).isfinite().all())

    def _judge(self, loss: float) -> None:
        self.history.losses.append(loss)
        badness = loss
        if self.held_out is not None:
            self.history.scores.append(self.settings.score(self.network, self.held_out))
            badness = -self.history.scores[-1]
        self.plateau.see(badness) if self.settings.schedule == "plateau" else None
        self._waited = 0 if badness < self.best.badness - self.settings.tol else self._waited + 1
        if badness < self.best.badness:
            self.best.keep(badness, len(self.history.losses))

    def _recover(self) -> None:
        self.best.restore()
        epoch = len(self.history.losses) + 1
        if self._recoveries == _RECOVERIES:
            raise DivergenceError(
                f"The loss became infinite or NaN, or grew a thousandfold, in epoch {epoch}, {_RECOVERIES + 1} times, "
                f"down to learning_rate={self._rate:g}. "
                "Use a smaller learning_rate, keep standardize=True, or set clip_norm=1.0."
            )
        self._recoveries += 1
        warnings.warn(
            f"The loss became infinite or NaN, or grew a thousandfold, in epoch {epoch}: "
            f"restored the best weights so far, learning_rate {self._rate:g} -> {self._rate / 2:g}.",
            DivergenceWarning,
            stacklevel=9,
        )
        self._rate /= 2
        self.optimizer = self._new_optimizer()

    def _new_optimizer(self) -> Optimizer:
        return OPTIMIZERS[self.settings.optimizer](self.network.parameters(), decayed(self.network))
