"""How X becomes numbers, where that is more than to read them: what is learnt for it without a gradient."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ._sequences import Array, Sequences

# What the rows of a 2-D X are (``rows`` of `Encoding.numbers`): a sequence each, the steps of one sequence, or
# windows of several channels.
SEQUENCES, STEPS, WINDOWS = "sequences", "steps", "windows"

Moments = tuple[Array, Array]


class Encoding(ABC):
    """What stands before and behind the door (`as_sequences`): what users bring → numbers → what a network takes.

    A new one learns from the data of a fit (``reset=True``), and is only read after that. What it learns ends
    in an underscore: numpy arrays, lists of them, strings and whole numbers.
    """

    @property
    def finds_nothing(self) -> bool:
        """Whether it has looked at X, and there is nothing that it could be for."""
        return False

    @abstractmethod
    def numbers(self, X: Any, *, reset: bool, rows: str = SEQUENCES) -> Any:
        """X as the door can read it: in a container of the same kind, with numbers for what is none.

        Parameters
        ----------
        X : object
            What a user brings; it is not changed.
        reset : bool
            Whether to learn.
        rows : {"sequences", "steps", "windows"}, default="sequences"
            What the rows of a 2-D `X` are.
        """

    @abstractmethod
    def codes(self, sequences: Sequences, *, reset: bool) -> Sequences:
        """What a network takes, of sequences that have come through the door; `numbers` comes before."""

    def statistics(self, sequences: Sequences, of: Callable[[Sequences], Moments]) -> Moments:
        """Mean and scale (n_features,) by which to standardise what `codes` gave; 0 and 1 of what is no quantity.

        Parameters
        ----------
        sequences : Sequences
        of : callable
            Mean and scale of each channel of the sequences that it gets, which are those that hold
            quantities.
        """
        return of(sequences)


@dataclass(eq=False)
class AsItIs(Encoding):
    """Numbers are what the network takes; there is nothing to learn."""

    def numbers(self, X: Any, *, reset: bool, rows: str = SEQUENCES) -> Any:
        return X

    def codes(self, sequences: Sequences, *, reset: bool) -> Sequences:
        return sequences
