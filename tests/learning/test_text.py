"""Order decides: the same words, in another order, mean something else."""

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn.frontends import Embedding

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
