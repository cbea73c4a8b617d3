"""Small fitted estimators, and a backend of matplotlib that needs no screen."""

import matplotlib
import numpy as np
import pytest

from skrnn import RNNClassifier, RNNTagger

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    from matplotlib import pyplot as plt

    plt.close("all")


@pytest.fixture(scope="session")
def ragged():
    """Sequences of 4 to 12 steps, and the sign of their sums."""
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 2)) for n in rng.integers(4, 13, size=40)]
    return X, np.array([int(x.sum() > 0) for x in X])


@pytest.fixture(scope="session")
def classifier(ragged):
    return RNNClassifier(cell="lstm", hidden_size=5, n_layers=2, max_epochs=4, dtype="float64", random_state=0).fit(*ragged)


@pytest.fixture(scope="session")
def tagger(ragged):
    X, _ = ragged
    return RNNTagger(cell="gru", hidden_size=5, max_epochs=4, dtype="float64", random_state=0).fit(X, [(x[:, 0] > 0).astype(int) for x in X])
