"""Open loop, with an eye on every state."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch.nn.utils.rnn import PackedSequence

from ..cells import Cell, State, map_state
from ._scan import TimeSlices, scan

Value = TypeVar("Value")


def scan_watched(cell: Cell, packed: PackedSequence, state: State, watch: Callable[[State], Value]) -> tuple[PackedSequence, list[Value]]:
    """Apply a cell along time, step after step, and look at each state.

    Parameters
    ----------
    cell : Cell
        Built, on the device and with the dtype of the data.
    packed : PackedSequence of (n_steps_total, input_size)
    state : State
        Before the first step of every sequence, in packed order.
    watch : callable
        Gets the state after each step, of the sequences that have the step.

    Returns
    -------
    outputs : PackedSequence of (n_steps_total, hidden_size)
        As :func:`scan` gives them.
    seen : list
        What ``watch`` made of the state after each step.
    """
    outputs, seen = [], []
    for step in TimeSlices(packed, 1):
        n = int(step.batch_sizes[0])
        y, state = scan(cell, step, map_state(lambda s, n=n: s[:n], state))
        outputs.append(y.data)
        seen.append(watch(state))
    return packed._replace(data=torch.cat(outputs)), seen
