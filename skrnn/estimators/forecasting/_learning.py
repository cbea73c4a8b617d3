"""Panels to learn from: their windows, and the network that learns them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ...cells import resolve
from ...data import Panel, SeriesMoments, offsets_of
from ...networks import Encoder, Feedback, Seq2Seq, StepNetwork
from ...training import Predictive, WindowExamples, WindowSource, WindowSpec
from ..face._trained import Lesson, recurrent_layers
from ._plan import Plan
from ._reading import Array, Covariates, GivenSeries, fill_forward


def panel_of(given: GivenSeries, covariates: Covariates, static: Array, starts: Any, plan: Plan, before: Array | None = None) -> Panel:
    """A panel of series, with missing targets filled; ``starts`` are the steps before these of each series, ``before`` the last values of those.

    Raises
    ------
    ValueError
        If a value is missing and the plan has no mask, a series has no value at all, or counts are none.
    """
    for k, y in enumerate(given.y):
        missing, where = np.isnan(y), f"[{k}]" if given.several else ""
        if missing.any() and not plan.masked:
            row = int(np.argmax(missing.any(axis=1)))
            name = f"series {k} of y" if given.several else "y"
            raise ValueError(f"Input {name} contains NaN, the first in row {row}; missing='mask' learns from the others")
        if before is None and missing.all(axis=0).any():
            raise ValueError(f"y{where} has no value at all")
        if plan.counts and ((y < 0) | (np.nan_to_num(y) != np.round(np.nan_to_num(y)))).any():
            raise ValueError("objective='negative_binomial' needs counts: y must hold whole numbers from 0 up")
    known, past = covariates.of(given.X, given.lengths, starts)
    present = ~np.isnan(np.concatenate(given.y))
    offsets = offsets_of(given.lengths)
    firsts = [y[:0] for y in given.y] if before is None else before[:, None]
    y = np.concatenate([fill_forward(np.concatenate([first, y]))[len(first) :] for first, y in zip(firsts, given.y, strict=True)])
    return Panel(y, present, np.concatenate(known), np.concatenate(past), static, offsets)


def learned_windows(
    panel: Panel,
    moments: SeriesMoments,
    sight: WindowSpec,
    ends: tuple[Any, Any],
    per_epoch: int | None,
    *,
    taught: bool = True,
) -> WindowExamples:
    """WindowSource whose futures lie, for each series, between two of its steps, and which teach something."""
    first = np.maximum(ends[0], sight.n_lags)
    origins = [np.arange(a, b - sight.horizon + 1) for a, b in zip(first, ends[1], strict=True)]
    series = np.repeat(np.arange(len(origins)), [len(o) for o in origins])
    rows = np.concatenate([o + start for o, start in zip(origins, panel.offsets[:-1], strict=True)])
    present = offsets_of(panel.present.all(axis=1))
    some = present[rows + sight.horizon] > present[rows]
    windows = WindowSource(panel, moments, sight, (series[some], rows[some]), per_epoch)
    windows.taught = taught
    if sight.scaling == "mean" and len(windows):
        # As in DeepAR, lest the few large series stay unknown; by the root, lest the small ones do.
        windows.odds = torch.from_numpy(np.sqrt(windows.window(np.arange(len(windows)), 1).scale.mean(axis=1)))
    return WindowExamples(windows)


def next_lesson(model: Any, panel: Panel, n_new: Any, given: tuple[Any, Any]) -> Lesson:
    """The windows of a fitted forecaster that end in new steps."""
    ends = (panel.lengths - n_new - model.horizon_ + 1, panel.lengths)
    data = learned_windows(panel, model._series_moments, model._sight(going_on=True), ends, model.windows_per_epoch)
    if len(data.source) == 0:
        window = f"{model.n_lags_} + {model.horizon_} steps"
        raise ValueError(f"learn=True needs a window of {window} with a target in its future")
    generator = torch.Generator().manual_seed(model._seed + int(model.n_steps_.sum()))
    return Lesson(data, None, model._plan.loss(), generator, given, going_on=True)


class PointFeedback(Feedback):
    """The point forecast of each value is what the next step sees."""

    def __init__(self, objective: Predictive, n_values: int) -> None:
        super().__init__()
        self._objective = objective
        self.size = self.width = n_values

    def emit(self, outputs: torch.Tensor) -> torch.Tensor:
        return self._objective.fed_back(outputs.unflatten(-1, (self.size, -1)))

    def vectors(self, fed: torch.Tensor) -> torch.Tensor:
        return fed


def forecasting_network(
    model: Any,
    panel: Panel,
    sight: WindowSpec,
    objective: Predictive,
    bias: torch.Tensor,
    generator: torch.Generator,
) -> Any:
    """The network of a forecaster's strategy: along past and future, or one that reads the past and writes the future."""
    n_values, n_known, n_static = panel.y.shape[1], panel.known.shape[1], panel.static.shape[1]
    seen = n_values * (2 if sight.mask else 1) + n_known + n_static
    if sight.recursive:
        return StepNetwork(recurrent_layers(model, seen, generator), bias, feedback=PointFeedback(objective, n_values))
    return Seq2Seq(
        Encoder(recurrent_layers(model, seen + panel.seen.shape[1], generator)),
        resolve(model.cell),
        model.hidden_size,
        bias,
        n_layers=model.n_layers,
        dropout=model.dropout,
        n_known=1 + n_known + n_static + (n_values if sight.season else 0),
        feedback=PointFeedback(objective, n_values) if model.strategy == "seq2seq" else None,
        context="both",
        generator=generator,
    )
