"""A small network that changes the weights of a cell along time."""

from __future__ import annotations

from typing import NamedTuple

import torch
from sklearn.base import clone
from torch import Generator, Tensor, nn

from ._base import Cell, count
from ._lstm import LSTM, LSTMState
from ._rows import product
from ._starts import input_weights
from ._state import State, hidden, map_hidden
from ._wrappers import Wrapper


class HyperState(NamedTuple):
    """State of the cell, and of the hypernetwork."""

    cell: State
    hyper: LSTMState


class Hyper(Wrapper):
    """Hypernetwork: a small LSTM scales the weights of a cell anew at every step (Ha, Dai & Le, 2016).

    For long sequences whose kind changes on the way, such as text and handwriting: the cell's weights follow. Around ``LSTM()`` it is the
    HyperLSTM of the paper in a form that fits every cell; a step costs several times that of the cell alone.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell whose weights are scaled; ``None`` is ``LSTM()``.
    hyper_size : int or None, default=None
        Units of the small LSTM; more follow a richer history. ``None`` is a quarter of the hidden size.
    embedding_size : int, default=16
        Numbers of which each of the three scalings is a linear function; more scale the units more independently of each other.

    Notes
    -----
    ::

        q(t), r(t) = LSTM([x(t); h(t-1)], r(t-1))                   Q units, the hypernetwork
        z_x(t), z_h(t), z_b(t) = E q(t)                             N numbers each
        u'(t) = (1 + D_x z_x(t)) u(t) + D_b z_b(t)                  u(t): what the cell makes of x(t), its bias included
        h'(t) = (1 + D_h z_h(t)) h(t-1)
        y(t), s(t) = cell(u'(t), s(t-1) with h'(t) in place of its hidden state h(t-1))

    R is (4 Q, H) and the part of the small LSTM's input weights that sees h, E is (3 N, Q), D_x and D_b are (k, N) where u has k entries, D_h is
    (H, N): 4 Q (F + H + Q + 1) + 3 N Q + N (2 k + H) weights and the cell's, as many multiplications a step. The state is (s, r). D starts at 0,
    so that the cell starts as the one inside, with all scalings 1.

    A cell whose hidden state is its memory, too, carries h' on: ``GRU`` inside gives z(t) h'(t) + (1 − z(t)) n(t), and ``Leaky`` belongs outside,
    ``Leaky(Hyper(cell))``.

    Differs from the paper: it scales the rows of R_cell h(t-1), for each gate with other numbers; scaling h(t-1) scales the columns of R_cell, for
    all gates alike. One embedding serves all gates, where the paper has one for each. The input's scaling includes the bias. There is no layer
    normalisation around, so that scalings start at 1 where the paper starts at 0.1; ``Hyper(LSTM(layer_norm=True))`` has it inside the cell.

    References
    ----------
    D. Ha, A. Dai, Q. V. Le, "HyperNetworks", arXiv:1609.09106, 2016.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import Elman, Hyper
    >>> cell = Hyper(Elman(), hyper_size=4).build(
    ...     1, 8, torch.Generator().manual_seed(0)
    ... )
    >>> x, state = torch.ones(2, 1), cell.initial_state(2, like=torch.ones(1))
    >>> bool(
    ...     (
    ...         cell.step(cell.project(x), state)[0]
    ...         == cell.cell_.step(cell.cell_.project(x), state.cell)[0]
    ...     ).all()
    ... )
    True
    """

    def __init__(self, cell: Cell | None = None, hyper_size: int | None = None, embedding_size: int = 16) -> None:
        super().__init__()
        self.cell = cell
        self.hyper_size = hyper_size
        self.embedding_size = embedding_size

    def _build(self, generator: Generator | None) -> None:
        count(self, "hyper_size", optional=True)
        count(self, "embedding_size")
        F, H, N = self.input_size, self.hidden_size, self.embedding_size
        Q = max(1, H // 4) if self.hyper_size is None else self.hyper_size
        inner = LSTM() if self.cell is None else clone(self.cell)
        self.cell_ = inner.build(F, H, generator)
        self.hyper_ = LSTM().build(F, Q, generator)
        self.R = input_weights(Q, H, generator, n_blocks=4)
        self.E = input_weights(N, Q, generator, n_blocks=3)
        k = self.cell_.project(torch.zeros(1, F)).shape[-1]
        self.D_x, self.D_h, self.D_b = (nn.Parameter(torch.zeros(rows, N)) for rows in (k, H, k))

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([self.cell_.project(x), self.hyper_.project(x)], -1)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        return HyperState(self.cell_.initial_state(batch_size, like=like), self.hyper_.initial_state(batch_size, like=like))

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        k = len(self.D_x)
        u, of_x = u.split([k, u.shape[-1] - k], -1)
        q, r = self.hyper_.step(of_x + product(hidden(state), self.R), state.hyper)
        z_x, z_h, z_b = product(q, self.E).chunk(3, -1)
        u = (1 + product(z_x, self.D_x)) * u + product(z_b, self.D_b)
        y, s = self.cell_.step(u, map_hidden(lambda h: (1 + product(z_h, self.D_h)) * h, state.cell))
        return y, HyperState(s, r)
