"""RateEncoder, LatencyEncoder, DeltaEncoder: what the spikes tell of the numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrnn.data import Sequences, as_sequences
from skrnn.preprocessing import DeltaEncoder, LatencyEncoder, RateEncoder

RNG = np.random.default_rng(0)
RAGGED = [RNG.normal(size=(n, 2)) for n in (4, 1, 9)]
ENCODERS = [RateEncoder(random_state=0), RateEncoder(n_steps=1), LatencyEncoder(), LatencyEncoder(n_steps=3), DeltaEncoder(), DeltaEncoder(2.0)]
every_encoder = pytest.mark.parametrize("encoder", ENCODERS, ids=repr)


@parametrize_with_checks(ENCODERS, xfail_strict=True)
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_scikit_learn(estimator, check):
    check(estimator)


# -- all of them ---------------------------------------------------------------------------------------------------------------------------------


@every_encoder
def test_every_container_comes_back_with_the_same_spikes(encoder):
    encoder = type(encoder)(**encoder.get_params() | ({"random_state": 0} if "random_state" in encoder.get_params() else {}))
    expected = encoder.fit_transform(as_sequences(RAGGED))
    assert isinstance(expected, Sequences)
    of_list = encoder.fit_transform(RAGGED)
    assert type(of_list) is list
    for x, z in zip(of_list, expected, strict=True):
        np.testing.assert_array_equal(x, z)
    block = np.stack([RAGGED[0], -RAGGED[0]])
    spikes = encoder.fit_transform(block)
    assert spikes.shape[0] == 2
    np.testing.assert_array_equal(spikes.reshape(-1, spikes.shape[2]), encoder.transform(as_sequences(block)).values)


@every_encoder
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_type_and_input_are_kept(encoder, dtype):
    X = [x.astype(dtype) for x in RAGGED]
    copies = [x.copy() for x in X]
    spikes = encoder.fit_transform(X)
    for x, copy, s in zip(X, copies, spikes, strict=True):
        np.testing.assert_array_equal(x, copy)
        assert s.dtype == dtype
        assert (s >= 0).all()
        np.testing.assert_array_equal(s, np.rint(s))


@every_encoder
def test_names_fit_to_what_comes_out(encoder):
    assert len(encoder.fit(RAGGED).get_feature_names_out()) == encoder.transform(RAGGED)[0].shape[1]
    table = np.stack([x[0] for x in RAGGED])
    spikes = encoder.fit_transform(table)
    assert len(encoder.get_feature_names_out()) == spikes.shape[-1]


def test_names():
    assert LatencyEncoder().fit(RAGGED).get_feature_names_out(["a", "b"]).tolist() == ["a", "b"]
    assert LatencyEncoder(2).fit(np.eye(2)).get_feature_names_out(["a", "b"]).tolist() == ["a:0", "a:1", "b:0", "b:1"]
    assert DeltaEncoder().fit(RAGGED).get_feature_names_out(["a", "b"]).tolist() == ["a_up", "b_up", "a_down", "b_down"]
    assert DeltaEncoder().fit(np.eye(2)).get_feature_names_out().tolist() == ["x0_up", "x0_down"]


# -- rates ---------------------------------------------------------------------------------------------------------------------------------------


def test_the_rate_rises_linearly_with_the_value():
    """Within four standard deviations of counts over 20 s for each of five values."""
    encoder = RateEncoder(n_steps=40_000, max_rate=80.0, dt=0.5, random_state=0)
    counts = encoder.fit_transform(np.linspace(-3, 5, 5)[None]).reshape(5, -1).sum(axis=1)
    expected = 40_000 * -np.expm1(-80 * 0.5e-3 * np.linspace(0, 1, 5))
    assert counts[0] == 0
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all()


def test_spikes_of_channels_steps_and_sequences_are_independent():
    spikes = RateEncoder(n_steps=5000, max_rate=1000.0, random_state=0).fit([[[0.0, 0.0]], [[1.0, 1.0]]]).transform(np.full((2, 2, 2), 0.5))
    trains = spikes.reshape(2, 2, 5000, 2).transpose(0, 1, 3, 2).reshape(8, 5000)
    correlations = np.corrcoef(trains) - np.eye(8)
    assert np.abs(correlations).max() < 5 / np.sqrt(5000)
    assert np.abs([np.corrcoef(t[:-1], t[1:])[0, 1] for t in trains]).max() < 5 / np.sqrt(5000)


def test_an_int_draws_the_same_again_and_a_generator_goes_on():
    fixed = RateEncoder(random_state=3).fit(RAGGED)
    going = RateEncoder(random_state=np.random.RandomState(3)).fit(RAGGED)
    same = [np.array_equal(*(np.concatenate(encoder.transform(RAGGED)) for _ in range(2))) for encoder in (fixed, going)]
    assert same == [True, False]


@pytest.mark.parametrize("encoder", [RateEncoder(random_state=0), LatencyEncoder()], ids=repr)
def test_values_beyond_the_range_of_the_fit_are_taken_for_its_ends(encoder):
    encoder.fit([[0.0, 1.0]])
    np.testing.assert_array_equal(encoder.transform([[-7.0, 9.0]]), encoder.transform([[0.0, 1.0]]))


# -- latency -------------------------------------------------------------------------------------------------------------------------------------


def test_one_spike_for_each_value_the_earlier_the_greater():
    values = np.linspace(0, 1, 11)
    spikes = LatencyEncoder(n_steps=11).fit_transform(values[None]).reshape(11, 11)
    np.testing.assert_array_equal(spikes, np.eye(11)[::-1])


def test_channels_have_ranges_of_their_own_and_a_constant_one_is_least():
    X = np.array([[[0.0, 100.0, 5.0], [1.0, 300.0, 5.0]]])
    spikes = LatencyEncoder(n_steps=4).fit_transform(X).reshape(2, 4, 3)
    np.testing.assert_array_equal(spikes.argmax(axis=1), [[3, 3, 3], [0, 0, 3]])
    np.testing.assert_array_equal(spikes.sum(axis=1), np.ones((2, 3)))


# -- changes -------------------------------------------------------------------------------------------------------------------------------------


def levels_one_by_one(x, threshold):
    """Step after step, as the equations say."""
    z, n = (x - x[0]) / threshold, [np.zeros(x.shape[1])]
    for step in z[1:]:
        n.append(n[-1] + np.trunc(step - n[-1]))
    return np.array(n)


@settings(deadline=None, derandomize=True, database=None, max_examples=80)
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    threshold=st.sampled_from([0.05, 0.5, 3.0]),
    whole=st.booleans(),
    seed=st.integers(0, 99),
)
def test_spikes_are_the_levels_that_are_crossed(lengths, threshold, whole, seed):
    """Also where values lie exactly on levels."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(n, 2)).cumsum(axis=0) for n in lengths]
    X = [threshold * np.rint(x) for x in X] if whole else X
    for x, spikes in zip(X, DeltaEncoder(threshold).fit_transform(X), strict=True):
        change = spikes[:, :2] - spikes[:, 2:]
        expected = levels_one_by_one(x, threshold)
        np.testing.assert_array_equal(change, np.diff(expected, axis=0, prepend=0))
        assert (np.abs(x[0] + threshold * change.cumsum(axis=0) - x) <= threshold * (1 + 1e-9)).all()
        assert not (spikes[:, :2] * spikes[:, 2:]).any()


def test_noise_below_the_threshold_is_silent():
    x = 0.49 * RNG.uniform(-1, 1, size=(1, 500, 1))
    assert not DeltaEncoder(1.0).fit_transform(x).any()


def test_an_offset_does_not_matter():
    x = np.rint(8 * RNG.normal(size=(3, 50, 2))) / 8  # exact, also with the offset
    np.testing.assert_array_equal(DeltaEncoder(0.25).fit_transform(x + 1024), DeltaEncoder(0.25).fit_transform(x))


# -- refused -------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (RateEncoder(n_steps=0), "'n_steps' parameter of RateEncoder must be a whole number of at least 1; got 0"),
        (RateEncoder(max_rate=0), "'max_rate' parameter of RateEncoder must be a positive number; got 0"),
        (RateEncoder(dt="1"), "'dt' parameter of RateEncoder must be a positive number; got '1'"),
        (LatencyEncoder(2.5), r"'n_steps' parameter of LatencyEncoder must be a whole number of at least 1; got 2\.5"),
        (LatencyEncoder(True), "'n_steps' parameter of LatencyEncoder must be a whole number of at least 1; got True"),
        (DeltaEncoder(-1), "'threshold' parameter of DeltaEncoder must be a positive number; got -1"),
        (DeltaEncoder(np.nan), "'threshold' parameter of DeltaEncoder must be a positive number; got nan"),
    ],
    ids=repr,
)
def test_wrong_settings_are_refused(encoder, message):
    with pytest.raises(ValueError, match=message):
        encoder.fit(RAGGED)


@every_encoder
def test_other_channels_are_refused(encoder):
    with pytest.raises(ValueError, match=f"X has 3 features, but {type(encoder).__name__} is expecting 2 features"):
        encoder.fit(RAGGED).transform(np.zeros((2, 4, 3)))
