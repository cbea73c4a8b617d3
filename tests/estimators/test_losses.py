"""What regressions minimise."""

import pickle

import numpy as np
import pytest
import torch
from sklearn._loss import HalfGammaLoss, HalfPoissonLoss, PinballLoss
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, mean_gamma_deviance, mean_pinball_loss, mean_poisson_deviance, root_mean_squared_error

from skrnn import RNNRegressor, RNNSequenceRegressor
from skrnn.training import LOSSES

RNG = np.random.default_rng(0)
X = RNG.normal(size=(450, 8, 2))
MEAN = np.exp(3 * X[:, :, 0].mean(axis=1))
SMALL = {"hidden_size": 8, "max_epochs": 15, "random_state": 0}
SKEWED = RNG.exponential(size=301) * 40
THEIRS = {"poisson": HalfPoissonLoss(), "gamma": HalfGammaLoss(), "quantile": PinballLoss(quantile=0.8)}


@pytest.mark.parametrize("loss", THEIRS)
def test_losses_are_those_of_scikit_learn(loss):
    y, raw = RNG.gamma(2, size=50), RNG.normal(size=50)
    objective = LOSSES[loss](0.8)
    ours = objective.value_losses(torch.from_numpy(raw[:, None, None]), torch.from_numpy(y[:, None]))[:, 0].numpy()
    theirs = THEIRS[loss].loss(y_true=y, raw_prediction=raw)
    if loss != "quantile":  # that of the truth is 0 here, and left out there
        theirs = theirs - THEIRS[loss].loss(y_true=y, raw_prediction=np.log(y))
    np.testing.assert_allclose(ours, theirs * (2 if loss == "quantile" else 1), atol=1e-12)


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        ("squared_error", np.mean),
        ("absolute_error", np.median),
        ("poisson", np.mean),
        ("gamma", np.mean),
        ("quantile", lambda y: np.quantile(y, 0.9)),
    ],
)
def test_where_X_tells_nothing_the_best_constant_is_predicted(loss, told):
    model = RNNRegressor(loss=loss, quantile=0.9, learning_rate=1e-30, max_epochs=1, dtype="float64").fit(np.zeros((301, 3, 1)), SKEWED)
    np.testing.assert_allclose(model.predict(np.zeros((2, 3, 1))), told(SKEWED), rtol=1e-6)


def test_between_mean_and_median():
    model = RNNRegressor(loss="huber", **SMALL).fit(np.zeros((301, 3, 1)), SKEWED)
    assert np.median(SKEWED) < model.predict(np.zeros((1, 3, 1)))[0] < SKEWED.mean()


@pytest.mark.parametrize(
    ("loss", "y", "error"),
    [
        ("poisson", RNG.poisson(5 * MEAN), lambda y, p: mean_poisson_deviance(y, np.maximum(p, 1e-6))),
        ("gamma", RNG.gamma(2, MEAN / 2), lambda y, p: mean_gamma_deviance(y, np.maximum(p, 1e-6))),
        ("quantile", MEAN + RNG.exponential(size=450), lambda y, p: mean_pinball_loss(y, p, alpha=0.9)),
        ("absolute_error", np.where(RNG.random(450) < 0.1, 40.0, MEAN), mean_absolute_error),
    ],
)
def test_each_is_best_at_what_it_is_for(loss, y, error):
    def of(loss):
        model = RNNRegressor(loss=loss, quantile=0.9, **SMALL).fit(X[:300], y[:300])
        return error(y[300:], model.predict(X[300:]))

    assert of(loss) < 0.9 * of("squared_error")


def test_what_must_be_positive_is():
    model = RNNRegressor(loss="gamma", **SMALL).fit(X, MEAN)
    assert (model.predict(100 * X) > 0).all()


def test_the_scale_of_targets_does_not_matter():
    model = RNNRegressor(loss="poisson", **SMALL)
    small, large = (clone(model).fit(X, scale * MEAN).predict(X) for scale in (1, 2**20))
    np.testing.assert_array_equal(small * 2**20, large)


def test_several_outputs_and_steps_without_a_target():
    y = np.exp(X)
    y[:, 2] = np.nan
    model = RNNSequenceRegressor(loss="gamma", **SMALL | {"max_epochs": 30}).fit(X[:300], y[:300])
    predicted = model.predict(X[300:])
    assert predicted.shape == (150, 8, 2)
    present = ~np.isnan(y[300:])
    assert root_mean_squared_error(np.log(y[300:][present]), np.log(predicted[present])) < 0.3


@pytest.mark.parametrize("loss", LOSSES)
def test_a_copy_predicts_the_same(loss):
    model = RNNRegressor(loss=loss, quantile=0.3, **SMALL | {"max_epochs": 1}).fit(X, MEAN)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


@pytest.mark.parametrize(("loss", "value", "wanted"), [("poisson", -1, "0 or more; got y with -1"), ("gamma", 0, "more than 0; got y with 0")])
def test_targets_out_of_range_are_refused(loss, value, wanted):
    y = MEAN.copy()
    y[7] = value
    with pytest.raises(ValueError, match=f"loss='{loss}' needs targets of {wanted}"):
        RNNRegressor(loss=loss, **SMALL).fit(X, y)
    model = RNNRegressor(loss=loss, **SMALL)
    with pytest.raises(ValueError, match=f"y_val: loss='{loss}' needs targets of {wanted}"):
        model.fit(X, MEAN, X_val=X, y_val=y)
    model.partial_fit(X, MEAN)
    with pytest.raises(ValueError, match=f"loss='{loss}' needs targets of {wanted}"):
        model.partial_fit(X, y)


def test_counts_that_are_all_zero_are_refused():
    with pytest.raises(ValueError, match="loss='poisson' needs targets that are not all 0"):
        RNNRegressor(loss="poisson", **SMALL).fit(X, np.zeros(450))


def test_another_loss_wants_another_fit():
    model = RNNRegressor(**SMALL | {"max_epochs": 1}).fit(X, MEAN)
    with pytest.raises(ValueError, match="a network of loss=squared_error, but the estimator now has loss=poisson"):
        model.set_params(loss="poisson").partial_fit(X, MEAN)


@pytest.mark.parametrize("settings", [{"loss": "squared"}, {"quantile": 0.0}, {"quantile": 1}])
def test_other_settings_are_refused(settings):
    with pytest.raises(ValueError, match=f"The '{next(iter(settings))}' parameter of RNNRegressor must be"):
        RNNRegressor(**settings).fit(X, MEAN)
