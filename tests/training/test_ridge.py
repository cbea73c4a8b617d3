import pickle
from functools import partial

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, PredefinedSplit, cross_val_predict

from skrnn.training import NormalEquations, choose_alpha, contiguous_folds, solve, solve_path, svd_path
from skrnn.training._normal_equations import GrowingFolds

EXACT = 1e-8  # float64, against scikit-learn or another order of the rows, relative to the largest number
N, P, K = 3000, 12, 3
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(N, P)) @ RNG.normal(size=(P, P)) + 3
Y = Z[:, :K] ** 2 + RNG.normal(size=(N, K)) * [0.1, 1, 30]
WEIGHT = RNG.integers(0, 4, size=N).astype(float)
ALPHAS = np.logspace(-3, 5, 9)
FOLD = contiguous_folds(N, 5)
intercepts = pytest.mark.parametrize("fit_intercept", [True, False])
weights = pytest.mark.parametrize("weight", [None, WEIGHT], ids=["unweighted", "weighted"])


def gathered(Z=Z, Y=Y, weight=None, fold=0, n_folds=1):
    return NormalEquations(Z.shape[1], Y.shape[1], n_folds).add(Z, Y, weight, fold)


def by_sklearn(alpha, Z=Z, Y=Y, weight=None, fit_intercept=True):
    ridge = Ridge(alpha, fit_intercept=fit_intercept, solver="svd").fit(Z, Y, weight)
    return ridge.coef_, np.broadcast_to(ridge.intercept_, Y.shape[1])


def assert_same(ours, theirs, tolerance=EXACT):
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, np.abs(b).max()))


def assert_same_sums(one, other):
    for a, b in zip(one.folds, other.folds, strict=True):
        assert (a.n_rows, a.weight) == (b.n_rows, pytest.approx(b.weight, rel=1e-12))
        assert_same((a.mean_z, a.mean_y, a.full_gram, a.cross, a.square), (b.mean_z, b.mean_y, b.full_gram, b.cross, b.square))


# -- gathering -----------------------------------------------------------------------------------------------------------------------------------


@weights
def test_the_sums_are_those_of_the_textbook(weight):
    w = np.ones(N) if weight is None else weight
    (moments,) = gathered(weight=weight).folds
    mean_z, mean_y = np.average(Z, axis=0, weights=w), np.average(Y, axis=0, weights=w)
    z, y = Z - mean_z, Y - mean_y
    assert (moments.n_rows, moments.weight) == (N, w.sum())
    expected = (mean_z, mean_y, (w[:, None] * z).T @ z, (w[:, None] * z).T @ y, w @ y**2)
    assert_same((moments.mean_z, moments.mean_y, moments.full_gram, moments.cross, moments.square), expected, 1e-12)


@weights
@pytest.mark.parametrize("size", [1, 7, 1024, 1025, N])
def test_blocks_and_their_order_do_not_matter(weight, size):
    streamed = NormalEquations(P, K, 5)
    starts = np.random.default_rng(1).permutation(np.arange(0, N, size))
    for low in starts:
        rows = slice(low, low + size)
        streamed.add(Z[rows], Y[rows], None if weight is None else weight[rows], FOLD[rows])
    assert_same_sums(streamed, gathered(weight=weight, fold=FOLD, n_folds=5))


def test_workers_are_summed():
    fold = np.random.default_rng(1).integers(5, size=N)  # rows of a fold need not stand together
    parts = [gathered(Z[k::3], Y[k::3], WEIGHT[k::3], fold[k::3], 5) for k in range(3)]
    whole = gathered(weight=WEIGHT, fold=fold, n_folds=5)
    before = pickle.loads(pickle.dumps(parts))
    assert_same_sums(sum(pickle.loads(pickle.dumps(parts))), whole)
    assert_same_sums(parts[2] + parts[0] + parts[1], whole)
    for part, was in zip(parts, before, strict=True):
        assert_same_sums(part, was)  # a sum leaves its terms alone
    parts[0] += parts[1]
    parts[0] += parts[2]
    assert_same_sums(parts[0], whole)


def test_without_a_fold_is_without_its_rows():
    equations = gathered(fold=FOLD, n_folds=5)
    assert_same_sums(equations.without(2), gathered(Z[FOLD != 2], Y[FOLD != 2]))
    assert_same_sums(equations.without(None), gathered())
    assert (equations.n_rows, equations.weight) == (N, N)


def test_a_large_offset_does_not_cancel():
    assert_same((solve(gathered(Z + 1e6, Y + 1e6), 1.0)[0],), (solve(gathered(), 1.0)[0],), 1e-7)  # Z + 1e6 itself is rounded to 1e-10


def test_single_precision_states_are_summed_in_double_precision():
    single = Z.astype(np.float32)
    assert_same_sums(gathered(single), gathered(single.astype(np.float64)))


def test_memory_does_not_grow_with_the_rows():
    assert len(pickle.dumps(gathered())) == len(pickle.dumps(gathered(Z[:500], Y[:500])))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((Z[:, 1:], Y), r"Z must have the shape \(n_rows, 12\), with as many rows as Z; got \(3000, 11\)"),
        ((Z, Y[:, 0]), r"Y must have the shape \(n_rows, 3\), with as many rows as Z; got \(3000,\)"),
        ((Z, Y[1:]), r"Y must have .*; got \(2999, 3\)"),
        ((Z, Y, -WEIGHT), "sample_weight must hold a number of at least 0 for each of the 3000 rows"),
        ((Z, Y, WEIGHT[1:]), "sample_weight must hold"),
        ((Z, Y, WEIGHT * np.nan), "sample_weight must hold"),
        ((Z, Y, None, 2), "fold must be an integer below n_folds=2, or one for each of the 3000 rows; got 2"),
        ((Z, Y, None, FOLD[1:]), "fold must be an integer"),
        ((Z, Y, None, 0.0), "fold must be an integer"),
        ((Z * np.nan, Y), "must hold finite numbers"),
        ((Z, Y * np.inf), "must hold finite numbers"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        NormalEquations(P, K, 2).add(*arguments)


def test_sizes_have_to_fit():
    with pytest.raises(ValueError, match="The 'n_folds' parameter of NormalEquations must be a whole number of at least 1; got 0"):
        NormalEquations(P, K, 0)
    with pytest.raises(ValueError, match="same sizes"):
        NormalEquations(P, K) + NormalEquations(P, K, 2)
    with pytest.raises(TypeError, match="unsupported operand"):
        NormalEquations(P, K) + 1


# -- folds ---------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_rows", "n_folds"), [(10, 3), (12, 5), (5, 5), (7, 1)])
def test_the_folds_of_a_sequence_are_those_of_kfold(n_rows, n_folds):
    fold = contiguous_folds(n_rows, n_folds)
    if n_folds > 1:
        assert [np.flatnonzero(fold == k).tolist() for k in range(n_folds)] == [test.tolist() for _, test in KFold(n_folds).split(fold)]
    assert len(fold) == n_rows


@pytest.mark.parametrize("seed", range(20))
def test_sequences_stay_whole_in_balanced_folds(seed):
    rng = np.random.default_rng(seed)
    lengths, n_folds = rng.integers(1, 50, size=rng.integers(5, 60)), 5
    fold = contiguous_folds(lengths, n_folds)
    by_sequence = np.split(fold, np.cumsum(lengths)[:-1])
    assert all(len(set(part)) == 1 for part in by_sequence)
    assert (np.diff(fold) >= 0).all()
    sizes = np.bincount(fold, minlength=n_folds)
    assert (sizes > 0).all()
    assert np.abs(sizes - lengths.sum() / n_folds).max() <= 2 * lengths.max()


def test_few_sequences_are_cut():
    assert contiguous_folds([4, 6], 5).tolist() == np.repeat(range(5), 2).tolist()


@pytest.mark.parametrize("lengths", [[3, 0], 4, [2.0, 9.0], [[9]]])
def test_lengths_must_fill_the_folds(lengths):
    with pytest.raises(ValueError, match="lengths must be positive numbers of rows, in sum at least n_folds=5"):
        contiguous_folds(lengths, 5)


@pytest.mark.parametrize("n_rows", [1, 2, 9, 10, 11, 63, 64, 65, 1000])
def test_growing_folds_do_not_depend_on_how_rows_came(n_rows):
    at_once = GrowingFolds(P, K, 5).add(Z[:n_rows], Y[:n_rows])
    in_pieces = GrowingFolds(P, K, 5)
    for rows in np.array_split(np.arange(n_rows), min(n_rows, 17)):
        in_pieces.add(Z[rows], Y[rows])
    assert_same_sums(at_once.equations, in_pieces.equations)
    assert_same_sums(at_once.equations.without(None), gathered(Z[:n_rows], Y[:n_rows]))
    sizes = [moments.n_rows for moments in at_once.equations.folds]
    assert len(sizes) == min(n_rows, 5)
    assert max(sizes) <= 2 * at_once.size <= max(2, 2 * n_rows / 5)


# -- solving -------------------------------------------------------------------------------------------------------------------------------------


@weights
@intercepts
@pytest.mark.parametrize("alpha", [0.0, 1e-3, 1.0, 1e4])
def test_one_penalty_is_scikit_learns_ridge(weight, fit_intercept, alpha):
    assert_same(solve(gathered(weight=weight), alpha, fit_intercept=fit_intercept), by_sklearn(alpha, weight=weight, fit_intercept=fit_intercept))


@weights
@intercepts
def test_a_path_is_its_single_solutions(weight, fit_intercept):
    equations = gathered(weight=weight)
    coefs, intercepts = solve_path(equations, ALPHAS, fit_intercept=fit_intercept)
    for alpha, coef, intercept in zip(ALPHAS, coefs, intercepts, strict=True):
        assert_same((coef, intercept), solve(equations, alpha, fit_intercept=fit_intercept))


def test_targets_may_have_penalties_of_their_own():
    penalties = np.array([0.1, 10.0, 1000.0])
    coef, intercept = solve(gathered(), penalties)
    for k, alpha in enumerate(penalties):
        assert_same((coef[k], intercept[k : k + 1]), (c[k] if c.ndim > 1 else c[k : k + 1] for c in by_sklearn(alpha)))


@pytest.mark.parametrize("n_rows", [1, 5, 40])
@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_a_singular_matrix_has_the_solution_of_least_norm(n_rows, alpha):
    z = np.hstack([Z, Z[:, :2], np.ones((N, 1))])[:n_rows]
    coef, intercept = solve(gathered(z, Y[:n_rows]), alpha)
    centred = z - z.mean(0)
    expected = (np.linalg.pinv(centred.T @ centred + alpha * np.eye(z.shape[1]), rcond=1e-12) @ centred.T @ (Y[:n_rows] - Y[:n_rows].mean(0))).T
    assert_same((coef, intercept), (expected, Y[:n_rows].mean(0) - expected @ z.mean(0)), 1e-7)


def test_features_of_very_different_scale():
    scale = np.logspace(-9, 3, P)
    coef, _ = solve(gathered(Z * scale), 0.0)
    assert_same((coef * scale,), by_sklearn(0.0)[:1], 1e-7)


@weights
def test_singular_values_give_the_same_path(weight):
    assert_same(svd_path(Z, Y, ALPHAS, weight), solve_path(gathered(weight=weight), ALPHAS))
    wide = partial(svd_path, Z[:7], Y[:7])
    assert_same(wide([0.0, 1.0]), solve_path(gathered(Z[:7], Y[:7]), [0.0, 1.0]), 1e-7)


def test_singular_values_keep_what_normal_equations_lose():
    """A feature 1e-9 of the others: its square is below their rounding error. Only least squares in the features themselves finds its weight."""
    rng = np.random.default_rng(0)
    common, tiny = rng.normal(size=(500, 1)), rng.normal(size=(500, 1))
    z = np.hstack([common, common + 1e-9 * tiny])
    alpha = 1e-24 * np.trace(z.T @ z)
    (coef,), (intercept,) = svd_path(z, tiny, [alpha])
    lost, offset = solve(gathered(z, tiny), alpha)
    assert np.abs(z @ coef.T + intercept - tiny).max() < 1e-3
    assert np.abs(z @ lost.T + offset - tiny).max() > 0.1


@pytest.mark.parametrize("alpha", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("call", [solve, solve_path, lambda e, alpha: choose_alpha(e, "gcv", alpha), lambda e, alpha: svd_path(Z, Y, alpha)])
def test_penalties_are_finite_and_not_negative(call, alpha):
    with pytest.raises(ValueError, match="must be finite and at least 0; got"):
        call(gathered(), alpha)


def test_an_answer_needs_rows():
    for call in (lambda: solve(NormalEquations(P, K), 1.0), lambda: svd_path(Z, Y, 1.0, np.zeros(N))):
        with pytest.raises(ValueError, match="there must be rows with weight"):
            call()
    with pytest.raises(ValueError, match="alpha must be one number, or one for each of the 3 targets"):
        solve(gathered(), [1.0, 2.0])


# -- choosing ------------------------------------------------------------------------------------------------------------------------------------


@weights
@intercepts
def test_block_cv_is_cross_validation(weight, fit_intercept):
    equations = gathered(weight=weight, fold=FOLD, n_folds=5)
    choice = choose_alpha(equations, "block_cv", ALPHAS, per_target=True, fit_intercept=fit_intercept)
    for alpha, score in zip(ALPHAS, choice.scores, strict=True):
        ridge = Ridge(alpha, fit_intercept=fit_intercept)
        said = cross_val_predict(ridge, Z, Y, cv=PredefinedSplit(FOLD), params=None if weight is None else {"sample_weight": weight})
        np.testing.assert_allclose(score, mean_squared_error(Y, said, sample_weight=weight, multioutput="raw_values"), rtol=EXACT)
    np.testing.assert_array_equal(choice.alpha, ALPHAS[choice.scores.argmin(0)])
    pooled = choose_alpha(equations, "block_cv", ALPHAS, fit_intercept=fit_intercept)
    np.testing.assert_allclose(pooled.scores, choice.scores.mean(1))
    assert pooled.alpha == ALPHAS[pooled.scores.argmin()]


@intercepts
@pytest.mark.parametrize("n_rows", [8, 12, 13, 14, 300])
def test_gcv_is_its_formula(n_rows, fit_intercept):
    z, y = Z[:n_rows], Y[:n_rows]
    choice = choose_alpha(gathered(z, y), "gcv", ALPHAS, per_target=True, fit_intercept=fit_intercept)
    centred = z - fit_intercept * z.mean(0)
    for alpha, score in zip(ALPHAS, choice.scores, strict=True):
        hat = centred @ np.linalg.solve(centred.T @ centred + alpha * np.eye(P), centred.T) + fit_intercept / n_rows
        expected = n_rows * ((y - hat @ y) ** 2).sum(0) / (n_rows - np.trace(hat)) ** 2
        np.testing.assert_allclose(score, expected, rtol=1e-6)


def test_weights_are_repetitions_to_gcv():
    repeated = np.repeat(np.arange(N), WEIGHT.astype(int))
    one, other = (choose_alpha(e, "gcv", ALPHAS) for e in (gathered(weight=WEIGHT), gathered(Z[repeated], Y[repeated])))
    np.testing.assert_allclose(one.scores, other.scores, rtol=EXACT)


@pytest.mark.parametrize("how", ["block_cv", "gcv"])
def test_the_scale_of_features_does_not_change_the_default_choice(how):
    small, large = (gathered(scale * Z, Y, fold=FOLD, n_folds=5) for scale in (1e-3, 1e3))
    one, other = choose_alpha(small, how), choose_alpha(large, how)
    np.testing.assert_allclose(other.alphas, 1e12 * one.alphas, rtol=1e-10)
    assert other.alpha == pytest.approx(1e12 * one.alpha)


def test_the_larger_of_equal_penalties_is_chosen():
    nothing = gathered(Z, np.zeros((N, 1)), fold=FOLD, n_folds=5)
    for how in ("block_cv", "gcv"):
        assert choose_alpha(nothing, how, [1.0, 100.0, 10.0]).alpha == 100


@pytest.mark.parametrize("seed", range(3))
def test_gcv_is_fooled_by_noise_with_a_memory_and_block_cv_is_not(seed):
    """Slow noise is alike at neighbouring steps, and 60 slow features find it in the training set."""
    rng = np.random.default_rng(seed)
    kernel = np.exp(-np.arange(100) / 20)
    slow = np.array([np.convolve(row, kernel, "valid") for row in rng.normal(size=(62, 599))]).T
    z, y = slow[:, :60], slow[:, :1] + 3 * slow[:, 61:]
    equations = gathered(z[:250], y[:250], fold=contiguous_folds(250, 5), n_folds=5)
    errors = {}
    for how in ("block_cv", "gcv"):
        coef, intercept = solve(equations, choose_alpha(equations, how).alpha)
        errors[how] = float(np.mean((z[300:] @ coef.T + intercept - y[300:]) ** 2))
    assert errors["block_cv"] < errors["gcv"]


def test_block_cv_needs_two_folds():
    with pytest.raises(ValueError, match="at least 2 folds that have rows with weight; got 1 of n_samples = 3000"):
        choose_alpha(gathered(n_folds=5), "block_cv")
    with pytest.raises(ValueError, match=r"how must be one of \['block_cv', 'gcv'\]; got 'loo'"):
        choose_alpha(gathered(), "loo")
    with pytest.raises(ValueError, match=r"gcv needs a sum of weights that is greater than the rank .*; got 0.3 of n_samples = 3000"):
        choose_alpha(gathered(weight=np.full(N, 1e-4)), "gcv")
