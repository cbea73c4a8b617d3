"""TokenRow as users give them, and as numbers."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...data import Sequences, one_column

UNKNOWN, BEGIN, END = range(3)
_OWN = 3  # ids before those of tokens

TokenRow = tuple[Hashable, ...]


def read_tokens(rows: Any, name: str) -> list[TokenRow]:
    """A tuple of tokens for each row: the characters of a string, the items of anything else; a frame of one column is that column."""
    rows = one_column(rows, name)
    if isinstance(rows, str | bytes) or not isinstance(rows, Iterable):
        raise TypeError(f"{name} must be a list of token lists or strings, one for each row; got {type(rows).__name__}")
    read = [_row(row, k, name) for k, row in enumerate(rows)]
    if not read:
        raise ValueError(f"{name} must hold at least one row; got none")
    return read


def all_strings(rows: Any) -> bool:
    """Whether every row is a string, so that rows that are written should be strings as well."""
    return all(isinstance(row, str) for row in one_column(rows, "y"))


def _row(row: Any, k: int, name: str) -> TokenRow:
    if isinstance(row, np.ndarray):
        row = row.tolist()
    if not isinstance(row, Sequence) or isinstance(row, bytes):
        raise TypeError(f"{name}[{k}] must be a list of tokens or a string; got {type(row).__name__}")
    for place, token in enumerate(row):
        if not isinstance(token, Hashable):
            raise TypeError(f"{name}[{k}][{place}] must be a token, as a string or a whole number; got {type(token).__name__}")
    return tuple(row)


@dataclass(frozen=True)
class Vocabulary:
    """The tokens that have an id of their own, the most frequent first; ids 0, 1 and 2 are unknown, begin and end."""

    tokens: TokenRow

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ids", {token: k + _OWN for k, token in enumerate(self.tokens)})

    @classmethod
    def of(cls, rows: Iterable[TokenRow], min_frequency: int) -> Vocabulary:
        """All tokens that occur often enough."""
        counts = Counter(token for row in rows for token in row)
        kept = [token for token, n in counts.items() if n >= min_frequency]
        if not kept:
            raise ValueError(f"No token occurs min_frequency={min_frequency} times: the vocabulary would be empty")
        return cls(tuple(sorted(kept, key=lambda token: (-counts[token], type(token).__name__, token))))

    def __len__(self) -> int:
        return len(self.tokens) + _OWN

    def encode(self, rows: list[TokenRow], name: str, *, end: bool = False, strict: bool = False) -> Sequences:
        """Ids in one column; ``strict`` refuses tokens that are not known, and ``end`` puts the end behind each row."""
        ids: dict[Hashable, int] = self.__dict__["_ids"]
        values: list[int] = []
        for k, row in enumerate(rows):
            if strict and (unseen := [place for place, token in enumerate(row) if token not in ids]):
                raise ValueError(f"{name}[{k}][{unseen[0]}] is {row[unseen[0]]!r}, a token that was not seen in fit (handle_unknown='error')")
            values += [ids.get(token, UNKNOWN) for token in row] + [END] * end
        lengths = np.array([len(row) + end for row in rows])
        if (lengths == 0).any():
            raise ValueError(f"{name}[{int(lengths.argmin())}] is empty: there must be at least one token to read")
        return Sequences(np.array(values, dtype=np.float64)[:, None], np.concatenate([[0], lengths.cumsum()]))

    def warn_of_strangers(self, rows: list[TokenRow], name: str) -> None:
        """Warn of rows of which no token is known: what is made of them means nothing."""
        ids: dict[Hashable, int] = self.__dict__["_ids"]
        strange = [k for k, row in enumerate(rows) if not any(token in ids for token in row)]
        if strange:
            some = ", ".join(map(repr, rows[strange[0]][:5])) + (", …" if len(rows[strange[0]]) > 5 else "")
            warnings.warn(
                f"Of {len(strange)} rows of {name}, the first of them {name}[{strange[0]}], no token was seen in fit, so that what is written "
                f"for them means nothing: {some}. The tokens of a string are its characters; words are a list of strings",
                UserWarning,
                stacklevel=8,
            )

    def decode(self, ids: list[int]) -> list[Any]:
        """The tokens of ids, up to the end."""
        return [self.tokens[i - _OWN] for i in ids[: ids.index(END) if END in ids else None]]
