"""Coupled oscillators."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from ._base import Cell
from ._rows import linear, product
from ._starts import input_weights, recurrent_weights
from ._state import State


class CoRNNState(NamedTuple):
    """Positions and velocities of the oscillators."""

    y: Tensor
    z: Tensor


class CoRNN(Cell):
    """Coupled oscillatory recurrent network (Rusch & Mishra, 2021).

    For long dependencies in sequences of which every step counts a little: every unit is a damped, driven oscillator, whose gradient neither
    explodes nor vanishes over many small steps. Its three constants are tuned to each task; the published ones range over 0.016–0.1, 0.2–66 and
    4.7–15. The published explicit scheme: the damping acts on the velocity before the step.

    Parameters
    ----------
    step_size : float, default=0.3
        Time that passes in a step, Δt. Smaller steps are for longer sequences: an oscillator follows its drive within some 1 / step_size steps.
    frequency : float, default=1.0
        Pull back to 0, γ: an undamped oscillator turns around once in 2π / (sqrt(γ) Δt) steps. A larger one shrinks the outputs, to about 1 / γ.
    damping : float, default=2.0
        Loss of velocity, ε. Larger is smoother and slower; from 2 sqrt(γ) on nothing swings.

    Notes
    -----
    ::

        z(t) = z(t-1) + Δt (tanh(W x(t) + R_y y(t-1) + R_z z(t-1) + b) − γ y(t-1) − ε z(t-1))
        y(t) = y(t-1) + Δt z(t)

    W is (H, F), R_y and R_z are (H, H), b is (H,): H (F + 2 H + 1) weights, O(H² + H F) a step. The state is (y, z), the output y. Oscillators that
    nothing drives come to rest if ε > 0 and γ Δt² + 2 ε Δt < 4; settings beyond that are refused. Differs from the authors' program in the start
    of the weights: W is uniform after Glorot, R_y and R_z are orthogonal, b is 0.

    References
    ----------
    T. K. Rusch, S. Mishra, "Coupled oscillatory recurrent neural network (coRNN): an accurate and (gradient) stable architecture for learning long
    time dependencies", ICLR 2021 (arXiv:2010.00951).

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import CoRNN
    >>> cell = CoRNN().build(3, 8, torch.Generator().manual_seed(0))
    >>> sum(w.numel() for w in cell.parameters())
    160
    """

    def __init__(self, step_size: float = 0.3, frequency: float = 1.0, damping: float = 2.0) -> None:
        super().__init__()
        self.step_size = step_size
        self.frequency = frequency
        self.damping = damping

    def _build(self, generator: Generator | None) -> None:
        self._check()
        H = self.hidden_size
        self.W = input_weights(H, self.input_size, generator)
        self.R_y = recurrent_weights([H], H, "orthogonal", generator)
        self.R_z = recurrent_weights([H], H, "orthogonal", generator)
        self.b = nn.Parameter(torch.zeros(H))

    def _check(self) -> None:
        dt, gamma, epsilon = self.step_size, self.frequency, self.damping
        if not isinstance(gamma, Real) or not 0 < gamma < float("inf"):
            raise ValueError(f"The 'frequency' parameter of CoRNN must be a positive number; got {gamma!r}")
        if not isinstance(epsilon, Real) or not 0 <= epsilon < float("inf"):
            raise ValueError(f"The 'damping' parameter of CoRNN must be a number of at least 0; got {epsilon!r}")
        if not isinstance(dt, Real) or not dt > 0 or not gamma * dt**2 + 2 * epsilon * dt < 4:
            raise ValueError(
                "The 'step_size' parameter of CoRNN must be positive and so small that frequency * step_size² + 2 * damping * step_size < 4, "
                f"else nothing comes to rest; got {dt!r} with frequency={gamma!r} and damping={epsilon!r}"
            )

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return CoRNNState(zero, zero)

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y, z = state
        drive = torch.tanh(u + product(y, self.R_y) + product(z, self.R_z))
        z = z + self.step_size * (drive - self.frequency * y - self.damping * z)
        y = y + self.step_size * z
        return y, CoRNNState(y, z)
