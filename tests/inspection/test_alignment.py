"""The picture shows the probabilities of the frames, and each label where it stands."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.pipeline import make_pipeline

from skrnn import SequenceTranscriber
from skrnn.datasets import make_phonemes
from skrnn.frontends import Conv1d
from skrnn.inspection import AlignmentDisplay, GateDisplay, GradientFlowDisplay
from skrnn.preprocessing import SequenceImputer

X, Y = make_phonemes(40, n_phonemes=3, random_state=0)


@pytest.fixture(scope="module")
def transcriber():
    return SequenceTranscriber("lstm", hidden_size=6, frontend=Conv1d(6, stride=2), max_epochs=4, random_state=0).fit(X, Y)


def test_labels_stand_where_they_are_aligned(transcriber):
    display = AlignmentDisplay.from_estimator(transcriber, X, Y, sequence=3)
    np.testing.assert_array_equal(display.spans, transcriber.predict_alignment(X, Y)[3])
    np.testing.assert_allclose(display.proba, np.exp(transcriber.predict_log_proba(X)[3]), atol=1e-12)
    assert [text.get_text() for text in display.ax_.texts] == list(Y[3])
    assert set(display.lines_) >= {"", *Y[3]}
    for label, line in display.lines_.items():
        np.testing.assert_array_equal(line.get_ydata(), display.proba[:, ["", *"abc"].index(label)])
    assert display.figure_ is display.ax_.figure


def test_without_labels_it_is_what_is_predicted(transcriber):
    display = AlignmentDisplay.from_estimator(transcriber, X, sequence=1)
    assert "".join(display.said) == transcriber.predict(X)[1]
    _, ax = plt.subplots()
    assert display.plot(ax).ax_ is ax


def test_labels_may_be_numbers_and_stand_behind_other_steps():
    y = [["abc".index(c) for c in row] for row in Y]
    model = make_pipeline(SequenceImputer(), SequenceTranscriber(hidden_size=4, max_epochs=1)).fit(X, y)
    assert AlignmentDisplay.from_estimator(model, X, y).said == [str(label) for label in y[0]]


def test_other_displays_of_one_stack_draw_it(transcriber):
    norms = GradientFlowDisplay.from_estimator(transcriber, X, Y).norms
    assert np.isfinite(norms).all() if isinstance(norms, np.ndarray) else norms
    GateDisplay.from_estimator(transcriber, X)


def test_what_cannot_be_drawn_is_refused(transcriber, tagger):
    with pytest.raises(ValueError, match="sequence must be between 0 and 39"):
        AlignmentDisplay.from_estimator(transcriber, X, sequence=40)
    with pytest.raises(TypeError, match="RNNTagger aligns no labels"):
        AlignmentDisplay.from_estimator(tagger, X)
    with pytest.raises(ValueError, match=r"proba must have shape \(n_frames, 1 \+ n_classes\) = \(n_frames, 3\)"):
        AlignmentDisplay(np.ones((4, 2)), classes="ab")
    with pytest.raises(ValueError, match="spans must have a row for each of the 2 labels"):
        AlignmentDisplay(np.ones((4, 3)), classes="ab", said="ab", spans=[[0, 1]])
