"""Windows of one series and of those that drive it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d
from torch.nn.utils.rnn import PackedSequence

from ...data import ROWS, Sequences, check_index, window_rows
from ...engine import rollout
from ..face._guards import require_target
from ..face._held_out import Part, last_aside
from ..face._readers import Given, Rows, Steps
from ..face._step_values import numbers

Array = NDArray[np.float64]


def read_drivers(model: Any, X: Any, *, reset: bool) -> Given:
    """The driving series: rows are time steps."""
    check_index(X)
    given = Steps(model.dtype).read(model, X, reset=reset)
    if given.layout != ROWS:
        came = f"{type(X).__name__} of {len(given.sequences)} sequences"
        raise ValueError(f"X must be one series, an array of shape (n_times, n_drivers); got {came}")
    return given


def driven_table(model: Any, X: Any, y: Any, *, reset: bool) -> Array:
    """The drivers, and the target as last column."""
    require_target(model, y)
    given = read_drivers(model, X, reset=reset)
    check_index(y, "y")
    target = column_or_1d(numbers(Steps(model.dtype).align(y, given)), warn=True)
    if np.isnan(target).any():
        first = int(np.isnan(target).argmax())
        raise ValueError(f"Input y contains NaN (first at step {first}): every step of the past is an input")
    return np.column_stack([given.sequences.values, target]).astype(np.float64)


@dataclass(frozen=True)
class DrivenSeries(Rows):
    """Windows of a series and its drivers, with the value that follows each as its target.

    Parameters
    ----------
    n_lags : int
        Steps of a window.
    include_current : bool
        Whether the drivers' last step is that of the target.
    difference : bool
        Whether windows and targets hold changes from step to step.
    """

    n_lags: int = 1
    include_current: bool = True
    difference: bool = True

    @property
    def n_before(self) -> int:
        """Steps that must have been seen before the first target."""
        return self.n_lags + self.difference

    def pair(
        self,
        model: Any,
        X: Any,
        y: Any,
        target: Any,
        *,
        reset: bool,
        names: tuple[str, str] = ("", ""),
    ) -> tuple[Given, Any]:
        """Windows, and what follows each."""
        table = driven_table(model, X, y, reset=reset)
        if len(table) <= self.n_before:
            told = f"n_lags={self.n_lags} with difference={self.difference}"
            raise ValueError(f"{told} needs more than {self.n_before} steps; got n_samples = {len(table)}")
        moves = np.diff(table[:, -1]) if self.difference else table[:, -1]
        return Given(self.as_windows(table), ROWS), moves[self.n_lags :]

    def as_windows(self, table: Array) -> Sequences:
        """A window for each step after the first ``n_before``, of drivers and the target's past."""
        moves = np.diff(table, axis=0) if self.difference else table
        past, _ = window_rows(len(moves), self.n_lags, 1)
        values = np.concatenate([moves[past + self.include_current, :-1], moves[past, -1:]], axis=-1)
        return Sequences(values.reshape(-1, table.shape[1]), np.arange(len(past) + 1) * self.n_lags)

    def levels(self, answers: Array, table: Array) -> Array:
        """The target at all steps after the first ``n_before``, from what was answered for each window."""
        return answers + table[self.n_before - 1 : -1, -1] if self.difference else answers

    def hold_out(self, part: Part, fraction: float, strata: Any, seed: int) -> tuple[Part, Part]:
        """The last windows: neighbours overlap, so none is drawn."""
        return last_aside(part, fraction)


def in_closed_loop(
    network: Any,
    windows: Sequences,
    mean: Array,
    scale: Array,
    units: tuple[float, float],
) -> Array:
    """What the network says of each window when its answers stand for the target in the windows after.

    ``units`` are gain and shift, which turn an answer into what the network sees of the target's past.
    """
    gain, shift = units
    like = network.head.W
    steps = ((windows.values - mean) / scale).reshape(len(windows), -1, windows.n_features)
    n_lags = steps.shape[1]
    drivers = torch.from_numpy(steps[:, :, :-1]).to(like)
    past = torch.from_numpy(steps[0, :, -1]).to(like)

    def advance(x: torch.Tensor, past: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        past = torch.cat([past[:, 1:], x[:, -1:]], -1)
        window = torch.cat([x[:, :-1].view(n_lags, -1), past.T], -1)
        out = network(PackedSequence(window, torch.ones(n_lags, dtype=torch.int64)))
        return gain * out + shift, past

    first, inputs = past[-1:, None], drivers.flatten(1)[:, None]
    outputs, _ = rollout(advance, past[None].roll(1, -1), len(windows), first=first, inputs=inputs)
    return np.asarray(torch.cat(outputs)[:, 0].double().cpu().numpy())
