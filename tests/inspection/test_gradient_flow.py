"""Gradients through time."""

import copy

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skrnn import as_sequences, cells
from skrnn.cells import GRU, LSTM, Elman, Leaky
from skrnn.inspection import GradientFlowDisplay
from skrnn.preprocessing import SequenceImputer

X = np.random.default_rng(0).normal(size=(3, 9, 2))


def test_an_orthogonal_recurrence_keeps_the_norm():
    """tanh is the identity where its input is 0."""
    display = GradientFlowDisplay.from_cells({"elman": Elman()}, np.zeros((2, 30, 1)), hidden_size=8, random_state=0)
    np.testing.assert_allclose(display.norms["elman"], 1, rtol=1e-6)  # orthogonal as float32 can say it


def test_the_jacobian_of_an_elman_network_is_that_of_its_equations():
    display = GradientFlowDisplay.from_cells({"elman": Elman()}, X, hidden_size=6, random_state=3)
    seed = int(np.random.RandomState(3).randint(2**31 - 1))
    cell = Elman().build(2, 6, torch.Generator().manual_seed(seed)).double()
    W, R = cell.W.detach().numpy(), cell.R.detach().numpy()
    expected = np.zeros(9)
    for x in X:
        h = np.zeros((10, 6))
        for k in range(9):
            h[k + 1] = np.tanh(W @ x[k] + R @ h[k])
        J = np.eye(6)
        for k in reversed(range(9)):
            expected[k] += np.linalg.norm(J) / np.sqrt(6) / len(X)
            J = J @ (np.diag(1 - h[k + 1] ** 2) @ R)
    np.testing.assert_allclose(display.norms["elman"], expected, rtol=1e-10)


def test_fewer_projections_estimate_the_same_norm():
    given = {"lstm": LSTM()}
    exact = GradientFlowDisplay.from_cells(given, X, hidden_size=16, random_state=0).norms["lstm"]
    rough = GradientFlowDisplay.from_cells(given, X, hidden_size=16, n_projections=8, random_state=0).norms["lstm"]
    np.testing.assert_allclose(rough, exact, rtol=0.5)
    assert rough[0] != exact[0]


def test_the_gradient_of_the_loss_is_that_of_a_changed_state(classifier, ragged):
    """Compared with the loss differences of a network whose last hidden state is moved."""
    X, y = ragged
    display = GradientFlowDisplay.from_estimator(classifier, X[:1], y[:1])
    pushed = []
    for unit in range(5):
        losses = [_loss(classifier, X[0], y[0], step=2, unit=unit, by=by) for by in (1e-5, -1e-5)]
        pushed.append((losses[0] - losses[1]) / 2e-5)
    assert display.norms["RNNClassifier"][2] == pytest.approx(np.linalg.norm(pushed), rel=1e-5)
    assert display.of == "loss"


def _loss(model, x, y, *, step, unit, by):
    """Loss of one sequence if one unit of the first layer's hidden state is pushed after a step."""
    network = copy.deepcopy(model.network_).eval()
    inner = network.recurrent.layers[0][0]
    made = []

    class Pushed(cells.Wrapper):
        keeps_steps = True

        def step(self, u, state):
            y, new = self.cell_.step(u, state)
            made.append(0)
            if len(made) == step + 1:
                h = new.h.clone()
                h[:, unit] += by
                return h, new._replace(h=h)
            return y, new

    network.recurrent.layers[0][0] = Pushed()
    network.recurrent.layers[0][0].cell_ = inner
    z = torch.from_numpy((x - model.mean_) / model.scale_)
    packed = torch.nn.utils.rnn.PackedSequence(z, torch.ones(len(z), dtype=torch.int64))
    with torch.no_grad():
        (output,) = network(packed)[0].tolist()
    return float(np.logaddexp(0, -output if y == 1 else output))


@pytest.mark.parametrize("direction", [0, 1])
def test_a_ragged_batch_is_the_mean_of_its_sequences(classifier, ragged, direction):
    X, y = ragged[0][:8], ragged[1][:8]
    for target in (None, y):
        together = GradientFlowDisplay.from_estimator(classifier, X, target, direction=direction, layer=1).norms["RNNClassifier"]
        total, count = np.zeros(len(together)), np.zeros(len(together))
        for k, x in enumerate(X):
            one = None if target is None else y[k : k + 1]
            norms = GradientFlowDisplay.from_estimator(classifier, [x], one, direction=direction, layer=1).norms["RNNClassifier"]
            total[: len(norms)] += norms
            count[: len(norms)] += 1
            plt.close()
        np.testing.assert_allclose(together, total / count, rtol=1e-9)


def test_backward_cells_send_the_gradient_to_the_end(classifier):
    norms = GradientFlowDisplay.from_estimator(classifier, X, direction=1).norms["RNNClassifier"]
    assert norms[0] == pytest.approx(1)
    assert norms[-1] < 1


def test_a_step_without_target_adds_no_loss(tagger):
    y = [[1] * 9, [0] * 9, [None] * 8 + [1]]
    display = GradientFlowDisplay.from_estimator(tagger, X[2:], y[2:])
    alone = GradientFlowDisplay.from_estimator(tagger, X[2:], [[None] * 4 + [1] + [None] * 4])
    assert (display.norms["RNNTagger"] > 0).all()
    assert (alone.norms["RNNTagger"] > 0).tolist() == [True] * 5 + [False] * 4


def test_a_pipeline_transforms_first(classifier, ragged):
    X, y = ragged
    pipeline = make_pipeline(SequenceImputer(), clone(classifier)).fit(X, y)
    inside = pipeline[-1]
    expected = GradientFlowDisplay.from_estimator(inside, X, y).norms["RNNClassifier"]
    assert np.array_equal(GradientFlowDisplay.from_estimator(pipeline, X, y).norms["RNNClassifier"], expected)


def test_the_estimator_is_not_changed(classifier, ragged):
    X, y = ragged
    before, attributes = classifier.predict_proba(X), set(vars(classifier))
    GradientFlowDisplay.from_estimator(classifier, X, y)
    assert np.array_equal(classifier.predict_proba(X), before)
    assert set(vars(classifier)) == attributes
    assert all(weight.grad is None for weight in classifier.network_.parameters())


def test_several_estimators_and_the_axes(classifier, tagger):
    display = GradientFlowDisplay.from_estimators({"a": classifier, "b": tagger}, X, random_state=0)
    assert display.norms.keys() == {"a", "b"}
    assert [line.get_label() for line in display.ax_.lines] == ["a", "b"]
    assert display.ax_.lines[0].get_ydata().tolist() == display.norms["a"].tolist()
    assert display.ax_.get_yscale() == "log"
    assert display.plot(display.ax_).ax_ is display.ax_


@pytest.mark.parametrize("name", cells.__all__)
def test_every_cell_has_a_gradient_through_time(name):
    ragged = as_sequences([X[0], X[1, :5]])
    display = GradientFlowDisplay.from_cells({name: name.lower()}, ragged, hidden_size=8, n_projections=4, random_state=0)
    assert display.norms[name].shape == (9,)
    assert np.isfinite(display.norms[name]).all()
    assert display.norms[name][-1] == pytest.approx(1)


def test_the_same_seed_gives_the_same_picture():
    pair = {"gru": GRU(), "leaky": Leaky(GRU(), rate=0.1)}
    one, two = (GradientFlowDisplay.from_cells(pair, X, n_projections=3, random_state=7).norms for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in pair)


def test_wrong_arguments_are_refused(classifier):
    with pytest.raises(ValueError, match=r"layer must be one of \[0, 1\] in this network; got 2"):
        GradientFlowDisplay.from_estimator(classifier, X, layer=2)
    with pytest.raises(ValueError, match=r"direction must be one of \[0, 1\] in this network; got -1"):
        GradientFlowDisplay.from_estimator(classifier, X, direction=-1)
    with pytest.raises(ValueError, match=r"of must be one of \['loss', 'state'\]; got 'weights'"):
        GradientFlowDisplay({}, of="weights")
    with pytest.raises(ValueError, match="n_projections must be at least 1; got 0"):
        GradientFlowDisplay.from_cells({"gru": "gru"}, X, n_projections=0)
