"""Tasks in which something seen earlier has to be kept, put in order or combined."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ..data import Sequences
from ..data._sequences import offsets_of

_ORDER_LETTERS = "abcdXYEB"  # four distractors, the two letters that count, the first and the last of a sequence
_PERIODS = (8, 32, 80, 160)


def make_adding(
    n_sequences: int = 1000, n_steps: int = 50, *, protocol: str = "halves", random_state: Any = None
) -> tuple[Sequences | NDArray[np.float64], NDArray[np.float64]]:
    """Adding problem: two numbers of a long sequence are marked, and their sum is asked for (Hochreiter & Schmidhuber, 1997).

    Parameters
    ----------
    n_sequences : int, default=1000
    n_steps : int, default=50
        Length of the sequences, at least 10; the least length for "original", whose longest are a tenth longer.
    protocol : {"halves", "original"}, default="halves"
        "halves" is the form of Le, Jaitly & Hinton (2015): numbers in [0, 1), one mark in each half, the target their sum; always predicting the
        mean has the squared error 1/6. "original" is that of 1997: numbers in [-1, 1), the marks among the first ten steps and before the middle,
        the target 0.5 + (x1 + x2) / 4.
    random_state : int, RandomState instance or None, default=None
        Source of the numbers and marks.

    Returns
    -------
    X : ndarray of shape (n_sequences, n_steps, 2), or Sequences of 2 channels for "original"
        Numbers, and marks: 1 where a number counts, else 0; in the original −1 at the two ends, unless the first step is marked.
    y : ndarray of shape (n_sequences,)
        The targets.

    Notes
    -----
    In the original a marked first number is set to zero, in X as in the target: the network could not know otherwise.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, section 5.4.
    Q. V. Le, N. Jaitly, G. E. Hinton, "A simple way to initialize recurrent networks of rectified linear units", arXiv:1504.00941, 2015.

    Examples
    --------
    >>> from skrnn.datasets import make_adding
    >>> X, y = make_adding(3, 20, random_state=0)
    >>> X.shape, float((X[0, :, 0] * X[0, :, 1]).sum() - y[0])
    ((3, 20, 2), 0.0)
    """
    _at_least("n_sequences", n_sequences, 1)
    _at_least("n_steps", n_steps, 10)
    rng = check_random_state(random_state)
    if protocol == "original":
        return _original_adding(n_sequences, n_steps, rng)
    if protocol != "halves":
        raise ValueError(f"protocol must be 'halves' or 'original'; got {protocol!r}")
    X = np.zeros((n_sequences, n_steps, 2))
    X[:, :, 0] = rng.uniform(size=(n_sequences, n_steps))
    rows, half = np.arange(n_sequences), n_steps // 2
    X[rows, rng.randint(half, size=n_sequences), 1] = 1
    X[rows, rng.randint(half, n_steps, size=n_sequences), 1] = 1
    return X, X.prod(axis=2).sum(axis=1)


def _original_adding(n_sequences: int, n_steps: int, rng: np.random.RandomState) -> tuple[Sequences, NDArray[np.float64]]:
    lengths = rng.randint(n_steps, n_steps + n_steps // 10 + 1, size=n_sequences)
    offsets, y = offsets_of(lengths), np.empty(n_sequences)
    values = np.zeros((offsets[-1], 2))
    values[:, 0] = rng.uniform(-1, 1, size=len(values))
    values[offsets[:-1], 1] = values[offsets[1:] - 1, 1] = -1
    for k, start in enumerate(offsets[:-1]):
        one = rng.randint(10)
        others = np.setdiff1d(np.arange(n_steps // 2 - 1), [one])
        marked = start + np.array([one, rng.choice(others)])
        values[marked, 1] = 1
        values[marked[marked == start], 0] = 0
        y[k] = 0.5 + values[marked, 0].sum() / 4
    return Sequences(values, offsets), y


def make_temporal_order(
    n_sequences: int = 1000, n_steps: int = 100, *, n_symbols: int = 2, random_state: Any = None
) -> tuple[Sequences, NDArray[np.str_]]:
    """Temporal order: which of two letters came first, second (and third), far apart among distractors (Hochreiter & Schmidhuber, 1997).

    Parameters
    ----------
    n_sequences : int, default=1000
    n_steps : int, default=100
        Least length, at least 10; the longest sequences are a tenth longer. 100 is the paper's.
    n_symbols : {2, 3}, default=2
        How many letters count; 2 is experiment 6a with 4 classes, 3 is 6b with 8.
    random_state : int, RandomState instance or None, default=None
        Source of the lengths, places and letters.

    Returns
    -------
    X : Sequences of 8 channels
        One of the letters a, b, c, d, X, Y, E, B a step, one-hot: E begins, B ends, X or Y count, the others mean nothing.
    y : ndarray of str of shape (n_sequences,)
        The letters that count, in order: "XX", "XY" …

    Notes
    -----
    The first letter that counts comes after a tenth to a fifth of ``n_steps``, the second after a half to six tenths; of three, the second
    comes after 33 to 43 hundredths and the third after 66 to 76.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, section 5.6.

    Examples
    --------
    >>> from skrnn.datasets import make_temporal_order
    >>> X, y = make_temporal_order(3, 20, random_state=0)
    >>> (
    ...     X.n_features,
    ...     "".join("abcdXYEB"[k] for k in X[0].argmax(axis=1)),
    ...     str(y[0]),
    ... )
    (8, 'EdXdbdbcadcXaacbcddB', 'XX')
    """
    _at_least("n_sequences", n_sequences, 1)
    _at_least("n_steps", n_steps, 10)
    if n_symbols not in (2, 3):
        raise ValueError(f"n_symbols must be 2 or 3; got {n_symbols!r}")
    rng = check_random_state(random_state)
    lengths = rng.randint(n_steps, n_steps + n_steps // 10 + 1, size=n_sequences)
    offsets = offsets_of(lengths)
    codes = rng.randint(4, size=offsets[-1])
    codes[offsets[:-1]], codes[offsets[1:] - 1] = _ORDER_LETTERS.index("E"), _ORDER_LETTERS.index("B")
    y = np.full(n_sequences, "")
    for earliest in {2: (10, 50), 3: (10, 33, 66)}[n_symbols]:
        place = rng.randint(n_steps * earliest // 100, n_steps * (earliest + 10) // 100 + 1, size=n_sequences)
        counts = rng.randint(2, size=n_sequences)
        codes[offsets[:-1] + place] = _ORDER_LETTERS.index("X") + counts
        y = np.char.add(y, np.array(["X", "Y"])[counts])
    return Sequences(np.eye(len(_ORDER_LETTERS))[codes], offsets), y.astype(f"<U{n_symbols}")


def make_parity(n_sequences: int = 100, n_steps: tuple[int, int] = (500, 600), *, random_state: Any = None) -> tuple[Sequences, NDArray[np.int64]]:
    """Parity: whether a long sequence of ones and minus ones holds an odd number of ones (Schmidhuber & Hochreiter, 1996).

    Parameters
    ----------
    n_sequences : int, default=100
        Half of them odd, or nearly half.
    n_steps : tuple of two ints, default=(500, 600)
        Shortest and longest length.
    random_state : int, RandomState instance or None, default=None
        Source of the lengths and inputs.

    Returns
    -------
    X : Sequences of 1 channel
        −1 or 1 a step.
    y : ndarray of int of shape (n_sequences,)
        1 if the number of ones is odd, else 0.

    References
    ----------
    J. Schmidhuber, S. Hochreiter, "Guessing can outperform many long time lag algorithms", technical note IDSIA-19-96, 1996.

    Examples
    --------
    >>> from skrnn.datasets import make_parity
    >>> X, y = make_parity(4, (3, 5), random_state=0)
    >>> X[0][:, 0].tolist(), int(y[0])
    ([1.0, 1.0, 1.0], 1)
    """
    _at_least("n_sequences", n_sequences, 1)
    shortest, longest = n_steps
    _at_least("n_steps[0]", shortest, 1)
    _at_least("n_steps[1]", longest, shortest)
    rng = check_random_state(random_state)
    lengths = rng.randint(shortest, longest + 1, size=n_sequences)
    offsets = offsets_of(lengths)
    bits = rng.randint(2, size=offsets[-1])
    y = rng.permutation(np.arange(n_sequences) % 2)
    odd = np.add.reduceat(bits, offsets[:-1]) % 2
    bits[offsets[1:] - 1] ^= odd ^ y  # the last input makes the parity what it should be
    return Sequences(2.0 * bits[:, None] - 1, offsets), y


def make_xor_in_time(n_steps: int = 3000, *, random_state: Any = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """XOR in time: a stream of bits of which every third is the XOR of the two before; predict the next (Elman, 1990).

    Parameters
    ----------
    n_steps : int, default=3000
        Length of the stream.
    random_state : int, RandomState instance or None, default=None
        Source of the random bits.

    Returns
    -------
    X : ndarray of shape (n_steps - 1, 1)
        The bits but the last, as one sequence whose rows are time steps.
    y : ndarray of shape (n_steps - 1,)
        The bit that comes next. Those that can be known are ``y[1::3]``.

    References
    ----------
    J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990, "Exclusive-OR".

    Examples
    --------
    >>> from skrnn.datasets import make_xor_in_time
    >>> X, y = make_xor_in_time(9, random_state=0)
    >>> X[:, 0].tolist(), y[1::3].tolist()
    ([0.0, 1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 0.0])
    """
    _at_least("n_steps", n_steps, 3)
    pairs = check_random_state(random_state).randint(2, size=(-(-n_steps // 3), 2))
    bits = np.column_stack([pairs, pairs[:, 0] ^ pairs[:, 1]]).ravel()[:n_steps].astype(float)
    return bits[:-1, None], bits[1:]


def make_delayed_xor(n_steps: int = 1000, delay: int = 2, *, random_state: Any = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pipelined XOR: the XOR of the two inputs of some steps ago, at every step (Williams & Zipser, 1989).

    Parameters
    ----------
    n_steps : int, default=1000
        Length of the stream.
    delay : int, default=2
        Time steps from the inputs to their XOR. A single layer needs two: one for the parts of the XOR, one for the whole.
    random_state : int, RandomState instance or None, default=None
        Source of the inputs.

    Returns
    -------
    X : ndarray of shape (n_steps, 2)
        Bits, as one sequence whose rows are time steps.
    y : ndarray of shape (n_steps,)
        0 or 1; NaN in the first ``delay`` steps, which have no target.

    References
    ----------
    R. J. Williams, D. Zipser, "A learning algorithm for continually running fully recurrent neural networks", Neural Computation 1(2), 1989.

    Examples
    --------
    >>> from skrnn.datasets import make_delayed_xor
    >>> X, y = make_delayed_xor(4, 1, random_state=0)
    >>> X.tolist(), y.tolist()
    ([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [1.0, 1.0]], [nan, 1.0, 1.0, 0.0])
    """
    _at_least("delay", delay, 0)
    _at_least("n_steps", n_steps, delay + 1)
    X = check_random_state(random_state).randint(2, size=(n_steps, 2)).astype(float)
    return X, _delayed((X[:, 0] != X[:, 1]).astype(float), delay)


def make_delayed_recall(
    n_sequences: int = 100, n_steps: int = 100, lag: int = 30, *, random_state: Any = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Delayed recall: the input of some steps ago, at every step, so that all inputs since have to be kept (Jaeger, 2001).

    Parameters
    ----------
    n_sequences : int, default=100
    n_steps : int, default=100
        Length of the sequences.
    lag : int, default=30
        Time steps from the input to its recall.
    random_state : int, RandomState instance or None, default=None
        Source of the inputs.

    Returns
    -------
    X : ndarray of shape (n_sequences, n_steps, 1)
        −1 or 1, at random.
    y : ndarray of shape (n_sequences, n_steps)
        The input ``lag`` steps ago; NaN in the first ``lag`` steps, which have no target.

    References
    ----------
    H. Jaeger, "Short term memory in echo state networks", GMD report 152, 2001.

    Examples
    --------
    >>> from skrnn.datasets import make_delayed_recall
    >>> X, y = make_delayed_recall(1, 5, 2, random_state=0)
    >>> X[0, :, 0].tolist(), y[0].tolist()
    ([-1.0, 1.0, 1.0, -1.0, 1.0], [nan, nan, -1.0, 1.0, 1.0])
    """
    _at_least("n_sequences", n_sequences, 1)
    _at_least("lag", lag, 0)
    _at_least("n_steps", n_steps, lag + 1)
    bits = check_random_state(random_state).randint(2, size=(n_sequences, n_steps)) * 2.0 - 1
    return bits[:, :, None], _delayed(bits, lag)


def make_waveform(n_steps: int = 320, periods: tuple[float, ...] = _PERIODS) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Waveform: a sum of sines of several periods, to be generated from an input that tells nothing (Koutník et al., 2014).

    Parameters
    ----------
    n_steps : int, default=320
        Length.
    periods : sequence of float, default=(8, 32, 80, 160)
        Periods of the sines, in time steps. The paper generates music; these are a stand-in of the same length with four time scales.

    Returns
    -------
    X : ndarray of shape (n_steps, 1)
        Ones, as one sequence whose rows are time steps.
    y : ndarray of shape (n_steps,)
        The sum, with mean 0 and variance 1.

    References
    ----------
    J. Koutník, K. Greff, F. Gomez, J. Schmidhuber, "A clockwork RNN", ICML 2014, section 4.1.

    Examples
    --------
    >>> from skrnn.datasets import make_waveform
    >>> X, y = make_waveform()
    >>> X.shape, float(y.std())
    ((320, 1), 1.0)
    """
    _at_least("n_steps", n_steps, 2)
    wave = np.sin(2 * np.pi * np.arange(n_steps)[:, None] / np.asarray(periods)).sum(axis=1)
    return np.ones((n_steps, 1)), (wave - wave.mean()) / wave.std()


def _delayed(values: NDArray[np.float64], lag: int) -> NDArray[np.float64]:
    """Values along the last axis, so many places later; NaN before."""
    late = np.full(values.shape, np.nan)
    late[..., lag:] = values[..., : values.shape[-1] - lag]
    return late


def _at_least(name: str, value: Any, least: int) -> None:
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number of at least {least}; got {value!r}")
