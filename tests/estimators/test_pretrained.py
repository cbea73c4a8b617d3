"""Layers that start from those of an autoencoder."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import RNNAutoencoder, RNNClassifier, RNNRegressor
from skrnn.frontends import Conv1d
from skrnn.preprocessing import SequenceImputer

RNG = np.random.default_rng(0)
X = [np.cumsum(RNG.normal(size=(n, 2)), axis=0) for n in RNG.integers(4, 9, size=40)]
Y = {RNNClassifier: np.arange(40) % 2, RNNRegressor: np.array([x.sum() for x in X])}
CODES = RNNAutoencoder(hidden_size=8, max_epochs=3, random_state=0)
STANDS_STILL = {"hidden_size": 8, "max_epochs": 1, "learning_rate": 1e-12, "schedule": "constant", "random_state": 0}
both = pytest.mark.parametrize("estimator", Y)


def weights(stack, direction=0):
    return [w.detach().numpy() for layer in stack.layers for w in layer[direction].parameters()]


@both
@pytest.mark.parametrize("settings", [{}, {"cell": "lstm", "n_layers": 2, "bidirectional": True}], ids=str)
def test_layers_start_as_they_were_learned(estimator, settings):
    codes = clone(CODES).set_params(**settings)
    learned = clone(codes).fit(X)
    for start in (codes, FrozenEstimator(learned)):
        model = estimator(init_from=start, **STANDS_STILL, **settings).fit(X, Y[estimator])
        for direction in range(1 + settings.get("bidirectional", False)):
            for own, theirs in zip(weights(model.network_.recurrent, direction), weights(learned.network_.encoder.recurrent, direction), strict=True):
                np.testing.assert_allclose(own, theirs, rtol=0, atol=1e-9)


def test_units_are_those_that_were_learned_in():
    more = [10 * x for x in X]
    model = RNNClassifier(init_from=FrozenEstimator(clone(CODES).fit(more)), **STANDS_STILL).fit(X, Y[RNNClassifier])
    np.testing.assert_array_equal(model.scale_, clone(CODES).fit(more).scale_)


def test_the_direction_that_was_not_learned_is_drawn_as_ever():
    plain, started = (RNNClassifier(init_from=start, **STANDS_STILL).fit(X, Y[RNNClassifier]) for start in (None, CODES))
    for own, other in zip(weights(plain.network_.recurrent, 1), weights(started.network_.recurrent, 1), strict=True):
        np.testing.assert_allclose(own, other, rtol=0, atol=1e-9)


def test_pipelines_searches_copies_and_pickles():
    model = RNNClassifier(hidden_size=8, max_epochs=2, init_from=CODES, random_state=0)
    pipeline = make_pipeline(SequenceImputer(), model).fit(X, Y[RNNClassifier])
    assert pipeline.get_params()["rnnclassifier__init_from__max_epochs"] == 3
    frozen = FrozenEstimator(clone(CODES).fit(X))
    search = GridSearchCV(model, {"init_from": [None, CODES, frozen]}, cv=2, error_score="raise").fit(X, Y[RNNClassifier])
    search.set_params(param_grid={"init_from__max_epochs": [1, 2]}).fit(X, Y[RNNClassifier])
    fitted = clone(model).fit(X, Y[RNNClassifier])
    np.testing.assert_array_equal(fitted.predict_proba(X), pickle.loads(pickle.dumps(fitted)).predict_proba(X))
    np.testing.assert_array_equal(fitted.predict_proba(X), clone(fitted).fit(X, Y[RNNClassifier]).predict_proba(X))
    assert not hasattr(CODES, "network_")


def test_training_goes_on_from_where_it_is_and_not_from_there_again():
    model = RNNClassifier(hidden_size=8, max_epochs=2, init_from=CODES, warm_start=True, random_state=0).fit(X, Y[RNNClassifier])
    before = model.loss_curve_[-1]
    assert model.fit(X, Y[RNNClassifier]).loss_curve_[2] < model.loss_curve_[0]
    assert model.loss_curve_[1] == before
    passes = RNNRegressor(hidden_size=8, init_from=CODES, random_state=0).partial_fit(X, Y[RNNRegressor]).partial_fit(X, Y[RNNRegressor])
    assert passes.n_iter_ == 2


@pytest.mark.parametrize(
    ("settings", "error", "match"),
    [
        ({"hidden_size": 9}, ValueError, r"must be those of init_from .* got GRU\(\), 9, 1, True, and GRU\(\), 8, 1, False there"),
        ({"cell": "lstm"}, ValueError, "must be those of init_from"),
        ({"n_layers": 2}, ValueError, "must be those of init_from"),
        ({"frontend": Conv1d(4)}, ValueError, "use frontend=None"),
        ({"init_from": RNNRegressor()}, ValueError, "something that learns without targets; got RNNRegressor"),
        ({"init_from": SequenceImputer()}, ValueError, r"init_from must be an RNNAutoencoder.*got SequenceImputer"),
        ({"init_from": FrozenEstimator(RNNAutoencoder())}, NotFittedError, "not fitted yet"),
        ({"init_from": 3}, ValueError, "'init_from' parameter of RNNClassifier"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(settings, error, match):
    model = RNNClassifier(**{"hidden_size": 8, "max_epochs": 1, "init_from": CODES} | settings)
    with pytest.raises(error, match=match):
        model.fit(X, Y[RNNClassifier])
    assert not hasattr(model, "network_")


def test_other_channels_are_refused():
    frozen = FrozenEstimator(clone(CODES).fit(X))
    with pytest.raises(ValueError, match="init_from has learned from 2 channels, but X has 1"):
        RNNClassifier(hidden_size=8, init_from=frozen).fit([x[:, :1] for x in X], Y[RNNClassifier])
