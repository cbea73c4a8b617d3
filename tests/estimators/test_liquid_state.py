"""LiquidStateTransformer and LiquidStateClassifier: what is special about columns of spiking neurons and their encoders."""

import pickle
import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import LiquidStateClassifier, LiquidStateTransformer
from skrnn.data import as_sequences
from skrnn.datasets import make_spike_templates
from skrnn.engine import pack, scan, unpack
from skrnn.preprocessing import DeltaEncoder, LatencyEncoder, PerStep, RateEncoder

EXACT = {"float32": 1e-4, "float64": 1e-10}  # relative: the traces of hundreds of spikes
RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in RNG.integers(3, 9, size=30)]
EQUAL = RNG.normal(size=(30, 6, 2))
TABLE = RNG.normal(size=(30, 6))
LABELS = np.array(["up", "down", "still"] * 10)
SPIKES = [(RNG.random((n, 2)) < 0.1).astype(float) for n in RNG.integers(100, 200, size=30)]
both = pytest.mark.parametrize("kind", [LiquidStateTransformer, LiquidStateClassifier])
all_data = pytest.mark.parametrize("X", [RAGGED, EQUAL, TABLE], ids=["ragged", "equal", "table"])
encoders = pytest.mark.parametrize("encoder", ["latency", "rate", "delta"])


def sines(n, seed):
    """Slow and fast ones of several lengths, with noise."""
    rng = np.random.default_rng(seed)
    X = [np.sin((0.2 + 0.2 * (k % 2)) * np.arange(m) + m)[:, None] + 0.1 * rng.normal(size=(m, 1)) for k, m in enumerate(rng.integers(30, 60, n))]
    return X, np.array(["slow", "fast"] * (n // 2))


def make(kind, **settings):
    return kind(**{"hidden_size": 30, "random_state": 0} | settings)


def answers(model, X):
    return model.predict_proba(X) if isinstance(model, LiquidStateClassifier) else model.transform(X)


# The features are those of the cell, on what the encoder gives.


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_states_are_those_of_the_column(dtype):
    model = make(LiquidStateTransformer, encoder=None, pooling=None, dtype=dtype).fit(SPIKES)
    ((column,),) = model.liquid_.network_.groups
    outputs, _ = scan(column, pack(as_sequences(SPIKES), dtype=getattr(torch, dtype)))
    for states, expected in zip(model.transform(SPIKES), unpack(outputs), strict=True):
        np.testing.assert_allclose(states, expected, rtol=EXACT[dtype], atol=EXACT[dtype])


def test_parameters_reach_the_column():
    settings = {
        "connection_length": 3.0,
        "inhibitory_fraction": 0.5,
        "dynamic_synapses": False,
        "recurrent_scaling": 0.7,
        "input_scaling": 2.0,
        "input_fraction": 0.6,
        "dt": 1.0,
        "filter_time": 50.0,
    }
    ((column,),) = make(LiquidStateTransformer, **settings).fit(RAGGED).liquid_.network_.groups
    assert column.get_params().items() >= settings.items()
    assert column.hidden_size == 30


@pytest.mark.parametrize(("pooling", "pool"), [("last", lambda h: h[-1]), ("mean", lambda h: h.mean(0)), ("segments", None)])
def test_poolings(pooling, pool):
    steps = make(LiquidStateTransformer, pooling=None).fit(RAGGED).transform(RAGGED)
    expected = [h[np.ceil(np.arange(1, 4) * len(h) / 3).astype(int) - 1].ravel() if pool is None else pool(h) for h in steps]
    np.testing.assert_allclose(make(LiquidStateTransformer, pooling=pooling).fit_transform(RAGGED), expected, rtol=1e-4, atol=1e-4)


def test_pooling_none_keeps_the_container():
    model = make(LiquidStateTransformer, pooling=None)
    assert model.fit_transform(EQUAL).shape == (30, 6 * 20, 30)
    assert model.fit_transform(TABLE).shape == (30, 6 * 20, 30)
    assert [h.shape for h in model.fit_transform(RAGGED)] == [(20 * len(x), 30) for x in RAGGED]
    assert model.set_params(encoder="delta").fit_transform(TABLE).shape == (30, 6, 30)
    assert model.set_params(encoder=None).fit_transform((TABLE > 1).astype(float)).shape == (30, 6, 30)


# Encoders.


@pytest.mark.parametrize(
    ("name", "encoder"), [("latency", LatencyEncoder()), ("delta", DeltaEncoder()), ("rate", RateEncoder(dt=1.0, random_state=7))], ids=str
)
def test_a_name_is_an_encoder(name, encoder):
    model = make(LiquidStateTransformer, encoder=name, dt=1.0).fit(RAGGED)
    assert type(model.encoder_) is type(encoder)
    assert model.encoder_.get_params() | {"random_state": 7} == encoder.get_params() | {"random_state": 7}


@both
def test_an_encoder_is_cloned_and_searched(kind):
    encoder = LatencyEncoder(n_steps=5)
    model = make(kind, encoder=encoder).fit(RAGGED, LABELS)
    assert not vars(encoder).keys() & {"data_min_"}
    assert model.encoder_.n_steps == 5
    assert model.set_params(encoder__n_steps=7).encoder.n_steps == 7
    same = make(kind, encoder=None).fit(LatencyEncoder(n_steps=7).fit_transform(RAGGED), LABELS)
    np.testing.assert_array_equal(answers(model.fit(RAGGED, LABELS), RAGGED), answers(same, LatencyEncoder(n_steps=7).fit_transform(RAGGED)))


def test_a_pipeline_is_an_encoder():
    pipeline = make_pipeline(PerStep(StandardScaler()), DeltaEncoder(0.3))
    features = make(LiquidStateTransformer, encoder=pipeline).fit_transform(RAGGED)
    scaled = [100 * x + 7 for x in RAGGED]
    np.testing.assert_array_equal(make(LiquidStateTransformer, encoder=pipeline).fit_transform(scaled) > 0, features > 0)
    assert (features > 0).any()


@pytest.mark.parametrize("encoder", ["latency", "rate", "delta"])
def test_plain_sequences_make_spikes(encoder):
    X, _ = sines(20, 0)
    assert (make(LiquidStateTransformer, encoder=encoder).fit_transform(X) > 0).mean() > 0.5


def test_counts_are_spikes():
    once, twice = make(LiquidStateTransformer, encoder=None).fit(SPIKES).transform([SPIKES[0], 2 * SPIKES[0]])
    assert twice.sum() > once.sum()


# The answer depends on the sequence and the seed alone.


@both
@all_data
def test_company_does_not_matter(kind, X):
    model = make(kind, dtype="float64").fit(X, LABELS)
    together = answers(model, X)
    for rows in (RNG.permutation(30), [7], np.arange(5, 12)):
        some = [X[i] for i in rows] if isinstance(X, list) else X[rows]
        np.testing.assert_allclose(answers(model, some), together[rows], rtol=0, atol=1e-10)


@both
def test_containers_are_the_same(kind):
    expected = answers(make(kind).fit(EQUAL, LABELS), EQUAL)
    for X in (list(EQUAL), as_sequences(EQUAL)):
        np.testing.assert_array_equal(answers(make(kind).fit(X, LABELS), X), expected)
    rows, panel = (answers(make(kind).fit(X, LABELS), X) for X in (TABLE, TABLE[:, :, None]))
    np.testing.assert_array_equal(rows, panel)


@both
@encoders
def test_same_seed_same_bits(kind, encoder):
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    one, other = (answers(make(kind, encoder=encoder).fit(RAGGED, LABELS), RAGGED) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert (answers(make(kind, encoder=encoder, random_state=1).fit(RAGGED, LABELS), RAGGED) != one).any()
    assert (answers(make(kind, encoder=encoder, random_state=None).fit(RAGGED, LABELS), RAGGED) != one).any()
    assert (np.random.get_state()[1] == before[0]).all()
    assert (torch.get_rng_state() == before[1]).all()


@both
@encoders
def test_predicting_and_fitting_again_change_nothing(kind, encoder):
    model = make(kind, encoder=encoder).fit(RAGGED, LABELS)
    first = answers(model, RAGGED)
    np.testing.assert_array_equal(answers(model, RAGGED), first)
    np.testing.assert_array_equal(answers(model.fit(RAGGED, LABELS), RAGGED), first)


@both
@encoders
def test_pickle_and_clone(kind, encoder):
    model = make(kind, encoder=encoder, connection_length=1.5).fit(RAGGED, LABELS)
    np.testing.assert_array_equal(answers(pickle.loads(pickle.dumps(model)), RAGGED), answers(model, RAGGED))
    copy = clone(model)
    assert repr(copy) == repr(model)
    assert "liquid_" not in vars(copy)
    np.testing.assert_array_equal(answers(copy.fit(RAGGED, LABELS), RAGGED), answers(model, RAGGED))


@both
def test_threads_change_nothing(kind):
    model = make(kind).fit(RAGGED, LABELS)
    expected = answers(model, RAGGED)
    np.testing.assert_array_equal(answers(make(kind, n_threads=2).fit(RAGGED, LABELS), RAGGED), expected)
    with ThreadPoolExecutor(4) as pool:
        for said in pool.map(lambda _: answers(model, RAGGED), range(16)):
            np.testing.assert_array_equal(said, expected)
        for said in pool.map(lambda _: answers(make(kind).fit(RAGGED, LABELS), RAGGED), range(8)):
            np.testing.assert_array_equal(said, expected)


# The classifier.


@pytest.mark.parametrize("seed", range(3))
def test_it_learns_plain_sequences_with_the_defaults(seed):
    X, y = sines(120, seed)
    assert LiquidStateClassifier(random_state=seed).fit(X[:80], y[:80]).score(X[80:], y[80:]) >= 0.9


def test_labels_and_probabilities():
    model = make(LiquidStateClassifier).fit(RAGGED, LABELS)
    assert model.classes_.tolist() == ["down", "still", "up"]
    assert set(model.predict(RAGGED)) <= set(LABELS)
    np.testing.assert_allclose(model.predict_proba(RAGGED).sum(1), 1)
    assert (model.classes_[model.decision_function(RAGGED).argmax(1)] == model.predict(RAGGED)).all()
    assert make(LiquidStateClassifier).fit(RAGGED, LABELS == "up").decision_function(RAGGED).shape == (30,)


def test_the_readout_can_be_any_model():
    model = make(LiquidStateClassifier, readout=LogisticRegression(C=10.0, max_iter=1000)).fit(RAGGED, LABELS)
    features = make(LiquidStateTransformer).fit_transform(RAGGED)
    expected = LogisticRegression(C=10.0, max_iter=1000).fit(features, LABELS)
    np.testing.assert_array_equal(model.predict(RAGGED), expected.predict(features))
    np.testing.assert_allclose(model.predict_proba(RAGGED), expected.predict_proba(features), rtol=0, atol=1e-6)
    assert model.set_params(readout__C=1.0).readout.C == 1.0


def test_weight_0_is_left_out_of_the_encoder_too():
    huge = [*RAGGED, np.full((5, 2), 1e3)]
    weight = np.r_[np.ones(30), 0]
    model = make(LiquidStateClassifier, alpha=1e-3, dtype="float64").fit(huge, [*LABELS, "up"], weight)
    expected = make(LiquidStateClassifier, alpha=1e-3, dtype="float64").fit(RAGGED, LABELS)
    np.testing.assert_allclose(model.decision_function(RAGGED), expected.decision_function(RAGGED), rtol=0, atol=1e-8)


def test_balanced_classes_count_alike():
    settings = {"alpha": 1e3}  # so much that the mean is nearly all that is learned
    y = np.array(["few"] * 5 + ["many"] * 25)
    assert (make(LiquidStateClassifier, **settings).fit(RAGGED, y).predict(RAGGED) == "many").all()
    balanced = make(LiquidStateClassifier, **settings, class_weight="balanced").fit(RAGGED, y)
    assert abs(balanced.liquid_.intercept_[0]) < 0.5


def test_a_search_over_the_length_of_connections():
    X, y = make_spike_templates(40, duration=250, n_segments=2, random_state=0)
    grid = {"connection_length": [0.0, 2.0], "encoder__n_steps": [2, 3]}
    search = GridSearchCV(make(LiquidStateClassifier, encoder=LatencyEncoder(), pooling="last"), grid, cv=2).fit(X, y[:, 1])
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    scores = search.cv_results_["mean_test_score"].reshape(2, 2)
    assert (scores[0] != scores[1]).any()


# Names.


def test_feature_names():
    model = make(LiquidStateTransformer, pooling="segments").fit(RAGGED)
    assert len(model.get_feature_names_out()) == model.transform(RAGGED).shape[1]
    frame = make(LiquidStateTransformer).set_output(transform="pandas").fit_transform(TABLE)
    assert isinstance(frame, pd.DataFrame)
    assert frame.columns[-1] == "spiking0_0_h29"


# What is refused.


@both
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 0}, "The 'hidden_size' parameter of KIND must be an int in the range"),
        ({"encoder": "poisson"}, "The 'encoder' parameter of KIND must be a str among"),
        ({"encoder": LogisticRegression()}, "The 'encoder' parameter of KIND must be .* implementing 'fit' and 'transform'"),
        ({"encoder": PerStep(StandardScaler())}, "The 'encoder' parameter of KIND must be a transformer that gives spikes: 0, 1, or their number"),
        ({"connection_length": -1.0}, "The 'connection_length' parameter of KIND must be a float in the range"),
        ({"inhibitory_fraction": 1.5}, "The 'inhibitory_fraction' parameter of KIND must be a float in the range"),
        ({"dynamic_synapses": "yes"}, "The 'dynamic_synapses' parameter of KIND must be an instance of 'bool'"),
        ({"dt": 0.0}, "The 'dt' parameter of KIND must be a float in the range"),
        ({"filter_time": 0.0}, "The 'filter_time' parameter of KIND must be a float in the range"),
        ({"pooling": "max"}, "The 'pooling' parameter of KIND must be a str among"),
        ({"dtype": "float16"}, "The 'dtype' parameter of KIND must be a str among"),
        ({"encoder": RateEncoder(n_steps=0)}, "The 'n_steps' parameter of RateEncoder must be a whole number of at least 1; got 0"),
    ],
    ids=str,
)
def test_wrong_parameters(kind, settings, message):
    with pytest.raises(ValueError, match=message.replace("KIND", kind.__name__)):
        make(kind, **settings).fit(RAGGED, LABELS)


def test_a_classifier_needs_a_pooling():
    with pytest.raises(ValueError, match="The 'pooling' parameter of LiquidStateClassifier must be a str among"):
        make(LiquidStateClassifier, pooling=None).fit(RAGGED, LABELS)


@both
@pytest.mark.parametrize("wrong", [0.5, -1.0])
def test_what_is_no_spikes(kind, wrong):
    X = [x.copy() for x in SPIKES]
    X[3][17, 1] = wrong
    model = make(kind, encoder=None).fit(SPIKES, LABELS)
    message = f"X must be spikes, as encoder=None: 0, 1, or their number in the step; got [{X[3][17, 0]}, {wrong}] at step 17 of sequence 3"
    with pytest.raises(ValueError, match=re.escape(message) + ".*encoder='latency'"):
        answers(model, X)
    with pytest.raises(ValueError, match=re.escape(message)):
        make(kind, encoder=None).fit(X, LABELS)


@both
def test_parameters_of_an_encoder_that_is_a_name(kind):
    with pytest.raises(ValueError, match=rf"Parameters encoder__… of {kind.__name__} are those of an encoder object.*encoder__n_steps.*'latency'"):
        make(kind).set_params(encoder__n_steps=3)


@both
def test_another_number_of_channels(kind):
    model = make(kind).fit(EQUAL, LABELS)
    with pytest.raises(ValueError, match=f"X has 1 features, but {kind.__name__} is expecting 2 features as input"):
        answers(model, EQUAL[:, :, :1])


def test_y_of_another_length():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make(LiquidStateClassifier).fit(RAGGED, LABELS[1:])


@both
@pytest.mark.parametrize("settings", [{"encoder": None}, {"encoder": PerStep(StandardScaler())}, {"connection_length": np.inf}], ids=str)
def test_an_error_leaves_the_estimator_as_it_was(kind, settings):
    model = make(kind).fit(RAGGED, LABELS)
    before, expected = dict(vars(model)), answers(model, RAGGED)
    model.set_params(**settings)
    with pytest.raises(ValueError, match="must be"):
        model.fit(EQUAL[:, :, :1], LABELS)
    model.set_params(**{name: before[name] for name in settings})
    assert {name: id(value) for name, value in vars(model).items()} == {name: id(value) for name, value in before.items()}
    np.testing.assert_array_equal(answers(model, RAGGED), expected)


@both
def test_nothing_is_printed_and_nothing_given_is_changed(kind, capsys):
    X = [x.copy() for x in RAGGED]
    answers(make(kind).fit(X, LABELS), X)
    assert all((x == y).all() for x, y in zip(X, RAGGED, strict=True))
    assert capsys.readouterr() == ("", "")
