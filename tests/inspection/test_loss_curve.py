"""Loss curves."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn.inspection import LossCurveDisplay
from skrnn.preprocessing import SequenceImputer


def test_the_curve_is_the_estimators(classifier):
    display = LossCurveDisplay.from_estimator(classifier)
    assert display.losses["RNNClassifier"].tolist() == classifier.loss_curve_
    assert display.validation_losses == {}
    (line,) = display.ax_.lines
    assert line.get_xydata().tolist() == [[k + 1, loss] for k, loss in enumerate(classifier.loss_curve_)]
    assert display.figure_ is display.ax_.figure


def test_the_held_out_loss_is_the_negative_score(classifier, ragged):
    model = clone(classifier).set_params(early_stopping=True, validation_fraction=0.25).fit(*ragged)
    display = LossCurveDisplay.from_estimator(model, name="mine")
    assert display.validation_losses["mine"].tolist() == [-score for score in model.validation_scores_]
    training, held_out = display.ax_.lines
    assert training.get_color() == held_out.get_color()
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["mine, training", "mine, held out"]


def test_several_estimators_share_axes(classifier, tagger):
    _, ax = plt.subplots()
    display = LossCurveDisplay.from_estimators({"a": classifier, "b": tagger}, ax)
    assert display.ax_ is ax
    assert len(ax.lines) == 2
    LossCurveDisplay.from_estimator(classifier, ax, name="again")
    assert len(ax.lines) == 3
    assert len({line.get_color() for line in ax.lines}) == 3


def test_a_pipeline_is_asked_for_its_last_step(classifier, ragged):
    pipeline = make_pipeline(SequenceImputer(), clone(classifier)).fit(*ragged)
    assert LossCurveDisplay.from_estimator(pipeline).losses.keys() == {"RNNClassifier"}


def test_the_scale_can_be_chosen():
    assert LossCurveDisplay({"a": [1, 0, -1]}).plot(yscale="linear").ax_.get_yscale() == "linear"
    assert LossCurveDisplay({"a": [3, 2, 1]}).plot().ax_.get_yscale() == "log"


def test_arrays_alone_make_no_figure():
    before = plt.get_fignums()
    display = LossCurveDisplay({"a": [3.0, 2.0]}, {"a": [4.0, 3.0]})
    assert plt.get_fignums() == before
    assert np.array_equal(display.validation_losses["a"], [4, 3])


def test_what_has_no_loss_curve_is_refused():
    with pytest.raises(TypeError, match="with a recurrent network, or a Pipeline that ends in one; got LogisticRegression"):
        LossCurveDisplay.from_estimator(LogisticRegression())
    with pytest.raises(ValueError, match="not fitted"):
        LossCurveDisplay.from_estimator(RNNClassifier())
