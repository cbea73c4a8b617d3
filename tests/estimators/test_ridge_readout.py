import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn.estimators import RidgeReadout

EXACT = 1e-8  # float64
N, P = 500, 20
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N, P)) @ RNG.normal(size=(P, P)) + 2
Y = X[:, :2] + RNG.normal(size=(N, 2)) * [1, 20]
SETTINGS = [{}, {"alpha": "gcv"}, {"alpha": 1.0}, {"alpha": 0.1, "fit_intercept": False}, {"alpha_per_target": True}]
every_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)

# check → reason, where the penalty is chosen on blocks of rows; none is expected to fail elsewhere.
ROWS_ARE_STEPS = {"check_sample_weight_equivalence_on_dense_data": "a row is a time step: the check shuffles the rows, and with them the blocks"}


@parametrize_with_checks(
    [RidgeReadout(**settings) for settings in SETTINGS],
    expected_failed_checks=lambda readout: ROWS_ARE_STEPS if readout.alpha == "block_cv" else {},
    xfail_strict=True,
)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_scikit_learn(estimator, check):
    check(estimator)


def weights(readout):
    return np.column_stack([readout.coef_, readout.intercept_])


@pytest.mark.parametrize("y", [Y, Y[:, 0], Y[:, :1]], ids=["two", "one", "column"])
@pytest.mark.parametrize("weight", [None, RNG.random(N)], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_given_penalty_is_scikit_learns_ridge(y, weight, fit_intercept):
    ours = RidgeReadout(3.0, fit_intercept=fit_intercept).fit(X, y, weight)
    theirs = Ridge(3.0, fit_intercept=fit_intercept).fit(X, y, weight)
    assert ours.coef_.shape == (*y.shape[1:], P)
    assert np.shape(ours.intercept_) == y.shape[1:]
    np.testing.assert_allclose(ours.coef_, np.reshape(theirs.coef_, ours.coef_.shape), rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(ours.predict(X), np.reshape(theirs.predict(X), y.shape), rtol=EXACT, atol=EXACT)
    assert (ours.alpha_, ours.alphas_.tolist(), ours.scores_) == (3.0, [3.0], None)


@every_setting
@pytest.mark.parametrize("size", [3, 100, 499])
def test_partial_fit_to_pieces_is_fit_to_all(settings, size):
    weight = np.random.default_rng(1).random(N)
    whole, pieces = RidgeReadout(**settings).fit(X, Y, weight), RidgeReadout(**settings)
    for low in range(0, N, size):
        rows = slice(low, low + size)
        pieces.partial_fit(X[rows], Y[rows], weight[rows])
    np.testing.assert_allclose(weights(pieces), weights(whole), rtol=EXACT, atol=EXACT)
    np.testing.assert_allclose(pieces.alpha_, whole.alpha_, rtol=EXACT)


@every_setting
def test_partial_fit_goes_on_after_fit_and_after_a_pickle(settings):
    begun = pickle.loads(pickle.dumps(RidgeReadout(**settings).fit(X[:321], Y[:321])))
    np.testing.assert_allclose(weights(begun.partial_fit(X[321:], Y[321:])), weights(RidgeReadout(**settings).fit(X, Y)), rtol=EXACT, atol=EXACT)


def test_fit_begins_anew():
    readout = RidgeReadout().fit(X, Y[:, ::-1])
    np.testing.assert_array_equal(weights(readout.fit(X, Y)), weights(RidgeReadout().fit(X, Y)))


@pytest.mark.parametrize("alpha", ["block_cv", "gcv"])
def test_every_target_may_have_its_penalty(alpha):
    readout = RidgeReadout(alpha, alpha_per_target=True).fit(X, Y)
    assert readout.scores_.shape == (25, 2)
    assert readout.alpha_[0] < readout.alpha_[1]  # the second is noisier
    for k, penalty in enumerate(readout.alpha_):
        np.testing.assert_allclose(readout.coef_[k], Ridge(penalty).fit(X, Y[:, k]).coef_, rtol=EXACT, atol=EXACT)


@every_setting
def test_single_precision_is_summed_in_double_precision(settings):
    single = X.astype(np.float32)
    one, other = RidgeReadout(**settings).fit(single, Y), RidgeReadout(**settings).fit(single.astype(np.float64), Y)
    np.testing.assert_array_equal(one.coef_, other.coef_)
    assert one.predict(single).dtype == np.float64


def test_it_can_be_searched():
    search = GridSearchCV(RidgeReadout(), {"alpha": ["block_cv", "gcv", 1.0]}, cv=TimeSeriesSplit(3)).fit(X, Y)
    assert search.best_score_ > 0.3
    assert repr(clone(search.best_estimator_)) == repr(search.best_estimator_)


def test_what_was_fitted_does_not_grow_with_the_rows():
    small, large = (RidgeReadout().fit(np.tile(X, (n, 1)), np.tile(Y, (n, 1))) for n in (1, 20))
    assert abs(len(pickle.dumps(small)) - len(pickle.dumps(large))) < 500


@pytest.mark.parametrize("change", [{"alpha": 1.0}, {"n_folds": 3}])
def test_rows_that_were_kept_by_other_folds_cannot_go_on(change):
    readout = RidgeReadout().fit(X, Y).set_params(**change)
    with pytest.raises(ValueError, match="'alpha' and 'n_folds' of RidgeReadout must stay"):
        readout.partial_fit(X, Y)
    np.testing.assert_array_equal(weights(readout.fit(X, Y)), weights(RidgeReadout(**change).fit(X, Y)))


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match=r"The 'alpha' parameter of RidgeReadout must be .*Got 'loo'"):
        RidgeReadout("loo").fit(X, Y)
    with pytest.raises(ValueError, match=r"The 'n_folds' parameter of RidgeReadout must be .*Got 1"):
        RidgeReadout(n_folds=1).fit(X, Y)
    with pytest.raises(ValueError, match="at least 2 folds that have rows with weight; got 1 of n_samples = 1"):
        RidgeReadout().fit(X[:1], Y[:1])
    with pytest.raises(ValueError, match="y has 1 targets, but RidgeReadout was fitted with 2"):
        RidgeReadout().fit(X, Y).partial_fit(X, Y[:, 0])
    with pytest.raises(ValueError, match="Sample weights must contain at least one non-zero number"):
        RidgeReadout(1.0).fit(X, Y, np.zeros(N))
