"""What goes wrong in the middle of training leaves a fitted estimator as it was."""

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNForecaster, RNNRegressor, Seq2SeqRegressor
from skrnn.training import DivergenceError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 5, 2))
Y = X[:, :, 0].max(axis=1)
WAVE = np.sin(np.arange(80) / 3)
SMALL = {"hidden_size": 4, "max_epochs": 3, "batch_size": 8, "random_state": 0}


class Broken:
    """A callback with a fault of its own, which shows in the second epoch, or at the end of the only one."""

    def setup(self, *args, **kwargs):
        self.calls = 0

    def teardown(self, *args, **kwargs):
        pass

    on_fit_task_begin = teardown

    def on_fit_task_end(self, *args, **kwargs):
        self.calls += 1
        if self.calls == 2:
            raise RuntimeError("a fault")


GO_ON = {
    "fit": (RNNRegressor(warm_start=True, **SMALL), (X, Y), lambda model: model.fit(X, Y), X),
    "partial_fit": (RNNClassifier(**SMALL), (X, Y > 1), lambda model: model.partial_fit(X, Y > 1), X),
    "seq2seq": (Seq2SeqRegressor(warm_start=True, **SMALL), (X, X[:, :2, 0]), lambda model: model.fit(X, X[:, :2, 0]), X),
    "update": (RNNForecaster(horizon=3, n_lags=6, **SMALL), (None, WAVE), lambda model: model.update(None, WAVE[:9], learn=True), None),
}


@pytest.mark.parametrize("way", GO_ON)
def test_a_fault_while_training_goes_on(way):
    model, data, go_on, asked = GO_ON[way]
    model.set_callbacks().fit(*data)
    before, n_iter = model.predict(asked), model.n_iter_
    with pytest.raises(RuntimeError, match="a fault"):
        go_on(model.set_callbacks(Broken()))
    np.testing.assert_array_equal(model.predict(asked), before)
    assert model.n_iter_ == len(model.loss_curve_) == n_iter


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd", "rmsprop"])
def test_a_pass_that_diverges_is_not_remembered(optimizer):
    def learned(times):
        model = RNNRegressor(optimizer=optimizer, **SMALL).partial_fit(X, Y)
        for _ in range(times):
            with pytest.raises(DivergenceError), pytest.warns(match="loss became infinite"):
                model.partial_fit(X, Y * 1e60)
        return model.partial_fit(X, Y)

    np.testing.assert_array_equal(learned(0).predict(X), learned(1).predict(X))
