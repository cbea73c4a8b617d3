"""Strings of small grammars, to be predicted letter by letter."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state

from ..data import Sequences
from ..data._sequences import offsets_of
from ._recall import _at_least

REBER_LETTERS = "BTPSXVE"
_REBER = (  # for each node: the letters that may follow, and the nodes that they lead to
    ("B", (1,)),
    ("TP", (2, 3)),
    ("SX", (2, 4)),
    ("TV", (3, 5)),
    ("XS", (3, 6)),
    ("PV", (4, 6)),
    ("E", (7,)),
)
_SYLLABLES = {"b": "ba", "d": "dii", "g": "guuu"}
_FEATURES = {  # consonant, vowel, interrupted, high, back, voiced
    "b": "101001",
    "d": "101101",
    "g": "101011",
    "a": "010011",
    "i": "010101",
    "u": "010111",
}


def make_embedded_reber(n_strings: int = 256, *, random_state: Any = None) -> tuple[Sequences, list[NDArray[np.str_]]]:
    """Embedded Reber grammar: predict the next letter; the last but one repeats the second, any number of letters ago (Fahlman, 1991).

    Parameters
    ----------
    n_strings : int, default=256
    random_state : int, RandomState instance or None, default=None
        Source of the choices, each with probability 1/2.

    Returns
    -------
    X : Sequences of 7 channels
        The letters of each string but its last, one-hot in the order of ``REBER_LETTERS``.
    y : list of ndarray of str (n_steps,)
        The letter that comes next. At most steps two letters are possible, and only one of them comes.

    References
    ----------
    S. E. Fahlman, "The recurrent cascade-correlation architecture", NIPS 3, 1991.
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, section 5.1.

    Examples
    --------
    >>> from skrnn.datasets import make_embedded_reber
    >>> X, y = make_embedded_reber(2, random_state=0)
    >>> ["".join(letters) for letters in y]
    ['TBPVPSETE', 'PBPVVEPE']
    """
    _at_least("n_strings", n_strings, 1)
    rng = check_random_state(random_state)
    strings = [_embedded(rng) for _ in range(n_strings)]
    values = _one_hot("".join(s[:-1] for s in strings), REBER_LETTERS)
    return Sequences(values, offsets_of([len(s) - 1 for s in strings])), [np.array(list(s[1:])) for s in strings]


def make_continual_reber(n_strings: int = 1000, *, random_state: Any = None) -> tuple[NDArray[np.float64], NDArray[np.str_]]:
    """Continual embedded Reber grammar: one stream of strings, without a sign where one ends (Gers, Schmidhuber & Cummins, 2000).

    Parameters
    ----------
    n_strings : int, default=1000
        Strings in the stream.
    random_state : int, RandomState instance or None, default=None
        Source of the choices, each with probability 1/2.

    Returns
    -------
    X : ndarray of shape (n_steps, 7)
        The letters, one-hot in the order of ``REBER_LETTERS``, as one sequence whose rows are time steps.
    y : ndarray of str of shape (n_steps,)
        The letter that comes next; after the last string a "B", with which the next would begin.

    References
    ----------
    F. A. Gers, J. Schmidhuber, F. Cummins, "Learning to forget: continual prediction with LSTM", Neural Computation 12(10), 2000.

    Examples
    --------
    >>> from skrnn.datasets import make_continual_reber
    >>> X, y = make_continual_reber(2, random_state=0)
    >>> X.shape, "".join(y)
    ((19, 7), 'TBPVPSETEBPBPVVEPEB')
    """
    _at_least("n_strings", n_strings, 1)
    rng = check_random_state(random_state)
    stream = "".join(_embedded(rng) for _ in range(n_strings))
    return _one_hot(stream, REBER_LETTERS), np.array(list(stream[1:] + "B"))


def reber_successors(letters: ArrayLike) -> list[str]:
    """Which letters may come after each letter of an embedded Reber string, or of a stream of such strings.

    A prediction is right if the letters with the largest probabilities, as many as may come, are those that may come.

    Parameters
    ----------
    letters : str or array-like of str
        A whole string, its first part, or strings end to end.

    Returns
    -------
    list of str
        For each letter, the one or two that may follow.

    Raises
    ------
    ValueError
        If a letter cannot stand where it stands.

    References
    ----------
    S. Hochreiter, J. Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997, section 5.1.

    Examples
    --------
    >>> from skrnn.datasets import reber_successors
    >>> reber_successors("BTBPVVET")
    ['TP', 'B', 'TP', 'TV', 'PV', 'E', 'T', 'E']
    """
    possible, node, gate = [], -2, ""
    for k, letter in enumerate(letters if isinstance(letters, str) else np.asarray(letters).tolist()):
        expected = _expected(node, gate)
        if letter not in expected:
            raise ValueError(f"letters[{k}] must be one of {list(expected)} here; got {letter!r}")
        gate = letter if node == -1 else gate
        inside = 0 <= node < len(_REBER)
        node = _REBER[node][1][expected.index(letter)] if inside else -2 if node > len(_REBER) else node + 1
        possible.append(_expected(node, gate))
    return possible


def _expected(node: int, gate: str) -> str:
    """Letters that may come at a node: -2 and -1 before the grammar inside, 7 and 8 behind it."""
    return {-2: "B", -1: "TP", 7: gate, 8: "E"}.get(node) or _REBER[node][0]


def _embedded(rng: np.random.RandomState) -> str:
    gate = "TP"[rng.randint(2)]
    return f"B{gate}{_reber(rng)}{gate}E"


def _reber(rng: np.random.RandomState) -> str:
    letters, node = "", 0
    while node < len(_REBER):
        possible, leads = _REBER[node]
        choice = rng.randint(len(possible))
        letters, node = letters + possible[choice], leads[choice]
    return letters


def make_letters(n_consonants: int = 1000, *, random_state: Any = None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Letter sequences: random consonants, each followed by its own vowels; predict the features of the next letter (Elman, 1990).

    Parameters
    ----------
    n_consonants : int, default=1000
        Syllables of the stream: b becomes "ba", d "dii", g "guuu".
    random_state : int, RandomState instance or None, default=None
        Source of the consonants.

    Returns
    -------
    X : ndarray of shape (n_letters - 1, 6)
        Features of the letters but the last (consonant, vowel, interrupted, high, back, voiced), as one sequence whose rows are time steps.
    y : ndarray of shape (n_letters - 1, 6)
        Features of the letter that comes next. Which vowel comes, and that a consonant comes, can be known; which consonant cannot.

    References
    ----------
    J. L. Elman, "Finding structure in time", Cognitive Science 14, 1990, table 1.

    Examples
    --------
    >>> from skrnn.datasets import make_letters
    >>> X, y = make_letters(1, random_state=1)
    >>> X.astype(int).tolist(), y.astype(int).tolist()
    ([[1, 0, 1, 1, 0, 1], [0, 1, 0, 1, 0, 1]], [[0, 1, 0, 1, 0, 1], [0, 1, 0, 1, 0, 1]])
    """
    _at_least("n_consonants", n_consonants, 1)
    consonants = check_random_state(random_state).choice(list(_SYLLABLES), size=n_consonants)
    table = {letter: [float(bit) for bit in bits] for letter, bits in _FEATURES.items()}
    features = np.array([table[letter] for consonant in consonants for letter in _SYLLABLES[str(consonant)]])
    return features[:-1], features[1:]


def make_counting(counts: ArrayLike, n_letters: int = 2) -> tuple[Sequences, list[NDArray[np.float64]]]:
    """Counting: the strings aⁿbⁿ, aⁿbⁿcⁿ …; say at each step which letters may come next (Gers & Schmidhuber, 2001).

    Parameters
    ----------
    counts : array-like of int
        n of each string, at least 1.
    n_letters : int, default=2
        Letters that come n times each: 2 is context-free, 3 and more are context-sensitive.

    Returns
    -------
    X : Sequences of n_letters + 1 channels
        A mark that begins the string, and its letters, one-hot.
    y : list of ndarray (n_steps, n_letters + 1)
        Which of end of string and letters may come next, 1 or 0. After an a, a and b are possible; then each next letter can be known.

    References
    ----------
    F. A. Gers, J. Schmidhuber, "LSTM recurrent networks learn simple context-free and context-sensitive languages", IEEE TNN 12(6), 2001.

    Examples
    --------
    >>> from skrnn.datasets import make_counting
    >>> X, y = make_counting([2])
    >>> X[0].argmax(axis=1).tolist(), y[0].astype(int).tolist()
    ([0, 1, 1, 2, 2], [[0, 1, 0], [0, 1, 1], [0, 1, 1], [0, 0, 1], [1, 0, 0]])
    """
    _at_least("n_letters", n_letters, 2)
    numbers = [int(n) for n in np.asarray(counts).ravel()]
    _at_least("counts", min(numbers, default=0), 1)
    letters = np.arange(1, n_letters + 1)
    strings = [np.concatenate([[0], np.repeat(letters, n), [0]]) for n in numbers]
    values = np.eye(n_letters + 1)[np.concatenate([s[:-1] for s in strings])]
    possible = [np.eye(n_letters + 1)[s[1:]] for s in strings]
    for n, target in zip(numbers, possible, strict=True):
        target[1 : n + 1, 1:3] = 1
    return Sequences(values, offsets_of([len(s) - 1 for s in strings])), possible


def _one_hot(letters: str, alphabet: str) -> NDArray[np.float64]:
    return np.eye(len(alphabet))[[alphabet.index(letter) for letter in letters]]
