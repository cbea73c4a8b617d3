"""Windows of series as batches: made once where they are small together, else when they are needed, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..data import OF_WINDOWS, Panel, SeriesMoments, Window, windows_of
from ..networks import Pair
from ._sources import Batch, Examples, Index, Source

_RESIDENT = 2**25  # bytes of windows that are kept ready on the device; above, each batch is made when it is needed
_CHUNK_STEPS = 2**16  # steps predicted at once
_SAMPLE = 2048  # windows from which the best constant output is computed


class WindowSpec(NamedTuple):
    """What a network sees of a window, and how."""

    n_lags: int
    horizon: int
    scaling: str | None
    recursive: bool  # one network along past and future, which sees the value before; else an encoder of the past and a decoder of the future
    mask: bool  # whether it is told which values were missing
    counts: bool  # whether targets are counts with their scales, not values in units of the window
    season: int  # steps from a step of the future back to one of the past that the decoder is shown; 0: none
    dtype: torch.dtype
    device: torch.device


def steps_counted(spec: WindowSpec, n_steps: int) -> NDArray[np.float64]:
    """By how many steps of change the scale grows, for each step of the future."""
    grows = spec.scaling == "difference" and not spec.recursive
    return np.arange(1.0, n_steps + 1) if grows else np.ones(n_steps)


class WindowSource(Source):
    """Windows of a panel, a packed batch or a :class:`~skrnn.networks.Pair` each time.

    Parameters
    ----------
    panel : Panel
    moments : SeriesMoments
        Of its series.
    spec : WindowSpec
    series, origins : ndarray of shape (n_windows,)
        Index of the series of each window, and row of the panel of its first future step.
    per_epoch : int or None, default=None
        Windows drawn in each epoch; ``None``: all.
    odds : ndarray of shape (n_windows,), default=None
        How probable it is that a window is drawn, with replacement; ``None``: all alike, without.

    Attributes
    ----------
    taught : bool
        Whether a decoder is told what it should have put out: not where it is judged.
    """

    def __init__(
        self, panel: Panel, moments: SeriesMoments, spec: WindowSpec, places: tuple[Index, Index], per_epoch: int | None = None, odds: Any = None
    ) -> None:
        self.panel, self.moments, self.spec, self.per_epoch = panel, moments, spec, per_epoch
        self.taught = True
        self.series, self.origins = places
        self.odds = None if odds is None else torch.from_numpy(odds)

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def lengths(self) -> Index:
        return np.full(len(self), self.spec.n_lags + self.spec.horizon)

    @property
    def n_outputs(self) -> int:
        """Steps that a network puts out for each window."""
        return self.spec.n_lags + self.spec.horizon - 1 if self.spec.recursive else self.spec.horizon

    def rows(self, index: Index) -> Index:
        return (index * self.n_outputs + np.arange(self.n_outputs)[:, None]).ravel()

    def window(self, index: Index, horizon: int | None = None) -> Window:
        """The windows ``index`` in numpy."""
        sizes = (self.spec.n_lags, self.spec.horizon if horizon is None else horizon)
        return windows_of(self.panel, self.series[index], self.origins[index], sizes, (self.spec.scaling, self.moments))

    def packed(self, index: Index, window: Window | None = None) -> PackedSequence | Pair:
        window = self.window(index) if window is None else window
        return self.steps(window, index, 0, window.rows.shape[1] - 1) if self.spec.recursive else self.pair(window, index)

    def steps(self, window: Window, index: Index, low: int, high: int) -> PackedSequence:
        """Inputs of a recursive network that puts out the steps from ``low + 1`` to ``high`` of each window."""
        before, rows = window.rows[:, low:high], self._inside(window.rows[:, low + 1 : high + 1])
        return self._as_packed([*self._masked(before), self.panel.known[rows], *self._static(index, high - low), window.z[:, low:high]])

    def pair(self, window: Window, index: Index) -> Pair:
        """The past for an encoder, the future for a decoder."""
        s, n = self.spec, len(index)
        past, future = window.rows[:, : s.n_lags], window.rows[:, s.n_lags :]
        horizon = future.shape[1]
        source = [window.z[:, : s.n_lags], *self._masked(past), self.panel.known[past], self.panel.seen[past], *self._static(index, s.n_lags)]
        place = np.broadcast_to(np.arange(1, horizon + 1)[:, None] / s.horizon, (n, horizon, 1))
        steps = [
            place,
            self.panel.known[np.minimum(future, len(self.panel.known) - 1)],
            *self._last_season(window, index),
            *self._static(index, horizon),
        ]
        first = self._flat(self._from_origin(window, past[:, -1:]))
        teacher = self._flat(self._from_origin(window, future)) if self.taught else None
        return Pair(self._as_packed(source), self._as_packed(steps), first, teacher)

    def _from_origin(self, window: Window, rows: Index) -> NDArray[Any]:
        """Values in units of the window; where it sees changes, the mean change of a step since the origin."""
        gap = self.panel.y[self._inside(rows)] - window.location[:, None]
        return gap / (window.scale[:, None] * steps_counted(self.spec, rows.shape[1])[:, None])

    def targets(self, index: Index, window: Window | None = None) -> tuple[Tensor, Tensor | None]:
        """What should come out, a row for each step and window in the order of the outputs, and how much each counts."""
        s, window = self.spec, self.window(index) if window is None else window
        first = 1 if s.recursive else s.n_lags
        rows = window.rows[:, first:]
        if s.counts:
            z = np.concatenate([self.panel.y[rows], np.broadcast_to(window.scale[:, None], (*rows.shape, self.panel.y.shape[1]))], -1)
        else:
            z = window.z[:, first:] if s.recursive else self._from_origin(window, rows)
        counts = self.panel.present[rows].all(-1) if s.mask else np.ones(rows.shape)
        told = s.n_lags - 1 if s.recursive and s.scaling in OF_WINDOWS else 0  # a last value, or a mean, tells what the past will be
        counts = counts * (np.arange(rows.shape[1]) >= told) * (rows.shape[1] / (rows.shape[1] - told))
        return self._flat(z), self._flat(counts[..., None])[:, 0] if s.mask or told else None

    def shuffled(self, batch_size: int | None, generator: Generator) -> list[Index]:
        """Batches in random order: of every window once, or of as many as an epoch has."""
        n = len(self) if self.per_epoch is None else min(self.per_epoch, len(self))
        if self.odds is None:
            order = torch.randperm(len(self), generator=generator)[:n]
        else:
            order = torch.multinomial(self.odds, n, replacement=True, generator=generator)
        size = n if batch_size is None else batch_size
        return np.split(order.numpy(), range(size, n, size))

    def chunks(self) -> Iterator[Index]:
        size = max(1, _CHUNK_STEPS // int(self.spec.n_lags + self.spec.horizon))
        yield from np.split(np.arange(len(self)), range(size, len(self), size))

    def _inside(self, rows: Index) -> Index:
        """Rows of the panel, of which nobody will ask for those beyond its end."""
        return np.minimum(rows, len(self.panel.y) - 1)

    def _masked(self, rows: Index) -> list[NDArray[Any]]:
        return [self.panel.present[self._inside(rows)]] if self.spec.mask else []

    def _static(self, index: Index, n_steps: int) -> list[NDArray[Any]]:
        static = self.panel.static[self.series[index]]
        return [np.broadcast_to(static[:, None], (len(index), n_steps, static.shape[1]))]

    def _last_season(self, window: Window, index: Index) -> list[NDArray[Any]]:
        """Of each future step the same step of the last season that is known, in units of the window."""
        season, future = self.spec.season, window.rows[:, self.spec.n_lags :]
        if not season:
            return []
        back = season * (1 + np.arange(future.shape[1]) // season)
        return [self._from_origin(window, np.maximum(future - back, self.panel.offsets[self.series[index]][:, None]))]

    def _as_packed(self, parts: list[NDArray[Any]]) -> PackedSequence:
        n, n_steps = parts[0].shape[:2]
        return PackedSequence(self._flat(np.concatenate(parts, -1)), torch.full((n_steps,), n))

    def _flat(self, array: NDArray[Any]) -> Tensor:
        """A row for each step and window, step after step."""
        rows = np.ascontiguousarray(array.swapaxes(0, 1), dtype=float).reshape(-1, array.shape[-1])
        return torch.from_numpy(rows).to(self.spec.device, self.spec.dtype)


class WindowExamples(Examples):
    """Windows to learn from, whose targets are made with them.

    ``target`` and ``weight`` are those of some of them: to begin with, a few thousand are enough.
    """

    def __init__(self, source: WindowSource) -> None:
        self.source: WindowSource = source
        n = len(source)
        self.target, self.weight = source.targets(np.unique(np.linspace(0, n - 1, min(n, _SAMPLE)).astype(int)))

    @property
    def n_rows(self) -> float:
        """Windows; all have equally many steps."""
        return float(len(self.source))

    def batch(self, index: Index) -> Batch:
        if self._ready is None:
            return self._made(index)
        batch: Batch = _picked(self._ready, len(self.source), torch.from_numpy(index).to(self.source.spec.device))
        return batch

    @cached_property
    def _ready(self) -> Batch | None:
        """All windows as one batch, if they are small together."""
        n = len(self.source)
        return self._made(np.arange(n)) if _n_bytes(self._made(np.arange(1))) * n <= _RESIDENT else None

    def _made(self, index: Index) -> Batch:
        window = self.source.window(index)
        return self.source.packed(index, window), *self.source.targets(index, window)


def _picked(part: Any, n: int, index: Tensor) -> Any:
    """Of what was made of ``n`` windows that of some."""
    if part is None:
        return None
    if isinstance(part, PackedSequence):
        return PackedSequence(_picked(part.data, n, index), torch.full_like(part.batch_sizes, len(index)))
    if isinstance(part, Tensor):
        return part.unflatten(0, (-1, n)).index_select(1, index).flatten(0, 1)
    picked = [_picked(each, n, index) for each in part]
    return Pair(*picked) if isinstance(part, Pair) else tuple(picked)


def _n_bytes(part: Any) -> int:
    if isinstance(part, Tensor):
        return part.nbytes
    return 0 if part is None else sum(map(_n_bytes, part))
