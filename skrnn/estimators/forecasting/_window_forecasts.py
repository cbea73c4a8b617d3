"""Forecasts from many origins at once, by any strategy: parameters of every step, or paths that were drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from ...cells import State, map_state
from ...data import Panel, SeriesMoments, Window, offsets_of
from ...engine import rollout
from ...training import Predictive, WindowSource, WindowSpec, steps_counted
from ._reservoir_forecasts import DirectForecast

Array = NDArray[np.float64]
Indices = NDArray[np.intp]
Places = tuple[Indices, Indices]  # series, and the row of the panel of the first step to come
Draw = Callable[[Array], Array]  # parameters (…, n_params) to values

_CHUNK = 2**16  # steps of all paths that run at once


@dataclass(frozen=True)
class WindowForecasts:
    """A network that forecasts windows of panels.

    Parameters
    ----------
    network : Seq2Seq, DirectForecast, StepNetwork or StepForecast
        One of the latter two if ``sight.recursive``.
    objective : Predictive
    sight : WindowSpec
    """

    network: Any
    objective: Predictive
    sight: WindowSpec

    def params(self, panel: Panel, moments: SeriesMoments, places: Places, n_steps: int) -> Array:
        """Parameters (n_origins, n_steps, n_targets, n_params) in units of y, on point forecasts where they are fed back."""
        block = n_steps if self.sight.recursive else min(n_steps, self.sight.horizon)
        if block < n_steps:
            panel, moments, places = self._apart(panel, moments, places, n_steps)
        found: list[Array] = []
        for done in range(0, n_steps, block):
            now = (places[0], places[1] + done)
            if done:
                panel = self._as_if_known(panel, now[1], found[-1])
            found.append(self._block(panel, moments, now, min(block, n_steps - done), None, 1)[0])
        return np.concatenate(found, axis=1)

    def paths(self, panel: Panel, moments: SeriesMoments, places: Places, n_steps: int, n_paths: int, generator: np.random.Generator) -> Array:
        """Draws (n_origins, n_steps, n_targets, n_paths); each is fed back into its own path."""
        objective: Any = self.objective
        return self._block(panel, moments, places, n_steps, lambda params: objective.sample(params, generator), n_paths)[1]

    def _apart(self, panel: Panel, moments: SeriesMoments, places: Places, n_steps: int) -> tuple[Panel, SeriesMoments, Places]:
        """Every origin with a series of its own, whose forecasts may stand in it as if they were known."""
        series, origins = places
        n_before = np.minimum(max(self.sight.n_lags + 1, self.sight.season), origins - panel.offsets[series])
        lengths = n_before + n_steps
        offsets = offsets_of(lengths)
        rows = np.arange(offsets[-1]) + np.repeat(origins - n_before - offsets[:-1], lengths)
        rows = np.minimum(rows, len(panel.y) - 1)
        parts = {name: vars(panel)[name][rows] for name in ("y", "present", "known", "seen")}
        apart = replace(panel, static=panel.static[series], offsets=offsets, **parts)
        return apart, moments.of(series), (np.arange(len(series)), offsets[:-1] + n_before)

    def _as_if_known(self, panel: Panel, origins: Indices, params: Array) -> Panel:
        """The panel with forecasts in the steps before the origins."""
        y, present = panel.y.copy(), panel.present.copy()
        rows = origins[:, None] + np.arange(-params.shape[1], 0)
        y[rows], present[rows] = self.objective.point(params), True
        return replace(panel, y=y, present=present)

    def _block(self, panel: Panel, moments: SeriesMoments, places: Places, n_steps: int, draw: Draw | None, n_paths: int) -> tuple[Array, Array]:
        windows = WindowSource(panel, moments, self.sight, places)
        windows.taught = False
        size = max(1, _CHUNK // ((self.sight.n_lags + n_steps) * n_paths))
        parts = []
        with torch.inference_mode():
            for index in np.split(np.arange(len(windows)), range(size, len(windows), size)):
                window = windows.window(index, n_steps)
                run = _Course(self, window, draw, n_paths)
                (self._recursive if self.sight.recursive else self._decoded)(windows, window, index, run)
                parts.append(run.result())
        params, values = zip(*parts, strict=True)
        return np.concatenate(params), np.concatenate(values)

    def _decoded(self, windows: WindowSource, window: Window, index: Indices, run: _Course) -> None:
        if isinstance(self.network, DirectForecast):
            run.repeat(self.network.ahead(windows, window, index), len(index))
            return
        pair = windows.pair(window, index)
        if self.network.feedback is None or run.feeds_outputs:
            run.repeat(self.network.free(pair), len(index))
            return
        states, inputs = self.network.start(pair)
        k = run.n_paths
        n_steps = len(pair.steps.batch_sizes)
        many = lambda x: x.view(n_steps, len(index), -1).repeat_interleave(k, 1).reshape(n_steps * len(index) * k, -1)  # noqa: E731
        steps = PackedSequence(many(pair.steps.data), pair.steps.batch_sizes * k)
        pair = pair._replace(steps=steps, first=pair.first.repeat_interleave(k, 0))
        self.network.write(pair, map_state(lambda s: s.repeat_interleave(k, 0), states), many(inputs), emit=run)

    def _recursive(self, windows: WindowSource, window: Window, index: Indices, run: _Course) -> None:
        n_lags, n_steps, k = self.sight.n_lags, window.rows.shape[1] - self.sight.n_lags, run.n_paths
        rows, states = self.network.outputs(windows.steps(window, index, 0, n_lags))
        states = map_state(lambda s: s.repeat_interleave(k, 0), states)
        first = run(rows[-len(index) :].repeat_interleave(k, 0))
        if n_steps == 1:
            return
        later = windows.steps(window, index, n_lags, n_lags + n_steps - 1).data
        known = later[:, : later.shape[1] - first.shape[1]]
        if self.sight.mask:
            known[:, : first.shape[1]] = 1.0  # what is fed back is not missing
        known = known.view(n_steps - 1, len(index), -1)
        if run.feeds_outputs:
            steps = PackedSequence(known.flatten(0, 1), torch.full((n_steps - 1,), len(index)))
            run.repeat(self.network.free(steps, first, states), len(index))
            return
        known = known.repeat_interleave(k, 1)

        def advance(x: Tensor, states: State) -> tuple[Tensor, State]:
            out, states = self.network.outputs(PackedSequence(x, torch.tensor([len(x)])), states)
            return run(out), states

        rollout(advance, states, n_steps - 1, first=first, inputs=known)


class _Course:
    """What a forecast puts out, step by step: in units of y, and in the network's units to be fed back.

    Indices are windows, each ``n_paths`` times.
    """

    def __init__(self, model: WindowForecasts, window: Window, draw: Draw | None, n_paths: int) -> None:
        self._objective, self._sight, self.n_paths = model.objective, model.sight, n_paths
        self._draw = model.objective.point if draw is None else draw
        self.feeds_outputs = draw is None and model.objective.feeds_point and n_paths == 1  # so that nobody has to see a step before the next
        self._location, self._scale = (np.repeat(part, n_paths, axis=0) for part in (window.location, window.scale))
        self._steps = steps_counted(model.sight, window.rows.shape[1] - model.sight.n_lags)
        self._follows = model.sight.recursive and model.sight.scaling == "difference"  # sees changes, and puts out changes
        self._params: list[Array] = []
        self._values: list[Array] = []

    def __call__(self, outputs: Tensor) -> Tensor:
        """Take the outputs (n, n_values * n_params) of a step; what is fed back (n, n_values)."""
        raw = outputs.double().cpu().numpy().reshape(len(outputs), -1, self._objective.n_params)
        scale = self._scale * self._steps[len(self._values)]
        params = self._objective.in_units(raw, self._location, scale)
        value = self._draw(params)
        z = (value - self._location) / scale
        if self._follows:
            self._location = value
        self._params.append(params)
        self._values.append(value)
        return torch.from_numpy(z).to(outputs.device, outputs.dtype)

    def repeat(self, outputs: Tensor, n_windows: int) -> None:
        """Take outputs (n_steps * n_windows, …) that do not depend on the path."""
        for step in outputs.split(n_windows):
            self(step.repeat_interleave(self.n_paths, 0))

    def result(self) -> tuple[Array, Array]:
        """Parameters (n_windows, n_steps, n_values, n_params) of the first path of each, and values (n_windows, n_steps, n_values, n_paths)."""
        values = np.stack(self._values, axis=1)
        values = values.reshape(-1, self.n_paths, *values.shape[1:])
        return np.stack(self._params, axis=1)[:: self.n_paths], np.moveaxis(values, 1, -1)
