"""Sequences of symbols that are regular for the most part, with a class that lies far back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ._recall import _at_least


def make_first_symbol(
    n_sequences: int = 1000,
    n_steps: int | tuple[int, int] = 21,
    *,
    n_fillers: int = 20,
    starts: Sequence[str] = ("a", "x"),
    repeat: bool = False,
    random_state: Any = None,
) -> tuple[list[list[str]], NDArray[np.str_]]:
    """Strings that differ in their first symbol alone, which is the class: a b1 … b20, or x b1 … b20 (Schmidhuber, 1992).

    Parameters
    ----------
    n_sequences : int, default=1000
    n_steps : int or tuple of two ints, default=21
        Symbols of a string, at least 2, or the least and the most of them. 21 is the paper's: a lag of 20 steps from the first symbol to the end.
    n_fillers : int, default=20
        How many symbols b1, b2, … there are besides; after the last comes the first again.
    starts : sequence of str, default=("a", "x")
        Symbols to start with, of which each comes as often as the others, or nearly so.
    repeat : bool, default=False
        Whether the first symbol comes again as the last one, so that all but two steps can be told from what came shortly before.
    random_state : int, RandomState instance or None, default=None
        Source of lengths and first symbols.

    Returns
    -------
    X : list of lists of str
        Symbols.
    y : ndarray of str of shape (n_sequences,)
        The first of each.

    References
    ----------
    J. Schmidhuber, "Learning complex, extended sequences using the principle of history compression", Neural Computation 4(2), 1992.

    Examples
    --------
    >>> from skrnn.datasets import make_first_symbol
    >>> X, y = make_first_symbol(2, 5, n_fillers=3, random_state=0)
    >>> X[0], str(y[0])
    (['x', 'b1', 'b2', 'b3', 'b1'], 'x')
    """
    _at_least("n_sequences", n_sequences, 1)
    _at_least("n_fillers", n_fillers, 1)
    rng, names = check_random_state(random_state), np.array([*starts])
    fillers = [f"b{k + 1}" for k in range(n_fillers)]
    if len(names) < 2 or len({*starts, *fillers}) < len(names) + n_fillers:
        raise ValueError(f"starts must be two symbols or more, each once, and none of b1 … b{n_fillers}; got {starts!r}")
    lengths = _lengths(n_steps, n_sequences, 3 if repeat else 2, rng)
    y = names[rng.permutation(np.arange(n_sequences) % len(names))]
    cycle = fillers * (int(lengths.max()) // n_fillers + 1)
    X = [[start, *cycle[: n - 1 - repeat], *[start] * repeat] for start, n in zip(y.tolist(), lengths.tolist(), strict=True)]
    return X, y


def make_buried_order(
    n_sequences: int = 500, n_steps: int | tuple[int, int] = 1200, *, n_fillers: int = 8, n_marks: int = 2, random_state: Any = None
) -> tuple[list[list[str]], NDArray[np.str_]]:
    """Very long strings, abcdefghabcdefgh…, in the first tenth of which some places hold X or Y instead: which, in order, is the class.

    What counts is a few steps of a thousand, and lies a thousand steps back; all others can be told from what came shortly before them.

    Parameters
    ----------
    n_sequences : int, default=500
    n_steps : int or tuple of two ints, default=1200
        Symbols of a string, or the least and the most of them; at least 40 for each mark.
    n_fillers : int, default=8
        Letters of the cycle, at most 23.
    n_marks : int, default=2
        Places that hold X or Y, which makes 2 ** n_marks classes.
    random_state : int, RandomState instance or None, default=None
        Source of lengths, places and marks.

    Returns
    -------
    X : list of lists of str
        Letters.
    y : ndarray of str of shape (n_sequences,)
        The marks: "XX", "XY", …

    Examples
    --------
    >>> from skrnn.datasets import make_buried_order
    >>> X, y = make_buried_order(1, 40, n_fillers=4, n_marks=1, random_state=0)
    >>> "".join(X[0]), str(y[0])
    ('aXcdabcdabcdabcdabcdabcdabcdabcdabcdabcd', 'X')
    """
    _at_least("n_sequences", n_sequences, 1)
    _at_least("n_marks", n_marks, 1)
    _at_least("n_fillers", n_fillers, 2)
    if n_fillers > _MOST_LETTERS:
        raise ValueError(f"n_fillers must be at most {_MOST_LETTERS}; got {n_fillers}")
    rng = check_random_state(random_state)
    lengths = _lengths(n_steps, n_sequences, 40 * n_marks, rng)
    letters = np.array([chr(ord("a") + k) for k in range(n_fillers)])
    X, y = [], []
    for n in lengths.tolist():
        symbols = letters[np.arange(n) % n_fillers]
        marks = np.array(["X", "Y"])[rng.randint(2, size=n_marks)]
        symbols[1 + 2 * np.sort(rng.choice((n // 10 - 1) // 2, size=n_marks, replace=False))] = marks
        X.append(symbols.tolist())
        y.append("".join(marks))
    return X, np.array(y)


_MOST_LETTERS = 23  # before x


def _lengths(n_steps: int | tuple[int, int], n_sequences: int, least: int, rng: np.random.RandomState) -> NDArray[np.int64]:
    """A length for each sequence."""
    if not isinstance(n_steps, tuple):
        _at_least("n_steps", n_steps, least)
        return np.full(n_sequences, n_steps)
    shortest, longest = n_steps
    _at_least("n_steps[0]", shortest, least)
    _at_least("n_steps[1]", longest, shortest)
    return np.asarray(rng.randint(shortest, longest + 1, size=n_sequences))
