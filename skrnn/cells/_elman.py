"""Simple recurrent networks."""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell, choice
from ._kernel import OnDevice, WholeSequence, run_torch
from ._norm import LayerNorm
from ._rows import linear, product, sigmoid
from ._starts import RECURRENT_STARTS, input_weights, recurrent_weights
from ._state import State

_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": sigmoid}


class Elman(Cell):
    """Simple recurrent network (Elman, 1990).

    The cheapest cell, and a strong one on short sequences; its gradient fades or explodes over some tens of steps. With ``activation="relu"``
    and ``recurrent_init="identity"`` it is the IRNN of Le, Jaitly & Hinton (2015), which bridges longer gaps at a small learning rate (1e-3).

    Parameters
    ----------
    activation : {"tanh", "relu", "sigmoid"}, default="tanh"
        The function f.
    recurrent_init : {"orthogonal", "identity", "uniform", "glorot", "spectral_radius"}, default="orthogonal"
        Start of R. "uniform" draws within ± 1 / sqrt(hidden_size), "glorot" within ± sqrt(3 / hidden_size), "spectral_radius" normal numbers,
        scaled until the largest eigenvalue has the modulus 0.95.
    layer_norm : bool, default=False
        Normalise the sum before f over the units (Ba et al., 2016, eq. 4).

    Notes
    -----
    ::

        u(t) = W x(t) + b
        h(t) = f(u(t) + R h(t-1))                  or, with layer_norm,
        h(t) = f(LN(W x(t) + R h(t-1)) + b)

    W is (H, F), R is (H, H), b is (H,): H (F + H + 1) weights, O(H² + H F) a step. The state is h. Equal to ``torch.nn.RNN``, whose two
    biases are one here. Differs from the paper: trained by full back-propagation through time, and h(0) = 0 where Elman used 0.5.

    References
    ----------
    J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990.
    Q. V. Le, N. Jaitly, G. E. Hinton, "A simple way to initialize recurrent networks of rectified linear units", arXiv:1504.00941, 2015.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import Elman
    >>> cell = Elman("relu", recurrent_init="identity").build(
    ...     1, 4, torch.Generator().manual_seed(0)
    ... )
    >>> y, state = cell.step(
    ...     cell.project(torch.ones(2, 1)),
    ...     cell.initial_state(2, like=torch.ones(1)),
    ... )
    >>> y.shape
    torch.Size([2, 4])
    """

    def __init__(self, activation: str = "tanh", recurrent_init: str = "orthogonal", layer_norm: bool = False) -> None:
        super().__init__()
        self.activation = activation
        self.recurrent_init = recurrent_init
        self.layer_norm = layer_norm

    def _build(self, generator: Generator | None) -> None:
        choice(self, "activation", tuple(_ACTIVATIONS))
        choice(self, "recurrent_init", RECURRENT_STARTS)
        H = self.hidden_size
        self.W = input_weights(H, self.input_size, generator)
        self.R = recurrent_weights([H], H, self.recurrent_init, generator)
        self.b = nn.Parameter(torch.zeros(H))
        self.norm = LayerNorm(H, bias=False) if self.layer_norm else None

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, None if self.layer_norm else self.b)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        a = u + product(state, self.R)
        h = _ACTIVATIONS[self.activation](a if self.norm is None else self.norm(a) + self.b)
        return h, h

    def kernel(self) -> WholeSequence | None:
        torch_has_it = not self.layer_norm and self.activation in ("tanh", "relu")
        return OnDevice(gpu=self._run_torch) if torch_has_it else None

    def _run_torch(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State]:
        y, h = run_torch(f"rnn_{self.activation}", packed, reverse, (state,), self.W, self.R, self.b, torch.zeros_like(self.b))
        return y, h
