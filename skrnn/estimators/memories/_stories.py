"""What a memory network reads: stories and questions about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ...data import ROWS, Sequences, Story, StoryWords, Vocabulary, encode_stories, known_words, read_keys, read_stories
from ..face._guards import predicting
from ..face._predictor import Predictor
from ..face._readers import Beside, Given, RowReader, beside, read_pair
from ..face._state import Fitted

Array = NDArray[np.float64]


class StoryState:
    """The words of stories, and how long they were."""

    n_features_in_: int
    vocabulary_: NDArray[Any]
    _longest_story: int
    _longest_sentence: int
    _keyed: bool

    _leaves: ClassVar[tuple[Fitted, ...]] = (
        Fitted("n_features_in_", "int", (), "2: a story and a question."),
        Fitted("vocabulary_", "ndarray", ("n_words",), "The words that have vectors of their own, the most frequent first; ids where X held ids."),
        Fitted("_longest_story", "int"),
        Fitted("_longest_sentence", "int"),
        Fitted("_keyed", "bool"),
    )


@dataclass(frozen=True)
class Stories(RowReader):
    """Stories as sequences: words of the question, then of the sentences, then of what these are found by if that is something else.

    Parameters
    ----------
    memory_size : int or None
        How many of the last sentences are remembered; ``None``: all.
    """

    memory_size: int | None = None

    def pair(self, model: Any, X: Any, y: Any, target: Any, *, reset: bool, names: tuple[str, str] = ("", "")) -> tuple[Given, Any]:
        return read_pair(self, model, X, y, target, reset=reset, names=names)

    def read(self, model: Any, X: Any, *, reset: bool) -> Given:
        X, keys = X if isinstance(X, Beside) else (X, None)
        words = StoryWords()
        stories = read_stories(X, words)
        if not reset and model._keyed != (keys is not None):
            raise ValueError(f"keys must {'' if model._keyed else 'not '}be passed, as in fit; got {'them' if keys is not None else 'None'}")
        found_by = [[] for _ in stories] if keys is None else read_keys(keys, stories, words)
        if self.memory_size is not None:
            found_by = [rows[-self.memory_size :] for rows in found_by]
            stories = [story._replace(sentences=story.sentences[-self.memory_size :]) for story in stories]
        longest = max(len(story.sentences) for story in stories)
        stories = [Story([*story.sentences, *rows], story.question) for story, rows in zip(stories, found_by, strict=True)]
        if reset:
            model.n_features_in_, model._keyed, model._longest_story = 2, keys is not None, longest
            model._longest_sentence = max(len(row) for story in stories for row in story.rows)
            model.vocabulary_ = known_words(stories).as_objects()
        return Given(encode_stories(stories, Vocabulary(tuple(model.vocabulary_)), warn=not reset), ROWS)

    def scales(self, sequences: Sequences, weight: Array | None) -> tuple[Array, Array]:
        """Ids stay as they are, however many words the longest sentence has."""
        return np.zeros(1), np.ones(1)


def looks_at_stories(predictor: Predictor[Any], X: Any, keys: Any) -> Array:
    """How much each hop looks at each sentence (n_stories, n_hops, n_sentences), of all that were told."""
    n_told = np.array([len(story.sentences) for story in read_stories(X, StoryWords())])
    sequences, network = predictor.read(beside(X, keys)).sequences, predictor.network
    looks = np.zeros((len(n_told), network.n_hops, n_told.max()))
    with predicting(predictor.model):
        source = predictor.source(sequences)
        for index in source.chunks():
            found = np.stack([p.double().cpu().numpy() for p in network.look(source.packed(index))[1]], axis=1)
            n_kept = (sequences.lengths[index] - 1) // (1 + network.keyed)
            for i, weights, n in zip(index.tolist(), found, n_kept.tolist(), strict=True):
                looks[i, :, n_told[i] - n : n_told[i]] = weights[:, :n]
    return looks
