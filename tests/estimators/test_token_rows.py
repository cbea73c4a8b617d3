"""Tokens that nobody knows, and rows of tokens in frames."""

import warnings

import pandas as pd
import polars as pl
import pytest

from skrnn import Seq2SeqTranslator

WORDS = [["one", "two"], ["two", "three", "one"], ["three"]] * 4
WRITTEN = [["un", "deux"], ["deux", "trois", "un"], ["trois"]] * 4
STRINGS = ["ab", "bca", "c"] * 4
OTHERS = [s.upper() for s in STRINGS]


def make(**settings):
    return Seq2SeqTranslator(**{"hidden_size": 4, "max_epochs": 2, "random_state": 0} | settings)


def test_a_row_of_which_no_token_is_known_warns():
    model = make().fit(WORDS, WRITTEN)
    with pytest.warns(UserWarning, match=r"Nothing in sequence 0 of X was seen in fit.*words as words and characters as characters"):
        model.predict(["one two three"])
    with pytest.warns(UserWarning, match=r"Nothing in sequence 1 \(and 1 more\) of X"):
        model.predict([["one"], ["four"], ["five", "six"]])
    for ask in (model.predict_hypotheses, model.attention_weights, lambda X: model.score(X, [["un"]])):
        with pytest.warns(UserWarning, match="Nothing in sequence 0 of X"):
            ask([["four"]])


def test_a_row_of_which_some_token_is_known_does_not_warn():
    model = make().fit(WORDS, WRITTEN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict([["one", "four"], ["two"]])
        make().fit(WORDS, WRITTEN)


def test_unknown_tokens_are_refused_where_they_should_be():
    with pytest.raises(ValueError, match="a token that was not seen in fit"):
        make(handle_unknown="error").fit(WORDS, WRITTEN).predict(["one two three"])


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
@pytest.mark.parametrize(("X", "y"), [(STRINGS, OTHERS), (WORDS, WRITTEN)], ids=["strings", "words"])
def test_a_frame_of_one_column_is_that_column(frame, X, y):
    source, target = frame({"src": X}), frame({"tgt": y})
    model, listed = make().fit(source, target), make().fit(X, y)
    assert model.source_vocabulary_.tolist() == listed.source_vocabulary_.tolist()
    assert model.vocabulary_.tolist() == listed.vocabulary_.tolist()
    assert model.predict(source) == listed.predict(X)
    assert type(model.predict(source)[0]) is type(y[0])
    assert model.score(source, target) == listed.score(X, y)


@pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
def test_a_frame_of_several_columns_is_refused(frame):
    both = frame({"src": STRINGS, "tgt": OTHERS})
    with pytest.raises(ValueError, match=r"X is a frame of the columns \['src', 'tgt'\]"):
        make().fit(both, OTHERS)
    with pytest.raises(ValueError, match=r"y is a frame of the columns"):
        make().fit(STRINGS, both)


def test_a_column_of_a_frame_is_read_as_before():
    frame = pd.DataFrame({"src": STRINGS, "tgt": OTHERS})
    assert make().fit(frame["src"], frame["tgt"]).predict(frame["src"]) == make().fit(STRINGS, OTHERS).predict(STRINGS)
