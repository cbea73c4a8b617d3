"""Figures and pictures of reservoirs."""

import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import EchoStateClassifier, EchoStateRegressor
from skrnn.cells import GRU, LSTM, Reservoir, spectral_radius
from skrnn.inspection import ReservoirDisplay, echo_state_index, largest_lyapunov_exponent, memory_capacity

U = np.random.default_rng(0).uniform(-1, 1, (1000, 1))
FIXED = {"hidden_size": 20, "spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 0.3, "random_state": 0}
MEASURES = [largest_lyapunov_exponent, echo_state_index]


@pytest.fixture(scope="module")
def regressor():
    return EchoStateRegressor(**FIXED, alpha=0.1).fit(3 * U + 1, U[:, 0])


# -- memory --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("input_scaling", "expected", "within"), [(0.1, 31.6, 3), (0.01, 43, 4)])
def test_capacity_of_100_units(input_scaling, expected, within):
    cell = Reservoir(spectral_radius=0.9, input_scaling=input_scaling, bias_scaling=0.0, density=1.0)
    capacity = np.mean([memory_capacity(cell, hidden_size=100, random_state=seed).sum() for seed in range(10)])
    assert abs(capacity - expected) <= within


def test_a_delay_line_remembers_as_many_steps_as_it_has_units():
    line = Reservoir("identity", topology="delay_line", bias_scaling=0.0)
    capacities = memory_capacity(line, hidden_size=15, n_steps=2000, random_state=0)  # the first unit holds u(t), the last u(t - 14)
    assert capacities.shape == (30,)
    np.testing.assert_allclose(capacities[:14], 1, atol=1e-10)
    assert capacities[14:].max() < 0.02


def test_capacity_is_less_than_the_number_of_units():
    assert memory_capacity(Reservoir(), hidden_size=20, n_steps=10_000, random_state=0).sum() < 20


def test_capacity_of_an_estimator_is_that_of_its_network(regressor):
    cell = regressor.network_.groups[0][0]
    same = Reservoir(leak_rate=0.5, recurrent_weights=cell.recurrent_matrix(), input_weights=cell.W.numpy(), bias=cell.b.numpy())
    seen = memory_capacity(regressor, max_delay=10, random_state=0)
    np.testing.assert_allclose(seen, memory_capacity(same, hidden_size=20, max_delay=10, random_state=0), atol=0.05)
    assert seen.shape == (10,)
    assert memory_capacity(regressor, random_state=0).shape == (40,)


def test_capacity_of_other_cells_and_of_a_name():
    assert memory_capacity("gru", hidden_size=5, random_state=1).tolist() == memory_capacity(GRU(), hidden_size=5, random_state=1).tolist()


# -- forgetting ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leak_rate", [1.0, 0.3])
@pytest.mark.parametrize("radius", [0.5, 0.9, 1.05])
def test_the_exponent_of_a_linear_reservoir_is_the_logarithm_of_its_effective_radius(radius, leak_rate):
    R = Reservoir(spectral_radius=radius).build(1, 20, torch.Generator().manual_seed(0)).recurrent_matrix()
    cell = Reservoir("identity", leak_rate=leak_rate, recurrent_weights=R)
    found = largest_lyapunov_exponent(cell, np.zeros((2000, 1)), hidden_size=20, random_state=0)
    assert abs(found - np.log(spectral_radius(leak_rate * R + (1 - leak_rate) * np.eye(20)))) < 0.01


def test_the_exponent_of_one_unit_is_the_mean_logarithm_of_its_slopes():
    cell = Reservoir(recurrent_weights=[[1.7]], input_weights=[[0.8]], bias=[0.1], leak_rate=0.6)
    h, slopes = 0.0, []
    for u in U[:, 0]:
        f = np.tanh(0.8 * u + 1.7 * h + 0.1)
        slopes.append(0.4 + 0.6 * 1.7 * (1 - f**2))
        h = 0.4 * h + 0.6 * f
    found = largest_lyapunov_exponent(cell, U, hidden_size=1, washout=100, random_state=0)
    np.testing.assert_allclose(found, np.log(slopes[100:]).mean(), atol=1e-6)


def test_chaos_is_not_forgotten_and_a_strong_input_ends_it():
    chaotic = Reservoir(spectral_radius=3.0)
    assert largest_lyapunov_exponent(chaotic, U, random_state=0) > 0
    assert echo_state_index(chaotic, U, random_state=0) > 0.1
    driven = Reservoir(spectral_radius=3.0, input_scaling=30.0)
    assert largest_lyapunov_exponent(driven, U, random_state=0) < 0
    assert echo_state_index(driven, U, random_state=0) < 1e-12


def test_states_that_become_infinite_are_refused():
    with pytest.raises(ValueError, match="infinite or NaN: use a smaller spectral_radius"):
        largest_lyapunov_exponent(Reservoir("identity", spectral_radius=10.0), U)


def test_what_vanishes_has_no_finite_exponent():
    line = Reservoir("identity", topology="delay_line")
    assert largest_lyapunov_exponent(line, U, hidden_size=5) == -np.inf
    assert echo_state_index(line, U, hidden_size=5, washout=5) == 0


def test_nothing_is_forgotten_without_any_change():
    cell = Reservoir("identity", recurrent_weights=np.eye(4), input_weights=np.ones((4, 1)))
    np.testing.assert_allclose(echo_state_index(cell, U, hidden_size=4), 1, rtol=1e-10)
    np.testing.assert_allclose(largest_lyapunov_exponent(cell, U, hidden_size=4), 0, atol=1e-6)


def test_forgetting_at_once_leaves_the_share_of_the_leak():
    cell = Reservoir(recurrent_weights=np.zeros((4, 4)), leak_rate=0.25)
    np.testing.assert_allclose(echo_state_index(cell, U[:1], hidden_size=4, washout=0), 0.75, rtol=1e-10)


@pytest.mark.parametrize("measure", MEASURES)
def test_an_estimator_standardises_and_a_pipeline_transforms(measure, regressor):
    X = 3 * U + 1
    cell = regressor.network_.groups[0][0]
    same = Reservoir(leak_rate=0.5, recurrent_weights=cell.recurrent_matrix(), input_weights=cell.W.numpy(), bias=cell.b.numpy())
    seen = measure(regressor, X, washout=30, random_state=0)
    assert seen == pytest.approx(measure(same, (X - regressor.mean_) / regressor.scale_, hidden_size=20, washout=30, random_state=1), abs=0.02)
    pipeline = make_pipeline(StandardScaler(), EchoStateRegressor(**FIXED, alpha=0.1)).fit(X, U[:, 0])
    assert seen == pytest.approx(measure(pipeline, X, washout=30, random_state=0), rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("cell", ["gru", LSTM()], ids=str)
def test_any_cell_and_the_same_seed(measure, cell):
    assert measure(cell, U[:300], hidden_size=6, random_state=0) == measure(cell, U[:300], hidden_size=6, random_state=0)
    assert np.isfinite(measure(cell, U[:300], hidden_size=6, random_state=0))


def test_the_estimator_is_not_touched(regressor):
    before = regressor.predict(U).tolist()
    for measure in MEASURES:
        measure(regressor, U)
    memory_capacity(regressor)
    assert regressor.predict(U).tolist() == before


def test_what_has_no_reservoir_is_refused():
    for call in (lambda: memory_capacity(Ridge()), lambda: largest_lyapunov_exponent(Ridge(), U), lambda: ReservoirDisplay.from_estimator(3, U)):
        with pytest.raises(TypeError, match="reservoir must be a cell, the name of one, or a fitted echo state estimator; got "):
            call()
    with pytest.raises(ValueError, match="not fitted"):
        echo_state_index(EchoStateRegressor(), U)


def test_bad_input(regressor):
    feeding_back = EchoStateRegressor(**FIXED, alpha=0.1, feedback=True).fit(U[:100], U[:100, 0])
    with pytest.raises(ValueError, match="must not feed outputs back; got 1 features and a reservoir of 2 inputs"):
        echo_state_index(feeding_back, U)
    with pytest.raises(ValueError, match="X must be one series of the 1 features"):
        largest_lyapunov_exponent(regressor, np.hstack([U, U]))
    for measure in MEASURES:
        with pytest.raises(ValueError, match="washout must be at least 0 and less than the 50 steps of X; got 50"):
            measure(Reservoir(), U[:50], washout=50)
        with pytest.raises(ValueError, match="dim 3, while dim <= 2 is required"):
            measure(Reservoir(), U[None])
    with pytest.raises(ValueError, match="n_steps at least 4 for each of 100 units; got None and 399"):
        memory_capacity(Reservoir(), n_steps=399)
    with pytest.raises(ValueError, match="max_delay must be at least 1"):
        memory_capacity(Reservoir(), max_delay=0)


# -- the picture ---------------------------------------------------------------------------------------------------------------------------------


def test_the_picture_shows_what_the_network_does(regressor):
    X = 3 * U + 1
    display = ReservoirDisplay.from_estimator(regressor, X)
    cell = regressor.network_.groups[0][0]
    h, states = np.zeros(20), []
    for x in ((X - regressor.mean_) / regressor.scale_)[:20]:
        h = h + 0.5 * (np.tanh(cell.W.numpy() @ x + cell.recurrent_matrix() @ h + cell.b.numpy()) - h)
        states.append(h)
    np.testing.assert_allclose(display.states[:20], states, atol=1e-5)
    assert display.states.shape == (1000, 20)
    assert np.abs(display.eigenvalues).max() == pytest.approx(0.9, rel=1e-5)
    np.testing.assert_allclose(np.sort(display.effective_eigenvalues), np.sort(0.5 * display.eigenvalues + 0.5), atol=1e-6)
    np.testing.assert_allclose((display.singular_values**2).sum(), ((display.states - display.states.mean(axis=0)) ** 2).sum())


def test_layers_and_groups_and_classifiers():
    model = EchoStateRegressor(**FIXED | {"leak_rate": (0.2, 0.8)}, n_layers=2, n_groups=2, alpha=0.1).fit(U, U[:, 0])
    states = [[ReservoirDisplay.from_estimator(model, U, group=group, layer=layer).states for layer in (0, 1)] for group in (0, 1)]
    assert states[0][0].shape == (1000, 20)
    assert len({values.tobytes() for group in states for values in group}) == 4
    slow, fast = (np.abs(np.diff(group[0], axis=0)).mean() for group in states)
    assert slow < fast
    with pytest.raises(ValueError, match="group and layer must be below 2 and 2; got 0 and 2"):
        ReservoirDisplay.from_estimator(model, U, layer=2)
    X = [U[:50], U[50:120], U[:30], U[40:90]]
    assert ReservoirDisplay.from_estimator(EchoStateClassifier(**FIXED).fit(X, [0, 1, 0, 1]), X[1]).states.shape == (70, 20)


def test_axes_can_be_given():
    _, axes = plt.subplots(1, 3)
    display = ReservoirDisplay.from_estimator(Reservoir(), U[:100], hidden_size=10, ax=axes)
    assert display.axes_.tolist() == axes.tolist()
    assert display.figure_ is axes[0].figure
    assert [line.get_label() for line in axes[1].lines[1:]] == ["R: radius 0.9"]
    with pytest.raises(ValueError, match="ax must hold 3 axes, for states, eigenvalues and singular values; got 1"):
        display.plot(plt.subplots()[1])


def test_arrays_alone_make_no_figure():
    before = plt.get_fignums()
    display = ReservoirDisplay(np.zeros((5, 2)), [0.5, 0.1], [0.5, 0.1])
    assert plt.get_fignums() == before
    assert display.singular_values.tolist() == [0, 0]
    display.plot()


def test_only_reservoirs_have_a_picture():
    with pytest.raises(TypeError, match="the cell must be a Reservoir, whose recurrent weights tell its memory; got GRU"):
        ReservoirDisplay.from_estimator("gru", U)
