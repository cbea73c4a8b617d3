"""What the readouts of reservoirs see of windows, and of whole series."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import PackedSequence

from ...data import Panel, Sequences, SeriesMoments, Window, offsets_of
from ...networks import Reservoirs
from ...training import WindowSource, WindowSpec, steps_counted

Array = NDArray[np.float64]
Indices = NDArray[np.intp]

_CHUNK_STEPS = 2**16  # of windows that run at once
_ENOUGH = 64  # steps that a reservoir remembers little beyond
_MOST_LAGS = 256  # numbers of the past of a window that a readout sees itself


@dataclass(frozen=True)
class WindowFeatures:
    """The end of a window as a reservoir leaves it, and the window itself.

    Parameters
    ----------
    network : Reservoirs
    n_values : int
        Targets, the first channels of a window.
    n_lags : int
        Steps of a window.
    """

    network: Reservoirs
    n_values: int
    n_lags: int

    @property
    def n_seen(self) -> int:
        """Steps before the last whose targets a readout sees itself, if it sees the input."""
        return min(self.n_lags, max(1, _MOST_LAGS // self.n_values)) - 1 if self.network.include_input else 0

    @property
    def n_features(self) -> int:
        """All of them: the past, the input of the last step, and the states after it."""
        return self.n_seen * self.n_values + self.network.output_size

    @property
    def n_run(self) -> int:
        """Steps at the end of a window that a reservoir goes through: all, or enough where a readout sees the window itself."""
        return min(self.n_lags, _ENOUGH) if self.network.include_input else self.n_lags

    def of(self, source: PackedSequence) -> NDArray[np.floating]:
        """Features (n_windows, n_features) of the past of windows."""
        n = int(source.batch_sizes[0])
        states, end = self.network.start(n), source.data[:0]
        late = PackedSequence(source.data[(self.n_lags - self.n_run) * n :], source.batch_sizes[-self.n_run :])
        for features, after in self.network.blocks(late, states):
            end, states = features[-n:], after
        past = source.data.view(self.n_lags, n, -1)[self.n_lags - 1 - self.n_seen : self.n_lags - 1, :, : self.n_values]
        return torch.cat([past.transpose(0, 1).reshape(n, -1), end], 1).cpu().numpy()


class TaughtWindows(NamedTuple):
    """Features of windows (n, n_features), what followed, and covariates of the same steps (n, horizon, n_targets, n_covariates).

    Besides, like the targets (n, horizon, n_targets): the spread of the series in units of the windows, and which targets are known.
    """

    Z: NDArray[np.floating]
    Y: Array
    K: Array
    spread: Array
    known: NDArray[np.bool_]

    @property
    def weight(self) -> Array | None:
        """How much each window counts: by its share of known targets."""
        share = self.known.mean(axis=(1, 2))
        return None if (share == 1).all() else share


def taught_windows(features: WindowFeatures, source: WindowSource, index: Indices, n_covariates: int) -> TaughtWindows:
    """What is learned from some windows. Targets that are missing lie between their neighbours."""
    n_values, horizon = features.n_values, source.spec.horizon
    filled = WindowSource(_between_neighbours(source.panel), source.moments, source.spec, (source.series, source.origins))
    Z = np.empty((len(index), features.n_features), str(features.network.dtype).removeprefix("torch."))
    shape = len(index), horizon, n_values
    Y, K, spread = np.empty(shape), np.empty((*shape, n_covariates)), np.empty(shape)
    size = max(1, _CHUNK_STEPS // source.spec.n_lags)
    for low in range(0, len(index), size):
        rows = slice(low, low + size)
        some = index[rows]
        window = source.window(some)
        pair = source.pair(window, some)
        Z[rows], K[rows] = features.of(pair.source), covariates_ahead(source, window, some, n_covariates)
        spread[rows] = _lift(source, window, some, horizon)
        Y[rows] = filled.targets(some, window)[0].view(horizon, len(some), n_values).transpose(0, 1).cpu().numpy()
    ahead = source.origins[index, None] + np.arange(horizon)
    return TaughtWindows(Z, Y, K, spread, source.panel.present[ahead])


def covariates_ahead(source: WindowSource, window: Window, index: Indices, n_covariates: int) -> Array:
    """Covariates (n_windows, n_steps, n_targets, n_covariates) of the steps to come, as far as they lift targets in units of a window.

    They lift those of a series alike at all times, in units of the series; what they are at the place of a window is in the place already.
    """
    x, n_lags = source.panel.known[:, :n_covariates], source.spec.n_lags
    past, ahead = x[window.rows[:, :n_lags]], x[np.minimum(window.rows[:, n_lags:], len(x) - 1)]
    where = {"last_value": past[:, -1:], "difference": past[:, -1:], "window": past.mean(axis=1, keepdims=True)}
    gap = ahead - where.get(str(source.spec.scaling), 0.0)
    return gap[:, :, None] * _lift(source, window, index, ahead.shape[1])[..., None]


def _lift(source: WindowSource, window: Window, index: Indices, n_steps: int) -> Array:
    """The spread of the series in units of the windows (n_windows, n_steps, n_targets)."""
    ratio = source.moments.of(source.series[index]).deviation / window.scale
    return ratio[:, None] / steps_counted(source.spec, n_steps)[:, None]


class SeriesSteps(NamedTuple):
    """Whole series as a network gets them, step by step, the next values (n_steps_total, n_targets), and which of them are known."""

    sequences: Sequences
    targets: Array
    known: NDArray[np.bool_]


def series_steps(panel: Panel, moments: SeriesMoments, spec: WindowSpec, low: Indices, high: Indices) -> SeriesSteps:
    """Of each series the steps from ``low`` to before ``high``, of which all but the first are targets."""
    inputs, targets, known = [], [], []
    for k in range(len(panel.lengths)):
        n = int(high[k] - low[k])
        whole = WindowSource(panel, moments, spec._replace(n_lags=n - 1, horizon=1), (np.array([k]), panel.offsets[k : k + 1] + high[k] - 1))
        index = np.array([0])
        window = whole.window(index)
        inputs.append(whole.steps(window, index, 0, n - 1).data.cpu().numpy())
        targets.append(window.z[0, 1:])
        known.append(panel.present[window.rows[0, 1:]].all(axis=1))
    offsets = offsets_of([len(x) for x in inputs])
    return SeriesSteps(Sequences(np.concatenate(inputs), offsets), np.concatenate(targets), np.concatenate(known))


@contextmanager
def noisy(network: Reservoirs, noise: float) -> Iterator[None]:
    """A network with the noise of training, if there is any."""
    network.train(noise > 0)
    try:
        yield
    finally:
        network.eval()


def _between_neighbours(panel: Panel) -> Panel:
    """A panel whose missing values lie on straight lines between those that are known, within each series."""
    if panel.present.all():
        return panel
    y = panel.y.copy()
    for low, high in zip(panel.offsets[:-1], panel.offsets[1:], strict=True):
        for k in range(y.shape[1]):
            there = np.flatnonzero(panel.present[low:high, k])
            if len(there):
                y[low:high, k] = np.interp(np.arange(high - low), there, y[low:high, k][there])
    return replace(panel, y=y)
