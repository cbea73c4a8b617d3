"""Linear recurrences over a packed batch in a number of steps that grows with the logarithm of its length: for GPUs."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.autograd import Function

from ..kernels import Layout
from ._kernel import reversal


def linear_scan(a: Tensor, b: Tensor, initial: Tensor, batch_sizes: Tensor, reverse: bool) -> tuple[Tensor, Tensor]:
    """h(t) = a(t) h(t-1) + b(t) for every entry of the rows of a packed batch; real or complex, differentiable.

    Doubles the number of steps that an entry sees log₂ T times (Hillis & Steele, 1986), by products and sums alone: as safe as the loop.

    Parameters
    ----------
    a, b : Tensor of shape (n_steps_total, k)
        Factors and summands, a row a step, on any device.
    initial : Tensor of shape (batch, k)
        h before the first step of every sequence.
    batch_sizes : Tensor of shape (n_steps,)
        Number of sequences that have each step.
    reverse : bool
        From each sequence's last step to its first.

    Returns
    -------
    h : Tensor of shape (n_steps_total, k)
    last : Tensor of shape (batch, k)
        h after each sequence's last step (its first, if ``reverse``).
    """
    h = _LinearScan.apply(a, b, initial, batch_sizes, reverse)
    return h, last_steps(h, batch_sizes, reverse)


class _LinearScan(Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, initial: Tensor, batch_sizes: Tensor, reverse: bool) -> Tensor:
        order = _turned(batch_sizes, reverse, a.device)
        h = _doubled(a[order].clone(), b[order].clone(), initial, batch_sizes)[order]
        ctx.save_for_backward(a, initial, batch_sizes, h)
        ctx.reverse = reverse
        return h

    @staticmethod
    def backward(ctx: Any, dh: Tensor) -> tuple[Tensor | None, ...]:
        (a, initial, batch_sizes, h), reverse = ctx.saved_tensors, ctx.reverse
        nothing = torch.zeros_like(initial)
        a_after = steps_before(a, nothing, batch_sizes, not reverse).conj()
        db = _LinearScan.apply(a_after, dh, nothing, batch_sizes, not reverse)  # the gradient is a linear recurrence too, the other way
        h_before = steps_before(h, initial, batch_sizes, reverse)
        return db * h_before.conj(), db, last_steps(a.conj() * db, batch_sizes, not reverse), None, None


def _doubled(a: Tensor, h: Tensor, initial: Tensor, batch_sizes: Tensor) -> Tensor:
    """The recurrence along time; writes over ``a`` and ``h``, which begins as the summands."""
    h[: len(initial)] += a[: len(initial)] * initial
    n_steps = 1  # that every row has seen
    while n_steps < len(batch_sizes):
        before, first = _rows_before(batch_sizes, n_steps, a.device)
        h[first:] += a[first:] * h[before]
        a[first:] *= a[before]
        n_steps *= 2
    return h


def _rows_before(batch_sizes: Tensor, n_steps: int, device: torch.device) -> tuple[Tensor, int]:
    """For every row from the returned number on, the row of the same sequence ``n_steps`` before; earlier rows have none."""
    starts = batch_sizes.cumsum(0) - batch_sizes
    back, sizes = (starts[n_steps:] - starts[:-n_steps]).to(device), batch_sizes[n_steps:].to(device)
    first, end = int(batch_sizes[:n_steps].sum()), int(batch_sizes.sum())
    return torch.arange(first, end, device=device) - back.repeat_interleave(sizes, output_size=end - first), first


def steps_before(v: Tensor, initial: Tensor, batch_sizes: Tensor, reverse: bool) -> Tensor:
    """The row of ``v`` that comes one step before each row, ``initial`` before the first."""
    order = _turned(batch_sizes, reverse, v.device)
    before, _ = _rows_before(batch_sizes, 1, v.device)
    return torch.cat([initial, v[order][before]])[order]


def last_steps(v: Tensor, batch_sizes: Tensor, reverse: bool) -> Tensor:
    """The row of ``v`` of each sequence's last step, of its first if ``reverse``."""
    layout = Layout.of(batch_sizes.numpy())
    if reverse:
        return v[: len(layout.lengths)]
    rows = layout.starts[layout.lengths - 1] + np.arange(len(layout.lengths))
    return v[torch.from_numpy(rows).to(v.device)]


def _turned(batch_sizes: Tensor, reverse: bool, device: torch.device) -> Tensor | slice:
    """The order of rows in which the recurrence runs along time."""
    return reversal(batch_sizes).to(device) if reverse else slice(None)
