"""The five tasks of the neural Turing machine: algorithms on bits, with targets at some of the steps (Graves, Wayne & Danihelka, 2014)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ..data import Sequences
from ..data._sequences import offsets_of
from ._recall import _at_least

Bits = NDArray[np.float64]
Task = tuple[Sequences, list[Bits], list[NDArray[np.bool_]]]


def make_copy_memory(n_sequences: int = 1000, *, n_bits: int = 4, min_length: int = 1, max_length: int = 6, random_state: Any = None) -> Task:
    """Copy: random vectors of bits, to be given out again once an end has been marked.

    Parameters
    ----------
    n_sequences : int, default=1000
    n_bits : int, default=4
        Bits of a vector; 8 in the paper.
    min_length, max_length : int, default=1 and 6
        Vectors of a sequence; every length between is as probable. 1 and 20 in the paper.
    random_state : int, RandomState instance or None, default=None
        Source of the lengths and bits.

    Returns
    -------
    X : Sequences of n_bits + 1 channels
        L vectors, a step with a 1 in the last channel, and L empty steps.
    y : list of ndarray of shape (n_steps, n_bits)
        The vectors in the empty steps, NaN before.
    scored : list of ndarray of bool of shape (n_steps,)
        Which steps have a target.

    See Also
    --------
    make_copy : The same with symbols, for networks that read all and then write.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka, "Neural Turing machines", arXiv:1410.5401, 2014, section 4.1.

    Examples
    --------
    >>> from skrnn.datasets import make_copy_memory
    >>> X, y, scored = make_copy_memory(
    ...     1, n_bits=2, min_length=2, max_length=2, random_state=0
    ... )
    >>> X[0].astype(int).tolist(), y[0].tolist()[-2:]
    ([[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0.0, 1.0], [1.0, 0.0]])
    """
    rng = _begun(n_sequences, n_bits, random_state)
    lengths = _drawn_between(rng, "length", min_length, max_length, n_sequences)
    rows = []
    for length in lengths:
        bits = _bits(rng, length, n_bits)
        rows.append(_asked([bits, _mark(n_bits + 1, n_bits)], bits))
    return _task(rows)


def make_repeat_copy(
    n_sequences: int = 1000,
    *,
    n_bits: int = 4,
    min_length: int = 1,
    max_length: int = 4,
    min_repeats: int = 1,
    max_repeats: int = 4,
    random_state: Any = None,
) -> Task:
    """Repeat copy: vectors of bits, to be given out as often as is said at their end, and then an end mark.

    Parameters
    ----------
    n_sequences : int, default=1000
    n_bits : int, default=4
        Bits of a vector; 8 in the paper.
    min_length, max_length : int, default=1 and 4
        Vectors of a sequence; every length between is as probable. 1 and 10 in the paper.
    min_repeats, max_repeats : int, default=1 and 4
        How often they are asked for, likewise. 1 and 10 in the paper.
    random_state : int, RandomState instance or None, default=None
        Source of the lengths, repeats and bits.

    Returns
    -------
    X : Sequences of n_bits + 2 channels
        L vectors, a step with a 1 in the channel behind them and the number of repeats in the last, and empty steps. The number has mean 0 and
        variance 1.
    y : list of ndarray of shape (n_steps, n_bits + 1)
        In the empty steps the vectors, again and again, then a 1 in the last column; NaN before.
    scored : list of ndarray of bool of shape (n_steps,)
        Which steps have a target.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka, "Neural Turing machines", arXiv:1410.5401, 2014, section 4.2.

    Examples
    --------
    >>> from skrnn.datasets import make_repeat_copy
    >>> X, y, scored = make_repeat_copy(50, max_length=3, random_state=0)
    >>> X.n_features, y[0].shape[1], len(X[0]) == len(y[0])
    (6, 5, True)
    """
    rng = _begun(n_sequences, n_bits, random_state)
    lengths = _drawn_between(rng, "length", min_length, max_length, n_sequences)
    repeats = _drawn_between(rng, "repeats", min_repeats, max_repeats, n_sequences)
    deviation = (((max_repeats - min_repeats + 1) ** 2 - 1) / 12) ** 0.5  # of whole numbers that are as probable
    rows = []
    for length, times in zip(lengths, repeats, strict=True):
        bits, ask = _bits(rng, length, n_bits), _mark(n_bits + 2, n_bits)
        ask[0, -1] = (times - (min_repeats + max_repeats) / 2) / (deviation or 1)
        wanted = np.vstack([_wider(np.tile(bits, (times, 1)), n_bits + 1), _mark(n_bits + 1, n_bits)])
        rows.append(_asked([bits, ask], wanted))
    return _task(rows)


def make_associative_recall(
    n_sequences: int = 1000,
    *,
    n_bits: int = 6,
    item_length: int = 3,
    min_items: int = 2,
    max_items: int = 6,
    random_state: Any = None,
) -> Task:
    """Associative recall: some items, then one of them again; the one that came after it is asked for.

    Parameters
    ----------
    n_sequences : int, default=1000
    n_bits, item_length : int, default=6 and 3
        Bits of a vector, and vectors of an item: the paper's.
    min_items, max_items : int, default=2 and 6
        Items of a sequence; every number between is as probable. The paper's.
    random_state : int, RandomState instance or None, default=None
        Source of the numbers, the items and which is asked for.

    Returns
    -------
    X : Sequences of n_bits + 2 channels
        Each item behind a step with a 1 in the channel behind its bits; the query between two steps with a 1 in the last channel; empty steps.
    y : list of ndarray of shape (n_steps, n_bits)
        In the empty steps the item behind that of the query, NaN before.
    scored : list of ndarray of bool of shape (n_steps,)
        Which steps have a target.

    Notes
    -----
    The query is never the last item. Where two items are alike, it stands for the earlier or the later one.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka, "Neural Turing machines", arXiv:1410.5401, 2014, section 4.3.

    Examples
    --------
    >>> from skrnn.datasets import make_associative_recall
    >>> X, y, scored = make_associative_recall(1, max_items=2, random_state=0)
    >>> len(X[0]), scored[0].sum(), bool((y[0][-3:] == X[0][5:8, :6]).all())
    (16, np.int64(3), True)
    """
    rng = _begun(n_sequences, n_bits, random_state)
    _at_least("item_length", item_length, 1)
    _at_least("min_items", min_items, 2)
    numbers = _drawn_between(rng, "items", min_items, max_items, n_sequences)
    rows = []
    for n in numbers:
        items = _bits(rng, n * item_length, n_bits).reshape(n, item_length, n_bits)
        query = rng.randint(n - 1)
        begin, ask = _mark(n_bits + 2, n_bits), _mark(n_bits + 2, n_bits + 1)
        told = [part for item in items for part in (begin, item)]
        rows.append(_asked([*told, ask, items[query], ask], items[query + 1]))
    return _task(rows)


def make_dynamic_ngrams(
    n_sequences: int = 1000, *, n_steps: int = 200, n_gram: int = 6, random_state: Any = None
) -> tuple[Bits, Bits, NDArray[np.bool_]]:
    """Dynamic N-grams: bits whose probability depends on those before, by a table that is another for every sequence; predict the next.

    Parameters
    ----------
    n_sequences : int, default=1000
    n_steps : int, default=200
        Bits of a sequence; the paper's.
    n_gram : int, default=6
        One more than the bits on which the next one depends; the paper's.
    random_state : int, RandomState instance or None, default=None
        Source of the tables and bits.

    Returns
    -------
    X : ndarray of shape (n_sequences, n_steps - 1, 1)
        The bits but the last.
    y : ndarray of shape (n_sequences, n_steps - 1)
        The bit that comes next; NaN where it is one of the first n_gram − 1, of which nothing can be known.
    scored : ndarray of bool of shape (n_sequences, n_steps - 1)
        Which steps have a target.

    See Also
    --------
    ngram_bayes_bits : The least that can be reached without knowing the tables.

    Notes
    -----
    The probabilities of a 1 are drawn from Beta(½, ½), one for each of the 2^(n_gram − 1) contexts.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka, "Neural Turing machines", arXiv:1410.5401, 2014, section 4.4.

    Examples
    --------
    >>> from skrnn.datasets import make_dynamic_ngrams
    >>> X, y, scored = make_dynamic_ngrams(3, n_steps=50, random_state=0)
    >>> X.shape, scored.sum(1).tolist()
    ((3, 49, 1), [45, 45, 45])
    """
    rng = _begun(n_sequences, 1, random_state)
    _at_least("n_gram", n_gram, 2)
    _at_least("n_steps", n_steps, n_gram)
    known = n_gram - 1
    tables = rng.beta(0.5, 0.5, size=(n_sequences, 2**known))
    bits = rng.randint(2, size=(n_sequences, n_steps))
    chances = rng.uniform(size=(n_sequences, n_steps))
    for place in range(known, n_steps):
        context = bits[:, place - known : place] @ (1 << np.arange(known)[::-1])
        bits[:, place] = chances[:, place] < tables[np.arange(n_sequences), context]
    y = bits[:, 1:].astype(float)
    y[:, : known - 1] = np.nan
    return bits[:, :-1, None].astype(float), y, ~np.isnan(y)


def ngram_bayes_bits(X: Any, y: Any, *, n_gram: int = 6) -> Bits:
    """The bits of each sequence of dynamic N-grams for who knows how tables are drawn, and no more: on average nobody needs fewer.

    Parameters
    ----------
    X : array-like of shape (n_sequences, n_steps - 1, 1)
    y : array-like of shape (n_sequences, n_steps - 1)
        As :func:`make_dynamic_ngrams` gives them.
    n_gram : int, default=6
        As they were made.

    Returns
    -------
    ndarray of shape (n_sequences,)
        Cross entropy of the targets of each sequence, in bits.

    Notes
    -----
    Where a context has been followed by N1 ones and N0 zeros so far, the next bit is 1 with probability (N1 + ½) / (N1 + N0 + 1), the mean of its
    posterior.

    Examples
    --------
    >>> from skrnn.datasets import make_dynamic_ngrams, ngram_bayes_bits
    >>> X, y, scored = make_dynamic_ngrams(200, random_state=0)
    >>> round(ngram_bayes_bits(X, y).mean())
    127
    """
    known = n_gram - 1
    bits, wanted = np.asarray(X)[..., 0].astype(int), np.asarray(y)[:, known - 1 :]
    context = np.lib.stride_tricks.sliding_window_view(bits, known, axis=1) @ (1 << np.arange(known)[::-1])
    there = context[..., None] == np.arange(2**known)
    ones, seen = (_so_far(there * counted)[there].reshape(context.shape) for counted in (wanted[..., None], 1.0))
    of_one = (ones + 0.5) / (seen + 1)
    return -np.asarray(np.log2(np.where(wanted == 1, of_one, 1 - of_one)).sum(axis=1))


def make_priority_sort(n_sequences: int = 1000, *, n_bits: int = 4, n_items: int = 6, n_sorted: int = 4, random_state: Any = None) -> Task:
    """Priority sort: vectors of bits, each with a priority; those of the highest are asked for, in that order.

    Parameters
    ----------
    n_sequences : int, default=1000
    n_bits : int, default=4
        Bits of a vector; 8 in the paper.
    n_items, n_sorted : int, default=6 and 4
        Vectors that are given, and asked for; 20 and 16 in the paper.
    random_state : int, RandomState instance or None, default=None
        Source of the bits and priorities.

    Returns
    -------
    X : Sequences of n_bits + 2 channels
        Vectors with their priority, between −1 and 1, in the channel behind them; a step with a 1 in the last channel; empty steps.
    y : list of ndarray of shape (n_steps, n_bits)
        In the empty steps the vectors, the highest priority first; NaN before.
    scored : list of ndarray of bool of shape (n_steps,)
        Which steps have a target.

    References
    ----------
    A. Graves, G. Wayne, I. Danihelka, "Neural Turing machines", arXiv:1410.5401, 2014, section 4.5.

    Examples
    --------
    >>> from skrnn.datasets import make_priority_sort
    >>> X, y, scored = make_priority_sort(
    ...     1, n_items=3, n_sorted=1, random_state=0
    ... )
    >>> bool((y[0][-1] == X[0][X[0][:, 4].argmax(), :4]).all())
    True
    """
    rng = _begun(n_sequences, n_bits, random_state)
    _at_least("n_sorted", n_sorted, 1)
    _at_least("n_items", n_items, n_sorted)
    rows = []
    for _ in range(n_sequences):
        bits, priority = _bits(rng, n_items, n_bits), rng.uniform(-1, 1, size=(n_items, 1))
        order = np.argsort(-priority[:, 0])[:n_sorted]
        rows.append(_asked([np.hstack([bits, priority]), _mark(n_bits + 2, n_bits + 1)], bits[order]))
    return _task(rows)


def _begun(n_sequences: int, n_bits: int, random_state: Any) -> np.random.RandomState:
    _at_least("n_sequences", n_sequences, 1)
    _at_least("n_bits", n_bits, 1)
    return check_random_state(random_state)


def _drawn_between(rng: np.random.RandomState, what: str, least: int, most: int, n: int) -> NDArray[np.int64]:
    """So many whole numbers, every one from ``least`` to ``most`` as probable."""
    _at_least(f"min_{what}", least, 1)
    _at_least(f"max_{what}", most, least)
    return rng.randint(least, most + 1, size=n)


def _bits(rng: np.random.RandomState, n: int, n_bits: int) -> Bits:
    return rng.randint(2, size=(n, n_bits)).astype(float)


def _mark(n_channels: int, channel: int) -> Bits:
    """A step with a 1 in one of its channels."""
    step = np.zeros((1, n_channels))
    step[0, channel] = 1
    return step


def _wider(rows: Bits, n_channels: int) -> Bits:
    """With further channels of zeros."""
    return np.pad(rows, ((0, 0), (0, n_channels - rows.shape[1])))


def _asked(given: list[Bits], wanted: Bits) -> tuple[Bits, Bits]:
    """Steps and targets of a sequence: what is given, the last part the widest, then empty steps in which something is wanted."""
    told = np.vstack([_wider(part, given[-1].shape[1]) for part in given])
    x = np.vstack([told, np.zeros((len(wanted), told.shape[1]))])
    return x, np.vstack([np.full((len(told), wanted.shape[1]), np.nan), wanted])


def _task(rows: list[tuple[Bits, Bits]]) -> Task:
    xs, ys = zip(*rows, strict=True)
    X = Sequences(np.vstack(xs), offsets_of(np.array([len(x) for x in xs])))
    return X, [*ys], [~np.isnan(y[:, 0]) for y in ys]


def _so_far(counted: Bits) -> Bits:
    """Sums over the steps before each."""
    return np.cumsum(counted, axis=1) - counted
