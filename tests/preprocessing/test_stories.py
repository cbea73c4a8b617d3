"""StoryVectorizer: texts to tables of ids and back."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrnn.preprocessing import StoryVectorizer

STORY = ["Ada went to the attic.", "Ben's dog followed her!"]
X = [(STORY, "Where is Ada?"), (STORY[:1], "Is Ada in the attic?")]


def test_ids_are_those_of_the_vocabulary_the_question_first():
    encoder = StoryVectorizer().fit(X)
    ids = encoder.transform(X)
    assert [table.shape for table in ids] == [(3, 5), (2, 5)]
    assert encoder.vocabulary_[ids[0][0, :3] - 1].tolist() == ["where", "is", "ada"]
    assert ids[0][0, 3:].tolist() == [0, 0]
    assert encoder.inverse_transform(ids)[0] == ([["ada", "went", "to", "the", "attic"], ["ben's", "dog", "followed", "her"]], ["where", "is", "ada"])


def test_stories_alone_are_as_among_others():
    encoder = StoryVectorizer().fit(X)
    for item, table in zip(X, encoder.transform(X), strict=True):
        np.testing.assert_array_equal(encoder.transform([item])[0], table)


TELLINGS = {
    "one string": [(" ".join(STORY), X[0][1]), X[1]],
    "lines": [("Ada went to the attic\nBen's dog followed her\n\n", X[0][1]), X[1]],
    "words": [([["ada", "went", "to", "the", "attic"], ("ben's", "dog", "followed", "her")], ["where", "is", "ada"]), X[1]],
    "frame": pd.DataFrame({"story": [story for story, _ in X], "question": [question for _, question in X]}),
    "objects": np.array([[" ".join(story), question] for story, question in X], dtype=object),
    "lists": [[*item] for item in X],
}


@pytest.mark.parametrize("told", TELLINGS.values(), ids=TELLINGS)
def test_how_a_story_is_told_does_not_matter(told):
    for one, other in zip(StoryVectorizer().fit_transform(told), StoryVectorizer().fit_transform(X), strict=True):
        np.testing.assert_array_equal(one, other)


def test_words_are_found_as_the_parameters_say():
    assert "Ada" in StoryVectorizer(lowercase=False).fit(X).vocabulary_
    assert "!" in StoryVectorizer(token_pattern=r"\w+|[^\w\s]").fit(X).vocabulary_
    assert sorted(StoryVectorizer(min_frequency=2).fit(X).vocabulary_) == ["ada", "attic", "is", "the", "to", "went"]
    assert StoryVectorizer(max_features=1).fit(X).vocabulary_.tolist() == ["ada"]


def test_unknown_words_say_nothing_warn_or_are_refused():
    encoder = StoryVectorizer().fit(X)
    table = encoder.transform([(["Ada met Eve."], "Where is Eve?")])[0]
    assert (table == 0).tolist() == [[False, False, True], [False, True, True]]
    with pytest.warns(UserWarning, match="Nothing in sequence 1 of the questions of X was seen in fit"):
        encoder.transform([X[0], (STORY, "Who knows")])
    strict = StoryVectorizer(handle_unknown="error").fit(X)
    with pytest.raises(ValueError, match=r"X\[0\]\[0\]\[1\] holds 'eve', a word that was not seen in fit"):
        strict.transform([([STORY[0], "Eve left."], "Where is Ada?")])
    with pytest.raises(ValueError, match=r"X\[0\]\[1\] holds 'eve'"):
        strict.transform([(STORY, "Where is Eve?")])


REFUSED = {
    "no story": ([], ValueError, "at least one story"),
    "no sentence": ([([], "Where?")], ValueError, r"X\[0\]\[0\] is a story without sentences"),
    "blank": ([X[0], (" \n", "Where?")], ValueError, r"X\[1\]\[0\] is a story without sentences"),
    "no word": ([(["Ada left.", "..."], "Where?")], ValueError, r"X\[0\]\[0\]\[1\] is a sentence without words"),
    "no question": ([(STORY, "?")], ValueError, r"X\[0\] has a question without words"),
    "missing question": ([(STORY, None)], TypeError, r"X\[0\]\[1\]\[0\] must be a list of tokens or a string; got NoneType"),
    "missing story": ([(None, "Where?")], TypeError, r"X\[0\]\[0\] must be a story, a list of sentences or a string; got NoneType"),
    "missing sentence": ([([np.nan], "Where?")], TypeError, r"X\[0\]\[0\]\[0\] must be a list of tokens or a string; got float"),
    "three": ([(STORY, "Where?", "there")], TypeError, r"X\[0\] must be a pair \(story, question\), .*; got 3 entries"),
    "texts": (["Ada left. Where is she?"], TypeError, r"X\[0\] must be a pair .*; got str"),
    "text": ("Ada left.", TypeError, r"X must be a list of \(story, question\); got str"),
    "nothing": (None, TypeError, r"X must be a list of \(story, question\); got NoneType"),
    "iterator": (iter(X), TypeError, r"X must be a list of \(story, question\); got list_iterator"),
    "numbers": (np.ones((3, 4)), TypeError, r"X\[0\] must be a pair .*; got ndarray"),
    "columns": (pd.DataFrame({"a": ["x"], "b": ["y"], "c": ["z"]}), ValueError, "X is a frame of the columns .*: pass two"),
    "one row of ids": ([np.array([[1, 2]])], ValueError, r"X\[0\] has a story without sentences"),
    "broken ids": ([np.array([[1.5], [1.0]])], ValueError, r"X\[0\] must hold ids of words, whole numbers of 0 or more; got 1.5"),
    "negative ids": ([np.array([[1], [-1]])], ValueError, r"X\[0\] must hold ids of words, .*; got -1"),
    "NaN": ([np.array([[np.nan], [1.0]])], ValueError, r"X\[0\] must hold ids of words, .*; got nan"),
}


@pytest.mark.parametrize(("wrong", "error", "match"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_story_is_refused(wrong, error, match):
    with pytest.raises(error, match=match):
        StoryVectorizer().fit(wrong)


def test_a_copy_is_not_fitted_and_a_failed_fit_neither():
    encoder = StoryVectorizer(min_frequency=2).fit(X)
    assert clone(encoder).get_params() == encoder.get_params()
    with pytest.raises(NotFittedError):
        clone(encoder).transform(X)
    with pytest.raises(ValueError, match="min_frequency=9"):
        encoder.set_params(min_frequency=9).fit(X)
    with pytest.raises(NotFittedError):
        encoder.transform(X)
