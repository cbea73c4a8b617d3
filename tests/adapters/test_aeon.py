"""aeon's own checks, all of them, and what they do not ask."""

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNRegressor
from skrnn.adapters import aeon as adapters

pytest.importorskip("aeon")


@pytest.mark.parametrize("name", adapters.__all__)
def test_checks_of_aeon(name):
    from aeon.testing.estimator_checking import check_estimator

    results = check_estimator(getattr(adapters, name), raise_exceptions=False)
    assert {check: result for check, result in results.items() if result != "PASSED"} == {}
    assert len(results) > 20


@pytest.mark.parametrize(
    ("adapter", "inner", "y"), [("AeonClassifier", RNNClassifier, np.array(list("ab") * 5)), ("AeonRegressor", RNNRegressor, np.arange(10.0))]
)
@pytest.mark.parametrize("equal", [True, False])
def test_predictions_are_those_inside(adapter, inner, y, equal):
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=(7 if equal else 3 + k, 2)) for k in range(10)]
    collection = [x.T for x in sequences]
    outer = getattr(adapters, adapter)(inner(hidden_size=4, max_epochs=2), random_state=0)
    outer.fit(np.stack(collection) if equal else collection, y)
    expected = inner(hidden_size=4, max_epochs=2, random_state=0).fit(sequences, y).predict(sequences)
    np.testing.assert_array_equal(outer.predict(np.stack(collection) if equal else collection), expected)
