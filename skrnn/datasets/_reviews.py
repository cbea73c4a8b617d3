"""Texts whose words say nothing, and their order all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ._recall import _at_least

_PRAISE = ("good", "kind", "fresh", "clean", "lovely", "quick")
_BLAME = ("bad", "rude", "stale", "dirty", "awful", "slow")
_THINGS = ("food", "staff", "room", "breakfast", "service", "bed", "garden", "coffee")
_STRENGTHS = ("very", "really", "quite", "rather")
_OPENINGS = ("The", "We came on Sunday. The", "In short, the", "Once more, the")


def make_reviews(n_texts: int = 256, *, random_state: Any = None) -> tuple[list[str], NDArray[np.int64]]:
    """Reviews of two things, of which one is said to be "not bad" or "not good": what counts is which word "not" stands before.

    Each review has the words "not" and one such as "very", one adjective of praise and one of blame. Both classes have the same bags of words, so
    that nothing which counts words is better than chance.

    Parameters
    ----------
    n_texts : int, default=256
    random_state : int, RandomState instance or None, default=None
        Source of the words, their order and the classes, each as probable as the other.

    Returns
    -------
    X : list of str
        As "The food was very good, the room was not bad."
    y : ndarray of int of shape (n_texts,)
        1 where both things are praised, 0 where neither is.

    Examples
    --------
    >>> from skrnn.datasets import make_reviews
    >>> X, y = make_reviews(2, random_state=0)
    >>> for text, label in zip(X, y):
    ...     print(label, text)
    0 The service was not quick, the food was rather bad.
    1 The bed was not awful and the room was quite good.
    """
    _at_least("n_texts", n_texts, 1)
    rng = check_random_state(random_state)
    y = rng.randint(2, size=n_texts)
    return [_review(rng, bool(praised)) for praised in y], y.astype(np.int64)


def _review(rng: np.random.RandomState, praised: bool) -> str:
    good, bad, strength = (str(rng.choice(words)) for words in (_PRAISE, _BLAME, _STRENGTHS))
    opinions = [f"{strength} {good}", f"not {bad}"] if praised else [f"not {good}", f"{strength} {bad}"]
    things = rng.choice(_THINGS, 2, replace=False)
    first, second = rng.permutation(2)
    joined = rng.choice([", ", " and "])
    return f"{rng.choice(_OPENINGS)} {things[0]} was {opinions[first]}{joined}the {things[1]} was {opinions[second]}."
