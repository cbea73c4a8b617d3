"""Long short-term memory and its variants."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..kernels import lstm
from ._base import Cell, choice
from ._fused import linear, run_compiled, run_torch, runs_compiled, runs_in_torch
from ._norm import LayerNorm
from ._starts import RECURRENT_STARTS, input_weights, recurrent_weights, small
from ._state import State

_ALWAYS_OPEN = 40.0  # a gate that sees this is exactly 1 in float64, and its slope exactly 0


class LSTMState(NamedTuple):
    """Hidden state and cell."""

    h: Tensor
    c: Tensor


class LSTM(Cell):
    """Long short-term memory (Hochreiter & Schmidhuber, 1997) with forget gate (Gers et al., 2000) and the published variants.

    The safe choice for long gaps. ``forget="none"`` is the 1997 cell, whose memory only grows; ``forget="coupled"`` (CIFG) has three quarters of
    the weights at about the same quality (Greff et al., 2017); ``peephole=True`` lets the gates see the cell, which helps counting and timing.

    Parameters
    ----------
    forget : {"gate", "none", "coupled"}, default="gate"
        A forget gate, none (f = 1), or f = 1 − i.
    peephole : bool, default=False
        Input and forget gate also see c(t-1), the output gate sees c(t).
    block_size : int, default=1
        Cells that share their gates (memory-cell blocks of 1997); a divisor of the hidden size.
    layer_norm : bool, default=False
        Normalise W x, R h and c over the units (Ba et al., 2016, eq. 20–22).
    forget_bias : float, default=1.0
        Start of the forget gate's bias; larger remembers longer at the start. With ``forget="coupled"`` the input gate starts at its negative.
    recurrent_init : {"orthogonal", "identity", "uniform"}, default="orthogonal"
        Start of R, gate by gate.

    Notes
    -----
    ::

        i(t) = σ(W_i x(t) + R_i h(t-1) + p_i c(t-1) + b_i)
        f(t) = σ(W_f x(t) + R_f h(t-1) + p_f c(t-1) + b_f)      or 1, or 1 − i(t)
        g(t) = tanh(W_g x(t) + R_g h(t-1) + b_g)
        c(t) = f(t) c(t-1) + i(t) g(t)
        o(t) = σ(W_o x(t) + R_o h(t-1) + p_o c(t) + b_o)
        h(t) = o(t) tanh(c(t))

    With blocks of S cells, i, f and o have H/S entries, each serves S cells, and its peephole sums over them. With layer_norm the sums become
    LN(W x(t)) + LN(R h(t-1)) + b, and h(t) = o(t) tanh(LN(c(t))). Rows of W, R and b: i, f (if there is one), g, o. Weights:
    4 H (F + H + 1) for the default; O(H² + H F) a step. The state is (h, c).

    The default equals ``torch.nn.LSTM``, whose two biases are one here. Differs from the 1997 paper: gates are not fed back, f = tanh squashes the
    input and the cell, and the gradient is not truncated.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, section 4.
    F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to forget", Neural Computation 12(10), 2000.
    F. A. Gers, J. Schmidhuber, "Recurrent nets that time and count", IJCNN 2000.
    R. Jozefowicz, W. Zaremba, I. Sutskever, "An empirical exploration of recurrent network architectures", ICML 2015 (forget bias 1).
    K. Greff et al., "LSTM: a search space odyssey", IEEE TNNLS 28(10), 2017.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import LSTM
    >>> cell = LSTM(peephole=True).build(3, 8, torch.Generator().manual_seed(0))
    >>> sum(w.numel() for w in cell.parameters())
    408
    """

    _rows: Tensor
    _sign: Tensor

    def __init__(
        self,
        forget: str = "gate",
        peephole: bool = False,
        block_size: int = 1,
        layer_norm: bool = False,
        forget_bias: float = 1.0,
        recurrent_init: str = "orthogonal",
    ) -> None:
        super().__init__()
        self.forget = forget
        self.peephole = peephole
        self.block_size = block_size
        self.layer_norm = layer_norm
        self.forget_bias = forget_bias
        self.recurrent_init = recurrent_init

    def _build(self, generator: Generator | None) -> None:
        choice(self, "forget", ("gate", "none", "coupled"))
        choice(self, "recurrent_init", RECURRENT_STARTS)
        H, S = self.hidden_size, self.block_size
        if not isinstance(S, int) or S < 1 or H % S:
            raise ValueError(f"The 'block_size' parameter of LSTM must be a divisor of hidden_size={H}; got {S!r}")
        G = H // S
        self._sizes = [G, G, H, G] if self.forget == "gate" else [G, H, G]
        self.W = nn.Parameter(torch.cat([input_weights(n, self.input_size, generator) for n in self._sizes]).detach())
        self.R = recurrent_weights(self._sizes, H, self.recurrent_init, generator)
        self.b = nn.Parameter(torch.zeros(sum(self._sizes)))
        with torch.no_grad():
            if self.forget == "gate":
                self.b[G : 2 * G] = self.forget_bias
            elif self.forget == "coupled":
                self.b[:G] = -self.forget_bias
        own = torch.arange(G).repeat_interleave(S)  # for each cell the row of its block's gate
        keep = own + G if self.forget == "gate" else own
        g, o = sum(self._sizes[:-2]) + torch.arange(H), sum(self._sizes[:-1]) + own
        sign = torch.ones(4, H)
        sign[1] = {"gate": 1.0, "coupled": -1.0, "none": 0.0}[self.forget]
        self.register_buffer("_rows", torch.cat([own, keep, g, o]), persistent=False)
        self.register_buffer("_sign", sign.flatten(), persistent=False)
        self.p = small((len(self._sizes) - 1, H), H, generator) if self.peephole else None
        self.norm_x = LayerNorm(len(self.b), bias=False) if self.layer_norm else None
        self.norm_h = LayerNorm(len(self.b), bias=False) if self.layer_norm else None
        self.norm_c = LayerNorm(H) if self.layer_norm else None

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return LSTMState(zero, zero)

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b) if self.norm_x is None else self.norm_x(linear(x, self.W, None)) + self.b

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h, c = state
        r = h @ self.R.T
        i, *f, g, o = (u + (r if self.norm_h is None else self.norm_h(r))).split(self._sizes, -1)
        i = torch.sigmoid(i + self._seen(0, c))
        keep = torch.sigmoid(f[0] + self._seen(1, c)) if f else 1 - i if self.forget == "coupled" else torch.ones_like(i)
        c = self._spread(keep) * c + self._spread(i) * torch.tanh(g)
        o = torch.sigmoid(o + self._seen(-1, c))
        h = self._spread(o) * torch.tanh(c if self.norm_c is None else self.norm_c(c))
        return h, LSTMState(h, c)

    def _seen(self, k: int, c: Tensor) -> Tensor | float:
        """What the k-th peephole gate sees of the cells of its block."""
        return 0.0 if self.p is None else (self.p[k] * c).unflatten(-1, (-1, self.block_size)).sum(-1)

    def _spread(self, gate: Tensor) -> Tensor:
        """One gate for each cell of a block."""
        return gate if self.block_size == 1 else gate.repeat_interleave(self.block_size, -1)

    def fused(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
        plain = self.forget == "gate" and not self.peephole and self.block_size == 1
        if self.layer_norm or (self.peephole and self.block_size > 1):
            return None
        if plain and runs_in_torch(packed.data):
            y, h, c = run_torch("lstm", packed, reverse, state, self.W, self.R, self.b, torch.zeros_like(self.b))
        elif runs_compiled(packed.data):
            W, R, b = self._full(self.W, 0.0), self._full(self.R, 0.0), self._full(self.b, _ALWAYS_OPEN)
            p = self.p if self.p is None or self.forget == "gate" else self._full_peepholes(self.p)
            y, h, c = run_compiled(lstm, packed, reverse, W, b, R, p, *state)
        else:
            return None
        return y, LSTMState(h, c)

    def _full(self, rows: Tensor, always_open: float) -> Tensor:
        """Rows of every cell's own i, f, g and o, where 1 − σ(a) = σ(−a) gives the coupled gate and a constant the open one."""
        if self.forget == "gate" and self.block_size == 1:
            return rows
        sign = self._sign.view(-1, *[1] * (rows.ndim - 1))
        full = rows[self._rows] * sign
        return full + always_open * (sign == 0) if self.forget == "none" and always_open else full

    def _full_peepholes(self, p: Tensor) -> Tensor:
        keep = -p[0] if self.forget == "coupled" else torch.zeros_like(p[0])
        return torch.stack([p[0], keep, p[-1]])
