"""Targets and weights as users bring them: labels of any kind, tensors, weights of labels; and what is said of padding."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.utils.class_weight import compute_sample_weight

from skrnn import EchoStateClassifier, EchoStateRegressor, RNNClassifier, RNNForecaster, RNNRegressor, RNNSequenceRegressor, RNNTagger, as_sequences

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(5 + i % 5, 3)) for i in range(16)]
TAGS = [np.where(x[:, 0] > 0, "p", "n") for x in RAGGED]
EQUAL = RNG.normal(size=(16, 6, 3))
LABELS = RNG.integers(0, 2, (16, 3))
NUMBERS = RNG.normal(size=16)
M = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}
BY_LABEL = [{0: 1, 1: 3}, {0: 1, 1: 1}, {0: 2, 1: 1}]


# -- weights of classes ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("class_weight", [BY_LABEL, "balanced"], ids=["by label", "balanced"])
def test_labels_are_weighed_as_scikit_learn_weighs_them(class_weight):
    weight = compute_sample_weight(class_weight, LABELS)
    weighed, by_hand = RNNClassifier(class_weight=class_weight, **M).fit(EQUAL, LABELS), RNNClassifier(**M).fit(EQUAL, LABELS, sample_weight=weight)
    np.testing.assert_array_equal(weighed.predict_proba(EQUAL), by_hand.predict_proba(EQUAL))
    steps = np.repeat(LABELS[:, None], 6, axis=1)
    tagger, told = RNNTagger(class_weight=BY_LABEL, **M), RNNTagger(**M)
    by_step = np.repeat(compute_sample_weight(BY_LABEL, LABELS)[:, None], 6, axis=1)
    np.testing.assert_array_equal(tagger.fit(EQUAL, steps).predict_proba(EQUAL), told.fit(EQUAL, steps, sample_weight=by_step).predict_proba(EQUAL))


@pytest.mark.parametrize("kind", [RNNClassifier, RNNTagger])
@pytest.mark.parametrize(
    ("class_weight", "labels", "match"),
    [
        ({0: 1.0, 1: 2.0}, True, "as y has labels, a list of a dict"),
        (BY_LABEL, False, "as y has classes, one dict"),
        ({0: np.nan, 1: 1.0}, False, "must hold finite weights"),
        ({0: np.inf, 1: 1.0}, False, "must hold finite weights"),
        ([{0: np.nan, 1: 1.0}] * 3, True, "must hold finite weights"),
        (BY_LABEL[:2], True, "(?i)number of elements in class_weight should match"),
    ],
)
def test_weights_that_do_not_fit_are_named(kind, class_weight, labels, match):
    y = LABELS if labels else LABELS[:, 0]
    with pytest.raises(ValueError, match=match):
        kind(class_weight=class_weight, **M).fit(EQUAL, y if kind is RNNClassifier else np.repeat(y[:, None], 6, axis=1))


def test_weights_of_a_reservoirs_classes_are_named_too():
    with pytest.raises(ValueError, match="'class_weight' parameter must hold finite weights"):
        EchoStateClassifier(10, class_weight={0: np.nan, 1: 1.0}).fit(EQUAL, LABELS[:, 0])


# -- labels ------------------------------------------------------------------------------------------------------------------------------------


def test_strings_of_an_object_array_come_back_as_objects():
    model = RNNTagger(**M).fit(RAGGED, [tags.astype(object) for tags in TAGS])
    assert model.classes_.dtype == object
    assert model.predict(RAGGED)[0].dtype == object
    plain = RNNTagger(**M).fit(RAGGED, TAGS)
    assert plain.predict(RAGGED)[0].dtype.kind == "U"
    for ours, theirs in zip(model.predict(RAGGED), plain.predict(RAGGED), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_numbers_of_an_object_array_stay_numbers():
    y = [np.array([1, 2] * 5, dtype=object)[: len(x)] for x in RAGGED]
    assert RNNTagger(**M).fit(RAGGED, y).classes_.dtype.kind == "i"


def test_labels_of_two_kinds_are_refused():
    y = [np.array([1, "a"] * 5, dtype=object)[: len(x)] for x in RAGGED]
    with pytest.raises(TypeError, match="y mixes strings and other labels"):
        RNNTagger(**M).fit(RAGGED, y)


@pytest.mark.parametrize("nothing", [None, pd.NA, np.nan], ids=str)
@pytest.mark.parametrize("dtype", ["string", object])
def test_what_pandas_lacks_is_no_target(nothing, dtype):
    X = RNG.normal(size=(20, 2))
    y = pd.Series(["a", "b", nothing, "a"] * 5, dtype=dtype)
    model = RNNTagger(**M).fit(X, y)
    assert model.classes_.tolist() == ["a", "b"]
    known = y.isin(["a", "b"]).to_numpy(bool)
    assert model.score(X, y) == np.mean(model.predict(X)[known] == y[known].to_numpy())


# -- tensors -----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [lambda t: t.requires_grad_(), lambda t: t.bfloat16()], ids=["with a gradient", "bfloat16"])
def test_targets_and_weights_may_be_tensors_of_any_kind(change):
    target, weight = change(torch.tensor(NUMBERS).clone()), change(torch.rand(16, generator=torch.Generator().manual_seed(0)))
    as_numbers = [t.detach().double().numpy() for t in (target, weight)]
    for model in (RNNRegressor(**M),):
        told = model.fit(RAGGED, target, sample_weight=weight).predict(RAGGED)
        np.testing.assert_allclose(told, RNNRegressor(**M).fit(RAGGED, as_numbers[0], sample_weight=as_numbers[1]).predict(RAGGED), rtol=1e-6)
    steps = [change(torch.tensor(x[:, 0]).clone()) for x in RAGGED]
    listed = [t.detach().double().numpy() for t in steps]
    told = RNNSequenceRegressor(**M).fit(RAGGED, steps, sample_weight=weight)
    by_hand = RNNSequenceRegressor(**M).fit(RAGGED, listed, sample_weight=as_numbers[1])
    np.testing.assert_allclose(told.predict(RAGGED)[0], by_hand.predict(RAGGED)[0], rtol=1e-6)
    assert told.score(RAGGED, steps) == pytest.approx(by_hand.score(RAGGED, listed), abs=1e-6)
    EchoStateRegressor(10, random_state=0).fit(RAGGED, steps)
    RNNForecaster(horizon=2, n_lags=3, **M).fit(None, change(torch.tensor(np.sin(np.arange(40.0)))))


# -- padding -----------------------------------------------------------------------------------------------------------------------------------


def test_an_error_about_padding_says_how_to_take_it_off():
    padded = as_sequences(RAGGED).to_padded()
    with pytest.raises(ValueError, match=r"If what ends sequences is padding, skrnn\.as_sequences\(X, padding='nan'\) takes it off"):
        RNNClassifier(**M).fit(padded, LABELS[:, 0])
    off = RNNClassifier(**M).fit(as_sequences(padded, padding="nan"), LABELS[:, 0])
    np.testing.assert_array_equal(off.predict_proba(RAGGED), RNNClassifier(**M).fit(RAGGED, LABELS[:, 0]).predict_proba(RAGGED))
    with pytest.raises(ValueError, match="padding='nan'"):
        off.predict(padded)


def test_an_error_about_a_gap_does_not_speak_of_padding():
    for gap in ((0, 2, 1), (0, 2, slice(None)), (0, -1, 1)):
        X = EQUAL.copy()
        X[gap] = np.nan
        with pytest.raises(ValueError, match="SequenceImputer fills") as error:
            RNNClassifier(**M).fit(X, LABELS[:, 0])
        assert "padding" not in str(error.value)
