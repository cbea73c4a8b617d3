"""Recurrent networks whose output is fed back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn

from ._base import Cell, choice
from ._elman import _ACTIVATIONS
from ._rows import linear, product
from ._starts import input_weights, recurrent_weights
from ._state import State

_OUTPUTS = _ACTIVATIONS | {"identity": torch.Tensor.clone}


class JordanState(NamedTuple):
    """Output, and the fading sum of the outputs before it."""

    y: Tensor
    s: Tensor


class Jordan(Cell):
    """Network whose outputs are fed back through units that decay (Jordan, 1986).

    For sequences that a plan, an input that stays the same, unrolls into, and for systems whose outputs are observed: what the next step sees is
    the output, so that a known one can be put in its place (teacher forcing). It remembers only what its outputs show; :class:`Elman` remembers
    what its hidden units need.

    Parameters
    ----------
    decay : float, default=0.5
        The share μ of the fed-back sum that is kept from step to step, in [0, 1): it fades within about 1 / (1 − μ) time steps. 0 feeds back the
        last output only.
    activation : {"tanh", "relu", "sigmoid"}, default="tanh"
        The function f of the hidden units.
    output_activation : {"tanh", "relu", "sigmoid", "identity"}, default="tanh"
        The function g of the outputs. "sigmoid" suits outputs that are forced to be symbols; "identity" feeds back without bounds, as linear
        models of past outputs do.
    n_hidden : int or None, default=None
        Hidden units between input and output; ``None`` is as many as outputs. More compute richer functions, and remember no more.

    Notes
    -----
    ::

        s(t) = μ s(t-1) + y(t-1)
        h(t) = f(W x(t) + R s(t) + b)
        y(t) = g(V h(t) + d)

    The cell's hidden_size is the number H of outputs y and of sums s; h are N = n_hidden units. W is (N, F), R is (N, H), b is (N,), V is (H, N),
    d is (H,): N (F + H + 1) + H (N + 1) weights, O(N (F + H)) a step. The state is (y, s), both 0 before the first step; to force a teacher,
    put the true output in the place of y. Differs from the paper: f and g are tanh, which learns faster than logistic units ("sigmoid" for both),
    and the gradient flows back through y and s to earlier steps.

    References
    ----------
    M. I. Jordan, "Serial order: a parallel distributed processing approach", ICS Report 8604, University of California, San Diego, 1986.
    M. I. Jordan, "Attractor dynamics and parallelism in a connectionist sequential machine", Proceedings of the Cognitive Science Society, 1986.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import Jordan
    >>> cell = Jordan(n_hidden=20).build(
    ...     8, 5, torch.Generator().manual_seed(0)
    ... )
    >>> sum(w.numel() for w in cell.parameters())
    385
    """

    undecayed = ("d",)  # the bias of the outputs

    def __init__(self, decay: float = 0.5, activation: str = "tanh", output_activation: str = "tanh", n_hidden: int | None = None) -> None:
        super().__init__()
        self.decay = decay
        self.activation = activation
        self.output_activation = output_activation
        self.n_hidden = n_hidden

    def _build(self, generator: Generator | None) -> None:
        choice(self, "activation", tuple(_ACTIVATIONS))
        choice(self, "output_activation", tuple(_OUTPUTS))
        if not 0 <= self.decay < 1:
            raise ValueError(f"The 'decay' parameter of Jordan must be in [0, 1); got {self.decay!r}")
        N, H = self.hidden_size if self.n_hidden is None else self.n_hidden, self.hidden_size
        if not isinstance(N, int | np.integer) or N < 1:
            raise ValueError(f"The 'n_hidden' parameter of Jordan must be None or a whole number from 1 up; got {N!r}")
        self.W = input_weights(N, self.input_size, generator)
        self.R = recurrent_weights([N], H, "orthogonal", generator)
        self.b = nn.Parameter(torch.zeros(N))
        self.V = input_weights(H, N, generator)
        self.d = nn.Parameter(torch.zeros(H))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return JordanState(zero, zero)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y, s = state
        s = self.decay * s + y
        h = _ACTIVATIONS[self.activation](u + product(s, self.R))
        y = _OUTPUTS[self.output_activation](product(h, self.V, self.d))
        return y, JordanState(y, s)
