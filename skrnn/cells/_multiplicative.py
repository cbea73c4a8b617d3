"""Recurrent weights that depend on the input, around any cell."""

from __future__ import annotations

from typing import Any

import torch
from torch import Generator, Tensor, nn

from ._base import Cell, count
from ._rows import linear, product
from ._starts import recurrent_weights
from ._state import State, hidden, map_hidden
from ._wrappers import Wrapper


class Multiplicative(Wrapper):
    """Multiplicative recurrence: every input has recurrent weights of its own (Sutskever et al., 2011; Krause et al., 2016).

    For symbols, text above all: what a letter does to the state depends on the letter, so that a cell of the same number of weights predicts
    better. Around ``Elman()`` it is the multiplicative RNN (MRNN) of Sutskever et al., around ``LSTM()`` the multiplicative LSTM (mLSTM) of
    Krause et al. The learning rate should be no larger than without it: recurrent weights are a product of two matrices.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell that sees m in place of its hidden state; ``None`` is ``Elman()``.
    n_factors : int or None, default=None
        Size of the product m; fewer cost less and tell inputs apart less finely. ``None`` is the hidden size.

    Notes
    -----
    ::

        m(t) = (W x(t) + b) (R h(t-1))                      or, with n_factors other than H,
        m(t) = P ((W x(t) + b) (R h(t-1)))
        y(t), s(t) = cell(x(t), s(t-1) with m(t) in place of its hidden state h(t-1))

    With K factors, W is (K, F), b is (K,), R is (K, H), P is (H, K): K (F + H + 1) weights, K H more with P, and the cell's; O(K H + K F) a
    step on top of the cell's. The state is the cell's. At the start W = 0, b = 1, and R, or P R, is the identity (for K < H a projection): every
    product starts at h(t-1), and the cell as the one inside.

    A cell whose hidden state is its memory, too, carries m on: ``GRU`` inside gives z(t) m(t) + (1 − z(t)) n(t). ``Leaky`` belongs outside,
    ``Leaky(Multiplicative(cell))``, else the leak is from m. A cell that does not look at its hidden state is not changed.

    Differs from the papers: they have no b, which here makes the start. With P, the cell's recurrent product is R_cell P m, where Sutskever
    et al. have a single matrix. They trained by Hessian-free optimisation.

    References
    ----------
    I. Sutskever, J. Martens, G. Hinton, "Generating text with recurrent neural networks", ICML 2011.
    B. Krause, L. Lu, I. Murray, S. Renals, "Multiplicative LSTM for sequence modelling", arXiv:1609.07959, 2016.

    Examples
    --------
    >>> from skrnn.cells import LSTM, Multiplicative
    >>> cells = {
    ...     "lstm": LSTM(),
    ...     "mlstm": Multiplicative(LSTM()),
    ...     "8 factors": Multiplicative(LSTM(), n_factors=8),
    ... }
    >>> {
    ...     name: sum(w.numel() for w in cell.build(3, 32).parameters())
    ...     for name, cell in cells.items()
    ... }
    {'lstm': 4608, 'mlstm': 5760, '8 factors': 5152}
    """

    def __init__(self, cell: Cell | None = None, n_factors: int | None = None) -> None:
        super().__init__()
        self.cell = cell
        self.n_factors = n_factors

    def _build(self, generator: Generator | None) -> None:
        H = self.hidden_size
        given: Any = self.n_factors  # np.int64, too
        count(self, "n_factors", optional=True)
        K = H if given is None else int(given)
        super()._build(generator)
        self.W = nn.Parameter(torch.zeros(K, self.input_size))
        self.b = nn.Parameter(torch.ones(K))
        self.R = recurrent_weights([K], H, "identity" if K == H else "orthogonal", generator)
        self.P = None if K == H else nn.Parameter(self.R.detach().T.clone())

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([linear(x, self.W, self.b), self.cell_.project(x)], -1)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        K = len(self.b)
        factors, u = u.split([K, u.shape[-1] - K], -1)
        m = factors * product(hidden(state), self.R)
        m = m if self.P is None else product(m, self.P)
        return self.cell_.step(u, map_hidden(lambda h: m, state))
