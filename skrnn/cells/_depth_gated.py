"""Stacks of long short-term memory whose cells are connected from layer to layer."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn

from ._base import Cell, Layers, Module, choice, count
from ._lstm import LSTM, LSTMState
from ._rows import product, sigmoid
from ._starts import RECURRENT_STARTS, input_weights, small
from ._state import State


class DepthGatedLSTM(Cell):
    """Stack of LSTM layers whose cells also flow upward, through depth gates (Yao, Cohn, Vylomova, Duh & Dyer, 2015).

    For stacks of three and more layers, whose lower layers an LSTM's gradient hardly reaches: c passes from layer to layer as it does from step to
    step. The base is the LSTM with peepholes, as in the paper. The cell is the whole stack; an estimator's ``n_layers`` stacks such stacks.

    Parameters
    ----------
    depth : int, default=2
        Layers, of hidden_size units each. 1 is ``LSTM(peephole=True)``.
    forget_bias : float, default=1.0
        Start of the bias of the forget gates; larger remembers longer at the start.
    recurrent_init : {"orthogonal", "identity", "uniform", "glorot", "spectral_radius"}, default="orthogonal"
        Start of R as in :class:`LSTM`, gate by gate.

    Notes
    -----
    Layer 1 is an LSTM that sees x(t); layer l = 2 … L sees x^l(t) = h^(l-1)(t), and below its own c stands c^(l-1)(t) ::

        i(t) = σ(W_i x^l(t) + R_i h^l(t-1) + p_i c^l(t-1) + b_i)
        f(t) = σ(W_f x^l(t) + R_f h^l(t-1) + p_f c^l(t-1) + b_f)
        g(t) = tanh(W_g x^l(t) + R_g h^l(t-1) + b_g)
        d(t) = σ(W_d x^l(t) + w_c c^(l-1)(t) + w_p c^l(t-1) + b_d)        0 in layer 1
        c^l(t) = f(t) c^l(t-1) + i(t) g(t) + d(t) c^(l-1)(t)
        o(t) = σ(W_o x^l(t) + R_o h^l(t-1) + p_o c^l(t) + b_o)
        h^l(t) = o(t) tanh(c^l(t))

    Weights: 4 H (F + H + 1) + 3 H for layer 1, 4 H (2 H + 1) + 3 H + H² + 3 H for each further one, O(H² L + H F) a step. The output is h^L.
    The state is a pair (h, c) for each layer, the top one first. b_d starts at −forget_bias, so that about d = 1 − f: what a cell keeps and what
    it takes from below add up to one. Gates that start open (b_d ≥ 0) pass more gradient, but c grows from layer to layer until h is saturated.

    Differs from the authors' code, whose base has f = 1 − i and whose gates see c through full matrices.

    References
    ----------
    K. Yao, T. Cohn, K. Vylomova, K. Duh, C. Dyer, "Depth-gated LSTM", arXiv:1508.03790, 2015.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import DepthGatedLSTM
    >>> cell = DepthGatedLSTM(depth=3).build(
    ...     3, 8, torch.Generator().manual_seed(0)
    ... )
    >>> sum(w.numel() for w in cell.parameters())
    1720
    """

    layers: Any  # an LSTM each, the lowest first
    gates: Any  # of all layers but the lowest

    def __init__(self, depth: int = 2, forget_bias: float = 1.0, recurrent_init: str = "orthogonal") -> None:
        super().__init__()
        self.depth = depth
        self.forget_bias = forget_bias
        self.recurrent_init = recurrent_init

    def _build(self, generator: Generator | None) -> None:
        choice(self, "recurrent_init", RECURRENT_STARTS)
        count(self, "depth")
        H, n_above = self.hidden_size, int(self.depth) - 1
        sizes = [self.input_size] + [H] * n_above
        layers = (LSTM(peephole=True, forget_bias=self.forget_bias, recurrent_init=self.recurrent_init) for _ in sizes)
        self.layers = Layers(layer.build(size, H, generator) for layer, size in zip(layers, sizes, strict=True))
        self.gates = Layers(_DepthGate(H, -self.forget_bias, generator) for _ in range(n_above))

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        return tuple(layer.initial_state(batch_size, like=like) for layer in self.layers)

    def project(self, x: Tensor) -> Tensor:
        return self.layers[0].project(x)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        (lowest, *upper), (*above, first) = self.layers, state
        now = [_layer(lowest, u, first, 0.0)]
        for layer, gate, before in zip(upper, self.gates, reversed(above), strict=True):
            h, c = now[0]
            u = product(h, layer.W, layer.b)
            now.insert(0, _layer(layer, u, before, gate(h, c, before.c) * c))
        return now[0].h, tuple(now)


class _DepthGate(Module):
    """d = σ(W_d x + w_c c_below + w_p c + b_d): what of the cell below reaches the cell above."""

    def __init__(self, size: int, bias: float, generator: Generator | None) -> None:
        super().__init__()
        self.W = input_weights(size, size, generator)
        self.w_c = small((size,), size, generator)
        self.w_p = small((size,), size, generator)
        self.b = nn.Parameter(torch.full((size,), float(bias)))

    def forward(self, x: Tensor, c_below: Tensor, c: Tensor) -> Tensor:
        return sigmoid(product(x, self.W, self.b) + self.w_c * c_below + self.w_p * c)


def _layer(lstm: Any, u: Tensor, state: LSTMState, from_below: Tensor | float) -> LSTMState:
    """The step of an LSTM with peepholes whose cell something is added to."""
    h, c = state
    i, f, g, o = (u + product(h, lstm.R)).chunk(4, -1)
    p_i, p_f, p_o = lstm.p
    c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * torch.tanh(g) + from_below
    h = sigmoid(o + p_o * c) * torch.tanh(c)
    return LSTMState(h, c)
