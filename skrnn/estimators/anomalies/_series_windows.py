"""Windows of series to learn from what is normal, and what is to be expected at each of their steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ...data import Sequences, mirrored, offsets_of
from ...training import Batches, Data, Objective, Retellings, SquaredError
from ..face._held_out import Part, last_aside
from ..face._readers import Given, Reader, Steps
from ..face._state import Fitted
from ..face._targets import Target, moments
from ._prediction_errors import predictors, steps_ahead, training_windows
from ._scores import Array, n_last


class Sizes(NamedTuple):
    """Steps that a detector looks ahead, or back into a window, and steps of a window."""

    horizon: int
    window: int


def sizes_for(settings: Any, lengths: NDArray[np.int64]) -> Sizes:
    """Those of a detector's parameters; a default that is too long for the longest series becomes less."""
    n_steps = int(lengths.max())
    left = n_steps - int(n_last(lengths, settings.calibration_fraction)[lengths.argmax()])
    horizon, window = settings.horizon, settings.window
    if settings.mode == "reconstruct":
        if window > left and window == type(settings).window:
            window = max(1, left // 2)
        return Sizes(min(horizon, window), window)
    n_judged = n_steps - max(2 * horizon, left)  # held-out steps for which all predictions are made
    if (left <= horizon or n_judged < 2) and horizon == type(settings).horizon:
        horizon = max(1, left // 4)
    return Sizes(horizon, max(1, min(window, left - horizon)))


@dataclass(frozen=True, eq=False)
class SeriesWindows(Steps):
    """Series, of which windows of all but the last parts are learned from.

    Parameters
    ----------
    channels : ndarray of shape (n_targets,)
        What is to be expected.
    mode : {"predict", "reconstruct"}
    horizon, window : int
        Steps that are predicted ahead, and steps of a window.
    calibration_fraction : float
        Share of each series that is its last part.
    """

    channels: Any = ()
    mode: str = "predict"
    horizon: int = 1
    window: int = 1
    calibration_fraction: float = 0.25

    def pair(
        self,
        model: Any,
        X: Any,
        y: Any,
        target: Target,
        *,
        reset: bool,
        names: tuple[str, str] = ("", ""),
    ) -> tuple[Given, Any]:
        """Windows, and at each of their steps what is to be expected; y is not looked at."""
        sequences, layout = self.read(model, X, reset=reset)
        lots = list(self._lots(sequences))
        rows = np.concatenate([lot.ravel() for lot in lots])
        lengths = np.concatenate([np.full(len(lot), lot.shape[1]) for lot in lots])
        ahead = self.mode == "predict"
        shown = predictors(sequences, self.channels) if ahead else sequences
        windows = Given(Sequences(shown.values[rows], offsets_of(lengths)), layout)
        if ahead:
            expected = steps_ahead(sequences.values, rows, self.horizon)
        else:
            expected = mirrored(windows.sequences)[:, None]
        return windows, target.read(expected[..., self.channels], windows, self)

    def _lots(self, sequences: Sequences) -> Iterator[NDArray[np.intp]]:
        """Rows of the windows (n_windows, n_steps) to learn from, of each series."""
        ahead, least = (self.horizon, self.horizon + 1) if self.mode == "predict" else (0, self.window)
        left = sequences.lengths - n_last(sequences.lengths, self.calibration_fraction)
        for k, n in enumerate(left.tolist()):
            if n < least:
                raise ValueError(
                    f"series {k} has n_samples = {sequences.lengths[k]}: "
                    f"calibration_fraction={self.calibration_fraction} leaves {n} steps to learn from, "
                    f"but mode={self.mode!r} with horizon={self.horizon} and window={self.window} needs {least}"
                )
            yield sequences.offsets[k] + training_windows(n - ahead, self.window)

    def hold_out(self, part: Part, fraction: float, strata: Any, seed: int) -> tuple[Part, Part]:
        """The last windows: neighbours overlap, so none is drawn."""
        return last_aside(part, fraction)


class ExpectedState:
    """The units of the target channels."""

    target_mean_: Array
    target_scale_: Array

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("target_mean_", "ndarray", ("n_targets",), "Means of the targets."),
        Fitted("target_scale_", "ndarray", ("n_targets",), "Standard deviations of the targets."),
    )


@dataclass
class ExpectedSteps(Target, ExpectedState):
    """One step of the target channels or several, standardised, at every step of a window.

    Parameters
    ----------
    n_channels : int
    retellings : callable, default=None
        Makes of windows, and of their batches, windows that are read and written again.
    """

    n_channels: int
    retellings: Callable[[Sequences, Batches], Retellings] | None = None

    def read(self, y: NDArray[Any], given: Given, reader: Reader) -> Array:
        """Steps (n_rows, n_steps, n_channels) side by side."""
        return y.reshape(len(y), -1).astype(np.float64)

    def weigh(self, y: Array, weight: Array | None) -> Array | None:
        return weight

    def learn(self, y: Array, weight: Array | None, classes: Any = None) -> None:
        self.target_mean_, self.target_scale_ = moments(y[:, : self.n_channels], weight)

    def encode(self, y: Array) -> Array:
        standardised = (y.reshape(len(y), -1, self.n_channels) - self.target_mean_) / self.target_scale_
        return standardised.reshape(y.shape)

    def decode(self, outputs: Array) -> Array:
        """Steps (n_rows, n_steps, n_channels)."""
        return self.target_mean_ + self.target_scale_ * outputs.reshape(len(outputs), -1, self.n_channels)

    @property
    def objective(self) -> Objective:
        return SquaredError()

    def strata(self, encoded: Array) -> None:
        return None

    def data(self, part: Part, source: Batches, *, taught: bool = True) -> Data:
        values = torch.from_numpy(part.target.values).to(source.device, source.dtype)
        batches = source if self.retellings is None else self.retellings(part.sequences, source)
        return Data(batches, values, per_step=True)
