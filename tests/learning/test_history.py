"""What a history compressor is good for: what lies far back comes near. Settings stand in ``benchmarks/_history_experiments.py``."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from benchmarks import _history_experiments as experiments
from skrnn import HistoryCompressor, RNNClassifier
from skrnn.datasets import make_buried_order
from skrnn.engine import TruncatedBPTT

every_seed = pytest.mark.parametrize("seed", range(5))
slow = pytest.mark.slow


@every_seed
@slow
def test_the_first_of_22_symbols_is_told_with_a_gradient_of_three_steps(seed):
    """One surprise a string, 99 % within 2,000 strings."""
    surprises, accuracy, came_back = experiments.first_of_22_symbols(seed)
    assert surprises == 1
    assert accuracy >= 0.99
    assert came_back


@every_seed
@slow
@pytest.mark.timeout(900)
def test_the_first_of_1200_steps_is_told_where_one_network_guesses(seed):
    fewer, accuracy, came_back = experiments.first_of_1200_steps(seed)
    assert fewer >= 300
    assert accuracy >= 0.99
    assert came_back
    assert experiments.first_of_1200_steps_by_one_network(seed) < 0.65


@slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(3))
def test_what_takes_an_upper_level_is_learned_by_the_lower_one(seed):
    """A coin is log 2, 0.69."""
    assert experiments.surprise_at_the_end(seed, distill=False) > 0.5
    assert experiments.surprise_at_the_end(seed, distill=True) < 0.2


@slow
@pytest.mark.timeout(900)
def test_an_order_that_is_buried_is_told():
    X, y = make_buried_order(300, 600, random_state=0)
    compressor = HistoryCompressor(hidden_size=24, batch_size=8, max_epochs=4, rule=TruncatedBPTT(50), random_state=0)
    model = make_pipeline(compressor, RNNClassifier(hidden_size=16, max_epochs=30, random_state=0)).fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) >= 0.99
    assert np.mean(model[0].transform(X[200:]).lengths) < 8
