"""The tasks of the neural Turing machine (Graves, Wayne & Danihelka, 2014) at a small size, as functions of a network and a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrnn import NeuralTuringMachine
from skrnn.cells import NTM
from skrnn.datasets import (
    make_associative_recall,
    make_copy_memory,
    make_dynamic_ngrams,
    make_priority_sort,
    make_repeat_copy,
    ngram_bayes_bits,
)

Network = dict[str, Any]

MACHINE: Network = {"cell": "ntm"}
LSTM: Network = {"cell": "lstm", "hidden_size": 42}  # of as many weights, about 8,400
WITH_FOUR_HEADS: Network = {"cell": NTM("feedforward", n_read=2, n_write=2)}
LSTM_BESIDE_FOUR_HEADS: Network = {"cell": "lstm", "hidden_size": 33}  # 5,400
WITH_ROOM_FOR_ITEMS: Network = {"cell": NTM(n_slots=30), "hidden_size": 64}
LSTM_BESIDE_ROOM: Network = {"cell": "lstm", "hidden_size": 75}  # 25,700
_UNSEEN = 10**6  # a seed that no training set has


def trained(task: Any, n_sequences: int, seed: int, network: Network) -> NeuralTuringMachine:
    """With the defaults but for the network, each sequence seen once."""
    X, y, _ = task(n_sequences, random_state=seed)
    return NeuralTuringMachine(max_epochs=1, random_state=seed, **network).fit(X, y)


def bits(task: Any, n_sequences: int, seed: int, network: Network) -> float:
    """Bits of a sequence, mean of 500 that were not trained on."""
    X, y, _ = task(500, random_state=_UNSEEN)
    return -trained(task, n_sequences, seed, network).score(X, y)


def copies(seed: int, network: Network) -> list[float]:
    """Bits of sequences of one to six vectors, as those trained on, and shares of the bits that are wrong in eight and in ten."""
    model = trained(make_copy_memory, 30_000, seed, network)
    X, y, _ = make_copy_memory(500, random_state=_UNSEEN)
    return [-model.score(X, y)] + [_wrong(model, length) for length in (8, 10)]


def _wrong(model: NeuralTuringMachine, length: int) -> float:
    X, y, scored = make_copy_memory(200, min_length=length, max_length=length, random_state=_UNSEEN)
    there = np.concatenate(scored)
    return float(np.mean(np.concatenate(model.predict(X))[there] != np.concatenate(y)[there]))


def repeat_copy(seed: int, network: Network) -> float:
    return bits(make_repeat_copy, 30_000, seed, network)


def priority_sort(seed: int, network: Network) -> float:
    return bits(make_priority_sort, 60_000, seed, network)


def associative_recall(seed: int, network: Network) -> float:
    return bits(make_associative_recall, 60_000, seed, network)


def dynamic_ngrams(seed: int, network: Network) -> float:
    return bits(make_dynamic_ngrams, 20_000, seed, network)


def least_bits_of_ngrams() -> tuple[float, float]:
    """What the best that can be known needs for the same sequences, and the standard error of that."""
    X, y, _ = make_dynamic_ngrams(500, random_state=_UNSEEN)
    each = ngram_bayes_bits(X, y)
    return float(each.mean()), float(each.std() / len(each) ** 0.5)
