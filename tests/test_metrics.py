"""Scores are what their definitions say: re-computed the long way, or by scikit-learn where it has them."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score

from skrnn.metrics import bleu, coverage, crps, edit_distance, label_error_rate, mase, nrmse, pinball, smape, symbol_error_rate, valid_time

RNG = np.random.default_rng(0)
TRUE, PRED = RNG.normal([1, 2, 3], size=(40, 3)), RNG.normal(size=(40, 3))
WEIGHT = RNG.integers(0, 4, size=40)
TRAIN = RNG.normal(size=(30, 3))
DRAWS = RNG.normal(size=(40, 3, 11))
LEVELS = [0.1, 0.5, 0.9]

# Every score that averages over rows and outputs, as a function of targets, what is compared with them, and keywords.
AVERAGES = {
    "nrmse": (lambda y, rows, **kw: nrmse(y, PRED[rows], normalize=[1.0, 2.0, 3.0], **kw)),
    "mase": (lambda y, rows, **kw: mase(y, PRED[rows], y_train=TRAIN, **kw)),
    "smape": (lambda y, rows, **kw: smape(y, PRED[rows], **kw)),
    "pinball": (lambda y, rows, **kw: pinball(y, DRAWS[rows][..., :3], quantiles=LEVELS, **kw)),
    "crps": (lambda y, rows, **kw: crps(y, DRAWS[rows], **kw)),
    "coverage": (lambda y, rows, **kw: coverage(y, PRED[rows] - 1, PRED[rows] + 1, **kw)),
}
every_average = pytest.mark.parametrize("score", AVERAGES.values(), ids=AVERAGES)
ALL = np.arange(40)


@every_average
def test_a_whole_weight_is_a_repeated_row(score):
    repeated = np.repeat(ALL, WEIGHT)
    np.testing.assert_allclose(
        score(TRUE, ALL, sample_weight=WEIGHT, multioutput="raw_values"), score(TRUE[repeated], repeated, multioutput="raw_values")
    )


@every_average
def test_means_over_outputs(score):
    raw = score(TRUE, ALL, multioutput="raw_values")
    assert raw.shape == (3,)
    assert len(set(raw)) == 3
    uniform, weighted = score(TRUE, ALL), score(TRUE, ALL, multioutput=[1, 0, 2])
    assert type(uniform) is type(weighted) is float
    assert uniform == pytest.approx(raw.mean())
    assert weighted == pytest.approx((raw[0] + 2 * raw[2]) / 3)


@every_average
def test_bad_weights_are_refused(score):
    for weight in (np.ones(39), -np.ones(40), np.zeros(40)):
        with pytest.raises(ValueError, match=r"sample_weight must be \(40,\) numbers of at least 0, not all of them 0; got shape"):
            score(TRUE, ALL, sample_weight=weight)
    with pytest.raises(ValueError, match="multioutput must be 'uniform_average', 'raw_values' or weights; got 'mean'"):
        score(TRUE, ALL, multioutput="mean")
    with pytest.raises(ValueError, match=r"multioutput must be \(3,\) weights"):
        score(TRUE, ALL, multioutput=[1, 2])


@every_average
def test_targets_that_are_missing_are_refused(score):
    y = TRUE.copy()
    y[[4, 7], 1] = np.nan
    with pytest.raises(ValueError, match=r"y_true must be finite; got .* in row 4 \(leave out rows without a target\)"):
        score(y, ALL)


# -- numbers -------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_nrmse_and_r2(weight):
    expected = np.sqrt(1 - r2_score(TRUE, PRED, sample_weight=weight, multioutput="raw_values"))
    np.testing.assert_allclose(nrmse(TRUE, PRED, sample_weight=weight, multioutput="raw_values"), expected)
    mean = np.tile(np.average(TRUE, axis=0, weights=weight), (40, 1))
    np.testing.assert_allclose(nrmse(TRUE, mean, sample_weight=weight, multioutput="raw_values"), 1)


def test_scales_of_nrmse():
    error = np.sqrt(np.mean((TRUE - PRED) ** 2, axis=0))
    for normalize, scale in (("range", TRUE.max(axis=0) - TRUE.min(axis=0)), ("mean", TRUE.mean(axis=0)), (2.0, 2.0), ([1, 2, 4], [1, 2, 4])):
        np.testing.assert_allclose(nrmse(TRUE, PRED, normalize=normalize, multioutput="raw_values"), error / scale)
    assert nrmse(-TRUE, -PRED, normalize="mean") == nrmse(TRUE, PRED, normalize="mean") > 0


def test_mase_of_the_naive_forecast_is_one():
    series = RNG.normal(size=50).cumsum()
    for seasonality in (1, 7):
        assert mase(series[seasonality:], series[:-seasonality], y_train=series, seasonality=seasonality) == pytest.approx(1)
    naive = np.abs(TRAIN[4:] - TRAIN[:-4]).mean(axis=0)
    expected = mean_absolute_error(TRUE, PRED, multioutput="raw_values") / naive
    np.testing.assert_allclose(mase(TRUE, PRED, y_train=TRAIN, seasonality=4, multioutput="raw_values"), expected)


def test_smape():
    assert smape([1.0, -2.0, 5.0], [1.0, 2.0, 0.0]) == pytest.approx(4 / 3)  # right, of the wrong sign, zero
    assert smape(TRUE, PRED) == smape(PRED, TRUE)
    assert smape([0.0], [0.0]) == 0


# -- distributions -------------------------------------------------------------------------------------------------------------------------------


def test_pinball_is_that_of_scikit_learn():
    for level in LEVELS:
        for weight in (None, WEIGHT):
            expected = mean_pinball_loss(TRUE, PRED, alpha=level, sample_weight=weight, multioutput="raw_values")
            np.testing.assert_allclose(pinball(TRUE, PRED, quantiles=level, sample_weight=weight, multioutput="raw_values"), expected)
    stacked = np.stack([PRED - 1, PRED, PRED + 2], axis=-1)
    each = [mean_pinball_loss(TRUE, stacked[..., k], alpha=level) for k, level in enumerate(LEVELS)]
    assert pinball(TRUE, stacked, quantiles=LEVELS) == pytest.approx(np.mean(each))
    assert pinball(TRUE[:, 0], stacked[:, 0], quantiles=LEVELS) == pinball(TRUE[:, :1], stacked[:, :1], quantiles=LEVELS)


@pytest.mark.parametrize(("fair", "pairs"), [(False, 11 * 11), (True, 11 * 10)])
def test_crps_of_draws(fair, pairs):
    spread = np.abs(DRAWS[..., None] - DRAWS[..., None, :]).sum(axis=(2, 3)) / (2 * pairs)
    expected = np.abs(DRAWS - TRUE[..., None]).mean(axis=2) - spread
    np.testing.assert_allclose(crps(TRUE, DRAWS, fair=fair, multioutput="raw_values"), expected.mean(axis=0))


def test_crps_is_the_integral_of_the_brier_score():
    draws, y = np.sort(DRAWS[0, 0]), 0.3
    edges = np.sort(np.append(draws, y))
    middles = (edges[1:] + edges[:-1]) / 2
    steps = (np.searchsorted(draws, middles, side="right") / 11 - (middles >= y)) ** 2
    assert crps([y], [draws]) == pytest.approx(np.sum(steps * np.diff(edges)))


def test_crps_of_a_gaussian():
    y = np.array([-1.0, 0.2, 3.0])
    expected = [quad(lambda x, y=y: (norm.cdf(x) - (x >= y)) ** 2, -10, 10, points=[y], limit=200)[0] for y in y]
    levels = (np.arange(2000) + 0.5) / 2000
    quantiles = np.tile(norm.ppf(levels), (3, 1))
    assert crps(y, quantiles, quantiles=levels) == pytest.approx(np.mean(expected), rel=1e-3)
    assert crps(y, quantiles) == pytest.approx(np.mean(expected), rel=1e-3)


def test_crps_of_a_sure_forecast_is_the_absolute_error():
    assert crps(TRUE, PRED[..., None]) == pytest.approx(mean_absolute_error(TRUE, PRED))
    assert crps(TRUE, np.repeat(PRED[..., None], 5, axis=2), fair=True) == pytest.approx(mean_absolute_error(TRUE, PRED))


def test_the_fair_crps_does_not_depend_on_the_number_of_draws():
    rng = np.random.default_rng(1)
    y = np.zeros(20_000)
    fair = [crps(y, rng.normal(size=(20_000, m)), fair=True) for m in (2, 50)]
    assert fair[0] == pytest.approx(fair[1], rel=0.05)
    assert crps(y, rng.normal(size=(20_000, 2))) > 1.5 * fair[1]


def test_coverage_counts_the_ends():
    assert coverage([0.0, 1.0, 2.0, 3.0], [0.0, 2.0, 0.0, 0.0], [1.0, 3.0, 2.0, 2.0]) == 0.5
    assert coverage(TRUE, np.full_like(TRUE, -np.inf), np.full_like(TRUE, np.inf)) == 1


# -- chaos, symbols ------------------------------------------------------------------------------------------------------------------------------


def test_valid_time():
    true = np.array([[1.0, -10.0], [-1.0, 10.0]] * 10)  # standard deviations 1 and 10
    pred = true.copy()
    pred[7, 1] += 6.0  # an error of 0.6 in one of two outputs: 0.42
    assert valid_time(true, pred, dt=0.1, lyapunov_exponent=2.0) == pytest.approx(1.4)
    assert valid_time(true, pred, threshold=0.43) == 20
    assert valid_time(true, pred, scale=[1.0, 20.0]) == 20
    assert valid_time(true[:, 1], pred[:, 1]) == 7
    assert valid_time(true, true + 100) == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_forecast_that_runs_away_is_valid_until_then(bad):
    true = np.arange(10.0)
    pred = true.copy()
    pred[6:] = bad
    assert valid_time(true, pred) == 6


def test_symbol_error_rate():
    symbols = [3, -1, 1, -3]
    assert symbol_error_rate([-3, -1, 1, 3], [-9.0, -0.01, 0.01, 1.99], symbols=symbols) == 0.25
    assert symbol_error_rate([1, -1], [0.0, 0.0], symbols=symbols) == 0.5  # as near to both: the smaller
    assert symbol_error_rate(["a", "b"], ["a", "a"], sample_weight=[1, 3]) == 0.75


# -- errors --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: nrmse(TRUE, PRED[:39]), r"y_pred must have the shape of y_true, \(40, 3\); got \(39, 3\)"),
        (lambda: nrmse([], []), r"y_true must have shape \(n_samples,\) or \(n_samples, n_outputs\), and a row; got \(0,\)"),
        (lambda: nrmse(np.ones((2, 2, 2)), np.ones((2, 2, 2))), r"y_true must have shape .* got \(2, 2, 2\)"),
        (lambda: nrmse(1.0, 1.0), r"y_true must have shape .* got \(\)"),
        (lambda: nrmse([1.0, 2.0], [1.0, np.inf]), "y_pred must be finite; got inf in row 1"),
        (
            lambda: nrmse([1.0, 1.0], [1.0, 2.0]),
            r"the std of y_true must be a number above 0 for each of 1 outputs \(normalize= also takes numbers\)",
        ),
        (lambda: nrmse(TRUE, PRED, normalize="iqr"), "normalize must be 'std', 'range', 'mean' or numbers; got 'iqr'"),
        (lambda: nrmse(TRUE, PRED, normalize=[1.0, 2.0]), r"normalize must be a number above 0 for each of 3 outputs; got \[1.0, 2.0\]"),
        (lambda: mase(TRUE, PRED, y_train=TRAIN[:, :2]), "y_train must have as many outputs as y_true, 3; got 2"),
        (lambda: mase(TRUE, PRED, y_train=TRAIN, seasonality=30), "seasonality must be a whole number from 1 to 29, .* got 30"),
        (lambda: mase([1.0], [1.0], y_train=[2.0, 2.0]), "the naive error on y_train must be a number above 0"),
        (lambda: pinball(TRUE, PRED, quantiles=LEVELS), r"y_pred must have shape \(40, 3, n_quantiles\); got \(40, 3\)"),
        (
            lambda: pinball(TRUE, PRED, quantiles=1.0),
            r"quantiles must be a number between 0 and 1 for each of the 1 quantiles of y_pred; got \[1.0\]",
        ),
        (lambda: pinball(TRUE, DRAWS, quantiles=LEVELS), "quantiles must be a number between 0 and 1 for each of the 11 quantiles"),
        (lambda: crps(TRUE, PRED), r"y_pred must have shape \(40, 3, n_draws\); got \(40, 3\)"),
        (lambda: crps(TRUE, PRED[..., None], fair=True), "fair needs at least 2 draws; got 1"),
        (lambda: coverage([1.0, 2.0], [0.0, 3.0], [1.0, 2.0]), r"lower must be at most upper; got \[3.0\] and \[2.0\] in row 1"),
        (lambda: coverage([1.0, 2.0], [np.nan, 3.0], [1.0, 4.0]), r"lower must be at most upper; got \[nan\] and \[1.0\] in row 0"),
        (lambda: valid_time(TRUE, PRED, threshold=0), "threshold must be a number above 0; got 0"),
        (lambda: valid_time([1.0, 1.0], [1.0, 1.0]), r"the std of y_true must be a number above 0 for each of 1 outputs \(scale= takes others\)"),
        (lambda: symbol_error_rate([1, 2], [1, 2], symbols=[1, 3]), r"y_true must be of the symbols \[1.0, 3.0\]; got 2"),
        (lambda: symbol_error_rate([1, 2], [1]), r"y_true and y_pred must have the same shape \(n_samples,\), and a row; got \(2,\) and \(1,\)"),
    ],
)
def test_errors_say_what_was_expected(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_bleu_counts_as_the_paper_does():
    """Papineni et al. (2002), section 2.1: 'the' seven times agrees twice, since the reference has two."""
    assert bleu([["the", "cat", "is", "on", "the", "mat"]], [["the"] * 7], max_n=1) == pytest.approx(2 / 7)
    candidate = ["the", "cat", "sat", "on", "the", "mat"]
    reference = ["the", "cat", "is", "on", "the", "mat"]
    assert bleu([reference], [candidate], max_n=2) == pytest.approx((5 / 6 * 3 / 5) ** 0.5)
    assert bleu([reference], [candidate]) == 0  # no 4-gram agrees
    smooth = (5 / 6 * 4 / 6 * 2 / 5 * 1 / 4) ** 0.25  # Lin & Och (2004): one more of each, from bigrams on
    assert bleu([reference], [candidate], smoothing=1) == pytest.approx(smooth)


def test_bleu_is_of_the_corpus_and_punishes_what_is_short():
    true = ["abcdef", "abcdefgh"]
    assert bleu(true, true) == 1
    assert bleu(true, ["abcdef", "abcd"]) == pytest.approx(np.exp(1 - 14 / 10))
    assert bleu(true, [*true[:1], "abcdefghij"]) < 1
    assert bleu(["ab"], ["ab"]) == 1  # there are no trigrams that could agree
    assert bleu(["ab"], [""]) == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((["ab"], ["ab", "c"]), ValueError, "same number of rows"),
        (("ab", ["ab"]), TypeError, "single string"),
    ],
)
def test_bleu_refuses_what_is_no_corpus(arguments, error, message):
    with pytest.raises(error, match=message):
        bleu(*arguments)


# -- what was written down -------------------------------------------------------------------------------------------------------------------------


def _distance(a, b):
    """By its definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(_distance(a[1:], b) + 1, _distance(a, b[1:]) + 1, _distance(a[1:], b[1:]) + (a[0] != b[0]))


def test_edit_distance_is_the_least_number_of_edits():
    rng = np.random.default_rng(0)
    for _ in range(100):
        a, b = ("".join(rng.choice(list("ab"), n)) for n in rng.integers(0, 6, 2))
        assert edit_distance(a, b) == edit_distance(b, a) == edit_distance(list(a), np.array(list(b))) == _distance(a, b)
    assert edit_distance([1, "x", None], [1, None]) == 1


def test_label_error_rate_is_of_all_labels():
    true, pred = ["spam", "", ["eggs", "ham"]], ["spa", "x", ["eggs", "ham"]]
    assert label_error_rate(true, pred) == pytest.approx(2 / 6)
    assert label_error_rate(true, pred, sample_weight=[1, 2, 0.5]) == pytest.approx((1 + 2) / (4 + 0 + 1))
    assert label_error_rate(["a"], ["bcd"]) == 3.0
    assert label_error_rate(["", ""], ["", "ab"]) == 2.0
    assert label_error_rate([""], [""]) == 0.0


def test_label_error_rate_refuses_what_it_cannot_compare():
    with pytest.raises(TypeError, match="got a single string"):
        label_error_rate("spam", ["spam"])
    with pytest.raises(ValueError, match="same number of rows"):
        label_error_rate(["a"], ["a", "b"])
    with pytest.raises(ValueError, match="same number of rows"):
        label_error_rate([], [])
    with pytest.raises(ValueError, match="sample_weight"):
        label_error_rate(["a"], ["a"], sample_weight=[-1])
