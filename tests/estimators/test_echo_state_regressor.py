"""Targets for steps from a reservoir: what depends on what, how it learns and goes on, and what it refuses."""

import copy
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, TimeSeriesSplit
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import EchoStateRegressor, as_sequences
from skrnn.cells import Leaky, Reservoir

GIVEN = {"hidden_size": 30, "spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 0.3, "alpha": 1e-4, "dtype": "float64", "random_state": 0}
EXACT = 1e-12
RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in (40, 25, 60, 31)]
TARGETS = [np.column_stack([np.cumsum(x[:, 0]) / 10, x[:, 1] ** 2]) for x in RAGGED]
PANEL = RNG.normal(size=(6, 50, 2))
STEPS = RNG.normal(size=(300, 2))
SUMS = np.convolve(STEPS[:, 0], [1.0, 0.5, 0.25])[:300]
WAVE = np.sin(0.2 * np.arange(1500))[:, None]
FED = {"feedback": True, "feedback_scaling": 0.5}


def make(**settings):
    return EchoStateRegressor(**GIVEN | settings)


def close(got, expected, atol=EXACT):
    np.testing.assert_allclose(got, expected, rtol=0, atol=atol)


def weights(model):
    return np.column_stack([model.coef_, model.intercept_])


# What depends on what.

KINDS = [{}, {"cell": "gru"}, {"n_layers": 2, "n_groups": 2, "leak_rate": (0.3, 1.0)}, FED, {"readout": LinearRegression()}]
kinds = pytest.mark.parametrize("settings", KINDS, ids=str)


@kinds
def test_sequences_never_see_each_other(settings):
    model = make(**settings).fit(RAGGED, TARGETS)
    together = model.predict(RAGGED)
    for x, y in zip(RAGGED, together, strict=True):
        close(model.predict([x])[0], y)
        close(model.predict(x), y)  # one series, whose rows are the steps
    close(model.predict(np.stack([RAGGED[2]] * 3))[1], together[2])


@kinds
def test_a_panel_is_a_list_is_sequences(settings):
    Y = np.cumsum(PANEL, axis=1)
    panel = make(**settings).fit(PANEL, Y)
    others = [make(**settings).fit(list(PANEL), list(Y)), make(**settings).fit(as_sequences(PANEL), as_sequences(Y))]
    for other in others:
        np.testing.assert_array_equal(np.stack(other.predict(list(PANEL))), panel.predict(PANEL))


def test_the_shape_of_the_answer_is_that_of_the_targets():
    assert make().fit(STEPS, SUMS).predict(STEPS).shape == (300,)
    assert make().fit(STEPS, SUMS[:, None]).predict(STEPS).shape == (300, 1)
    assert make().fit(PANEL, PANEL[:, :, 0]).predict(PANEL).shape == (6, 50)
    assert [y.shape for y in make().fit(RAGGED, TARGETS).predict(RAGGED)] == [y.shape for y in TARGETS]


@kinds
def test_nothing_leaks_from_call_to_call(settings):
    model = make(**settings).fit(RAGGED, TARGETS)
    first = model.predict(RAGGED[0])
    model.predict(RAGGED)
    np.testing.assert_array_equal(model.predict(RAGGED[0]), first)
    np.testing.assert_array_equal(model.fit(RAGGED, TARGETS).predict(RAGGED[0]), first)  # nor from fit to fit
    np.testing.assert_array_equal(make(**settings).fit(RAGGED, TARGETS).predict(RAGGED[0]), first)


@kinds
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_says_the_same(settings, copied):
    model = make(**settings).fit(STEPS, SUMS)
    other = copied(model)
    np.testing.assert_array_equal(other.predict(STEPS), model.predict(STEPS))
    np.testing.assert_array_equal(other.predict(STEPS, state=other.state_), model.predict(STEPS, state=model.state_))


def test_a_pickle_holds_no_sums_of_the_training_data():
    model = pickle.loads(pickle.dumps(make(hidden_size=100).fit(STEPS, SUMS)))
    assert len(pickle.dumps(model)) < 200_000  # R and W; a Gram matrix for each of five folds would be twice that
    with pytest.raises(ValueError, match="partial_fit cannot go on: what was learned from is not saved"):
        model.partial_fit(STEPS, SUMS)


def test_a_changed_seed_or_parameter_changes_the_answer():
    said = make().fit(STEPS, SUMS).predict(STEPS)
    for settings in ({"random_state": 1}, {"leak_rate": 0.4}, {"bias_scaling": 0.5}, {"fan_in": 5}, {"topology": "cycle"}, {"activation": "relu"}):
        assert np.abs(make(**settings).fit(STEPS, SUMS).predict(STEPS) - said).max() > 1e-6


def test_nothing_is_printed_or_warned_of(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EchoStateRegressor(hidden_size=20, random_state=0).fit(STEPS, SUMS).forecast  # noqa: B018
    assert capfd.readouterr() == ("", "")


# States.


@kinds
def test_predict_runs_on_from_the_training_data(settings):
    model = make(**settings).fit(STEPS[:200], SUMS[:200])
    after = model.predict(STEPS[200:], state=model.state_)
    if settings == FED:  # teacher forcing up to step 200, its own outputs from there
        assert np.abs(after - model.predict(STEPS)[200:]).max() > 1e-6
        _, state = model.predict(STEPS[:200], return_state=True)
        close(model.predict(STEPS[200:], state=state), model.predict(STEPS)[200:])
    else:
        close(after, model.predict(STEPS)[200:])


@kinds
def test_a_state_is_passed_on_and_each_sequence_has_its_own(settings):
    model = make(**settings).fit(RAGGED, TARGETS)
    cuts = [10, 24, 1, 30]
    _, state = model.predict([x[:cut] for x, cut in zip(RAGGED, cuts, strict=True)], return_state=True)
    rest = model.predict([x[cut:] for x, cut in zip(RAGGED, cuts, strict=True)], state=state)
    for later, whole, cut in zip(rest, model.predict(RAGGED), cuts, strict=True):
        close(later, whole[cut:])


def test_a_state_of_other_sequences_is_refused():
    model = make().fit(RAGGED, TARGETS)
    with pytest.raises(ValueError, match=r"state does not fit: it holds arrays of shapes \[\(4, 30\), \(4, 2\)\], expected \[\(1, 30\), \(1, 2\)\]"):
        model.predict(RAGGED[0], state=model.state_)
    with pytest.raises(TypeError, match="state must be what predict returned, or state_; got float"):
        model.predict(RAGGED[0], state=1.0)


# Its own output as input.


def by_hand(model, x, state, n_steps):
    """Each output is the next input."""
    outputs = []
    for _ in range(n_steps):
        y, state = model.predict(x, state=state, return_state=True)
        outputs.append(y[0])
        x = y
    return np.array(outputs)


@pytest.mark.parametrize("settings", [{}, {"readout": Ridge(1e-6)}, {"cell": "elman"}], ids=str)
def test_a_forecast_is_stepping_by_hand(settings):
    model = make(**settings).fit(WAVE[:-1], WAVE[1:])
    close(model.forecast(50), by_hand(model, WAVE[-1:], model.state_, 50), atol=1e-10)
    _, state = model.predict(WAVE[:700], return_state=True)
    close(model.forecast(20, state=state), by_hand(model, model.predict(WAVE[:700])[-1:], state, 20), atol=1e-10)


def test_a_forecast_of_several_sequences_is_that_of_each():
    X = [WAVE[:400], WAVE[100:350], 0.5 * WAVE[50:500]]
    model = make().fit([x[:-1] for x in X], [x[1:] for x in X])
    together = model.forecast(30)
    assert together.shape == (3, 30, 1)
    for k, x in enumerate(X):
        _, state = model.predict(x[:-1], return_state=True)
        states = (state[0], x[-1:])  # the last target, which is what the training data ended with
        close(model.forecast(30, state=states)[0], together[k])


def test_feedback_is_taught_with_the_true_outputs_and_predicts_with_its_own():
    X, y = STEPS, np.zeros(300)
    for k in range(1, 300):
        y[k] = 0.9 * y[k - 1] + 0.3 * X[k, 0]  # a memory of 10 steps, which two units can only have through the output
    model = make(hidden_size=2, fan_in=1, spectral_radius=0.1, leak_rate=1.0, standardize=True, washout=5, **FED)
    fed, not_fed = (m.fit(X, y) for m in (model, clone(model).set_params(feedback=False)))
    assert fed.score(X[50:], y[50:]) < fed.score(X, y)  # it begins with the mean, and the memory is in the output
    assert fed.score(X, y) > 0.9 > 0.5 > not_fed.score(X, y)


def test_feedback_in_forecast_takes_the_inputs_to_come():
    model = make(**FED).fit(STEPS[:200], SUMS[:200])
    close(model.forecast(100, STEPS[200:]), model.predict(STEPS[200:], state=model.state_))
    several = make(**FED).fit(PANEL[:, :30], PANEL[:, :30, 0])
    close(several.forecast(20, PANEL[:, 30:]), several.predict(PANEL[:, 30:], state=several.state_))


def test_force_learns_a_sine_and_then_runs_freely():
    n = np.arange(3000)
    y, X = np.sin(0.1 * n), np.zeros((3000, 1))
    model = EchoStateRegressor(
        200, spectral_radius=1.5, leak_rate=0.3, input_scaling=0.1, alpha=1.0, readout="force", feedback=True, washout=0, random_state=0
    )
    free = model.fit(X, y).forecast(300, X[:300])
    spectrum = np.abs(np.fft.rfft(free - free.mean(), 3000))
    assert abs(spectrum.argmax() / 3000 * 2 * np.pi - 0.1) < 0.003  # the same pitch
    assert 0.9 < free.std() / y.std() < 1.1
    assert np.abs(free[:50] - np.sin(0.1 * (3000 + np.arange(50)))).max() < 0.2


def test_the_penalty_of_forecasts_is_chosen_in_free_runs():
    model = make(alpha="closed_loop", hidden_size=60).fit(WAVE[:-1], WAVE[1:])
    assert model.scores_.shape == model.alphas_.shape
    assert model.alpha_ == model.alphas_[::-1][model.scores_[::-1].argmin()]
    close(model.forecast(200)[:, 0], np.sin(0.2 * (1500 + np.arange(200))), atol=1e-3)


# Learning piece by piece.

PIECEWISE = {"standardize": False, "washout": 10}


@pytest.mark.parametrize("settings", [{}, {"cell": "lstm"}, {"n_layers": 2}, FED], ids=str)
def test_pieces_of_a_stream_are_one_fit(settings):
    whole = make(**PIECEWISE, **settings).fit(STEPS, SUMS)
    pieces = make(**PIECEWISE, **settings)
    for low, high in ((0, 50), (50, 51), (51, 220), (220, 300)):
        pieces.partial_fit(STEPS[low:high], SUMS[low:high], continue_stream=low > 0)
    close(weights(pieces), weights(whole), atol=1e-8)
    close(pieces.predict(STEPS, state=pieces.state_), whole.predict(STEPS, state=whole.state_), atol=1e-8)


def test_sequences_one_after_the_other_are_one_fit():
    whole = make(**PIECEWISE).fit(RAGGED, TARGETS)
    pieces = make(**PIECEWISE)
    for x, y in zip(RAGGED, TARGETS, strict=True):
        pieces.partial_fit([x], [y])
    close(weights(pieces), weights(whole), atol=1e-8)
    split = make(**PIECEWISE).partial_fit(RAGGED[:3], TARGETS[:3], sample_weight=[1, 0, 2]).partial_fit(RAGGED[3:], TARGETS[3:])
    close(weights(split), weights(make(**PIECEWISE).fit(RAGGED, TARGETS, sample_weight=[1, 0, 2, 1])), atol=1e-8)


def test_least_squares_step_by_step_is_a_ridge():
    batch = make(**PIECEWISE, alpha=0.1).fit(STEPS, SUMS)
    online = make(**PIECEWISE, alpha=0.1, readout="rls").fit(STEPS, SUMS)
    close(weights(online), weights(batch), atol=1e-6)
    pieces = (
        make(**PIECEWISE, alpha=0.1, readout="rls").partial_fit(STEPS[:100], SUMS[:100]).partial_fit(STEPS[100:], SUMS[100:], continue_stream=True)
    )
    close(weights(pieces), weights(online), atol=1e-10)


def test_forgetting_follows_what_changes():
    y = np.where(np.arange(300) < 150, 1.0, -1.0) * STEPS[:, 0]
    steady, following = (make(alpha=0.1, hidden_size=5, fan_in=2, readout="rls", forgetting=f).fit(STEPS, y) for f in (1.0, 0.9))
    assert following.score(STEPS[250:], y[250:]) > 0.9 > 0.5 > steady.score(STEPS[250:], y[250:])


# Weights and missing targets.


def test_a_step_without_target_does_not_count():
    y = SUMS.copy()
    y[20:60] = np.nan
    model = make(standardize=False).fit(STEPS, y)
    weight = np.where(np.isnan(y), 0.0, 1.0)
    close(weights(model), weights(make(standardize=False).fit(STEPS, SUMS, sample_weight=weight)))
    assert model.score(STEPS, y) == pytest.approx(model.score(STEPS, np.nan_to_num(y), sample_weight=weight))
    assert model.score(STEPS, SUMS) < 1


def test_targets_may_be_rare_and_late():
    """Penalty and scales are chosen on held-out steps with a target, wherever these are."""
    X = np.random.default_rng(0).normal(size=(12_000, 1))
    y = np.full(12_000, np.nan)
    y[9000::7] = X[8999:-1:7, 0]
    model = EchoStateRegressor(hidden_size=20, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize("alpha", [1e-4, "gcv"])
def test_a_weight_of_two_is_a_sequence_that_comes_twice(alpha):
    weighted = make(alpha=alpha).fit(RAGGED, TARGETS, sample_weight=[1, 2, 0, 1])
    repeated = make(alpha=alpha).fit([RAGGED[k] for k in (0, 1, 1, 3)], [TARGETS[k] for k in (0, 1, 1, 3)])
    assert np.abs(weights(weighted) - weights(make(alpha=alpha).fit(RAGGED, TARGETS))).max() > 1e-3
    weighted, repeated = (
        m.set_params(standardize=False).fit(*data)
        for m, data in (
            (weighted, (RAGGED, TARGETS, [1, 2, 0, 1])),
            (repeated, ([RAGGED[k] for k in (0, 1, 1, 3)], [TARGETS[k] for k in (0, 1, 1, 3)])),
        )
    )
    close(weights(weighted), weights(repeated), atol=1e-8)


def test_weights_of_steps_are_weights_of_sequences():
    per_step = [np.full(len(x), w) for x, w in zip(RAGGED, (1.0, 2.0, 0.0, 3.0), strict=True)]
    close(weights(make().fit(RAGGED, TARGETS, sample_weight=per_step)), weights(make().fit(RAGGED, TARGETS, sample_weight=[1, 2, 0, 3])))


# Readouts.


def test_any_regressor_reads_the_states():
    model = make(readout=Ridge(alpha=1e-4), washout=10).fit(STEPS, SUMS)
    close(model.predict(STEPS), make(washout=10).fit(STEPS, SUMS).predict(STEPS), atol=1e-8)
    assert make(readout=KNeighborsRegressor(1), washout=0).fit(RAGGED, TARGETS).score(RAGGED, TARGETS) == pytest.approx(1.0)
    assert make(readout=Ridge(), alpha="closed_loop").fit(STEPS, SUMS).readout_.coef_.shape == (32,)  # alpha is that of our own readout


@pytest.mark.parametrize("alpha", ["block_cv", "gcv"])
def test_a_penalty_for_each_target(alpha):
    Y = np.column_stack([SUMS, RNG.normal(size=300)])
    model = make(alpha=alpha, alpha_per_target=True).fit(STEPS, Y)
    assert model.alpha_.shape == (2,)
    assert model.alpha_[1] > 100 * model.alpha_[0]
    for k in range(2):
        close(model.coef_[k], make(alpha=model.alpha_[k]).fit(STEPS, Y).coef_[k], atol=1e-8)


def test_a_tiny_penalty_is_solved_from_the_states_themselves():
    exact = make(alpha=1e-14, hidden_size=60, washout=100).fit(WAVE[:-1], WAVE[1:])
    Z = np.column_stack([(WAVE[:-1] - exact.mean_) / exact.scale_, _states(exact, WAVE[:-1])])[100:]
    error = np.abs(exact.predict(WAVE[:-1])[100:] - WAVE[101:]).max()
    assert error < 1e-8
    close(Z @ exact.coef_.T + exact.intercept_, exact.predict(WAVE[:-1])[100:], atol=1e-8)


def _states(model, X):
    import torch
    from torch.nn.utils.rnn import pack_sequence

    packed = pack_sequence([torch.from_numpy((X - model.mean_) / model.scale_)])
    return model.network_(packed, model.network_.start(1))[0].numpy()[:, X.shape[1] :]


# Reservoirs.


def test_even_functions_are_learned_by_default():
    """Without a bias, a reservoir is an odd function of its input."""
    X = RNG.normal(size=(2000, 2))
    y = np.roll(X[:, 0] * X[:, 1], 2)
    settings = {"hidden_size": 300, "spectral_radius": 0.5, "leak_rate": 1.0, "input_scaling": 0.3, "random_state": 0}
    even, odd = (EchoStateRegressor(**settings, **extra).fit(X[:1500], y[:1500]).score(X[1500:], y[1500:]) for extra in ({}, {"bias_scaling": 0.0}))
    assert even > 0.4
    assert odd < 0.05


def test_washout():
    assert make(washout=7).fit(STEPS, SUMS).washout_ == 7
    slow, fast = (make(washout="auto", leak_rate=leak).fit(np.tile(STEPS, (4, 1)), np.tile(SUMS, 4)).washout_ for leak in (0.05, 1.0))
    assert 0 < fast < slow <= 300
    y = SUMS.copy()
    y[:50] = 1e3  # what is washed out does not matter
    close(weights(make(washout=50, standardize=False).fit(STEPS, y)), weights(make(washout=50, standardize=False).fit(STEPS, SUMS)))


def test_layers_and_groups_have_the_features_that_were_asked_for():
    model = make(hidden_size=10, n_layers=3, n_groups=2, leak_rate=(0.2, 0.9), input_scaling=(0.1, 1.0)).fit(STEPS, SUMS)
    assert model.coef_.shape == (1, 2 + 3 * 2 * 10)
    assert [float(layers[0].a[0]) if layers[0].a is not None else 1.0 for layers in model.network_.groups] == [0.2, 0.9]
    assert make(hidden_size=4, leak_rate=(0.1, 0.2, 0.3, 1.0), fan_in=2).fit(STEPS, SUMS).network_.groups[0][0].a.tolist() == [0.1, 0.2, 0.3, 1.0]
    assert make(n_layers=2, include_input=False, **FED).fit(STEPS, SUMS).coef_.shape == (1, 60)


@pytest.mark.parametrize("cell", ["gru", Leaky(), Reservoir(weights="sign", topology="cycle")], ids=str)
def test_any_cell_is_a_reservoir(cell):
    model = EchoStateRegressor(hidden_size=50, cell=cell, random_state=0).fit(STEPS, SUMS)
    assert model.score(STEPS, SUMS) > 0.9
    assert model.spectral_radius_ is model.leak_rate_ is model.input_scaling_ is None  # the cell has its own
    assert not any(w.requires_grad for w in model.network_.parameters())


def test_parameters_of_a_cell_that_is_a_name():
    model = make(cell="lstm").set_params(cell__peephole=True)
    assert model.cell.peephole is True
    assert make().set_params(cell="gru", cell__layer_norm=True).cell.layer_norm is True
    with pytest.raises(ValueError, match=r"cell__… of EchoStateRegressor are those of its cell; got \['cell__peephole'\] with cell=None"):
        make().set_params(cell__peephole=True)


def test_given_scales_are_kept_and_the_others_chosen():
    model = EchoStateRegressor(hidden_size=20, leak_rate=0.37, random_state=0).fit(STEPS, SUMS)
    assert model.leak_rate_ == 0.37
    assert model.spectral_radius_ in (0.5, 0.9, 1.1)
    assert model.input_scaling_ in (0.03, 0.1, 0.3, 1.0)
    scaled = EchoStateRegressor(hidden_size=20, input_scaling=(0.0, 0.2), random_state=0).fit(STEPS, SUMS)
    assert scaled.input_scaling_ == (0.0, 0.2)
    assert not scaled.network_.groups[0][0].W[:, 0].any()


def test_the_model_selection_of_scikit_learn():
    pipeline = make_pipeline(StandardScaler(), EchoStateRegressor(hidden_size=20, alpha=1e-3, leak_rate=1.0, input_scaling=0.3, random_state=0))
    grid = {"echostateregressor__spectral_radius": [0.2, 0.9], "echostateregressor__alpha": [1e-4, 1e4]}
    splits = TimeSeriesSplit(3)
    search = GridSearchCV(pipeline, grid, cv=splits).fit(STEPS, SUMS)
    assert search.best_params_["echostateregressor__alpha"] == 1e-4
    assert HalvingGridSearchCV(pipeline, grid, cv=splits, min_resources=150, random_state=0).fit(STEPS, SUMS).best_score_ > 0.5


# What is refused.

REFUSED = [
    ({"washout": 25}, (RAGGED, TARGETS), "washout=25 must be less than the length of every sequence; sequence 1 has 25 steps"),
    (
        {"alpha": "gcv", "washout": 39},
        (STEPS[:40], SUMS[:40]),
        "Too few steps to learn from, 1: of n_samples = 40, 39 of each .* alpha='gcv' needs 2",
    ),
    ({"activation": "relu", "spectral_radius": 50.0}, (STEPS, SUMS), "states became infinite or NaN: use a smaller spectral_radius or input_scaling"),
    (
        {"activation": "relu", "spectral_radius": 50.0, "leak_rate": "auto"},
        (STEPS, SUMS),
        "states became infinite or NaN: use a smaller spectral_radius",
    ),
    ({"fan_in": 31}, (STEPS, SUMS), "The 'fan_in' parameter of EchoStateRegressor must be at most hidden_size=30; got 31"),
    ({"leak_rate": (0.1, 0.2)}, (STEPS, SUMS), r"'leak_rate' .* must be a number or a tuple of 30 \(hidden_size\); got 2 numbers"),
    ({"leak_rate": (0.1, 0.2), "n_groups": 3}, (STEPS, SUMS), r"'leak_rate' .* must be a number or a tuple of 3 \(n_groups\); got 2 numbers"),
    ({"input_scaling": (0.1,) * 3}, (STEPS, SUMS), r"'input_scaling' .* must be a number or a tuple of 2 \(channels of X\); got 3 numbers"),
    ({"input_scaling": (0.1,) * 3, "leak_rate": "auto"}, (STEPS, SUMS), r"'input_scaling' .* a tuple of 2 \(channels of X\); got 3 numbers"),
    ({"input_scaling": (0.1,) * 3} | FED, (STEPS, SUMS), r"'input_scaling' .* a tuple of 2 \(channels of X\); got 3 numbers"),
    ({"leak_rate": (0.1,) * 29 + (1.5,)}, (STEPS, SUMS), "'leak_rate' parameter of Reservoir must be in"),
    ({"alpha": "block"}, (STEPS, SUMS), "The 'alpha' parameter of EchoStateRegressor must be .*'closed_loop'.* Got 'block' instead"),
    ({"alpha": "closed_loop"}, (STEPS, SUMS), "A closed loop needs outputs that can be the next inputs: .* X has 2 features, y has 1"),
    ({"alpha": "closed_loop"}, (STEPS[:-1], STEPS[1:], np.ones(299)), "alpha='closed_loop' takes no sample_weight"),
    ({"alpha": "closed_loop"}, (STEPS[:40], STEPS[1:41]), "alpha='closed_loop' needs longer sequences: one has 40 steps"),
    ({"cell": Reservoir(topology="delay_line", spectral_radius=-1.0)}, (STEPS, SUMS), "'spectral_radius' parameter of Reservoir"),
    ({"topology": "star"}, (STEPS, SUMS), "The 'topology' parameter of Reservoir must be one of"),
    ({"readout": "rls", "alpha": "gcv"}, (STEPS, SUMS), r"readout='rls' learns step by step: alpha must be a number \(got 'gcv'\)"),
    ({"readout": "rls"}, (STEPS, SUMS, np.arange(300)), "weights 0 or alike"),
    ({"readout": "force"}, (STEPS, SUMS), "readout='force' learns while its own output is fed back: it needs feedback=True"),
    ({"readout": KNeighborsRegressor()}, (STEPS, SUMS, np.arange(300)), "takes no sample_weight"),
    (FED, (STEPS, np.where(np.arange(300) == 7, np.nan, SUMS)), "y needs a target for every step with feedback=True; it has NaN"),
    ({}, (STEPS, SUMS * np.nan), "y needs a target for at least one step; it has NaN"),
    ({}, (STEPS, SUMS * np.inf), "Input y contains infinity"),
    ({}, (STEPS, np.array(["a"] * 300)), "y must hold numbers"),
    ({}, (STEPS, SUMS[1:]), "y should have shape"),
    ({}, (RAGGED, TARGETS[::-1]), r"y\[0\] has 31 steps, but X\[0\] has 40"),
    ({}, (STEPS, SUMS, -np.ones(300)), "sample_weight must hold one finite number ≥ 0"),
]


@pytest.mark.parametrize(("settings", "data", "match"), REFUSED, ids=[match[:60] for *_, match in REFUSED])
def test_what_fit_refuses_leaves_the_model_as_it_was(settings, data, match):
    with pytest.raises(ValueError, match=match):
        make(**settings).fit(*data)
    model = make().fit(STEPS, SUMS)
    before = vars(model).keys(), model.predict(STEPS)
    changed = model.set_params(**settings)
    with pytest.raises(ValueError, match=match):
        changed.fit(*data)
    assert vars(model).keys() == before[0]
    if "readout" not in settings and "feedback" not in settings:
        np.testing.assert_array_equal(model.predict(STEPS), before[1])


def test_what_forecast_and_predict_refuse():
    driven, fed = make().fit(STEPS, SUMS), make(**FED).fit(STEPS, SUMS)
    with pytest.raises(ValueError, match="A closed loop needs outputs that can be the next inputs"):
        driven.forecast(5)
    with pytest.raises(ValueError, match="X must hold the inputs of the steps to come with feedback=True"):
        fed.forecast(5)
    with pytest.raises(ValueError, match="must be None without; got ndarray"):
        driven.forecast(5, STEPS[:5])
    with pytest.raises(ValueError, match="X must hold n_steps=5 steps of 1 sequences"):
        fed.forecast(5, STEPS[:4])
    for n_steps in (0, 2.5):
        with pytest.raises(ValueError, match=f"n_steps must be a whole number from 1 up; got {n_steps}"):
            driven.forecast(n_steps)
    for model in (driven, fed):
        with pytest.raises(ValueError, match="X has 1 features, but EchoStateRegressor is expecting 2 features as input"):
            model.predict(STEPS[:, :1])


def test_what_partial_fit_refuses():
    model = make(washout=10).fit(STEPS, SUMS)
    with pytest.raises(ValueError, match="washout=10 must be less than the length of every sequence; sequence 0 has 10 steps"):
        model.partial_fit(STEPS[:10], SUMS[:10])
    model.partial_fit(STEPS[:10], SUMS[:10], continue_stream=True)
    with pytest.raises(ValueError, match="alpha and n_folds must stay as they were between calls of partial_fit"):
        clone(model).set_params(alpha=1.0).partial_fit(STEPS, SUMS).set_params(alpha="block_cv").partial_fit(STEPS, SUMS)
    with pytest.raises(ValueError, match=r"y has 2 outputs \(columns\), expected 1"):
        model.partial_fit(STEPS, np.column_stack([SUMS, SUMS]))
    for settings in ({"readout": Ridge()}, {"alpha": "closed_loop"}):
        other = make(**settings).fit(WAVE[:-1], WAVE[1:])
        with pytest.raises(ValueError, match="partial_fit needs a readout that learns from sums or step by step"):
            other.partial_fit(WAVE[:-1], WAVE[1:])


def test_a_constant_input_is_warned_of():
    with pytest.warns(UserWarning, match="All channels of X are constant: the reservoir sees nothing"):
        make().fit(np.ones((300, 2)), SUMS)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(**FED).fit(np.ones((300, 2)), SUMS)
        make().fit(np.column_stack([np.ones(300), STEPS]), SUMS)


# Memory.

MILLION = """
import resource
import numpy as np
from skrnn import EchoStateRegressor

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

settings = {"spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 0.3, "random_state": 0}
X = np.random.default_rng(0).normal(size=(1_000_000, 1))
EchoStateRegressor(500, **settings).fit(X[:20_000], X[:20_000, 0])
before = peak()
EchoStateRegressor(500, **settings).fit(X, X[:, 0])
print(peak() - before)
"""


@pytest.mark.slow
def test_a_million_steps_fit_into_memory():
    """500 states of each step would be 2 GB."""
    done = subprocess.run([sys.executable, "-c", MILLION], check=True, capture_output=True, text=True)
    assert float(done.stdout) < 1e9
