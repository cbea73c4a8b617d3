"""The classifier of questions about stories."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrnn import MemoryNetworkClassifier
from skrnn.datasets import make_stories
from skrnn.preprocessing import StoryVectorizer
from skrnn.training import WeightNoise
from tests.estimators.samples import Hook

X, Y = make_stories("two_facts", 60, random_state=0)
QUICK = {"max_epochs": 3, "embedding_size": 6, "random_state": 0}
KEYS = [[sentence.split()[0] for sentence in story] for story, _ in X]


def make(**settings):
    return MemoryNetworkClassifier(**QUICK | settings)


@pytest.fixture(scope="module")
def fitted():
    return make().fit(X, Y)


@pytest.fixture(scope="module")
def keyed():
    return make(temporal_encoding=False).fit(X, Y, keys=KEYS)


def scores(model, stories=X, **more):
    return model.decision_function(stories, **more)


def test_questions_about_one_fact_are_answered():
    X, y = make_stories("one_fact", 500, random_state=0)
    model = MemoryNetworkClassifier(max_epochs=30, random_state=0).fit(X[:400], y[:400])
    assert model.score(X[400:], y[400:]) > 0.9


def test_an_associative_memory_finds_the_value_of_a_key_that_is_not_told_in_full():
    rng = np.random.default_rng(0)
    colours, things = ["red", "green", "blue"], ["ball", "box", "cup"]
    stories, keys, y = [], [], []
    for _ in range(300):
        pairs = [(str(c), str(t)) for c, t in zip(rng.permutation(colours), rng.permutation(things), strict=True)]
        answers = rng.choice(["yes", "no", "maybe"], size=3)
        stories.append(([[str(a)] for a in answers], [pairs[1][0]]))
        keys.append([[*pair] for pair in pairs])
        y.append(str(answers[1]))
    model = MemoryNetworkClassifier(1, temporal_encoding=False, max_epochs=20, random_state=0).fit(stories[:250], y[:250], keys=keys[:250])
    assert model.score(stories[250:], y[250:], keys=keys[250:]) > 0.95
    looks = model.attention(stories[250:], keys=keys[250:])
    assert (looks[:, 0].argmax(axis=1) == 1).mean() > 0.95


# -- what is read ----------------------------------------------------------------------------------------------------------------------------------

WORDS = [([s.lower().rstrip(".").split() for s in story], question.lower().rstrip("?").split()) for story, question in X]
TELLINGS = {
    "one string": [(" ".join(story), question) for story, question in X],
    "words": WORDS,
    "tuples": tuple((tuple(map(tuple, story)), tuple(question)) for story, question in WORDS),
    "frame": pd.DataFrame({"told": [story for story, _ in X], "asked": [question for _, question in X]}),
}


@pytest.mark.parametrize("told", TELLINGS.values(), ids=TELLINGS)
def test_how_a_story_is_told_does_not_matter(told, fitted):
    np.testing.assert_array_equal(scores(fitted, told), scores(fitted))
    np.testing.assert_array_equal(scores(make().fit(told, Y), told), scores(fitted))


def test_a_vectorizer_changes_nothing(fitted):
    model = make_pipeline(StoryVectorizer(), make()).fit(X, Y)
    np.testing.assert_array_equal(scores(model), scores(fitted))
    np.testing.assert_array_equal(model[-1].attention(model[:-1].transform(X)), fitted.attention(X))


def test_ids_filled_up_with_zeros_are_the_same():
    ids = StoryVectorizer().fit_transform(X)
    padded = np.zeros((len(ids), max(map(len, ids)) + 2, 9), dtype=int)
    for table, row in zip(padded, ids, strict=True):
        table[: len(row), : row.shape[1]] = row
    model = make().fit(ids, Y)
    np.testing.assert_array_equal(scores(model, padded), scores(model, ids))


def test_a_search_over_vectorizer_and_network():
    grid = {"storyvectorizer__min_frequency": [1, 2], "memorynetworkclassifier__n_hops": [1, 2]}
    search = GridSearchCV(make_pipeline(StoryVectorizer(), make(max_epochs=1)), grid, cv=2).fit(X, Y)
    assert set(search.best_params_) == set(grid)


def test_words_that_were_never_seen_say_nothing(fitted):
    story, question = X[7]
    at = len(story) - 1
    known, unknown = ([*story[:at], words] for words in (story[at], story[at] + " quickly"))
    assert (scores(fitted, [(unknown, question)]) == scores(fitted, [(known, question)])).all()
    with pytest.warns(UserWarning, match="Nothing in sequence 0 of the questions of X was seen in fit"):
        fitted.predict([(story, "Warum denn?")])


def test_only_the_last_sentences_are_remembered():
    model = make(memory_size=2).fit(X, Y)
    cut = [(story[-2:], question) for story, question in X]
    np.testing.assert_array_equal(scores(model), scores(model, cut))
    looks = model.attention(X)
    assert looks.shape == (60, 3, max(len(story) for story, _ in X))
    for (story, _), weights in zip(X, looks, strict=True):
        assert not weights[:, : max(len(story) - 2, 0)].any()
        assert not weights[:, len(story) :].any()
    assert (make(memory_size=None).fit(X, Y).attention(X) > 0).sum() == 3 * sum(len(story) for story, _ in X)


REFUSED = {
    "no story": ([], Y, ValueError, "at least one story"),
    "no sentence": ([([], "Where?"), *X[1:]], Y, ValueError, r"X\[0\]\[0\] is a story without sentences"),
    "no question": ([*X[:-1], (X[0][0], "?!")], Y, ValueError, r"X\[59\] has a question without words"),
    "swapped": ([(question, None) for _, question in X], Y, TypeError, r"X\[0\]\[1\]\[0\] must be a list of tokens or a string; got NoneType"),
    "numbers": (np.ones((60, 4)), Y, TypeError, r"X\[0\] must be a pair \(story, question\)"),
    "answers": (X, Y[1:], ValueError, "inconsistent numbers of samples"),
    "no answers": (X, None, ValueError, "requires y to be passed"),
}


@pytest.mark.parametrize(("stories", "y", "error", "match"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_learned_is_refused(stories, y, error, match, fitted):
    with pytest.raises(error, match=match):
        make().fit(stories, y)
    before = scores(fitted)
    with pytest.raises(error, match=match):
        fitted.fit(stories, y)
    np.testing.assert_array_equal(scores(fitted), before)


# -- keys ------------------------------------------------------------------------------------------------------------------------------------------


def test_keys_are_asked_for_again(keyed, fitted):
    assert keyed.attention(X, keys=KEYS).shape == fitted.attention(X).shape
    with pytest.raises(ValueError, match="keys must be passed, as in fit; got None"):
        keyed.predict(X)
    with pytest.raises(ValueError, match="keys must not be passed, as in fit; got them"):
        fitted.predict(X, keys=KEYS)
    with pytest.raises(ValueError, match=r"keys\[0\] must hold a key for each of the \d+ sentences of the story; got 1"):
        keyed.predict(X, keys=[KEYS[0][:1], *KEYS[1:]])
    with pytest.raises(ValueError, match="keys must hold a list of keys for each of the 60 stories; got 59"):
        keyed.predict(X, keys=KEYS[1:])
    with pytest.raises(TypeError, match="keys must be a list of stories' keys, one list for each; got int"):
        keyed.predict(X, keys=3)


# -- facts -----------------------------------------------------------------------------------------------------------------------------------------

FACTS = make_stories("two_facts", 60, return_facts=True, random_state=0)[2]


def test_hops_that_are_told_what_to_find_find_it_sooner():
    X, y, facts = make_stories("two_facts", 300, return_facts=True, random_state=0)
    model = MemoryNetworkClassifier(2, max_epochs=15, random_state=0).fit(X[:250], y[:250], facts=facts[:250])
    looks = model.attention(X[250:])
    assert set(np.unique(looks)) == {0.0, 1.0}
    assert (looks[:, 0].argmax(axis=1) == [first for first, _ in facts[250:]]).mean() > 0.8
    untold = MemoryNetworkClassifier(2, max_epochs=15, random_state=0).fit(X[:250], y[:250])
    assert model.score(X[250:], y[250:]) > untold.score(X[250:], y[250:]) + 0.1


@pytest.mark.parametrize("settings", [{}, {"tying": "layerwise"}, {"memory_size": 40}], ids=str)
def test_what_was_told_is_not_asked_for_again(settings):
    model = make(n_hops=2, **settings).fit(X, Y, facts=FACTS)
    expected = scores(model)
    np.testing.assert_array_equal(scores(model, X[3:9]), expected[3:9])
    np.testing.assert_array_equal(scores(pickle.loads(pickle.dumps(model))), expected)
    np.testing.assert_array_equal(model.attention(X).sum(axis=2), 1)
    held = make(n_hops=2, **settings).fit(X[:40], Y[:40], X_val=X[40:], y_val=Y[40:], facts=FACTS[:40])
    assert len(held.validation_scores_) == 3


def test_facts_go_with_keys():
    keys = [story for story, _ in X]
    model = make(n_hops=2).fit(X, Y, facts=FACTS, keys=keys)
    assert (model.attention(X, keys=keys).sum(axis=2) == 1).all()


def test_a_callback_that_predicts_is_not_told_the_facts():
    heard = []

    class Watching(Hook):
        def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
            if context.task_name == "epoch":
                heard.append(fitted_estimator.decision_function(X))

    model = make(n_hops=2).set_callbacks(Watching(None)).fit(X, Y, facts=FACTS)
    assert len(heard) == 3
    np.testing.assert_array_equal(heard[-1], scores(model))


WRONG_FACTS = {
    "too few": (FACTS[1:], ValueError, "facts must hold a list for each of the 60 stories; got 59"),
    "of one hop": ([[0]] * 60, ValueError, r"facts\[0\] must hold n_hops=2 places of sentences of X\[0\], from 0 to \d+; got \[0\]"),
    "beyond": ([[0, 99]] * 60, ValueError, r"facts\[0\] must hold n_hops=2 places .*; got \[0, 99\]"),
    "no numbers": ([["a", "b"]] * 60, ValueError, r"facts\[0\] must hold n_hops=2 places .*; got \['a', 'b'\]"),
    "none": (3, TypeError, "facts must be a list"),
}


@pytest.mark.parametrize(("facts", "error", "match"), WRONG_FACTS.values(), ids=WRONG_FACTS)
def test_wrong_facts_are_refused(facts, error, match):
    with pytest.raises(error, match=match):
        make(n_hops=2).fit(X, Y, facts=facts)


def test_facts_that_are_forgotten_are_refused():
    with pytest.raises(ValueError, match=r"facts\[\d+\] has \d+, a sentence of \d+ that memory_size=2 leaves out"):
        make(n_hops=2, memory_size=2).fit(X, Y, facts=FACTS)


# -- fits ------------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, {"tying": "layerwise"}, {"dtype": "float64"}, {"linear_start": 1.0}], ids=str)
def test_company_does_not_matter(settings):
    model = make(**settings).fit(X, Y)
    expected, looks = scores(model), model.attention(X)
    for rows in (np.random.default_rng(0).permutation(60), np.arange(5, 12), *([i] for i in range(0, 60, 7))):
        np.testing.assert_array_equal(scores(model, [X[i] for i in rows]), expected[rows])
        some = model.attention([X[i] for i in rows])
        np.testing.assert_array_equal(some, looks[rows][:, :, : some.shape[2]])


def test_a_copy_says_the_same(fitted, keyed):
    for model, more in ((fitted, {}), (keyed, {"keys": KEYS})):
        np.testing.assert_array_equal(scores(pickle.loads(pickle.dumps(model)), **more), scores(model, **more))
        again = clone(model).fit(X, Y, **more)
        np.testing.assert_array_equal(scores(again, **more), scores(model, **more))


def test_weights_of_sentences_sum_to_one(fitted):
    looks = fitted.attention(X)
    np.testing.assert_allclose(looks.sum(axis=2), 1, atol=1e-6)
    linear = make(linear_start=1.0).fit(X, Y).attention(X)
    assert not np.allclose(linear.sum(axis=2), 1)


def test_two_classes_and_labels():
    yes = [answer == "kitchen" for answer in Y]
    model = make().fit(X, yes)
    assert model.predict_proba(X).shape == (60, 2)
    labels = np.column_stack([yes, np.logical_not(yes)]).astype(int)
    several = make().fit(X, labels)
    assert several.predict(X).shape == (60, 2)
    np.testing.assert_allclose(np.exp(several.predict_log_proba(X)), several.predict_proba(X), atol=1e-12)


def test_weights_count_as_repetitions_would():
    weight = np.arange(60) % 2
    some = [i for i in range(60) if weight[i]]
    whole = {"batch_size": None, "time_noise": 0.0, "dtype": "float64", "max_epochs": 2}
    one = make(**whole).fit(X, Y, sample_weight=weight)
    words = make(**whole).fit([X[i] for i in some], [Y[i] for i in some])
    assert set(words.vocabulary_) <= set(one.vocabulary_)
    np.testing.assert_allclose(one.loss_curve_[0], words.loss_curve_[0], rtol=0.2)


def test_the_best_of_several_beginnings_is_kept():
    first, best = make().fit(X, Y), make(n_init=3).fit(X, Y)
    encoded = [list(first.classes_).index(y) for y in Y]
    losses = [-np.mean(model.predict_log_proba(X)[range(len(Y)), encoded]) for model in (first, best)]
    assert losses[1] < losses[0]
    np.testing.assert_array_equal(scores(make(n_init=3).fit(X, Y)), scores(best))


def test_held_out_questions_choose_among_beginnings():
    models = [make(n_init=n, max_epochs=5).fit(X[:40], Y[:40], X_val=X[40:], y_val=Y[40:]) for n in (1, 4)]
    assert max(models[1].validation_scores_) >= max(models[0].validation_scores_)


def test_learning_goes_on():
    model = make(warm_start=True).fit(X, Y).fit(X, Y)
    assert model.n_iter_ == 6
    with pytest.raises(ValueError, match="n_hops=3, but the estimator now has n_hops=2"):
        model.set_params(n_hops=2).fit(X, Y)
    stream = make().partial_fit(X[:30], Y[:30], classes=sorted(set(Y)))
    assert stream.partial_fit(X[30:], Y[30:]).n_iter_ == 2


WRONG = [
    {"n_hops": 0},
    {"tying": "both"},
    {"linear_start": 1.5},
    {"time_noise": 1.0},
    {"memory_size": 0},
    {"n_init": 0},
    {"embedding_size": 2.5},
    {"penalties": WeightNoise()},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_wrong_parameters_are_refused_by_name(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"The '{name}' parameter of MemoryNetworkClassifier must be"):
        make(**wrong).fit(X, Y)
