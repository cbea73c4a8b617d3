"""What a fit tells about itself."""

import pickle

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skrnn import RNNClassifier, RNNForecaster, RNNRegressor, RNNTagger, Seq2SeqRegressor

X = np.random.default_rng(0).normal(size=(30, 5, 2))
Y = X[:, :, 0].max(axis=1)
SMALL = {"hidden_size": 4, "max_epochs": 3, "random_state": 0}
FITTED = {
    "classifier": lambda: RNNClassifier(**SMALL).fit(X, Y > 0.5),
    "regressor": lambda: RNNRegressor(**SMALL).fit(X, Y),
    "tagger": lambda: RNNTagger(**SMALL).fit(X, X[..., 0] > 0),
    "seq2seq": lambda: Seq2SeqRegressor(**SMALL).fit(X, X[:, :2, 0]),
    "forecaster": lambda: RNNForecaster(n_lags=5, horizon=2, **SMALL).fit(None, np.sin(np.arange(60))),
}


@pytest.mark.parametrize("which", FITTED)
def test_weights_epochs_and_seconds_are_told(which):
    model = FITTED[which]()
    assert model.n_parameters_ == sum(p.numel() for p in model.network_.parameters()) > 0
    assert model.best_epoch_ == model.n_iter_ == 3
    assert model.fit_time_ > 0
    text = model.summary()
    assert text.startswith(f"{type(model).__name__}: {model.n_parameters_:,} parameters in float32")
    assert text.endswith("weights of epoch 3")
    assert sum(int(line.split()[-1].replace(",", "")) for line in text.splitlines()[2:-1]) == model.n_parameters_
    assert pickle.loads(pickle.dumps(model)).summary() == text


def test_the_weights_of_a_recurrent_layer_are_counted():
    model = RNNRegressor("elman", hidden_size=4, bidirectional=False, max_epochs=1).fit(X, Y)
    assert model.n_parameters_ == 2 * 4 + 4 * 4 + 4 + (4 + 1)


def test_the_best_epoch_is_that_of_the_best_held_out_score():
    model = RNNRegressor(hidden_size=32, max_epochs=30, learning_rate=0.1, early_stopping=True, n_iter_no_change=30, random_state=0).fit(X, Y)
    assert model.best_epoch_ == 1 + int(np.argmax(model.validation_scores_))
    assert model.best_epoch_ < model.n_iter_
    held = f"held-out loss {-model.validation_scores_[-1]:.4g}"
    assert held in model.summary()


def test_where_nothing_is_better_than_the_start_the_start_is_kept():
    rng = np.random.default_rng(0)
    model = RNNRegressor(max_epochs=2, learning_rate=1.0, random_state=0).fit(X[:20], Y[:20], X_val=X[20:], y_val=rng.normal(Y[:20].mean(), 1e-3, 10))
    assert model.best_epoch_ == 0
    np.testing.assert_allclose(model.predict(X), Y[:20].mean(), rtol=1e-5)


def test_going_on_counts_on():
    model = RNNRegressor(warm_start=True, **SMALL).fit(X, Y)
    seconds = model.fit_time_
    model.fit(X, Y)
    assert model.best_epoch_ == model.n_iter_ == 6
    assert model.fit_time_ > seconds
    assert model.partial_fit(X, Y).best_epoch_ == 7


def test_nothing_is_told_before_a_fit():
    with pytest.raises(NotFittedError):
        RNNClassifier().summary()
    with pytest.raises(NotFittedError):
        _ = RNNClassifier().n_parameters_


def test_both_losses_are_shown_in_one_sign(capsys):
    RNNRegressor(verbose=True, early_stopping=True, **SMALL).fit(X, Y)
    shown = capsys.readouterr().err
    assert "epoch 3/3  loss " in shown
    assert "held-out loss -" not in shown
