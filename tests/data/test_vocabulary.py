"""Tokens and their numbers."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skrnn.data import BEGIN, END, UNKNOWN, Vocabulary, read_tokens

ROWS = [tuple("abacus"), tuple("bad"), (7, "a")]


def test_the_most_frequent_come_first_whatever_the_order_of_rows():
    known = Vocabulary.of(ROWS, 1)
    assert known.tokens[:2] == ("a", "b")
    assert known == Vocabulary.of(ROWS[::-1], 1)
    assert len(known) == 1 + len({token for row in ROWS for token in row})
    assert Vocabulary.of(ROWS, 1, most=2).tokens == ("a", "b")


def test_what_is_encoded_comes_back():
    known = Vocabulary.of(ROWS, 1, 3)
    coded = known.encode(ROWS, "y", end=True)
    assert [tuple(known.decode(ids[:, 0].astype(int).tolist())) for ids in coded] == ROWS
    assert all(ids[-1] == END for ids in coded)
    assert not {UNKNOWN, BEGIN} & set(coded.values[:, 0].astype(int).tolist())
    assert Vocabulary.of(ROWS, 1).decode([2, 0, 1]) == ["b", None, "a"]


def test_rare_tokens_are_unknown():
    known = Vocabulary.of(ROWS, 2)
    assert set(known.tokens) == {"a", "b"}
    assert known.encode([("a", "z")], "X").values[:, 0].tolist() == [1, UNKNOWN]
    with pytest.raises(ValueError, match=r"X\[1\]\[2\] is 'z', a token that was not seen"):
        known.encode([("a",), ("a", "b", "z")], "X", strict=True)
    with pytest.raises(ValueError, match="min_frequency=9"):
        Vocabulary.of(ROWS, 9)


def test_rows_may_be_strings_lists_or_arrays():
    assert read_tokens(["ab", ["a", "b"], np.array(["a", "b"])], "X") == 3 * [("a", "b")]
    assert read_tokens(np.array([[1, 2], [3, 4]]), "X") == [(1, 2), (3, 4)]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, lambda columns: np.array(columns["text"])[:, None]])
def test_a_frame_of_one_column_is_that_column(make):
    assert read_tokens(make({"text": ["ab", "ba"]}), "X") == [("a", "b"), ("b", "a")]


def test_a_frame_of_several_columns_is_refused():
    with pytest.raises(ValueError, match=r"X is a frame of the columns \['id', 'text'\]: pass the one that holds the texts"):
        read_tokens(pd.DataFrame({"id": [1], "text": ["ab"]}), "X")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("abc", "X must be a list of token lists or strings, .*; got str"),
        (5, "X must be a list of token lists"),
        ([["a"], 5], r"X\[1\] must be a list of tokens or a string; got int"),
        ([["a", ["b"]]], r"X\[0\]\[1\] must be a token"),
    ],
)
def test_what_holds_no_tokens_is_refused(rows, message):
    with pytest.raises(TypeError, match=message):
        read_tokens(rows, "X")


def test_nothing_to_read_is_refused():
    with pytest.raises(ValueError, match="at least one row"):
        read_tokens([], "X")
    with pytest.raises(ValueError, match=r"X\[1\] is empty"):
        Vocabulary.of(ROWS, 1).encode([("a",), ()], "X")
