"""Categories in the channels of sequences: strings or numbers become ids, as in scikit-learn's OrdinalEncoder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from ._encoding import SEQUENCES, WINDOWS, Encoding, Moments
from ._ids import categories_of_numbers, categories_of_strings, check_channels, ids_of_numbers, ids_of_strings, named, places_of
from ._sequences import Array, Sequences
from ._tables import Table, holds_numbers, holds_texts, kind_of_cells, may_hold_categories, place_of, tables_of
from ._vocabulary import warn_of_strangers

_SAY_WHAT_TOKENS_ARE = (
    "X holds texts: say what their tokens are. In front of the estimator skrnn.preprocessing.TokenEncoder() makes ids of words, "
    "make_pipeline(TokenEncoder(), RNNClassifier()); or pass lists of tokens, as [text.split() for text in X]; "
    "frontend=Embedding() alone, of skrnn.frontends, takes characters"
)


@dataclass(eq=False)
class Categories(Encoding):
    """Ids of the categories of some channels; numbers in the other channels.

    Parameters
    ----------
    channels : list of int and str, "from_dtype" or None, default=None
        Channels that hold categories, by their places (negative from the end) or by the names of a frame's
        columns; "from_dtype" are those whose type says so, and all where X holds tokens; None is all of them.
    handle_unknown : {"error", "use_encoded_value"}, default="error"
        What becomes of a category that was not seen in fit.
    min_frequency : int, default=1
        How often a category must occur in fit to have an id of its own.

    Attributes
    ----------
    n_channels_ : int
        Channels of `X`; 0 before the fit.
    names_ : list of str or None
        Of the channels, if `X` had any.
    places_ : ndarray of int of shape (n_categorical,)
        Channels that hold categories, in order.
    categories_ : list of n_categorical ndarrays
        The categories of each, sorted: strings as objects, or numbers. The id of a category is its place
        here; what is unknown has the next one.
    """

    channels: Sequence[int | str] | str | None = None
    handle_unknown: str = "error"
    min_frequency: int = 1
    n_channels_: int = field(default=0, init=False)
    names_: list[str] | None = field(default=None, init=False)
    places_: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp), init=False)
    categories_: list[Array] = field(default_factory=list, init=False)

    @classmethod
    def numbered(cls, *n_categories: int) -> Self:
        """Of channels that hold ids already: 0, 1, … of so many categories in each."""
        new = cls()
        new._learn_channels(len(n_categories), None, [])
        new.categories_ = [np.arange(n) for n in n_categories]
        return new

    @property
    def by_type(self) -> bool:
        """Whether types say which channels hold categories."""
        return isinstance(self.channels, str)

    @property
    def finds_nothing(self) -> bool:
        """Whether no type says that a channel holds categories."""
        return self.by_type and len(self.places_) == 0

    @property
    def n_ids(self) -> list[int]:
        """How many ids each categorical channel has, that of what is unknown included."""
        return [len(categories) + (self.handle_unknown == "use_encoded_value") for categories in self.categories_]

    def numbers(self, X: Any, *, reset: bool, rows: str = SEQUENCES) -> Any:
        """Ids for strings; numbers stay, and become ids behind the door."""
        if reset:
            check_channels(self.channels, self.handle_unknown, self.min_frequency)
        if self.by_type and (rows == WINDOWS or not (may_hold_categories(X) if reset else len(self.places_))):
            return X
        if self.by_type and holds_texts(X):
            raise ValueError(_SAY_WHAT_TOKENS_ARE)
        tables, back = tables_of(X, rows, tokens=self.channels is None or self.by_type)
        if rows == WINDOWS:
            _refuse_strings_in_windows(tables)
            tables = []
        if not tables:
            if holds_numbers(X):
                self._refuse_numbers_for_strings(range(len(self.categories_)))
            return X
        self._see_channels(tables, reset)
        if self.finds_nothing:
            return X
        self._refuse_strings_elsewhere(tables)
        columns = {c: ids for k, c in enumerate(self.places_.tolist()) if (ids := self._of_cells(k, tables, reset)) is not None}
        if not columns and self.channels is not None:
            return X
        return back([table.replaced({c: parts[i] for c, parts in columns.items()}) for i, table in enumerate(tables)])

    def codes(self, sequences: Sequences, *, reset: bool) -> Sequences:
        """Ids in all categorical channels."""
        if reset and not self.categories_:
            self._learn_channels(sequences.n_features, None, [])
        if sequences.n_features != self.n_channels_:
            raise ValueError(f"X has {sequences.n_features} features, but the frontend is expecting {self.n_channels_} features, as in fit")
        values = sequences.values.copy()
        for k, channel in enumerate(self.places_.tolist()):
            if self.categories_[k].dtype != object:
                values[:, channel] = self._ids(k, sequences.values[:, channel], reset, lambda row: _step_of(sequences, row))
        if not reset and self.handle_unknown != "error" and self.min_frequency == 1:  # else rare ones have taught what is unknown
            for k, channel in enumerate(self.places_.tolist()):
                what = f"{named(channel, self.names_)} of X"
                warn_of_strangers(values[:, channel] == len(self.categories_[k]), sequences.offsets, what)
        return sequences.with_values(values)

    def statistics(self, sequences: Sequences, of: Callable[[Sequences], Moments]) -> Moments:
        """Of the channels that hold no categories."""
        mean, scale = np.zeros(sequences.n_features), np.ones(sequences.n_features)
        numeric = np.setdiff1d(np.arange(sequences.n_features), self.places_)
        if len(numeric):
            mean[numeric], scale[numeric] = of(sequences.with_values(sequences.values[:, numeric]))
        return mean, scale

    def _see_channels(self, tables: list[Table], reset: bool) -> None:
        """Learn which channels there are, or compare."""
        n, names = tables[0].n_channels, tables[0].names
        for i, table in enumerate(tables):
            if table.n_channels != n:
                raise ValueError(f"sequence {i} has {table.n_channels} features, sequence 0 has {n}; all sequences need the same n_features")
            if names is not None and table.names is not None and table.names != names:
                raise ValueError(f"the channels of sequence {i} are named {table.names}, those of sequence 0 {names}")
        if reset:
            self._learn_channels(n, names, tables)
        if n != self.n_channels_:
            raise ValueError(f"X has {n} features, but the frontend is expecting {self.n_channels_} features, as in fit")
        if names is not None and self.names_ is not None and names != self.names_:
            raise ValueError(f"The channels of X are named {names}, but in fit {self.names_}")

    def _learn_channels(self, n: int, names: list[str] | None, tables: list[Table]) -> None:
        self.n_channels_, self.names_ = n, names
        if self.by_type:
            found = [c for c in range(n) if any(table.is_category(c) for table in tables)]
            self.places_ = np.array(found, dtype=np.intp)
        else:
            self.places_ = places_of(self.channels, n, names)
        self.categories_ = [np.empty(0)] * len(self.places_)

    def _of_cells(self, k: int, tables: list[Table], reset: bool) -> list[Array] | None:
        """What stands for the cells of the k-th categorical channel in each table; None: the door can read them."""
        channel = int(self.places_[k])
        by_table = [] if all(table.is_plain(channel) for table in tables) else [table.cells(channel) for table in tables]
        cells = list(chain.from_iterable(by_table))
        kind, first = kind_of_cells(cells)
        if kind not in ("numbers", "strings"):
            raise ValueError(_what_is_wrong(kind, cells[first], self._at(channel, place_of(tables, first, channel))))
        if kind == "numbers":
            self._refuse_numbers_for_strings([k])
        if not by_table:
            return None
        if kind == "numbers":
            codes = np.array(cells, dtype=np.float64)
        else:
            codes = self._ids(k, cells, reset, lambda first: place_of(tables, first, channel))
        return np.split(codes, np.cumsum([len(part) for part in by_table])[:-1])

    def _ids(self, k: int, cells: Any, reset: bool, place: Callable[[int], tuple[int, int]]) -> Array:
        """Ids of the strings (a list) or numbers (an array) of the k-th categorical channel; ``place`` tells where one is."""
        text, channel = isinstance(cells, list), int(self.places_[k])
        if reset:
            learn = categories_of_strings if text else categories_of_numbers
            self.categories_[k] = learn(cells, self.min_frequency, named(channel, self.names_))
        elif text and self.categories_[k].dtype != object:
            raise ValueError(f"{named(channel, self.names_)} of X holds strings, but held numbers in fit")
        ids = ids_of_strings(cells, self.categories_[k]) if text else ids_of_numbers(cells, self.categories_[k])
        unknown = ids == len(self.categories_[k])
        if self.handle_unknown == "error" and unknown.any():
            first = int(np.argmax(unknown))
            raise ValueError(
                f"Found unknown category {cells[first] if text else cells[first].item()!r} in {self._at(channel, place(first))}; "
                "handle_unknown='use_encoded_value' would accept it"
            )
        return ids

    def _at(self, channel: int, place: tuple[int, int]) -> str:
        return f"{named(channel, self.names_)} of X (sequence {place[0]}, step {place[1]})"

    def _refuse_numbers_for_strings(self, which: Iterable[int]) -> None:
        for k in which:
            if self.categories_[k].dtype == object:
                raise ValueError(f"{named(int(self.places_[k]), self.names_)} of X holds numbers, but held strings in fit")

    def _refuse_strings_elsewhere(self, tables: list[Table]) -> None:
        """In channels of numbers, which the door would refuse without a place."""
        for channel in sorted({*range(self.n_channels_)} - {*self.places_.tolist()}):
            cells = [] if all(table.is_plain(channel) for table in tables) else [cell for table in tables for cell in table.cells(channel)]
            first = next((row for row, cell in enumerate(cells) if isinstance(cell, str)), None)
            if first is not None:
                raise ValueError(
                    f"{self._at(channel, place_of(tables, first, channel))} holds a string, {cells[first]!r}, and is not among the "
                    f"channels={self.channels!r} of categories (numpy makes strings of numbers beside strings: dtype=object keeps them)"
                )


def _step_of(sequences: Sequences, row: int) -> tuple[int, int]:
    """The sequence of a row, and its step there."""
    sequence = int(np.searchsorted(sequences.offsets, row, side="right")) - 1
    return sequence, row - int(sequences.offsets[sequence])


def _refuse_strings_in_windows(tables: list[Table]) -> None:
    if not all(table.is_plain(channel) for table in tables for channel in range(table.n_channels)):
        raise ValueError("X holds strings, but n_lags, layout or names of lags tell how to read its columns: categories must be numbers there")


def _what_is_wrong(kind: str, cell: Any, at: str) -> str:
    if kind == "missing":
        return f"Input X contains NaN: {at} has no category; fill it, perhaps with a category of its own"
    if kind == "mixed":
        return f"The categories of a channel must be strings or numbers, not both: {at} holds {cell!r}, unlike the first"
    return f"Categories must be strings or numbers: {at} holds {kind}, {cell!r}"
