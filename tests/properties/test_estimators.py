"""What holds for every estimator: the answer depends on the sequence alone, a fit on its arguments alone, and nothing else is touched."""

import copy
import io
import pickle
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.validation import has_fit_parameter

from skrnn import cells
from skrnn.data import as_sequences
from tests.estimators.samples import (
    DATA,
    EQUAL,
    EVERY,
    NAMES,
    NETS,
    RAGGED,
    TABLE,
    Hook,
    answers,
    fit,
    fitted,
    known,
    labels,
    make,
    nets,
    objects,
    target,
)

TOLERANCE = 1e-6
LAYERS = {"n_layers": 2, "dropout": 0.5, "noise": 0.1}  # with random numbers while fitting
KINDS = {kind: kind for kind in DATA}
every_estimator = pytest.mark.parametrize("name", EVERY)
WITH_A_CELL = [name for name in EVERY if known(name, {"cell": None})]
every_trained = pytest.mark.parametrize("name", NAMES)
every_net = pytest.mark.parametrize(("name", "settings"), [(name, settings) for name in EVERY for settings in nets(name)], ids=str)
every_weighted = pytest.mark.parametrize("name", [name for name in NAMES if has_fit_parameter(make(name), "sample_weight")])
every_trained_net = pytest.mark.parametrize(("name", "settings"), [(name, settings) for name in NAMES for settings in nets(name)], ids=str)
all_data = pytest.mark.parametrize("X", DATA.values(), ids=DATA)


def every_net_or(argument, values, first):
    """Every network with the ``first`` of named values, the default network of every estimator with all of them; the rest of the cross is slow."""
    crossed = [
        pytest.param(name, settings, value, id=f"{name}-{settings}-{key}", marks=[] if key == first or settings == {} else [pytest.mark.slow])
        for name in EVERY
        for settings in nets(name)
        for key, value in values.items()
    ]
    return pytest.mark.parametrize(("name", "settings", argument), crossed)


def pick(X, rows):
    return [X[i] for i in rows] if isinstance(X, list) else X[rows]


def assert_same(estimator, X, predicted, expected):
    """To the last bit."""
    np.testing.assert_array_equal(answers(estimator, X), expected)
    if is_classifier(estimator):
        np.testing.assert_array_equal(estimator.predict(X), predicted)


def assert_equal_fits(one, other, X):
    np.testing.assert_array_equal(answers(one, X), answers(other, X))


# Predictions depend on the sequence alone.


@every_net_or("kind", KINDS, first="ragged")
def test_company_does_not_matter(name, settings, kind):
    estimator, X = fitted(name, kind, **settings), DATA[kind]
    predicted, expected = labels(estimator, X), answers(estimator, X)
    for rows in (np.random.default_rng(0).permutation(len(X)), np.arange(5, 12), *([i] for i in range(0, len(X), 7))):
        assert_same(estimator, pick(X, rows), predicted[rows], expected[rows])


@every_estimator
def test_the_size_of_a_chunk_does_not_matter(name):
    estimator = fitted(name)
    many = np.tile(EQUAL, (30, 1, 1))  # 1200 sequences are more than one chunk
    assert_same(estimator, many, np.tile(labels(estimator, EQUAL), 30), np.tile(answers(estimator, EQUAL), (30, 1)))


def padded(arrays, length):
    """Filled up with steps of NaN."""
    return as_sequences(as_sequences(arrays).to_padded(length), padding="nan")


CONTAINERS = {
    "objects": objects(RAGGED),
    "tuple": tuple(RAGGED),
    "Sequences": as_sequences(RAGGED),
    "lists": [x.tolist() for x in RAGGED],
    "frames": [pd.DataFrame(x) for x in RAGGED],
    "tensors": [torch.tensor(x) for x in RAGGED],
    "F-order": [np.asfortranarray(x) for x in RAGGED],
    "padded": padded(RAGGED, None),
    "more padded": padded(RAGGED, 20),
}


@every_net_or("X", CONTAINERS, first="Sequences")
def test_the_container_of_ragged_sequences_does_not_matter(name, settings, X):
    estimator = fitted(name, "ragged", **settings)
    assert_same(estimator, X, labels(estimator, RAGGED), answers(estimator, RAGGED))
    assert_equal_fits(make(name, **settings).fit(X, target(estimator, RAGGED)), estimator, RAGGED)


DRESSES = {
    "list": list,
    "objects": lambda X: objects(list(X)),
    "lists": np.ndarray.tolist,
    "Sequences": as_sequences,
    "F-order": np.asfortranarray,
    "tensor": torch.tensor,
    "frames": lambda X: [pd.DataFrame(x) for x in X],
    "padded": lambda X: padded(X, 9),
}


@every_net_or("dress", DRESSES, first="Sequences")
def test_the_container_of_equal_sequences_does_not_matter(name, settings, dress):
    estimator = fitted(name, **settings)
    assert_same(estimator, dress(EQUAL), labels(estimator, EQUAL), answers(estimator, EQUAL))
    assert_equal_fits(make(name, **settings).fit(dress(EQUAL), target(estimator, EQUAL)), estimator, EQUAL)


@every_estimator
def test_a_table_holds_a_sequence_in_each_row(name):
    estimator = fitted(name, "table")
    assert_same(estimator, TABLE[:, :, None], labels(estimator, TABLE), answers(estimator, TABLE))
    assert_same(estimator, list(TABLE), labels(estimator, TABLE), answers(estimator, TABLE))


@every_estimator
def test_other_lengths_are_welcome(name):
    estimator = fitted(name)
    assert_same(estimator, RAGGED[:3], labels(estimator, RAGGED)[:3], answers(estimator, RAGGED)[:3])


# The same seed gives the same bits.


@every_net_or("kind", KINDS, first="ragged")
def test_same_seed_same_bits(name, settings, kind):
    estimator, X = fitted(name, kind, **settings), DATA[kind]
    first = answers(estimator, X)
    np.testing.assert_array_equal(answers(fit(name, X, **settings), X), first)
    np.testing.assert_array_equal(answers(estimator.fit(X, target(estimator, X)), X), first)  # fitted twice
    assert not np.array_equal(answers(fit(name, X, **settings, random_state=1), X), first)


@every_estimator
def test_no_seed_no_repetition(name):
    assert not np.array_equal(answers(fit(name, EQUAL, random_state=None), EQUAL), answers(fit(name, EQUAL, random_state=None), EQUAL))


@pytest.mark.parametrize("name", WITH_A_CELL)
@pytest.mark.parametrize("cell", ["gru", "lstm", "elman"])
def test_the_number_of_threads_does_not_change_a_bit(name, cell):
    X = np.random.default_rng(0).normal(size=(64, 100, 4))
    one, two = (fit(name, X, cell=cell, hidden_size=64, **known(name, {"max_epochs": 1}), n_threads=n) for n in (1, 2))
    assert_equal_fits(one, two, X)


def mean_feature(estimator, X, y):
    """A score, for what has none."""
    return estimator.transform(X).mean()


@pytest.mark.parametrize("name", [name if name == "RNNClassifier" else pytest.param(name, marks=pytest.mark.slow) for name in WITH_A_CELL])
def test_two_processes_do_not_change_a_bit(name):
    y = target(make(name), RAGGED)
    predicts = hasattr(make(name), "predict")
    if predicts:
        one, two = (cross_val_predict(make(name), RAGGED, y, cv=3, n_jobs=n) for n in (1, 2))
        np.testing.assert_array_equal(one, two)
    grid = {"cell": ["elman", "gru"]} | ({"learning_rate": [0.01, 0.1]} if name in NAMES else {})
    score = None if predicts else mean_feature
    searches = [GridSearchCV(make(name), grid, scoring=score, cv=2, n_jobs=n).fit(RAGGED, y) for n in (1, 2)]
    for key in ("mean_test_score", "split0_test_score", "rank_test_score"):
        np.testing.assert_array_equal(*(search.cv_results_[key] for search in searches))
    assert_equal_fits(searches[0].best_estimator_, searches[1].best_estimator_, RAGGED)


@every_estimator
def test_threads_may_predict_at_once(name):
    estimator = fitted(name, "ragged")
    expected = answers(estimator, RAGGED)
    with ThreadPoolExecutor(8) as pool:
        for said in pool.map(lambda _: answers(estimator, RAGGED), range(32)):
            np.testing.assert_array_equal(said, expected)


@every_estimator
def test_threads_may_fit_at_once(name):
    settings = [{**net, "random_state": k} for k, net in enumerate(nets(name))]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda s: fit(name, RAGGED, **s), settings))
    for estimator, s in zip(at_once, settings, strict=True):
        assert_equal_fits(estimator, fitted(name, "ragged", **s), RAGGED)


# Nothing else is touched.


def global_states():
    return joblib.hash([random.getstate(), np.random.get_state(), torch.get_rng_state().numpy()])


@every_estimator
@pytest.mark.parametrize("seed", [0, None])
def test_global_generators_are_left_alone(name, seed):
    before = global_states()
    estimator = make(name, **known(name, LAYERS), random_state=seed)
    if name in NAMES:
        estimator.set_params(early_stopping=True, pooling="attention")
    answers(estimator.fit(RAGGED, target(estimator, RAGGED)), RAGGED)
    assert global_states() == before


@every_estimator
def test_the_global_seed_does_not_matter(name):
    torch.manual_seed(1)
    np.random.seed(1)
    one = fit(name, RAGGED, **known(name, LAYERS))
    torch.manual_seed(2)
    np.random.seed(2)
    assert_equal_fits(one, fit(name, RAGGED, **known(name, LAYERS)), RAGGED)


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@every_estimator
@pytest.mark.usefixtures("three_threads")
def test_the_number_of_threads_comes_back(name):
    estimator = fit(name, EQUAL)
    assert torch.get_num_threads() == 3
    answers(estimator, EQUAL)
    assert torch.get_num_threads() == 3
    with pytest.raises(ValueError, match="NaN"):
        estimator.fit(EQUAL * np.nan, target(estimator, EQUAL))
    assert torch.get_num_threads() == 3
    with pytest.raises(ValueError, match="NaN"):
        answers(estimator, EQUAL * np.nan)
    assert torch.get_num_threads() == 3


@every_trained
@pytest.mark.usefixtures("three_threads")
def test_an_error_while_predicting_leaves_torch_as_it_was(name, monkeypatch):
    estimator = fitted(name)
    monkeypatch.setattr(estimator.network_.head, "forward", lambda features: 1 / 0)
    with pytest.raises(ZeroDivisionError) as error:
        answers(estimator, EQUAL)
    assert error.traceback  # as a debugger would hold it
    assert torch.get_num_threads() == 3
    assert not torch.is_inference_mode_enabled()


@pytest.mark.usefixtures("three_threads")
def test_the_number_of_threads_comes_back_after_fits_that_overlap():
    began, over = threading.Event(), threading.Event()

    def fit_with(*calls):
        make("RNNRegressor", max_epochs=1).set_callbacks(*map(Hook, calls)).fit(EQUAL, EQUAL[:, 0, 0])

    second = threading.Thread(target=fit_with, args=[lambda _: began.set(), lambda _: over.wait(10)])
    fit_with(lambda _: second.start(), lambda _: began.wait(10) and None)
    over.set()
    second.join()
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == 3


@pytest.fixture
def double_precision():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@every_trained_net
@pytest.mark.usefixtures("double_precision")
def test_the_default_dtype_does_not_matter(name, settings):
    estimator = fit(name, RAGGED, **settings)
    estimator.partial_fit(RAGGED, target(estimator, RAGGED))
    assert np.isfinite(answers(estimator, RAGGED)).all()
    assert {str(weight.dtype) for weight in estimator.network_.parameters()} == {f"torch.{estimator.dtype}"}


@every_estimator
def test_the_default_dtype_does_not_change_a_bit(name, double_precision):
    assert_equal_fits(fit(name, EQUAL), fitted(name), EQUAL)


@every_trained_net
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_gradient_mode_does_not_matter(name, settings, mode):
    expected = fit(name, RAGGED, **settings)
    y = target(expected, RAGGED)
    with mode():
        estimator = fit(name, RAGGED, **settings)
        assert_equal_fits(estimator, expected, RAGGED)
        estimator.partial_fit(RAGGED, y)
        assert not torch.is_grad_enabled()
    assert_equal_fits(estimator, expected.partial_fit(RAGGED, y), RAGGED)


@every_estimator
def test_predict_changes_nothing(name):
    estimator = fitted(name, "ragged")
    before = joblib.hash([vars(estimator), pickle.dumps(estimator)])  # weights are in the pickle
    answers(estimator, RAGGED)
    if hasattr(estimator, "score"):
        estimator.score(RAGGED, target(estimator, RAGGED))
    assert joblib.hash([vars(estimator), pickle.dumps(estimator)]) == before
    modules = [module for value in vars(estimator).values() if isinstance(value, torch.nn.Module) for module in value.modules()]
    assert not any(module.training for module in modules)
    assert all(p.grad is None for module in modules for p in module.parameters())


# Copies.


class NumpyOnly(pickle.Unpickler):
    """Refuses tensors and their storages; torch.nn is where the class of a network comes from."""

    def find_class(self, module, name):
        assert module.partition(".")[0] != "torch" or module.startswith("torch.nn.modules"), f"{module}.{name} in the pickle"
        return super().find_class(module, name)


def by_joblib(estimator):
    file = io.BytesIO()
    joblib.dump(estimator, file)
    return joblib.load(file)


COPIES = {
    "deepcopy": copy.deepcopy,
    "joblib": by_joblib,
    "oldest pickle": lambda e: NumpyOnly(io.BytesIO(pickle.dumps(e, 2))).load(),
    "pickle": lambda e: NumpyOnly(io.BytesIO(pickle.dumps(e, pickle.HIGHEST_PROTOCOL))).load(),
}


@every_net_or("copied", COPIES, first="pickle")
def test_a_copy_says_the_same(name, settings, copied):
    estimator = fitted(name, "ragged", **settings)
    other = copied(estimator)
    assert_equal_fits(other, estimator, RAGGED)
    before = answers(estimator, RAGGED)
    if name in NAMES:
        assert other.loss_curve_ == estimator.loss_curve_
        other.partial_fit(RAGGED, target(other, RAGGED))  # a copy learns on its own
    else:
        other.set_params(random_state=1).fit(RAGGED, target(other, RAGGED))
    assert not np.array_equal(answers(other, RAGGED), before)
    np.testing.assert_array_equal(answers(estimator, RAGGED), before)


@every_estimator
def test_a_pickle_holds_no_data_and_no_optimizer(name):
    small, large = (fit(name, np.tile(EQUAL, (n, 1, 1))) for n in (1, 10))
    for estimator in (small, large):
        vars(estimator).pop("labels_", None)  # of a clustering: what it says of each sequence, as scikit-learn's keep it
    assert abs(len(pickle.dumps(small)) - len(pickle.dumps(large))) < 500
    assert "_optimizer" not in vars(pickle.loads(pickle.dumps(small)))


@pytest.mark.parametrize("name", WITH_A_CELL)
def test_a_clone_shares_nothing(name):
    cell = cells.Leaky(cells.LSTM(peephole=True))
    estimator = fit(name, RAGGED, cell=cell)
    twin = clone(estimator)
    assert not hasattr(twin, "network_")
    assert twin.cell is not estimator.cell
    assert twin.cell.cell is not estimator.cell.cell
    assert repr(twin) == repr(estimator)
    assert twin.get_params()["cell__cell__peephole"] is True
    assert estimator.cell is cell
    assert not list(cell.parameters())  # the cell that was passed is a recipe, which fit does not build
    twin.set_params(cell__cell__peephole=False)
    assert cell.cell.peephole is True
    assert_equal_fits(clone(estimator).fit(RAGGED, target(estimator, RAGGED)), estimator, RAGGED)


# Going on.


@every_trained
@all_data
def test_warm_start_goes_on(name, X):
    estimator = fit(name, X, warm_start=True, max_epochs=5)
    first = estimator.loss_curve_[:]
    estimator.set_params(max_epochs=20).fit(X, target(estimator, X))
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 25
    assert estimator.loss_curve_[:5] == first
    assert estimator.loss_curve_[-1] < min(first)


@every_trained
def test_without_warm_start_fit_begins_anew(name):
    estimator = fit(name, EQUAL, max_epochs=5)
    assert estimator.fit(EQUAL, target(estimator, EQUAL)).n_iter_ == 5


@every_trained
@all_data
def test_partial_fit_learns(name, X):
    estimator = make(name, bidirectional=True, learning_rate=0.05)
    y = target(estimator, X)
    classes = {"classes": np.unique(y)} if hasattr(estimator, "predict_proba") else {}
    for _ in range(24):
        for half in (slice(0, 20), slice(20, None)):
            estimator.partial_fit(X[half], y[half], **classes)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 48
    if hasattr(estimator, "predict"):
        assert estimator.score(X, y) > 0.9
    else:  # less entropy than features have that are normally distributed
        assert estimator.score(X) > -1.42 * len(estimator.get_feature_names_out())


# Weights.

EXACT = {"dtype": "float64", "batch_size": None, "optimizer": "sgd", "learning_rate": 0.1, "max_epochs": 10}


def rows_of(weight):
    return np.repeat(np.arange(len(weight)), weight)


@every_weighted
@all_data
@pytest.mark.parametrize("settings", NETS[True][:2], ids=str)
def test_weight_is_repetition(name, X, settings):
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    y, rows = target(make(name), X), rows_of(weight)
    penalised = settings | EXACT | {"alpha": 1.0}
    weighted = make(name, **penalised).fit(X, y, sample_weight=weight)
    repeated = make(name, **penalised).fit(pick(X, rows), y[rows])
    np.testing.assert_allclose(answers(weighted, X), answers(repeated, X), rtol=1e-7, atol=1e-9)
    assert np.abs(answers(weighted, X) - answers(make(name, **penalised).fit(X, y), X)).max() > 1e-4


@every_weighted
@all_data
def test_weight_is_repetition_in_partial_fit(name, X):
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    y, rows = target(make(name), X), rows_of(weight)
    classes = {"classes": np.unique(y)} if hasattr(make(name), "predict_proba") else {}
    penalised = EXACT | {"alpha": 1.0}
    weighted = make(name, **penalised).partial_fit(X, y, sample_weight=weight, **classes).partial_fit(X, y, sample_weight=weight)
    repeated = make(name, **penalised).partial_fit(pick(X, rows), y[rows], **classes).partial_fit(pick(X, rows), y[rows])
    np.testing.assert_allclose(answers(weighted, X), answers(repeated, X), rtol=1e-7, atol=1e-9)


@every_weighted
def test_the_scale_of_weights_does_not_matter(name):
    y, weight = target(make(name), EQUAL), np.random.default_rng(0).random(len(EQUAL))
    one, other = (make(name, **EXACT).fit(EQUAL, y, sample_weight=factor * weight) for factor in (1, 1e-6))
    np.testing.assert_allclose(answers(one, EQUAL), answers(other, EQUAL), rtol=1e-7, atol=1e-9)


@all_data
@pytest.mark.parametrize("class_weight", ["balanced", {"low": 0.2, "high": 3.0}])
def test_class_weight_is_sample_weight(X, class_weight):
    y = target(make("RNNClassifier"), X)
    extra = np.random.default_rng(0).random(len(X))
    by_class = make("RNNClassifier", class_weight=class_weight, **EXACT)
    by_sample = make("RNNClassifier", **EXACT)
    weight = compute_sample_weight(class_weight, y)
    assert_equal_fits(by_class.fit(X, y), by_sample.fit(X, y, sample_weight=weight), X)
    assert_equal_fits(by_class.fit(X, y, sample_weight=extra), by_sample.fit(X, y, sample_weight=extra * weight), X)
