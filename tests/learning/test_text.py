"""Order decides: the same words, in another order, mean something else."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn.datasets import make_reviews
from skrnn.frontends import Embedding
from skrnn.preprocessing import TokenEncoder

PRAISE, BLAME = ("great", "lovely", "fast", "kind", "fresh"), ("late", "broken", "rude", "slow", "stale")
OTHERS = ("the", "parcel", "was", "and", "then", "driver", "very", "food", "box", "it")


def messages(n, random_state):
    """One word of praise, one of blame, and others around them: what is said last is meant."""
    rng = np.random.default_rng(random_state)
    X, y = [], rng.random(n) < 0.5
    for good in y:
        first, last = (BLAME, PRAISE) if good else (PRAISE, BLAME)
        gaps = [list(rng.choice(OTHERS, k)) for k in rng.integers(0, 5, 3)]
        X.append([*gaps[0], rng.choice(first), *gaps[1], rng.choice(last), *gaps[2]])
    return X, np.where(y, "praise", "complaint")


@pytest.mark.slow
def test_an_embedding_with_a_gru_reads_what_a_bag_of_words_cannot():
    X, y = messages(900, 0)
    train, test = slice(0, 500), slice(500, None)
    bag = make_pipeline(CountVectorizer(analyzer=list), LogisticRegression()).fit(X[train], y[train])
    chance = DummyClassifier().fit(X[train], y[train])
    assert bag.score(X[test], y[test]) < chance.score(X[test], y[test]) + 0.06
    model = RNNClassifier(frontend=Embedding(), random_state=0).fit(X[train], y[train])
    assert model.score(X[test], y[test]) >= 0.95


@pytest.fixture(scope="module")
def reviews():
    X, y = make_reviews(600, random_state=0)
    return X[:300], y[:300], X[300:], y[300:]


SMALL = {"hidden_size": 16, "max_epochs": 15, "random_state": 0}
WAYS = {
    "ids of words": make_pipeline(TokenEncoder(), RNNClassifier(frontend=Embedding(), **SMALL)),
    "rare words are unknown": make_pipeline(TokenEncoder(min_frequency=3), RNNClassifier(frontend=Embedding(), **SMALL)),
    "lists of words": RNNClassifier(**SMALL),
}


@pytest.mark.parametrize("way", WAYS)
def test_not_good_is_bad(way, reviews):
    X, y, X_test, y_test = reviews
    if way == "lists of words":
        X, X_test = ([text.rstrip(".").replace(",", " ,").split() for text in part] for part in (X, X_test))
    assert WAYS[way].fit(X, y).score(X_test, y_test) >= 0.95


def test_a_bag_of_words_cannot_tell_not_good_from_good(reviews):
    X, y, X_test, y_test = reviews
    assert make_pipeline(CountVectorizer(), LogisticRegression()).fit(X, y).score(X_test, y_test) < 0.6
