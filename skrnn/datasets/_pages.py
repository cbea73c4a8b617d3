"""Pages of sentences of which it is known how probable they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from ._recall import _at_least

_NAMES = ("John", "Mary", "Ada")
_NOUNS = ("boy", "girl", "cat", "dog")  # verbs have their "s" where these have none
_VERBS = {"needs": ("chase", "feed"), "may": ("see", "hear"), "without": ("live", "walk")}  # an object
_P_NAME, _P_CLAUSE, _P_OBJECT_CLAUSE, _P_OBJECT = 0.25, 0.25, 0.4, 0.5


def make_pages(n_pages: int = 100, n_sentences: int = 10, *, random_state: Any = None) -> tuple[list[str], NDArray[np.float64]]:
    """Pages in a small grammar, whose verbs agree with nouns far before them, and how probable each page is (after Elman, 1991).

    What a language model is measured against: each page has exactly one derivation, so that its probability is known, and no model can tell pages
    better on average. Whether a noun is one or many has to be remembered across clauses, and clauses within clauses.

    Parameters
    ----------
    n_pages : int, default=100
    n_sentences : int, default=10
        Sentences of a page, with a space between them.
    random_state : int, RandomState instance or None, default=None
        Source of the sentences.

    Returns
    -------
    X : list of str
        As "Mary sees dogs. boys who girls chase walk."
    y : ndarray of shape (n_pages,)
        Natural logarithm of the probability of each page.

    References
    ----------
    J. L. Elman, "Distributed representations, simple recurrent networks, and grammatical structure", Machine Learning 7, 1991. Differs from the
    paper in words and probabilities.

    Examples
    --------
    >>> from skrnn.datasets import make_pages
    >>> X, y = make_pages(1, 3, random_state=0)
    >>> X[0]
    'dog hears. boy sees. girls who Mary sees chase girl.'
    >>> round(float(-y[0] / len(X[0])), 2)  # nats per character
    0.45
    """
    _at_least("n_pages", n_pages, 1)
    _at_least("n_sentences", n_sentences, 1)
    rng = check_random_state(random_state)
    pages = [_Page(rng) for _ in range(n_pages)]
    return [" ".join(page.sentence() for _ in range(n_sentences)) for page in pages], np.array([page.log_p for page in pages])


class _Page:
    """Sentences that are drawn, and the logarithm of the probability of all that was."""

    def __init__(self, rng: np.random.RandomState) -> None:
        self.rng, self.log_p = rng, 0.0

    def sentence(self) -> str:
        noun, many = self._noun()
        return " ".join([*noun, *self._verb(many)]) + "."

    def _noun(self) -> tuple[list[str], bool]:
        """A name, or a noun with or without a clause behind it; and whether it is many."""
        if self._happens(_P_NAME):
            return [self._one_of(_NAMES)], False
        many = self._happens(0.5)
        words = [self._one_of(_NOUNS) + "s" * many]
        if self._happens(_P_CLAUSE):
            words.append("who")
            if self._happens(_P_OBJECT_CLAUSE):  # whom someone sees
                other, others = self._noun()
                words += [*other, self._one_of(_VERBS["needs"] + _VERBS["may"]) + "s" * (not others)]
            else:
                words += self._verb(many)
        return words, many

    def _verb(self, many: bool) -> list[str]:
        kind = self._one_of(tuple(_VERBS))
        words = [self._one_of(_VERBS[kind]) + "s" * (not many)]
        if kind == "needs" or (kind == "may" and self._happens(_P_OBJECT)):
            words += self._noun()[0]
        return words

    def _happens(self, p: float) -> bool:
        happened = bool(self.rng.random_sample() < p)
        self.log_p += float(np.log(p if happened else 1 - p))
        return happened

    def _one_of(self, words: tuple[str, ...]) -> str:
        self.log_p -= float(np.log(len(words)))
        return words[self.rng.randint(len(words))]
