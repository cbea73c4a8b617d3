"""A penalty of gradients that fade or grow on their way back through time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from .._constraints import NOT_NEGATIVE
from ..cells import Cell, State, flat, map_state
from ..engine import BPTT, Rule, Runnable, Stream
from ..networks import Network
from ..networks._watched import Step, watching
from ._penalties import Penalty

_LEAST = 1e-10  # gradients no longer than this have no direction that rounding has left alone


class Pascanu(Penalty):
    """Ω, which keeps the gradient's norm from step to step on its way back through time (Pascanu, Mikolov & Bengio, 2013).

    Choose it where gradients fade before they reach what matters: a task that needs a long memory, on a network that is trained from
    weights which forget. Bounds of the gradient (``clip_norm``) are the cure of the opposite, and go with it. Works with every cell that has
    recurrent weights, in each layer and direction, with ``rule="bptt"``.

    Parameters
    ----------
    alpha : float, default=2.0
        Weight of Ω beside the loss; larger holds gradients more firmly. 0 is none. The default is that of the authors' program.

    Notes
    -----
    ::

        v(t) = dL/ds(t)
        Ω = mean over sequences and steps t > 1 of (‖v(t) ∂s(t)/∂s(t-1)‖ / ‖v(t)‖ − 1)²

    s is the whole state, in the LSTM h and c side by side; v(t) counts what reaches it through the next step and, where the hidden state is the
    output, through that. Layers and directions have an Ω each, which add up. Steps with ‖v(t)‖ ≤ 1e-10 are left out, and s(0), which
    is given, needs no gradient. Only the weights within
    ∂s(t)/∂s(t-1) are learnt from Ω, also through the slopes of the units: v(t), s(t-1) and u(t), what the input alone gives to a step, are
    held constant, so weights of the input are not reached, and a cell that has no others (``MinGRU``, ``QRNN``) is refused. Dropout and other
    noise are off while Ω is taken: it is that of the network that predicts. Costs a second pass over each batch, step by step without
    a compiled kernel, and one step of all steps at once.

    Differs from the paper: a mean, as in the authors' program, where the paper has a sum; the norms are not squared, as in the paper, where the
    program squares them.

    References
    ----------
    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skrnn import RNNClassifier
    >>> from skrnn.training import Pascanu
    >>> search = GridSearchCV(
    ...     RNNClassifier("elman", penalties=Pascanu()),
    ...     {"penalties__alpha": [0, 0.5, 2]},
    ... )
    >>> search.estimator.get_params()["penalties__alpha"]
    2.0
    """

    _parameter_constraints = {"alpha": [NOT_NEGATIVE]}

    def __init__(self, alpha: float = 2.0) -> None:
        self.alpha = alpha

    def check(self, rule: Rule) -> None:
        """Refuse a rule that does not follow the gradient all the way."""
        if rule != BPTT():
            raise ValueError(f"Pascanu needs rule='bptt', whose gradient reaches every step on every path; got {rule!r}")

    def fits(self, network: Runnable) -> bool:
        """A stack of layers, in which every cell can be watched."""
        return isinstance(network, Network)

    def around(self, rule: Rule) -> Rule:
        """``rule`` and the gradient of Ω."""
        return rule if self.alpha == 0 else _WithOmega(rule, self.alpha)


@dataclass(frozen=True)
class _WithOmega(Rule):
    rule: Rule
    alpha: float

    def gradient(self, network: Any, packed: PackedSequence, loss: Callable[[Any], Tensor], stream: Stream | None = None) -> Tensor:
        """Add the gradients of the loss and of alpha · Ω; the loss, detached."""
        if stream is not None:
            raise ValueError("Pascanu needs whole sequences: leave it out where a stream goes on from call to call (continue_stream=True)")
        value = self.rule.gradient(network, packed, loss)
        training = network.training
        network.eval()
        try:
            of_batch = self.alpha * omega(network, packed, loss)
        finally:
            network.train(training)
        if of_batch.requires_grad:
            of_batch.backward()
        return value


def omega(network: Any, packed: PackedSequence, loss: Callable[[Any], Tensor]) -> Tensor:
    """Ω of all layers and directions of a network, differentiable in the weights of its cells."""
    with watching(network.recurrent) as watched:
        value = loss(network(packed))
        states = [[flat(step.after) for step in cell.steps] for cell in watched]
        found = iter(_gradients(value, [leaf for of_cell in states for leaves in of_cell for leaf in leaves]))
        v = [[[next(found) for _ in leaves] for leaves in of_cell] for of_cell in states]
        return torch.stack([_omega(cell.cell_, cell.steps, of_cell) for cell, of_cell in zip(watched, v, strict=True)]).sum()


def _gradients(value: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """Zero for leaves that no weight reaches."""
    reached = [leaf for leaf in leaves if leaf.requires_grad]
    found = iter(torch.autograd.grad(value, reached, allow_unused=True, materialize_grads=True) if reached else ())
    return [next(found) if leaf.requires_grad else torch.zeros_like(leaf) for leaf in leaves]


def _omega(cell: Cell, steps: list[Step], gradients: list[list[Tensor]]) -> Tensor:
    """Ω of one cell: every step of every sequence is a row of one more step; what weights never reach, as a mask, is no part of the state."""
    leaves = zip(*[flat(step.after) for step in steps], strict=True)
    parts = [k for k, of_part in enumerate(leaves) if any(leaf.requires_grad for leaf in of_part)]
    if not parts:
        raise _nothing_to_change(cell)
    goes_on = _rows_that_go_on(steps)
    v = [_rows([of_step[k] for of_step in gradients], goes_on) for k in parts]
    size = _norm(v)
    if not (sure := size > _LEAST).any():
        return size.new_zeros(())
    v = [part[sure] / size[sure].view(-1, *[1] * (part.ndim - 1)) for part in v]
    u = _rows([step.u for step in steps], goes_on)[sure]
    before: State = map_state(lambda *leaves: _rows(leaves, goes_on)[sure], *[step.before for step in steps])

    def after(*given: Tensor) -> tuple[Tensor, ...]:
        chosen = dict(zip(parts, given, strict=True))
        seen = (chosen.get(k, leaf) for k, leaf in enumerate(flat(before)))
        _, new = cell.step(u, map_state(lambda _: next(seen), before))
        return tuple(flat(new)[k] for k in parts)

    back: Any = torch.func.vjp(after, *[flat(before)[k] for k in parts])[1]  # in torch.func, unlike autograd, every product differentiates twice
    ratio = _norm(back(tuple(v)))
    if not ratio.requires_grad:
        raise _nothing_to_change(cell)
    return (ratio - 1).square().mean()


def _nothing_to_change(cell: Cell) -> ValueError:
    return ValueError(f"Pascanu has nothing to change in {cell!r}: no weight but those of its input decides how a gradient goes back in time")


def _rows_that_go_on(steps: list[Step]) -> list[int]:
    """How many sequences, the first ones, come from the step before; the others begin."""
    sizes = [len(step.u) for step in steps]
    return [min(a, b) for a, b in zip([0, *sizes[:-1]], sizes, strict=True)]


def _rows(steps: Iterable[Any], counts: list[int]) -> Tensor:
    """The first so many rows of every step, end to end, without gradient."""
    return torch.cat([rows[:n] for rows, n in zip(steps, counts, strict=True)]).detach()


def _norm(parts: Any) -> Tensor:
    """Norm of each row of several tensors side by side."""
    return torch.linalg.vector_norm(torch.cat([part.flatten(1) for part in parts], 1), dim=1)
