"""Closed-form continuous-time cells."""

from __future__ import annotations

from numbers import Integral

import torch
from torch import Generator, Tensor, nn

from ._base import Cell, Layers, Module, choice, count
from ._rows import linear, product, sigmoid
from ._starts import input_weights, small
from ._state import State

_N_HEADS = {"default": 4, "no_gate": 4, "pure": 1}


class _Layer(Module):
    """W λ(a) + b, where λ(a) = 1.7159 tanh(0.666 a) (LeCun et al., 1998): its output has about the variance of its input."""

    def __init__(self, rows: int, columns: int, generator: Generator | None, n_blocks: int) -> None:
        super().__init__()
        self.W = input_weights(rows, columns, generator, n_blocks=n_blocks)
        self.b = nn.Parameter(torch.zeros(n_blocks * rows))

    def forward(self, a: Tensor) -> Tensor:
        return product(1.7159 * torch.tanh(0.666 * a), self.W, self.b)


class CfC(Cell):
    """Closed-form continuous-time cell (Hasani et al., 2022), for steps at irregular times.

    For measurements taken at irregular times: the time that passed since the step before is part of the equations, not only of the data. Without
    ``time_delta`` it is a gated cell with a hidden layer in every step, at about twice the cost of an LSTM of the same size.

    Parameters
    ----------
    mode : {"default", "no_gate", "pure"}, default="default"
        Blend two candidates as time passes, add the second to the first, or solve the differential equation in closed form.
    backbone_size : int or None, default=None
        Units of the layers between the input and the heads; ``None`` is the hidden size. More fit more complicated steps.
    backbone_layers : int, default=1
        Number of these layers; with 0 the heads see the input and the state.
    time_delta : int or None, default=None
        The input channel that holds the time since the step before, in any unit; -1 is the last. ``None``: all steps are 1 apart.

    Notes
    -----
    ::

        a(t) = W x(t) + R h(t-1) + b
        a(t) = W_k λ(a(t)) + b_k                   for each layer k; λ(a) = 1.7159 tanh(0.666 a)
        f, g, p, q = a(t)                          the last layer's; f only, if pure
        s(t) = σ(p Δt + q)
        h(t) = (1 − s(t)) tanh(f) + s(t) tanh(g)              default
        h(t) = tanh(f) + s(t) tanh(g)                         no_gate
        h(t) = A − A exp(−Δt (|w_tau| + |f|)) f               pure

    W, R and b make the first layer, W_k and b_k of ``layers[k]`` the others and the heads. With S backbone units: S (F + H + 1) + 4 H (S + 1)
    weights, O(S (F + H)) a step. The state is h.

    Δt is no input of the layers, and x(t) is the other channels, as in the authors' program. p and q are linear in the same features, so that
    standardising the channel of Δt changes nothing that "default" and "no_gate" can express; "pure" needs times that are not negative
    (``standardize=False``). Only the lowest layer of a stack has a channel of times, and a backward layer sees the time to the wrong side: use
    ``time_delta`` in one layer and one direction. Differs from the authors' program: w_tau starts at random, because ``|w_tau|`` has no slope at 0.

    References
    ----------
    R. Hasani et al., "Closed-form continuous-time neural networks", Nature Machine Intelligence 4, 2022 (arXiv:2106.13898).

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import CfC
    >>> cell = CfC(time_delta=-1).build(2, 4, torch.Generator().manual_seed(0))
    >>> u = cell.project(torch.tensor([[1.0, 0.1], [1.0, 9.0]]))
    >>> y, state = cell.step(u, cell.initial_state(2, like=u))
    >>> bool((y[0] != y[1]).all())
    True
    """

    undecayed = ("A", "w_tau")  # the level and the rate of the "pure" mode

    def __init__(self, mode: str = "default", backbone_size: int | None = None, backbone_layers: int = 1, time_delta: int | None = None) -> None:
        super().__init__()
        self.mode = mode
        self.backbone_size = backbone_size
        self.backbone_layers = backbone_layers
        self.time_delta = time_delta

    def _build(self, generator: Generator | None) -> None:
        choice(self, "mode", tuple(_N_HEADS))
        self._check()
        H, S = self.hidden_size, self.hidden_size if self.backbone_size is None else self.backbone_size
        (rows, n), *layers = [(S, 1)] * self.backbone_layers + [(H, _N_HEADS[self.mode])]
        self.W = input_weights(rows, self.input_size - (self.time_delta is not None), generator, n_blocks=n)
        self.R = input_weights(rows, H, generator, n_blocks=n)
        self.b = nn.Parameter(torch.zeros(n * rows))
        self.layers = Layers(_Layer(rows, S, generator, n) for rows, n in layers)
        if self.mode == "pure":
            self.w_tau = small((H,), H, generator)
            self.A = nn.Parameter(torch.ones(H))

    def _check(self) -> None:
        count(self, "backbone_size", optional=True)
        count(self, "backbone_layers", 0)
        F, channel = self.input_size, self.time_delta
        if channel is not None and (not isinstance(channel, Integral) or F < 2 or not -F <= channel < F):
            raise ValueError(f"The 'time_delta' parameter of CfC must be one of several input channels ({F} here), or None; got {channel!r}")

    def project(self, x: Tensor) -> Tensor:
        if self.time_delta is None:
            return linear(x, self.W, self.b)
        k = self.time_delta % self.input_size
        others = torch.cat([x[:, :k], x[:, k + 1 :]], -1)
        return torch.cat([linear(others, self.W, self.b), x[:, k : k + 1]], -1)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        u, elapsed = (u, 1.0) if self.time_delta is None else (u[..., :-1], u[..., -1:])
        a = u + product(state, self.R)
        for layer in self.layers:
            a = layer(a)
        if self.mode == "pure":
            h = self.A - self.A * torch.exp(-elapsed * (self.w_tau.abs() + a.abs())) * a
            return h, h
        f, g, p, q = a.chunk(4, -1)
        s = sigmoid(p * elapsed + q)
        h = torch.tanh(f) * (1 if self.mode == "no_gate" else 1 - s) + s * torch.tanh(g)
        return h, h
