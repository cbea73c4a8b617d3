"""Texts as batches: contiguous streams, one piece after the other, that go on from the state before."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn.utils.rnn import PackedSequence

from ..cells import State, map_state
from ..data import Arrangement, Corpus
from ..engine import Stream, longest_first, packed_rows
from ..networks import Passage
from ._sources import Batch, Examples, Index, Source

_PIECES = 10  # of a stream, at least: more streams would be fewer updates, and more beginnings in the midst of a text
_CHUNK_TEXTS = 512  # texts read at once
_CHUNK_ROWS = 2**15  # tokens read at once
_CHUNK_NUMBERS = 2**24  # outputs for them
_SAMPLE = 2**18  # outputs from which the loss of the best constant one is computed


class Passages(Source):
    """A corpus cut into streams, of which a batch is the next piece of each.

    Parameters
    ----------
    corpus : Corpus
    dtype : torch.dtype
        Of frames.
    device : torch.device
    n_outputs : int
        Numbers that the network puts out for a token.
    n_steps : int or None, default=None
        Tokens of a piece; ``None``: so many that the work is bounded.
    n_streams : int or None, default=None
        Streams of equal length, of the texts in any order, end to end; ``None``: each text is one.
    states : State or None, default=None
        What the texts go on from, where each is a stream; ``None``: they begin.
    """

    def __init__(
        self,
        corpus: Corpus,
        place: tuple[torch.dtype, torch.device],
        n_outputs: int,
        n_steps: int | None = None,
        n_streams: int | None = None,
        states: State | None = None,
    ) -> None:
        self.corpus, (self.dtype, self.device), self.n_outputs = corpus, place, n_outputs
        self.n_steps, self.n_streams, self._given = n_steps, n_streams, states
        self._arrange(Arrangement(corpus, None if n_streams else longest_first(corpus.lengths)))

    def _arrange(self, arrangement: Arrangement) -> None:
        """Lay out the streams: groups of them are gone through one after the other, each in pieces."""
        self.arrangement = arrangement
        if self.n_streams is None:
            borders, size = arrangement.borders, _CHUNK_TEXTS
        else:
            n = max(1, min(self.n_streams, len(arrangement) // (_PIECES * (self.n_steps or 1))))
            borders, size = np.arange(n + 1) * len(arrangement) // n, n
        self._starts, self._stops = borders[:-1], borders[1:]
        n_streams = len(self._starts)
        self._groups = [np.arange(first, min(first + size, n_streams)) for first in range(0, n_streams, size)]
        self._widths = [self.n_steps or self._bounded(len(group)) for group in self._groups]
        longest = [int((self._stops[group] - self._starts[group]).max()) for group in self._groups]
        n_pieces = [-(-n // width) for n, width in zip(longest, self._widths, strict=True)]
        self._batches = [(g, k) for g, n in enumerate(n_pieces) for k in range(n)]
        self._streams = [Stream() for _ in self._groups]

    def _bounded(self, n_streams: int) -> int:
        return max(1, min(_CHUNK_ROWS, _CHUNK_NUMBERS // self.n_outputs) // n_streams)

    def __len__(self) -> int:
        return len(self._batches)

    @property
    def lengths(self) -> Index:
        return np.array([self._widths[g] for g, _ in self._batches])

    def rows(self, index: Index) -> Index:
        return self.arrangement.rows(self._places(int(index[0]))[0])

    def shuffled(self, batch_size: int | None, generator: Generator) -> list[Index]:
        """All pieces in their order, of streams of texts in random order."""
        if len(self.corpus) > 1:
            self._arrange(Arrangement(self.corpus, torch.randperm(len(self.corpus), generator=generator).numpy()))
        return [*self.chunks()]

    def chunks(self) -> Iterator[Index]:
        for group, stream in self.groups():
            index = torch.from_numpy(group)
            stream.states = None if self._given is None else map_state(lambda s, index=index: s[index.to(s.device)], self._given)
        return (np.array([k]) for k in range(len(self)))

    def packed(self, index: Index) -> Passage:
        g, k = self._batches[int(index[0])]
        places, sizes, order, (begins, stretch) = self._places(int(index[0]))
        inputs, targets = self.arrangement.at(places)
        steps = PackedSequence(self._tensor(inputs), torch.from_numpy(sizes))
        n = len(self._groups[g])
        afresh = (begins[order] | (k == 0)) & (self._given is None)
        whose = stretch[order]
        as_they_are = len(order) == n and (whose == np.arange(n)).all()
        return Passage(
            steps,
            self._tensor(targets),
            self._streams[g],
            n,
            self._tensor(afresh) if afresh.any() else None,
            None if as_they_are else self._tensor(whose),
            None if as_they_are else self._tensor(_last_of(stretch, order)),
        )

    def _places(self, batch: int) -> tuple[Index, Index, Index, tuple[Index, Index]]:
        """Places in packed order, the pieces at each step and the pieces longest first; whether a text begins with each, and its stream."""
        g, k = self._batches[batch]
        width, starts, stops = self._widths[g], self._starts[self._groups[g]], self._stops[self._groups[g]]
        low = starts + k * width
        there = np.flatnonzero(low < stops)
        first, lengths, stretch = self.arrangement.pieces(low[there], np.minimum(low[there] + width, stops[there]))
        places, sizes, order = packed_rows(first, lengths)
        return places, sizes, order, (self.arrangement.begins(first), there[stretch])

    def groups(self) -> Iterator[tuple[Index, Stream]]:
        """The streams that are gone through together, as texts where each is one, and what goes through them."""
        for group, stream in zip(self._groups, self._streams, strict=True):
            yield self.arrangement.order[group] if self.n_streams is None else group, stream

    def targets(self, places: Index) -> Tensor:
        """What is to be told at some places."""
        return self._tensor(self.arrangement.at(places)[1])

    def _tensor(self, numbers: Index) -> Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(numbers))
        kinds = {"f": self.dtype, "b": torch.bool}
        return tensor.to(self.device, kinds.get(numbers.dtype.kind, torch.int64))


def _last_of(stretch: Index, order: Index) -> Index:
    """Of each stream that has a piece the place of the last one, in packed order."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    last = np.flatnonzero(np.append(np.diff(stretch) != 0, True))
    return place[last]


class PassageExamples(Examples):
    """Texts to learn from; the network itself is told what it should have put out.

    ``target`` is that of some places: to know the loss of the best constant output, a few thousand are enough.
    """

    weight = None

    def __init__(self, source: Passages) -> None:
        self.source: Passages = source
        n = len(source.arrangement)
        most = max(1, _SAMPLE // source.n_outputs)
        self.target = source.targets(np.arange(0, n, -(-n // most)))

    @property
    def n_rows(self) -> float:
        """Tokens."""
        return float(len(self.source.arrangement))

    def batch(self, index: Index) -> Batch:
        passage = self.source.packed(index)
        return passage, passage.target, None
