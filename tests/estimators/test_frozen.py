"""Parts of a network that training leaves as they are."""

import numpy as np
import pytest
from sklearn.base import clone

from skrnn import RNNClassifier, RNNRegressor, estimators
from skrnn.estimators.face._trained import Trained
from tests.estimators.samples import CLASSES, EQUAL, RAGGED, SAMPLES, fit_sample

TRAINED = [name for name in CLASSES if issubclass(getattr(estimators, name), Trained)]
Y = EQUAL[:, :, 0].max(axis=1)
SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}


def weights(model, part=""):
    return {name: w.detach().numpy().copy() for name, w in model.network_.named_parameters() if name.startswith(part)}


def changed(before, model):
    now = weights(model)
    return {name for name, w in before.items() if (now[name] != w).any()}


@pytest.mark.parametrize("name", TRAINED)
def test_a_part_stays_while_the_others_learn(name):
    start = fit_sample(name).set_params(warm_start=True)
    parts = [part for part, module in start.network_.named_children() if any(True for _ in module.parameters())]
    assert len(parts) > 1
    for part in parts:
        before = weights(start)
        start.set_params(frozen=part).fit(*SAMPLES[name][0])
        assert not any(key.startswith(f"{part}.") for key in changed(before, start))
        assert changed(before, start)


@pytest.mark.parametrize("rule", ["bptt", "truncated_bptt", "rtrl", "guessing"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_under_every_rule_and_optimizer(rule, optimizer):
    model = RNNRegressor("elman", rule=rule, optimizer=optimizer, alpha=1.0, bidirectional=False, batch_size=None, warm_start=True, **SMALL)
    model.fit(RAGGED, Y)
    before = weights(model)
    model.set_params(frozen=("recurrent",)).fit(RAGGED, Y)
    assert changed(before, model) <= {"head.W", "head.b"} != set()


def test_a_layer_stays_while_partial_fit_goes_on():
    model = RNNClassifier(n_layers=2, **SMALL).partial_fit(EQUAL, Y > 1, classes=[False, True])
    before = weights(model)
    model.set_params(frozen=["recurrent.layers.0"]).partial_fit(EQUAL, Y > 1)
    assert changed(before, model) == {name for name in before if not name.startswith("recurrent.layers.0.")}
    before = weights(model)
    model.set_params(frozen=()).partial_fit(EQUAL, Y > 1)
    assert changed(before, model) == set(before)


def test_from_the_start_a_part_stays_as_it_was_drawn():
    frozen = RNNRegressor(frozen="recurrent", **SMALL).fit(EQUAL, Y)
    drawn = RNNRegressor(**{**SMALL, "max_epochs": 1, "learning_rate": 1e-30}).fit(EQUAL, Y)
    for name, w in weights(drawn, "recurrent").items():
        np.testing.assert_array_equal(weights(frozen)[name], w)


def test_weights_can_learn_again_afterwards():
    model = RNNRegressor(frozen="recurrent", **SMALL).fit(EQUAL, Y)
    assert all(w.requires_grad for w in model.network_.parameters())


def test_parts_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match=r"frozen names 'layers', which is no part .* \['recurrent', 'recurrent.layers', .*'head'\]"):
        RNNRegressor(frozen="layers", **SMALL).fit(EQUAL, Y)
    model = RNNRegressor(**SMALL).fit(EQUAL, Y)
    before = weights(model)
    with pytest.raises(ValueError, match="frozen names 3"):
        model.set_params(frozen=[3]).partial_fit(EQUAL, Y)
    assert not changed(before, model)


def test_something_must_be_left_to_learn():
    with pytest.raises(ValueError, match=r"frozen=\['recurrent', 'head'\] leaves no weight to learn"):
        RNNRegressor(frozen=["recurrent", "head"], **SMALL).fit(EQUAL, Y)


def test_it_is_cloned():
    assert clone(RNNRegressor(frozen=["head"])).frozen == ["head"]
