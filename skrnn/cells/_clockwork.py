"""Recurrent networks whose groups of units run at different clock rates."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from .. import kernels
from ._base import Cell, choice
from ._elman import _ACTIVATIONS
from ._kernel import OnDevice, WholeSequence, run_compiled
from ._rows import linear, product
from ._starts import RECURRENT_STARTS, input_weights, recurrent_weights
from ._state import State


class ClockworkState(NamedTuple):
    """Hidden state, and the number of steps made."""

    h: Tensor
    t: Tensor


class Clockwork(Cell):
    """Clockwork network: groups of units that are updated every so many steps (Koutník, Greff, Gomez & Schmidhuber, 2014).

    For signals with several time scales: a slow group holds its state between its updates, so that the gradient reaches far back in few steps,
    and costs nothing meanwhile. It beats gated cells at generating waveforms; what a sequence shows only between two ticks is lost to slow groups.

    Parameters
    ----------
    periods : sequence of int, default=(1, 2, 4, 8)
        Time steps from one update of a group to the next, shortest first; the units are divided among the groups as evenly as possible. Longer
        periods remember longer; the longest should be about the longest gap.
    activation : {"tanh", "relu", "sigmoid"}, default="tanh"
        The function f.
    recurrent_init : {"orthogonal", "identity", "uniform", "glorot", "spectral_radius"}, default="orthogonal"
        Start of R as in :class:`Elman`, group by group: of the rows of a group, the columns of the units that it sees.

    Notes
    -----
    ::

        u(t) = W x(t) + b
        h_k(t) = f(u_k(t) + Σ_{j ≥ k} R_kj h_j(t-1))      for groups k with t mod periods[k] = 0
        h_k(t) = h_k(t-1)                                 for the others

    Each group sees itself and slower ones: R is block-triangular. The steps t of each sequence are counted from 0, when every group is updated.
    With g groups of k units, H (F + 1) + k² g (g + 1) / 2 weights count; the other entries of R are 0, without effect and without gradient.
    O(H² + H F) a step. The compiled kernel computes a group only when it is due, and R_jk h_k only when h_k, or a slower group, has changed: with
    the default periods a fifth of :class:`Elman`'s multiplications by R, which makes batches faster from about 80 units on, and slower below.
    The state is (h, t), t in whole numbers. With the one period (1,) it is :class:`Elman`.

    Differs from the paper: periods need not be powers of 2, groups need not have the same size, and t starts at 0.

    References
    ----------
    J. Koutník, K. Greff, F. Gomez, J. Schmidhuber, "A clockwork RNN", ICML 2014, arXiv:1402.3511.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import Clockwork
    >>> cell = Clockwork(periods=(1, 3)).build(
    ...     1, 2, torch.Generator().manual_seed(0)
    ... )
    >>> _, first = cell.step(
    ...     cell.project(torch.ones(1, 1)),
    ...     cell.initial_state(1, like=torch.ones(1)),
    ... )
    >>> _, second = cell.step(cell.project(torch.ones(1, 1)), first)
    >>> (first.h == second.h).tolist()
    [[False, True]]
    """

    _edges: Tensor
    _period: Tensor
    _sees: Tensor

    def __init__(self, periods: tuple[int, ...] = (1, 2, 4, 8), activation: str = "tanh", recurrent_init: str = "orthogonal") -> None:
        super().__init__()
        self.periods = periods
        self.activation = activation
        self.recurrent_init = recurrent_init

    def _build(self, generator: Generator | None) -> None:
        choice(self, "activation", tuple(_ACTIVATIONS))
        choice(self, "recurrent_init", RECURRENT_STARTS)
        H, periods = self.hidden_size, np.asarray(self.periods)
        whole = periods.ndim == 1 and periods.dtype.kind in "iu"
        if not whole or not 1 <= len(periods) <= H or periods[0] < 1 or (np.diff(periods) < 0).any():
            wanted = f"1 to hidden_size={H} whole numbers, the shortest first"
            raise ValueError(f"The 'periods' parameter of Clockwork must be {wanted}; got {self.periods!r}")
        sizes = [len(units) for units in torch.arange(H).tensor_split(len(periods))]
        edges = np.cumsum([0, *sizes]).tolist()
        group = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes))
        self.W = input_weights(H, self.input_size, generator)
        rows = [recurrent_weights([high - low], H - low, self.recurrent_init, generator) for low, high in pairwise(edges)]
        self.R = nn.Parameter(torch.cat([nn.functional.pad(r.detach(), (H - r.shape[1], 0)) for r in rows]))
        self.b = nn.Parameter(torch.zeros(H))
        self.register_buffer("_edges", torch.tensor(edges), persistent=False)
        self.register_buffer("_period", torch.tensor(periods, dtype=torch.int64)[group], persistent=False)
        self.register_buffer("_sees", group[:, None] <= group, persistent=False)

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        h = super().initial_state(batch_size, like=like)
        return ClockworkState(h, torch.zeros(batch_size, dtype=torch.int64, device=like.device))

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        h, t = state
        due = t[:, None] % self._period == 0
        h = torch.where(due, _ACTIVATIONS[self.activation](u + product(h, self.R * self._sees)), h)
        return h, ClockworkState(h, t + 1)

    def kernel(self) -> WholeSequence | None:
        return OnDevice(cpu=self._run)

    def _run(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State]:
        groups = self._edges, self._period[self._edges[:-1]]
        y, h, t = run_compiled(kernels.clockwork[self.activation], packed, reverse, self.W, self.b, self.R, *groups, *state)
        return y, ClockworkState(h, t)
