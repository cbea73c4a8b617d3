"""What codes of sequences are good for: writing digits again, telling speakers apart, and learning from few labels."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNAutoencoder, RNNClassifier
from skrnn.datasets import load_japanese_vowels

pytestmark = pytest.mark.slow
SEEDS = (0, 1, 2)


def digits(n_digits):
    """Digits row by row, several one after the other: to learn from, and fresh ones."""
    X = load_digits().data.reshape(-1, 8, 8) / 16
    rng, parts = np.random.default_rng(0), (X[:1300], X[1300:])
    if n_digits == 1:
        return parts
    return [np.concatenate([part[rng.integers(len(part), size=len(part))] for _ in range(n_digits)], axis=1) for part in parts]


def error(n_digits, **settings):
    train, test = digits(n_digits)
    model = RNNAutoencoder("lstm", hidden_size=32, max_epochs=40, learning_rate=5e-3, random_state=0, **settings).fit(train)
    return np.mean((model.predict(test) - test) ** 2)


@pytest.mark.parametrize("conditional", [False, True])
def test_digits_are_written_again(conditional):
    """Measured: 0.0147 and 0.0161; the mean of the digits has 0.0735, and 32 principal components, which need sequences of one length, 0.0027."""
    assert error(1, conditional=conditional) <= 0.030


@pytest.mark.parametrize("conditional", [False, True])
def test_what_was_read_last_is_easiest_to_write_first(conditional):
    """Measured: 0.0457 from the end and 0.0503 from the beginning; 0.0480 and 0.0535 where each step sees the one before."""
    assert error(3, conditional=conditional) < error(3, conditional=conditional, reverse_target=False)


def speakers(features, train, test):
    """Share of the speakers that a linear model tells from features of their vowels."""
    (X, y), (X_test, y_test) = train, test
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000)).fit(features(X), y)
    return model.score(features(X_test), y_test)


@pytest.mark.parametrize("seed", SEEDS)
def test_codes_of_vowels_tell_speakers_apart(seed):
    """Measured: 0.981, 0.992 and 0.992, where means and deviations have 0.962, and untrained networks 0.976, 0.970 and 0.968."""
    train, test = (load_japanese_vowels(subset=subset, return_X_y=True) for subset in ("train", "test"))
    untrained = RNNAutoencoder(max_epochs=1, learning_rate=1e-12, random_state=seed).fit(train[0])
    trained = RNNAutoencoder(random_state=seed).fit(train[0])
    simple = speakers(lambda X: np.array([[*x.mean(axis=0), *x.std(axis=0)] for x in X]), train, test)
    assert speakers(trained.transform, train, test) > max(simple, speakers(untrained.transform, train, test))


def test_what_was_learned_without_labels_helps_where_there_are_few():
    """Twenty labels of 300 digits; paired over five seeds. The first three of them: 0.463, 0.379, 0.440 without, 0.491, 0.471, 0.550 with."""
    X, y = load_digits(return_X_y=True)
    X, gains = X.reshape(-1, 8, 8), []
    for seed in range(5):
        train, test = np.split(np.random.default_rng(seed).permutation(len(X))[:1100], [300])
        codes = FrozenEstimator(RNNAutoencoder(bidirectional=True, random_state=seed).fit(X[train]))
        few = train[:20]
        with_and_without = [RNNClassifier(init_from=start, random_state=seed).fit(X[few], y[few]).score(X[test], y[test]) for start in (codes, None)]
        gains.append(with_and_without[0] - with_and_without[1])
    assert np.mean(gains) > 2 * np.std(gains, ddof=1) / np.sqrt(5)
