"""Bits that tell sequences apart, and features that crowd into groups; both learned from nothing but the sequences."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import normalized_mutual_info_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import BingoCluster, NeoTransformer
from skrnn.data import as_sequences
from skrnn.datasets import make_pulse_trains
from skrnn.preprocessing import PerStep
from skrnn.training import InformationGain
from tests.estimators.samples import EQUAL, RAGGED, TABLE, Hook

QUICK = {"hidden_size": 6, "max_epochs": 4, "random_state": 0}
BOTH = pytest.mark.parametrize("kind", [BingoCluster, NeoTransformer])


def bingo(**settings):
    return BingoCluster(**QUICK | settings)


def neo(**settings):
    return NeoTransformer(**QUICK | settings)


# -- bits ----------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["local", "joint"])
def test_two_bits_find_the_two_factors_of_rhythms(algorithm):
    X, factors = make_pulse_trains(200, 18, noise=0.05, random_state=0)
    model = BingoCluster("lstm", hidden_size=12, algorithm=algorithm, n_init=1, learning_rate=0.03, max_epochs=50, random_state=0).fit(X)
    assert normalized_mutual_info_score(factors @ [2, 1], model.labels_) >= 0.8
    told = [[normalized_mutual_info_score(factor, bit > 0.5) for bit in model.transform(X).T] for factor in factors.T]
    assert max(min(told[0][0], told[1][1]), min(told[0][1], told[1][0])) >= 0.8
    assert model.score(X) > 1.4


def test_clusters_are_numbered_by_the_bits_that_were_found():
    model = bingo(n_bits=3).fit(RAGGED)
    bits = model.transform(RAGGED) > 0.5
    np.testing.assert_array_equal(model.codes_[model.labels_], bits)
    assert np.unique(model.labels_).tolist() == [*range(len(model.codes_))]
    np.testing.assert_array_equal(model.predict(RAGGED), model.labels_)
    np.testing.assert_array_equal(clone(model).fit_predict(RAGGED), model.labels_)


def test_a_code_that_is_new_falls_to_the_likeliest_cluster():
    model = bingo().fit(RAGGED)
    z = model.transform(RAGGED)
    model.codes_ = model.codes_[1:]
    odds = np.log(z / (1 - z))
    likeliest = [int(np.argmax([np.sum(np.where(code, row, -row)) for code in model.codes_])) for row in odds]
    np.testing.assert_array_equal(model.predict(RAGGED), likeliest)


def test_bits_are_those_of_the_network_in_the_units_of_all_sequences():
    model = bingo(gain=2.5).fit(RAGGED)
    predictor = model._predictor()
    raw = predictor.outputs(predictor.read(RAGGED))
    u = 2.5 * (raw - raw.mean(axis=0)) / np.sqrt(raw.var(axis=0) + 1e-5)
    np.testing.assert_allclose(model.transform(RAGGED), expit(u), rtol=1e-6)
    gain = -float(InformationGain(2).of_normalised(torch.tensor(u), None))
    assert model.score(RAGGED) == pytest.approx(gain, abs=1e-6)
    assert 0 < model.score(RAGGED) < 2


@pytest.mark.parametrize("settings", [{"batch_size": None}, {"batch_size": 10}, {"early_stopping": True, "validation_fraction": 0.3}])
def test_the_best_start_is_kept(settings):
    """By the loss, on what is held out if anything is: what one start alone has comes first."""
    ones = [bingo(n_init=1, **settings).fit(RAGGED), bingo(n_init=4, **settings).fit(RAGGED)]
    if "early_stopping" not in settings:
        assert ones[1].score(RAGGED) >= ones[0].score(RAGGED)
    assert len(ones[1].loss_curve_) == ones[1].n_iter_
    several = bingo(n_init=4, **settings).fit(RAGGED)
    np.testing.assert_array_equal(several.transform(RAGGED), ones[1].transform(RAGGED))


def test_whoever_looks_on_sees_every_start_and_a_bit_of_the_last_epoch():
    seen = []
    model = bingo(n_init=2, max_epochs=3)
    model.set_callbacks(Hook(lambda estimator: bool(seen.append(estimator.n_iter_))))
    model.fit(RAGGED)
    assert seen == [1, 2, 3, 1, 2, 3]


@pytest.mark.filterwarnings("ignore::skrnn.training.InterruptedWarning")
@pytest.mark.parametrize("interrupts", [False, True])
def test_who_stops_a_start_stops_all(interrupts):
    seen = []

    def look(estimator):
        if len(seen) == 4 and interrupts:
            raise KeyboardInterrupt
        seen.append(estimator.n_iter_)
        return len(seen) == 5

    model = bingo(n_init=4, max_epochs=3).set_callbacks(Hook(look)).fit(RAGGED)
    assert seen == [1, 2, 3, 1, 2][: 4 if interrupts else 5]
    assert model.transform(RAGGED).shape == (len(RAGGED), model.n_bits)


# -- features ------------------------------------------------------------------------------------------------------------------------------------


def test_features_have_variance_one_and_no_correlation():
    model = neo(n_components=3, dtype="float64").fit(RAGGED)
    features = model.transform(RAGGED)
    np.testing.assert_allclose(features.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(features.T, bias=True), np.eye(3), atol=1e-6)
    assert model.bandwidth_ > 0


def test_less_entropy_and_more_of_it_are_two_aims():
    X, _ = make_pulse_trains(60, 12, random_state=0)
    least, most = (neo(objective=way, n_init=1, max_epochs=30, learning_rate=0.03).fit(X) for way in ("minimize", "maximize"))
    entropies = -least.score(X), most.score(X)
    assert entropies[0] < 2 < 2.4 < entropies[1]


def test_kinds_of_rhythms_crowd():
    X, factors = make_pulse_trains(200, 18, noise=0.05, random_state=0)
    model = make_pipeline(
        NeoTransformer("lstm", hidden_size=12, learning_rate=0.03, max_epochs=60, random_state=0), KMeans(4, n_init=10, random_state=0)
    )
    assert normalized_mutual_info_score(factors @ [2, 1], model.fit(X).predict(X)) >= 0.5


@BOTH
def test_units_of_channels_do_not_matter(kind):
    one = kind(**QUICK, dtype="float64").fit(RAGGED)
    moved = [x * [3.0, 0.01, 50.0] + [7.0, -1.0, 100.0] for x in RAGGED]
    other = kind(**QUICK, dtype="float64").fit(moved)
    np.testing.assert_allclose(other.transform(moved), one.transform(RAGGED), rtol=1e-6, atol=1e-8)


# -- both ----------------------------------------------------------------------------------------------------------------------------------------


@BOTH
def test_an_answer_does_not_depend_on_company(kind):
    model = kind(**QUICK).fit(RAGGED)
    whole = model.transform(RAGGED)
    for rows in ([5], [17, 3], [*range(39, -1, -1)]):
        np.testing.assert_array_equal(model.transform(as_sequences([RAGGED[k] for k in rows])), whole[rows])
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).transform(RAGGED), whole)


@BOTH
def test_names_frames_and_containers(kind):
    model = kind(**QUICK).fit(RAGGED)
    name = kind.__name__.lower()
    assert model.get_feature_names_out().tolist() == [f"{name}0", f"{name}1"]
    long = pd.concat({k: pd.DataFrame(x, columns=list("abc")) for k, x in enumerate(RAGGED)}, names=["id", "step"])
    framed = kind(**QUICK).set_output(transform="pandas").fit(long)
    frame = framed.transform(long)
    assert frame.shape == (40, 2)
    np.testing.assert_array_equal(frame.to_numpy(), model.transform(RAGGED))
    assert kind(**QUICK).fit([list("abca")[: 1 + k % 4] for k in range(20)]).transform([["a", "b"]]).shape == (1, 2)  # tokens


@BOTH
def test_searches_and_pipelines_take_them(kind):
    search = GridSearchCV(
        make_pipeline(PerStep(StandardScaler()), kind(**QUICK, n_init=1)), {f"{kind.__name__.lower()}__cell": ["elman", "gru"]}, cv=2
    )
    assert np.isfinite(search.fit(EQUAL).best_score_)


@BOTH
def test_early_stopping_by_what_is_passed_or_set_aside(kind):
    model = kind(**QUICK).fit(RAGGED[:25], X_val=RAGGED[25:])
    assert len(model.validation_scores_) == model.n_iter_
    assert len(set(np.sign(model.validation_scores_))) == 1
    model = kind(**QUICK, early_stopping=True, validation_fraction=0.25).fit(TABLE)
    assert len(model.validation_scores_) == model.n_iter_


@BOTH
def test_too_few_sequences_are_refused(kind):
    need = "n_bits=2 tell 4 clusters apart: it needs at least 4" if kind is BingoCluster else "n_components=2 have a density only among more"
    for X in (RAGGED[:3], RAGGED[:1]):
        with pytest.raises(ValueError, match=f"X has n_samples = {len(X)} sequences to learn from, but {need}"):
            kind(**QUICK).fit(X)
    with pytest.raises(ValueError, match=f"what is held out has n_samples = 2 sequences to learn from, but {need}"):
        kind(**QUICK, early_stopping=True, validation_fraction=0.05).fit(RAGGED)
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        kind(**QUICK).fit([])
    with pytest.raises(ValueError, match="batch_size must be None or at least"):
        kind(**QUICK, batch_size=3).fit(RAGGED)


def test_sequences_without_weight_do_not_count_as_there():
    with pytest.raises(ValueError, match="n_samples = 3 sequences"):
        bingo().fit(RAGGED, sample_weight=[1.0] * 3 + [0.0] * 37)


@BOTH
@pytest.mark.parametrize("X", [np.ones((12, 5, 2)), np.zeros((12, 5)), np.tile(np.arange(5.0), (12, 1))], ids=["ones", "zeros", "twins"])
def test_sequences_that_are_all_alike_warn(kind, X):
    with pytest.warns(ConvergenceWarning, match="are they alike?"):
        model = kind(**QUICK).fit(X)
    assert np.isfinite(model.transform(X)).all()
    assert np.isfinite(model.loss_curve_).all()
    if kind is BingoCluster:
        assert model.labels_.tolist() == [0] * 12
        assert model.score(X) == pytest.approx(0, abs=1e-9)


@BOTH
def test_sequences_that_differ_do_not_warn(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kind(**QUICK).fit(RAGGED).transform(RAGGED)


@BOTH
def test_going_on_keeps_the_network_and_fixes_the_units_again(kind):
    model = kind(**QUICK, warm_start=True).fit(RAGGED)
    before = model.transform(RAGGED)
    model.fit(RAGGED)
    assert model.n_iter_ == 2 * QUICK["max_epochs"]
    assert not np.array_equal(model.transform(RAGGED), before)
    model.partial_fit(RAGGED[:20])
    assert model.n_iter_ == 2 * QUICK["max_epochs"] + 1
    assert np.abs(model._predictor().answers(RAGGED[:20]).mean(axis=0)).max() < 1e-5
    if kind is BingoCluster:
        assert len(model.labels_) == 20
