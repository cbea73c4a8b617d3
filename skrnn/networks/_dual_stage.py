"""Attention in two stages: over the series that drive another one, and over time (Qin et al., 2017)."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, Layers, State, Wrapper, flat
from ..cells._rows import product, softmax, weighted_sums
from ..cells._starts import input_weights, small
from ..engine import Runnable, scan, scan_watched
from ._network import Linear


def units_of(state: State) -> Tensor:
    """All units of a state side by side (batch, n_units): of an LSTM [h; s]."""
    return torch.cat([leaf.flatten(1) for leaf in flat(state) if leaf.is_floating_point()], -1)


class Weighing(NamedTuple):
    """State of a cell, what it looks at (batch, n, …) with keys, the weights (batch, n) of the last step, and what they gave."""

    inner: State
    values: Tensor
    keys: Tensor
    weights: Tensor
    context: Tensor


class _Weighs(Wrapper):
    """A cell that weighs n things by v tanh(W [h; s] + U thing): the state decides, because tanh keeps it from cancelling in the softmax."""

    def __init__(self, cell: Cell | None = None, size: int = 1) -> None:
        super().__init__()
        self.cell = cell
        self.size = size

    def _build_scores(self, generator: Generator | None) -> None:
        n_units = units_of(self.cell_.initial_state(1, like=torch.empty(0))).shape[1]
        self.W = input_weights(self.size, n_units, generator)
        self.U = input_weights(self.size, self.size, generator)
        self.v = small((self.size,), self.size, generator)

    def project(self, x: Tensor) -> Tensor:
        return x

    def look_at(self, things: Tensor, values: Tensor) -> Weighing:
        """The state before the first step, of a batch of things (batch, n, size) to be weighed."""
        inner = self.cell_.initial_state(len(things), like=things)
        context = values.new_zeros(values.shape[0], values.shape[-1])
        return Weighing(inner, values, product(things, self.U), things.new_zeros(things.shape[:2]), context)

    def initial_state(self, batch_size: int, *, like: Tensor) -> Weighing:
        """With one thing of zeros, until :meth:`look_at`."""
        nothing = like.new_zeros(batch_size, 1, self.size)
        return self.look_at(nothing, nothing)

    def weigh(self, state: Weighing) -> Tensor:
        """softmax over the things."""
        query = product(units_of(state.inner), self.W)[:, None]
        return softmax(product(torch.tanh(query + state.keys), self.v[None])[..., 0])


class InputAttention(_Weighs):
    """The encoder's cell: every step weighs the driving series by their whole windows (Qin et al., 2017, eqs. 8 to 11).

    Parameters
    ----------
    cell : Cell or None, default=None
        What happens in a step; the paper's is ``LSTM()``.
    size : int, default=1
        Steps T of a window.

    Notes
    -----
    ::

        e(t) = v tanh(W [h(t-1); s(t-1)] + U x^k)         for each driving series k, x^k its window
        a(t) = softmax over k of e(t)                      h(t), s(t) = cell(a(t) x(t), …)
    """

    def _build(self, generator: Generator | None) -> None:
        self._build_cell(self.input_size, generator)
        self._build_scores(generator)

    def step(self, u: Tensor, state: Weighing) -> tuple[Tensor, Weighing]:
        a = self.weigh(state)
        h, inner = self.cell_.step(self.cell_.project(a * u), state.inner)
        return h, state._replace(inner=inner, weights=a)


class TemporalAttention(_Weighs):
    """The decoder's cell: every step weighs the encoder's outputs, and reads the target's past (Qin et al., 2017, eqs. 12 to 21).

    Parameters
    ----------
    cell : Cell or None, default=None
        What happens in a step; the paper's is ``LSTM()``.
    size : int, default=1
        Size m of the encoder's outputs.

    Notes
    -----
    ::

        l(t) = v tanh(W [d(t-1); s'(t-1)] + U h(i))        for each step i of the encoder
        b(t) = softmax over i of l(t)                      c(t) = Σ_i b_i(t) h(i)
        ỹ(t-1) = w [y(t-1); c(t-1)] + b̃                    d(t), s'(t) = cell(ỹ(t-1), …)
        output(t) = [d(t); c(t)]
    """

    def _build(self, generator: Generator | None) -> None:
        self._build_cell(1, generator)
        self._build_scores(generator)
        self.w = input_weights(1, self.input_size + self.size, generator)
        self.b = nn.Parameter(torch.zeros(1))

    def step(self, u: Tensor, state: Weighing) -> tuple[Tensor, Weighing]:
        b = self.weigh(state)
        y = product(torch.cat([u, state.context], -1), self.w, self.b)
        d, inner = self.cell_.step(self.cell_.project(y), state.inner)
        c = weighted_sums(b, state.values)
        return torch.cat([d, c], -1), Weighing(inner, state.values, state.keys, b, c)


class DualStage(Runnable):
    """Windows of driving series and of the target's past to the target's next value.

    The last column of a window is the target's past. All windows of a batch have ``n_lags`` steps.

    Parameters
    ----------
    cell : Cell
        Of the encoder and of the decoder.
    n_drivers, n_lags : int
        Driving series, and steps of a window.
    hidden_size, decoder_size : int
        Units of the encoder and of the decoder.
    bias : Tensor of shape (n_outputs,)
        Start of the head's bias; the weights behind it start at zero.
    generator : torch.Generator or None
    """

    def __init__(
        self, cell: Cell, n_drivers: int, n_lags: int, hidden_size: int, decoder_size: int, bias: Tensor, *, generator: Generator | None = None
    ) -> None:
        super().__init__()
        self.encoder = InputAttention(cell, n_lags).build(n_drivers, hidden_size, generator)
        self.decoder = TemporalAttention(cell, hidden_size).build(1, decoder_size, generator)
        self.W_y = input_weights(decoder_size, decoder_size + hidden_size, generator)
        self.b_w = nn.Parameter(torch.zeros(decoder_size))
        self.head = Linear(decoder_size, bias)
        self.draw_from(generator)

    @property
    def recurrent(self) -> Layers:
        """All recurrent layers."""
        return Layers([self.encoder, self.decoder])

    def forward(self, packed: PackedSequence, detach_every: int | None = None, grad_path: str = "full") -> Tensor:
        """Outputs (n_windows, n_outputs) in the order before packing."""
        windows, drivers, past = self._open(packed)
        h, _ = scan(self.encoder, drivers, self._before(windows), detach_every=detach_every, grad_path=grad_path)
        d, _ = scan(self.decoder, past, self._between(h, windows), detach_every=detach_every, grad_path=grad_path)
        y = self.head(product(d.data[-windows.shape[1] :], self.W_y, self.b_w))
        return y if packed.unsorted_indices is None else y[packed.unsorted_indices]

    def answer(self, packed: PackedSequence) -> Tensor:
        """Outputs (n_windows, n_outputs) in the order before packing."""
        return self(packed)

    def attention(self, packed: PackedSequence) -> tuple[Tensor, Tensor]:
        """Weights of the drivers (n_windows, n_lags, n_drivers), and of the encoder's steps (n_windows, n_lags, n_lags), in each step."""
        windows, drivers, past = self._open(packed)
        h, inputs = scan_watched(self.encoder, drivers, self._before(windows), _weights)
        _, times = scan_watched(self.decoder, past, self._between(h, windows), _weights)
        back = slice(None) if packed.unsorted_indices is None else packed.unsorted_indices
        return torch.stack(inputs, 1)[back], torch.stack(times, 1)[back]

    def _open(self, packed: PackedSequence) -> tuple[Tensor, PackedSequence, PackedSequence]:
        """Windows (n_lags, n_windows, n_channels), and their drivers and the target's past apart."""
        windows = packed.data.view(len(packed.batch_sizes), int(packed.batch_sizes[0]), -1)
        drivers, past = packed.data[:, :-1], packed.data[:, -1:]
        return windows, PackedSequence(drivers, packed.batch_sizes), PackedSequence(past, packed.batch_sizes)

    def _before(self, windows: Tensor) -> Weighing:
        series = windows[..., :-1].permute(1, 2, 0)
        return self.encoder.look_at(series, series)

    def _between(self, h: PackedSequence, windows: Tensor) -> Weighing:
        outputs = h.data.view(*windows.shape[:2], -1).swapaxes(0, 1)
        return self.decoder.look_at(outputs, outputs)


def _weights(state: Any) -> Tensor:
    return state.weights
