"""The recurrent detector: what it looks at, what it says, and when."""

import pickle
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import RNNAnomalyDetector
from skrnn.training import ActivationPenalty

RNG = np.random.default_rng(0)
STEPS = np.arange(600)
WAVE = np.column_stack([np.sin(0.3 * STEPS), np.cos(0.3 * STEPS)]) + 0.05 * RNG.normal(size=(600, 2))


def make(**settings):
    return RNNAnomalyDetector(**{"hidden_size": 8, "max_epochs": 5, "horizon": 4, "window": 30, "random_state": 0, "dtype": "float64"} | settings)


def with_spike(at=120, size=2.0):
    test = WAVE[400:].copy()
    test[at, 0] += size
    return test


# -- shapes and containers ---------------------------------------------------------------------------------------------------------------------


def test_a_2d_array_is_one_series():
    model = make().fit(WAVE)
    assert [f(WAVE).shape for f in (model.score_samples, model.decision_function, model.predict)] == [(600,)] * 3
    assert model.errors(WAVE).shape == (600, 4, 2)


def test_lists_and_3d_arrays_hold_several_series_that_do_not_see_each_other():
    model = make().fit([WAVE[:250], WAVE[250:]])
    scores = model.score_samples([WAVE[:100], WAVE[100:250]])
    assert [len(s) for s in scores] == [100, 150]
    np.testing.assert_allclose(scores[1], model.score_samples(WAVE[100:250]), rtol=1e-9)
    assert model.predict(WAVE.reshape(3, 200, 2)).shape == (3, 200)


def test_same_seed_same_bits_and_through_pickle():
    one, other = make().fit(WAVE), make().fit(WAVE)
    np.testing.assert_array_equal(one.score_samples(WAVE), other.score_samples(WAVE))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(one)).score_samples(WAVE), one.score_samples(WAVE))
    assert clone(one).get_params() == one.get_params()


# -- what is normal ----------------------------------------------------------------------------------------------------------------------------


def test_a_spike_is_found_at_its_step():
    model = make(max_epochs=40).fit(WAVE[:400])
    scores = model.score_samples(with_spike(120))
    assert scores.argmin() == 120
    assert model.predict(with_spike(120))[120] == -1
    assert (model.predict(WAVE[400:]) == -1).mean() < 0.05


def test_no_score_looks_ahead():
    """Neither at the targets nor at the covariates of later steps."""
    model = make(covariates=[1]).fit(WAVE)
    changed = WAVE.copy()
    changed[300:] = RNG.normal(size=(300, 2)) * 5
    before, after = model.score_samples(WAVE), model.score_samples(changed)
    np.testing.assert_array_equal(before[:300], after[:300])
    assert (before[300:] != after[300:]).all()


def test_the_first_steps_have_scores_that_grow_out_of_what_is_expected():
    model = make().fit(WAVE)
    scores = model.score_samples(WAVE)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores[0], scores[450:].mean())  # nothing was predicted: as the mean held-out step
    missing = np.isnan(model.errors(WAVE)).any(axis=2)
    assert missing.sum(axis=0).tolist() == [5, 6, 7, 8]  # what is predicted at the first horizon steps does not count
    assert missing[:5].all()


def test_the_gaussian_is_of_the_held_out_part():
    model = make(calibration_fraction=0.3).fit(WAVE)
    errors = (model.errors(WAVE) / model.target_scale_).reshape(600, -1)[420:]
    np.testing.assert_allclose(model.error_gaussian_.mean, errors.mean(axis=0))
    np.testing.assert_allclose(model.error_gaussian_.scale, errors.std(axis=0))


def test_what_is_held_out_is_not_learned_from():
    changed = WAVE.copy()
    changed[450:] = RNG.normal(size=(150, 2))
    one, other = make().fit(WAVE), make().fit(changed)
    np.testing.assert_array_equal(one.errors(WAVE), other.errors(WAVE))
    assert one.offset_ != other.offset_


def test_the_threshold_is_that_of_the_held_out_part_or_of_a_share_of_all():
    model = make().fit(WAVE)
    assert model.offset_ == np.quantile(model.score_samples(WAVE)[450:], 0.001)
    model = make(contamination=0.1).fit(WAVE)
    assert (model.predict(WAVE) == -1).sum() == 60
    np.testing.assert_array_equal(model.fit_predict(WAVE), model.predict(WAVE))


@pytest.mark.parametrize("factors", [(1e-5, 1.0), (1.0, 1e6), (3.0, 0.1)])
def test_scores_do_not_depend_on_the_scale_of_a_channel(factors):
    one, other = make().fit(WAVE), make().fit(WAVE * factors + [0.0, 2.0])
    np.testing.assert_allclose(one.score_samples(WAVE), other.score_samples(WAVE * factors + [0.0, 2.0]), rtol=1e-5)


def test_a_constant_channel_is_no_matter_until_it_changes():
    X = np.column_stack([WAVE[:, 0], np.full(600, 7.1), WAVE[:, 0]])
    model = make().fit(X)
    changed = X.copy()
    changed[550, 1] += 1000
    scores, changed_scores = model.score_samples(X), model.score_samples(changed)
    assert np.isfinite(scores).all()
    assert changed_scores[550] < scores[550] - 1000
    assert model.predict(changed)[550] == -1


# -- covariates --------------------------------------------------------------------------------------------------------------------------------


def test_covariates_are_seen_but_neither_predicted_nor_judged():
    driven = RNG.integers(0, 2, size=(600, 1)).astype(float)
    X = np.column_stack([np.where(driven[:, 0] == 1, 3.0, -3.0) + 0.1 * RNG.normal(size=600), driven])
    blind, seeing = (make(max_epochs=30, covariates=c, horizon=1).fit(x) for c, x in (((), X[:, :1]), ([1], X)))
    assert seeing.errors(X).shape == (600, 1, 1)
    assert np.nanstd(seeing.errors(X)) < 0.2 * np.nanstd(blind.errors(X[:, :1]))


@pytest.mark.parametrize("covariates", [[2], [-1], ["c"], np.array([2]), ("c",)])
def test_columns_by_number_or_name(covariates):
    frame = pd.DataFrame(np.column_stack([WAVE, STEPS % 2]), columns=["a", "b", "c"])
    assert make(covariates=covariates).fit(frame).target_channels_.tolist() == [0, 1]


def test_in_a_pipeline_with_names():
    frame = pd.DataFrame(np.column_stack([STEPS % 2, WAVE]), columns=["calendar", "a", "b"])
    scaled = make_column_transformer((StandardScaler(), ["a", "b"]), remainder="passthrough", verbose_feature_names_out=False)
    pipeline = make_pipeline(scaled.set_output(transform="pandas"), make(covariates=["calendar"])).fit(frame)
    assert pipeline[-1].target_channels_.tolist() == [0, 1]
    assert pipeline.score_samples(frame).shape == pipeline.predict(frame).shape == (600,)


def test_a_search_over_the_horizon():
    search = GridSearchCV(
        make(max_epochs=2), {"horizon": [1, 3]}, cv=TimeSeriesSplit(2), scoring=lambda model, X, y=None: model.score_samples(X).mean()
    )
    assert search.fit(WAVE).best_params_["horizon"] in (1, 3)


# -- what is refused ---------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"covariates": ["d"]}, r"covariates must name columns of X, which are 0 to 1; got 'd'"),
        ({"covariates": [2]}, "got 2"),
        ({"covariates": [0, 1]}, "all 2 columns"),
        ({"horizon": 450}, r"series 0 has n_samples = 600: .* leaves 450 steps"),
        ({"horizon": 0}, "horizon"),
        ({"bidirectional": True}, "does not look ahead"),
        ({"mode": "reconstruct", "rule": "truncated_bptt"}, "Autoencoder learns by rule='bptt' or 'guessing'; got TruncatedBPTT"),
        ({"calibration_fraction": 1.0}, "calibration_fraction"),
        ({"contamination": 0.6}, "contamination"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        make(**settings).fit(WAVE)


@pytest.mark.parametrize(
    ("settings", "n_steps", "horizon", "window", "message"),
    [
        ({}, 40, 10, 20, None),
        ({}, 20, 3, 12, "horizon=10 is too long for series of up to 20 steps: horizon_=3 is used"),
        ({}, 10, 1, 6, "horizon=10 is too long for series of up to 10 steps: horizon_=1 is used"),
        ({"mode": "reconstruct"}, 60, 10, 22, "window=100 is too long for series of up to 60 steps: window_=22 is used"),
        ({"mode": "reconstruct"}, 10, 3, 3, "window=100 is too long for series of up to 10 steps: window_=3 is used"),
    ],
)
def test_defaults_become_less_where_the_series_are_too_short(settings, n_steps, horizon, window, message):
    model = RNNAnomalyDetector(hidden_size=4, max_epochs=1, random_state=0, **settings)
    with pytest.warns(UserWarning, match=message) if message else nullcontext():
        model.fit(WAVE[:n_steps])
    assert (model.horizon_, model.window_) == (horizon, window)
    assert model.errors(WAVE[:30]).shape == (30, horizon, 2)
    assert np.isfinite(model.score_samples(WAVE[:1])).all()


def test_a_short_series_is_named():
    with pytest.raises(ValueError, match="series 1 has n_samples = 5"):
        make().fit([WAVE, WAVE[:5]])


def test_missing_values_are_refused_with_their_place():
    X = WAVE.copy()
    X[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"NaN .*step 7, feature 1.*SequenceImputer"):
        make().fit(X)


def test_a_failed_fit_changes_nothing():
    model = make().fit(WAVE)
    before = model.score_samples(WAVE)
    with pytest.raises(ValueError, match="leaves"):
        model.fit(WAVE[:5])
    np.testing.assert_array_equal(model.score_samples(WAVE), before)


def test_early_stopping_holds_out_the_last_windows():
    model = make(early_stopping=True, max_epochs=20).fit(WAVE)
    assert len(model.validation_scores_) == model.n_iter_
    with pytest.raises(ValueError, match="of 1 windows leaves none"):
        make(early_stopping=True, window=600).fit(WAVE)


# -- reconstruction ----------------------------------------------------------------------------------------------------------------------------


def reconstructing(**settings):
    return make(**{"mode": "reconstruct", "window": 20, "horizon": 3} | settings)


def test_a_reconstruction_is_compared_with_the_window_that_ends_at_the_step():
    """By a network that writes the zeros of an untrained head: the error is the series itself, less its mean."""
    model = reconstructing(max_epochs=1, learning_rate=1e-12).fit(WAVE)
    errors = model.errors(WAVE) + model.target_mean_
    for j in range(3):
        np.testing.assert_allclose(errors[19:, j], WAVE[19 - j : 600 - j], atol=1e-6)
    assert np.isnan(errors[:19]).all()


@pytest.mark.parametrize(
    "settings",
    [{}, *(pytest.param(more, marks=pytest.mark.slow) for more in ({"bidirectional": True}, {"cell": "lstm", "n_layers": 2, "dropout": 0.1}))],
    ids=str,
)
def test_what_never_came_before_is_reconstructed_wrongly(settings):
    model = reconstructing(max_epochs=60, **settings).fit(WAVE[:400])
    test = WAVE[400:].copy()
    test[120:125] = 0.9
    scores = model.score_samples(test)
    assert 120 <= scores.argmin() < 128
    assert (model.predict(test)[120:128] == -1).any()
    assert np.isfinite(scores).all()


def test_no_reconstruction_looks_ahead():
    model = reconstructing().fit(WAVE)
    changed = WAVE.copy()
    changed[300:] = RNG.normal(size=(300, 2)) * 5
    np.testing.assert_array_equal(model.score_samples(WAVE)[:300], model.score_samples(changed)[:300])


def test_covariates_are_read_and_known_but_not_written():
    model = reconstructing(covariates=[0], max_epochs=40).fit(WAVE)
    assert model.errors(WAVE).shape == (600, 3, 1)
    blind = reconstructing(max_epochs=40).fit(WAVE[:, 1:])
    assert np.nanstd(model.errors(WAVE)) < np.nanstd(blind.errors(WAVE[:, 1:]))


def test_a_window_longer_than_what_is_there_is_refused():
    with pytest.raises(ValueError, match=r"series 0 has n_samples = 60: .* leaves 45 steps .* needs 50"):
        reconstructing(window=50).fit(WAVE[:60])
    assert len(np.unique(reconstructing().fit(WAVE).score_samples(WAVE[:10]))) == 1  # shorter than a window: usual


# -- training ----------------------------------------------------------------------------------------------------------------------------------


def test_outliers_while_training_keep_the_steps_after_a_spike_from_being_blamed():
    test = WAVE[400:].copy()
    test[120] += 2
    plain, hardened = (make(max_epochs=60, hidden_size=16, outlier_rate=rate).fit(WAVE[:400]) for rate in (0.0, 0.2))

    def blamed(model):
        return (model.score_samples(WAVE[400:]) - model.score_samples(test))[121:125].mean() / -model.score_samples(test)[120]

    assert blamed(hardened) < 0.5 * blamed(plain)


def test_a_warm_start_goes_on_and_calibrates_again():
    model = make(warm_start=True).fit(WAVE)
    before = model.offset_
    model.fit(WAVE)
    assert model.n_iter_ == len(model.loss_curve_) == 10
    assert model.offset_ != before
    with pytest.raises(ValueError, match="horizon=4, but the estimator now has horizon=5"):
        model.set_params(horizon=5).fit(WAVE)


def test_penalties_of_the_user_are_kept():
    model = make(penalties=ActivationPenalty(10.0)).fit(WAVE)
    assert (model.score_samples(WAVE) != make().fit(WAVE).score_samples(WAVE)).any()
