"""Texts as users give them, cut into tokens; what their tokens are as numbers, and back."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data import WORD, Corpus, Known, Sequences, Vocabulary, check_sequences_and_layout, kind_of, offsets_of, rows_of_texts

Codes = NDArray[Any]

_BLOCK = 2**22  # tokens that are compared together
_SMALL = 2**21  # numbers that are counted one by one; all code points of characters are less


@dataclass(frozen=True)
class CutTexts:
    """Texts cut into tokens, end to end.

    Attributes
    ----------
    tokens : ndarray of numbers that stand for them, or list of strings
    offsets : ndarray of shape (n_texts + 1,)
    single : bool
        Whether one text was given, and not a list.
    n_chars : int
        Characters of all texts; 0 where they are not made of any.
    """

    tokens: Any
    offsets: Codes
    single: bool
    n_chars: int = 0

    @property
    def lengths(self) -> Codes:
        """Tokens of each text."""
        return np.diff(self.offsets)

    def cut(self, rows: NDArray[Any]) -> Any:
        """Rows for each token as the texts came."""
        return rows if self.single else np.split(rows, self.offsets[1:-1])


class Spelling(ABC):
    """How texts are cut into tokens, and put together again."""

    @abstractmethod
    def read(self, X: Any, name: str, *, empty: bool = False) -> CutTexts:
        """The tokens of one text or of several; ``empty`` allows texts without any."""

    @abstractmethod
    def spell(self, tokens: list[Any]) -> Any:
        """A text of tokens."""

    @abstractmethod
    def numbers(self, tokens: Sequence[Any]) -> Codes:
        """The numbers that stand for tokens in a text."""

    @abstractmethod
    def token(self, number: Any) -> Any:
        """The token that such a number stands for."""


class OfStrings(Spelling, ABC):
    """Of texts that are strings."""

    level: str

    def read(self, X: Any, name: str, *, empty: bool = False) -> CutTexts:
        single = isinstance(X, str)
        texts = [X] if single else rows_of_texts(X, name)
        for k, text in enumerate(texts):
            if not isinstance(text, str):
                where = name if single else f"{name}[{k}]"
                told = "; level='token' reads lists of tokens" if isinstance(text, Sequence | np.ndarray) else ""
                raise TypeError(f"{where} must be a text, a string, with level={self.level!r}; got {type(text).__name__}{told}")
        tokens, lengths = self._tokens(texts)
        return CutTexts(tokens, offsets_of_texts(lengths, single, name, empty=empty), single, sum(map(len, texts)))

    @abstractmethod
    def _tokens(self, texts: list[str]) -> tuple[Any, list[int]]:
        """Tokens of all texts, and the number of each."""


class Characters(OfStrings):
    """Characters, for which stand their code points."""

    level = "char"

    def _tokens(self, texts: list[str]) -> tuple[Codes, list[int]]:
        return self.numbers("".join(texts)), [len(text) for text in texts]

    def spell(self, tokens: list[str]) -> str:
        return "".join(tokens)

    def numbers(self, tokens: Sequence[str]) -> Codes:
        return np.frombuffer("".join(tokens).encode("utf-32-le", "surrogatepass"), "<u4")

    def token(self, number: Any) -> str:
        return chr(number)


class Words(OfStrings):
    """Words and punctuation marks; strings stand for themselves."""

    level = "word"

    def _tokens(self, texts: list[str]) -> tuple[list[str], list[int]]:
        words = [re.findall(WORD, text) for text in texts]
        return [*chain.from_iterable(words)], [len(row) for row in words]

    def spell(self, tokens: list[str]) -> str:
        return " ".join(tokens)

    def numbers(self, tokens: Sequence[str]) -> Codes:
        return np.asarray(tokens, dtype=object)

    def token(self, number: Any) -> Any:
        return number


class Items(Spelling):
    """Tokens as they are: whole numbers or strings."""

    def read(self, X: Any, name: str, *, empty: bool = False) -> CutTexts:
        if isinstance(X, str | bytes):
            raise TypeError(f"{name} must be a list of tokens, or of lists of them, with level='token'; got a string, for level='char' or 'word'")
        if isinstance(X, np.ndarray) and X.dtype.kind in "iu" and X.ndim in (1, 2):
            offsets = np.array([0, len(X)]) if X.ndim == 1 else np.arange(len(X) + 1) * X.shape[1]
            return CutTexts(X.reshape(-1), offsets_of_texts(np.diff(offsets), X.ndim == 1, name, empty=empty), X.ndim == 1)
        rows = [_plain(row) for row in _listed(X, name)]
        single = not any(isinstance(row, list) for row in rows)
        texts = [rows] if single else rows
        for k, text in enumerate(texts):
            if not isinstance(text, list):
                raise TypeError(f"{name} mixes tokens and lists of tokens: {name}[{k}] is {text!r}")
        tokens = [*chain.from_iterable(texts)]
        offsets = offsets_of_texts([len(text) for text in texts], single, name, empty=empty)
        return CutTexts(_of_one_kind(tokens, offsets, single, name), offsets, single)

    def spell(self, tokens: list[Any]) -> list[Any]:
        return tokens

    def numbers(self, tokens: Sequence[Any]) -> Codes:
        return np.asarray(tokens) if len(tokens) and isinstance(tokens[0], Integral) else np.asarray(tokens, dtype=object)

    def token(self, number: Any) -> Any:
        return number if isinstance(number, str) else int(number)


SPELLINGS: dict[str, Spelling] = {"char": Characters(), "word": Words(), "token": Items()}


def read_frames(model: Any, X: Any, *, reset: bool) -> tuple[Sequences, Any]:
    """Frames of zeros and ones, and the container that they came in; a table is one sequence, whose rows are its frames."""
    sequences, layout = check_sequences_and_layout(model, X, reset=reset, compute_dtype=model.dtype, rows_are_steps=True)
    if not np.isin(sequences.values, (0, 1)).all():
        found = sequences.values[~np.isin(sequences.values, (0, 1))][0]
        raise ValueError(f"X must hold 0 and 1 alone with level='binary'; got {found:g}")
    return sequences, layout


def offsets_of_texts(lengths: Any, single: bool, name: str, *, empty: bool) -> Codes:
    """Where texts begin and end; texts without a token, and no text at all, are refused unless they are allowed."""
    lengths = np.asarray(lengths, dtype=np.int64)
    if len(lengths) == 0:
        raise ValueError(f"{name} holds no text")
    if not empty and (lengths == 0).any():
        raise ValueError(f"{name if single else f'{name}[{int(lengths.argmin())}]'} is empty: a text needs at least one token")
    return offsets_of(lengths)


def learned(read: CutTexts, spelling: Spelling, vocabulary: Any, min_frequency: int) -> Vocabulary:
    """The tokens that are known: those of a given vocabulary in its order, else those that are frequent enough, the most frequent first."""
    if vocabulary is not None:
        return given_vocabulary(vocabulary, spelling)
    if isinstance(read.tokens, list):
        return Vocabulary.of([tuple(read.tokens)], min_frequency, 0)
    counts: Counter[int] = Counter()
    for low in range(0, len(read.tokens), _BLOCK):
        counts.update(_counted(read.tokens[low : low + _BLOCK]))
    kept = sorted((number for number, n in counts.items() if n >= min_frequency), key=lambda number: (-counts[number], number))
    if not kept:
        raise ValueError(f"No token occurs min_frequency={min_frequency} times: the vocabulary would be empty")
    return Vocabulary(tuple(spelling.token(number) for number in kept), 0)


def as_corpus(read: CutTexts, spelling: Spelling, vocabulary: Vocabulary, other: int | None, begin: int, name: str) -> Corpus:
    """Texts as numbers; tokens without an id have the id ``other``, or are refused where there is none."""
    numbers = spelling.numbers(vocabulary.tokens)
    if numbers.dtype == object:
        ids = {token: k for k, token in enumerate(vocabulary.tokens)}
        tokens = np.fromiter((ids.get(token, -1) for token in read.tokens), np.int64, len(read.tokens))
        known, strange = None, _first(tokens == -1)
        tokens = np.where(tokens == -1, 0 if other is None else other, tokens)
    else:
        order = np.argsort(numbers)
        tokens, known = np.asarray(read.tokens), Known(numbers[order], order, -1 if other is None else other)
        if tokens.dtype.kind not in "iu":
            tokens = np.zeros(0, dtype=np.int64) if not len(tokens) else _refuse_kind(tokens, name)
        strange = -1 if other is not None else _first_stranger(tokens, known)
    if other is None and strange >= 0:
        text = int(np.searchsorted(read.offsets, strange, side="right")) - 1
        where = f"{name}[{strange - read.offsets[text]}]" if read.single else f"{name}[{text}][{strange - read.offsets[text]}]"
        raise ValueError(
            f"{where} is {spelling.token(read.tokens[strange])!r}, a token that was not seen in fit. It can be told beforehand "
            "(vocabulary=…), or all that are not known read as one (handle_unknown='use')"
        )
    return Corpus(tokens, read.offsets, np.full(len(read.offsets) - 1, begin), known)


def _counted(numbers: Codes) -> dict[int, int]:
    """How often each number comes."""
    if 0 <= numbers.min() <= numbers.max() < _SMALL:
        n = np.bincount(numbers)
        return {int(number): int(n[number]) for number in np.flatnonzero(n)}
    found, n = np.unique(numbers, return_counts=True)
    return dict(zip(found.tolist(), n.tolist(), strict=True))


def given_vocabulary(vocabulary: Any, spelling: Spelling) -> Vocabulary:
    tokens = sorted(vocabulary) if isinstance(vocabulary, set | frozenset) else _plain(vocabulary)
    if isinstance(tokens, str):
        tokens = list(tokens)
    if not isinstance(tokens, list):
        tokens = [*tokens]
    if not tokens or len(set(tokens)) < len(tokens):
        twice = next((token for token, n in Counter(tokens).items() if n > 1), None)
        raise ValueError(f"vocabulary must hold at least one token, and each once; got {f'{twice!r} twice' if tokens else 'none'}")
    wrong = [token for token in tokens if isinstance(spelling, OfStrings) and not isinstance(token, str)]
    wrong += [token for token in tokens if isinstance(spelling, Characters) and isinstance(token, str) and len(token) != 1]
    if wrong:
        raise ValueError(f"vocabulary must hold {'characters' if isinstance(spelling, Characters) else 'words'}; got {wrong[0]!r}")
    _of_one_kind(tokens, np.array([0, len(tokens)]), True, "vocabulary")
    return Vocabulary(tuple(tokens), 0)


def _listed(X: Any, name: str) -> list[Any]:
    if kind_of(X).endswith("DataFrame"):
        return rows_of_texts(X, name)
    if not isinstance(X, Iterable):
        raise TypeError(f"{name} must be a list of tokens, or of lists of them; got {type(X).__name__}")
    return list(X)


def _plain(row: Any) -> Any:
    """A list of what holds tokens, with Python's numbers; a token as it is."""
    if isinstance(row, np.ndarray):
        return row.tolist()
    if isinstance(row, str | bytes) or not isinstance(row, Iterable):
        return row.item() if isinstance(row, np.generic) else row
    return [token.item() if isinstance(token, np.generic) else token for token in row]


def _of_one_kind(tokens: list[Any], offsets: Codes, single: bool, name: str) -> Any:
    """Strings as they are, whole numbers in an array; refuse other things, and a mixture."""
    kind = str if tokens and isinstance(tokens[0], str) else Integral
    for place, token in enumerate(tokens):
        if not isinstance(token, kind) or isinstance(token, bool):
            text = int(np.searchsorted(offsets, place, side="right")) - 1
            where = f"{name}[{place}]" if single else f"{name}[{text}][{place - offsets[text]}]"
            mixed = " beside tokens of another kind" if isinstance(token, str | Integral) and not isinstance(token, bool) else ""
            raise TypeError(f"{where} is {token!r}{mixed}; tokens must be strings, or whole numbers, all of one kind")
    try:
        return tokens if kind is str else np.array(tokens, dtype=np.int64)
    except OverflowError as error:
        raise ValueError(f"{name} holds whole numbers up to {max(map(abs, tokens))}; those of a list must have less than 64 bits") from error


def _refuse_kind(tokens: Codes, name: str) -> Codes:
    raise ValueError(f"{name} holds strings, but the tokens of fit were whole numbers; the first is {str(tokens[0])!r}")


def _first(marks: NDArray[np.bool_]) -> int:
    return int(marks.argmax()) if marks.any() else -1


def _first_stranger(tokens: Codes, known: Known) -> int:
    """The first place of a token that is not known, gone through block by block."""
    for low in range(0, len(tokens), _BLOCK):
        if (place := _first(known.look_up(tokens[low : low + _BLOCK]) == -1)) >= 0:
            return low + place
    return -1
