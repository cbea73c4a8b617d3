"""scikit-learn's own checks of every estimator.

Run with SCIPY_ARRAY_API=1: without it scikit-learn skips the check of array API input.
"""

import pytest
from _pytest.mark import ParameterSet
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn import estimators
from skrnn.estimators.face import Trained
from tests.estimators.samples import CLASSES

# check → reason, by estimator. None is expected to fail where a row of X is a sequence, and what comes out are arrays.
ROWS_ARE_STEPS = {
    "check_sample_weight_equivalence_on_dense_data": "a row is a time step: repeating it changes the sequence",
    "check_methods_sample_order_invariance": "a row is a time step: what comes before counts",
    "check_methods_subset_invariance": "a row is a time step: what comes before counts",
}
ADDS_UP = {"check_regressors_train": "what is predicted without a target stands for it in the next step: its errors add up"}
FORECASTS = {check: reason for check, reason in ROWS_ARE_STEPS.items() if "weight" not in check}
EXPECTED_FAILURES = {
    "DualStageAttentionRegressor": ROWS_ARE_STEPS | ADDS_UP,
    "EchoStateRegressor": ROWS_ARE_STEPS,
    "HistoryCompressor": {"check_array_api_input": "what is left of sequences are Sequences, of lengths of their own: no array of any library"},
    "RNNAnomalyDetector": ROWS_ARE_STEPS,
    "EchoStateForecaster": FORECASTS,
    "RNNForecaster": FORECASTS,
    "RNNSequenceRegressor": ROWS_ARE_STEPS,
    "NeuralTuringMachine": ROWS_ARE_STEPS,
    "RNNTagger": ROWS_ARE_STEPS,
    "SeasonalNaiveDetector": ROWS_ARE_STEPS,
}

# Of a reservoir only what it reads off is learned: scales that are chosen, and folds to choose a penalty on, would be other ones for repeated rows.
FIXED = {"spectral_radius": 0.9, "leak_rate": 0.5, "alpha": 1e-3, "dtype": "float64", "random_state": 0}
RESERVOIR = FIXED | {"hidden_size": 20, "input_scaling": 0.3}

# Only the full batch in float64 can treat a weight of two as a repeated row to 1e-7; and not Adam, which divides rounding errors by gradients
# that are as small. The checks' training set hides its target in one of ten columns: the place in time counts ("last").
SETTINGS = {
    "cell": "elman",
    "hidden_size": 8,
    "max_epochs": 100,
    "learning_rate": 0.1,
    "optimizer": "sgd",
    "pooling": "last",
    "batch_size": None,
    "dtype": "float64",
}
ASK_WHAT_WAS_LEARNED = {"check_classifiers_train", "check_clustering", "check_regressors_train"}  # for the others a few epochs do
OF_SERIES = {  # by a parameter that tells them
    "include_current": SETTINGS | {"n_lags": 3},
    "mode": SETTINGS | {"horizon": 1},
    "season": SETTINGS | {"horizon": 1, "n_lags": 1, "season": None, "max_epochs": 3},
}
TOO_SMALL = {  # with their defaults they pass
    "EchoStateForecaster": {"check_regressors_train": "forecasts of one step are fed back for two hundred: their errors add up"},
    "RNNForecaster": {"check_regressors_train": "windows of one step, of which eight units learn too little"},
}


def _estimators():
    for name in CLASSES:
        known = getattr(estimators, name)().get_params()
        settings = SETTINGS if "max_epochs" in known else RESERVOIR if "leak_rate" in known else FIXED
        settings = next((special for parameter, special in OF_SERIES.items() if parameter in known), settings)
        yield getattr(estimators, name)(**{key: value for key, value in settings.items() if key in known})


@parametrize_with_checks(
    list(_estimators()),
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}) | TOO_SMALL.get(type(estimator).__name__, {}),
    xfail_strict=True,
)
def test_scikit_learn(estimator, check):
    if "max_epochs" in estimator.get_params() and check.func.__name__ not in ASK_WHAT_WAS_LEARNED:
        estimator = clone(estimator).set_params(max_epochs=min(estimator.max_epochs, 5))
    check(estimator)


# As a user makes them. Minibatches in float32 cannot treat a weight of two as a repeated row, nor can folds from which a penalty is chosen.
MINIBATCHES = {
    "check_sample_weight_equivalence_on_dense_data": "a row that is there twice is in two of the float32 minibatches, one that counts twice in one"
}
FOLDS = {"check_sample_weight_equivalence_on_dense_data": "scales and the penalty are chosen on folds and trials, which repeated rows shift"}


def _expected_of_default(estimator):
    name = type(estimator).__name__
    by_folds = "n_folds" in estimator.get_params()
    return (MINIBATCHES if isinstance(estimator, Trained) else FOLDS if by_folds else {}) | EXPECTED_FAILURES.get(name, {})


def _defaults():
    return [getattr(estimators, name)() for name in CLASSES]


# What float32, minibatches and a choice of scales might break; the other checks of defaults are slow.
QUICK = ("check_methods_subset_invariance", "check_dict_unchanged", "check_estimators_pickle")


def _quick_ones_always(parametrized):
    """The same checks, the others of them marked as slow."""
    names, cases = parametrized.args
    sets = [ParameterSet.extract_from(case) for case in cases]
    marked = [made if made.values[1].func.__name__ in QUICK else made._replace(marks=[*made.marks, pytest.mark.slow]) for made in sets]
    return pytest.mark.parametrize(names, marked, **parametrized.kwargs)


@_quick_ones_always(parametrize_with_checks(_defaults(), expected_failed_checks=_expected_of_default, xfail_strict=True))
def test_scikit_learn_on_defaults(estimator, check):
    check(estimator)
