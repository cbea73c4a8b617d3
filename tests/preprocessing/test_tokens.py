"""Texts become ids in the order of their tokens, and the ids become tokens again."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skrnn import RNNClassifier, RNNTagger
from skrnn.frontends import Embedding
from skrnn.preprocessing import TokenEncoder

TEXTS = ["Not bad, not bad at all!", "Bad.", "I don't know"]
WORDS = [["not", "bad", ",", "not", "bad", "at", "all", "!"], ["bad", "."], ["i", "don't", "know"]]


def as_lists(ids):
    return [row.tolist() for row in ids]


def test_words_keep_their_order_their_letters_and_their_marks():
    encoder = TokenEncoder()
    ids = encoder.fit_transform(TEXTS)
    assert encoder.inverse_transform(ids) == WORDS
    assert encoder.vocabulary_[:2].tolist() == ["bad", "not"]  # the most frequent first
    assert all(row.dtype == np.int64 and row.ndim == 1 and row.min() >= 1 for row in ids)
    assert encoder.get_feature_names_out().tolist() == ["token"]


@pytest.mark.parametrize(
    "container", [list, tuple, np.array, pd.Series, pl.Series, lambda X: pd.DataFrame({"text": X}), lambda X: np.array(X, dtype=object)[:, None]]
)
def test_every_container_of_texts_gives_the_same(container):
    assert as_lists(TokenEncoder().fit_transform(container(TEXTS))) == as_lists(TokenEncoder().fit_transform(WORDS))


@pytest.mark.parametrize("container", [list, pd.Series, pl.Series, lambda X: np.array([np.array(x, dtype=object) for x in X], dtype=object)])
def test_token_lists_are_taken_as_they_are(container):
    encoder = TokenEncoder().fit(container([["New York", "is"], ["a", "New York", "b"]]))
    assert encoder.vocabulary_[0] == "New York"


def test_characters_and_functions():
    assert TokenEncoder("char").fit(["aBa"]).vocabulary_.tolist() == ["a", "b"]
    assert TokenEncoder("char", lowercase=False).fit(["aBa"]).vocabulary_.tolist() == ["a", "B"]
    encoder = TokenEncoder(lambda row: row["codes"]).fit([{"codes": (7, 8)}, {"codes": [8]}])
    assert as_lists(encoder.transform([{"codes": [7, 9, 8]}])) == [[2, 0, 1]]


def test_the_vocabulary_may_be_limited_or_given():
    assert TokenEncoder(max_features=1).fit(TEXTS).vocabulary_.tolist() == ["bad"]
    assert TokenEncoder(min_frequency=2).fit(TEXTS).vocabulary_.tolist() == ["bad", "not"]
    given = TokenEncoder(vocabulary=["not", "good"]).fit(["whatever"])
    assert as_lists(given.transform(["good or not"])) == [[2, 0, 1]]
    counted = CountVectorizer(token_pattern=TokenEncoder().token_pattern).fit(TEXTS).vocabulary_
    from_counts = TokenEncoder(vocabulary=counted).fit(TEXTS)
    assert from_counts.vocabulary_.tolist() == sorted(counted)
    for wrong in ([], ["a", "b", "a"]):
        with pytest.raises(ValueError, match="vocabulary must hold at least one token, and each once"):
            TokenEncoder(vocabulary=wrong).fit(TEXTS)


def test_long_rows_are_cut_at_either_end():
    for truncate, kept in (("post", ["a", "b"]), ("pre", ["c", "d"])):
        encoder = TokenEncoder(max_length=2, truncate=truncate)
        assert encoder.inverse_transform(encoder.fit_transform(["a b c d", "a"]))[0] == kept
        assert set(encoder.vocabulary_) == {"a", *kept}


def test_what_is_unknown_gets_the_id_0_or_is_refused():
    encoder = TokenEncoder().fit(TEXTS)
    assert as_lists(encoder.transform(["bad zebra"])) == [[1, 0]]
    with pytest.raises(ValueError, match=r"X\[1\]\[0\] is 'zebra', a token that was not seen in fit"):
        TokenEncoder(handle_unknown="error").fit(TEXTS).transform(["bad", "zebra"])
    with pytest.raises(ValueError, match=r"X\[1\] has no token"):
        TokenEncoder(handle_unknown="error").fit(TEXTS).transform(["bad", "  "])


def test_a_row_in_which_nothing_is_known_warns():
    encoder = TokenEncoder().fit(TEXTS)
    with pytest.warns(UserWarning, match="Nothing in sequence 1 of X was seen in fit"):
        assert as_lists(encoder.transform(["bad", "wunderbar"])) == [[1], [0]]
    with pytest.warns(UserWarning, match="Nothing in sequence 0 of X"):
        assert as_lists(encoder.transform([""])) == [[0]]


def test_a_copy_says_the_same():
    encoder = TokenEncoder(min_frequency=2).fit(TEXTS)
    for copy in (pickle.loads(pickle.dumps(encoder)), clone(encoder).fit(TEXTS)):
        assert as_lists(copy.transform(TEXTS)) == as_lists(encoder.transform(TEXTS))


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        ("one text", TypeError, "X must be a list of token lists or strings, one for each row; got str"),
        (["a", None], TypeError, r"X\[1\] must be a list of tokens or a string; got NoneType"),
        (["a", float("nan")], TypeError, r"X\[1\] must be a list of tokens or a string; got float"),
        ([], ValueError, "at least one row"),
        (["", " "], ValueError, "No token occurs min_frequency=1 times"),
        (pd.DataFrame({"id": [1], "text": ["a"]}), ValueError, "pass the one that holds the texts"),
    ],
)
def test_what_holds_no_texts_is_refused(X, error, message):
    encoder = TokenEncoder()
    with pytest.raises(error, match=message):
        encoder.fit(X)
    with pytest.raises(NotFittedError):
        encoder.transform(["a"])


@pytest.mark.parametrize("name", sorted(set(TokenEncoder._parameter_constraints) - {"analyzer"}))
def test_every_parameter_is_checked(name):
    with pytest.raises(ValueError, match=rf"^The '{name}' parameter of TokenEncoder must be .*; got <class 'object'>$"):
        TokenEncoder(**{name: object}).fit(TEXTS)


def test_an_analyzer_is_a_name_or_a_function():
    assert set(TokenEncoder._parameter_constraints) == set(TokenEncoder().get_params())
    with pytest.raises(ValueError, match="The 'analyzer' parameter of TokenEncoder must be one of"):
        TokenEncoder("words").fit(TEXTS)


LABELS = np.arange(12) % 3
TINY = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}


def test_estimators_embed_ids_by_themselves():
    texts = TEXTS * 4
    model = make_pipeline(TokenEncoder(), RNNClassifier(**TINY)).fit(texts, LABELS)
    told = make_pipeline(TokenEncoder(), RNNClassifier(frontend=Embedding(), **TINY)).fit(texts, LABELS)
    np.testing.assert_array_equal(model.predict_proba([*texts, "not even bad"]), told.predict_proba([*texts, "not even bad"]))
    assert model[-1].encoding_.categories_[0].tolist() == list(range(1, len(model[0].vocabulary_) + 1))
    np.testing.assert_array_equal(clone(model).fit(texts, LABELS).predict_proba(texts), model.predict_proba(texts))
    tags = [[label] * len(words) for label, words in zip(LABELS, WORDS * 4, strict=True)]
    assert RNNTagger(**TINY).fit(TokenEncoder().fit_transform(texts), tags).network_.frontend is not None


def test_ids_stay_ids_when_they_are_split_and_sent():
    ids = TokenEncoder().fit_transform(TEXTS * 4)
    few, _ = train_test_split(ids, random_state=0)
    for part in (ids[:6], few, pickle.loads(pickle.dumps(ids)), [row[:2] for row in ids], np.array(ids, dtype=object), tuple(ids)):
        assert RNNClassifier(**TINY).fit(part, LABELS[: len(part)]).network_.frontend is not None


def test_numbers_are_never_guessed_to_be_ids():
    ids = TokenEncoder().fit_transform(TEXTS * 4)
    for part in ([np.array(row) for row in ids], [row.tolist() for row in ids], [row + 0 for row in ids], [row / 2 for row in ids]):
        assert RNNClassifier(**TINY).fit(part, LABELS).network_.frontend is None
    assert type(ids[0].max()) is np.int64
    assert RNNClassifier(frontend=None, **TINY).fit(ids, LABELS).network_.frontend is None
