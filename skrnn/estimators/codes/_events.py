"""What a level of a history compressor sees: events, each a step of the level below that this did not expect, and how many steps after the last.

Events are sequences of rows [a symbol, or numbers; gap of the first level; …; gap of the level below].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ...data import Sequences, offsets_of, places_in
from ...training import channel_statistics

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MOST = 1024  # events of upper levels that are known apart: rarer ones cannot be expected


def preceding(sequences: Sequences, begin: float) -> Sequences:
    """What comes before each step, and ``begin`` before the first."""
    values = np.empty_like(sequences.values)
    values[1:] = sequences.values[:-1]
    values[sequences.offsets[:-1]] = begin
    return sequences.with_values(values)


def passed_up(events: Sequences, passed: Mask) -> Sequences:
    """The events of the next level: those that are passed, with their gaps; each sequence has one."""
    counts = np.add.reduceat(passed.astype(np.int64), events.offsets[:-1])
    offsets = offsets_of(counts)
    place = places_in(events.lengths)[passed]
    gaps = np.diff(place, prepend=-1)
    gaps[offsets[:-1]] = place[offsets[:-1]] + 1
    return Sequences(np.column_stack([events.values[passed], gaps]).astype(np.float64), offsets)


def spread_out(events: Sequences) -> tuple[Sequences, Mask]:
    """The steps of the level below, zero where nothing was passed up, and where something was."""
    gaps = events.values[:, -1].astype(np.int64)
    lengths = np.add.reduceat(gaps, events.offsets[:-1])
    steps = offsets_of(lengths)
    told = np.cumsum(gaps) - 1
    values = np.zeros((steps[-1], events.n_features - 1))
    values[told] = events.values[:, :-1]
    return Sequences(values, steps), np.isin(np.arange(steps[-1]), told)


@dataclass(frozen=True)
class Alphabet:
    """Events that are known apart, which have an id each; all others share the next one, and the begin of a sequence has the one behind it.

    Parameters
    ----------
    events : ndarray of shape (n_events, n_columns)
        Sorted.
    """

    events: Array

    @classmethod
    def of(cls, values: Array, n_symbols: int) -> Self:
        """Of the symbols themselves, or of the most frequent pairs of a symbol and its gaps; a symbol that is not known makes no event that is."""
        if values.shape[1] == 1:
            return cls(np.arange(n_symbols, dtype=np.float64)[:, None])
        found, counts = np.unique(values[values[:, 0] < n_symbols], axis=0, return_counts=True)
        return cls(found[np.sort(np.argsort(-counts, kind="stable")[:_MOST])])

    def __len__(self) -> int:
        return len(self.events)

    @property
    def begin(self) -> int:
        """What stands before a first event."""
        return len(self) + 1

    def encode(self, values: Array) -> Array:
        """Ids (n, 1) of events."""
        found, place = np.unique(np.concatenate([self.events, values]), axis=0, return_inverse=True)
        ids = np.full(len(found), len(self), dtype=np.float64)
        ids[place.ravel()[: len(self)]] = np.arange(len(self))
        return ids[place.ravel()[len(self) :]][:, None]

    def told(self, outputs: Array) -> Array:
        """The likeliest ids (n, 1); what stands behind the events in the outputs is none."""
        return outputs[:, : len(self) + 1].argmax(axis=1)[:, None].astype(np.float64)

    def decode(self, ids: Array) -> Array:
        """Events of ids; of one that is not known, what is never expected."""
        return self.events[np.minimum(ids[:, 0].astype(np.intp), len(self) - 1)]


@dataclass(frozen=True)
class Scale:
    """Numbers, and gaps behind them, in units of their own.

    Parameters
    ----------
    location, spread : ndarray of shape (n_columns,)
    n_channels : int
        Columns that are no gaps.
    """

    location: Array
    spread: Array
    n_channels: int

    begin = 0.0

    @classmethod
    def of(cls, sequences: Sequences, n_channels: int, *, standardize: bool) -> Self:
        """Means and standard deviations; of gaps always."""
        location, spread = channel_statistics(sequences, None)
        if not standardize:
            location[:n_channels], spread[:n_channels] = 0.0, 1.0
        return cls(location, spread, n_channels)

    def encode(self, values: Array) -> Array:
        """In units of their own."""
        return (values - self.location) / self.spread

    def told(self, outputs: Array) -> Array:
        """The means, each of which stands before a deviation."""
        return outputs[:, : 2 * len(self.location) : 2]

    def decode(self, units: Array) -> Array:
        """Numbers as they were, and gaps in whole numbers."""
        values = self.location + self.spread * units
        values[:, self.n_channels :] = np.maximum(np.rint(values[:, self.n_channels :]), 1)
        return values

    def tolerances(self, tolerance: float) -> Array:
        """How far from what it was a value may be told to be, in these units; a gap must be told to the step."""
        return np.concatenate([np.full(self.n_channels, tolerance), 0.5 / self.spread[self.n_channels :]])
