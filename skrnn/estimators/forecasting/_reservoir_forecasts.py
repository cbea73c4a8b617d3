"""Linear readouts of reservoirs as what forecasts windows: all steps at once, or one after the other on own feedback."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ...cells import State
from ...data import Window
from ...engine import rollout
from ...networks import Reservoirs
from ...training import WindowSource
from ..reservoirs._readouts import linear_outputs
from ._reservoir_features import WindowFeatures, covariates_ahead

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class LinearForecast:
    """What a readout says, and how far it may be off.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs, n_features)
    intercept : ndarray of shape (n_outputs,)
    errors : ndarray of shape (n_outputs, n_levels)
        Quantiles of errors, added to what is said.
    """

    coef: Array
    intercept: Array
    errors: Array

    def quantiles(self, features: NDArray[np.floating]) -> Array:
        """Quantiles (n_rows, n_outputs, n_levels) of rows of features."""
        return linear_outputs(features, self.coef, self.intercept)[..., None] + self.errors


@dataclass(frozen=True)
class DirectForecast:
    """All steps ahead at once.

    Parameters
    ----------
    features : WindowFeatures
    linear : LinearForecast
        Its outputs are the targets of the first step, of the second, …
    covariate_coef : ndarray of shape (n_targets, n_covariates)
        By how much covariates of a step lift it, in units of a series.
    """

    features: WindowFeatures
    linear: LinearForecast
    covariate_coef: Array

    def ahead(self, windows: WindowSource, window: Window, index: Indices) -> Tensor:
        """Quantiles (n_steps * n_windows, n_targets * n_levels) of what follows windows, step after step."""
        n_values, n_covariates = self.covariate_coef.shape
        lifts = np.einsum("nhvq,vq->nhv", covariates_ahead(windows, window, index, n_covariates), self.covariate_coef)
        said = self.linear.quantiles(self.features.of(windows.pair(window, index).source))
        said = said.reshape(len(said), -1, n_values, said.shape[-1])[:, : lifts.shape[1]] + lifts[..., None]
        return torch.from_numpy(np.ascontiguousarray(said.swapaxes(0, 1)).reshape(-1, n_values * said.shape[-1]))


@dataclass(frozen=True)
class StepForecast:
    """The next step, again and again.

    Parameters
    ----------
    network : Reservoirs
    linear : LinearForecast
    place : int
        Which of its quantiles is the median, which is fed back.
    """

    network: Reservoirs
    linear: LinearForecast
    place: int

    def outputs(self, steps: PackedSequence, states: State | None = None) -> tuple[Tensor, State]:
        """Quantiles (n_rows, n_targets * n_levels) after each step of sequences of one length, and their states."""
        states = self.network.start(int(steps.batch_sizes[0])) if states is None else states
        steps = PackedSequence(steps.data.to(self.network.dtype), steps.batch_sizes)  # what is fed back is double
        said = []
        for features, after in self.network.blocks(steps, states):
            said.append(self.linear.quantiles(features.cpu().numpy()))
            states = after
        rows = np.concatenate(said)
        return torch.from_numpy(rows.reshape(len(rows), -1)), states

    def free(self, steps: PackedSequence, first: Tensor, states: State) -> Tensor:
        """The same on own feedback; ``steps`` is what comes from outside, and stands before what is fed back."""
        n_steps, n_values, place = len(steps.batch_sizes), first.shape[1], self.place
        found: list[Tensor] = []

        def advance(x: Tensor, states: State) -> tuple[Tensor, State]:
            out, states = self.outputs(PackedSequence(x, torch.tensor([len(x)])), states)
            found.append(out)
            return out.view(len(out), n_values, -1)[:, :, place].to(first), states

        rollout(advance, states, n_steps, first=first, inputs=steps.data.view(n_steps, len(first), -1))
        return torch.cat(found)
