"""States of a reservoir as features."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from torch.nn.utils.rnn import pack_sequence

from skrnn import EchoStateTransformer

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in (9, 5, 14, 5, 30)]
PANEL = RNG.normal(size=(6, 10, 2))
GIVEN = {"hidden_size": 20, "dtype": "float64", "random_state": 0}
EXACT = 1e-12


def make(**settings):
    return EchoStateTransformer(**GIVEN | settings)


def states_of(model, x):
    """The features of one sequence, from the network itself."""
    packed = pack_sequence([torch.from_numpy((x - model.mean_) / model.scale_)])
    return model.network_(packed, model.network_.start(1))[0].numpy()


@pytest.mark.parametrize("settings", [{}, {"cell": "gru"}, {"n_layers": 2, "n_groups": 2}, {"include_input": False}], ids=str)
def test_all_states_of_each_sequence(settings):
    model = make(pooling=None, **settings).fit(RAGGED)
    for x, states in zip(RAGGED, model.transform(RAGGED), strict=True):
        np.testing.assert_allclose(states, states_of(model, x), rtol=0, atol=EXACT)
    panel = make(pooling=None, **settings).fit_transform(PANEL)
    assert panel.shape == (6, 10, len(model.get_feature_names_out()))
    np.testing.assert_array_equal(panel, np.stack(make(pooling=None, **settings).fit_transform(list(PANEL))))


def test_poolings_are_made_of_the_states():
    states = [states_of(make().fit(RAGGED), x) for x in RAGGED]
    expected = {
        "last": [h[-1] for h in states],
        "mean": [h.mean(0) for h in states],
        "segments": [np.concatenate([h[-(-len(h) * k // 3) - 1] for k in (1, 2, 3)]) for h in states],
    }
    for pooling, rows in expected.items():
        np.testing.assert_allclose(make(pooling=pooling).fit_transform(RAGGED), rows, rtol=0, atol=EXACT)
    np.testing.assert_allclose(make(washout=4).fit_transform(RAGGED), [h[4:].mean(0) for h in states], rtol=0, atol=EXACT)
    short = [RAGGED[0], RAGGED[0][:2]]  # a state may be that after two segments
    assert make(pooling="segments", n_segments=5).fit_transform(short).shape == (2, 5 * 22)


def test_the_model_of_a_sequence_predicts_its_states():
    long = [RNG.normal(size=(2000, 2)), np.cumsum(RNG.normal(size=(2000, 2)), axis=0) / 50]
    model = make(pooling="model", n_components=4).fit(long)
    assert model.components_.shape == (4, 22)
    np.testing.assert_allclose(model.components_ @ model.components_.T, np.eye(4), rtol=0, atol=1e-10)
    all_states = [states_of(model, x) for x in long]
    mean = np.concatenate(all_states).mean(0)
    for x, features in zip(all_states, model.transform(long), strict=True):
        z = (x - mean) @ model.components_.T
        before = np.column_stack([z[:-1], np.ones(1999)])
        error, least = (np.square(z[1:] - before @ A).sum() for A in (features.reshape(5, 4), np.linalg.lstsq(before, z[1:], rcond=None)[0]))
        assert error < 1.05 * least  # the ridge is small for 2,000 steps


def test_the_names_of_features():
    assert make(hidden_size=2).fit(RAGGED).get_feature_names_out().tolist() == ["x0", "x1", "reservoir0_0_h0", "reservoir0_0_h1"]
    deep = make(hidden_size=1, n_layers=2, n_groups=2, include_input=False, pooling=None, cell="gru").fit(RAGGED)
    assert deep.get_feature_names_out().tolist() == ["gru0_0_h0", "gru0_1_h0", "gru1_0_h0", "gru1_1_h0"]
    for pooling in ("last", "mean", "segments", "model"):
        model = make(pooling=pooling).fit(RAGGED)
        assert len(set(model.get_feature_names_out())) == model.transform(RAGGED).shape[1]
    assert make().set_output(transform="pandas").fit_transform(RAGGED).columns.tolist() == make().fit(RAGGED).get_feature_names_out().tolist()


def test_any_model_may_follow():
    y = np.array([0, 1, 0, 1, 0, 1])
    pipeline = make_pipeline(make(), LogisticRegression())
    search = GridSearchCV(pipeline, {"echostatetransformer__spectral_radius": [0.1, 0.9], "echostatetransformer__pooling": ["last", "mean"]}, cv=2)
    assert search.fit(PANEL, y).predict(PANEL).shape == (6,)
    assert make_pipeline(make(), KMeans(2, random_state=0)).fit(RAGGED).predict(RAGGED).shape == (5,)


def test_targets_are_ignored_and_the_seed_decides():
    np.testing.assert_array_equal(make().fit_transform(RAGGED, np.arange(5)), make().fit_transform(RAGGED))
    assert np.abs(make(random_state=1).fit_transform(RAGGED) - make().fit_transform(RAGGED)).max() > 0.01


def test_noise_is_for_readouts_that_are_fitted():
    """The transformer fits nothing to the states, so there is none."""
    np.testing.assert_array_equal(make(noise=0.1).fit_transform(RAGGED), make().fit_transform(RAGGED))


REFUSED = [
    ({"spectral_radius": "auto"}, "The 'spectral_radius' parameter of EchoStateTransformer must be a float"),
    ({"washout": 5}, "washout=5 must be less than the length of every sequence; sequence 1 has 5 steps"),
    ({"fan_in": 21}, "The 'fan_in' parameter of EchoStateTransformer must be at most hidden_size=20; got 21"),
    ({"leak_rate": (0.5, 0.5)}, r"'leak_rate' .* must be a number or a tuple of 20 \(hidden_size\); got 2 numbers"),
    ({"topology": "web"}, "The 'topology' parameter of Reservoir must be one of"),
]


@pytest.mark.parametrize(("settings", "match"), REFUSED, ids=[match[:60] for _, match in REFUSED])
def test_what_fit_refuses_leaves_the_model_as_it_was(settings, match):
    model = make().fit(RAGGED)
    before = model.transform(RAGGED)
    with pytest.raises(ValueError, match=match):
        model.set_params(**settings).fit(RAGGED)
    model.set_params(spectral_radius=0.9, washout=0)
    np.testing.assert_array_equal(model.transform(RAGGED), before)


def test_infinite_states_are_refused():
    model = make(activation="identity", spectral_radius=1e9, pooling=None).fit([10 * np.eye(2)])
    with pytest.raises(ValueError, match="The states became infinite or NaN: use a smaller spectral_radius or input_scaling"):
        model.transform([np.ones((100, 2))])


def test_a_constant_input_is_warned_of():
    with pytest.warns(UserWarning, match="All channels of X are constant: the reservoir sees nothing"):
        make().fit(np.zeros((3, 4, 2)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make().fit(RAGGED)
