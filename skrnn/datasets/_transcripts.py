"""Sequences in which labels follow each other, and nobody has marked where: sounds, and lines of text as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ._recall import _at_least

_HEIGHT = 8  # pixels of a line; letters have 6 of them
_SPACE = 4  # empty columns of a space, beside those behind each letter
# A column of pixels after the other, from the left, each as a number whose lowest bit is the highest pixel.
_LETTERS = {
    letter: np.array([[int(column, 16) >> row & 1 for row in range(6)] for column in columns.split()], dtype=float)
    for letter, columns in {
        "A": "3e 09 09 3e", "B": "3f 25 25 1a", "C": "1e 21 21 21", "D": "3f 21 21 1e", "E": "3f 25 21", "F": "3f 05 01",
        "G": "1e 21 29 39", "H": "3f 04 04 3f", "I": "3f", "J": "10 20 1f", "K": "3f 0c 12 21", "L": "3f 20 20",
        "M": "3f 02 04 02 3f", "N": "3f 06 18 3f", "O": "1e 21 21 1e", "P": "3f 09 09 06", "Q": "1e 21 31 1e 20", "R": "3f 09 19 26",
        "S": "22 25 25 19", "T": "01 01 3f 01 01", "U": "1f 20 20 1f", "V": "07 18 20 18 07", "W": "3f 10 08 10 3f", "X": "21 12 0c 12 21",
        "Y": "01 02 3c 02 01", "Z": "31 29 25 23",
    }.items()
}  # fmt: skip
_VOWELS = "AEIOUY"
_CONSONANTS = "".join(letter for letter in _LETTERS if letter not in _VOWELS)


def make_phonemes(
    n_sequences: int = 256,
    *,
    n_phonemes: int = 6,
    n_bands: int = 8,
    min_length: int = 3,
    max_length: int = 8,
    noise: float = 0.2,
    random_state: Any = None,
) -> tuple[list[NDArray[np.float64]], list[str]]:
    """Sounds one after the other, of which each two begin alike, with silence between some of them: which sound it is, is heard at its end.

    Parameters
    ----------
    n_sequences : int, default=256
    n_phonemes : int, default=6
        Sounds to draw from, at most 26; the first and the second begin alike, the third and the fourth, and so on.
    n_bands : int, default=8
        Bands of frequencies whose energy is measured: the features of a step.
    min_length, max_length : int, default=3 and 8
        Sounds of a sequence; every length between is as probable.
    noise : float, default=0.2
        Standard deviation of what is added to the energies, which lie between 0 and 1.
    random_state : int, RandomState instance or None, default=None
        Source of everything, but for the spectra of the sounds, which are always the same for as many sounds and bands.

    Returns
    -------
    X : list of ndarray of shape (n_steps, n_bands)
        A sound takes 3 to 6 steps to begin and 2 to 4 to be what it is; up to 4 steps of silence come before each and at the end.
    y : list of str
        Sounds as letters, "a" for the first.

    Examples
    --------
    >>> from skrnn.datasets import make_phonemes
    >>> X, y = make_phonemes(2, random_state=0)
    >>> [x.shape for x in X], y
    ([(55, 8), (70, 8)], ['adddbdf', 'afefffdd'])
    """
    for name, value, least in (
        ("n_sequences", n_sequences, 1),
        ("n_phonemes", n_phonemes, 1),
        ("n_bands", n_bands, 1),
        ("min_length", min_length, 1),
        ("max_length", max_length, min_length),
    ):
        _at_least(name, value, least)
    if n_phonemes > len(ascii_lowercase):
        raise ValueError(f"n_phonemes must be at most {len(ascii_lowercase)}; got {n_phonemes}")
    if noise < 0:
        raise ValueError(f"noise must be at least 0; got {noise}")
    rng, spectra = check_random_state(random_state), np.random.RandomState(0)
    onsets, ends = spectra.rand((n_phonemes + 1) // 2, n_bands).repeat(2, axis=0), spectra.rand(n_phonemes, n_bands)
    X, y = [], []
    for n in rng.randint(min_length, max_length + 1, size=n_sequences).tolist():
        said = rng.randint(n_phonemes, size=n)
        parts = []
        for sound in said:
            steps = rng.randint((0, 3, 2), (5, 7, 5))
            parts.append(np.repeat([np.zeros(n_bands), onsets[sound], ends[sound]], steps, axis=0))
        energies = np.concatenate([*parts, np.zeros((rng.randint(5), n_bands))])
        X.append(energies + noise * rng.standard_normal(energies.shape))
        y.append("".join(ascii_lowercase[sound] for sound in said))
    return X, y


def make_text_lines(
    n_lines: int = 256,
    *,
    words: Sequence[str] | None = None,
    min_words: int = 1,
    max_words: int = 3,
    noise: float = 0.2,
    random_state: Any = None,
) -> tuple[list[NDArray[np.float64]], list[str]]:
    """Pictures of lines of text, 8 pixels high, to be read column by column.

    Parameters
    ----------
    n_lines : int, default=256
    words : sequence of str, default=None
        Words in capitals to draw from, each as probable; ``None`` invents them: one to three syllables, of a consonant, a vowel and sometimes
        another consonant.
    min_words, max_words : int, default=1 and 3
        Words of a line; every number between is as probable.
    noise : float, default=0.2
        Standard deviation of what is added to the pixels, of which ink is 1 and paper 0.
    random_state : int, RandomState instance or None, default=None
        Source of the words, of how close the letters stand, of where the line lies, and of the noise.

    Returns
    -------
    X : list of ndarray of shape (n_columns, 8)
        A column of pixels in each step. Letters are 1 to 5 columns wide, 1 or 2 apart, and 6 pixels high; the whole line lies up to 2 lower.
    y : list of str
        Capitals and spaces.

    Examples
    --------
    >>> from skrnn.datasets import make_text_lines
    >>> X, y = make_text_lines(2, max_words=1, noise=0, random_state=1)
    >>> y
    ['PULPYT', 'QYHI']
    >>> for row in X[0].T[:6]:
    ...     print("".join(".#"[int(pixel)] for pixel in row))
    .###...#..#.#...###..#...#..#####..
    .#..#..#..#.#...#..#..#.#.....#....
    .#..#..#..#.#...#..#...#......#....
    .###...#..#.#...###....#......#....
    .#.....#..#.#...#......#......#....
    .#......##..###.#......#......#....
    """
    for name, value, least in (("n_lines", n_lines, 1), ("min_words", min_words, 1), ("max_words", max_words, min_words)):
        _at_least(name, value, least)
    if noise < 0:
        raise ValueError(f"noise must be at least 0; got {noise}")
    if words is not None:
        _at_least("the number of words", len(words), 1)
    for word in words or ():
        if not word or not _LETTERS.keys() >= set(word):
            raise ValueError(f"words must be made of the capitals A to Z; got {word!r}")
    rng = check_random_state(random_state)
    y = [
        " ".join(_word(rng) if words is None else words[rng.randint(len(words))] for _ in range(n))
        for n in rng.randint(min_words, max_words + 1, size=n_lines)
    ]
    lines = [_picture(line, rng) for line in y]
    return [line + noise * rng.standard_normal(line.shape) for line in lines], y


def _word(rng: np.random.RandomState) -> str:
    syllables = []
    for _ in range(rng.randint(1, 4)):
        first, vowel, last = rng.randint(len(_CONSONANTS)), rng.randint(len(_VOWELS)), rng.randint(len(_CONSONANTS))
        syllables.append(_CONSONANTS[first] + _VOWELS[vowel] + _CONSONANTS[last] * (rng.rand() < 0.3))
    return "".join(syllables)


def _picture(line: str, rng: np.random.RandomState) -> NDArray[np.float64]:
    """Columns (n_columns, 8), with an empty one before the first letter."""
    lowered = rng.randint(_HEIGHT - 5)
    columns = [np.zeros((1, 6))]
    for letter in line:
        columns += [np.zeros((_SPACE, 6)) if letter == " " else _LETTERS[letter], np.zeros((rng.randint(1, 3), 6))]
    ink = np.concatenate(columns)
    return np.pad(ink, ((0, 0), (lowered, _HEIGHT - 6 - lowered)))
