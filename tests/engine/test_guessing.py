import numpy as np
import pytest

from skrnn import RNNClassifier
from skrnn.engine import Guessing

RNG = np.random.default_rng(0)
X = [RNG.choice([-1.0, 1.0], size=(n, 1)) for n in RNG.integers(5, 30, size=40)]
FIRST = np.array([x[0, 0] > 0 for x in X])


def guesser(**settings):
    given = {"hidden_size": 2, "bidirectional": False, "pooling": "last", "batch_size": None, "max_epochs": 3000, "standardize": False}
    return RNNClassifier("elman", rule=Guessing(), random_state=0, **given | settings)


def test_guessing_bridges_a_time_lag_and_stops_at_its_goal():
    """A latch: two units can keep the first input for ever."""
    model = guesser().fit(X, FIRST)
    assert model.loss_curve_[-1] <= 0.05
    assert model.n_iter_ < 3000
    assert model.score(X, FIRST) == 1


def test_the_best_guess_is_kept():
    model = guesser(max_epochs=20).fit(X, RNG.integers(2, size=len(X)))
    assert min(model.loss_curve_) < model.loss_curve_[-1]
    again = guesser(max_epochs=20).fit(X, FIRST)
    p = again.predict_proba(X)[np.arange(len(X)), FIRST.astype(int)]
    constant = -np.mean(np.where(FIRST, np.log(FIRST.mean()), np.log(1 - FIRST.mean())))
    np.testing.assert_allclose(-np.log(p).mean(), min(constant, *again.loss_curve_), rtol=1e-4)


def test_guessing_needs_the_whole_training_set():
    with pytest.raises(ValueError, match=r"judges weights by the whole training set: use batch_size=None; got 8"):
        guesser(batch_size=8).fit(X, FIRST)


def test_a_bad_scale_is_refused():
    with pytest.raises(ValueError, match="'scale' parameter of Guessing must be a positive number; got 0"):
        Guessing(0)
