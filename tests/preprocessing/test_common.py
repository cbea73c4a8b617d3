"""scikit-learn's own checks; none is expected to fail where a row of X is a sequence, or a state.

Run with SCIPY_ARRAY_API=1: without it scikit-learn skips the check of array API input.
"""

import datetime
import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn import preprocessing
from skrnn.preprocessing import (
    CalendarFeatures,
    Conceptor,
    DeltaEncoder,
    Differencer,
    FourierFeatures,
    LatencyEncoder,
    NVARTransformer,
    PerStep,
    RateEncoder,
    SequenceImputer,
    SequencePadder,
    SlidingWindow,
    StoryVectorizer,
    TokenEncoder,
)

TRANSFORMERS = [
    PerStep(),
    PerStep(MinMaxScaler()),
    PerStep(PCA(1, svd_solver="full")),
    SequencePadder(),
    SequencePadder(length=3, side="pre", truncate="pre"),
    SequenceImputer(),
    SequenceImputer(strategy="mean"),
    SequenceImputer(rows="steps"),
    PerStep(rows="steps"),
    SequenceImputer(strategy="constant", add_indicator=True),
    Conceptor(),
    NVARTransformer(),
    NVARTransformer(n_delays=1, degree=(2, 3)),
    NVARTransformer(n_delays=3, stride=2, degree=1, include_bias=False, edge="zero"),
    SlidingWindow(n_lags=1),
    SlidingWindow(n_lags=3),
    CalendarFeatures(),
    CalendarFeatures(["year", "month", "weekend"], encoding="plain", holidays=[datetime.date(1970, 1, 1)]),
    FourierFeatures(periods=(7.5, 30), n_harmonics=(1, 3), time=0),
    FourierFeatures(),
    Differencer(),
    Differencer(lags=(1, 2), edge="nan", origin="start"),
    DeltaEncoder(),
    LatencyEncoder(),
    RateEncoder(random_state=0),
]
EVERY = [
    pytest.param(kind, id=name)
    for name in preprocessing.__all__
    if inspect.isclass(kind := getattr(preprocessing, name))
    and kind not in (StoryVectorizer, TokenEncoder)  # read texts: test_stories.py, test_tokens.py
]
# check → reason
PAST_COUNTS = {
    "check_methods_sample_order_invariance": "a row is a time step: what comes before counts",
    "check_methods_subset_invariance": "a row is a time step: what comes before counts",
}


ROWS_ARE_COUNTED = PAST_COUNTS | {
    "check_transformer_general": "transform goes on counting behind the rows of fit",
    "check_transformer_data_not_an_array": "transform goes on counting behind the rows of fit",
}


def expected_failures(estimator):
    if isinstance(estimator, FourierFeatures):
        return ROWS_ARE_COUNTED if estimator.time is None else {}
    params = estimator.get_params()
    return PAST_COUNTS if params.get("n_delays", params.get("n_lags", 1)) > 1 or isinstance(estimator, Differencer) else {}


@parametrize_with_checks(TRANSFORMERS, expected_failed_checks=expected_failures, xfail_strict=True)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", EVERY)
def test_every_parameter_is_checked_in_the_same_words(kind):
    assert set(kind._parameter_constraints) == set(kind().get_params(deep=False))
    for name in kind._parameter_constraints:
        wrong = kind(**{name: object})
        with pytest.raises(ValueError, match=rf"^The '{name}' parameter of {kind.__name__} must be .*; got <class 'object'>$"):
            wrong.fit(np.ones((3, 1)))


@pytest.mark.parametrize("kind", EVERY)
def test_a_fit_that_fails_leaves_no_fitted_transformer(kind):
    X = np.arange(6.0)[:, None]
    transformer = clone(kind()).fit(X)
    with pytest.raises(ValueError, match="inf"):
        transformer.fit(np.full((6, 1), np.inf))
    with pytest.raises(NotFittedError):
        transformer.transform(X)
