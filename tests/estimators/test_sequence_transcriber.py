"""Labels in order from sequences that are not cut into pieces."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import RNNLanguageModel, RNNTagger, SequenceTranscriber, as_sequences
from skrnn.cells import LSTM
from skrnn.datasets import make_phonemes, make_text_lines
from skrnn.engine import TruncatedBPTT
from skrnn.frontends import Conv1d, Embedding, PerFrame
from skrnn.metrics import label_error_rate
from skrnn.preprocessing import SequenceImputer
from skrnn.training import ActivationPenalty
from tests.estimators.samples import objects

X, Y = make_phonemes(40, n_phonemes=3, min_length=1, max_length=4, random_state=0)
WAYS = [
    {},
    {"frontend": Conv1d(6, 5, stride=3), "beam_width": 4},
    {"frontend": Conv1d(6, 3, stride=2, frontend=Conv1d(4, 3, stride=2)), "cell": "lstm", "n_layers": 2, "dropout": 0.3},
    {"bidirectional": False, "dtype": "float64", "beam_width": 3, "length_bonus": 0.5, "standardize": False},
]
TOLD = [{"loss": "transducer", "cell": "lstm"}, {"loss": "transducer", "frontend": Conv1d(6, 5, stride=3), "beam_width": 4}]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)
every_loss = pytest.mark.parametrize("way", WAYS + TOLD, ids=str)


def make(**settings):
    return SequenceTranscriber(**{"hidden_size": 8, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0} | settings)


class Bigrams(BaseEstimator):
    """How often each label came behind each, and at the beginning; a language model that is fitted."""

    def fit(self, y):
        self.classes_ = np.array(sorted({label for row in y for label in row}))
        self.counts_ = {before: np.ones(len(self.classes_)) for before in [None, *self.classes_.tolist()]}
        for row in y:
            for before, label in itertools.pairwise([None, *row]):
                self.counts_[before][list(self.classes_).index(label)] += 1
        return self

    def predict_proba(self, prefixes):
        counts = np.array([self.counts_[prefix[-1] if prefix else None] for prefix in prefixes])
        return counts / counts.sum(axis=1, keepdims=True)


# -- what is predicted -----------------------------------------------------------------------------------------------------------------------------


@every_loss
def test_company_order_and_container_do_not_matter(way):
    model = make(**way).fit(X, Y)
    together, frames = model.predict_hypotheses(X[:18]), model.predict_log_proba(X[:18])
    for rows in ([5], [17, 3], list(range(17, -1, -1))):
        for dress in (list, objects, as_sequences):
            part = dress([X[i] for i in rows])
            assert model.predict_hypotheses(part) == [together[i] for i in rows]
            for i, found in zip(rows, model.predict_log_proba(part), strict=True):
                np.testing.assert_array_equal(found, frames[i])


@every_loss
def test_copies_say_the_same(way):
    first = make(**way).fit(X, Y)
    again = clone(first).fit(as_sequences(X), Y)
    assert first.loss_curve_ == again.loss_curve_
    assert first.predict_hypotheses(X) == again.predict_hypotheses(X) == pickle.loads(pickle.dumps(first)).predict_hypotheses(X)


@every_loss
def test_frames_are_probabilities_of_what_the_frontend_leaves(way):
    model = make(**way).fit(X, Y)
    lengths = as_sequences(X).lengths if "frontend" not in way else way["frontend"].out_lengths(as_sequences(X).lengths)
    frames = model.predict_log_proba(X)
    assert [f.shape for f in frames] == [(n, 4) for n in lengths]
    assert model.classes_.tolist() == list("abc")
    np.testing.assert_allclose(np.exp(np.concatenate(frames)).sum(axis=1), 1, rtol=0, atol=1e-12)


def said(alignment, classes):
    return "".join(classes[label - 1] for label, _ in itertools.groupby(alignment) if label)


def test_greedy_is_the_likeliest_alignment():
    model = make(max_epochs=20).fit(X, Y)
    for x, row, (best,) in zip(X, model.predict(X), model.predict_hypotheses(X), strict=True):
        (frames,) = model.predict_log_proba([x])
        assert row == best.tokens == said(frames.argmax(axis=1), "abc")
        assert best.score == pytest.approx(frames.max(axis=1).sum(), abs=1e-9)
    assert len({*model.predict(X)}) > 5


def test_a_wider_beam_finds_nothing_less_likely():
    model = make(max_epochs=10).fit(X, Y)
    greedy = [best[0].score for best in model.predict_hypotheses(X)]
    for width in (2, 20):
        found = model.set_params(beam_width=width).predict_hypotheses(X)
        assert all(len(best) == width for best in found)
        assert all(np.diff([h.score for h in best]).max() <= 0 for best in found)
        assert np.mean([best[0].score for best in found]) >= np.mean(greedy)
        assert model.predict(X) == [best[0].tokens for best in found]


def test_the_loss_is_what_the_best_hypothesis_says():
    """A beam that keeps everything sums over all alignments, as the loss does."""
    short = [x[:5] for x in X]
    model = make(dtype="float64", beam_width=4**5, batch_size=None, optimizer="sgd", learning_rate=1e-12, max_epochs=1).fit(short, [y[:1] for y in Y])
    scores = [{h.tokens: h.score for h in row}[y[:1]] for row, y in zip(model.predict_hypotheses(short), Y, strict=True)]
    assert model.loss_curve_[0] == pytest.approx(-np.mean(scores), abs=1e-9)


@every_way
def test_an_alignment_says_its_labels(way):
    model = make(**way).fit(X, Y)
    for x, y, spans in zip(X, Y, model.predict_alignment(X, Y), strict=True):
        (frames,) = model.predict_log_proba([x])
        alignment = np.zeros(len(frames), int)
        assert spans.shape == (len(y), 2)
        for (start, stop), label in zip(spans, y, strict=True):
            assert start < stop
            alignment[start:stop] = "abc".index(label) + 1
        assert said(alignment, "abc") == y
    assert [len(spans) for spans in model.predict_alignment(X)] == [len(row) for row in model.predict(X)]


def test_labels_are_of_any_kind():
    for kind, y in {
        "words": [[{"a": "one", "b": "two", "c": "three"}[c] for c in row] for row in Y],
        "numbers": [["abc".index(c) * 10 - 10 for c in row] for row in Y],
        "arrays": [np.array(["abc".index(c) for c in row]) for row in Y],
        "tuples": [[(c, c) for c in row] for row in Y],
        "objects": objects([list(row) for row in Y]),
        "series": pd.Series(Y),
    }.items():
        model = make(max_epochs=15).fit(X, y)
        found = model.predict(X)
        assert isinstance(found[0], str if kind == "series" else list)
        assert {type(label) for row in found for label in row} <= {type(label) for label in model.classes_.tolist()}
        assert model.score(X, y) == 1 - label_error_rate([list(row) for row in y], found)
        assert model.predict(X) == [type(a)(a) for a in found]
    assert make(max_epochs=15).fit(X, Y).score(X, Y) > 0.1


# -- learning --------------------------------------------------------------------------------------------------------------------------------------


def test_phonemes_are_written_down():
    train, labels = make_phonemes(300, random_state=1)
    test, expected = make_phonemes(50, random_state=2)
    model = SequenceTranscriber(hidden_size=16, max_epochs=15, random_state=0).fit(train, labels)
    assert model.score(test, expected) > 0.9
    shorter = SequenceTranscriber(hidden_size=16, frontend=Conv1d(16, 5, stride=2), max_epochs=15, random_state=0).fit(train, labels)
    assert shorter.score(test, expected) > 0.9


def test_columns_are_pictures_too():
    """Windows of five columns, a picture at each step."""
    lines, y = make_text_lines(12, max_words=1, noise=0.1, random_state=0)
    windows = [np.lib.stride_tricks.sliding_window_view(np.pad(x, ((2, 2), (0, 0))), 5, axis=0) for x in lines]
    model = make(frontend=PerFrame(size=8, n_filters=4), max_epochs=2).fit(windows, y)
    assert [len(f) for f in model.predict_log_proba(windows)] == [len(x) for x in lines]
    assert pickle.loads(pickle.dumps(model)).predict(windows) == model.predict(windows)


def test_tokens_are_read_too():
    """A code in which each letter stands for a few tokens."""
    rng = np.random.default_rng(0)
    y = ["".join(rng.choice(list("ab"), n)) for n in rng.integers(1, 4, 60)]
    code = [[token for c in row for token in ({"a": "xyx", "b": "yyz"}[c])] for row in y]
    for frontend in ("auto", Conv1d(8, 3, frontend=Embedding(4))):
        model = SequenceTranscriber(frontend=frontend, hidden_size=12, max_epochs=40, random_state=0).fit(code, y)
        assert model.score(code, y) > 0.9


def test_the_rules_and_penalties_go_with_it():
    plain = make(dtype="float64").fit(X, Y)
    truncated = make(dtype="float64", rule=TruncatedBPTT(1000)).fit(X, Y)
    assert truncated.loss_curve_ == pytest.approx(plain.loss_curve_, abs=1e-9)
    assert make(rule=TruncatedBPTT(10, stride=5), frontend=Conv1d(4, 3, stride=2)).fit(X, Y).loss_curve_[-1] < plain.loss_curve_[0]
    forward = {"bidirectional": False, "dtype": "float64", "hidden_size": 3, "cell": "elman", "max_epochs": 2}
    short = [x[:8] for x in X]
    one = [y[:1] for y in Y]
    assert make(rule="rtrl", **forward).fit(short, one).loss_curve_ == pytest.approx(make(**forward).fit(short, one).loss_curve_, abs=1e-9)
    assert make(penalties=ActivationPenalty()).fit(X, Y).loss_curve_ != make().fit(X, Y).loss_curve_


def test_weight_is_repetition():
    exact = {"dtype": "float64", "batch_size": None, "optimizer": "sgd", "learning_rate": 0.1, "max_epochs": 5, "alpha": 1.0}
    weight = np.random.default_rng(0).integers(0, 4, len(X))
    rows = np.repeat(np.arange(len(X)), weight)
    weighted = make(**exact).fit(X, Y, sample_weight=weight)
    repeated = make(**exact).fit([X[i] for i in rows], [Y[i] for i in rows])
    for a, b in zip(weighted.predict_log_proba(X), repeated.predict_log_proba(X), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-9)
    assert weighted.score(X, Y, weight) == pytest.approx(weighted.score([X[i] for i in rows], [Y[i] for i in rows]))


def test_passes_early_stopping_and_going_on():
    model = make()
    for half in (slice(0, 20), slice(20, None)):
        model.partial_fit(X[half], Y[half], classes=list("abcd"))
    assert model.n_iter_ == 2
    assert model.classes_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="not the same as on last call to partial_fit"):
        model.partial_fit(X, Y, classes=["a"])
    with pytest.raises(ValueError, match="classes must be a list of labels; got a string, 'abcd'"):
        make().partial_fit(X, Y, classes="abcd")
    stopped = make(early_stopping=True, max_epochs=5).fit(X, Y)
    assert len(stopped.validation_scores_) == stopped.n_iter_
    held = make(max_epochs=2).fit(X[:30], Y[:30], X_val=X[30:], y_val=Y[30:])
    assert len(held.validation_scores_) == 2
    assert make(warm_start=True, max_epochs=2).fit(X, Y).fit(X, Y).n_iter_ == 4
    assert "recurrent" in stopped.summary()


def test_scikit_learns_tools():
    train, test, y_train, y_test = train_test_split(X, Y, random_state=0)
    grid = {"beam_width": [1, 2], "frontend": [None, Conv1d(4)], "frontend__stride": [2]}
    search = GridSearchCV(make(max_epochs=1), [{"beam_width": [1, 2]}, grid | {"frontend": [Conv1d(4)]}], cv=2).fit(train, y_train)
    assert search.score(test, y_test) <= 1
    assert len(cross_val_predict(make(max_epochs=1), X, Y, cv=2)) == 40
    lists = cross_val_predict(make(max_epochs=6), X, [list(row) for row in Y], cv=2)
    assert len(lists) == 40
    assert {type(row) for row in lists} == {list}
    assert make_pipeline(SequenceImputer(), make(max_epochs=1)).fit(X, Y).score(X, Y) <= 1
    assert make(cell=LSTM(peephole=True)).set_params(cell__peephole=False).fit(X, Y).cell.peephole is False


# -- a language model ------------------------------------------------------------------------------------------------------------------------------


def test_a_language_model_counts_as_it_should():
    language = Bigrams().fit(Y)
    short = [x[:5] for x in X[:6]]
    model = make(dtype="float64", max_epochs=8).fit(X, Y).set_params(beam_width=4**5)
    alone = [{h.tokens: h.score for h in row} for row in model.predict_hypotheses(short)]
    model.set_params(language_model=language, language_weight=0.7, length_bonus=0.3)
    for before, row in zip(alone, model.predict_hypotheses(short), strict=True):
        for h in row:
            p = [language.predict_proba([h.tokens[:k]])[0, "abc".index(c)] for k, c in enumerate(h.tokens)]
            assert h.score == pytest.approx(before[h.tokens] + 0.7 * np.log(p).sum() + 0.3 * len(h.tokens), abs=1e-9)


def test_a_frozen_language_model_stays_fitted_in_a_search():
    language = Bigrams().fit(Y)
    model = make(max_epochs=1, beam_width=3, language_model=FrozenEstimator(language)).fit(X, Y)
    grid = {"language_weight": [0.1, 1.0], "length_bonus": [0.0, 1.0]}
    assert GridSearchCV(model, grid, cv=2, error_score="raise").fit(X, Y).best_score_ <= 1
    with pytest.raises(NotFittedError, match=r"wrap it in sklearn\.frozen\.FrozenEstimator"):
        clone(make(beam_width=3, language_model=language)).fit(X, Y)


@pytest.mark.parametrize("y", [Y, [list(row) for row in Y]], ids=["strings", "lists"])
def test_a_language_model_is_asked_about_beginnings_as_they_are_written(y):
    asked = []

    class Listening(Bigrams):
        def predict_proba(self, prefixes):
            asked.extend(prefixes)
            return super().predict_proba(prefixes)

    make(beam_width=3, language_model=Listening().fit(Y)).fit(X, y).predict(X[:3])
    assert {type(prefix) for prefix in asked} == {type(y[0])}


class Odd:
    def __init__(self, classes, answer):
        self.classes_, self.answer = classes, answer

    def predict_proba(self, prefixes):
        return np.tile(self.answer, (len(prefixes), 1))


def test_a_language_model_that_does_not_fit_is_refused():
    model = make(max_epochs=1).fit(X, Y)
    for settings in ({"language_model": Bigrams().fit(Y)}, {"length_bonus": 1.0}):
        with pytest.raises(ValueError, match=r"is for a beam, and beam_width=1 is greedy"):
            make(**settings).fit(X, Y)
        with pytest.raises(ValueError, match=r"is for a beam, and beam_width=1 is greedy"):
            model.set_params(**settings).predict(X)
        model.set_params(language_model=None, length_bonus=0.0)
    model.set_params(beam_width=2)
    for classes, answer, match in (
        (["a", "b"], [0.5, 0.5], "language_model knows no label 'c'"),
        (["a", "b", "c"], [0.5, 0.5], r"must give probabilities of shape \(n_prefixes, n_tokens\)"),
        (["a", "b", "c"], [-1.0, -2.0, -0.1], "values from -2 to -0.1"),
        (["a", "b", "c"], [np.nan, 0.5, 0.5], "must give probabilities"),
    ):
        with pytest.raises(ValueError, match=match):
            model.set_params(language_model=Odd(classes, answer)).predict(X)
    many = Odd(["end", "c", "b", "a"], [0.0, 0.2, 0.3, 0.5])  # in another order, and with more than labels
    assert len(model.set_params(language_model=many).predict(X)) == 40
    with pytest.raises(ValueError, match=r"must read beginnings of transcripts, as y has them; of '' it says: X\[0\] is '', a token that was not"):
        model.set_params(language_model=RNNLanguageModel(level="token", hidden_size=4, max_epochs=1).fit(list("abc"))).predict(X)
    counted = Odd(None, [0.2, 0.3, 0.4, 0.1])  # with a vocabulary, and a column behind it
    counted.vocabulary_ = np.array(["c", "b", "a"], dtype=object)
    assert len(model.set_params(language_model=counted).predict(X)) == 40
    with pytest.raises(ValueError, match="'language_model' parameter"):
        make(beam_width=2, language_model=3).fit(X, Y)


# -- what goes wrong -------------------------------------------------------------------------------------------------------------------------------


def test_where_nothing_is_said_nothing_is_written():
    X2, y = [np.zeros((6, 1)), np.ones((6, 1))] * 30, ["", "a"] * 30
    model = make(max_epochs=30, batch_size=8).fit(X2, y)
    assert model.predict(X2[:2]) == ["", "a"]
    assert [s.shape for s in model.predict_alignment(X2[:2], y[:2])] == [(0, 2), (1, 2)]
    assert model.score(X2[:1], [""]) == 1.0
    assert model.score(X2[1:2], [""]) == 0.0
    held = make(max_epochs=2).fit(X2, y, X_val=X2[::2], y_val=y[::2])
    assert np.isfinite(held.validation_scores_).all()
    with pytest.raises(ValueError, match="y holds no label: every list is empty"):
        make().fit(X2, [""] * 60)


def test_a_sequence_that_is_too_short_for_its_labels_is_named():
    short = [*X[:3], X[3][:4], *X[4:]]
    make(max_epochs=1).fit(short, [*Y[:3], "aba", *Y[4:]])
    make(max_epochs=1).fit(short, [*Y[:3], "aab", *Y[4:]])
    with pytest.raises(ValueError, match=r"X\[3\] is too short for its labels: it has 4 frames, but y\[3\] has 3 labels, which need 5"):
        make().fit(short, [*Y[:3], "aaa", *Y[4:]])
    with pytest.raises(ValueError, match=r"it has 4 steps, of which the frontend makes 2 frames, but y\[3\] has 3 labels, which need 3"):
        make(frontend=Conv1d(4, stride=2)).fit(short, [*Y[:3], "aba", *Y[4:]])
    with pytest.raises(ValueError, match=r"y_val: X\[0\] is too short"):
        make().fit(X, Y, X_val=[X[0][:1]], y_val=["ab"])
    model = make(max_epochs=1).fit(X, Y)
    with pytest.raises(ValueError, match=r"X\[0\] is too short"):
        model.predict_alignment([X[0][:2]], ["abc"])
    assert model.score([X[0][:2]], ["abc"]) <= 1.0  # is no matter of alignments


def test_labels_of_any_length_and_zeros_stay_what_they_are():
    zeros = make(max_epochs=1).fit(X, ["\0a"] * 40)
    assert zeros.classes_.tolist() == ["\0", "a"]
    syllables = make(max_epochs=1).partial_fit(X, ["a"] * 40, classes=["a", "bc"])  # of which a string could not be cut into labels again
    assert {type(row) for row in syllables.predict(X)} == {list}
    assert len(syllables.predict_alignment(X)) == 40


@pytest.mark.parametrize("blank", ["", None, np.nan, pd.NA])
def test_a_blank_among_the_labels_is_refused(blank):
    rows = [list(row) for row in Y]
    rows[2] = ["a", blank, "b"]
    with pytest.raises(ValueError, match=r"y\[2\]\[1\] is .*, which is no label: the blank between labels is the network's own"):
        make().fit(X, rows)
    if isinstance(blank, str):
        with pytest.raises(ValueError, match="Among classes is '', which is no label"):
            make().partial_fit(X, Y, classes=[*"abc", blank])


def test_labels_that_were_not_seen():
    model = make(max_epochs=15).fit(X, Y)
    swapped = [row.replace("a", "q") for row in Y]
    assert model.score(X, swapped) <= model.score(X, Y)
    assert model.score(X[:1], ["qqqqq"]) <= 0.0
    with pytest.raises(ValueError, match=r"y\[0\]\[1\] is 'q', a label that was not seen in fit; the labels are \['a', 'b', 'c'\]"):
        model.predict_alignment(X[:1], ["aq"])
    with pytest.raises(ValueError, match=r"y_val: y\[0\]\[0\] is 'q'"):
        make().fit(X, Y, X_val=X[:1], y_val=["q"])
    with pytest.raises(ValueError, match="'q', a label that was not seen in fit"):
        model.partial_fit(X, swapped)


@pytest.mark.parametrize(
    ("X", "y", "error", "match"),
    [
        (X, Y[:-1], ValueError, "inconsistent numbers of samples"),
        (X, None, ValueError, "requires y to be passed"),
        (X, "abc", TypeError, "y must be a list of token lists or strings"),
        (X, np.arange(40), TypeError, r"y\[0\] must be a list of tokens or a string; got int"),
        (X, [[["a"]]] * 40, TypeError, r"y\[0\]\[0\] must be a token"),
        ([*X[:39], X[39] * np.nan], Y, ValueError, "NaN"),
        ([], [], ValueError, "a minimum of 1 is required"),
    ],
)
def test_bad_input_is_named(X, y, error, match):
    with pytest.raises(error, match=match):
        make().fit(X, y)


def test_before_a_fit_nothing_is_said():
    for method in ("predict", "predict_log_proba", "predict_alignment", "predict_hypotheses"):
        with pytest.raises(NotFittedError):
            getattr(make(), method)(X)


def test_a_fit_that_fails_leaves_what_was_learnt():
    model = make().fit(X, Y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="too short"):
        model.fit([x[:2] for x in X], Y)
    assert model.predict(X) == before


def test_one_sequence_of_one_step_is_enough():
    model = make(max_epochs=1).fit([[[1.0, 2.0]]], [["a"]])
    assert len(model.predict([[[1.0, 2.0]]])) == 1
    assert make(max_epochs=1).fit(np.ones((3, 7)), ["a", "b", ""]).n_features_in_ == 7


def test_big_labels_and_float32_data_do_no_harm():
    wide = [x.astype(np.float32) for x in X]
    assert np.isfinite(make().fit(wide, [[10**12 + ord(c) for c in row] for row in Y]).loss_curve_).all()
    assert np.isfinite(make().fit([torch.tensor(x) for x in X], Y).loss_curve_).all()


def test_other_estimators_keep_the_steps():
    with pytest.raises(ValueError, match="needs a frontend that keeps the steps"):
        RNNTagger(frontend=Conv1d(4, stride=2)).fit(X, [np.zeros(len(x), int) for x in X])


def test_lists_from_an_iterator_are_no_strings():
    assert make(max_epochs=1).fit(X, map(list, Y)).predict(X) == make(max_epochs=1).fit(X, [*map(list, Y)]).predict(X)
