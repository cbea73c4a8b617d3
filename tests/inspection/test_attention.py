"""The picture shows the weights of the estimator, at the places of their tokens."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.pipeline import make_pipeline

from skrnn import RNNRegressor, Seq2SeqRegressor, Seq2SeqTranslator
from skrnn.inspection import AttentionDisplay, GateDisplay, GradientFlowDisplay
from skrnn.preprocessing import SequenceImputer

TEXT = ["ab", "ba", "aab", "bbab"] * 6


@pytest.fixture(scope="module")
def translator():
    return Seq2SeqTranslator(hidden_size=6, max_epochs=2, random_state=0).fit(TEXT, [row.upper() for row in TEXT])


def test_tokens_stand_at_the_axes(translator):
    display = AttentionDisplay.from_estimator(translator, TEXT, [row.upper() for row in TEXT], sequence=3)
    np.testing.assert_allclose(display.weights, translator.attention_weights(["bbab"], ["BBAB"])[0], atol=1e-6)
    assert [label.get_text() for label in display.ax_.get_xticklabels()] == list("bbab")
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == list("BBAB")
    assert display.figure_ is display.ax_.figure
    np.testing.assert_array_equal(display.im_.get_array(), display.weights)


def test_without_targets_it_is_what_is_predicted(translator):
    display = AttentionDisplay.from_estimator(translator, TEXT, sequence=1)
    assert display.target == list(translator.predict(["ba"])[0])


def test_it_draws_where_it_is_told(translator):
    _, ax = plt.subplots()
    assert AttentionDisplay.from_estimator(translator, TEXT, ax=ax).ax_ is ax


def test_numbers_are_counted():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 5, 2)), rng.normal(size=(20, 3))
    model = make_pipeline(SequenceImputer(), Seq2SeqRegressor(hidden_size=4, attention="dot", max_epochs=1)).fit(X, y)
    display = AttentionDisplay.from_estimator(model, X)
    assert display.weights.shape == (3, 5)
    assert display.source is None


def test_what_cannot_be_drawn_is_refused(translator):
    with pytest.raises(ValueError, match="sequence must be between 0 and 23"):
        AttentionDisplay.from_estimator(translator, TEXT, sequence=24)
    with pytest.raises(ValueError, match="as the labels"):
        AttentionDisplay(np.ones((2, 3)), source="ab")
    with pytest.raises(ValueError, match="looks at no steps"):
        AttentionDisplay.from_estimator(Seq2SeqRegressor(hidden_size=4, max_epochs=1).fit(np.ones((9, 4)), np.ones((9, 2))), np.ones((9, 4)))
    with pytest.raises(TypeError, match="RNNRegressor looks at no steps of a source"):
        AttentionDisplay.from_estimator(RNNRegressor(hidden_size=4, max_epochs=1).fit(np.eye(9), np.ones(9)), np.eye(9))


@pytest.mark.parametrize("display", [GateDisplay, GradientFlowDisplay])
def test_displays_of_one_stack_refuse_two(display):
    model = Seq2SeqRegressor(hidden_size=4, max_epochs=1).fit(np.eye(9), np.ones((9, 2)))
    arguments = (np.eye(9),) if display is GateDisplay else (np.eye(9), np.ones((9, 2)))
    with pytest.raises(TypeError, match="Seq2SeqRegressor has an encoder and a decoder"):
        display.from_estimator(model, *arguments)
