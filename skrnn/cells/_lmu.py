"""Legendre memory units."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple

import numpy as np
import torch
from scipy.linalg import expm
from torch import Generator, Tensor, nn

from ._base import Cell, count
from ._rows import linear, product
from ._starts import input_weights, recurrent_weights, small
from ._state import State


class LMUState(NamedTuple):
    """Hidden state, and memory: Legendre coefficients of the window."""

    h: Tensor
    m: Tensor


class LMU(Cell):
    """Legendre memory unit (Voelker, Kajić & Eliasmith, 2019).

    For smooth signals and dependencies of a known length: a linear memory, which is not learned, holds the last ``theta`` steps of one signal as
    coefficients of Legendre polynomials, and an Elman cell reads it. Learns quickly where the whole window matters; a memory that nothing gates
    cannot pick single steps out of it. The original cell with one memory, discretised by zero-order hold.

    Parameters
    ----------
    order : int, default=16
        Number of polynomials. More hold faster changes: about order / 2 periods fit into the window.
    theta : float, default=64.0
        Length of the window in time steps; the length of the sequences is a good choice for classification.

    Notes
    -----
    ::

        u(t) = e_x x(t) + e_h h(t-1) + e_m m(t-1)
        m(t) = A m(t-1) + B u(t)
        h(t) = tanh(W x(t) + R h(t-1) + V m(t))

    A (D, D) and B (D,), D the order, are constants: the solution over one time step, during which u is constant, of θ m' = A' m + B' u with
    A'_ij = (2 i + 1) · (−1 if i < j else (−1)^(i − j + 1)) and B'_i = (2 i + 1) (−1)^i. Then u(t − k) ≈ Σ_i P_i(2 r − 1) m_i(t) for
    0 ≤ k < θ, where r = (k + ½) / θ and P_i are the Legendre polynomials. H (F + H + D) + F + H + D weights, O(H² + H F + H D + D²) a step.
    The state is (h, m).

    Letters of the paper: W_x, W_h, W_m are W, R, V here. Differs from the paper in the start of the weights: R is orthogonal, and W, V and e_x are
    uniform after Glorot. As there, e_m starts at 0 and nothing has a bias.

    References
    ----------
    A. R. Voelker, I. Kajić, C. Eliasmith, "Legendre memory units: continuous-time representation in recurrent neural networks", NeurIPS 2019.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import LMU
    >>> cell = LMU(order=4, theta=10).build(
    ...     1, 8, torch.Generator().manual_seed(0)
    ... )
    >>> cell.initial_state(2, like=torch.ones(1)).m.shape
    torch.Size([2, 4])
    """

    A: Tensor
    B: Tensor

    def __init__(self, order: int = 16, theta: float = 64.0) -> None:
        super().__init__()
        self.order = order
        self.theta = theta

    def _build(self, generator: Generator | None) -> None:
        self._check()
        F, H, D = self.input_size, self.hidden_size, self.order
        A, B = _held(D, float(self.theta))
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("B", B, persistent=False)
        self.e_x = input_weights(1, F, generator)
        self.e_h = small((1, H), H, generator)
        self.e_m = nn.Parameter(torch.zeros(1, D))  # the memory starts as the window that it is
        self.W = input_weights(H, F, generator)
        self.R = recurrent_weights([H], H, "orthogonal", generator)
        self.V = input_weights(H, D, generator)

    def _check(self) -> None:
        count(self, "order")
        if not isinstance(self.theta, Real) or not 0 < self.theta < float("inf"):
            raise ValueError(f"The 'theta' parameter of LMU must be a positive number of time steps; got {self.theta!r}")

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        return LMUState(super().initial_state(batch_size, like=like), like.new_zeros(batch_size, self.order))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, torch.cat([self.W, self.e_x]), None)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h, m = state
        x, u = u.split([self.hidden_size, 1], -1)
        u = u + product(h, self.e_h) + product(m, self.e_m)
        m = product(m, self.A.to(m.dtype)) + u * self.B.to(m.dtype)
        h = torch.tanh(x + product(h, self.R) + product(m, self.V))
        return h, LMUState(h, m)


def _held(order: int, theta: float) -> tuple[Tensor, Tensor]:
    """A and B over one time step with a constant input, which rides along as one more variable; float64, whatever the network's precision."""
    i, j = np.mgrid[:order, :order]
    scale = (2 * np.arange(order) + 1)[:, None]
    A = scale * np.where(i < j, -1.0, (-1.0) ** (i - j + 1))
    B = scale * (-1.0) ** np.arange(order)[:, None]
    system = np.vstack([np.hstack([A, B]), np.zeros(order + 1)]) / theta
    after = torch.from_numpy(expm(system))
    return after[:-1, :-1].clone(), after[:-1, -1].clone()
