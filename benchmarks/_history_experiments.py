"""Experiments on history compression as functions of a seed (Schmidhuber, 1992): sequences that differ far back."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrnn import HistoryCompressor, RNNClassifier
from skrnn.datasets import make_first_symbol
from skrnn.engine import TruncatedBPTT

Found = tuple[float, float, bool]  # what was counted of fresh sequences, the accuracy, and whether all came back as they were


def _classifier(seed: int, hidden_size: int, **settings: Any) -> RNNClassifier:
    """A network that has what it saw only in its last state."""
    return RNNClassifier("elman", hidden_size=hidden_size, bidirectional=False, pooling="last", batch_size=8, random_state=seed, **settings)


def first_of_22_symbols(seed: int) -> Found:
    """Most surprises in any of 1,000 fresh strings, and how many the chunker tells right; 1,000 strings seen once by each of the two networks.

    All of it with a gradient of three steps.
    """
    rule = TruncatedBPTT(3)
    (X, y), (fresh, starts) = (make_first_symbol(1000, random_state=seed + first) for first in (0, 1000))
    compressor = HistoryCompressor(cell="elman", hidden_size=24, batch_size=8, max_epochs=1, schedule="constant", rule=rule, random_state=seed).fit(X)
    reduced = compressor.transform(fresh)
    chunker = _classifier(seed, 8, max_epochs=1, schedule="constant", rule=rule).fit(compressor.transform(X), y)
    surprises = (np.array(compressor.surprise(fresh)) > -np.log(compressor.threshold)).sum(axis=1)
    return float(surprises.max()), chunker.score(reduced, starts), compressor.inverse_transform(reduced) == fresh


def first_of_1200_steps(seed: int) -> Found:
    """How many times fewer steps are left of 100 fresh strings of 1,200 steps, and how many are told right by them; learned from 200."""
    (X, y), (fresh, starts) = (make_first_symbol(n, 1200, n_fillers=8, random_state=seed + first) for n, first in ((200, 0), (100, 1000)))
    compressor = HistoryCompressor(cell="elman", hidden_size=24, batch_size=8, max_epochs=4, rule=TruncatedBPTT(50), random_state=seed).fit(X)
    reduced = compressor.transform(fresh)
    classifier = _classifier(seed, 8, max_epochs=5).fit(compressor.transform(X), y)
    return 1200 / reduced.lengths.mean(), classifier.score(reduced, starts), compressor.inverse_transform(reduced) == fresh


def first_of_1200_steps_by_one_network(seed: int) -> float:
    """How many are told right by one network of the same kind that sees all steps."""
    (X, y), (fresh, starts) = (make_first_symbol(n, 1200, n_fillers=8, random_state=seed + first) for n, first in ((200, 0), (100, 1000)))
    return _classifier(seed, 24, max_epochs=9).fit(X, y).score(fresh, starts)


def surprise_at_the_end(seed: int, *, distill: bool) -> float:
    """Mean surprise, in nats, of the last of 22 symbols, which is the first again: what the level above tells, and this one learns, or does not."""
    X, fresh = (make_first_symbol(n, 22, repeat=True, random_state=seed + first)[0] for n, first in ((1000, 0), (300, 1000)))
    compressor = HistoryCompressor(
        2, cell="lstm", hidden_size=24, batch_size=8, max_epochs=3, rule=TruncatedBPTT(3), distill=distill, random_state=seed
    ).fit(X)
    return float(np.mean([row[-1] for row in compressor.surprise(fresh)]))
