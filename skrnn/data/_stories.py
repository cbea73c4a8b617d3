"""Stories and questions about them as users give them, and as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ._frames import columns_of, kind_of
from ._sequences import Array, Sequences, offsets_of
from ._vocabulary import UNKNOWN, TokenRow, Vocabulary, read_tokens, warn_of_strangers

STORY_WORD = r"\w+(?:['’]\w+)*"  # punctuation marks say nothing in a bag of words
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


class Story(NamedTuple):
    """What is told, sentence by sentence, and what is asked."""

    sentences: list[TokenRow]
    question: TokenRow

    @property
    def rows(self) -> list[TokenRow]:
        """The question, and behind it the sentences."""
        return [self.question, *self.sentences]


@dataclass(frozen=True)
class StoryWords:
    """What the words of a string are."""

    lowercase: bool = True
    pattern: str = STORY_WORD

    def of(self, row: Any) -> Any:
        """The words of a sentence or a question; what is no string is cut already."""
        if not isinstance(row, str):
            return row
        return [match[0] for match in re.finditer(self.pattern, row.lower() if self.lowercase else row)]


def read_stories(X: Any, words: StoryWords, name: str = "X") -> list[Story]:
    """The stories of a list of (story, question), of a frame of these columns, or of what a ``StoryVectorizer`` gives."""
    stories = [_story(item, words, f"{name}[{k}]") for k, item in enumerate(_items(X, name))]
    if not stories:
        raise ValueError(f"{name} must hold at least one story with a question; got none")
    return stories


def read_keys(keys: Any, stories: list[Story], words: StoryWords, name: str = "keys") -> list[list[TokenRow]]:
    """What the sentences of each story are found by, one for each."""
    if isinstance(keys, str | bytes | Iterator) or not isinstance(keys, Iterable):
        raise TypeError(f"{name} must be a list of stories' keys, one list for each; got {type(keys).__name__}")
    read = [_rows_of_ids(told, f"{name}[{k}]") if _holds_ids(told) else _told(told, words, f"{name}[{k}]") for k, told in enumerate(keys)]
    if len(read) != len(stories):
        raise ValueError(f"{name} must hold a list of keys for each of the {len(stories)} stories; got {len(read)}")
    for k, (found_by, story) in enumerate(zip(read, stories, strict=True)):
        if len(found_by) != len(story.sentences):
            raise ValueError(f"{name}[{k}] must hold a key for each of the {len(story.sentences)} sentences of the story; got {len(found_by)}")
    return read


def _items(X: Any, name: str) -> Iterable[Any]:
    kind = kind_of(X)
    if kind.endswith("DataFrame"):
        columns = columns_of(X, kind)
        if len(columns) != 2:
            raise ValueError(f"{name} is a frame of the columns {[label for label, _ in columns]}: pass two, the story and the question")
        return [*zip(*(values for _, values in columns), strict=True)]
    if isinstance(X, str | bytes | Iterator) or not isinstance(X, Iterable):
        raise TypeError(f"{name} must be a list of (story, question); got {type(X).__name__}")
    return X


def _holds_ids(item: Any) -> bool:
    return isinstance(item, np.ndarray) and item.ndim == 2 and item.dtype.kind in "iuf"


def _story(item: Any, words: StoryWords, name: str) -> Story:
    if _holds_ids(item):
        rows = _rows_of_ids(item, name)
        if len(rows) < 2:
            raise ValueError(f"{name} has a story without sentences: the question is its first row, and they are below; got shape {item.shape}")
        return Story(rows[1:], rows[0])
    if isinstance(item, str | bytes) or not isinstance(item, list | tuple | np.ndarray) or len(item) != 2:
        got = f"{len(item)} entries" if isinstance(item, list | tuple) else type(item).__name__
        raise TypeError(f"{name} must be a pair (story, question), or an array (1 + n_sentences, n_words) of ids as of a StoryVectorizer; got {got}")
    told, asked = item
    (question,) = read_tokens([words.of(asked)], f"{name}[1]")
    if not question:
        raise ValueError(f"{name} has a question without words")
    return Story(_told(told, words, f"{name}[0]"), question)


def _told(told: Any, words: StoryWords, name: str) -> list[TokenRow]:
    """The sentences of a story."""
    if isinstance(told, str):
        told = [sentence for sentence in _SENTENCE_END.split(told) if sentence.strip()]
    if isinstance(told, bytes) or not isinstance(told, Iterable):
        raise TypeError(f"{name} must be a story, a list of sentences or a string; got {type(told).__name__}")
    cut = [words.of(sentence) for sentence in told]
    if not cut:
        raise ValueError(f"{name} is a story without sentences: there is nothing that could answer a question")
    sentences = read_tokens(cut, name)
    if () in sentences:
        raise ValueError(f"{name}[{sentences.index(())}] is a sentence without words")
    return sentences


def _rows_of_ids(ids: Array, name: str) -> list[TokenRow]:
    """The words of the rows of a table, without the zeros at their ends and the rows of zeros at its end; None where an id is of none."""
    wrong = (ids != np.rint(ids)) | (ids < 0)
    if wrong.any():
        raise ValueError(f"{name} must hold ids of words, whole numbers of 0 or more; got {ids[wrong][0]:g}")
    there = ids != UNKNOWN
    n_words = (there * np.arange(1, ids.shape[1] + 1)).max(axis=1, initial=1)
    n_rows = int((there.any(axis=1) * np.arange(1, len(ids) + 1)).max(initial=0))
    cut = [row[:n] for row, n in zip(ids[:n_rows].astype(int).tolist(), n_words.tolist(), strict=False)]
    return [tuple(None if word == UNKNOWN else word for word in row) for row in cut]


def known_words(stories: list[Story], min_frequency: int = 1, most: int | None = None) -> Vocabulary:
    """The words that occur often enough in stories and questions; None stands where an id was of none."""
    rows = [tuple(word for word in row if word is not None) for story in stories for row in story.rows]
    return Vocabulary.of(rows, min_frequency, most=most)


def encode_stories(stories: list[Story], vocabulary: Vocabulary, *, strict: bool = False, warn: bool = False, name: str = "X") -> Sequences:
    """A sequence for each story: ids of the words of the question, then of each sentence, filled up with 0, which also is the unknown.

    ``strict`` refuses words that are not known; ``warn`` warns of questions in which no word is.
    """
    if strict:
        _refuse_strangers(stories, vocabulary, name)
    flat = vocabulary.encode([row for story in stories for row in story.rows], name)
    lengths, offsets = flat.lengths, offsets_of(np.array([len(story.rows) for story in stories]))
    rows = np.repeat(np.arange(len(lengths)), lengths)
    ids = np.zeros((len(lengths), int(lengths.max())))
    ids[rows, np.arange(len(rows)) - flat.offsets[rows]] = flat.values[:, 0]
    if warn:
        asked = offsets[:-1]
        unknown = np.concatenate([ids[k, :n] == UNKNOWN for k, n in zip(asked, lengths[asked], strict=True)])
        warn_of_strangers(unknown, offsets_of(lengths[asked]), f"the questions of {name}")
    return Sequences(ids, offsets)


def _refuse_strangers(stories: list[Story], vocabulary: Vocabulary, name: str) -> None:
    for k, story in enumerate(stories):
        for place, strangers in enumerate(vocabulary.strangers(story.rows)):
            if strangers:
                where = f"[0][{place - 1}]" if place else "[1]"
                raise ValueError(f"{name}[{k}]{where} holds {strangers[0]!r}, a word that was not seen in fit (handle_unknown='error')")
