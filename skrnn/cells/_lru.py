"""Linear recurrent units."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell
from ._kernel import OnDevice, WholeSequence
from ._parallel import last_steps, linear_scan
from ._rows import linear, product
from ._state import State


class LRUState(NamedTuple):
    """Output, and real and imaginary parts of the memory."""

    h: Tensor
    real: Tensor
    imaginary: Tensor


class LRU(Cell):
    """Linear recurrent unit (Orvieto et al., 2023).

    A linear memory of damped oscillators, one a unit, for very long sequences; the step is linear, so that a GPU computes all steps at once. It
    remembers but cannot gate: what to keep must not depend on the input. Stack several layers with something nonlinear between them. The
    recurrence alone: the paper's block has normalisation before it, and a gated linear unit and a skip connection after it.

    Parameters
    ----------
    r_min, r_max : float, default=0.4, 0.99
        The moduli of λ start in this ring within the unit disk, 0 ≤ r_min ≤ r_max < 1. A unit remembers about ``1 / (1 − |λ|)`` time steps: 0.9 to
        0.999 is for sequences of thousands.
    max_phase : float, default=2π
        The phases start between 0 and this, in (0, 2π]: a unit turns around once in 2π / phase time steps. Small phases (π / 10) are for very long
        sequences, whose slow changes matter.

    Notes
    -----
    ::

        λ = exp(−exp(ν) + i exp(θ))
        s(t) = λ ⊙ s(t-1) + exp(γ) ⊙ (B x(t))
        h(t) = Re(C s(t)) + D x(t)

    s, λ and the rows of B and C are complex: B is stored as (2, H, F), C as (2, H, H), real parts first. ``|λ| < 1`` with any weights. γ starts at
    ``log sqrt(1 − |λ|²)``, which gives s the variance 1 for white noise. 3 H + 3 H F + 2 H² weights, O(H² + H F) a step, of which the recurrence is
    O(H). The state is (h, Re s, Im s), of which the next step reads s. On a GPU the steps run as a parallel scan of depth log₂ T.

    ν, θ and γ are the paper's ν^log, θ^log and γ^log. Differs from the paper: D is a matrix, since input and output may differ in size, where the
    published code has a diagonal.

    References
    ----------
    A. Orvieto et al., "Resurrecting recurrent neural networks for long sequences", ICML 2023, arXiv:2303.06349, section 3.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import LRU
    >>> cell = LRU(r_min=0.9, r_max=0.999).build(
    ...     1, 64, torch.Generator().manual_seed(0)
    ... )
    >>> modulus = torch.exp(-torch.exp(cell.nu))
    >>> bool(((modulus > 0.899) & (modulus < 0.9991)).all())
    True
    """

    undecayed = ("nu", "theta")  # a logarithm and a phase, where 0 is as good as any

    def __init__(self, r_min: float = 0.4, r_max: float = 0.99, max_phase: float = 2 * math.pi) -> None:
        super().__init__()
        self.r_min = r_min
        self.r_max = r_max
        self.max_phase = max_phase

    def _build(self, generator: Generator | None) -> None:
        self._check("r_max", 0 < self.r_max < 1, "in (0, 1)")
        self._check("r_min", 0 <= self.r_min <= self.r_max, f"in [0, r_max={self.r_max}]")
        self._check("max_phase", 0 < self.max_phase <= 2 * math.pi, "in (0, 2π]")
        F, H = self.input_size, self.hidden_size
        area, phase = 1 - torch.empty(2, H, dtype=torch.float32).uniform_(generator=generator).double()  # never 0, whose logarithm is infinite
        square = self.r_min**2 + area * (self.r_max**2 - self.r_min**2)
        self.nu = _parameter((-square.log() / 2).log())
        self.theta = _parameter((self.max_phase * phase).log())
        self.gamma = _parameter((1 - square).log() / 2)
        self.B = _parameter(torch.empty(2, H, F, dtype=torch.float32).normal_(0, (2 * F) ** -0.5, generator=generator))
        self.C = _parameter(torch.empty(2, H, H, dtype=torch.float32).normal_(0, H**-0.5, generator=generator))
        self.D = _parameter(torch.empty(H, F, dtype=torch.float32).normal_(0, F**-0.5, generator=generator))

    def _check(self, name: str, holds: bool, wanted: str) -> None:
        if not holds:
            raise ValueError(f"The {name!r} parameter of LRU must be a number {wanted}; got {self.get_params()[name]!r}")

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return LRUState(zero, zero, zero)

    def project(self, x: Tensor) -> Tensor:
        return linear(x, torch.cat([self._inward(), self.D]), None)

    def _inward(self) -> Tensor:
        """exp(γ) ⊙ B, real parts above imaginary parts."""
        return (self.gamma.exp()[:, None] * self.B).flatten(0, 1)

    def _factors(self) -> Tensor:
        """Real and imaginary parts of λ."""
        phase = self.theta.exp()
        return torch.exp(-self.nu.exp()) * torch.stack([phase.cos(), phase.sin()])

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        _, real, imaginary = state
        a, a_i = self._factors()
        u, u_i, skip = u.chunk(3, -1)
        real, imaginary = a * real - a_i * imaginary + u, a * imaginary + a_i * real + u_i
        h = product(real, self.C[0]) - product(imaginary, self.C[1]) + skip
        return h, LRUState(h, real, imaginary)

    def kernel(self) -> WholeSequence | None:
        return OnDevice(gpu=self._in_parallel)

    def _in_parallel(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
        x = packed.data
        if x.dtype == torch.bfloat16:  # which has no complex numbers
            return None
        u, a = (torch.complex(*v.chunk(2, -1)) for v in (linear(x, self._inward(), None), self._factors().flatten()))
        s, last = linear_scan(a.expand_as(u), u, torch.complex(*state[1:]), packed.batch_sizes, reverse)
        y = linear(torch.cat([s.real, s.imag], -1), torch.cat([self.C[0], -self.C[1]], -1), None) + linear(x, self.D, None)
        return y, LRUState(last_steps(y, packed.batch_sizes, reverse), last.real, last.imag)


def _parameter(start: Tensor) -> nn.Parameter:
    return nn.Parameter(start.float().to(torch.get_default_dtype()))
