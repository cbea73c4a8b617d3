"""Parity over 500 to 600 steps by random weight guessing, with the networks of Schmidhuber & Hochreiter (1996)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from sklearn.base import clone
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from skrnn.cells import Cell, Jordan
from skrnn.datasets import make_parity
from skrnn.engine import Guessing, pack, scan
from skrnn.kernels import allow_threads

_FEW = 4  # sequences that a guess has to get right before it is tried on all: nearly none does


class OutputState(NamedTuple):
    """Output and hidden units."""

    y: Tensor
    h: Tensor


class SelfConnected(Cell):
    """Logistic units that see the input, the output of the step before and themselves, then, in the same step, an output that sees them.

    ``fully_connected`` is A1, whose output sees the input and itself too and has no bias; else A2, whose output has one. Weights are drawn by
    guessing, not here.
    """

    def __init__(self, fully_connected: bool = False, n_hidden: int = 10) -> None:
        super().__init__()
        self.fully_connected = fully_connected
        self.n_hidden = n_hidden

    def _build(self, generator: Generator | None) -> None:
        N, seen = self.n_hidden, 2 if self.fully_connected else 1
        self.W, self.R, self.r, self.b = (nn.Parameter(torch.zeros(N)) for _ in range(4))
        self.V, self.d = nn.Parameter(torch.zeros(N)), nn.Parameter(torch.zeros(seen))

    def initial_state(self, batch_size: int, *, like: Tensor) -> OutputState:
        return OutputState(like.new_zeros(batch_size, 1), like.new_zeros(batch_size, self.n_hidden))

    def step(self, u: Tensor, state: OutputState) -> tuple[Tensor, OutputState]:
        y, h = state
        h = torch.sigmoid(u * self.W + y * self.R + h * self.r + self.b)
        rest = self.d[0] * u + self.d[1] * y if self.fully_connected else self.d
        y = torch.sigmoid((h * self.V).sum(-1, keepdim=True) + rest)
        return y, OutputState(y, h)

    def kernel(self) -> Callable[..., tuple[Tensor, OutputState] | None]:
        return self._steps

    def _steps(self, packed: PackedSequence, state: OutputState, reverse: bool) -> tuple[Tensor, OutputState] | None:
        if reverse or torch.is_grad_enabled():
            return None
        hidden = torch.stack([self.W, self.R, self.r, self.b, self.V]).numpy()
        arrays = (packed.data[:, 0].numpy(), packed.batch_sizes.numpy(), hidden, self.d.numpy(), state.y[:, 0].numpy(), state.h.numpy())
        outputs, y, h = map(torch.from_numpy, _run(*arrays))
        return outputs[:, None], OutputState(y[:, None], h)


@njit
def _run(x, sizes, hidden, d, y, h):
    """All steps: what was put out, and the state after the last step of each sequence."""
    W, R, r, b, V = hidden
    y, h, outputs, first = y.copy(), h.copy(), np.empty_like(x), 0
    for n in sizes:
        for k in range(n):
            u, a = x[first + k], d[0]
            if len(d) == 2:
                a = d[0] * u + d[1] * y[k]
            for j in range(len(W)):
                h[k, j] = 1 / (1 + np.exp(-(u * W[j] + y[k] * R[j] + h[k, j] * r[j] + b[j])))
                a += V[j] * h[k, j]
            y[k] = outputs[first + k] = 1 / (1 + np.exp(-a))
        first += n
    return outputs, y, h


NETWORKS = {
    "A1": SelfConnected(fully_connected=True, n_hidden=1),
    "A2": SelfConnected(),
    "A2 without self-connections": Jordan(decay=0.0, activation="sigmoid", output_activation="sigmoid", n_hidden=10),
}


class LastOutput(nn.Module):
    """A network and the source of its guesses; its output after the last step of each sequence, in the order before packing."""

    def __init__(self, name: str, seed: int) -> None:
        super().__init__()
        self.generator = torch.Generator().manual_seed(seed)
        self.cell = clone(NETWORKS[name]).build(1, 1, self.generator)

    def forward(self, packed: PackedSequence) -> Tensor:
        _, state = scan(self.cell, packed)
        return state.y[packed.unsorted_indices, 0]


def guess_parity(name: str, seed: int, most: int = 50_000) -> tuple[int, float]:
    """Trials until all of 100 sequences are right to 0.1, and the share of 100 others that then are."""
    X, y = make_parity(random_state=2 * seed)
    network, rule = LastOutput(name, seed), Guessing(scale=100.0)
    few, everything, target, n = pack(X[:_FEW]), pack(X), torch.from_numpy(y), 0
    X, y = make_parity(random_state=2 * seed + 1)

    def worst(out: Tensor) -> Tensor:
        return (out - target[: len(out)]).abs().max()

    with torch.no_grad(), allow_threads(1):
        solved = False
        while not solved and n < most:
            n += 1
            solved = bool(rule.gradient(network, few, worst) < 0.1 and worst(network(everything)) < 0.1)
        return n, float(np.mean(np.abs(network(pack(X)).numpy() - y) < 0.1))
