"""Codes of sequences, and sequences of codes."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skrnn import RNNAutoencoder, as_sequences
from skrnn.estimators.face._held_out import Part
from skrnn.networks import Retelling
from skrnn.training import AdditiveOutliers, RetellingError

RNG = np.random.default_rng(0)
RAGGED = [np.cumsum(RNG.normal(size=(n, 2)), axis=0) for n in RNG.integers(4, 12, size=30)]
EQUAL = np.stack([np.cumsum(RNG.normal(size=(7, 2)), axis=0) for _ in range(30)])
TABLE = np.sin(RNG.uniform(0, 6, size=(60, 1)) + 0.5 * np.arange(9))
WAYS = [
    {},
    {"code_size": 3, "conditional": True},
    {"cell": "lstm", "n_layers": 2, "dropout": 0.2, "future_horizon": 2},
    {"variational": True, "code_size": 2, "kl_warmup": 4, "reverse_target": False},
    {"bidirectional": True, "dtype": "float64", "conditional": True, "future_horizon": 1},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def make(**settings):
    return RNNAutoencoder(**{"hidden_size": 6, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0} | settings)


# -- what comes out --------------------------------------------------------------------------------------------------------------------------------


@every_way
def test_company_order_and_container_do_not_matter(way):
    model = make(**way).fit(RAGGED)
    codes, again, scores = model.transform(RAGGED), model.predict(RAGGED), model.score_samples(RAGGED)
    assert codes.shape == (30, model.network_.code_size)
    for rows in ([5], [17, 3], list(range(29, -1, -1))):
        for dress in (list, as_sequences):
            part = dress([RAGGED[i] for i in rows])
            np.testing.assert_array_equal(model.transform(part), codes[rows])
            np.testing.assert_array_equal(model.score_samples(part), scores[rows])
            for i, found in zip(rows, model.predict(part), strict=True):
                np.testing.assert_array_equal(found, again[i])
            for i, found in zip(rows, model.inverse_transform(codes[rows], [len(x) for x in part]), strict=True):
                np.testing.assert_array_equal(found, again[i])


@every_way
def test_copies_say_the_same(way):
    first = make(**way).fit(RAGGED)
    again = clone(first).fit(as_sequences(RAGGED))
    assert first.loss_curve_ == again.loss_curve_
    for other in (again, pickle.loads(pickle.dumps(first))):
        np.testing.assert_array_equal(other.transform(RAGGED), first.transform(RAGGED))


def test_answers_have_the_shape_of_what_was_read():
    model = make(future_horizon=2).fit(EQUAL)
    assert model.predict(EQUAL).shape == (30, 7, 2)
    assert [x.shape for x in model.predict(RAGGED)] == [x.shape for x in RAGGED]
    assert model.forecast(RAGGED).shape == (30, 2, 2)
    assert model.n_steps_ == 5
    assert model.inverse_transform(model.transform(EQUAL)).shape == (30, 5, 2)
    assert model.inverse_transform(model.transform(EQUAL), 9).shape == (30, 9, 2)
    table = make().fit(TABLE)
    assert table.predict(TABLE).shape == TABLE.shape
    assert make().fit(RAGGED).n_steps_ is None


def test_frames_are_read_and_features_have_names():
    long = pd.concat({k: pd.DataFrame(x, columns=["a", "b"]) for k, x in enumerate(RAGGED)}, names=["id", "step"])
    model = make(code_size=2).fit(long)
    again = model.predict(long)
    assert again.shape == long.shape
    np.testing.assert_array_equal(np.asarray(again), np.concatenate(model.predict(RAGGED)))
    assert model.get_feature_names_out().tolist() == ["rnnautoencoder0", "rnnautoencoder1"]
    frame = model.set_output(transform="pandas").transform(long)
    assert frame.columns.tolist() == ["rnnautoencoder0", "rnnautoencoder1"]


def test_scores_are_those_of_what_is_written():
    model = make(max_epochs=20).fit(RAGGED)
    again = model.predict(RAGGED)
    errors = [-np.mean(((a - x) / model.scale_) ** 2) for a, x in zip(again, RAGGED, strict=True)]
    np.testing.assert_allclose(model.score_samples(RAGGED), errors, rtol=1e-12)
    assert model.score(RAGGED) == pytest.approx(r2_score(np.concatenate(RAGGED), np.concatenate(again)), abs=1e-12)
    odd = [x[::-1] + 8 for x in RAGGED[:5]]
    assert model.score_samples(odd).max() < model.score_samples(RAGGED).min()


# -- what is learned -------------------------------------------------------------------------------------------------------------------------------


def test_waves_are_written_again_and_gone_on_with():
    t = RNG.uniform(0, 6, size=(260, 1)) + 0.5 * np.arange(12)
    X, test = np.sin(t[:200]), np.sin(t[200:])
    model = RNNAutoencoder(hidden_size=16, code_size=2, future_horizon=3, max_epochs=60, random_state=0).fit(X)
    assert model.score(test) > 0.95
    ahead = np.sin(t[200:, -1:] + 0.5 * np.arange(1, 4))
    assert r2_score(ahead, model.forecast(test)[..., 0]) > 0.9


def test_codes_that_are_drawn_are_waves_too():
    t = RNG.uniform(0, 6, size=(300, 1)) + 0.5 * np.arange(12)
    model = RNNAutoencoder(hidden_size=16, code_size=2, variational=True, kl_weight=0.2, max_epochs=80, random_state=0).fit(np.sin(t))
    drawn = model.sample(100, random_state=0)[..., 0]
    turned = drawn[:, 2:] + drawn[:, :-2] - 2 * np.cos(0.5) * drawn[:, 1:-1]  # zero of a sine of that frequency
    assert np.mean(turned**2) < 0.02 * np.mean(drawn**2)
    assert drawn.std() > 0.4
    codes = model.transform(np.sin(t))
    assert np.abs(codes.mean(axis=0)).max() < 0.5
    assert 0.5 < codes.std() < 1.5
    np.testing.assert_array_equal(drawn, model.sample(100, random_state=0)[..., 0])
    assert len(model.sample(2, [3, 5])) == 2


def test_ragged_sequences_become_features():
    """Rising or falling, at any length."""
    rng = np.random.default_rng(3)
    slopes = rng.choice([-1, 1], 120)
    X = [s * np.linspace(0, 1, n)[:, None] + 0.2 * rng.normal(size=(n, 1)) for s, n in zip(slopes, rng.integers(5, 15, 120), strict=True)]
    model = make_pipeline(RNNAutoencoder(hidden_size=12, max_epochs=30, random_state=0), LogisticRegression())
    assert cross_val_score(model, X, slopes, cv=3).mean() > 0.95


def reading(model, X):
    target = model._target().load(model)
    predictor = model._predictor()
    sequences = predictor.read(X).sequences
    return target.data(Part(sequences, sequences, None), predictor.source(sequences))


@every_way
def test_targets_stand_beside_what_is_written_of_them(way):
    """Rows of the source, of the outputs and of the targets are in one order, whatever the order of a batch."""
    model = make(
        **way,
    ).fit(RAGGED)
    data = reading(model, RAGGED)
    network = model.network_.eval()
    for index in (np.arange(30), np.array([4, 20, 1])):
        packed, target, _ = data.batch(index)
        assert isinstance(packed, Retelling)
        with torch.inference_mode():
            outputs = network(packed)[:, :2].double().numpy()
        for i in index:
            k = model.future_horizon
            x = (RAGGED[i] - model.mean_) / model.scale_
            head = x[: len(x) - k]
            (code,) = model.transform([RAGGED[i][: len(x) - k]])
            again = (model.inverse_transform([code], [len(head)])[0] - model.mean_) / model.scale_
            if model.reverse_target:
                head, again = head[::-1], again[::-1]
            places = [np.flatnonzero((np.abs(target.numpy() - row) < 1e-5).all(axis=1)) for row in head]
            assert all(any(np.allclose(outputs[p], a, atol=1e-5) for p in place) for place, a in zip(places, again, strict=True))


def test_the_loss_of_a_variational_code_is_a_bound_of_the_likelihood():
    settings = {"variational": True, "code_size": 2, "dtype": "float64", "kl_weight": 0.7}
    model = make(**settings).fit(EQUAL)
    data = reading(model, EQUAL)
    packed, target, _ = data.batch(np.arange(30))
    network = model.network_.eval()
    with torch.inference_mode():
        outputs = network(packed)
        mean, log_variance = network.codes(packed.source)
    squares = ((outputs[:, :2] - target) ** 2).sum()
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    expected = (squares + 2 * 0.7 * kl) / target.numel()
    assert RetellingError().mean(outputs, target, None).item() == pytest.approx(expected.item(), rel=1e-12)


def test_weight_is_repetition():
    exact = {"dtype": "float64", "batch_size": None, "optimizer": "sgd", "learning_rate": 0.1, "max_epochs": 5, "alpha": 1.0, "future_horizon": 1}
    weight = np.random.default_rng(0).integers(0, 4, len(RAGGED))
    rows = np.repeat(np.arange(len(RAGGED)), weight)
    weighted, repeated = make(**exact).fit(RAGGED, sample_weight=weight), make(**exact).fit([RAGGED[i] for i in rows])
    np.testing.assert_allclose(weighted.transform(RAGGED), repeated.transform(RAGGED), rtol=1e-7, atol=1e-9)
    assert weighted.score(RAGGED, sample_weight=weight) == pytest.approx(weighted.score([RAGGED[i] for i in rows]))


def test_passes_early_stopping_going_on_and_searches():
    model = make()
    for half in (slice(0, 15), slice(15, None)):
        model.partial_fit(RAGGED[half])
    assert model.n_iter_ == 2
    assert len(make(max_epochs=2).fit(RAGGED, X_val=RAGGED[:5]).validation_scores_) == 2
    assert len(make(early_stopping=True, max_epochs=2).fit(RAGGED).validation_scores_) == 2
    assert make(warm_start=True, max_epochs=2).fit(RAGGED).fit(RAGGED).n_iter_ == 4
    search = GridSearchCV(make(max_epochs=2), {"code_size": [1, 4], "cell": ["gru", "elman"]}, cv=2, error_score="raise").fit(RAGGED)
    assert search.best_estimator_.transform(RAGGED).shape[0] == 30
    assert make(penalties=AdditiveOutliers(0.3)).fit(RAGGED).loss_curve_ != make().fit(RAGGED).loss_curve_
    assert "encoder" in make().fit(RAGGED).summary()


# -- what goes wrong -------------------------------------------------------------------------------------------------------------------------------


def test_bad_input_is_named():
    model = make(code_size=3).fit(RAGGED)
    with pytest.raises(ValueError, match="X must hold codes of code_size=3 numbers; got 2"):
        model.inverse_transform(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="n_steps must say how many steps to write: the sequences of fit had different lengths"):
        model.inverse_transform(np.zeros((4, 3)))
    for wrong in (0, 2.5, [3, 4], [1, 0, 2, 2]):
        with pytest.raises(ValueError, match="n_steps must be a whole number of at least 1, or 4 of them"):
            model.inverse_transform(np.zeros((4, 3)), wrong)
    with pytest.raises(ValueError, match="set future_horizon="):
        model.forecast(RAGGED)
    with pytest.raises(ValueError, match=r"Only codes of variational=True can be drawn"):
        model.sample()
    short = [*RAGGED[:3], RAGGED[3][:2]]
    with pytest.raises(ValueError, match=r"X\[3\] has 2 steps, of which future_horizon=2 are to be told from those before: it needs at least 3"):
        make(future_horizon=2).fit(short)
    with pytest.raises(ValueError, match="NaN"):
        make().fit([np.full((3, 2), np.nan)])
    with pytest.raises(ValueError, match="'code_size' parameter"):
        make(code_size=0).fit(RAGGED)
    with pytest.raises(ValueError, match="network of code_size=3, but the estimator now has code_size=2"):
        model.set_params(code_size=2, warm_start=True).fit(RAGGED)
    for method in ("transform", "predict", "forecast", "score_samples", "sample"):
        with pytest.raises(NotFittedError):
            getattr(make(), method)(RAGGED)


def test_one_sequence_and_constant_ones_are_enough():
    assert make(max_epochs=1).fit([RAGGED[0]]).transform([RAGGED[0]]).shape == (1, 6)
    model = make(max_epochs=2).fit(np.ones((5, 4, 2)))
    np.testing.assert_allclose(model.predict(np.ones((5, 4, 2))), 1)
    assert make(max_epochs=1, future_horizon=1).fit(np.ones((4, 2, 1))).forecast(np.ones((4, 2, 1))).shape == (4, 1, 1)


@pytest.mark.parametrize("way", ["fit", "partial_fit"])
def test_nothing_to_read_is_not_called_a_missing_target(way):
    with pytest.raises(TypeError, match="Expected a sequence of arrays, got NoneType"):
        getattr(RNNAutoencoder(), way)(None)
