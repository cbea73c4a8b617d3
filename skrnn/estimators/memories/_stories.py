"""What a memory network reads: stories and questions about them."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data import ROWS, Sequences, Story, StoryWords, Vocabulary, encode_stories, known_words, read_keys, read_stories, read_tokens
from ...training import Objective, Supervised
from ..face._guards import predicting
from ..face._predictor import Predictor
from ..face._readers import Given, RowReader, read_pair
from ..face._state import Fitted
from ..face._targets import Classes

Array = NDArray[np.float64]


class StoryData(NamedTuple):
    """Stories and questions, what sentences are found by, and which hops should find."""

    stories: Any
    keys: Any = None
    facts: Any = None


def asked(X: Any, keys: Any = None, facts: Any = None) -> Any:
    """X, with what else there is; what comes from a callback has it already, and is asked without the facts."""
    if isinstance(X, StoryData):
        return X._replace(facts=None)
    return X if keys is None and facts is None else StoryData(X, keys, facts)


class StoryState:
    """The words of stories, and how long they were."""

    n_features_in_: int
    vocabulary_: NDArray[Any]
    _longest_story: int
    _longest_sentence: int
    _keyed: bool
    _taught: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("n_features_in_", "int", (), "2: a story and a question."),
        Fitted("vocabulary_", "ndarray", ("n_words",), "The words that have vectors of their own, the most frequent first; ids where X held ids."),
        Fitted("_longest_story", "int"),
        Fitted("_longest_sentence", "int"),
        Fitted("_keyed", "bool"),
        Fitted("_taught", "bool"),
    )


@dataclass(frozen=True)
class Stories(RowReader):
    """Stories as sequences: words of the question, then of the sentences, then of what these are found by if that is something else.

    Parameters
    ----------
    memory_size : int or None
        How many of the last sentences are remembered; ``None``: all.
    n_hops : int
        How many sentences are to be found, where facts say which.
    """

    memory_size: int | None = None
    n_hops: int = 1

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        X, keys, facts = X if isinstance(X, StoryData) else StoryData(X)
        words = StoryWords()
        stories = read_stories(X, words)
        if not reset and model._keyed != (keys is not None):
            raise ValueError(f"keys must {'' if model._keyed else 'not '}be passed, as in fit; got {'them' if keys is not None else 'None'}")
        found_by = [[] for _ in stories] if keys is None else read_keys(keys, stories, words)
        n_told = [len(story.sentences) for story in stories]
        if self.memory_size is not None:
            found_by = [rows[-self.memory_size :] for rows in found_by]
            stories = [story._replace(sentences=story.sentences[-self.memory_size :]) for story in stories]
        longest = max(len(story.sentences) for story in stories)
        to_find = None if facts is None else self._read_facts(facts, n_told, longest)
        stories = [Story([*story.sentences, *rows], story.question) for story, rows in zip(stories, found_by, strict=True)]
        if reset:
            model.n_features_in_, model._keyed, model._taught, model._longest_story = 2, keys is not None, facts is not None, longest
            model._longest_sentence = max(len(row) for story in stories for row in story.rows)
            model.vocabulary_ = known_words(stories).as_objects()
        sequences = encode_stories(stories, Vocabulary(tuple(model.vocabulary_)), warn=not reset)
        if model._taught:
            sequences = _with_facts(sequences, np.zeros((len(stories), self.n_hops)) if to_find is None else to_find)
        return Given(sequences, ROWS)

    def _read_facts(self, facts: Any, n_told: list[int], most: int) -> Array:
        """The sentences that hops should find, counted from 1 among those that are remembered."""
        rows: list[Any] = read_tokens(facts, "facts")
        if len(rows) != len(n_told):
            raise ValueError(f"facts must hold a list for each of the {len(n_told)} stories; got {len(rows)}")
        for k, (row, n) in enumerate(zip(rows, n_told, strict=True)):
            if len(row) != self.n_hops or not all(isinstance(place, Integral) and place in range(n) for place in row):
                raise ValueError(f"facts[{k}] must hold n_hops={self.n_hops} places of sentences of X[{k}], from 0 to {n - 1}; got {list(row)}")
            if min(row) < n - most:
                raise ValueError(f"facts[{k}] has {min(row)}, a sentence of {n} that memory_size={self.memory_size} leaves out")
        forgotten = np.maximum(np.array(n_told) - most, 0)
        return np.array(rows, dtype=float) + 1 - forgotten[:, None]

    def scales(self, sequences: Sequences, weight: Array | None) -> tuple[Array, Array]:
        """Ids stay as they are, however many words the longest sentence has."""
        return np.zeros(1), np.ones(1)


def looks_at_stories(predictor: Predictor[Any], X: Any, keys: Any) -> Array:
    """How much each hop looks at each sentence (n_stories, n_hops, n_sentences), of all that were told."""
    n_told = np.array([len(story.sentences) for story in read_stories(X, StoryWords())])
    sequences, network = predictor.read(asked(X, keys)).sequences, predictor.network
    looks = np.zeros((len(n_told), network.n_hops, n_told.max()))
    with predicting(predictor.model):
        source = predictor.source(sequences)
        for index in source.chunks():
            found = np.stack([p.double().cpu().numpy() for p in network.look(source.packed(index))[1]], axis=1)
            n_kept = network.n_sentences(sequences.lengths[index])
            for i, weights, n in zip(index.tolist(), found, n_kept.tolist(), strict=True):
                looks[i, :, n_told[i] - n : n_told[i]] = weights[:, :n]
    return looks


def _with_facts(sequences: Sequences, facts: Array) -> Sequences:
    """A last row for each story, behind its words."""
    ids, offsets = sequences.values, sequences.offsets
    width = max(ids.shape[1], facts.shape[1])
    rows = np.zeros((len(ids) + len(facts), width))
    ends = offsets[1:] + np.arange(len(facts))
    there = np.ones(len(rows), dtype=bool)
    there[ends] = False
    rows[there, : ids.shape[1]] = ids
    rows[ends, : facts.shape[1]] = facts
    return Sequences(rows, offsets + np.arange(len(offsets)))


@dataclass
class FoundClasses(Classes):
    """Classes, where the network is told which sentences hops should find."""

    @property
    def objective(self) -> Objective:
        return Supervised(super().objective) if self.model._taught else super().objective
