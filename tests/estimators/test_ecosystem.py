"""The estimators inside scikit-learn's own tools, on every container of sequences."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    permutation_test_score,
    train_test_split,
    validation_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import Sequences, as_sequences, cells
from skrnn.preprocessing import PerStep
from tests.estimators.samples import SUPERVISED, answers, make, objects, target

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in RNG.integers(2, 9, size=90)]
EQUAL = RNG.normal(size=(90, 6, 2))

CONTAINERS = {"list": RAGGED, "objects": objects(RAGGED), "Sequences": as_sequences(RAGGED), "array": EQUAL}
every_container = pytest.mark.parametrize("X", CONTAINERS.values(), ids=CONTAINERS)
ragged_sequences = pytest.mark.parametrize(  # tools that take and cut X as cross-validation does; in the other containers under slow
    "X", [pytest.param(X, id=key, marks=[] if key == "Sequences" else [pytest.mark.slow]) for key, X in CONTAINERS.items()]
)
every_estimator = pytest.mark.parametrize("name", SUPERVISED)
GRIDS = {
    "names": {"net__cell": ["elman", "gru"]},
    "objects": {"net__cell": [cells.Elman(), cells.GRU()]},
    "parameters": {"net__cell": [cells.LSTM()], "net__cell__peephole": [False, True]},
}


def quick(name="RNNClassifier", **settings):
    return make(name, **{"max_epochs": 20, "learning_rate": 0.05} | settings)


def scaled(net):
    return Pipeline([("scale", PerStep(StandardScaler())), ("net", net)])


@every_estimator
@every_container
def test_train_test_split(name, X):
    net = quick(name)
    X_train, X_test, y_train, y_test = train_test_split(X, target(net, X), random_state=0)
    assert type(X_train) is type(X_test) is type(X)
    assert net.fit(X_train, y_train).score(X_test, y_test) > 0.5


@every_estimator
@every_container
def test_cross_validation(name, X):
    net = scaled(quick(name))
    y = target(quick(name), X)
    assert cross_val_score(net, X, y, cv=3, error_score="raise").mean() > 0.5
    assert cross_val_predict(net, X, y, cv=3).shape == y.shape


def test_containers_agree():
    y = target(quick(), RAGGED)
    expected = cross_val_predict(scaled(quick()), RAGGED, y, cv=3, method="predict_proba")
    for X in (objects(RAGGED), as_sequences(RAGGED), tuple(RAGGED)):
        np.testing.assert_array_equal(cross_val_predict(scaled(quick()), X, y, cv=3, method="predict_proba"), expected)


@pytest.mark.parametrize(
    ("X", "grid"),
    [
        *(pytest.param(CONTAINERS["Sequences"], grid, id=f"Sequences-{key}") for key, grid in GRIDS.items()),
        *(pytest.param(X, GRIDS["parameters"], id=key, marks=pytest.mark.slow) for key, X in CONTAINERS.items() if key != "Sequences"),
    ],
)
def test_search_over_cells(X, grid):
    y = target(quick(), X)
    one, two = (GridSearchCV(scaled(quick()), grid, cv=2, n_jobs=n, error_score="raise").fit(X, y) for n in (1, 2))
    np.testing.assert_array_equal(one.cv_results_["mean_test_score"], two.cv_results_["mean_test_score"])
    assert one.score(X, y) > 0.8
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


def test_a_search_leaves_its_cells_alone():
    cell = cells.LSTM()
    GridSearchCV(quick(cell=cell), {"cell__peephole": [False, True]}, cv=2).fit(RAGGED, target(quick(), RAGGED))
    assert repr(cell) == "LSTM()"
    assert not list(cell.parameters())


def test_search_over_the_scaler_and_random_settings():
    y = target(quick(), RAGGED)
    grid = {"scale__transformer__with_mean": [False, True], "net__pooling": ["last", "max"], "net__hidden_size": [4, 8]}
    search = RandomizedSearchCV(scaled(quick()), grid, n_iter=3, cv=2, random_state=0, error_score="raise").fit(RAGGED, y)
    assert search.score(RAGGED, y) > 0.7


def test_a_failing_fit_does_not_kill_a_search():
    search = GridSearchCV(quick(), {"cell": ["gru", "nonsense"]}, cv=2)
    with pytest.warns(match="(?s)2 fits failed.*The 'cell' parameter must be"):
        search.fit(RAGGED, target(quick(), RAGGED))
    assert search.best_params_ == {"cell": "gru"}


@ragged_sequences
@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting(X, voting):
    model = VotingClassifier([("gru", quick()), ("elman", quick(cell="elman"))], voting=voting)
    y = target(quick(), X)
    assert model.fit(X, y).score(X, y) > 0.8


@ragged_sequences
def test_stacking(X):
    model = StackingClassifier([("gru", quick()), ("elman", quick(cell="elman"))], LogisticRegression(), cv=2)
    y = target(quick(), X)
    assert model.fit(X, y).score(X, y) > 0.8


@ragged_sequences
@pytest.mark.parametrize("ensemble", [False, True])
def test_calibration(X, ensemble):
    y = target(quick(), X)
    model = CalibratedClassifierCV(quick(), cv=3, ensemble=ensemble).fit(X, y)
    assert model.score(X, y) > 0.7
    np.testing.assert_allclose(model.predict_proba(X).sum(1), 1)


@ragged_sequences
def test_curves(X):
    y = target(quick(), X)
    folds = StratifiedKFold(2)
    sizes, train, test = learning_curve(quick(), X, y, train_sizes=[0.5, 1.0], cv=folds, error_score="raise")
    assert sizes.tolist() == [22, 45]
    assert np.isfinite([train, test]).all()
    train, test = validation_curve(quick(), X, y, param_name="hidden_size", param_range=[2, 8], cv=folds, error_score="raise")
    assert np.isfinite([train, test]).all()


def test_chance():
    score, by_chance, _ = permutation_test_score(quick(max_epochs=15), RAGGED, target(quick(), RAGGED), n_permutations=5, cv=2, random_state=0)
    assert score > by_chance.mean()


@ragged_sequences
def test_targets_on_another_scale(X):
    y = np.exp(target(quick("RNNRegressor"), X))
    model = TransformedTargetRegressor(quick("RNNRegressor"), func=np.log, inverse_func=np.exp).fit(X, y)
    assert model.score(X, y) > 0.8
    assert TransformedTargetRegressor(scaled(quick("RNNRegressor")), transformer=StandardScaler()).fit(X, y).score(X, y) > 0.5


@ragged_sequences
def test_committees_of_regressors(X):
    y = target(quick("RNNRegressor"), X)
    members = [("gru", quick("RNNRegressor")), ("elman", quick("RNNRegressor", cell="elman"))]
    assert VotingRegressor(members).fit(X, y).score(X, y) > 0.8
    assert StackingRegressor(members, cv=2).fit(X, y).score(X, y) > 0.5


def test_one_net_for_each_class():
    y = np.digitize([x[:, 0].max() for x in RAGGED], [0.5, 1.2])
    assert OneVsRestClassifier(quick()).fit(RAGGED, y).score(RAGGED, y) > 0.7


def test_a_table_in_tools_that_know_tables_only():
    X = EQUAL[:, :, 0]
    y = target(quick(), X)
    assert BaggingClassifier(quick(), n_estimators=3, random_state=0).fit(X, y).score(X, y) > 0.7


def test_the_type_of_sequences_survives_a_split():
    X = as_sequences(RAGGED)
    train, test = train_test_split(X, random_state=0)
    assert isinstance(train, Sequences)
    assert len(train) + len(test) == len(X)
    np.testing.assert_array_equal(answers(quick().fit(X, target(quick(), X)), test), answers(quick().fit(RAGGED, target(quick(), X)), list(test)))


def test_one_grid_over_ten_cells_and_two_wrappers_on_ragged_sequences():
    named = ["elman", "lstm", "gru", "jordan", "clockwork", "indrnn", "mingru", "lmu", "cfc", "antisymmetric"]
    grid = {"cell": [*named, cells.Leaky(cells.GRU(), rate=0.3), cells.Zoneout(cells.LSTM())]}
    model = make("RNNClassifier", max_epochs=1, hidden_size=4)
    search = GridSearchCV(model, grid, cv=2, error_score="raise").fit(RAGGED, target(model, RAGGED))
    assert len(search.cv_results_["params"]) == 12
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
