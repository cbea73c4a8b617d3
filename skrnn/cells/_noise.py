"""Noise in the recurrence while training: wrappers that keep a cell from fitting its training set too well."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell
from ._kernel import WholeSequence
from ._state import State, hidden, map_hidden
from ._wrappers import Carried, Wrapper, map_units, output_of


def _check_rates(cell: Cell, *names: str, closed: bool = False) -> None:
    for name in names:
        rate = cell.get_params(deep=False)[name]
        if not isinstance(rate, Real) or not (0 <= float(rate) < 1 or (closed and rate == 1)):
            raise ValueError(f"The {name!r} parameter of {type(cell).__name__} must be a share in [0, 1{']' if closed else ')'}; got {rate!r}")


def _drawn(share: float, like: Tensor, generator: Generator | None) -> Tensor:
    """1 in a random ``share`` of the places, else 0: drawn in float32 on the CPU, alike in every dtype and on every device."""
    return torch.empty(like.shape, dtype=torch.float32).bernoulli_(share, generator=generator).to(like)


def _scaled(rate: float, like: Tensor, generator: Generator | None) -> Tensor:
    """0 in a random share ``rate`` of the places, else 1 / (1 − rate): 1 on average."""
    return _drawn(1 - rate, like, generator) / (1 - rate)


class Zoneout(Wrapper):
    """Zoneout: while training, random units keep their state for a step (Krueger et al., 2017).

    Regularises any cell and lets gradients through unchanged where a unit keeps its state; the paper recommends rates of 0.05 to 0.2.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell whose units keep their state; ``None`` is ``Elman()``.
    hidden_rate : float, default=0.15
        Probability, in [0, 1], that a unit of the hidden state keeps its value for a step; larger regularises more, 1 freezes the state.
    cell_rate : float, default=0.15
        The same for all other parts of the state, as the LSTM's cell. The defaults are the paper's for sequential MNIST.

    Notes
    -----
    ::

        y'(t), s'(t) = cell(x(t), s(t-1))
        s(t) = d(t) s(t-1) + (1 − d(t)) s'(t)   y(t) = h(t), the hidden part of s(t)

    While training, d(t) is 1 with probability z, the rate, else 0, drawn for each unit, step and sequence; else d(t) = z, its mean. The hidden
    state comes from the cell's new state before that is zoned out, as in the paper. Where the cell's output is not its hidden state,
    y(t) = y'(t). Costs H random numbers a step on top of the cell's; no weights. The state is the cell's; what it counts or only carries along
    goes on.

    References
    ----------
    D. Krueger et al., "Zoneout: regularizing RNNs by randomly preserving hidden activations", ICLR 2017.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import GRU, Zoneout
    >>> cell = (
    ...     Zoneout(GRU(), hidden_rate=0.5)
    ...     .build(1, 1000, torch.Generator().manual_seed(0))
    ...     .train()
    ... )
    >>> y, h = cell.step(
    ...     cell.project(torch.ones(1, 1)),
    ...     cell.initial_state(1, like=torch.ones(1)),
    ... )
    >>> round(float((h == 0).float().mean()), 1)
    0.5
    """

    def __init__(self, cell: Cell | None = None, hidden_rate: float = 0.15, cell_rate: float = 0.15) -> None:
        super().__init__()
        self.cell = cell
        self.hidden_rate = hidden_rate
        self.cell_rate = cell_rate

    def _build(self, generator: Generator | None) -> None:
        _check_rates(self, "hidden_rate", "cell_rate", closed=True)
        super()._build(generator)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y, new = self.cell_.step(u, state)
        zoned = map_units(partial(self._zone, self.hidden_rate), partial(self._zone, self.cell_rate), state, new)
        return output_of(y, new, zoned), zoned

    def _zone(self, rate: float, before: Tensor, after: Tensor) -> Tensor:
        if rate == 0:
            return after
        d = _drawn(rate, after, self.generator) if self.training else rate
        return d * before + (1 - d) * after

    def kernel(self) -> WholeSequence | None:
        return self.inner.kernel() if self.hidden_rate == self.cell_rate == 0 else None


class VariationalState(NamedTuple):
    """State of the cell inside, and factors of its input and of its hidden state that last for a sequence."""

    state: State
    masks: Carried


class VariationalDropout(Wrapper):
    """Variational dropout: while training, a sequence does without the same inputs and units at every step (Gal & Ghahramani, 2016).

    Regularises small data strongly; what is dropped stays dropped, so that noise does not add up along time. For cells that keep their memory
    apart from the hidden state, as the LSTM, or keep none, as Elman's.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell that does without; ``None`` is ``Elman()``.
    input_rate : float, default=0.25
        Probability, in [0, 1), that a sequence does without an input channel; larger regularises more.
    recurrent_rate : float, default=0.25
        The same for a unit of the hidden state, as the next step sees it.

    Notes
    -----
    ::

        y(t), s(t) = cell(m_x x(t), s~(t-1))            s~ is s with m_h h for its hidden part h

    While training, an entry of m_x is 0 with probability input_rate, else 1 / (1 − input_rate), and m_h likewise: drawn once for a sequence, the
    same for all gates. Else both are 1. Costs F + H multiplications a step on top of the cell's; while training with an input_rate above 0 the
    projection is not made ahead for all steps. No weights. The state is the cell's and (m_x, m_h).

    Where the hidden state is also the memory, as in the GRU, the memory is multiplied too: a dropped unit has none, and that of a kept one grows
    where its update gate keeps more than 1 − recurrent_rate; take recurrent_rate=0 or :class:`Zoneout` there, and put :class:`Leaky` and
    :class:`Zoneout` around this wrapper, not inside. Differs from the paper: no dropout of word types, which is a matter of the input.

    References
    ----------
    Y. Gal, Z. Ghahramani, "A theoretically grounded application of dropout in recurrent neural networks", NIPS 2016.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import LSTM, VariationalDropout
    >>> cell = (
    ...     VariationalDropout(LSTM())
    ...     .build(3, 8, torch.Generator().manual_seed(0))
    ...     .train()
    ... )
    >>> m_x, m_h = cell.initial_state(5, like=torch.ones(1)).masks.value
    >>> sorted(set(m_h.flatten().tolist()))
    [0.0, 1.333]
    """

    def __init__(self, cell: Cell | None = None, input_rate: float = 0.25, recurrent_rate: float = 0.25) -> None:
        super().__init__()
        self.cell = cell
        self.input_rate = input_rate
        self.recurrent_rate = recurrent_rate

    def _build(self, generator: Generator | None) -> None:
        _check_rates(self, "input_rate", "recurrent_rate")
        super()._build(generator)

    def project(self, x: Tensor) -> Tensor:
        return self.cell_.project(x) if self.input_rate == 0 else x

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        state = self.cell_.initial_state(batch_size, like=like)
        x, h = like.new_ones(batch_size, self.input_size), torch.ones_like(hidden(state))
        if self.training:
            x, h = _scaled(self.input_rate, x, self.generator), _scaled(self.recurrent_rate, h, self.generator)
        return VariationalState(state, Carried((x, h)))

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        inner, masks = state
        m_x, m_h = masks.value
        if self.input_rate > 0:
            u = self.cell_.project(m_x * u if self.training else u)
        y, new = self.cell_.step(u, map_hidden(lambda h: m_h * h, inner) if self.training else inner)
        return y, VariationalState(new, masks)

    def kernel(self) -> WholeSequence | None:
        whole = None if self.training else self.inner.kernel()
        return None if whole is None else partial(self._run, whole)

    def _run(self, whole: WholeSequence, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State] | None:
        done = whole(packed, state.state, reverse)
        return None if done is None else (done[0], state._replace(state=done[1]))


def _units(state: State) -> list[Tensor]:
    if torch.is_tensor(state):
        return [state] if state.is_floating_point() else []
    return [] if isinstance(state, Carried) else [units for part in state for units in _units(part)]


def _map_memory(fn: Callable[..., Tensor], *states: State) -> State:
    """All units but the hidden state through ``fn``, or the hidden state if a state has nothing else; the rest is the last state's."""
    has_apart = len(_units(states[0])) > 1
    return map_units((lambda *h: h[-1]) if has_apart else fn, fn, *states)


class RecurrentDropout(Wrapper):
    """Recurrent dropout without memory loss: while training, random units store nothing new for a step (Semeniuta et al., 2016).

    Regularises without making a cell forget: what is dropped is what a step would put into the memory, never the memory. Made for the LSTM;
    prediction is that of the cell and as fast.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell whose units store nothing; ``None`` is ``Elman()``.
    rate : float, default=0.25
        Probability, in [0, 1), that a unit stores nothing new in a step; larger regularises more.

    Notes
    -----
    ::

        y(t), s(t) = cell(x(t), s(t-1))
        y*(t), s*(t) = cell(x(t), s(t-1) with an empty memory)
        c~(t) = c(t) + (d(t) − 1) c*(t)         goes on instead of c(t)

    c is the memory: the state without its hidden part, or the hidden state where there is nothing else. While training, an entry of d(t) is 0
    with probability rate, else 1 / (1 − rate), drawn for each unit, step and sequence; c~ is c on average. Else d(t) = 1. In the LSTM without
    peepholes c*(t) = i(t) g(t), so that c~(t) = f(t) c(t-1) + d(t) i(t) g(t), the paper's equation. Costs a second step of the cell while
    training; no weights. The state is the cell's.

    Differs from the paper: h(t) comes from c(t), and sees c~(t) one step later; in cells whose hidden state is the memory, as the GRU, the gates
    of the second step see the empty memory too. Put wrappers that replace the last state by an older one, or average over sequences, around it.

    References
    ----------
    S. Semeniuta, A. Severyn, E. Barth, "Recurrent dropout without memory loss", COLING 2016.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import LSTM, RecurrentDropout
    >>> cell = (
    ...     RecurrentDropout(LSTM(), rate=0.5)
    ...     .build(1, 1000, torch.Generator().manual_seed(0))
    ...     .train()
    ... )
    >>> y, (h, c) = cell.step(
    ...     cell.project(torch.ones(1, 1)),
    ...     cell.initial_state(1, like=torch.ones(1)),
    ... )
    >>> round(float((c == 0).float().mean()), 1)
    0.5
    """

    def __init__(self, cell: Cell | None = None, rate: float = 0.25) -> None:
        super().__init__()
        self.cell = cell
        self.rate = rate

    def _build(self, generator: Generator | None) -> None:
        _check_rates(self, "rate")
        super()._build(generator)

    @property
    def _draws(self) -> bool:
        return self.training and self.rate > 0

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        y, new = self.cell_.step(u, state)
        if not self._draws:
            return y, new
        _, stored = self.cell_.step(u, _map_memory(torch.zeros_like, state))
        dropped = _map_memory(lambda c_stored, c: c + (_scaled(self.rate, c, self.generator) - 1) * c_stored, stored, new)
        return output_of(y, new, dropped), dropped

    def kernel(self) -> WholeSequence | None:
        return None if self._draws else self.inner.kernel()
