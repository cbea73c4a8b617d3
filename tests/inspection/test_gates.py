"""Gates along a sequence."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier
from skrnn.cells import GRU, LSTM, BatchNorm, Leaky, MinGRU, MinLSTM, Residual, Skip, VariationalDropout, Zoneout
from skrnn.inspection import GateDisplay
from skrnn.preprocessing import SequenceImputer


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def fit(cell, ragged, **settings):
    settings = {"hidden_size": 4, "max_epochs": 1, "bidirectional": False, "dtype": "float64", "random_state": 0} | settings
    return RNNClassifier(cell=cell, **settings).fit(*ragged)


def test_the_gates_of_the_lstm_are_those_of_its_equations(classifier, ragged):
    X, _ = ragged
    display = GateDisplay.from_estimator(classifier, X, sequence=3)
    cell = classifier.network_.recurrent.layers[0][0]
    W, R, b = (weight.detach().numpy() for weight in (cell.W, cell.R, cell.b))
    h, c = np.zeros((2, 5))
    for k, x in enumerate((X[3] - classifier.mean_) / classifier.scale_):
        i, f, g, o = np.split(W @ x + R @ h + b, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        for name, gate in {"i": i, "f": f, "o": o}.items():
            np.testing.assert_allclose(display.gates[name][k], sigmoid(gate), rtol=1e-10)
        np.testing.assert_allclose(display.output[k], h, rtol=1e-10)
    assert len(display.output) == len(X[3])


def test_the_state_follows_from_the_gates_of_the_gru(ragged):
    """h(t) − z h(t-1) is (1 − z) n, and n is a tanh."""
    display = GateDisplay.from_estimator(fit("gru", ragged), ragged[0])
    z, h = display.gates["z"], display.output
    before = np.vstack([np.zeros(4), h[:-1]])
    assert (np.abs((h - z * before) / (1 - z)) < 1).all()


SETTINGS = [
    (LSTM(), {"i": 4, "f": 4, "o": 4}),
    (LSTM(forget="coupled", peephole=True), {"i": 4, "f": 4, "o": 4}),
    (LSTM(forget="none", block_size=2), {"i": 2, "o": 2}),
    (LSTM(input_gate=False, output_gate=False), {"f": 4}),
    (LSTM(gate_recurrence="all", layer_norm=True), {"i": 4, "f": 4, "o": 4}),
    (GRU(), {"r": 4, "z": 4}),
    (GRU("before", "gru3"), {"r": 4, "z": 4}),
    (GRU(gates="gru2", layer_norm=True), {"r": 4, "z": 4}),
    (MinGRU(), {"z": 4}),
    (MinLSTM(), {"f": 4, "i": 4}),
    (Leaky(GRU(), rate=0.3), {"r": 4, "z": 4}),
    (Zoneout(VariationalDropout(LSTM())), {"i": 4, "f": 4, "o": 4}),
    (Residual(Skip(GRU(), 2)), {"r": 4, "z": 4}),
    (BatchNorm(LSTM()), {"i": 4, "f": 4, "o": 4}),
]


@pytest.mark.parametrize(("cell", "sizes"), SETTINGS, ids=[repr(cell) for cell, _ in SETTINGS])
def test_every_gate_lies_between_0_and_1(cell, sizes, ragged):
    model = fit(cell, ragged)
    display = GateDisplay.from_estimator(model, ragged[0])
    assert {name: gate.shape for name, gate in display.gates.items()} == {name: (len(ragged[0][0]), n) for name, n in sizes.items()}
    assert all(((gate >= 0) & (gate <= 1)).all() for gate in display.gates.values())


def test_coupled_gates_sum_to_1(ragged):
    gates = GateDisplay.from_estimator(fit(LSTM(forget="coupled"), ragged), ragged[0]).gates
    np.testing.assert_allclose(gates["i"] + gates["f"], 1, rtol=1e-12)


def test_the_output_is_that_of_the_layer(ragged):
    """Around a wrapper, and in the direction asked for."""
    model = fit(Leaky(GRU()), ragged, bidirectional=True, pooling="last")
    pooled = model.transform(ragged[0])
    for direction, end in enumerate((-1, 0)):
        display = GateDisplay.from_estimator(model, ragged[0], 5, direction=direction)
        np.testing.assert_allclose(display.output[end], pooled[5].reshape(2, 4)[direction], rtol=1e-9)


def test_a_pipeline_transforms_first(classifier, ragged):
    pipeline = make_pipeline(SequenceImputer(), clone(classifier)).fit(*ragged)
    inside = GateDisplay.from_estimator(pipeline[-1], ragged[0], 1, 1)
    assert np.array_equal(GateDisplay.from_estimator(pipeline, ragged[0], 1, 1).gates["f"], inside.gates["f"])


def test_one_row_for_each_gate_and_the_output_below(classifier, tagger, ragged):
    display = GateDisplay.from_estimator(classifier, ragged[0])
    assert [ax.get_ylabel() for ax in display.axes_] == ["gate i", "gate f", "gate o", "output"]
    assert np.array_equal(display.axes_[1].images[0].get_array(), display.gates["f"].T)
    assert np.array_equal(display.axes_[-1].images[0].get_array(), display.output.T)
    figure, axes = plt.subplots(3)
    assert GateDisplay.from_estimator(tagger, ragged[0], ax=axes).figure_ is figure


def test_the_estimator_is_not_changed(classifier, ragged):
    before = classifier.predict_proba(ragged[0])
    GateDisplay.from_estimator(classifier, ragged[0])
    assert np.array_equal(classifier.predict_proba(ragged[0]), before)
    assert not classifier.network_.training
    assert all(torch.is_tensor(weight) for weight in classifier.network_.parameters())


def test_wrong_arguments_are_refused(classifier, ragged):
    X, _ = ragged
    with pytest.raises(ValueError, match=r"Elman\(\) has no gates to show"):
        GateDisplay.from_estimator(fit("elman", ragged), X)
    with pytest.raises(ValueError, match=r"sequence must be between 0 and 39 \(the last of X\); got 40"):
        GateDisplay.from_estimator(classifier, X, sequence=40)
    with pytest.raises(ValueError, match=r"layer must be one of \[0, 1\] in this network; got 2"):
        GateDisplay.from_estimator(classifier, X, layer=2)
    with pytest.raises(ValueError, match="ax must hold 4 axes, one for each gate and one for the output; got 1"):
        GateDisplay.from_estimator(classifier, X, ax=plt.subplots()[1])
