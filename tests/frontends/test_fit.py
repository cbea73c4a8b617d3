"""From what a user brings to a trained network and back, as estimators do it: each frontend learns what the layers alone could not."""

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator

from skrnn.cells import GRU
from skrnn.data import check_sequences
from skrnn.engine import BPTT, TruncatedBPTT
from skrnn.frontends import Conv1d, Embedding, PerFrame, resolve_frontend
from skrnn.networks import Recurrent, SequenceNetwork
from skrnn.training import Batches, BinaryCrossEntropy, Data, Trainer, channel_statistics


def tokens(rng, n=200):
    """Whether the last of two kinds of words is a noun, among words that say nothing."""
    nouns, verbs, others = ["cat", "dog", "bird"], ["sees", "eats"], ["the", "a", "very"]
    X = [[*rng.choice(nouns + verbs + others, rng.integers(2, 7)), *rng.choice(others, rng.integers(0, 3))] for _ in range(n)]
    told = [[word for word in x if word not in others] for x in X]
    keep = [k for k, words in enumerate(told) if words]
    return [X[k] for k in keep], np.array([told[k][-1] in nouns for k in keep])


def events(rng, n=300):
    """Whether the last amount is large, or small for two kinds of events; amounts are large numbers."""
    X = [np.column_stack([rng.integers(10, 14, m), 1000 + rng.choice([-1, 1], m)]) for m in rng.integers(3, 8, n)]
    return X, np.array([(x[-1, 1] > 1000) != (x[-1, 0] in (11, 12)) for x in X])


def waves(rng, n=120):
    """Whether a long noisy signal swings fast or slowly."""
    y = np.arange(n) % 2 == 0
    lengths = rng.integers(80, 120, n)
    return [np.sin(np.arange(m) * (0.8 if fast else 0.5) + rng.uniform(0, 6))[:, None] for m, fast in zip(lengths, y, strict=True)], y


def films(rng, n=150):
    """Whether a dot moves to the right, in bytes."""
    right, X = rng.random(n) < 0.5, []
    for to_right in right:
        x = np.zeros((rng.integers(4, 7), 6, 6), dtype=np.uint8)
        for k, frame in enumerate(x):
            frame[rng.integers(6), (k if to_right else 5 - k) % 6] = 255
        X.append(x)
    return X, right


class Model(BaseEstimator):
    """What an estimator with ``frontend=`` has to do, and no more."""

    def __init__(self, frontend=None, rule=None, learning_rate=0.02, max_epochs=25):
        self.frontend, self.rule, self.learning_rate, self.max_epochs = frontend, rule, learning_rate, max_epochs

    def fit(self, X, y):
        g = torch.Generator().manual_seed(0)
        frontend = resolve_frontend(self.frontend)
        self.encoding_ = frontend.encoding()
        sequences = check_sequences(self, X, reset=True, compute_dtype="float32", encoding=self.encoding_)
        self.mean_, self.scale_ = self.encoding_.statistics(sequences, lambda quantities: channel_statistics(quantities, None))
        frontend.build(sequences.n_features, g, self.encoding_)
        recurrent = Recurrent(GRU(), frontend.output_size, 12, generator=g)
        self.network_ = SequenceNetwork(recurrent, "last", torch.zeros(1), frontend)
        data = Data(self._batches(sequences), torch.tensor(y, dtype=torch.float32)[:, None])
        trainer = Trainer(BinaryCrossEntropy(), self.rule or BPTT(), "adam", self.learning_rate, "one_cycle", self.max_epochs, 32, clip_norm=1.0)
        self.losses_ = trainer.run(self.network_, data, g).losses
        return self

    def predict(self, X):
        batches = self._batches(check_sequences(self, X, reset=False, compute_dtype="float32", encoding=self.encoding_))
        answers = np.empty(len(batches), dtype=bool)
        with torch.inference_mode():
            for index in batches.chunks():
                answers[index] = self.network_.head(self.network_.features(batches.packed(index)))[:, 0].numpy() > 0
        return answers

    def _batches(self, sequences):
        return Batches(sequences, self.mean_, self.scale_, torch.float32, torch.device("cpu"))


TASKS = {
    "tokens": (Embedding(4), tokens),
    "tokens, filtered": (Conv1d(8, 3, frontend=Embedding(4)), tokens),
    "events": (Embedding(3, channels=[0]), events),
    "waves": (Conv1d(8, 9, stride=8), waves),
    "films": (PerFrame(size=8, n_filters=4), films),
}


@pytest.mark.parametrize("task", TASKS)
def test_each_frontend_learns_its_task(task):
    frontend, make = TASKS[task]
    X, y = make(np.random.default_rng(0))
    n = 2 * len(X) // 3
    model = Model(frontend).fit(X[:n], y[:n])
    assert np.mean(model.predict(X[n:]) == y[n:]) > 0.9
    assert np.array_equal(model.predict(X[n : n + 3]), model.predict(X[n:])[:3])


def test_the_same_seed_gives_the_same_losses():
    X, y = films(np.random.default_rng(0))
    first, again = (Model(PerFrame(size=4, n_filters=2), max_epochs=2).fit(X, y).losses_ for _ in range(2))
    assert first == again


def test_truncation_learns_through_the_frontend():
    X, y = waves(np.random.default_rng(0))
    model = Model(Conv1d(8, 9, stride=4), TruncatedBPTT(10)).fit(X[:80], y[:80])
    assert np.mean(model.predict(X[80:]) == y[80:]) > 0.9
