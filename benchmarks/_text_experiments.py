"""Experiments of the literature on text, speech and music as functions of a seed, beside those of ``_experiments``."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Sequence
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

from skrnn import RNNLanguageModel, Seq2SeqTranslator, SequenceTranscriber
from skrnn.datasets import make_phonemes, make_text_lines
from skrnn.frontends import Conv1d

from ._tasks import DATA

CHORALES = DATA / "JSB_Chorales.mat"
EVERY = 25  # updates between two looks
MONTHS = [name.lower() for name in calendar.month_name[1:]]
WORDS = [name.upper() for name in [*calendar.month_name[1:], *calendar.day_name]]


# -- what comes next: Shannon (1948), Chung et al. (2014) ----------------------------------------------------------------------------------------


def markov_source(n: int, n_symbols: int, seed: int) -> tuple[NDArray[np.intp], float]:
    """Symbols of a source of order two, and its entropy in bits for each symbol."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(n_symbols), size=(n_symbols, n_symbols))
    pairs = np.full((n_symbols, n_symbols), n_symbols**-2.0)
    for _ in range(1000):
        pairs = np.einsum("ab,abc->bc", pairs, P)
    entropy = -(pairs[..., None] * P * np.log2(P)).sum()
    symbols, edges, u = [0, 0], P.cumsum(-1), rng.random(n)
    for k in range(n):
        symbols.append(min(int(np.searchsorted(edges[symbols[-2], symbols[-1]], u[k])), n_symbols - 1))
    return np.array(symbols[2:]), float(entropy)


def bits_beside_entropy(cell: str) -> tuple[float, float]:
    """Bits a symbol that a language model needs on fresh symbols of a source, and the entropy of that."""
    symbols, entropy = markov_source(250_000, 4, 0)
    model = RNNLanguageModel(cell, level="token", hidden_size=32, max_epochs=5, random_state=0).fit(symbols[:200_000])
    return float(-model.score(symbols[200_000:]) / np.log(2)), entropy


def chorales() -> float:
    """Nats a frame on Bach's chorales, which must be there: an LSTM of 36 units as in the paper."""
    read = loadmat(CHORALES)
    train, valid, test = ([np.asarray(piece, dtype=float) for piece in read[name][0]] for name in ("traindata", "validdata", "testdata"))
    model = RNNLanguageModel(
        "lstm", level="binary", hidden_size=36, dropout=0.0, max_epochs=100, batch_size=16, learning_rate=0.005, schedule="constant", random_state=0
    ).fit(train, X_val=valid)
    return float(-model.score(test))


# -- what is heard and seen, written down: Graves et al. (2006, 2009), Hannun et al. (2014) -----------------------------------------------------


def phoneme_errors(seed: int, bidirectional: bool = True, n_updates: int = 400, **told: Any) -> NDArray[np.float64]:
    """Share of the labels of 200 fresh sequences that are wrong after 25, 50, … updates on fresh batches of 16."""
    X, y = make_phonemes(200, random_state=1000 + seed)
    settings = {"hidden_size": 24, "learning_rate": 3e-3, "batch_size": 16, "bidirectional": bidirectional, "random_state": seed} | told
    model, errors = SequenceTranscriber("lstm", **settings), []
    for k in range(n_updates // EVERY):
        model.partial_fit(*make_phonemes(EVERY * 16, random_state=100 * seed + k), classes=list("abcdef"))
        errors.append(1 - model.score(X, y))
    return np.array(errors)


def updates_until_five_percent(errors: NDArray[np.float64]) -> float:
    """Updates after which at most 5 % of the labels were wrong for the first time; infinite if never."""
    reached = errors <= 0.05
    return float(EVERY * (1 + np.argmax(reached))) if reached.any() else np.inf


def lines_exact(model: Any, X: Any, y: Any) -> float:
    """Share of lines without an error."""
    return float(np.mean([a == b for a, b in zip(model.predict(X), y, strict=True)]))


def lines_read(seed: int) -> float:
    """Share of fresh lines of text, seen column by column, that are read without an error."""
    X, y = make_text_lines(2000, random_state=seed)
    model = SequenceTranscriber("lstm", frontend=Conv1d(causal=False), max_epochs=15, random_state=seed).fit(X, y)
    return lines_exact(model, *make_text_lines(300, random_state=1000 + seed))


class CharacterModel:
    """How probable each character is behind the last three, from counts, which count less where they are few."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.classes_ = np.array(sorted({*ascii_uppercase, " "}))
        ids = {c: k for k, c in enumerate(self.classes_)}
        self.counts: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(ids)))
        for line in lines:
            for k, c in enumerate(line):
                for order in range(min(k, 3) + 1):
                    self.counts[line[k - order : k]][ids[c]] += 1

    def probabilities(self, prefix: Sequence[str]) -> NDArray[np.float64]:
        p = np.full(len(self.classes_), 1 / len(self.classes_))
        for order in range(min(len(prefix), 3) + 1):
            counts = self.counts.get("".join(prefix[len(prefix) - order :]))
            p = p if counts is None else (counts + 5 * p) / (counts.sum() + 5)
        return p

    def predict_proba(self, prefixes: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        return np.array([self.probabilities(prefix) for prefix in prefixes])


def noisy_lines(seed: int) -> tuple[float, float, float]:
    """Share of the labels of noisy lines that are wrong: greedy, with a beam, and with a beam and a language model.

    The reader has learnt from invented words; the language model knows from text alone which ones there are.
    """
    X, y = make_text_lines(1000, noise=0.45, random_state=seed)
    test, expected = make_text_lines(200, words=WORDS, noise=0.45, random_state=1000 + seed)
    _, text = make_text_lines(2000, words=WORDS, random_state=2000 + seed)
    model = SequenceTranscriber("lstm", frontend=Conv1d(causal=False), max_epochs=12, random_state=seed).fit(X, y)
    greedy = 1 - model.score(test, expected)
    beam = 1 - model.set_params(beam_width=16).score(test, expected)
    return greedy, beam, 1 - model.set_params(language_model=CharacterModel(text)).score(test, expected)


# -- what is copied: See et al. (2017) -----------------------------------------------------------------------------------------------------------


def appointments(n: int, seed: int) -> tuple[list[list[str]], list[list[str]]]:
    """Who meets whom, written in three ways, with names that are in no vocabulary and years of which most are not; and the day in order."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for _ in range(n):
        a, b = ("".join(rng.choice(list(ascii_lowercase), size=6)).capitalize() for _ in range(2))
        day, month, year = rng.integers(1, 29), rng.integers(12), rng.integers(1000, 3000)
        ways = [
            f"{a} meets {b} on {day} {MONTHS[month]} {year}",
            f"in {year} on {MONTHS[month]} {day} {a} was met by {b}",
            f"{MONTHS[month]} {day} {year} {b} and {a}",
        ]
        X.append(ways[rng.integers(3)].split())
        y.append([str(year), f"{month + 1:02}", f"{day:02}", a, "and", b])
    return X, y


def appointments_exact(copy: bool, seed: int) -> float:
    """Share of fresh appointments that are written without an error."""
    (X, y), (new, expected) = appointments(1500, seed), appointments(300, 1000 + seed)
    model = Seq2SeqTranslator(copy=copy, min_frequency=3, max_epochs=20, random_state=seed).fit(X, y)
    return float(model.score(new, expected))
