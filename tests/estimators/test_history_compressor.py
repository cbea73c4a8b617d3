"""What was to be expected is left out of sequences, level by level, and told again."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import HistoryCompressor, RNNClassifier, RNNTagger, as_sequences
from skrnn.data import Sequences
from skrnn.datasets import make_buried_order, make_copy, make_first_symbol
from skrnn.engine import BPTT, TruncatedBPTT
from skrnn.estimators.codes._events import Alphabet, passed_up, spread_out
from skrnn.preprocessing import TokenEncoder

RNG = np.random.default_rng(0)
WORDS, STARTS = make_first_symbol(60, 12, n_fillers=4, random_state=0)
NOISE = ["".join(RNG.choice(list("abcd"), size=n)) for n in RNG.integers(1, 20, size=30)]
WAVES = [np.sin(0.4 * np.arange(n) + start)[:, None] for n, start in zip(RNG.integers(20, 30, size=40), RNG.uniform(0, 6, size=40), strict=True)]
WAYS = [
    {},
    {"n_levels": 2, "cell": "lstm", "n_layers": 2},
    {"n_levels": 3, "threshold": 0, "cell": "elman"},
    {"n_levels": 2, "distill": True, "dtype": "float64"},
    {"rule": TruncatedBPTT(3), "embedding_size": 3, "threshold": 1.0},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def make(**settings):
    return HistoryCompressor(**{"hidden_size": 12, "max_epochs": 8, "learning_rate": 0.02, "random_state": 0} | settings)


@pytest.fixture(scope="module")
def trained():
    return make(max_epochs=30).fit(WORDS)


# -- nothing is lost -------------------------------------------------------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize(
    "X",
    [WORDS, NOISE, make_copy(30, random_state=0)[0], make_buried_order(10, (80, 90), random_state=0)[0]],
    ids=["starts", "noise", "copy", "order"],
)
def test_symbols_come_back_as_they_were(X, way):
    model = make(symbols=True, **way).fit(X)
    back = model.inverse_transform(model.transform(X))
    assert [list(row) for row in back] == [list(row) for row in X]
    assert model.compression_ratio_ == pytest.approx(sum(map(len, X)) / model.transform(X).n_steps_total)


@every_way
def test_other_sequences_of_the_same_symbols_come_back_too(way):
    model = make(**way).fit(NOISE[:20])
    odd = ["a", "dddd", "abcd" * 30, *NOISE[20:]]
    assert model.inverse_transform(model.transform(odd)) == odd


def test_whole_numbers_are_symbols_if_said_so():
    X = np.array(RNG.integers(3, 7, size=(20, 9)))
    model = make(symbols=True).fit(X)
    assert model.symbols_.tolist() == [3, 4, 5, 6]
    assert model.get_feature_names_out().tolist() == ["is_3", "is_4", "is_5", "is_6", "gap0"]
    assert np.array_equal(model.inverse_transform(model.transform(X)), X)
    assert make().fit(X).symbols_ is None


def test_ids_of_tokens_are_symbols():
    model = make_pipeline(TokenEncoder(), make()).fit(["one two three", "two three one one"] * 5)
    assert len(model[-1].symbols_) == 3
    frame = pd.concat({k: pd.DataFrame({"s": list(x)}) for k, x in enumerate(NOISE)}, names=["id", "step"]).astype("category")
    by_type = make().fit(frame)
    assert ["".join(x) for x in by_type.inverse_transform(by_type.transform(frame))] == NOISE


def test_numbers_are_told_within_the_tolerance_at_the_steps_that_are_left_out_first():
    model = make(max_epochs=40).fit(WAVES)
    assert model.compression_ratio_ > 2
    assert [x.shape for x in model.inverse_transform(model.transform(WAVES))] == [x.shape for x in WAVES]
    for x, kept, back in zip(WAVES, model.kept_steps(WAVES), model.inverse_transform(model.transform(WAVES)), strict=True):
        np.testing.assert_allclose(back[kept], x[kept], atol=1e-12)
        left_out = np.setdiff1d(np.arange(len(x)), kept)[0]  # the network has seen what was true until then
        assert np.abs(back[left_out] - x[left_out]) <= 0.25 * np.concatenate(WAVES).std() + 1e-6


def test_channels_keep_their_names():
    frames = [pd.DataFrame(np.column_stack([x, -x]), columns=["up", "down"]) for x in WAVES[:10]]
    model = make(n_levels=2, max_epochs=1).fit(frames)
    assert model.get_feature_names_out().tolist() == ["up", "down", "gap0", "gap1"]
    with pytest.raises(ValueError, match="X has 1 features, but HistoryCompressor is expecting 2"):
        model.transform(WAVES)


def test_gaps_of_upper_levels_are_told_to_the_step():
    model = make(n_levels=3, max_epochs=20).fit(WAVES)
    assert [len(x) for x in model.inverse_transform(model.transform(WAVES))] == [len(x) for x in WAVES]


# -- what is left ------------------------------------------------------------------------------------------------------------------------------------


def test_what_could_not_be_known_is_left_and_where_a_sequence_ends(trained):
    reduced = trained.transform(WORDS)
    assert isinstance(reduced, Sequences)
    assert set(reduced.lengths) == {2}
    assert trained.compression_ratio_ == 6
    assert trained.get_feature_names_out().tolist() == ["is_a", "is_b1", "is_b2", "is_b3", "is_b4", "is_x", "gap0"]
    for word, row in zip(WORDS, reduced, strict=True):
        assert [trained.symbols_[k] for k in row[:, :-1].argmax(axis=1)] == [word[0], word[-1]]
        assert row[:, -1].tolist() == [1, 11]
    assert [k.tolist() for k in trained.kept_steps(WORDS[:2])] == [[0, 11], [0, 11]]


def test_a_step_is_left_out_if_it_was_likely_enough(trained):
    surprise = np.array(trained.surprise(WORDS))
    assert surprise.shape == (60, 12)
    assert (surprise >= 0).all()
    assert ((surprise > -np.log(0.9)).sum(axis=1) == 1).all()
    assert trained.score(WORDS) == pytest.approx(-surprise.mean())
    strict = make(max_epochs=30, threshold=1.0).fit(WORDS)
    assert strict.compression_ratio_ == 1


def test_probabilities_sum_to_one_over_what_could_come(trained):
    last = [np.exp(-trained.surprise([[*WORDS[0][:5], symbol]])[0][-1]) for symbol in trained.symbols_]
    assert 0.98 < sum(last) <= 1 + 1e-6  # one more stands for what is unknown


@pytest.mark.slow
def test_an_upper_level_leaves_out_what_only_it_can_tell():
    """Between letters that come round are runs too long for what a gradient of one step teaches."""
    X = ["".join(letter + "zzzzz" for letter in np.roll(list("abc"), k).tolist() * 4) for k in range(3)] * 3
    one, two = (make(n_levels=n, cell="elman", max_epochs=40, rule=BPTT(grad_path="none"), hidden_size=8, batch_size=4).fit(X) for n in (1, 2))
    assert two.compression_ratio_ > 1.5 * one.compression_ratio_
    assert two.inverse_transform(two.transform(X)) == X
    assert two.get_feature_names_out()[-2:].tolist() == ["gap0", "gap1"]


def test_company_and_container_do_not_matter(trained):
    surprise = trained.surprise(WORDS)
    for rows in ([5], [17, 3], list(range(59, -1, -1))):
        part = [WORDS[i] for i in rows]
        for found, i in zip(trained.surprise(part), rows, strict=True):
            np.testing.assert_array_equal(found, surprise[i])
    waves = make().fit(WAVES)
    for dress in (list, as_sequences):
        np.testing.assert_array_equal(waves.transform(dress(WAVES[3:5])).values, waves.transform(WAVES)[3:5].values)


@every_way
def test_copies_say_the_same(way):
    first = make(**way).fit(WORDS)
    again = clone(first).fit(WORDS)
    assert first.loss_curve_ == again.loss_curve_
    for other in (again, pickle.loads(pickle.dumps(first)), copy.deepcopy(first)):
        np.testing.assert_array_equal(other.transform(NOISE_OF_WORDS).values, first.transform(NOISE_OF_WORDS).values)


NOISE_OF_WORDS = [RNG.choice(sorted({symbol for word in WORDS for symbol in word}), size=9).tolist() for _ in range(4)]


@pytest.mark.parametrize(
    "settings",
    [{"rule": "rtrl"}, {"rule": "snap1"}, {"rule": "truncated_bptt"}, {"rule": TruncatedBPTT(3, stride=1)}, {"rule": "guessing", "batch_size": None}],
    ids=str,
)
def test_every_rule_trains_levels(settings):
    model = make(n_levels=2, cell="elman", hidden_size=4, max_epochs=2, **settings).fit(NOISE)
    assert model.inverse_transform(model.transform(NOISE)) == NOISE
    assert len(model.levels_) == 2


def test_what_is_computed_side_by_side_may_be_embedded():
    small, wide = (make(embedding_size=size, max_epochs=30).fit(WORDS) for size in (2, None))
    assert small.levels_[0].n_parameters_ < wide.levels_[0].n_parameters_
    assert small.inverse_transform(small.transform(WORDS)) == WORDS


# -- as a step before others ---------------------------------------------------------------------------------------------------------------------


def test_a_classifier_behind_it_sees_what_lay_far_back():
    model = make_pipeline(make(max_epochs=30), RNNClassifier("elman", hidden_size=8, bidirectional=False, pooling="last", random_state=0))
    assert model.fit(WORDS, STARTS).score(WORDS, STARTS) == 1
    search = GridSearchCV(make(max_epochs=1), {"n_levels": [1, 2], "cell__activation": ["tanh"]}, cv=2)
    assert search.set_params(estimator__cell="elman").fit(WORDS).best_params_["n_levels"] in (1, 2)


def test_a_tagger_behind_it_learns_from_the_labels_of_what_is_left(trained):
    labels = [np.full(len(word), start) for word, start in zip(WORDS, STARTS, strict=True)]
    kept = [y[k] for y, k in zip(labels, trained.kept_steps(WORDS), strict=True)]
    reduced = trained.transform(WORDS)
    assert RNNTagger(hidden_size=8, max_epochs=20, random_state=0).fit(reduced, kept).score(reduced, kept) == 1


# -- learning --------------------------------------------------------------------------------------------------------------------------------------


def test_going_on_goes_on():
    model = make(warm_start=True, max_epochs=3, n_levels=2).fit(WORDS)
    before = pickle.dumps(model)
    further = pickle.loads(before).fit(WORDS)
    assert further.n_iter_ == 2 * model.n_iter_ == 12
    assert further.loss_curve_[:3] == model.loss_curve_[:3]
    assert further.inverse_transform(further.transform(WORDS)) == WORDS
    with pytest.raises(ValueError, match="Training goes on with n_levels=2, but n_levels is now 3"):
        model.set_params(n_levels=3).fit(WORDS)
    assert pickle.dumps(model.set_params(n_levels=2)) == before


def test_others_tell_when_to_stop():
    model = make(max_epochs=50, n_iter_no_change=2, n_levels=2).fit(NOISE[:20], X_val=NOISE[20:])
    assert model.n_iter_ < 100
    assert all(level.validation_scores_ for level in model.levels_)
    assert make(early_stopping=True).fit(WORDS).levels_[0].validation_scores_


# -- small and odd ---------------------------------------------------------------------------------------------------------------------------------


def test_symbols_that_were_not_there_are_refused_or_surprises():
    model = make().fit(NOISE)
    with pytest.raises(ValueError, match=r"Found unknown category '\?' in channel 0 of X \(sequence 1, step 2\)"):
        model.transform(["ab", "ab?d"])
    lenient = make(handle_unknown="use_encoded_value", n_levels=2).fit(NOISE)
    assert lenient.inverse_transform(lenient.transform(["ab?d", "dd"])) == [["a", "b", None, "d"], ["d", "d"]]
    assert [2] in [[k] for k in lenient.kept_steps(["ab?d"])[0]]


def test_little_to_learn_from_is_said():
    with pytest.warns(UserWarning, match="X is one sequence"):
        one = make().fit(["abcabcabc"])
    assert one.inverse_transform(one.transform(NOISE_OF := ["abc", "cab"])) == NOISE_OF
    for X in (["aaa", "aa"], np.ones((4, 6))):
        with pytest.warns(UserWarning, match="All steps of X are the same"):
            same = make(max_epochs=30).fit(X)
        assert [np.shape(x) for x in same.inverse_transform(same.transform(X))] == [np.shape(x) if isinstance(x, str) else (6, 1) for x in X]


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([], "0 sample"),
        ([[]], "0 feature"),
        (["ab", ""], "step|token|empty"),
        ([["a", 1.5], ["b", 2.0]], "string"),
        (np.full((3, 4), np.nan), "NaN"),
        (None, "X|array"),
    ],
)
def test_what_holds_nothing_is_refused(X, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make().fit(X)


def test_several_channels_of_symbols_are_refused():
    frames = [pd.DataFrame({"a": pd.Categorical(["x", "y"]), "b": [1.0, 2.0]})] * 3
    with pytest.raises(ValueError, match="Steps are symbols of one channel, or numbers; X has 2 channels, 1 of them with symbols"):
        make().fit(frames)


def test_what_does_not_go_together_is_refused(trained):
    with pytest.raises(ValueError, match="it needs n_levels of 2 or more; got n_levels=1"):
        make(distill=True).fit(WORDS)
    with pytest.raises(NotFittedError):
        make().transform(WORDS)
    reduced = trained.transform(WORDS)
    with pytest.raises(ValueError, match="X must hold reduced sequences of 7 channels, as transform gives them; got 3"):
        trained.inverse_transform(np.zeros((1, 2, 3)))
    with pytest.raises(ValueError, match="X must hold gaps in whole numbers"):
        trained.inverse_transform([reduced[0] * 0.5])
    with pytest.raises(ValueError, match="X must hold 1 in the channel of the symbol"):
        trained.inverse_transform([reduced[0] + 1])


def test_a_refused_fit_changes_nothing(trained):
    model = copy.deepcopy(trained)
    before = pickle.dumps(model)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((3, 4), np.nan))
    assert pickle.dumps(model) == before


# -- events ----------------------------------------------------------------------------------------------------------------------------------------


def test_gaps_lead_back_to_where_events_were():
    events = Sequences(np.arange(7.0)[:, None], [0, 4, 7])
    up = passed_up(events, np.array([0, 1, 0, 1, 1, 0, 1], dtype=bool))
    assert up.values.tolist() == [[1, 2], [3, 2], [4, 1], [6, 2]]
    back, told = spread_out(up)
    assert back.offsets.tolist() == [0, 4, 7]
    assert back.values[:, 0].tolist() == [0, 1, 0, 3, 4, 0, 6]
    assert told.tolist() == [False, True, False, True, True, False, True]


def test_an_event_with_an_unknown_symbol_is_none_that_is_known():
    values = np.array([[0, 1], [2, 1], [0, 1], [1, 3]], dtype=float)
    alphabet = Alphabet.of(values, 2)
    assert alphabet.events.tolist() == [[0, 1], [1, 3]]
    assert alphabet.encode(np.array([[1, 3], [2, 1], [0, 2], [0, 1]], dtype=float))[:, 0].tolist() == [1, 2, 2, 0]
