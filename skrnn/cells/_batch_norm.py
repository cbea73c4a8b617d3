"""Batch normalisation of a recurrence, each time step by itself."""

from __future__ import annotations

from numbers import Real
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn

from ._base import Cell, Module, count
from ._state import State, hidden, map_hidden
from ._wrappers import Wrapper

_EPS = 1e-5  # a channel that is alike in all sequences, as h(0), becomes 0


class BatchNormState(NamedTuple):
    """State of the cell inside, and the number of steps made."""

    state: State
    n_steps: Tensor


class _StepNorm(Module):
    """γ (a − mean) / sqrt(var + 1e-5), with the mean and variance of the batch while training, else the running ones of the rows' time steps."""

    mean: Tensor
    var: Tensor
    n_batches: Tensor

    def __init__(self, size: int, max_steps: int, momentum: float, gain: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.gain = nn.Parameter(torch.full((size,), float(gain)))
        self.register_buffer("mean", torch.zeros(max_steps, size))
        self.register_buffer("var", torch.ones(max_steps, size))
        self.register_buffer("n_batches", torch.zeros(max_steps, dtype=torch.int64))

    def forward(self, a: Tensor, n_steps: Tensor) -> Tensor:
        if self.training and len(a) > 1:
            mean = a.mean(0)
            var = (a - mean).square().mean(0)
            self._follow(n_steps.clamp(max=len(self.mean) - 1), mean.detach(), var.detach())
        else:
            last = ((self.n_batches > 0).sum() - 1).clamp(min=0)  # a step that no batch has reached takes the last one's
            now = torch.minimum(n_steps, last)
            mean, var = self.mean[now], self.var[now]
        return self.gain * (a - mean) / torch.sqrt(var + _EPS)

    @torch.no_grad()
    def _follow(self, now: Tensor, mean: Tensor, var: Tensor) -> None:
        """Running averages; the plain one of the first batches, so that the start does not count."""
        n = self.n_batches[now] + 1
        share = n.to(mean.dtype).reciprocal().clamp(min=self.momentum)[:, None]
        self.mean[now] = self.mean[now] + share * (mean - self.mean[now])
        self.var[now] = self.var[now] + share * (var - self.var[now])
        self.n_batches[now] = n


class BatchNorm(Wrapper):
    """Batch normalisation of the input and of the recurrence, with statistics of their own for every time step (Cooijmans et al., 2016).

    Choose it for fast training on many sequences of like length. While training, a sequence's output depends on the batch that it is in; layer
    normalisation, a setting of ``Elman``, ``LSTM`` and ``GRU``, does without that. For cells that keep their memory apart from the hidden state,
    as the LSTM, or keep none, as Elman's.

    Parameters
    ----------
    cell : Cell or None, default=None
        The cell whose input and hidden state are normalised; ``None`` is ``Elman()``.
    max_steps : int, default=100
        Time steps with statistics of their own; later ones share the last. More fit the start of a sequence better, fewer are surer.
    momentum : float, default=0.1
        Share, in (0, 1], of a new batch in the running statistics; larger forgets older batches sooner.
    gain : float, default=0.1
        Start of γ_x and γ_h. The gradient through tanh fades with a larger one.

    Notes
    -----
    ::

        u(t) = W x(t) + b                               or whatever the cell makes of x(t) alone
        u'(t) = γ_x (u(t) − mean) / sqrt(var + 1e-5) + b
        h'(t-1) = γ_h (h(t-1) − mean) / sqrt(var + 1e-5)
        y(t), s(t) = cell's step from u'(t) and h'(t-1)

    Mean and variance are those of every channel over the sequences of the batch, at the t-th step from where each began; with running averages
    of them when predicting, and where a batch has a single sequence left. Where sequences of different lengths run backwards, each step
    averages over all that have begun. Learning rules that run each sequence by itself (RTRL) see no batch: only the gains act there. b is what
    the cell makes of x = 0. Weights: H more, and one for each channel of u, 4 H in the LSTM; O(H) a step on top of the cell's. The state is the
    cell's and the number of steps. Where the hidden state is also the memory, as in the GRU, h' takes the memory's place, which may grow beyond
    the steps seen in training.

    Differs from the paper: normalises h where it normalises R h, leaves the LSTM's cell alone, and adds no noise to h(0).

    References
    ----------
    T. Cooijmans, N. Ballas, C. Laurent, Ç. Gülçehre, A. Courville, "Recurrent batch normalization", ICLR 2017, arXiv:1603.09025.

    Examples
    --------
    >>> import torch
    >>> from skrnn.cells import LSTM, BatchNorm
    >>> cell = BatchNorm(LSTM()).build(3, 8, torch.Generator().manual_seed(0))
    >>> sum(w.numel() for w in cell.parameters()) - sum(
    ...     w.numel() for w in cell.cell_.parameters()
    ... )
    40
    """

    norm_x: _StepNorm
    norm_h: _StepNorm
    couples_sequences = True

    def __init__(self, cell: Cell | None = None, max_steps: int = 100, momentum: float = 0.1, gain: float = 0.1) -> None:
        super().__init__()
        self.cell = cell
        self.max_steps = max_steps
        self.momentum = momentum
        self.gain = gain

    def _build(self, generator: Generator | None) -> None:
        count(self, "max_steps")
        if not isinstance(self.momentum, Real) or not 0 < float(self.momentum) <= 1:
            raise ValueError(f"The 'momentum' parameter of BatchNorm must be a share in (0, 1]; got {self.momentum!r}")
        super()._build(generator)
        x = torch.zeros(1, self.input_size)
        sizes = self.cell_.project(x).shape[-1], hidden(self.cell_.initial_state(1, like=x)).shape[-1]
        self.norm_x, self.norm_h = (_StepNorm(size, int(self.max_steps), float(self.momentum), self.gain) for size in sizes)

    def initial_state(self, batch_size: int, *, like: Tensor) -> State:
        state = self.cell_.initial_state(batch_size, like=like)
        return BatchNormState(state, torch.zeros(batch_size, dtype=torch.int64, device=like.device))

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        inner, n_steps = state
        u = self.norm_x(u, n_steps) + self.cell_.project(u.new_zeros(1, self.input_size))
        y, new = self.cell_.step(u, map_hidden(lambda h: self.norm_h(h, n_steps), inner))
        return y, BatchNormState(new, n_steps + 1)
