"""What a network is trained for beside its loss: penalties of what its recurrent layers put out, and noise in their weights."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import StrOptions
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .._constraints import NOT_NEGATIVE
from ..cells import State, put_first
from ..engine import Rule, Runnable, Stream
from ..frontends import Frontend
from ..networks import Network, Recurrent
from ..networks._readout import add_first, row_sums


class Penalty(BaseEstimator, ABC):
    """Turns a learning rule into one whose gradient is also that of something else; parametrised like an estimator."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]]

    @abstractmethod
    def check(self, rule: Rule) -> None:
        """Refuse a rule that this cannot work with."""

    @abstractmethod
    def fits(self, network: Runnable) -> bool:
        """Whether this can work with a network."""

    @abstractmethod
    def around(self, rule: Rule) -> Rule:
        """``rule`` with this penalty; it gives the loss without it."""


def _check_follows_gradient(penalty: Penalty, rule: Rule) -> None:
    if not rule.follows_gradient:
        raise ValueError(f"{type(penalty).__name__} needs a rule that follows the gradient, such as 'bptt' or 'rtrl'; got {rule!r}")


# -- the outputs of the recurrent layers ---------------------------------------------------------------------------------------------------------


class OutputPenalty(Penalty, ABC):
    """A mean over the outputs of the top recurrent layer, which is collected piece after piece like a pooling."""

    _parameter_constraints = {"alpha": [NOT_NEGATIVE]}
    alpha: float

    @abstractmethod
    def start(self, batch_size: int, *, like: Tensor) -> State:
        """What has been collected before the first piece, sequences on axis 0."""

    @abstractmethod
    def update(self, collected: State, piece: PackedSequence, *, reverse: bool) -> State:
        """Add the steps of a piece, which holds the first sequences of the batch."""

    @abstractmethod
    def mean(self, collected: State, packed: PackedSequence) -> Tensor:
        """The mean over a batch, after all pieces."""

    def check(self, rule: Rule) -> None:
        _check_follows_gradient(self, rule)

    def fits(self, network: Runnable) -> bool:
        return isinstance(network, Network)

    def around(self, rule: Rule) -> Rule:
        return rule if self.alpha == 0 else _Measuring(rule, self)


class _Measured(Network):
    """A network whose outputs come together with a penalty of the outputs of its top layer."""

    network: Any

    def __init__(self, network: Any, penalty: OutputPenalty) -> None:
        super().__init__()
        self.network, self.penalty = network, penalty
        self.train(network.training).draw_from(network.generator)

    @property
    def recurrent(self) -> Recurrent:  # type: ignore[override] # no second name of the same weights, which torch.func would mix up
        return self.network.recurrent

    @property
    def frontend(self) -> Frontend | None:  # type: ignore[override]
        return self.network.frontend

    def read(self, outputs: list[PackedSequence], packed: PackedSequence) -> tuple[Any, Tensor]:
        return self.network.read(outputs, packed), self._mean(self._update(outputs, self._start(packed)), packed)

    def empty(self, packed: PackedSequence) -> State:
        return self.network.empty(packed), self._start(packed)

    def collect(self, outputs: list[PackedSequence], collected: State) -> tuple[State, State]:
        read, rows = self.network.collect(outputs, collected[0])
        return (read, self._update(outputs, collected[1])), rows

    def finish(self, collected: State, rows: tuple[State, ...], packed: PackedSequence) -> tuple[Any, Tensor]:
        return self.network.finish(collected[0], rows, packed), self._mean(collected[1], packed)

    def _start(self, packed: PackedSequence) -> State:
        like = packed.data.new_empty(0, self.recurrent.output_size // self.recurrent.n_directions)
        return tuple(self.penalty.start(int(packed.batch_sizes[0]), like=like) for _ in range(self.recurrent.n_directions))

    def _update(self, outputs: list[PackedSequence], collected: State) -> State:
        return tuple(self.penalty.update(c, o, reverse=d == 1) for d, (c, o) in enumerate(zip(collected, outputs, strict=True)))

    def _mean(self, collected: State, packed: PackedSequence) -> Tensor:
        return torch.stack([self.penalty.mean(c, packed) for c in collected]).mean()


class _Measuring(Rule):
    """A rule for a loss with an output penalty; one measured network serves all batches, since rules remember what they learn about a network."""

    def __init__(self, rule: Rule, penalty: OutputPenalty) -> None:
        self._rule, self._penalty = rule, penalty
        self._measured: _Measured | None = None

    def gradient(self, network: Any, packed: PackedSequence, loss: Any, stream: Stream | None = None) -> Tensor:
        """Add the gradient of the loss with the penalty; the loss alone, detached."""
        if self._measured is None or self._measured.network is not network:
            self._measured = _Measured(network, self._penalty)
        seen = []

        def with_penalty(measured: tuple[Any, Tensor]) -> Tensor:
            outputs, penalty = measured
            value = loss(outputs)
            seen.append(value.detach())
            return value + self._penalty.alpha * penalty

        self._rule.gradient(self._measured, packed, with_penalty, stream)
        return seen[0]


class ActivationPenalty(OutputPenalty):
    """Activation regularisation: keeps the outputs of the recurrent layers small (AR; Merity, McCann & Socher, 2017).

    Choose it, beside dropout, where a network fits its training set too well, or saturates. Works with every cell and every rule that follows a
    gradient, and costs little beside the recurrence.

    Parameters
    ----------
    alpha : float, default=2.0
        Weight of the penalty in the loss; larger keeps outputs closer to zero. 0 is none. 2 is the authors' for words of the Penn Treebank.

    Notes
    -----
    ::

        loss + alpha · mean over sequences, steps t and units of h(t)²

    h(t) is the output of the top layer, in both directions; the mean is over the steps of a batch, long sequences have more of them. O(H) a step.
    Differs from the paper: no dropout lies between h(t) and the penalty.

    References
    ----------
    S. Merity, B. McCann, R. Socher, "Revisiting activation regularization for language RNNs", arXiv:1708.01009, 2017.
    S. Merity, N. S. Keskar, R. Socher, "Regularizing and optimizing LSTM language models", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.training import ActivationPenalty
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 1))
    >>> fits = [
    ...     RNNRegressor(
    ...         max_epochs=9, penalties=ActivationPenalty(a), random_state=0
    ...     ).fit(X, X.max(1)[:, 0])
    ...     for a in (0, 100)
    ... ]
    >>> bool(
    ...     np.abs(fits[1].transform(X)).mean()
    ...     < 0.5 * np.abs(fits[0].transform(X)).mean()
    ... )
    True
    """

    def __init__(self, alpha: float = 2.0) -> None:
        self.alpha = alpha

    def start(self, batch_size: int, *, like: Tensor) -> State:
        """No sum yet."""
        return like.new_zeros(batch_size, 1)

    def update(self, collected: State, piece: PackedSequence, *, reverse: bool) -> State:
        """Add the squares of a piece."""
        return add_first(row_sums(piece, piece.data.square().mean(1, keepdim=True)), collected)

    def mean(self, collected: State, packed: PackedSequence) -> Tensor:
        """The mean over all steps."""
        return collected.sum() / len(packed.data)


class TemporalActivationPenalty(OutputPenalty):
    """Temporal activation regularisation: keeps the outputs of the recurrent layers slow (TAR; Merity, McCann & Socher, 2017).

    Choose it where what the network should know changes slowly, or together with :class:`ActivationPenalty`. ``of="norm"`` is the norm stabiliser
    of Krueger & Memisevic (2016), which leaves units free to change as long as the length of their vector does not: for recurrences that run
    longer than they were trained. Works with every cell and every rule that follows a gradient.

    Parameters
    ----------
    alpha : float, default=1.0
        Weight of the penalty in the loss; larger makes outputs slower. 0 is none. 1 is the authors' for words of the Penn Treebank.
    of : {"units", "norm"}, default="units"
        What must not change from step to step: every unit, or the Euclidean norm of all units of a direction.

    Notes
    -----
    ::

        loss + alpha · mean over sequences, steps t > 1 and units of (h(t) − h(t-1))²           "units", or
        loss + alpha · mean over sequences and steps t > 1 of (‖h(t)‖ − ‖h(t-1)‖)²              "norm"

    h(t) is the output of the top layer, in both directions; never across two sequences, nor from one call of ``partial_fit`` to the next in a
    stream. O(H) a step.

    References
    ----------
    S. Merity, B. McCann, R. Socher, "Revisiting activation regularization for language RNNs", arXiv:1708.01009, 2017.
    D. Krueger, R. Memisevic, "Regularizing RNNs by stabilizing activations", ICLR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNSequenceRegressor
    >>> from skrnn.training import TemporalActivationPenalty
    >>> X = np.random.default_rng(0).normal(size=(40, 9, 1))
    >>> fits = [
    ...     RNNSequenceRegressor(
    ...         penalties=TemporalActivationPenalty(a),
    ...         max_epochs=9,
    ...         random_state=0,
    ...     ).fit(X, X[..., 0])
    ...     for a in (0, 9)
    ... ]
    >>> bool(
    ...     np.diff(fits[1].predict(X)).std()
    ...     < 0.8 * np.diff(fits[0].predict(X)).std()
    ... )
    True
    """

    _parameter_constraints = OutputPenalty._parameter_constraints | {"of": [StrOptions({"units", "norm"})]}

    def __init__(self, alpha: float = 1.0, of: str = "units") -> None:
        self.alpha = alpha
        self.of = of

    def start(self, batch_size: int, *, like: Tensor) -> State:
        """No sum, no last output, and nothing to compare with it."""
        size = 1 if self.of == "norm" else like.shape[-1]
        return like.new_zeros(batch_size, 1), like.new_zeros(batch_size, size), like.new_zeros(batch_size, 1)

    def update(self, collected: State, piece: PackedSequence, *, reverse: bool) -> State:
        """Add the squared changes within a piece, and those from the piece before, which lies after it in time if ``reverse``."""
        total, last, begun = collected
        sizes = piece.batch_sizes
        rows = piece.data if self.of == "units" else torch.linalg.vector_norm(piece.data, dim=1, keepdim=True)
        first_step, last_step = rows[: int(sizes[0])], rows[-int(sizes[-1]) :]
        entry, end = (last_step, first_step) if reverse else (first_step, last_step)
        jump = begun[: len(entry)] * (entry - last[: len(entry)]).square().mean(1, keepdim=True)
        total = add_first(jump, total)
        if len(sizes) > 1:
            later = PackedSequence(rows[int(sizes[0]) :], sizes[1:])
            change = later.data - _one_step_before(rows, sizes)
            total = add_first(row_sums(later, change.square().mean(1, keepdim=True)), total)
        return total, put_first(end, last), put_first(torch.ones_like(begun[: len(end)]), begun)

    def mean(self, collected: State, packed: PackedSequence) -> Tensor:
        """The mean over all steps but the first of each sequence."""
        return collected[0].sum() / max(len(packed.data) - int(packed.batch_sizes[0]), 1)


def _one_step_before(rows: Tensor, sizes: Tensor) -> Tensor:
    """For each row from the second step on, the row of the same sequence one step before."""
    if sizes[0] == sizes[-1]:
        return rows[: -int(sizes[0])]
    before = torch.arange(int(sizes[0]), len(rows)) - sizes[:-1].repeat_interleave(sizes[1:])
    return rows.index_select(0, before.to(rows.device))


# -- the weights of the recurrent layers ---------------------------------------------------------------------------------------------------------


class WeightNoise(Penalty):
    """Noise in the weights of the recurrent layers while training (Jim, Giles & Horne, 1996; Graves, 2011).

    Finds weights whose neighbours work too: choose it on small data, for networks that fit it too well. Works with every cell and every rule that
    follows a gradient, and costs no more than drawing the noise.

    Parameters
    ----------
    scale : float, default=0.075
        Standard deviation of the noise, in the unit of the weights; larger regularises more. 0 is none. 0.075 is that of Graves et al. (2013).

    Notes
    -----
    ::

        θ~ = θ + scale · ε              ε: standard normal, drawn anew for every batch and weight
        θ moves along dL/dθ~, the gradient at the noisy weights

    θ are all weights of the recurrent layers, biases and gains too; frontend and head have none. ``predict``, held-out scores and what is kept see θ
    alone. Penalties that come before it in ``penalties`` see the noise.

    References
    ----------
    K.-C. Jim, C. L. Giles, B. G. Horne, "An analysis of noise in recurrent neural networks: convergence and generalization",
    IEEE Transactions on Neural Networks 7(6), 1996.
    A. Graves, "Practical variational inference for neural networks", NIPS 2011.
    A. Graves, A.-r. Mohamed, G. Hinton, "Speech recognition with deep recurrent neural networks", ICASSP 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skrnn import RNNRegressor
    >>> from skrnn.training import WeightNoise
    >>> X = np.random.default_rng(0).normal(size=(40, 6, 1))
    >>> model = RNNRegressor(
    ...     max_epochs=5, penalties=WeightNoise(0.05), random_state=0
    ... ).fit(X, X.max(1)[:, 0])
    >>> bool((model.predict(X) == model.predict(X)).all())
    True
    """

    _parameter_constraints = {"scale": [NOT_NEGATIVE]}

    def __init__(self, scale: float = 0.075) -> None:
        self.scale = scale

    def check(self, rule: Rule) -> None:
        """Refuse a rule that follows no gradient."""
        _check_follows_gradient(self, rule)

    def fits(self, network: Runnable) -> bool:
        """Whatever has recurrent layers."""
        return True

    def around(self, rule: Rule) -> Rule:
        """The gradient of ``rule`` at noisy weights."""
        return rule if self.scale == 0 else _Noisy(rule, self.scale)


@dataclass(frozen=True)
class _Noisy(Rule):
    rule: Rule
    scale: float

    def gradient(self, network: Any, packed: PackedSequence, loss: Any, stream: Stream | None = None) -> Tensor:
        """Add the gradient at noisy weights; the loss there, detached. The weights stay."""
        weights = list(network.recurrent.parameters())
        clean = [weight.detach().clone() for weight in weights]
        try:
            with torch.no_grad():
                for weight in weights:
                    noise = torch.empty(weight.shape, dtype=torch.float32).normal_(0, self.scale, generator=network.generator)
                    weight.add_(noise.to(weight))
            return self.rule.gradient(network, packed, loss, stream)
        finally:
            with torch.no_grad():
                for weight, kept in zip(weights, clean, strict=True):
                    weight.copy_(kept)
