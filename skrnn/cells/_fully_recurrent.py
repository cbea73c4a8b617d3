"""Networks in which every unit sees every unit, and some of the units are the outputs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Generator, Tensor, nn

from ._base import Cell, choice
from ._elman import _ACTIVATIONS
from ._rows import linear, product
from ._starts import input_weights, recurrent_weights
from ._state import State


class FullyRecurrent(Cell):
    """Fully recurrent network, in which some of the units are the outputs (Williams & Zipser, 1989).

    The network that real-time recurrent learning was made for, and the cell to choose for it: targets act on units, not through a readout, and
    the units without target find their own use. With all units as outputs it is :class:`Elman` with logistic units.

    Parameters
    ----------
    activation : {"sigmoid", "tanh", "relu"}, default="sigmoid"
        The function f.
    n_outputs : int or None, default=None
        The first so many units are the outputs; the others are hidden, from whatever reads the cell, too. ``None``: all are outputs. Fewer outputs
        leave more units free of the task.

    Notes
    -----
    ::

        z(t) = [x(t); y(t-1); 1]
        y(t) = f([W R b] z(t)) = f(W x(t) + R y(t-1) + b)

    W is (H, F), R is (H, H), b is (H,): H (F + H + 1) weights, O(H² + H F) a step. The state is y, of all units; the cell's output is y with 0
    in the place of hidden units. Differs from the paper: W and R start as :class:`Elman`'s do, where the paper draws small random weights.

    References
    ----------
    R. J. Williams, D. Zipser, "A learning algorithm for continually running fully recurrent neural networks", Neural Computation 1(2), 1989.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import FullyRecurrent
    >>> cell = FullyRecurrent(n_outputs=1).build(
    ...     2, 3, torch.Generator().manual_seed(0)
    ... )
    >>> y, state = cell.step(
    ...     cell.project(torch.ones(1, 2)),
    ...     cell.initial_state(1, like=torch.ones(1)),
    ... )
    >>> (y > 0).tolist(), (state > 0).tolist()
    ([[True, False, False]], [[True, True, True]])
    """

    def __init__(self, activation: str = "sigmoid", n_outputs: int | None = None) -> None:
        super().__init__()
        self.activation = activation
        self.n_outputs = n_outputs

    def _build(self, generator: Generator | None) -> None:
        choice(self, "activation", tuple(_ACTIVATIONS))
        H, n = self.hidden_size, self.hidden_size if self.n_outputs is None else self.n_outputs
        if not isinstance(n, int | np.integer) or not 1 <= n <= H:
            raise ValueError(f"The 'n_outputs' parameter of FullyRecurrent must be None or a whole number from 1 to hidden_size={H}; got {n!r}")
        self._n_hidden = H - int(n)
        self.W = input_weights(H, self.input_size, generator)
        self.R = recurrent_weights([H], H, "orthogonal", generator)
        self.b = nn.Parameter(torch.zeros(H))

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y = _ACTIVATIONS[self.activation](u + product(state, self.R))
        in_sight = nn.functional.pad(y[:, : y.shape[1] - self._n_hidden], (0, self._n_hidden)) if self._n_hidden else y
        return in_sight, y
