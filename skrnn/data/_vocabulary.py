"""Tokens as users give them, and as numbers: the one vocabulary of what is read and of what is written."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._frames import columns_of, kind_of
from ._sequences import Array, Sequences, offsets_of

UNKNOWN, BEGIN, END = range(3)

WORD = r"\w+(?:['’]\w+)*|[^\w\s]"  # a word, or a punctuation mark

TokenRow = tuple[Hashable, ...]


def read_tokens(rows: Any, name: str) -> list[TokenRow]:
    """A tuple of tokens for each row: the characters of a string, the items of anything else."""
    read = [_row(row, k, name) for k, row in enumerate(rows_of_texts(rows, name))]
    if not read:
        raise ValueError(f"{name} must hold at least one row; got none")
    return read


def rows_of_texts(rows: Any, name: str) -> list[Any]:
    """The texts or token lists of whatever holds one for each row; a frame or an array of one column is that column."""
    kind = kind_of(rows)
    if kind.endswith("DataFrame"):
        columns = columns_of(rows, kind)
        if len(columns) != 1:
            raise ValueError(
                f"{name} is a frame of the columns {[label for label, _ in columns]}: pass the one that holds the texts, as frame['text']"
            )
        rows = columns[0][1]
    if isinstance(rows, np.ndarray) and rows.ndim == 2 and rows.shape[1] == 1 and all(isinstance(text, str) for text in rows[:, 0]):
        rows = rows[:, 0]
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        raise TypeError(f"{name} must be a list of token lists or strings, one for each row; got {type(rows).__name__}")
    return list(rows)


def all_strings(rows: Any) -> bool:
    """Whether every row is a string, so that rows that are written should be strings as well."""
    return all(isinstance(row, str) for row in rows_of_texts(rows, "y"))


def _row(row: Any, k: int, name: str) -> TokenRow:
    if isinstance(row, np.ndarray):
        row = row.tolist()
    elif kind_of(row).endswith("Series"):
        row = list(row)
    if not isinstance(row, Sequence) or isinstance(row, bytes):
        raise TypeError(f"{name}[{k}] must be a list of tokens or a string; got {type(row).__name__}")
    for place, token in enumerate(row):
        if not isinstance(token, Hashable):
            raise TypeError(f"{name}[{k}][{place}] must be a token, as a string or a whole number; got {type(token).__name__}")
    return tuple(row)


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that have an id of their own, the most frequent first.

    Parameters
    ----------
    tokens : tuple
    n_reserved : int, default=1
        Ids before those of tokens: that of the unknown; 3 where sequences begin and end, too.
    """

    tokens: TokenRow
    n_reserved: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {token: k + self.n_reserved for k, token in enumerate(self.tokens)})

    @classmethod
    def of(
        cls, rows: Iterable[TokenRow], min_frequency: int, n_reserved: int = 1, *, most: int | None = None, may_be_empty: bool = False
    ) -> Vocabulary:
        """All tokens that occur often enough, or ``most`` of them."""
        counts = Counter(token for row in rows for token in row)
        kept = [token for token, n in counts.items() if n >= min_frequency]
        if not kept and not may_be_empty:
            raise ValueError(f"No token occurs min_frequency={min_frequency} times: the vocabulary would be empty")
        return cls(tuple(sorted(kept, key=lambda token: (-counts[token], type(token).__name__, token))[:most]), n_reserved)

    def __len__(self) -> int:
        return len(self.tokens) + self.n_reserved

    def strangers(self, rows: list[TokenRow]) -> list[TokenRow]:
        """For each row the tokens that are not known, each once, in the order in which they come."""
        ids: dict[Hashable, int] = self.__dict__["_ids"]
        return [tuple(dict.fromkeys(token for token in row if token not in ids)) for row in rows]

    def encode(self, rows: list[TokenRow], name: str, *, end: bool = False, strict: bool = False, beside: list[TokenRow] | None = None) -> Sequences:
        """Ids in one column; ``strict`` refuses tokens that are not known, and ``end`` puts the end behind each row.

        Tokens ``beside`` the known ones have ids behind theirs, in each row by themselves.
        """
        ids: dict[Hashable, int] = self.__dict__["_ids"]
        values: list[int] = []
        for k, row in enumerate(rows):
            if strict and (unseen := [place for place, token in enumerate(row) if token not in ids]):
                raise ValueError(f"{name}[{k}][{unseen[0]}] is {row[unseen[0]]!r}, a token that was not seen in fit (handle_unknown='error')")
            more = {} if beside is None else {token: len(self) + j for j, token in enumerate(beside[k])}
            values += [ids.get(token, more.get(token, UNKNOWN)) for token in row] + [END] * end
        lengths = np.array([len(row) + end for row in rows])
        if (lengths == 0).any():
            raise ValueError(f"{name}[{int(lengths.argmin())}] is empty: there must be at least one token to read")
        return Sequences(np.array(values, dtype=np.float64)[:, None], offsets_of(lengths))

    def decode(self, ids: list[int], beside: TokenRow = ()) -> list[Any]:
        """The tokens of ids, up to the end; None for the unknown. Those ``beside`` the known ones have ids behind theirs."""
        ends, n = self.n_reserved > END and END in ids, len(self)
        written = ids[: ids.index(END) if ends else None]
        return [None if i == UNKNOWN else self.tokens[i - self.n_reserved] if i < n else beside[i - n] for i in written]

    def as_objects(self) -> Array:
        """The tokens in an array, whatever they are."""
        tokens = np.empty(len(self.tokens), dtype=object)
        tokens[:] = self.tokens
        return tokens


def warn_of_strangers(unknown: Array, offsets: Array, what: str) -> None:
    """Warn of the first sequence in which nothing is known; ``unknown`` says it of each step."""
    lost = np.logical_and.reduceat(unknown, offsets[:-1])
    if lost.any():
        rest = int(lost.sum()) - 1
        more = f" (and {rest} more)" if rest else ""
        warnings.warn(
            f"Nothing in sequence {int(np.argmax(lost))}{more} of {what} was seen in fit, so that all of it is read as the unknown; "
            "was it made in the same way, words as words and characters as characters?",
            stacklevel=2,
        )
