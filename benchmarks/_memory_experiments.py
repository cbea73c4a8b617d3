"""The tasks of the neural Turing machine (Graves, Wayne & Danihelka, 2014) at a small size, as functions of a cell and a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrnn import NeuralTuringMachine
from skrnn.cells import NTM, Cell
from skrnn.datasets import (
    make_associative_recall,
    make_copy_memory,
    make_dynamic_ngrams,
    make_priority_sort,
    make_repeat_copy,
    ngram_bayes_bits,
)

MACHINE = {"cell": "ntm"}  # with its 32 units it has 8,300 weights
LSTM = {"cell": "lstm", "hidden_size": 42}  # as many
HEADS = {"cell": NTM(n_read=2, n_write=2)}
_UNSEEN = 10**6  # a seed that no training set has


def trained(task: Any, n_sequences: int, seed: int, network: dict[str, str | int | Cell]) -> NeuralTuringMachine:
    """Of the defaults but for the network, each sequence seen once."""
    X, y, _ = task(n_sequences, random_state=seed)
    return NeuralTuringMachine(max_epochs=1, random_state=seed, **network).fit(X, y)  # type: ignore[arg-type]


def bits(task: Any, n_sequences: int, seed: int, network: dict[str, str | int | Cell]) -> float:
    """Bits of a sequence that was not trained on."""
    X, y, _ = task(500, random_state=_UNSEEN)
    return -trained(task, n_sequences, seed, network).score(X, y)


def copies(seed: int, network: dict[str, str | int | Cell], lengths: tuple[int, ...] = (8, 10)) -> list[float]:
    """Bits of sequences as long as those trained on, and shares of the bits that are wrong in longer ones."""
    model = trained(make_copy_memory, 30_000, seed, network)
    X, y, _ = make_copy_memory(500, random_state=_UNSEEN)
    return [-model.score(X, y)] + [_wrong(model, length) for length in lengths]


def _wrong(model: NeuralTuringMachine, length: int) -> float:
    X, y, scored = make_copy_memory(200, min_length=length, max_length=length, random_state=_UNSEEN)
    there = np.concatenate(scored)
    return float(np.mean(np.concatenate(model.predict(X))[there] != np.concatenate(y)[there]))


def repeat_copy(seed: int, network: dict[str, str | int | Cell]) -> float:
    return bits(make_repeat_copy, 30_000, seed, network)


def priority_sort(seed: int, network: dict[str, str | int | Cell]) -> float:
    return bits(make_priority_sort, 30_000, seed, network)
