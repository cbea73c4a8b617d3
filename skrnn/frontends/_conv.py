"""Convolution along time."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from ..cells import choice, count
from ..cells._rows import linear
from ..cells._starts import input_weights
from ..data import Encoding
from ..kernels import Layout
from ._base import Frontend, Lengths, resolve_frontend
from ._blocks import in_blocks


def _gelu(a: Tensor) -> Tensor:
    """a Φ(a), Φ the normal distribution function; torch's own rounds the last rows of a batch in another way."""
    return a * (0.5 + 0.5 * torch.erf(a * 0.5**0.5))


_ACTIVATIONS = {"relu": torch.relu, "gelu": _gelu, "tanh": torch.tanh, "identity": lambda rows: rows}


class Conv1d(Frontend):
    """Filters along time (Waibel et al., 1989), which may also make fewer steps of many.

    Choose it for raw signals (sound, sensors, series of many thousand steps): filters find local shapes, and
    ``stride`` makes the sequence shorter by that factor before the recurrent layers, which then bridge longer
    gaps and run faster. Causal filters keep the network usable while a signal comes in.

    Parameters
    ----------
    channels : int, default=32
        Filters: the channels that come out.
    kernel_size : int, default=5
        Steps that a filter sees. More see longer shapes; beyond the ends of a sequence there are zeros, of
        which no other sequence is part.
    stride : int, default=1
        Steps of a block, of which one step is made; the last block of a sequence may be shorter. Estimators
        that answer at every step need 1.
    causal : bool, default=True
        Whether a filter ends with the last step of its block, and sees nothing later; else it is centred on
        the block.
    activation : {"relu", "gelu", "tanh", "identity"}, default="relu"
        The function f.
    frontend : Frontend or None, default=None
        What stands before the filters: ``Embedding`` for tokens, ``PerFrame`` for pictures, another
        ``Conv1d`` below this one.

    Notes
    -----
    ::

        y(k) = f(b + Σ_i W_i x(e(k) - K + i)),   i = 1, …, K,   x = 0 beyond the ends

        e(k) = min((k + 1) s, T) - 1                             causal
        e(k) = k s + ⌊(s - 1) / 2⌋ + ⌊K / 2⌋                     centred

    K is the kernel's size, s the stride, T the sequence's length, steps and blocks k = 0, 1, … are counted
    from 0: there are ⌈T / s⌉ blocks. With s = 1 both are the usual convolution, padded on the left or on both
    sides ("same"). W is (C, K F) for C filters on F channels: C (K F + 1) weights, O(C K F) an output. The
    rows of all windows are gathered and multiplied once; nothing is padded, so that neither a sequence's
    company nor its padding matters. Differs from the paper: one layer, and ReLU in place of the logistic
    function.

    References
    ----------
    A. Waibel, T. Hanazawa, G. Hinton, K. Shikano, K. J. Lang, "Phoneme recognition using time-delay neural
    networks", IEEE Transactions on Acoustics, Speech, and Signal Processing 37(3), 1989.
    A. van den Oord et al., "WaveNet: a generative model for raw audio", arXiv:1609.03499, 2016, section 2.1 (causal).

    Examples
    --------
    >>> import torch
    >>> from skrnn.engine import pack, unpack
    >>> from skrnn import as_sequences
    >>> from skrnn.frontends import Conv1d
    >>> frontend = Conv1d(8, kernel_size=5, stride=3).build(
    ...     2, torch.Generator().manual_seed(0)
    ... )
    >>> batch = pack(as_sequences([torch.ones(7, 2), torch.ones(3, 2)]))
    >>> unpack(frontend(batch)).lengths
    array([3, 1])
    """

    def __init__(
        self,
        channels: int = 32,
        kernel_size: int = 5,
        stride: int = 1,
        causal: bool = True,
        activation: str = "relu",
        frontend: Frontend | None = None,
    ) -> None:
        super().__init__()
        self.channels = channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.causal = causal
        self.activation = activation
        self.frontend = frontend

    def encoding(self) -> Encoding:
        """That of the frontend before the filters."""
        frontend = resolve_frontend(self.frontend)
        return super().encoding() if frontend is None else frontend.encoding()

    @property
    def changes_lengths(self) -> bool:
        """Whether a block has several steps, here or before the filters."""
        return self.stride > 1 or (self.frontend is not None and self.frontend.changes_lengths)

    @property
    def mixes_steps(self) -> bool:
        """Whether a filter or a block has several steps, here or before the filters."""
        return self.kernel_size > 1 or self.stride > 1 or (self.frontend is not None and self.frontend.mixes_steps)

    @property
    def looks_up(self) -> bool:
        """Whether the frontend before the filters does."""
        return self.frontend is not None and self.frontend.looks_up

    def out_lengths(self, lengths: Lengths) -> Lengths:
        """⌈T / s⌉ of what the frontend before the filters makes."""
        before = lengths if self.frontend is None else self.frontend.out_lengths(lengths)
        return -(-before // self.stride)

    def _build(self, generator: Generator | None, encoding: Encoding | None) -> None:
        for name in ("channels", "kernel_size", "stride"):
            count(self, name)
        choice(self, "causal", (True, False))
        choice(self, "activation", tuple(_ACTIVATIONS))
        self.frontend_ = None if self.frontend is None else clone(self.frontend).build(self.input_size, generator, encoding)
        below = self.input_size if self.frontend_ is None else self.frontend_.output_size
        self.W = input_weights(self.channels, self.kernel_size * below, generator)
        self.b = nn.Parameter(torch.zeros(self.channels))
        self.output_size = self.channels

    def forward(self, packed: PackedSequence) -> PackedSequence:
        if self.frontend_ is not None:
            packed = self.frontend_(packed)
        x = torch.cat([packed.data, packed.data.new_zeros(1, packed.data.shape[1])])  # what lies beyond the ends
        before = Layout.of(packed.batch_sizes.numpy())
        after = Layout.of_lengths(-(-before.lengths // self.stride))
        block, sequence = after.places

        def of_rows(rows: slice) -> Tensor:
            index = torch.from_numpy(self._windows(before, block[rows], sequence[rows])).to(x.device)
            windows = x.index_select(0, index.flatten()).view(len(index), -1)
            return _ACTIVATIONS[self.activation](linear(windows, self.W, self.b))

        y = in_blocks(len(block), self.W.shape[1] + self.W.shape[0], of_rows)
        return packed._replace(data=y, batch_sizes=torch.from_numpy(after.sizes))

    def _windows(self, layout: Layout, block: NDArray[np.int64], sequence: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows (n, kernel_size) that the filters see of some blocks of some sequences; beyond the ends one behind the last."""
        lengths = layout.lengths[sequence]
        if self.causal:
            ends = np.minimum((block + 1) * self.stride, lengths) - 1
        else:
            ends = block * self.stride + (self.stride - 1) // 2 + self.kernel_size // 2
        steps = ends[:, None] + np.arange(1 - self.kernel_size, 1)
        inside = (steps >= 0) & (steps < lengths[:, None])
        return np.where(inside, layout.starts[np.where(inside, steps, 0)] + sequence[:, None], layout.sizes.sum())
