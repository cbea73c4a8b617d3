"""Connections that skip: over time steps, and over the cell."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell, count
from ._kernel import WholeSequence
from ._rows import linear
from ._starts import input_weights
from ._state import State, map_state
from ._wrappers import Carried, Wrapper


class SkipState(NamedTuple):
    """State of the cell inside, and what it will see again: older outputs or states, along axis 1 of each tensor, the oldest first."""

    state: State
    past: Carried


class Skip(Wrapper):
    """Skip connections through time (Lin, Horne, Tiňo & Giles, 1996; El Hihi & Bengio, 1996).

    A gradient that fades over T steps fades over T / delay of them: choose it, with a delay near the distance that matters, where a cell forgets
    or its gradient fades. ``remove_short=True`` leaves the long connections alone: the cell runs over every ``delay``-th step, interleaved, as in
    dilated recurrent networks (Chang et al., 2017), and no step sees the one before it; put an ordinary layer below or above.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell that sees its older states; ``None`` is ``Elman()``.
    delay : int, default=10
        Time steps that a connection skips to; larger bridges longer gaps, and needs more memory. 1 adds nothing to see.
    remove_short : bool, default=False
        Whether the state of ``delay`` steps ago stands in for the last one, instead of coming on top of it.

    Notes
    -----
    With D the delay::

        y(t), s(t) = cell([x(t), y(t-D)], s(t-1))        or, with remove_short,
        y(t), s(t) = cell(x(t), s(t-D))

    The cell takes y(t-D) as H further channels of its input, so that every gate sees it through weights of its own and no memory is disturbed:
    around ``Elman()`` it is h(t) = f(W x(t) + R h(t-1) + R_D h(t-D) + b), the columns of R_D on the right of W. Before the start y is 0 and s
    the initial state. Weights: those of a cell with F + H channels, or, with remove_short, of the cell. O(H² + D H) a step on top of the cell's,
    whose projection is not made ahead for all steps; with remove_short, O(D H). The state is the cell's and the last D outputs, oldest first,
    or, with remove_short, the cell's and the D − 1 states before it.

    Differs from the papers: any cell and one delay, where Lin et al. take all delays up to D and El Hihi & Bengio several groups of units.

    References
    ----------
    T. Lin, B. G. Horne, P. Tiňo, C. L. Giles, "Learning long-term dependencies in NARX recurrent neural networks", IEEE TNN 7(6), 1996.
    S. El Hihi, Y. Bengio, "Hierarchical recurrent neural networks for long-term dependencies", NIPS 8, 1996.
    S. Chang et al., "Dilated recurrent neural networks", NIPS 2017.

    Examples
    --------
    >>> from skrnn.cells import Elman, Skip
    >>> {
    ...     short: sum(
    ...         w.numel()
    ...         for w in Skip(Elman(), 5, short).build(3, 8).parameters()
    ...     )
    ...     for short in (False, True)
    ... }
    {False: 160, True: 96}
    """

    def __init__(self, cell: Cell | None = None, delay: int = 10, remove_short: bool = False) -> None:
        super().__init__()
        self.cell = cell
        self.delay = delay
        self.remove_short = remove_short

    def _build(self, generator: Generator | None) -> None:
        count(self, "delay")
        self._build_cell(self.input_size + (0 if self.remove_short else self.hidden_size), generator)

    def project(self, x: Tensor) -> Tensor:
        return self.cell_.project(x) if self.remove_short else x

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        state = self.cell_.initial_state(batch_size, like=like)
        if self.remove_short:
            past = map_state(lambda s: s[:, None].repeat_interleave(int(self.delay) - 1, 1), state)
        else:
            past = like.new_zeros(batch_size, self.delay, self.hidden_size)
        return SkipState(state, Carried(past))

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        last, (past,) = state
        if self.remove_short:
            past = map_state(_append, past, last)
            y, new = self.cell_.step(u, map_state(lambda s: s[:, 0], past))
        else:
            y, new = self.cell_.step(self.cell_.project(torch.cat([u, past[:, 0]], -1)), last)
            past = _append(past, y)
        return y, SkipState(new, Carried(map_state(lambda s: s[:, 1:], past)))


def _append(past: Tensor, last: Tensor) -> Tensor:
    return torch.cat([past, last[:, None]], 1)


class Residual(Wrapper):
    """Residual connection around a cell: the output is the cell's plus the input (Wu et al., 2016; He et al., 2016).

    Choose it for the layers of a deep stack: the gradient reaches the lower layers through the sum, and each layer learns what to change.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell whose output is added to; ``None`` is ``Elman()``. Wrappers that change its state, as ``Leaky`` or ``Zoneout``, go inside.

    Notes
    -----
    ::

        y'(t), s(t) = cell(x(t), s(t-1))
        y(t) = y'(t) + x(t)                     or, if F ≠ H,
        y(t) = y'(t) + P x(t)

    P is (H, F) and has no bias: no weights on top of the cell's, or H F. Costs O(H), or O(H F), a step on top of the cell's. The state is the
    cell's: its hidden part is not the output. Differs from Wu et al.: one cell, which decides about its own connection, and P, from He et al.,
    where the sizes differ.

    References
    ----------
    Y. Wu et al., "Google's neural machine translation system", arXiv:1609.08144, 2016.
    K. He, X. Zhang, S. Ren, J. Sun, "Deep residual learning for image recognition", CVPR 2016, eq. 1 and 2.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import GRU, Residual
    >>> cell, x = (
    ...     Residual(GRU()).build(4, 4, torch.Generator().manual_seed(0)),
    ...     torch.ones(1, 4),
    ... )
    >>> y, h = cell.step(cell.project(x), cell.initial_state(1, like=x))
    >>> torch.equal(y, h + x)
    True
    """

    def __init__(self, cell: Cell | None = None) -> None:
        super().__init__()
        self.cell = cell

    def _build(self, generator: Generator | None) -> None:
        super()._build(generator)
        self.P = None if self.input_size == self.hidden_size else input_weights(self.hidden_size, self.input_size, generator)

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([self.cell_.project(x), self._shortcut(x)], -1)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        inner, shortcut = u.tensor_split([u.shape[-1] - self.hidden_size], -1)
        y, new = self.cell_.step(inner, state)
        return y + shortcut, new

    def _shortcut(self, x: Tensor) -> Tensor:
        return x if self.P is None else linear(x, self.P, None)

    def kernel(self) -> WholeSequence | None:
        whole = self.inner.kernel()
        return None if whole is None else partial(self._run, whole)

    def _run(self, whole: WholeSequence, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
        done = whole(packed, state, reverse)
        return None if done is None else (done[0] + self._shortcut(packed.data), done[1])
