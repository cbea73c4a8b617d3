"""scikit-learn's own checks, without a single expected failure.

Run with SCIPY_ARRAY_API=1: without it scikit-learn skips the check of array API input.
"""

import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn.preprocessing import PerStep, SequenceImputer, SequencePadder

TRANSFORMERS = [
    PerStep(),
    PerStep(MinMaxScaler()),
    PerStep(PCA(1, svd_solver="full")),
    SequencePadder(),
    SequencePadder(length=3, side="pre", truncate="pre"),
    SequenceImputer(),
    SequenceImputer(strategy="mean"),
    SequenceImputer(strategy="constant", add_indicator=True),
]


@parametrize_with_checks(TRANSFORMERS, xfail_strict=True)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_scikit_learn(estimator, check):
    check(estimator)
