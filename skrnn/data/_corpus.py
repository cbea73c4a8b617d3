"""Texts end to end, as whole numbers or frames, and what comes before and what is to be told at each of their places."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from ._sequences import Array, offsets_of, places_in

_BLOCK = 2**20  # tokens that are looked at together
_MOST_ROWS = 2**21  # of a table of ids; all code points of characters have less


@dataclass(frozen=True, eq=False)
class Known:
    """Numbers that stand for tokens in a text, in ascending order, and the id of each; ``other`` is the id of all that are not among them."""

    numbers: Array
    ids: Array
    other: int

    def look_up(self, numbers: Array) -> Array:
        """Ids of what stands in a text."""
        if self._table is not None:
            return self._table[np.minimum(numbers, len(self._table) - 1) if numbers.dtype.kind == "u" else numbers.clip(-1, len(self._table) - 1)]
        place = np.searchsorted(self.numbers, numbers).clip(max=len(self.numbers) - 1)
        return np.where(self.numbers[place] == numbers, self.ids[place], self.other)

    @cached_property
    def _table(self) -> Array | None:
        """The id of each number from 0 up, if there are not too many; the last row is for all that have none."""
        low, high = int(self.numbers[0]), int(self.numbers[-1])
        if low < 0 or high >= _MOST_ROWS:
            return None
        table = np.full(high + 2, self.other)
        table[self.numbers] = self.ids
        return table


@dataclass(frozen=True, eq=False)
class Corpus:
    """Texts of tokens, or of frames. At each place a token is told from all before it.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,) of whole numbers, or (n_tokens, n_features)
        All texts, end to end. It is never copied as a whole, so that it may be a memory-mapped file.
    offsets : ndarray of shape (n_texts + 1,)
        Where texts begin and end.
    before : ndarray of shape (n_texts,) or (n_texts, n_features)
        What stands before the first token of each: the id of the begin, zeros, or what came last.
    known : Known or None
        What makes ids of ``tokens``; ``None``: they are ids, or frames.
    end : int or None
        The id of the end of a text, which is told as a token is; ``None``: nothing is told of it.
    """

    tokens: Array
    offsets: Array
    before: Array
    known: Known | None = None
    end: int | None = None

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> Array:
        """Places of each text at which something is told."""
        return np.diff(self.offsets) + (self.end is not None)

    def ids(self, rows: Array) -> Array:
        """Ids of some tokens, or frames."""
        found = self.tokens[rows]
        return found if self.known is None else self.known.look_up(found)

    def at(self, texts: Array, places: Array) -> tuple[Array, Array]:
        """What comes before, and what is to be told, at some places of some texts."""
        rows = self.offsets[texts] + places
        inputs, targets = self.ids(np.maximum(rows - 1, 0)), self.ids(np.minimum(rows, len(self.tokens) - 1))
        first = np.flatnonzero(places == 0)
        inputs[first] = self.before[texts[first]]
        if self.end is not None:
            targets[rows == self.offsets[texts + 1]] = self.end
        return inputs, targets

    def shares(self, n: int) -> Array:
        """How often each of ``n`` ids is to be told, or the means of frames."""
        if self.tokens.ndim == 2:
            return np.asarray(self.tokens.mean(axis=0, dtype=np.float64))
        counts = np.zeros(n)
        for low in range(0, len(self.tokens), _BLOCK):
            counts += np.bincount(self.ids(np.arange(low, min(low + _BLOCK, len(self.tokens)))), minlength=n)
        if self.end is not None:
            counts[self.end] += len(self)
        return counts / counts.sum()

    def cut(self, fraction: float, generator: np.random.Generator) -> tuple[Self, Self]:
        """A part to learn from, and a part of about that share to hold out: whole texts, drawn at random, or the end of a single one."""
        n = len(self)
        if n > 1:
            n_held = int(np.ceil(fraction * n))
            if n_held == n:
                raise ValueError(f"validation_fraction={fraction} of {n} texts leaves none to learn from")
            order = generator.permutation(n)
            return self.some(np.sort(order[n_held:])), self.some(np.sort(order[:n_held]))
        last = len(self.tokens) - int(np.ceil(fraction * len(self.tokens)))
        if last < 1:
            raise ValueError(f"validation_fraction={fraction} of a text of {len(self.tokens)} token leaves none to learn from")
        train = replace(self, tokens=self.tokens[:last], offsets=np.array([0, last]), end=None)
        held = replace(self, tokens=self.tokens[last:], offsets=np.array([0, len(self.tokens) - last]), before=self.ids(np.array([last - 1])))
        return train, held

    def some(self, texts: Array) -> Self:
        """Some of the texts."""
        lengths = np.diff(self.offsets)[texts]
        new = offsets_of(lengths)
        rows = np.arange(new[-1]) + np.repeat(self.offsets[:-1][texts] - new[:-1], lengths)
        return replace(self, tokens=self.tokens[rows], offsets=new, before=self.before[texts])


class Arrangement:
    """Texts of a corpus in some order, end to end: places in all of them are places in a text."""

    def __init__(self, corpus: Corpus, order: Array | None = None) -> None:
        self.corpus = corpus
        self.order: Any = np.arange(len(corpus)) if order is None else order
        self.borders = offsets_of(corpus.lengths[self.order])

    def __len__(self) -> int:
        return int(self.borders[-1])

    def at(self, places: Array) -> tuple[Array, Array]:
        """What comes before, and what is to be told."""
        text = np.searchsorted(self.borders, places, side="right") - 1
        return self.corpus.at(self.order[text], places - self.borders[text])

    def rows(self, places: Array) -> Array:
        """Where they are among all places, the texts in the order of the corpus."""
        text = np.searchsorted(self.borders, places, side="right") - 1
        return offsets_of(self.corpus.lengths)[self.order[text]] + places - self.borders[text]

    def pieces(self, starts: Array, stops: Array) -> tuple[Array, Array, Array]:
        """Stretches of places, cut where texts begin: the first place of each piece, its length, and the stretch it is of."""
        low, high = np.searchsorted(self.borders, starts, side="right"), np.searchsorted(self.borders, stops, side="left")
        n = high - low + 1
        stretch = np.repeat(np.arange(len(starts)), n)
        nth = places_in(n)
        first = np.where(nth == 0, starts[stretch], self.borders[(low[stretch] + nth - 1).clip(max=len(self.borders) - 1)])
        last = np.where(nth == n[stretch] - 1, stops[stretch], self.borders[(low[stretch] + nth).clip(max=len(self.borders) - 1)])
        return first, last - first, stretch

    def begins(self, places: Array) -> Array:
        """Whether a text begins there."""
        return self.borders[np.searchsorted(self.borders, places)] == places
