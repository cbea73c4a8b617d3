"""Simple recurrent units."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from ._base import Cell, choice
from ._rows import linear, sigmoid
from ._starts import _uniform
from ._state import State


class SRUState(NamedTuple):
    """Hidden state and cell."""

    h: Tensor
    c: Tensor


class SRU(Cell):
    """Simple recurrent unit (Lei, Zhang, Wang, Dai & Artzi, 2018).

    A gated average whose gates see the input and, unit by unit, the cell, with a highway for the input around it: light, and made for stacks of
    2 to 10 layers. The version of the EMNLP paper; ``activation="tanh"`` squashes the cell as its first version did.

    Parameters
    ----------
    activation : {"identity", "tanh"}, default="identity"
        The function g.
    highway_bias : float, default=0.0
        Start of b_r. Lower (−2, say) lets more of the input through at the start, which helps deep stacks.

    Notes
    -----
    ::

        f(t) = σ(W_f x(t) + v_f ⊙ c(t-1) + b_f)
        r(t) = σ(W_r x(t) + v_r ⊙ c(t-1) + b_r)
        c(t) = f(t) c(t-1) + (1 − f(t)) W_c x(t)
        h(t) = r(t) g(c(t)) + (1 − r(t)) α x(t)        or, where input and output differ in size,
        h(t) = r(t) g(c(t)) + (1 − r(t)) W_s x(t)

    α = sqrt(1 + 2 exp(highway_bias)) keeps the variance at the start; W_s starts at α times the variance-keeping scale instead. Rows of W: c, f,
    r; of v and b: f, r. 3 H F + 4 H weights, and H F more for W_s; O(H F) a step. The state is (h, c), of which the next step reads c.

    References
    ----------
    T. Lei, Y. Zhang, S. I. Wang, H. Dai, Y. Artzi, "Simple recurrent units for highly parallelizable recurrence", EMNLP 2018, arXiv:1709.02755.

    Examples
    --------
    >>> from skrnn.cells import SRU
    >>> [
    ...     sum(w.numel() for w in SRU().build(n, 32).parameters())
    ...     for n in (32, 8)
    ... ]
    [3200, 1152]
    """

    def __init__(self, activation: str = "identity", highway_bias: float = 0.0) -> None:
        super().__init__()
        self.activation = activation
        self.highway_bias = highway_bias

    def _build(self, generator: Generator | None) -> None:
        choice(self, "activation", ("identity", "tanh"))
        F, H = self.input_size, self.hidden_size
        self._alpha = (1 + 2 * math.exp(self.highway_bias)) ** 0.5
        keeps = (3 / F) ** 0.5  # as much variance as one channel of the input
        half = 0.5**0.5  # a gate sums two parts of equal variance
        self.W = nn.Parameter(torch.cat([_uniform((H, F), keeps, generator), _uniform((2 * H, F), half * keeps, generator)]))
        self.v = nn.Parameter(_uniform((2, H), half * 3**0.5, generator))
        self.b = nn.Parameter(torch.cat([torch.zeros(H), torch.full((H,), float(self.highway_bias))]))
        self.W_s = None if F == H else nn.Parameter(_uniform((H, F), self._alpha * keeps, generator))

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return SRUState(zero, zero)

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([linear(x, self.W, self._bias()), self._highway(x)], -1)

    def _bias(self) -> Tensor:
        return torch.cat([self.b.new_zeros(self.hidden_size), self.b])

    def _highway(self, x: Tensor) -> Tensor:
        return self._alpha * x if self.W_s is None else linear(x, self.W_s, None)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        c = state.c
        new, f, r, highway = u.chunk(4, -1)
        f = sigmoid(f + self.v[0] * c)
        r = sigmoid(r + self.v[1] * c)
        c = c + (1 - f) * (new - c)  # makes NaN of an infinite cell, which g could hide
        h = r * (torch.tanh(c) if self.activation == "tanh" else c) + (1 - r) * highway
        return h, SRUState(h, c)
