"""Open loop: run any cell over a packed batch. The only place that knows lengths, directions and truncation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, State, map_outputs, map_state, put_first
from ._compiled import scan_compiled
from ._generated import scan_generated
from ._steps import run_steps

_PIECE = 2**13  # rows

GRAD_PATHS: dict[str, Callable[[State], State]] = {  # what a step may send its gradient back through
    "full": lambda state: state,
    "cell_only": lambda state: map_outputs(torch.Tensor.detach, state),
    "none": lambda state: map_state(torch.Tensor.detach, state),
}


def scan(
    cell: Cell,
    packed: PackedSequence,
    state: State | None = None,
    *,
    reverse: bool = False,
    detach_every: int | None = None,
    grad_path: str = "full",
) -> tuple[PackedSequence, State]:
    """Apply a cell along time.

    Parameters
    ----------
    cell : Cell
        Built, on the device and with the dtype of the data.
    packed : PackedSequence of (n_steps_total, input_size)
    state : State, default: ``cell.initial_state``
        State before the first step of every sequence, in packed order (longest first).
    reverse : bool, default=False
        Run from each sequence's last step to its first.
    detach_every : int or None, default=None
        Cut the gradient through the state after every so many steps (truncated back-propagation).
    grad_path : {"full", "cell_only", "none"}, default="full"
        What of the state the gradient flows back through, from each step to the one before: all of it, all but the hidden state and gates that
        are fed back (the 1997 LSTM's truncated learning), or nothing (Elman's copy-back). Values are not changed.

    Returns
    -------
    outputs : PackedSequence of (n_steps_total, hidden_size)
        Output of each step, at the place of the step, in both directions.
    state : State
        After each sequence's last step (its first, if ``reverse``), in packed order.
    """
    if state is None:
        state = cell.initial_state(int(packed.batch_sizes[0]), like=packed.data)
    if detach_every is None and not torch.is_grad_enabled() and packed.data.device.type == "cpu" and len(packed.data) > _PIECE:
        detach_every = max(1, _PIECE // int(packed.batch_sizes[0]))  # nothing is kept for a gradient: what a piece needs stays in the cache
    if detach_every is None:
        y, state = _whole(cell, packed, state, reverse, grad_path)
        return packed._replace(data=y), state
    outputs, carried = [], 0  # the state of so many sequences comes from the piece before; the others begin with what the caller gave
    for part in TimeSlices(packed, detach_every, reverse=reverse):
        n = int(part.batch_sizes[0])
        old = min(carried, n)
        now = map_state(lambda s, old=old, n=n: torch.cat([s[:old].detach(), s[old:n]]), state)
        y, now = _whole(cell, part, now, reverse, grad_path)
        state, carried = put_first(now, state), n
        outputs.append(y)
    return packed._replace(data=torch.cat(outputs[::-1] if reverse else outputs)), state


class TimeSlices(Sequence[PackedSequence]):
    """Pieces of ``n_steps`` time steps of a packed batch (views), from the end if ``reverse``; a piece holds the first sequences only."""

    def __init__(self, packed: PackedSequence, n_steps: int, *, reverse: bool = False) -> None:
        self._packed, self._n_steps, self._reverse = packed, n_steps, reverse
        self._ends = packed.batch_sizes.cumsum(0)

    def __len__(self) -> int:
        return -(-len(self._ends) // self._n_steps)

    def __getitem__(self, k: Any) -> Any:
        if not 0 <= k < len(self):
            raise IndexError(k)
        first = (len(self) - 1 - k if self._reverse else k) * self._n_steps
        last = min(first + self._n_steps, len(self._ends))
        sizes = self._packed.batch_sizes[first:last]
        return PackedSequence(self._packed.data[int(self._ends[first] - sizes[0]) : int(self._ends[last - 1])], sizes)


def _whole(cell: Cell, packed: PackedSequence, state: State, reverse: bool, grad_path: str) -> tuple[torch.Tensor, State]:
    done = None
    if grad_path == "full":
        kernel = cell.kernel()
        done = None if kernel is None else kernel(packed, state, reverse)
        done = done or scan_compiled(cell, packed, state, reverse) or scan_generated(cell, packed, state, reverse)
    if done is None:  # `split` once: slicing in the loop would make the backward pass quadratic in time
        inputs = cell.project(packed.data).split(packed.batch_sizes.tolist())
        done = run_steps(cell.step, inputs, state, reverse, GRAD_PATHS[grad_path])
    return done
