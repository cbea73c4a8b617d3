"""Independently recurrent networks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor, nn

from ._base import Cell, choice
from ._elman import _ACTIVATIONS
from ._rows import linear
from ._starts import input_weights
from ._state import State


class IndRNN(Cell):
    """Independently recurrent network (Li et al., 2018).

    Every unit sees its own past alone, through one weight: the gradient of a unit over T steps is its weight to the power T, so that a bound on the
    weight bounds it. Bridges thousands of steps with ``n_steps`` and a small learning rate (2e-4 in the paper). Stack two layers or more: the
    units of one layer do not know of each other. The published cell without its batch normalisation.

    Parameters
    ----------
    activation : {"relu", "tanh"}, default="relu"
        The function f.
    n_steps : int or None, default=None
        Length of the sequences, T, in time steps: R is then used within ± max_gain^(1/T). ``None`` leaves R free.
    max_gain : float, default=2.0
        By how much the gradient of a unit may grow over ``n_steps`` steps, at least 1.

    Notes
    -----
    ::

        u(t) = W x(t) + b
        h(t) = f(u(t) + R ⊙ h(t-1))

    R is (H,) and starts uniform within [0, max_gain^(1/T)], [0, 1] without ``n_steps``: some units forget at once, others hardly. H (F + 2) weights,
    O(H F) a step. The state is h. Differs from the paper: the bound is part of the equation, where the paper clips the weights after each update;
    a weight beyond it gets no gradient.

    References
    ----------
    S. Li et al., "Independently recurrent neural network (IndRNN): building a longer and deeper RNN", CVPR 2018, arXiv:1803.04831.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import IndRNN
    >>> cell = IndRNN(n_steps=100).build(
    ...     1, 4, torch.Generator().manual_seed(0)
    ... )
    >>> bool((cell.R <= 2 ** (1 / 100)).all())
    True
    """

    def __init__(self, activation: str = "relu", n_steps: int | None = None, max_gain: float = 2.0) -> None:
        super().__init__()
        self.activation = activation
        self.n_steps = n_steps
        self.max_gain = max_gain

    def _build(self, generator: Generator | None) -> None:
        choice(self, "activation", ("relu", "tanh"))
        if self.n_steps is not None and not (isinstance(self.n_steps, int | np.integer) and self.n_steps >= 1):
            raise ValueError(f"The 'n_steps' parameter of IndRNN must be a number of time steps of at least 1, or None; got {self.n_steps!r}")
        if not 1 <= self.max_gain < float("inf"):
            raise ValueError(f"The 'max_gain' parameter of IndRNN must be a number of at least 1; got {self.max_gain!r}")
        H = self.hidden_size
        self._bound = None if self.n_steps is None else float(self.max_gain) ** (1 / int(self.n_steps))
        self.W = input_weights(H, self.input_size, generator)
        start = torch.empty(H, dtype=torch.float32).uniform_(0, self._bound or 1.0, generator=generator)
        self.R = nn.Parameter(start.to(torch.get_default_dtype()))
        self.b = nn.Parameter(torch.zeros(H))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def _bounded(self) -> Tensor:
        return self.R if self._bound is None else self.R.clamp(-self._bound, self._bound)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h = _ACTIVATIONS[self.activation](u + self._bounded() * state)
        return h, h
