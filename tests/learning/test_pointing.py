"""Pointing: sorting numbers (Vinyals, Bengio & Kudlur, 2016)."""

import numpy as np
import pytest

from skrnn import PointerNetwork

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_five_numbers_are_sorted(seed):
    """After 1500 updates on fresh batches of 64, as in plain prototypes, which had 0.95."""
    rng = np.random.default_rng(seed)
    model = PointerNetwork("lstm", learning_rate=3e-3, batch_size=64, clip_norm=2.0, random_state=seed)
    for _ in range(15):
        X = rng.random((100 * 64, 5, 1))
        model.partial_fit(X, X[..., 0].argsort(axis=1))
    test = rng.random((500, 5, 1))
    assert model.score(test, test[..., 0].argsort(axis=1)) >= 0.90
