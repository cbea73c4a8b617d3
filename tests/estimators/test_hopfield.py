"""Networks of Hopfield: what they store, how they recall, and what they refuse."""

import copy
import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from benchmarks import _experiments as experiments
from skrnn import HopfieldNetwork

RNG = np.random.default_rng(0)
N = 100
PATTERNS = RNG.choice([-1, 1], size=(6, N))
NOISY = np.where(RNG.random(PATTERNS.shape) < 0.15, -PATTERNS, PATTERNS)
RULES, UPDATES = ["hebb", "storkey", "pinv"], ["async", "sync"]
every_rule = pytest.mark.parametrize("rule", RULES)
every_update = pytest.mark.parametrize("update", UPDATES)


def make(rule="hebb", **settings):
    return HopfieldNetwork(rule, **{"random_state": 0} | settings)


@parametrize_with_checks([make(rule, update=update, coding="sign") for rule in RULES for update in UPDATES])
@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_scikit_learn(estimator, check):
    check(estimator)


# -- what it holds -------------------------------------------------------------------------------------------------------------------------------


@every_rule
@every_update
def test_few_patterns_are_found_again(rule, update):
    network = make(rule, update=update).fit(PATTERNS)
    recalled = network.recall(NOISY)
    np.testing.assert_array_equal(recalled.states, PATTERNS)
    np.testing.assert_array_equal(recalled.period, 1)
    assert (recalled.n_sweeps > 0).all()
    np.testing.assert_array_equal(network.recall(PATTERNS).n_sweeps, 0)
    assert network.score(NOISY, PATTERNS) == network.score(PATTERNS) == 1


@pytest.mark.parametrize("seed", range(3))
def test_hebb_holds_twelve_percent_and_loses_all_at_eighteen(seed):
    assert experiments.overlap("hebb", 0.12, seed) > 0.97
    assert experiments.overlap("hebb", 0.18, seed) < 0.85


@pytest.mark.parametrize("seed", range(3))
def test_storkey_is_exact_at_a_load_of_a_fifth(seed):
    assert experiments.overlap("storkey", 0.2, seed) == experiments.overlap("storkey", 0.2, seed, flipped=0.1) == 1


@pytest.mark.parametrize("seed", range(3))
def test_the_pseudo_inverse_is_exact_at_half_a_pattern_a_unit(seed):
    assert experiments.overlap("pinv", 0.5, seed) == 1


def test_the_weights_are_those_of_the_equations():
    hebb = PATTERNS.T @ PATTERNS / N
    np.fill_diagonal(hebb, 0)
    projection = np.linalg.pinv(PATTERNS) @ PATTERNS
    np.testing.assert_array_equal(make("hebb").fit(PATTERNS).weights_, hebb)
    np.testing.assert_allclose(make("pinv", update="sync").fit(PATTERNS).weights_, projection, rtol=0, atol=1e-12)
    np.fill_diagonal(projection, 0)
    np.testing.assert_allclose(make("pinv").fit(PATTERNS).weights_, projection, rtol=0, atol=1e-12)


@every_rule
@every_update
def test_patterns_in_parts_are_patterns_at_once(rule, update):
    whole = make(rule, update=update).fit(PATTERNS)
    parts = make(rule, update=update)
    for pattern in PATTERNS:
        parts = pickle.loads(pickle.dumps(parts.partial_fit(pattern[None])))
    np.testing.assert_allclose(parts.weights_, whole.weights_, rtol=0, atol=0 if rule == "hebb" else 1e-13)
    assert parts.n_patterns_ == whole.n_patterns_ == len(PATTERNS)
    np.testing.assert_array_equal(parts.predict(NOISY), whole.predict(NOISY))


def test_what_is_known_changes_no_projection():
    network = make("pinv", update="sync").fit(PATTERNS)
    before = network.weights_.copy()
    network.partial_fit(np.vstack([PATTERNS, -PATTERNS, PATTERNS]))
    np.testing.assert_allclose(network.weights_, before, rtol=0, atol=1e-12)


@every_update
def test_a_projection_onto_all_there_is_leaves_every_state_at_rest(update):
    network = make("pinv", update=update).fit(RNG.choice([-1, 1], size=(60, 30)))
    queries = RNG.choice([-1, 1], size=(50, 30))
    np.testing.assert_array_equal(network.predict(queries), queries)


# -- how it recalls ------------------------------------------------------------------------------------------------------------------------------


@every_rule
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_the_energy_never_rises_from_sweep_to_sweep(rule):
    patterns, queries = RNG.choice([-1, 1], size=(20, 40)), RNG.choice([-1, 1], size=(30, 40))
    threshold = RNG.normal(size=40) / 10
    runs = [make(rule, threshold=threshold, max_sweeps=n).fit(patterns) for n in range(1, 9)]
    energies = [runs[0].energy(queries), *(run.energy(run.predict(queries)) for run in runs)]
    assert (np.diff(energies, axis=0) <= 1e-12).all()
    assert (energies[-1] < energies[0]).all()
    s = queries[0]
    assert energies[0][0] == pytest.approx(-0.5 * s @ runs[0].weights_ @ s + threshold @ s)


def test_units_that_turn_at_once_may_end_in_two_states():
    pattern = np.array([[1, 1]])
    unlike = make(update="sync").fit([[1, -1]])
    recalled = unlike.recall(pattern)
    np.testing.assert_array_equal(recalled.period, 2)
    np.testing.assert_array_equal(np.abs(recalled.states.sum()), 2)
    np.testing.assert_array_equal(make(update="async").fit([[1, -1]]).recall(pattern).period, 1)


def test_two_cycles_are_found_among_queries_that_rest():
    patterns, queries = RNG.choice([-1, 1], size=(31, N)), RNG.choice([-1, 1], size=(200, N))  # of an odd number no field is 0
    network = make(update="sync").fit(patterns)
    states, _, period = network.recall(queries)
    assert set(period) == {1, 2}
    signs = np.sign(states @ network.weights_)
    np.testing.assert_array_equal((signs == states).all(axis=1), period == 1)
    np.testing.assert_array_equal(np.sign(signs @ network.weights_), states)


@every_rule
@every_update
def test_a_query_has_the_same_answer_in_any_company(rule, update):
    patterns, queries = RNG.choice([-1, 1], size=(25, N)), RNG.choice([-1, 1], size=(50, N))
    network = make(rule, update=update).fit(patterns)
    states, n_sweeps, period = network.recall(queries)
    energies = network.energy(queries)
    for rows in (RNG.permutation(50), np.arange(3, 20), *([k] for k in range(0, 50, 9))):
        for own, all_of_them in zip(network.recall(queries[rows]), (states, n_sweeps, period), strict=True):
            np.testing.assert_array_equal(own, all_of_them[rows])
        np.testing.assert_array_equal(network.energy(queries[rows]), energies[rows])


def test_the_size_of_a_chunk_changes_nothing(monkeypatch):
    network = make().fit(RNG.choice([-1, 1], size=(25, N)))
    queries = RNG.choice([-1, 1], size=(50, N))
    expected = network.predict(queries)
    monkeypatch.setattr("skrnn.estimators.memories._hopfield._NUMBERS", 7 * N)
    np.testing.assert_array_equal(network.predict(queries), expected)


def test_the_seed_is_the_order_of_the_units():
    patterns, queries = RNG.choice([-1, 1], size=(40, N)), RNG.choice([-1, 1], size=(50, N))
    expected = make().fit(patterns).predict(queries)
    np.testing.assert_array_equal(make().fit(patterns).predict(queries), expected)
    assert (make(random_state=1).fit(patterns).predict(queries) != expected).any()
    drawn = make(random_state=None).fit(patterns)
    np.testing.assert_array_equal(drawn.predict(queries), copy.deepcopy(drawn).predict(queries))


def test_recall_that_is_cut_short_warns():
    queries = RNG.choice([-1, 1], size=(50, N))
    network = make(max_sweeps=1).fit(RNG.choice([-1, 1], size=(40, N)))
    with pytest.warns(ConvergenceWarning, match=r"50 of 50 queries did not come to rest within max_sweeps=1"):
        recalled = network.recall(queries)
    np.testing.assert_array_equal(recalled.period, 0)
    np.testing.assert_array_equal(recalled.n_sweeps, 1)


# -- codings -------------------------------------------------------------------------------------------------------------------------------------


@every_rule
@every_update
def test_zeros_and_ones_are_the_same_network(rule, update):
    threshold = RNG.normal(size=N) / 5
    settings = {"update": update, "threshold": threshold}
    signs, bits = make(rule, **settings).fit(PATTERNS), make(rule, **settings).fit(PATTERNS > 0)
    assert (signs.coding_, bits.coding_) == ("bipolar", "binary")
    np.testing.assert_array_equal(bits.weights_, signs.weights_)
    np.testing.assert_array_equal(bits.predict(NOISY > 0), signs.predict(NOISY) > 0)
    np.testing.assert_array_equal(bits.energy(NOISY > 0), signs.energy(NOISY))
    assert bits.score(NOISY > 0, PATTERNS > 0) == signs.score(NOISY, PATTERNS)


def test_thresholds_are_those_of_the_coding():
    threshold = RNG.normal(size=N) / 5
    for patterns in (PATTERNS, PATTERNS > 0):
        network = make(threshold=threshold).fit(patterns)
        rested = network.predict(patterns)
        np.testing.assert_array_equal(rested @ network.weights_ > network.thresholds_, rested > 0)


def test_a_larger_threshold_keeps_sparse_patterns_sparse():
    """Of bits that are rarely 1 the zeros are what Hebb's rule knows best; a threshold of the other sign drowns them."""
    queries = RNG.choice([0, 1], size=(20, N))
    active = [make(threshold=theta).fit(PATTERNS > 0).predict(queries).mean() for theta in (-1.0, 0.0, 1.0)]
    assert active[0] > active[1] > active[2]


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, np.float64])
def test_numbers_come_back_in_their_type(dtype):
    assert make().fit(PATTERNS).predict(NOISY.astype(dtype)).dtype == dtype
    assert make().fit(PATTERNS > 0).predict((NOISY > 0).astype(dtype)).dtype == dtype


def test_bits_come_back_as_bits():
    recalled = make().fit(PATTERNS > 0).predict(NOISY > 0)
    assert recalled.dtype == bool
    np.testing.assert_array_equal(recalled, PATTERNS > 0)
    assert make().fit(PATTERNS > 0).predict((NOISY > 0).astype(np.uint8)).dtype == np.uint8


def test_signs_of_numbers_are_patterns_if_that_is_meant():
    X = RNG.normal(size=(5, N)) + 3 * PATTERNS[:5]
    expected = make().fit(np.sign(X)).predict(np.sign(X))
    np.testing.assert_array_equal(make(coding="sign").fit(X).predict(X), expected)
    with pytest.warns(DataConversionWarning, match="values above 0 are taken as 1"):
        by_itself = make().fit(X)
    assert by_itself.coding_ == "sign"
    np.testing.assert_array_equal(by_itself.predict(X), expected)


@pytest.mark.parametrize("values", [[0, 2], [1, 2], [-1, 0, 1], [0, 255], [0.2, 0.8], [7]])
def test_two_values_that_are_no_coding_are_refused(values):
    X = RNG.choice(values, size=(20, 8))
    with pytest.raises(ValueError, match=rf"patterns of -1 and 1, or of 0 and 1; got the values {re.escape(str([*values]))}"):
        make().fit(X)
    network = make(coding="sign").fit(X)
    assert set(np.unique(network.predict(X))) <= {-1, 1}


def test_a_coding_that_is_said_must_be_there():
    ones = np.ones((2, 4), int)
    assert make().fit(ones).coding_ == "bipolar"
    assert make(coding="binary").fit(ones).partial_fit(1 - ones).n_patterns_ == 4
    with pytest.raises(ValueError, match="X must hold patterns of 0 and 1, the coding of this network; got -1 among them"):
        make(coding="binary").fit(PATTERNS)
    with pytest.raises(ValueError, match=r"X must hold patterns of -1 and 1, the coding of this network; got -?0\.5 among them"):
        make(coding="bipolar").fit(PATTERNS * 0.5)


@pytest.mark.parametrize("ask", ["predict", "transform", "recall", "energy", "score", "partial_fit"])
def test_queries_in_another_coding_are_refused(ask):
    with pytest.raises(ValueError, match="X must hold patterns of -1 and 1, the coding of this network; got 0 among them"):
        getattr(make().fit(PATTERNS), ask)((PATTERNS > 0).astype(int))


# -- what is refused -----------------------------------------------------------------------------------------------------------------------------

REFUSED = [
    ({"rule": "hebbian"}, "The 'rule' parameter of HopfieldNetwork must be a str among"),
    ({"update": "parallel"}, "The 'update' parameter of HopfieldNetwork must be a str among"),
    ({"max_sweeps": 0}, "The 'max_sweeps' parameter of HopfieldNetwork must be an int in the range"),
    ({"coding": "ternary"}, "The 'coding' parameter of HopfieldNetwork must be a str among"),
    ({"threshold": [0.0, 1.0]}, "'threshold' of HopfieldNetwork must be a finite number, or one for each of 100 units; got "),
    ({"threshold": np.nan}, "'threshold' of HopfieldNetwork must be a finite number"),
    ({"threshold": np.full(N, np.inf)}, "'threshold' of HopfieldNetwork must be a finite number"),
]


@pytest.mark.parametrize(("settings", "message"), REFUSED, ids=[str(settings)[:40] for settings, _ in REFUSED])
def test_a_parameter_is_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        HopfieldNetwork(**settings).fit(PATTERNS)


def test_the_rule_stays_between_calls_of_partial_fit():
    network = make().fit(PATTERNS).set_params(rule="pinv")
    weights = network.weights_
    with pytest.raises(ValueError, match="'rule' of HopfieldNetwork must stay between calls of partial_fit; got 'pinv' after 'hebb': call fit"):
        network.partial_fit(PATTERNS)
    assert network.weights_ is weights
    np.testing.assert_array_equal(network.fit(PATTERNS).weights_, make("pinv").fit(PATTERNS).weights_)


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.where(PATTERNS > 0, 1.0, np.nan), "Input X contains NaN"),
        (PATTERNS[0], "Expected 2D array, got 1D array instead"),
        (PATTERNS[:0], "Found array with 0 sample"),
        (PATTERNS[:, :0], "0 feature"),
        (PATTERNS[None], "Found array with dim 3"),
        (PATTERNS + 0j, "Complex data not supported"),
        ([["a", "b"]], "not compatible with arrays of bytes/strings"),
    ],
    ids=["NaN", "1-D", "no pattern", "no unit", "3-D", "complex", "words"],
)
def test_what_are_no_patterns_is_refused_and_leaves_nothing(X, message):
    network = make()
    with pytest.raises(ValueError, match=message):
        network.fit(X)
    assert not set(vars(network)) - set(network.get_params())


def test_queries_of_another_size_are_refused():
    with pytest.raises(ValueError, match="X has 99 features, but HopfieldNetwork is expecting 100 features"):
        make().fit(PATTERNS).predict(PATTERNS[:, 1:])
    with pytest.raises(ValueError, match=r"y must hold a pattern for each row of X, of shape \(6, 100\); got shape \(5, 100\)"):
        make().fit(PATTERNS).score(PATTERNS, PATTERNS[1:])
    with pytest.raises(NotFittedError):
        make().recall(PATTERNS)


# -- among the tools of scikit-learn -------------------------------------------------------------------------------------------------------------


def test_labels_do_not_count_in_a_score():
    network = make().fit(PATTERNS, np.arange(6))
    assert network.score(PATTERNS, np.arange(6)) == network.score(PATTERNS) == 1


def test_the_opposite_of_a_pattern_counts_as_the_pattern():
    network = make().fit(PATTERNS)
    np.testing.assert_array_equal(network.predict(-PATTERNS), -PATTERNS)
    assert network.score(-PATTERNS, PATTERNS) == 1


def test_rules_can_be_searched_and_cloned():
    search = GridSearchCV(make(), {"rule": RULES, "update": UPDATES}, cv=2).fit(PATTERNS)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert repr(clone(search.best_estimator_)) == repr(search.best_estimator_)
    scaled = make_pipeline(StandardScaler(), make(coding="sign")).fit(PATTERNS)
    assert scaled.predict(PATTERNS).shape == PATTERNS.shape


def test_names_of_units_stay():
    frame = pd.DataFrame(PATTERNS, columns=[f"pixel{k}" for k in range(N)])
    network = make().set_output(transform="pandas").fit(frame)
    pd.testing.assert_frame_equal(network.transform(frame), frame)
    assert isinstance(network.predict(frame), np.ndarray)


def test_one_unit_and_one_pattern_are_a_network():
    for rule in RULES:
        for update in UPDATES:
            network = make(rule, update=update).fit([[1]])
            np.testing.assert_array_equal(network.predict([[-1], [1]]), [[-1], [1]])
