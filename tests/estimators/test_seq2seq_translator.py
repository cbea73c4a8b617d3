"""Tokens from tokens, and from vectors."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, train_test_split

from skrnn import RNNCaptioner, Seq2SeqTranslator
from skrnn.datasets import make_copy
from skrnn.estimators.face._held_out import Part

X, Y = make_copy(60, n_symbols=4, min_length=1, max_length=5, random_state=0)
TEXT = ["".join("abcd"[k] for k in row) for row in X]
VECTORS = np.random.default_rng(0).normal(size=(60, 3))
WAYS = [
    {},
    {"attention": None, "reverse_source": True, "bidirectional": False},
    {"attention": "dot", "cell": "lstm", "context": "both"},
    {"attention": "general", "shared_vocabulary": True, "n_layers": 2},
]
every_way = pytest.mark.parametrize("way", WAYS, ids=str)


def make(kind=Seq2SeqTranslator, **settings):
    return kind(**{"hidden_size": 12, "embedding_size": 6, "max_epochs": 3, "learning_rate": 0.02, "random_state": 0} | settings)


@every_way
@pytest.mark.parametrize("width", [1, 3])
def test_company_and_order_do_not_matter(way, width):
    model = make(beam_width=width, length_penalty=0.6, **way).fit(X, Y)
    together = model.predict_hypotheses(X)
    for rows in ([5], [17, 3], list(range(59, -1, -1))):
        for i, best in zip(rows, model.predict_hypotheses([X[i] for i in rows]), strict=True):
            assert [h.tokens for h in best] == [h.tokens for h in together[i]]
            assert [h.score for h in best] == pytest.approx([h.score for h in together[i]], abs=1e-5)


@every_way
def test_the_seed_decides_all(way):
    first, again = (make(**way).fit(X, Y) for _ in range(2))
    assert first.loss_curve_ == again.loss_curve_
    assert first.predict(X) == again.predict(X) == pickle.loads(pickle.dumps(first)).predict(X)


@every_way
def test_a_wider_beam_finds_nothing_less_likely(way):
    model = make(**way).fit(X, Y)
    greedy = [best[0].score for best in model.predict_hypotheses(X)]
    wide = model.set_params(beam_width=8).predict_hypotheses(X)
    assert np.mean([best[0].score for best in wide]) >= np.mean(greedy)
    assert all(len(best) == 8 for best in wide)
    assert all(np.diff([h.score for h in best]).max() <= 0 for best in wide)


def test_the_score_of_a_hypothesis_is_its_log_probability():
    """What the loss of the same tokens with a teacher says; neither unknown nor begin is ever written."""
    model = make(beam_width=2, dtype="float64", attention="general").fit(X, Y)
    best = [row[0] for row in model.predict_hypotheses(X[:4])]
    for x, h in zip(X[:4], best, strict=True):
        if len(h.tokens) < 2 * model._longest:  # it has ended
            predictor = model._predictor()
            given, wanted, _ = predictor.compared([x], [h.tokens])
            part = Part(given.sequences, predictor.target.encode(wanted), None)
            pair, ids, _ = predictor.target.data(part, predictor.source(given.sequences)).batch(np.array([0]))
            outputs = model.network_(pair).detach().numpy()
            outputs[:, :2] = -np.inf
            log_p = outputs - np.log(np.exp(outputs).sum(1, keepdims=True))
            assert h.score == pytest.approx(log_p[np.arange(len(ids)), ids.numpy()].sum(), abs=1e-9)


def test_strings_come_back_as_strings_and_lists_as_lists():
    assert all(isinstance(row, str) for row in make().fit(X, TEXT).predict(X))
    assert all(isinstance(row, list) for row in make().fit(TEXT, Y).predict(TEXT))


def test_attention_weights():
    model = make().fit(TEXT, Y)
    weights = model.attention_weights(TEXT, Y)
    assert [w.shape for w in weights] == [(len(y), len(x)) for x, y in zip(TEXT, Y, strict=True)]
    assert all(np.allclose(w.sum(1), 1, rtol=0, atol=1e-6) for w in weights)
    own = model.attention_weights(TEXT)
    assert [len(w) for w in own] == [len(row) for row in model.predict(TEXT)]
    with pytest.raises(ValueError, match="looks at no steps"):
        make(attention=None, max_epochs=1).fit(X, Y).attention_weights(X)


def test_unseen_tokens():
    model = make(min_frequency=2).fit([*TEXT, "aq"], [*TEXT, "aq"])
    assert "q" not in model.vocabulary_
    assert set(model.source_vocabulary_) == set("abcd")
    assert len(model.predict(["zz"])) == 1  # read as the unknown token, of which rare ones taught something
    assert "q" not in "".join(model.predict(["q", "qq"]))
    with pytest.raises(ValueError, match=r"X\[1\]\[1\] is 'z', a token that was not seen in fit"):
        model.set_params(handle_unknown="error").predict(["ab", "az"])
    assert model.score(["ab"], ["az"]) == 0.0


def test_what_nobody_knows_warns():
    """Words, and then one string, whose tokens are its letters."""
    model = make().fit([["the", "cat"], ["a", "dog"]], [["le", "chat"], ["un", "chien"]])
    with pytest.warns(UserWarning, match=r"Nothing in sequence 1 \(and 1 more\) of X was seen in fit"):
        model.predict([["the", "zebra"], "the cat"[:3], "dog"])


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame])
def test_a_frame_of_one_column_is_that_column(frame):
    model = make().fit(frame({"text": TEXT}), frame({"other": TEXT}))
    assert set(model.source_vocabulary_) == set("abcd")
    assert model.predict(frame({"text": TEXT})) == make().fit(TEXT, TEXT).predict(TEXT)


def test_no_more_is_written_than_allowed():
    model = make(max_epochs=1, max_steps=2, beam_width=3).fit(X, Y)
    assert all(len(h.tokens) <= 3 for best in model.predict_hypotheses(X) for h in best)


def test_an_empty_target_is_one_that_ends_at_once():
    model = make(max_epochs=30).fit([["a"], ["b"]] * 30, [[], ["c"]] * 30)
    assert model.predict([["a"], ["b"]]) == [[], ["c"]]


def test_scikit_learns_tools():
    train, test, y_train, y_test = train_test_split(X, Y, random_state=0)
    search = GridSearchCV(make(max_epochs=1), {"beam_width": [1, 2], "attention": [None, "dot"]}, cv=2).fit(train, y_train)
    assert 0 <= search.score(test, y_test) <= 1
    written = cross_val_predict(make(max_epochs=1), TEXT, TEXT, cv=2)
    assert len(written) == 60
    assert {type(row) for row in cross_val_predict(make(max_epochs=1), X, Y, cv=2)} == {list}
    weight = np.arange(60.0)
    model = make().fit(X, Y, weight)
    exact = [a == b for a, b in zip(model.predict(X), Y, strict=True)]
    assert model.score(X, Y, weight) == pytest.approx(np.average(exact, weights=weight))


def test_passes_and_early_stopping():
    model = make()
    for _ in range(3):
        model.partial_fit(X, Y)
    assert model.n_iter_ == 3
    stopped = make(early_stopping=True, max_epochs=5).fit(X, Y)
    assert len(stopped.validation_scores_) == stopped.n_iter_


def test_coverage_penalty():
    model = make(coverage_penalty=5.0, beam_width=4).fit(X, Y)
    with_it = model.predict_hypotheses(X)
    without = model.set_params(coverage_penalty=0.0).predict_hypotheses(X)
    dearer = [b[0].score - a[0].score for a, b in zip(with_it, without, strict=True)]
    assert min(dearer) >= -1e-6
    assert max(dearer) > 0.1
    with pytest.raises(ValueError, match=r"coverage_penalty=1\.0 needs attention"):
        make(coverage_penalty=1.0, attention=None, max_epochs=1).fit(X, Y).predict(X)


def test_bad_data_are_refused_and_nothing_changes():
    model = make().fit(X, Y)
    before = model.predict(X)
    for bad, error, message in (
        ("abc", TypeError, "y must be a list"),
        (Y[:-1], ValueError, "inconsistent numbers of samples"),
        ([1] * 60, TypeError, r"y\[0\] must be a list of tokens"),
        (None, ValueError, "requires y to be passed"),
    ):
        with pytest.raises(error, match=message):
            model.fit(X, bad)
        assert model.predict(X) == before


@pytest.mark.parametrize("context", ["init", "every", "both"])
def test_captions(context):
    y = [["right" if a > 0 else "left", *["very"] * int(b > 0), "far"] for a, b, _ in VECTORS]
    model = make(RNNCaptioner, context=context, max_epochs=60).fit(VECTORS, y)
    assert model.score(VECTORS, y) > 0.9
    assert [best[0].tokens for best in model.predict_hypotheses(VECTORS[:5])] == model.predict(VECTORS[:5])
    np.testing.assert_array_equal(sorted(model.vocabulary_), ["far", "left", "right", "very"])
    for name in ("bidirectional", "reverse_source", "decoder_cell"):
        assert name not in model.get_params()


@pytest.mark.parametrize(("kind", "data"), [(Seq2SeqTranslator, X), (RNNCaptioner, VECTORS)])
def test_what_scikit_learn_would_check(kind, data):
    """Its checks have no targets of tokens."""
    model = make(kind)
    params, x, y = repr(model.get_params()), repr(data), repr(Y)
    with pytest.raises(NotFittedError):
        model.predict(data)
    written = model.fit(data, Y).predict(data)
    fitted = set(vars(model))
    assert repr(model.get_params()) == params
    assert (repr(data), repr(Y)) == (x, y)
    assert model.predict(data) == written
    assert set(vars(model)) == fitted
    assert model.fit(data, Y).predict(data) == written
    assert repr(clone(model).get_params()) == params
    assert {"n_features_in_", "n_iter_", "loss_curve_"} <= fitted


def test_answers_grow_with_those_that_training_goes_on_with():
    model = make().partial_fit(TEXT, ["a"] * 60)
    for _ in range(30):
        model.partial_fit(TEXT, ["aaaaa"] * 60)
    assert model.predict(TEXT[:3]) == ["aaaaa"] * 3


@pytest.mark.parametrize("settings", [{}, {"shared_vocabulary": True}, {"copy": True}], ids=str)
def test_iterators_are_read_as_lists(settings):
    model = make(max_epochs=1, **settings)
    expected = model.fit(X, Y).predict(X)
    assert model.fit(iter(X), iter(Y)).predict(iter(X)) == expected
