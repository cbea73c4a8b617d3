"""Cells made of cells: each adds one idea to any cell."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import clone
from torch import Generator, Tensor

from ._base import Cell
from ._elman import Elman
from ._state import State, hidden, map_state


class Wrapper(Cell):
    """A cell around a cell; ``cell`` is the hyper-parameter, ``cell_`` the built copy."""

    cell: Cell | None

    def _build(self, generator: Generator | None) -> None:
        inner = Elman() if self.cell is None else clone(self.cell)
        self.cell_ = inner.build(self.input_size, self.hidden_size, generator)

    def project(self, x: Tensor) -> Tensor:
        return self.cell_.project(x)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        return self.cell_.initial_state(batch_size, like=like)

    @abstractmethod
    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]: ...


class Leaky(Wrapper):
    """Leaky units: low-pass filter every state of a cell (Jaeger et al., 2007; Goodfellow et al., 2016, section 10.9).

    A small rate makes the units slow, so that they remember over about 1 / rate time steps; units of several rates see several time scales.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell whose state leaks; ``None`` is ``Elman()``.
    rate : float or array-like of shape (hidden_size,), default=0.5
        Share of the new state, in (0, 1]: one for all units, or one for each. 1 changes nothing.

    Notes
    -----
    ::

        y'(t), s'(t) = cell(x(t), s(t-1))
        s(t) = (1 − a) s(t-1) + a s'(t)         y(t) = h(t), the hidden part of s(t)

    Costs H multiplications a step on top of the cell's. The state is the cell's.

    References
    ----------
    H. Jaeger et al., "Optimization and applications of echo state networks with leaky-integrator neurons", Neural Networks 20(3), 2007, eq. 2.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import GRU, Leaky
    >>> cell = Leaky(GRU(), rate=0.1).build(1, 4, torch.Generator().manual_seed(0))
    >>> y, state = cell.step(cell.project(torch.ones(1, 1)), cell.initial_state(1, like=torch.ones(1)))
    >>> bool(y.abs().max() < 0.1)
    True
    """

    def __init__(self, cell: Cell | None = None, rate: float | ArrayLike = 0.5) -> None:
        super().__init__()
        self.cell = cell
        self.rate = rate

    def _build(self, generator: Generator | None) -> None:
        rate = np.asarray(self.rate, dtype=float)
        if rate.shape not in ((), (self.hidden_size,)) or not ((rate > 0) & (rate <= 1)).all():
            raise ValueError(f"The 'rate' parameter of Leaky must be one number or {self.hidden_size} (hidden_size), in (0, 1]; got {self.rate!r}")
        super()._build(generator)
        self.register_buffer("a", torch.tensor(rate, dtype=torch.float64))  # float32 would round it for a network in float64

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        _, new = self.cell_.step(u, state)
        new = map_state(lambda before, after: before + self.a.to(before.dtype) * (after - before), state, new)
        return hidden(new), new
