"""A captioner that looks at several vectors for each sample (Xu et al., 2015)."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score

from skrnn import RNNCaptioner
from skrnn.inspection import AttentionDisplay

PLACES = [(i / 2 - 0.5, j / 2 - 0.5) for i in range(3) for j in range(3)]
COLOURS, SHAPES = ["red", "green", "blue"], ["ball", "box", "cone"]


def pictures(n, random_state=0):
    """Grids of three by three, in some places of which lies a thing: the caption names them, row by row."""
    rng = np.random.default_rng(random_state)
    X, y = np.zeros((n, 9, 9)), []
    X[:, :, :2] = PLACES
    for k in range(n):
        words = []
        for place in np.sort(rng.choice(9, size=rng.integers(1, 4), replace=False)):
            colour, shape = rng.integers(3, size=2)
            X[k, place, [2, 3 + colour, 6 + shape]] = 1
            words += [COLOURS[colour], SHAPES[shape]]
        y.append(words)
    return X, y


X, Y = pictures(60)
RAGGED = [x[: 3 + k % 7] for k, x in enumerate(X)]
SMALL = {"attention": "bahdanau", "hidden_size": 8, "max_epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    return RNNCaptioner(**SMALL).fit(X, Y)


@pytest.mark.slow
def test_it_looks_at_what_it_names():
    X, y = pictures(2500, random_state=1)
    model = RNNCaptioner(attention="bahdanau", max_epochs=30, random_state=0).fit(X[:2000], y[:2000])
    assert model.score(X[2000:], y[2000:]) > 0.9
    mean = RNNCaptioner(max_epochs=30, random_state=0).fit(X[:2000].mean(axis=1), y[:2000])
    assert mean.score(X[2000:].mean(axis=1), y[2000:]) < 0.7  # one vector does not say what lies where
    looks = model.attention_weights(X[2000:], y[2000:])
    named = [np.repeat(np.flatnonzero(x[:, 2]), 2) for x in X[2000:]]
    assert np.mean(np.concatenate([w.argmax(axis=1) for w in looks]) == np.concatenate(named)) > 0.8


@pytest.mark.parametrize("attention", ["bahdanau", "dot", "general"])
def test_rows_of_weights_are_shares_of_the_regions_of_each_sample(attention):
    settings = SMALL | {"attention": attention, "hidden_size": 9}
    model = RNNCaptioner(**settings).fit(RAGGED, Y)
    for weights, x, y in zip(model.attention_weights(RAGGED, Y), RAGGED, Y, strict=True):
        assert weights.shape == (len(y), len(x))
        np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-5)


def test_the_order_of_regions_does_not_matter(model):
    turned = RNNCaptioner(dtype="float64", **SMALL).fit(X, Y)
    scores = [[best[0].score for best in turned.predict_hypotheses(grid)] for grid in (X, X[:, ::-1])]
    np.testing.assert_allclose(*scores, rtol=1e-12)


def test_company_and_container_do_not_change_a_bit():
    model = RNNCaptioner(**SMALL).fit(RAGGED, Y)
    every = [best[0].score for best in model.predict_hypotheses(RAGGED)]
    assert [model.predict_hypotheses([x])[0][0].score for x in RAGGED] == every
    assert [best[0].score for best in model.predict_hypotheses(RAGGED[::-1])] == every[::-1]


def test_it_is_copied_searched_and_goes_on(model):
    assert pickle.loads(pickle.dumps(model)).predict(X) == model.predict(X)
    assert clone(model).attention == "bahdanau"
    assert cross_val_score(RNNCaptioner(**SMALL), X, Y, cv=2).shape == (2,)
    search = GridSearchCV(RNNCaptioner(**SMALL), {"coverage": [False, True]}, cv=2).fit(RAGGED, Y)
    assert len(search.best_estimator_.partial_fit(RAGGED, Y).predict(RAGGED)) == 60


def test_the_display_numbers_the_regions(model):
    pytest.importorskip("matplotlib")
    display = AttentionDisplay.from_estimator(model, X, Y, sequence=3)
    assert display.weights.shape == (len(Y[3]), 9)
    assert display.source is None
    assert display.target == Y[3]


def test_one_vector_and_several_are_told_apart_by_attention(model):
    with pytest.raises(ValueError, match=r"X must be 3-D \(n_samples, n_regions, n_features\).* got 2-D of shape \(60, 9\): use attention=None"):
        RNNCaptioner(**SMALL).fit(X[:, 0], Y)
    with pytest.raises(ValueError, match=r"X must be 2-D .*; got 60 sequences; attention='bahdanau' looks at several vectors for each sample"):
        RNNCaptioner(**SMALL | {"attention": None}).fit(X, Y)
    with pytest.raises(ValueError, match=r"attention=None.* looks at no steps or regions"):
        RNNCaptioner(**SMALL | {"attention": None}).fit(X[:, 0], Y).attention_weights(X[:, 0])
    with pytest.raises(
        ValueError, match=r"the places of a grid one behind the other; got shape \(60, 1, .*X\.reshape\(len\(X\), -1, X\.shape\[-1\]\)"
    ):
        model.predict(X[:, None])
    with pytest.raises(ValueError, match="8 features"):
        model.predict(X[:, :, :8])
