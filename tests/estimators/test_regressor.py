"""RNNRegressor: numbers in their own units, one or several for each sequence."""

import numpy as np
import pytest
from scipy import stats
from sklearn import config_context
from sklearn.callback import ScoringMonitor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import cells
from skrnn.engine import TruncatedBPTT
from skrnn.networks import POOLINGS
from skrnn.preprocessing import PerStep
from skrnn.training import InterruptedWarning
from skrnn.training._optimizers import OPTIMIZERS
from skrnn.training._schedules import SCHEDULES
from tests.estimators.samples import RAGGED, TRAINED_CELLS, Hook, make

N = len(RAGGED)
Y = np.array([x[:, 0].max() for x in RAGGED])
TWO = np.column_stack([Y, [x[:, 1].min() for x in RAGGED]])


def net(**settings):
    return make("RNNRegressor", **settings)


def trained(**settings):
    return net(**{"max_epochs": 60, "learning_rate": 0.03} | settings)


@pytest.mark.parametrize("y", [Y, TWO], ids=["one", "two"])
def test_the_shape_of_predictions_is_that_of_targets(y):
    model = trained().fit(RAGGED, y)
    assert model.predict(RAGGED).shape == y.shape
    assert model.predict(RAGGED).dtype == np.float64
    assert model.score(RAGGED, y) > 0.9


def test_the_unit_of_the_target_does_not_matter():
    expected = net().fit(RAGGED, TWO).predict(RAGGED)
    units, zero = np.array([2.0**-60, 2.0**40]), np.array([0.0, 2.0**40])
    np.testing.assert_allclose((net().fit(RAGGED, TWO * units + zero).predict(RAGGED) - zero) / units, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("convert", [list, lambda y: y.astype("float32"), lambda y: y[::-1].copy()[::-1], lambda y: y.astype(">f8")])
def test_the_container_of_targets_does_not_matter(convert):
    np.testing.assert_allclose(net().fit(RAGGED, convert(Y)).predict(RAGGED), net().fit(RAGGED, Y).predict(RAGGED), rtol=1e-5)


@pytest.mark.parametrize("weight", [None, np.arange(N) + 1.0], ids=["alike", "weighted"])
def test_it_begins_with_the_mean(weight):
    model = net(max_epochs=1, learning_rate=1e-12).fit(RAGGED, TWO, sample_weight=weight)
    np.testing.assert_allclose(model.predict(RAGGED), np.tile(np.average(TWO, axis=0, weights=weight), (N, 1)), rtol=1e-6)


def test_the_loss_is_the_squared_error_of_standardised_targets():
    model = net(max_epochs=5, learning_rate=1e-12).fit(RAGGED, TWO)
    np.testing.assert_allclose(model.loss_curve_, 1, rtol=1e-5)
    model = trained(batch_size=None, schedule="cosine").fit(RAGGED, TWO)  # a cosine ends with steps of almost nothing
    np.testing.assert_allclose(
        model.loss_curve_[-1], mean_squared_error(stats.zscore(TWO), (model.predict(RAGGED) - TWO.mean(0)) / TWO.std(0)), rtol=1e-2
    )


SETTINGS = [{"cell": "lstm"}, *({"pooling": name} for name in POOLINGS), {"rule": "truncated_bptt"}]
OF_EVERY_NETWORK = [  # which a classifier learns with in every test
    *({"cell": name.lower()} for name in TRAINED_CELLS if name != "LSTM"),
    *({"optimizer": name} for name in OPTIMIZERS),
    *({"schedule": name} for name in SCHEDULES),
]


@pytest.mark.parametrize("settings", [*SETTINGS, *(pytest.param(s, marks=pytest.mark.slow) for s in OF_EVERY_NETWORK)], ids=str)
def test_every_setting_learns(settings):
    assert trained(**settings).fit(RAGGED, Y).score(RAGGED, Y) > 0.5


def test_truncation_on_long_sequences():
    rng = np.random.default_rng(0)
    X = [rng.normal(size=(n, 1)) + drift for n in rng.integers(150, 300, 12) for drift in (0.0, 0.3)]
    y = np.array([x.mean() for x in X])
    assert trained(rule=TruncatedBPTT(50), pooling="mean").fit(X, y).score(X, y) > 0.9


def test_features_in_front_of_another_model():
    model = trained().fit(RAGGED, Y).set_output(transform="pandas")
    assert list(model.transform(RAGGED).columns) == [f"gru_h{k}" for k in range(16)]
    assert make_pipeline(trained(), Ridge(1e-3)).fit(RAGGED, Y).score(RAGGED, Y) > 0.9


TRAIN, HELD = slice(0, 25), slice(25, None)


def test_early_stopping_keeps_the_best_weights():
    y = Y + np.random.default_rng(0).normal(size=N)
    model = trained(max_epochs=80, n_iter_no_change=5).fit(RAGGED[TRAIN], y[TRAIN], X_val=RAGGED[HELD], y_val=y[HELD])
    assert model.n_iter_ == len(model.validation_scores_) < 80
    error = mean_squared_error(y[HELD], model.predict(RAGGED[HELD])) / y[TRAIN].var()
    np.testing.assert_allclose(-error, max(model.validation_scores_), rtol=1e-5)
    assert trained(early_stopping=True, n_iter_no_change=1).fit(RAGGED, y).n_iter_ < 60


def test_held_out_data_pass_through_a_pipeline():
    with config_context(enable_metadata_routing=True):
        model = trained(n_iter_no_change=5).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(PerStep(StandardScaler()), model, transform_input=["X_val"])
        pipeline.fit(RAGGED[TRAIN], Y[TRAIN], X_val=RAGGED[HELD], y_val=Y[HELD])
    assert len(pipeline[-1].validation_scores_) == pipeline[-1].n_iter_


def test_callbacks():
    monitor = ScoringMonitor(scoring="r2")
    model = net(max_epochs=30).set_callbacks(monitor, Hook(lambda model: model.n_iter_ == 4)).fit(RAGGED, Y)
    table = monitor.get_logs().data_as_pandas.query("task_name == 'epoch'")
    assert len(table) == model.n_iter_ == 4
    np.testing.assert_allclose(table["r2"].iloc[-1], model.score(RAGGED, Y), rtol=1e-6)


def test_an_interrupted_model_is_fitted():
    def interrupt(model):
        if model.n_iter_ == 3:
            raise KeyboardInterrupt

    with pytest.warns(InterruptedWarning, match="after 3 epochs"):
        model = net(max_epochs=30).set_callbacks(Hook(interrupt)).fit(RAGGED, Y)
    assert model.n_iter_ == 3
    assert model.score(RAGGED, Y) > 0


def test_search_over_cells():
    search = GridSearchCV(trained(max_epochs=20), {"cell": [cells.Elman(), "lstm"]}, cv=2, error_score="raise").fit(RAGGED, Y)
    assert search.score(RAGGED, Y) > 0.5
