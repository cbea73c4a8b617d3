"""ReservoirSearchCV gives what GridSearchCV gives, for less."""

import pickle
import time

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV, KFold, ParameterGrid, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn import EchoStateClassifier, EchoStateRegressor, EchoStateTransformer, ReservoirSearchCV
from skrnn.cells import Reservoir
from skrnn.estimators.reservoirs import _shared_work
from skrnn.networks import Reservoirs

SCALES = {"spectral_radius": [0.5, 0.9], "leak_rate": [0.3, 1.0], "input_scaling": [0.1, 0.5], "bias_scaling": [0.1, 0.4]}
FIXED = {"spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 0.3, "random_state": 0}
SPLITS = TimeSeriesSplit(4)
SAME = 1e-8  # scores of the same states, in double precision
SINGLE = 1e-4  # scores of states in single precision whose roundings differ, with a penalty that does not amplify them


def series(n_steps=600):
    """Random numbers; products and delays of them, in noise."""
    rng = np.random.default_rng(0)
    u = rng.uniform(-1, 1, n_steps + 10)
    y = np.column_stack([np.roll(u, 3) * np.roll(u, 1), np.roll(u, 2)]) + 0.1 * rng.normal(size=(n_steps + 10, 2))
    return u[10:, None], y[10:]


def panel():
    """Ragged noise that is faster in one class."""
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    return [np.convolve(rng.normal(size=n), np.ones(k + 1), "same")[:, None] for n, k in zip(rng.integers(15, 40, 60), y, strict=True)], y


def regressor(**settings):
    return EchoStateRegressor(**FIXED | {"hidden_size": 30} | settings)


def scores(search):
    return {key: values for key, values in search.cv_results_.items() if key.startswith(("split", "mean_t", "std_t", "rank"))}


def both(estimator, grid, X, y, **settings):
    settings = {"cv": SPLITS} | settings
    ours = ReservoirSearchCV(estimator, grid, **settings).fit(X, y)
    theirs = GridSearchCV(estimator, grid, **settings).fit(X, y)
    assert ours.cv_results_["params"] == theirs.cv_results_["params"] == list(ParameterGrid(grid))
    assert ours.cv_results_.keys() == theirs.cv_results_.keys()
    return ours, theirs


def assert_same(estimator, grid, X, y, atol=0.0, **settings):
    ours, theirs = both(estimator, grid, X, y, **settings)
    for key, values in scores(theirs).items():
        if not key.startswith("rank") or atol == 0:
            np.testing.assert_allclose(ours.cv_results_[key], values, rtol=0, atol=atol)
    assert ours.best_params_ == theirs.best_params_
    assert ours.n_splits_ == theirs.n_splits_
    return ours, theirs


@pytest.fixture
def rows_run(monkeypatch):
    """How many rows networks have run over."""
    counted, forward = [], Reservoirs.forward

    def count(self, piece, states):
        counted.append(len(piece.data))
        return forward(self, piece, states)

    monkeypatch.setattr(Reservoirs, "forward", count)
    return counted


# -- the same as GridSearchCV --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_readouts_are_searched_to_the_bit(dtype):
    grid = {"alpha": [1e-3, 0.1, "block_cv", "gcv"], "alpha_per_target": [True, False]}
    ours, theirs = assert_same(regressor(dtype=dtype), grid, *series(), return_train_score=True)
    assert ours.best_estimator_.coef_.tolist() == theirs.best_estimator_.coef_.tolist()


def test_models_as_readouts_and_readouts_step_by_step():
    grid = [{"readout": [Ridge(), LinearRegression(), None]}, {"readout": ["rls"], "alpha": [0.1, 1.0]}]
    assert_same(regressor(dtype="float64", alpha=0.1), grid, *series(300))


def test_closed_loop():
    X, _ = series()
    assert_same(regressor(), {"alpha": ["closed_loop", 0.1]}, X[:-1], X[1:], cv=TimeSeriesSplit(2))


@pytest.mark.parametrize("pooling", ["last", "mean", "segments", "model"])
def test_classes_of_a_panel(pooling):
    grid = [{"alpha": [1e-2, 1.0, "gcv"]}, {"readout": [RidgeClassifier()]}]
    assert_same(EchoStateClassifier(20, pooling=pooling, **FIXED), grid, *panel(), cv=KFold(3))


def test_scales_that_are_chosen_are_chosen_once(monkeypatch):
    from skrnn.estimators.reservoirs import _scales

    chosen, tune = [], _scales.tune
    monkeypatch.setattr(_scales, "tune", lambda *args: chosen.append(1) or tune(*args))
    model = EchoStateRegressor(20, random_state=0)
    assert_same(model, {"alpha": [0.1, 1.0, 10.0]}, *series(300), cv=TimeSeriesSplit(2))
    ours, theirs = 2 + 1, 2 * 3 + 1
    assert len(chosen) == ours + theirs


@pytest.mark.parametrize(
    ("dtype", "atol", "activation"),
    [
        ("float64", SAME, "tanh"),
        ("float64", SAME, "relu"),
        ("float32", SINGLE, "tanh"),
        pytest.param("float32", SINGLE, "relu", marks=pytest.mark.slow),
    ],
)
def test_scales(dtype, atol, activation):
    assert_same(regressor(dtype=dtype, activation=activation), SCALES | {"alpha": [1.0, 10.0]}, *series(), atol)


@pytest.mark.parametrize("topology", ["cycle_jumps", "delay_line", "orthogonal", "small_world"])
def test_scales_of_topologies(topology):
    grid = {"spectral_radius": [0.5, 0.9], "leak_rate": [0.3, 1.0]}
    assert_same(regressor(dtype="float64", topology=topology, alpha=1.0), grid, *series(300), SAME)


def test_scales_of_many_units_without_their_zeros():
    grid = {"spectral_radius": [0.5, 0.9], "leak_rate": [0.3, 1.0]}
    assert_same(regressor(hidden_size=510, dtype="float64", alpha=1.0), grid, *series(300), SAME, cv=TimeSeriesSplit(2))


def test_scales_of_panels():
    assert_same(EchoStateClassifier(20, dtype="float64", alpha=1.0, **FIXED), SCALES, *panel(), SAME, cv=KFold(3))


@pytest.mark.parametrize(
    "settings",
    [
        {"feedback": True},
        {"n_layers": 2},
        {"n_groups": 2},
        {"cell": "gru"},
        {"noise": 0.01},
        {"activation": lambda a: a.tanh()},
        {"input_scaling": (0.2, 0.4)},
        {"include_input": False},
        {"washout": 20},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_any_reservoir(settings):
    X, y = series(300)
    X = np.hstack([X, X**2]) if "input_scaling" in settings else X
    grid = {"spectral_radius": [0.5, 0.9], "bias_scaling": [0.1, 0.3], "alpha": [1.0, 10.0]}
    assert_same(regressor(dtype="float64", **settings), grid, X, y, SAME, cv=TimeSeriesSplit(2))


def test_other_reservoirs():
    grid = [{"hidden_size": [10, 40], "spectral_radius": [0.5, 0.9], "random_state": [0, 1]}, {"leak_rate": [0.5, "auto"]}]
    assert_same(regressor(dtype="float64", alpha=1.0), grid, *series(300), SAME, cv=TimeSeriesSplit(2))


def test_weights_that_are_given_have_no_scales():
    rng = np.random.default_rng(0)
    given = Reservoir(recurrent_weights=0.1 * rng.normal(size=(30, 30)), input_weights=rng.normal(size=(30, 1)), bias=rng.normal(size=30))
    model = EchoStateRegressor(30, cell=given, alpha=1e-3, standardize=False, random_state=0)
    assert_same(model, {"cell__leak_rate": [0.3, 1.0], "cell__spectral_radius": [0.2, 0.9]}, *series(300), SAME)


def test_several_series():
    X, y = series(600)
    X, y = np.split(X, [100, 250, 400]), np.split(y, [100, 250, 400])
    assert_same(regressor(dtype="float64", alpha=1.0), SCALES, X, y, SAME, cv=KFold(2))


def test_a_series_that_goes_on_is_run_in_pieces():
    grid = {"alpha": [1.0, 10.0]}
    assert_same(regressor(standardize=False), grid, *series(), SINGLE)
    assert_same(regressor(standardize=False, dtype="float64", cell="lstm"), grid, *series(), SAME)


def test_weights_and_several_scores():
    X, y = series()
    weight = np.linspace(0, 1, len(X))
    settings = {"cv": SPLITS, "scoring": {"a": "r2", "b": "neg_mean_absolute_error"}, "refit": "b"}
    ours, theirs = (
        kind(regressor(), {"alpha": [0.1, 10.0]}, **settings).fit(X, y, sample_weight=weight) for kind in (ReservoirSearchCV, GridSearchCV)
    )
    for key, values in scores(theirs).items():
        assert ours.cv_results_[key].tolist() == values.tolist()
    assert ours.best_index_ == theirs.best_index_
    assert ours.multimetric_


def test_inside_of_pipelines():
    X, y = series()
    scaled = make_pipeline(StandardScaler(), regressor(dtype="float64", alpha=1.0, standardize=False))
    assert_same(scaled, {f"echostateregressor__{name}": values for name, values in SCALES.items()}, X, y, SAME)
    transformed = TransformedTargetRegressor(scaled, transformer=StandardScaler())
    assert_same(transformed, {"regressor__echostateregressor__alpha": [0.1, 1.0]}, X, y)
    X, y = panel()
    reading = make_pipeline(EchoStateTransformer(20, random_state=0), Ridge())
    assert_same(reading, {"ridge__alpha": [0.1, 1.0], "echostatetransformer__spectral_radius": [0.5, 0.9]}, X, y, SINGLE, cv=KFold(3))


@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
def test_what_cannot_be_fitted_gets_the_error_score():
    grid = {"spectral_radius": [0.5, 50.0], "alpha": [0.1, 1.0]}
    model = regressor(activation="relu", washout=10)
    with pytest.warns(FitFailedWarning, match="8 fits failed"):
        search = ReservoirSearchCV(model, grid, cv=SPLITS).fit(*series())
    failed = np.isnan(search.cv_results_["mean_test_score"])
    assert failed.tolist() == [params["spectral_radius"] == 50.0 for params in search.cv_results_["params"]]
    with pytest.raises(ValueError, match="infinite or NaN"):
        ReservoirSearchCV(model, grid, cv=SPLITS, error_score="raise").fit(*series())


# -- for less ------------------------------------------------------------------------------------------------------------------------------------


def test_states_are_run_once_for_all_readouts(rows_run):
    def run(alphas):
        rows_run.clear()
        ReservoirSearchCV(regressor(), {"alpha": alphas}, cv=SPLITS).fit(*series())
        return sum(rows_run)

    assert run([0.1, 1.0, 10.0, "gcv", "block_cv"]) == run([0.1])


def test_reservoirs_of_other_scales_run_as_one_batch(rows_run):
    X, y = series()
    ReservoirSearchCV(regressor(washout=50), SCALES, cv=SPLITS).fit(X, y)
    assert sum(rows_run) == len(X)  # the last fit


def test_a_series_that_goes_on_is_run_once(rows_run):
    X, y = series()
    search = ReservoirSearchCV(regressor(washout=50, standardize=False), {"alpha": [0.1, 1.0]}, cv=SPLITS, refit=False).fit(X, y)
    longest, tested = len(X) - len(X) // 5, search.n_splits_ * (len(X) // 5)
    assert sum(rows_run) == longest + tested


def test_without_memory_all_is_made_again(monkeypatch, rows_run):
    monkeypatch.setattr(_shared_work, "_MOST", 0)
    assert_same(regressor(dtype="float64", washout=50), SCALES | {"alpha": [1.0]}, *series(300), SAME, cv=TimeSeriesSplit(2))
    monkeypatch.setattr(_shared_work, "_MOST", 200_000)
    assert_same(regressor(dtype="float64", washout=50), SCALES | {"alpha": [1.0]}, *series(300), SAME, cv=TimeSeriesSplit(2))


def test_nothing_is_shared_after_a_search():
    X, y = series(200)
    before = regressor().fit(X, y)
    search = ReservoirSearchCV(regressor(), {"alpha": [0.1]}, cv=2).fit(X, y)
    first, second = regressor().fit(X, y), regressor().fit(X, y)
    assert first.network_ is not second.network_
    assert first.coef_.tolist() == before.coef_.tolist()
    assert search.best_estimator_.network_ is not first.network_


@pytest.mark.slow
def test_time():
    X, y = series(5000)

    def seconds(kind, model, grid):
        search = kind(model, grid, cv=TimeSeriesSplit(5))
        started = time.thread_time()
        search.fit(X, y)
        return time.thread_time() - started

    model, grid = regressor(hidden_size=200, n_threads=1), {"alpha": np.logspace(-6, 2, 25)}
    seconds(ReservoirSearchCV, model, {"alpha": [1.0]})
    assert seconds(GridSearchCV, model, grid) > 3 * seconds(ReservoirSearchCV, model, grid)
    model, grid = (
        regressor(hidden_size=500, n_threads=1, washout=100, alpha=1.0),
        {"spectral_radius": np.linspace(0.2, 1.0, 8), "leak_rate": [0.5, 1.0]},
    )
    assert seconds(GridSearchCV, model, grid) > 1.5 * seconds(ReservoirSearchCV, model, grid)


# -- an estimator --------------------------------------------------------------------------------------------------------------------------------


@parametrize_with_checks([ReservoirSearchCV(EchoStateClassifier(10, dtype="float64", **FIXED), {"alpha": [1e-2, 1e-3]}, cv=2)])
def test_scikit_learn(estimator, check):
    check(estimator)


def test_it_is_the_best_estimator():
    X, y = series()
    X, y = X[:-1], X[1:, 0]
    search = ReservoirSearchCV(regressor(), {"alpha": [0.1, 1.0]}, cv=SPLITS).fit(X, y)
    best = regressor(**search.best_params_).fit(X, y)
    assert search.predict(X).tolist() == best.predict(X).tolist()
    assert search.score(X, y) == best.score(X, y)
    assert search.forecast(5).tolist() == best.forecast(5).tolist()
    again = pickle.loads(pickle.dumps(search))
    assert again.predict(X).tolist() == search.predict(X).tolist()
    assert clone(search).get_params().keys() == ReservoirSearchCV(regressor(), {}).get_params().keys()
    assert clone(search).set_params(estimator__hidden_size=7).estimator.hidden_size == 7


def test_classifiers_are_delegated_to():
    X, y = panel()
    search = ReservoirSearchCV(EchoStateClassifier(20, **FIXED), {"alpha": [0.1, 1.0]}, cv=3).fit(X, np.array(["a", "b", "c"])[y])
    assert search.classes_.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(search.predict_proba(X).sum(axis=1), 1)
    assert search.scorer_ is not None


def test_without_a_random_state_it_runs_all_the_same():
    model, grid = regressor(random_state=None, washout=20), {"spectral_radius": [0.5, 0.9], "alpha": [0.1, 1.0]}
    search = ReservoirSearchCV(model, grid, cv=SPLITS).fit(*series())
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_the_data_and_the_grid_stay_as_they_were():
    X, y = series(300)
    given, grid = (X.copy(), y.copy()), {"alpha": [0.1, 1.0]}
    ReservoirSearchCV(regressor(), grid, cv=SPLITS).fit(X, y)
    assert np.array_equal(X, given[0])
    assert np.array_equal(y, given[1])
    assert grid == {"alpha": [0.1, 1.0]}


@pytest.mark.parametrize("estimator", [Ridge(), make_pipeline(StandardScaler(), Ridge())], ids=["alone", "pipeline"])
def test_an_estimator_without_a_reservoir_is_refused(estimator):
    with pytest.raises(TypeError, match="must be or hold an echo state estimator; got "):
        ReservoirSearchCV(estimator, {}).fit(*series(50))


def test_unknown_parameters_are_refused():
    with pytest.raises(ValueError, match="Invalid parameter 'alfa'"):
        ReservoirSearchCV(regressor(), {"alfa": [1.0]}, cv=2).fit(*series(100))
    with pytest.raises(ValueError, match="'param_grid' parameter of ReservoirSearchCV"):
        ReservoirSearchCV(regressor(), 3, cv=2).fit(*series(100))


# -- scikit-learn's own searches -----------------------------------------------------------------------------------------------------------------


def test_scikit_learns_searches_work_as_they_are():
    X, y = series(400)
    model = make_pipeline(StandardScaler(), regressor())
    grid = {"echostateregressor__alpha": [1e-3, 1.0], "echostateregressor__spectral_radius": [0.5, 0.9]}
    growing = {"resource": "echostateregressor__hidden_size", "min_resources": 10, "max_resources": 40, "factor": 2}
    for search in (GridSearchCV(model, grid, cv=SPLITS), HalvingGridSearchCV(model, grid, cv=SPLITS, **growing)):
        assert search.fit(X, y[:, 1]).score(X, y[:, 1]) > 0.5
    inverse = TransformedTargetRegressor(model, transformer=StandardScaler()).fit(X, y[:, 1])
    assert inverse.predict(X).shape == (len(X),)
    assert inverse.score(X, y[:, 1]) > 0.5
