"""Minimal gated units, whose gates see the input alone."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ._base import Cell, choice
from ._kernel import OnDevice, WholeSequence
from ._parallel import linear_scan
from ._rows import linear, sigmoid
from ._starts import input_weights
from ._state import State


def _positive(a: Tensor) -> Tensor:
    return torch.where(a >= 0, a + 0.5, sigmoid(a))


_CANDIDATES = {"linear": lambda a: a, "positive": _positive}


class _GatedAverage(Cell):
    """h(t) = a h(t-1) + (1 − a) n with a and n from the input alone."""

    W: Tensor
    b: Tensor

    def project(self, x: Tensor) -> Tensor:
        return linear(x, self.W, self.b)

    @abstractmethod
    def _kept_and_new(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """What the state before is multiplied by, and what is added."""

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        kept, new = self._kept_and_new(u)
        h = kept * state + new
        return h, h

    def kernel(self) -> WholeSequence | None:
        return OnDevice(gpu=self._in_parallel)

    def _in_parallel(self, packed: PackedSequence, state: State, reverse: bool) -> tuple[Tensor, State]:
        return linear_scan(*self._kept_and_new(self.project(packed.data)), state, packed.batch_sizes, reverse)


class MinGRU(_GatedAverage):
    """Minimal gated recurrent unit (Feng et al., 2024).

    The least that a gated cell can be: a moving average whose rate and input are functions of the present input, so that a GPU computes all steps
    at once. Stack two layers or more: the gates of one layer do not know what came before. ``candidate="positive"`` is the paper's version in log
    space, whose state stays positive; here it needs no logarithms.

    Parameters
    ----------
    candidate : {"linear", "positive"}, default="linear"
        The function g: g(a) = a, or g(a) = a + 1/2 for a ≥ 0 and σ(a) below.
    update_bias : float, default=0.0
        Start of b_z. Lower remembers longer at the start: about exp(−update_bias) time steps from −1 on.

    Notes
    -----
    ::

        z(t) = σ(W_z x(t) + b_z)
        n(t) = g(W_n x(t) + b_n)
        h(t) = (1 − z(t)) h(t-1) + z(t) n(t)

    z writes, as in the paper, where :class:`GRU`'s z keeps. Rows of W and b: z, n. 2 H (F + 1) weights, O(H F) a step. The state is h. On a
    GPU the steps run as a parallel scan of depth log₂ T. The paper counts 2 H F weights, without biases.

    References
    ----------
    L. Feng et al., "Were RNNs all we needed?", arXiv:2410.01201, 2024.

    Examples
    --------
    >>> from skrnn.cells import GRU, MinGRU
    >>> [
    ...     sum(w.numel() for w in cell.build(3, 32).parameters())
    ...     for cell in (GRU(), MinGRU())
    ... ]
    [3488, 256]
    """

    def __init__(self, candidate: str = "linear", update_bias: float = 0.0) -> None:
        super().__init__()
        self.candidate = candidate
        self.update_bias = update_bias

    def _build(self, generator: Generator | None) -> None:
        choice(self, "candidate", tuple(_CANDIDATES))
        H = self.hidden_size
        self.W = input_weights(H, self.input_size, generator, n_blocks=2)
        self.b = nn.Parameter(torch.cat([torch.full((H,), float(self.update_bias)), torch.zeros(H)]))

    def _kept_and_new(self, u: Tensor) -> tuple[Tensor, Tensor]:
        z, n = u.chunk(2, -1)
        z = sigmoid(z)
        return 1 - z, z * _CANDIDATES[self.candidate](n)

    def gate_values(self, u: Tensor, state: State) -> dict[str, Tensor]:
        return {"z": 1 - self._kept_and_new(u)[0]}


class MinLSTM(_GatedAverage):
    """Minimal long short-term memory (Feng et al., 2024).

    :class:`MinGRU` with two gates that share the state out between old and new; half as many weights again, at about the same quality. The
    length-independent version of the paper: the gates sum to 1. Stack two layers or more.

    Parameters
    ----------
    candidate : {"linear", "positive"}, default="linear"
        The function g: g(a) = a, or g(a) = a + 1/2 for a ≥ 0 and σ(a) below (the paper's version in log space).
    forget_bias : float, default=1.0
        Start of b_f; larger remembers longer at the start.

    Notes
    -----
    ::

        f(t) = σ(W_f x(t) + b_f)
        i(t) = σ(W_i x(t) + b_i)
        n(t) = g(W_n x(t) + b_n)
        h(t) = f(t) / (f(t) + i(t)) h(t-1) + i(t) / (f(t) + i(t)) n(t)

    With f = σ(a) and i = σ(b), f / (f + i) is computed as (1 + exp(−b)) / (2 + exp(−a) + exp(−b)), which closed gates do not make 0 / 0. Rows of
    W and b: f, i, n. 3 H (F + 1) weights, O(H F) a step. The state is h. On a GPU the steps run as a parallel scan of depth log₂ T. The paper
    counts 3 H F weights, without biases.

    References
    ----------
    L. Feng et al., "Were RNNs all we needed?", arXiv:2410.01201, 2024.

    Examples
    --------
    >>> from skrnn.cells import LSTM, MinLSTM
    >>> [
    ...     sum(w.numel() for w in cell.build(3, 32).parameters())
    ...     for cell in (LSTM(), MinLSTM())
    ... ]
    [4608, 384]
    """

    def __init__(self, candidate: str = "linear", forget_bias: float = 1.0) -> None:
        super().__init__()
        self.candidate = candidate
        self.forget_bias = forget_bias

    def _build(self, generator: Generator | None) -> None:
        choice(self, "candidate", tuple(_CANDIDATES))
        H = self.hidden_size
        self.W = input_weights(H, self.input_size, generator, n_blocks=3)
        self.b = nn.Parameter(torch.cat([torch.full((H,), float(self.forget_bias)), torch.zeros(2 * H)]))

    def _kept_and_new(self, u: Tensor) -> tuple[Tensor, Tensor]:
        f, i, n = u.chunk(3, -1)
        not_f, not_i = _power(f), _power(i)
        f = (1 + not_i) / (2 + not_f + not_i)
        return f, (1 - f) * _CANDIDATES[self.candidate](n)

    def gate_values(self, u: Tensor, state: State) -> dict[str, Tensor]:
        """f and i as the state sees them, f / (f + i) and i / (f + i)."""
        f, _ = self._kept_and_new(u)
        return {"f": f, "i": 1 - f}


def _power(a: Tensor) -> Tensor:
    """exp(−a), which stays finite; the gradient is that of the exponential everywhere."""
    return torch.exp(-a - (a.clamp(min=-80) - a).detach())
