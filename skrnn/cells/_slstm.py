"""Long short-term memory with exponential gates."""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from ._base import Cell, choice
from ._rows import linear, product, sigmoid
from ._starts import RECURRENT_STARTS, input_weights, recurrent_weights
from ._state import State

_NOTHING = -1e4  # as good as −∞ beside any i~, yet a number: wrappers can average it


class SLSTMState(NamedTuple):
    """Hidden state, cell, and logarithm of the weight of all that went into the cell."""

    h: Tensor
    c: Tensor
    m: Tensor


class SLSTM(Cell):
    """Long short-term memory with exponential input gates, the sLSTM of xLSTM (Beck et al., 2024).

    For tasks where a late input must overrule all that is stored: an input gate without upper bound can give one step more weight than all steps
    before. The cell is the weighted mean of what it has seen, so that it neither overflows nor needs squashing. The published cell, without the
    convolution, group norm and projections of its residual block.

    Parameters
    ----------
    n_heads : int, default=1
        Groups of units without recurrent weights between them; a divisor of the hidden size. More heads have fewer weights.
    forget_gate : {"sigmoid", "exp"}, default="sigmoid"
        Forget gate f = σ(f~), or f = exp(f~), which can also make old steps count for more.
    forget_bias : float, default=1.0
        Start of the forget gate's bias; larger remembers longer at the start.
    recurrent_init : {"orthogonal", "identity", "uniform", "glorot", "spectral_radius"}, default="orthogonal"
        Start of R, gate by gate and head by head.

    Notes
    -----
    ::

        i~, f~, z~, o~ = W x(t) + R h(t-1) + b
        m(t) = log(exp(log f(t) + m(t-1)) + exp(i~(t)))
        i'(t) = exp(i~(t) − m(t))
        f'(t) = exp(log f(t) + m(t-1) − m(t)) = 1 − i'(t)
        c(t) = f'(t) c(t-1) + i'(t) tanh(z~(t))
        h(t) = σ(o~(t)) c(t)

    W is (4 H, F), its rows i, f, z, o, and b is (4 H,). R is (4 H, H/n_heads): rows of gate by gate, in it head by head, each seeing its own head.
    4 H (F + H / n_heads + 1) weights, O(H² / n_heads + H F) a step. The state is (h, c, m), all valid for any number; m(0) = −10,000 stands for an
    empty cell, so that the first step is stored whole.

    Differs from the paper in the stabiliser m, which may be chosen freely: the paper takes a maximum, m(t) = max(log f(t) + m(t-1), i~(t)), and
    divides c by a normaliser n(t) = f'(t) n(t-1) + i'(t). With the sum instead of the maximum n is always 1 and need not be kept; h is the same.

    References
    ----------
    M. Beck et al., "xLSTM: extended long short-term memory", arXiv:2405.04517, 2024, section 2.2.

    Examples
    --------
    >>> from skrnn.cells import SLSTM
    >>> [
    ...     sum(w.numel() for w in SLSTM(n_heads).build(3, 32).parameters())
    ...     for n_heads in (1, 4)
    ... ]
    [4608, 1536]
    """

    def __init__(self, n_heads: int = 1, forget_gate: str = "sigmoid", forget_bias: float = 1.0, recurrent_init: str = "orthogonal") -> None:
        super().__init__()
        self.n_heads = n_heads
        self.forget_gate = forget_gate
        self.forget_bias = forget_bias
        self.recurrent_init = recurrent_init

    def _build(self, generator: Generator | None) -> None:
        choice(self, "forget_gate", ("sigmoid", "exp"))
        choice(self, "recurrent_init", RECURRENT_STARTS)
        self._check()
        H, n = self.hidden_size, self.n_heads
        self.W = input_weights(H, self.input_size, generator, n_blocks=4)
        self.R = recurrent_weights([H // n] * (4 * n), H // n, self.recurrent_init, generator)
        self.b = nn.Parameter(torch.zeros(4 * H))
        with torch.no_grad():
            self.b[H : 2 * H] = self.forget_bias

    def _check(self) -> None:
        H, n = self.hidden_size, self.n_heads
        if not isinstance(n, Integral) or n < 1 or H % n:
            raise ValueError(f"The 'n_heads' parameter of SLSTM must be a divisor of hidden_size={H}; got {n!r}")

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return SLSTMState(zero, zero, torch.full_like(zero, _NOTHING))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h, c, m = state
        i, f, z, o = (u + self._recurrent(h)).chunk(4, -1)
        kept = m + (f if self.forget_gate == "exp" else nn.functional.logsigmoid(f))
        new = sigmoid(i - kept)
        c = (1 - new) * c + new * torch.tanh(z)
        h = sigmoid(o) * c
        return h, SLSTMState(h, c, torch.logaddexp(kept, i))

    def _recurrent(self, h: Tensor) -> Tensor:
        """R h, where every row of R sees the units of its own head."""
        if self.n_heads == 1:
            return product(h, self.R)
        of_heads = self.R.unflatten(0, (4, self.n_heads, -1)).unbind(1)
        sums = [product(part, R.flatten(0, 1)).unflatten(-1, (4, -1)) for part, R in zip(h.chunk(self.n_heads, -1), of_heads, strict=True)]
        return torch.stack(sums, -2).flatten(-3)
