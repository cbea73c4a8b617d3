"""Classes of sequences from a reservoir."""

import warnings

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from skrnn import EchoStateClassifier, EchoStateTransformer
from skrnn.cells import Reservoir

RNG = np.random.default_rng(0)
GIVEN = {"hidden_size": 30, "spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 0.3, "alpha": 1e-3, "dtype": "float64", "random_state": 0}
X = [np.sin((0.2 + 0.15 * (k % 3)) * np.arange(n) + n)[:, None] + 0.1 * RNG.normal(size=(n, 1)) for k, n in enumerate(RNG.integers(20, 50, 120))]
Y = np.array(["slow", "middle", "fast"] * 40)
POOLINGS = ["last", "mean", "segments", "model"]


def make(**settings):
    return EchoStateClassifier(**GIVEN | settings)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("settings", [{}, {"cell": "lstm"}, {"n_layers": 2, "n_groups": 2}, {"readout": LogisticRegression()}], ids=str)
def test_every_sequence_is_alone(pooling, settings):
    model = make(pooling=pooling, **settings).fit(X, Y)
    together = model.predict_proba(X)
    np.testing.assert_allclose(np.concatenate([model.predict_proba([x]) for x in X]), together, rtol=0, atol=1e-10)
    np.testing.assert_array_equal(model.predict(X), model.classes_[together.argmax(1)])
    np.testing.assert_allclose(together.sum(1), 1)
    assert (together >= 0).all()


@pytest.mark.parametrize("pooling", ["mean", "segments", "model"])
def test_it_learns_and_says_the_labels(pooling):
    model = EchoStateClassifier(hidden_size=50, pooling=pooling, random_state=0).fit(X[:90], Y[:90])
    assert set(model.predict(X[90:])) <= {"slow", "middle", "fast"}
    assert model.score(X[90:], Y[90:]) > 0.9


def test_labels_come_back_as_they_came():
    for labels in (np.array([3, -1, 7]), np.array(["x", "y", "z"], dtype=object), np.array([0.5, 1.5, 2.5]) * 2):
        y = np.tile(labels, 40)
        assert set(make(pooling="segments").fit(X, y).predict(X)) <= set(labels)
    two = make().fit(X, np.arange(120) % 2 == 0)
    assert two.predict(X).dtype == bool
    assert two.decision_function(X).shape == (120,)
    np.testing.assert_array_equal(two.decision_function(X) > 0, two.predict(X))
    np.testing.assert_allclose(make().fit(X, ["only"] * 120).predict_proba(X), np.ones((120, 1)))


def test_probabilities_are_the_nearest_to_the_outputs():
    model = make().fit(X, Y)
    outputs, p = model.decision_function(X), model.predict_proba(X)
    np.testing.assert_allclose(outputs.sum(1), 1)  # indicators sum to 1, and so does what predicts them linearly
    for other in np.random.default_rng(1).dirichlet(np.ones(3), 1000):
        assert (np.linalg.norm(outputs - p, axis=1) <= np.linalg.norm(outputs - other, axis=1) + 1e-12).all()


# Weights.


@pytest.mark.parametrize("pooling", POOLINGS[:3])
def test_a_weight_of_two_is_a_sequence_that_comes_twice(pooling):
    weight = np.random.default_rng(0).integers(0, 3, 120)
    rows = np.repeat(np.arange(120), weight)
    weighted, repeated = make(pooling=pooling).fit(X, Y, sample_weight=weight), make(pooling=pooling).fit([X[k] for k in rows], Y[rows])
    np.testing.assert_allclose(weighted.decision_function(X), repeated.decision_function(X), rtol=0, atol=1e-8)
    assert np.abs(weighted.decision_function(X) - make(pooling=pooling).fit(X, Y).decision_function(X)).max() > 1e-3


def test_balanced_classes_count_alike():
    some = np.concatenate([np.flatnonzero(Y == "slow")[:4], np.flatnonzero(Y != "slow")])
    rare, y = [X[k] for k in some], Y[some]
    weight = np.where(y == "slow", len(y) / (3 * 4), len(y) / (3 * 40))
    balanced = make(class_weight="balanced").fit(rare, y)
    np.testing.assert_allclose(balanced.coef_, make().fit(rare, y, sample_weight=weight).coef_, rtol=0, atol=1e-10)
    extra = np.linspace(0.5, 1.5, len(y))
    both = make(class_weight={"slow": 2.0}).fit(rare, y, sample_weight=extra)
    np.testing.assert_allclose(both.coef_, make().fit(rare, y, sample_weight=extra * np.where(y == "slow", 2, 1)).coef_, rtol=0, atol=1e-10)


# Readouts.


def test_any_classifier_reads_the_states():
    model = make(readout=LogisticRegression(C=10, max_iter=1000), pooling="mean").fit(X, Y)
    states = EchoStateTransformer(**{k: v for k, v in GIVEN.items() if k != "alpha"}).fit(X).transform(X)
    np.testing.assert_allclose(model.predict_proba(X), LogisticRegression(C=10, max_iter=1000).fit(states, Y).predict_proba(states), atol=1e-6)
    assert make(readout=KNeighborsClassifier(1)).fit(X, Y).score(X, Y) == 1.0
    weighted = make(readout=LogisticRegression()).fit(X, Y, sample_weight=np.where(Y == "slow", 0, 1))
    assert (weighted.predict(X) != "slow").all()


def test_it_has_the_methods_of_its_readout():
    assert not hasattr(make(readout=RidgeClassifier()), "predict_proba")
    assert not hasattr(make(readout=RandomForestClassifier()), "decision_function")
    assert make(readout=RidgeClassifier()).fit(X, Y).decision_function(X).shape == (120, 3)
    assert hasattr(make(), "predict_proba")
    assert hasattr(make(), "decision_function")


@pytest.mark.parametrize("alpha", ["block_cv", "gcv"])
def test_a_penalty_is_chosen(alpha):
    model = make(alpha=alpha).fit(X, Y)
    assert model.alpha_ == model.alphas_[model.scores_.argmin()]
    given = make(alpha=model.alpha_).fit(X, Y)  # from one sum, not from those of the folds
    np.testing.assert_allclose(given.coef_, model.coef_, rtol=0, atol=1e-8 * np.abs(model.coef_).max())


def test_scales_are_chosen_on_the_data():
    model = EchoStateClassifier(hidden_size=30, input_scaling=0.05, random_state=0).fit(X, Y)
    assert model.input_scaling_ == 0.05
    assert model.spectral_radius_ in (0.5, 0.9, 1.1)
    assert model.leak_rate_ in (1.0, 0.5, 0.2)
    assert EchoStateClassifier(hidden_size=30, cell="gru", random_state=0).fit(X, Y).leak_rate_ is None


def test_the_model_selection_of_scikit_learn():
    grid = {"leak_rate": [0.2, 1.0], "pooling": ["last", "segments"]}
    search = GridSearchCV(make(), grid, cv=3).fit(X, Y)
    assert search.best_params_["pooling"] == "segments"
    assert cross_val_score(search.best_estimator_, X, Y, cv=3, scoring="roc_auc_ovr").mean() > 0.8


def test_parameters_of_a_cell_that_is_a_name():
    assert make(cell="lstm").set_params(cell__peephole=True).cell.peephole is True


# What is refused.

REFUSED = [
    ({"washout": 20}, (X, Y), "washout=20 must be less than the length of every sequence; sequence .* has 20 steps"),
    ({"fan_in": 31}, (X, Y), "The 'fan_in' parameter of EchoStateClassifier must be at most hidden_size=30; got 31"),
    ({"leak_rate": (0.1, 0.2)}, (X, Y), r"'leak_rate' .* must be a number or a tuple of 30 \(hidden_size\); got 2 numbers"),
    ({"input_scaling": (0.1, 0.2)}, (X, Y), r"'input_scaling' .* must be a number or a tuple of 1 \(channels of X\); got 2 numbers"),
    ({"alpha": "closed_loop"}, (X, Y), "The 'alpha' parameter of EchoStateClassifier must be .* Got 'closed_loop' instead"),
    ({"pooling": None}, (X, Y), "The 'pooling' parameter of EchoStateClassifier must be .* Got None instead"),
    ({"activation": "relu", "spectral_radius": 1e9}, (X, Y), "The states became infinite or NaN: use a smaller spectral_radius"),
    ({"topology": "delay_line", "cell": Reservoir(recurrent_weights=np.ones((3, 3)))}, (X, Y), r"'recurrent_weights' .* of shape \(30, 30\)"),
    ({}, (X, Y[1:]), "inconsistent numbers of samples"),
    ({}, (X, np.linspace(0, 1, 120)), "Unknown label type: continuous"),
    ({}, (X, None), "requires y to be passed, but the target y is None"),
    ({"readout": KNeighborsClassifier()}, (X, Y, np.ones(120)), "takes no sample_weight"),
]


@pytest.mark.parametrize(("settings", "data", "match"), REFUSED, ids=[match[:60] for *_, match in REFUSED])
def test_what_fit_refuses_leaves_the_model_as_it_was(settings, data, match):
    model = make().fit(X, Y)
    attributes, said = set(vars(model)), model.predict_proba(X)
    with pytest.raises(ValueError, match=match):
        model.set_params(**settings).fit(*data)
    assert set(vars(model)) == attributes
    np.testing.assert_array_equal(model.set_params(**GIVEN, readout=None, washout=0, pooling="mean").predict_proba(X), said)


def test_what_predict_refuses():
    with pytest.raises(ValueError, match="X has 2 features, but EchoStateClassifier is expecting 1 features"):
        make().fit(X, Y).predict([np.ones((5, 2))])
    with pytest.raises(ValueError, match="washout=10 must be less than the length of every sequence; sequence 1 has 9 steps"):
        make(washout=10).fit(X, Y).predict([X[0], X[1][:9]])


def test_a_constant_input_is_warned_of():
    with pytest.warns(UserWarning, match="All channels of X are constant: the reservoir sees nothing"):
        make().fit(np.ones((6, 5, 2)), [0, 1] * 3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make().fit(X, Y)
