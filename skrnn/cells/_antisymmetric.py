"""Antisymmetric recurrent networks."""

from __future__ import annotations

from numbers import Real

import torch
from torch import Generator, Tensor, nn

from ._base import Cell
from ._rows import linear, product, sigmoid
from ._starts import input_weights, small
from ._state import State


class Antisymmetric(Cell):
    """Antisymmetric recurrent network (Chang et al., 2019): small steps of a differential equation that neither grows nor fades.

    For long sequences with few weights: half the recurrent weights of an Elman cell, and a gradient that keeps its size over about
    1 / (step_size · diffusion) steps. ``gated=True`` is the paper's second cell, which can also let a step pass.

    Parameters
    ----------
    step_size : float, default=0.3
        Time that passes in a step, ε. Smaller steps are for longer sequences; an output can change by this much in a step.
    diffusion : float, default=0.1
        How much all units are pulled back to 0, γ. Larger forgets faster; 0 lets the rounding of time into steps grow.
    gated : bool, default=False
        A gate, which sees the same recurrent weights, scales every unit's step.

    Notes
    -----
    ::

        A = M − Mᵀ − γ I
        h(t) = h(t-1) + ε tanh(A h(t-1) + W_n x(t) + b_n)                                 or, gated,
        h(t) = h(t-1) + ε σ(A h(t-1) + W_z x(t) + b_z) tanh(A h(t-1) + W_n x(t) + b_n)

    M is strictly upper triangular; its H (H − 1) / 2 entries are the vector R, row after row. All eigenvalues of A have the real part −γ. Rows of
    W and b: n and, if gated, z. H (H − 1) / 2 + H (F + 1) weights, and H (F + 1) more for the gate; O(H² + H F) a step. The state is h. W_n and W_z
    are V and V_z of the paper. Differs from the paper in the start of the weights: R is uniform within ± 1 / sqrt(H), W is uniform after Glorot.

    References
    ----------
    B. Chang, M. Chen, E. Haber, E. H. Chi, "AntisymmetricRNN: a dynamical system view on recurrent neural networks", ICLR 2019 (arXiv:1902.09689).

    Examples
    --------
    >>> from skrnn.cells import Antisymmetric
    >>> [
    ...     sum(
    ...         w.numel()
    ...         for w in Antisymmetric(gated=gated).build(1, 128).parameters()
    ...     )
    ...     for gated in (False, True)
    ... ]
    [8384, 8640]
    """

    _upper: Tensor

    def __init__(self, step_size: float = 0.3, diffusion: float = 0.1, gated: bool = False) -> None:
        super().__init__()
        self.step_size = step_size
        self.diffusion = diffusion
        self.gated = gated

    def _build(self, generator: Generator | None) -> None:
        self._check()
        H, n_blocks = self.hidden_size, 2 if self.gated else 1
        self.W = input_weights(H, self.input_size, generator, n_blocks=n_blocks)
        self.R = small((H * (H - 1) // 2,), H, generator)
        self.b = nn.Parameter(torch.zeros(n_blocks * H))
        row, column = torch.triu_indices(H, H, offset=1)
        self.register_buffer("_upper", row * H + column, persistent=False)

    def _check(self) -> None:
        if not isinstance(self.step_size, Real) or not 0 < self.step_size < float("inf"):
            raise ValueError(f"The 'step_size' parameter of Antisymmetric must be a positive number; got {self.step_size!r}")
        if not isinstance(self.diffusion, Real) or not 0 <= self.diffusion < float("inf"):
            raise ValueError(f"The 'diffusion' parameter of Antisymmetric must be a number of at least 0; got {self.diffusion!r}")

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h, M = state, self._matrix()
        a = product(h, M - M.T) - self.diffusion * h
        n, *z = u.split(self.hidden_size, -1)
        change = sigmoid(a + z[0]) * torch.tanh(a + n) if z else torch.tanh(a + n)
        h = h + self.step_size * change
        return h, h

    def _matrix(self) -> Tensor:
        """M, from the entries above its diagonal."""
        H = self.hidden_size
        return self.R.new_zeros(H * H).index_copy(0, self._upper, self.R).view(H, H)
