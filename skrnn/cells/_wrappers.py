"""Cells made of cells: each adds one idea to any cell."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import clone
from torch import Generator, Tensor, nn

from ._base import Cell
from ._elman import Elman
from ._state import State, hidden


class Wrapper(Cell):
    """A cell around a cell; ``cell`` is the hyper-parameter, ``cell_`` the built copy."""

    cell: Cell | None

    @property
    def inner(self) -> Cell:
        """The cell inside: the built copy, before :meth:`build` as it was given."""
        built: Any = self._modules.get("cell_")
        return built or self.cell or Elman()

    def _build(self, generator: Generator | None) -> None:
        self._build_cell(self.input_size, generator)

    def _build_cell(self, input_size: int, generator: Generator | None) -> None:
        inner = Elman() if self.cell is None else clone(self.cell)
        self.cell_ = inner.build(input_size, self.hidden_size, generator)

    def project(self, x: Tensor) -> Tensor:
        return self.cell_.project(x)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        return self.cell_.initial_state(batch_size, like=like)

    @abstractmethod
    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]: ...


class Carried(NamedTuple):
    """What a state remembers beside the units, as drawn masks or older states: no wrapper around mixes, drops or replaces it."""

    value: State


def map_units(of_hidden: Callable[..., Tensor], of_rest: Callable[..., Tensor], *states: State) -> State:
    """The hidden state through one function and the other units through another; counters and what is carried stay those of the last state."""
    first, last = states[0], states[-1]
    if torch.is_tensor(first):
        return of_hidden(*states) if first.is_floating_point() else last
    if isinstance(first, Carried):
        return last
    functions = (of_hidden, *[of_rest] * (len(first) - 1))
    parts = [map_units(f, of_rest, *part) for f, *part in zip(functions, *states, strict=True)]
    return tuple(parts) if type(first) is tuple else type(first)(*parts)


def output_of(y: Tensor, new: State, changed: State) -> Tensor:
    """The output of a cell whose ``new`` state was changed: the changed hidden state if ``y`` was the hidden state, else ``y``."""
    return hidden(changed) if y is hidden(new) else y


class Leaky(Wrapper):
    """Leaky units: low-pass filter every state of a cell (Jaeger et al., 2007; Goodfellow et al., 2016, section 10.9).

    A small rate makes the units slow, so that they remember over about 1 / rate time steps; units of several rates see several time scales.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell whose state leaks; ``None`` is ``Elman()``.
    rate : float or array-like of shape (hidden_size,), default=0.5
        Share of the new state, in (0, 1]: one for all units, or one for each. 1 changes nothing.
    trainable : bool, default=False
        Learn the rates, one or one for each unit, as σ(b_a), which starts at ``rate`` < 1 and stays between 0 and 1.

    Notes
    -----
    ::

        y'(t), s'(t) = cell(x(t), s(t-1))
        s(t) = (1 − a) s(t-1) + a s'(t)         y(t) = h(t), the hidden part of s(t)

    a is the rate, or σ(b_a). Where the cell's output is not its hidden state, y(t) = y'(t). Costs H multiplications a step on top of the
    cell's; no weights, or those of b_a. The state is the cell's; what it counts or only carries along does not leak.

    References
    ----------
    H. Jaeger et al., "Optimization and applications of echo state networks with leaky-integrator neurons", Neural Networks 20(3), 2007, eq. 2.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import GRU, Leaky
    >>> cell = Leaky(GRU(), rate=0.1).build(
    ...     1, 4, torch.Generator().manual_seed(0)
    ... )
    >>> y, state = cell.step(
    ...     cell.project(torch.ones(1, 1)),
    ...     cell.initial_state(1, like=torch.ones(1)),
    ... )
    >>> bool(y.abs().max() < 0.1)
    True
    """

    a: Tensor

    def __init__(self, cell: Cell | None = None, rate: float | ArrayLike = 0.5, trainable: bool = False) -> None:
        super().__init__()
        self.cell = cell
        self.rate = rate
        self.trainable = trainable

    def _build(self, generator: Generator | None) -> None:
        rate = np.asarray(self.rate, dtype=float)
        below_end = rate < 1 if self.trainable else rate <= 1
        if rate.shape not in ((), (self.hidden_size,)) or not ((rate > 0) & below_end).all():
            shares = "(0, 1) where it is trainable" if self.trainable else "(0, 1]"
            raise ValueError(f"The 'rate' parameter of Leaky must be one number or {self.hidden_size} (hidden_size), in {shares}; got {self.rate!r}")
        super()._build(generator)
        a = torch.tensor(rate, dtype=torch.float64)
        self.register_buffer("a", None if self.trainable else a)  # float32 would round it for a network in float64
        self.b_a = nn.Parameter(torch.logit(a).to(torch.get_default_dtype())) if self.trainable else None

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y, new = self.cell_.step(u, state)
        a = self._share(u)
        leaked = map_units(*2 * [lambda before, after: before + a * (after - before)], state, new)
        return output_of(y, new, leaked), leaked

    def _share(self, like: Tensor) -> Tensor:
        return self.a.to(like.dtype) if self.b_a is None else torch.sigmoid(self.b_a)
