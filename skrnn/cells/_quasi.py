"""Quasi-recurrent networks: convolution over the last inputs, then element-wise pooling along time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell, choice
from ._kernel import OnDevice, WholeSequence
from ._parallel import last_steps, linear_scan, steps_before
from ._rows import linear, sigmoid
from ._starts import _uniform
from ._state import State

_N_GATES = {"f": 2, "fo": 3, "ifo": 4}


class QRNNState(NamedTuple):
    """Hidden state, cell, and what the inputs so far have to give to the gates of the next step, the one after, and so on."""

    h: Tensor
    c: Tensor
    taps: tuple[Tensor, ...]


class QRNN(Cell):
    """Quasi-recurrent network (Bradbury, Merity, Xiong & Socher, 2017).

    Gates that see the last few inputs instead of the state: all products run at once, the loop over time is element-wise. Made for text in several
    layers; with ``width=1`` close to :class:`MinGRU`. Stack two layers or more: the gates of one layer see ``width`` steps back.

    Parameters
    ----------
    width : int, default=2
        Number of inputs that the gates see, the present one counted: time steps.
    pool : {"fo", "f", "ifo"}, default="fo"
        Gates of the pooling: forget gate alone, with output gate, or with an input gate of its own as well.
    forget_bias : float, default=0.0
        Start of the forget gate's bias; larger remembers longer at the start.

    Notes
    -----
    ::

        z(t) = tanh(Σ_k W_zk x(t-k) + b_z)          k = 0 … width − 1, x before the first step is 0
        f(t) = σ(Σ_k W_fk x(t-k) + b_f)
        o(t) = σ(Σ_k W_ok x(t-k) + b_o)             or 1 for "f"
        i(t) = σ(Σ_k W_ik x(t-k) + b_i)             for "ifo", else 1 − f(t)
        c(t) = f(t) c(t-1) + i(t) z(t)
        h(t) = o(t) c(t)

    f keeps, as in the paper; some published code has f and 1 − f the other way round. Rows of W: for each k the gates z, f, o, i as far as
    there are such; of b the gates. G H (width F + 1) weights with G = 2, 3 or 4, O(G H width F) a step. The state is (h, c, taps), taps[k] the
    sum over the inputs so far of what the gates k + 1 steps later get from them, (B, G H) each: a sequence may be cut anywhere. On a GPU the
    steps run as a parallel scan of depth log₂ T. Differs from the paper: no zoneout (wrap the cell for that) and no dense connections.

    References
    ----------
    J. Bradbury, S. Merity, C. Xiong, R. Socher, "Quasi-recurrent neural networks", ICLR 2017, arXiv:1611.01576, section 2.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import QRNN
    >>> cell = QRNN(width=3).build(2, 4, torch.Generator().manual_seed(0))
    >>> [tap.shape for tap in cell.initial_state(5, like=torch.ones(1)).taps]
    [torch.Size([5, 12]), torch.Size([5, 12])]
    """

    def __init__(self, width: int = 2, pool: str = "fo", forget_bias: float = 0.0) -> None:
        super().__init__()
        self.width = width
        self.pool = pool
        self.forget_bias = forget_bias

    def _build(self, generator: Generator | None) -> None:
        choice(self, "pool", tuple(_N_GATES))
        F, H, width = self.input_size, self.hidden_size, self.width
        if not isinstance(width, int | np.integer) or width < 1:
            raise ValueError(f"The 'width' parameter of QRNN must be a number of time steps of at least 1; got {width!r}")
        self._n_rows = _N_GATES[self.pool] * H
        self.W = nn.Parameter(_uniform((width * self._n_rows, F), (6 / (width * F + H)) ** 0.5, generator))
        self.b = nn.Parameter(torch.zeros(self._n_rows))
        with torch.no_grad():
            self.b[H : 2 * H] = self.forget_bias

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        zero = super().initial_state(batch_size, like=like)
        return QRNNState(zero, zero, (like.new_zeros(batch_size, self._n_rows),) * (self.width - 1))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self._bias())

    def _bias(self) -> Tensor:
        return torch.cat([self.b, self.b.new_zeros((self.width - 1) * self._n_rows)])

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        _, c, taps = state
        *parts, last = u.split(self._n_rows, -1)
        now, *taps = *(part + tap for part, tap in zip(parts, taps, strict=True)), last
        f, new, o = self._gates(now)
        c = f * c + new
        h = c if o is None else o * c
        return h, QRNNState(h, c, tuple(taps))

    def _gates(self, a: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """f, i z and, if there is one, o."""
        z, f, *o_i = a.split(self.hidden_size, -1)
        f, *o_i = (sigmoid(gate) for gate in (f, *o_i))
        return f, (o_i[1] if self.pool == "ifo" else 1 - f) * torch.tanh(z), o_i[0] if o_i else None

    def kernel(self) -> WholeSequence | None:
        return OnDevice(gpu=self._in_parallel)

    def _in_parallel(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State]:
        way = packed.batch_sizes, reverse
        *parts, now = self.project(packed.data).split(self._n_rows, -1)
        taps: list[Tensor] = []
        for part, tap in zip(reversed(parts), reversed(state.taps), strict=True):
            taps.insert(0, last_steps(now, *way))
            now = part + steps_before(now, tap, *way)
        f, new, o = self._gates(now)
        c, last = linear_scan(f, new, state.c, *way)
        y = c if o is None else o * c
        return y, QRNNState(last_steps(y, *way), last, tuple(taps))
