"""What a neural Turing machine writes and reads."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from sklearn.pipeline import make_pipeline

from skrnn import NeuralTuringMachine, RNNTagger
from skrnn.cells import NTM
from skrnn.datasets import make_copy_memory
from skrnn.inspection import MemoryDisplay
from skrnn.preprocessing import SequenceImputer

X, Y, _ = make_copy_memory(10, n_bits=2, max_length=3, random_state=0)
CELL = NTM("feedforward", n_slots=5, slot_size=2, n_read=2)


@pytest.fixture(scope="module")
def model():
    return NeuralTuringMachine(CELL, hidden_size=4, max_epochs=1, random_state=0).fit(X, Y)


def test_what_is_drawn_is_the_trace(model):
    display = MemoryDisplay.from_estimator(model, X, sequence=3)
    trace = model.trace(X[3:4])
    np.testing.assert_array_equal(display.read_weights, trace.read_weights[0])
    np.testing.assert_array_equal(display.write_weights, trace.write_weights[0])
    np.testing.assert_array_equal(display.inputs, X[3])
    np.testing.assert_allclose(display.outputs, model.predict_proba(X)[3], rtol=1e-5)
    images = [ax.images[0].get_array().T for ax in display.axes_]
    drawn = [display.inputs, display.outputs, trace.write_weights[0][:, 0], trace.read_weights[0][:, 0], trace.read_weights[0][:, 1]]
    for image, values in zip(images, drawn, strict=True):
        np.testing.assert_array_equal(image, values)
    assert [ax.get_ylabel() for ax in display.axes_] == ["input", "output", "write: slot", "read: slot", "read: slot"]
    plt.close(display.figure_)


def test_it_draws_where_it_is_told_to(model):
    figure, axes = plt.subplots(5)
    display = MemoryDisplay.from_estimator(make_pipeline(SequenceImputer(), model).fit(X, Y), X, ax=axes)
    assert display.figure_ is figure
    with pytest.raises(ValueError, match="ax must hold 5 axes, one for each head, and for inputs and outputs; got 3"):
        display.plot(axes[:3])
    alone = MemoryDisplay(display.write_weights, display.read_weights).plot(axes[:3])
    assert len(alone.axes_) == 3
    plt.close(figure)


def test_a_long_frame_is_many_sequences(model):
    frame = pd.concat({i: pd.DataFrame(x) for i, x in enumerate(X)}, names=["instance", "time"])
    display = MemoryDisplay.from_estimator(model, frame, sequence=3)
    np.testing.assert_array_equal(display.inputs, X[3])
    plt.close(display.figure_)


def test_a_table_is_one_sequence(model):
    display = MemoryDisplay.from_estimator(model, X[0])
    np.testing.assert_array_equal(display.inputs, X[0])
    plt.close(display.figure_)


def test_what_cannot_be_drawn_is_refused(model):
    with pytest.raises(ValueError, match="sequence must be between 0 and 9"):
        MemoryDisplay.from_estimator(model, X, sequence=10)
    with pytest.raises(ValueError, match="layer must be one of"):
        MemoryDisplay.from_estimator(model, X, layer=1)
    with pytest.raises(TypeError, match="RNNTagger shows no memory"):
        MemoryDisplay.from_estimator(RNNTagger(hidden_size=3, max_epochs=1).fit(X, [np.nan_to_num(y) for y in Y]), X)
    lstm = NeuralTuringMachine("lstm", hidden_size=3, max_epochs=1).fit(X, Y)
    with pytest.raises(ValueError, match="needs a cell that reads and writes a memory"):
        MemoryDisplay.from_estimator(lstm, X)
    with pytest.raises(ValueError, match=r"read_weights must have shape \(n_steps, n_heads, n_slots\), with 4 steps; got \(3, 1, 5\)"):
        MemoryDisplay(np.ones((4, 1, 5)), np.ones((3, 1, 5)))
