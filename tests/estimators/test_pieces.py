"""Fits of Dask collections: what the workers sum is what one fit of all data would have summed."""

import itertools

import numpy as np
import pytest

from skrnn import EchoStateClassifier, EchoStateRegressor

distributed = pytest.importorskip("distributed")
dask = pytest.importorskip("dask")
dask_array = pytest.importorskip("dask.array")

LOCAL = 1e-8
GIVEN = {"hidden_size": 20, "spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 0.3, "dtype": "float64", "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 30, 2)) * [1.0, 100.0] + [0.0, 7.0]
Y = np.cumsum(X[:, :, 0], axis=1)
LABELS = np.array(["down", "level", "up"])[np.digitize(Y[:, -1], [-2, 2])]
RAGGED = [X[k, : 12 + k % 15] for k in range(60)]
FED = {"feedback": True, "feedback_scaling": 0.3, "alpha": 1e-3}


def workers(n_workers, *, processes):
    return distributed.LocalCluster(n_workers=n_workers, threads_per_worker=1, processes=processes, dashboard_address=":0")


@pytest.fixture(scope="module")
def cluster():
    with workers(2, processes=False) as cluster, distributed.Client(cluster):
        yield cluster


def pairs(X, y, cuts):
    """Delayed pairs of parts of sequences."""
    bounds = [0, *cuts, len(X)]
    return [dask.delayed((X[a:b], y[a:b]), pure=False) for a, b in itertools.pairwise(bounds)]


def assert_same(got, expected, X):
    weights = [np.column_stack([model.coef_, model.intercept_, np.broadcast_to(model.alpha_, len(model.coef_))]) for model in (got, expected)]
    np.testing.assert_allclose(*weights, rtol=0, atol=LOCAL)
    for attribute in ("mean_", "scale_"):
        np.testing.assert_allclose(vars(got)[attribute], vars(expected)[attribute], rtol=1e-12)
    answers = (model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X) for model in (got, expected))
    np.testing.assert_allclose(*answers, rtol=0, atol=LOCAL)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("settings", [{}, {"alpha": 1e-3}, {"alpha": "gcv", "n_layers": 2}, FED, {"standardize": False, "washout": 5}], ids=str)
def test_steps_of_a_dask_array_are_a_local_fit(settings):
    local = EchoStateRegressor(**GIVEN, **settings).fit(X, Y)
    far = EchoStateRegressor(**GIVEN, **settings).fit(dask_array.from_array(X, (13, 10, 1)), dask_array.from_array(Y, (20, 30)))
    assert_same(far, local, X)
    np.testing.assert_allclose(far.predict(X, state=far.state_), local.predict(X, state=local.state_), rtol=0, atol=LOCAL)
    far.partial_fit(X[:5], Y[:5])  # what was summed is there to go on from
    np.testing.assert_allclose(far.coef_, local.partial_fit(X[:5], Y[:5]).coef_, rtol=0, atol=LOCAL)


def test_workers_may_be_processes():
    far = EchoStateRegressor(**GIVEN)
    with workers(1, processes=True) as cluster, distributed.Client(cluster):
        far.fit(dask_array.from_array(X, (20, 30, 2)), dask_array.from_array(Y, (20, 30)))
    assert_same(far, EchoStateRegressor(**GIVEN).fit(X, Y), X)


@pytest.mark.usefixtures("cluster")
@pytest.mark.parametrize("settings", [{}, {"pooling": "segments", "alpha": 1e-3}, {"pooling": "model"}, {"class_weight": "balanced"}], ids=str)
def test_classes_of_a_dask_array_are_a_local_fit(settings):
    local = EchoStateClassifier(**GIVEN, **settings).fit(X, LABELS)
    far = EchoStateClassifier(**GIVEN, **settings).fit(dask_array.from_array(X, (13, 10, 1)), dask_array.from_array(LABELS, 20))
    assert_same(far, local, X)
    np.testing.assert_array_equal(far.predict(X), local.predict(X))


@pytest.mark.usefixtures("cluster")
def test_delayed_pairs_of_ragged_sequences():
    y = [np.cumsum(x[:, 0]) for x in RAGGED]
    y[3][4:6] = np.nan
    far = EchoStateRegressor(**GIVEN, alpha=1e-3).fit(pairs(RAGGED, y, [7, 8, 40]))
    local = EchoStateRegressor(**GIVEN, alpha=1e-3).fit(RAGGED, y)
    assert far.washout_ == local.washout_
    np.testing.assert_allclose(far.coef_, local.coef_, rtol=0, atol=LOCAL)
    classes = EchoStateClassifier(**GIVEN).fit(pairs(RAGGED, LABELS, [30, 31]))
    assert_same(classes, EchoStateClassifier(**GIVEN).fit(RAGGED, LABELS), RAGGED)


@pytest.mark.usefixtures("cluster")
def test_the_scales_are_chosen_on_the_first_piece():
    far = EchoStateRegressor(hidden_size=20, random_state=0).fit(pairs(X, Y, [40]))
    first = EchoStateRegressor(hidden_size=20, random_state=0).fit(X[:40], Y[:40])
    assert (far.spectral_radius_, far.leak_rate_, far.input_scaling_) == (first.spectral_radius_, first.leak_rate_, first.input_scaling_)


REFUSED = [
    (
        EchoStateRegressor(readout="rls", alpha=1.0),
        (X, Y),
        "it needs readout=None, another alpha and no noise; got readout=rls, alpha=1.0, noise=0.0",
    ),
    (EchoStateClassifier(noise=0.1), (X, LABELS), "it needs readout=None and no noise; got readout=None, noise=0.1"),
    (EchoStateRegressor(washout=30), (X, Y), "washout=30 must be less than the length of every sequence; sequence 0 has 30 steps"),
    (EchoStateRegressor(), (X[0], Y[0]), r"A Dask array X must have the shape \(n_sequences, n_steps, n_features\); got \(30, 2\)"),
    (EchoStateRegressor(), (X, Y[:50]), "y must be a Dask array with a row for each of the 60 sequences of the Dask array X; got Array of shape"),
    (EchoStateRegressor(), (X, Y, Y), "sample_weight must be None where X is a Dask collection; got Array"),
]


@pytest.mark.parametrize(("model", "data", "match"), REFUSED, ids=[match[:50] for *_, match in REFUSED])
def test_what_is_refused(model, data, match):
    with dask.config.set(scheduler="synchronous"), pytest.raises(ValueError, match=match):
        model.fit(*map(dask_array.from_array, data))
    assert not hasattr(model, "n_features_in_")


def test_a_list_of_pairs_has_its_targets():
    with pytest.raises(ValueError, match=r"y must be None where X is a list of delayed pairs \(X, y\); got ndarray"):
        EchoStateRegressor().fit(pairs(X, Y, [30]), Y)
