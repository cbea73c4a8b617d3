"""Strings follow their grammars, checked by other means than those that made them."""

import re

import numpy as np
import pytest

from skrnn.datasets import REBER_LETTERS, make_continual_reber, make_counting, make_embedded_reber, make_letters, reber_successors

# The graph of the grammar as a regular expression: the upper path, the lower path, and the way from the upper to the lower one.
LOWER = "T*V(?:PXT*V)*(?:V|PS)E"
REBER = rf"B(?:TS*X(?:SE|X{LOWER})|P{LOWER})"


def letters(x):
    return "".join(REBER_LETTERS[k] for k in x.argmax(axis=1))


def test_embedded_reber():
    X, y = make_embedded_reber(2000, random_state=0)
    assert set(X.values.sum(axis=1)) == {1}
    strings = [letters(x) + following[-1] for x, following in zip(X, y, strict=True)]
    assert all(s[1:] == "".join(following) for s, following in zip(strings, y, strict=True))
    assert all(re.fullmatch(rf"B([TP]){REBER}\1E", s) for s in strings)
    assert 0.45 < np.mean([s[1] == "T" for s in strings]) < 0.55
    assert min(map(len, strings)) == 9
    assert len(set(strings)) > 200
    arcs = {(a, b, c) for s in strings for a, b, c in zip(s, s[1:], s[2:], strict=False)}
    assert {("X", "X", "T"), ("T", "S", "S"), ("V", "P", "X"), ("T", "T", "V"), ("P", "X", "V"), ("X", "S", "E"), ("V", "V", "E")} <= arcs


def test_continual_reber_is_strings_end_to_end():
    X, y = make_continual_reber(500, random_state=0)
    stream = letters(X)
    assert re.fullmatch("(?:" + "|".join(rf"B{gate}{REBER}{gate}E" for gate in "TP") + "){500}", stream)
    assert stream[1:] + "B" == "".join(y)


def test_letters():
    X, y = make_letters(1000, random_state=0)
    features = {"101001": "b", "101101": "d", "101011": "g", "010011": "a", "010101": "i", "010111": "u"}
    text = "".join(features["".join(map(str, row))] for row in np.vstack([X, y[-1:]]).astype(int))
    np.testing.assert_array_equal(X[1:], y[:-1])
    assert re.fullmatch("(?:ba|dii|guuu){1000}", text)
    assert all(0.28 < text.count(consonant) / 1000 < 0.39 for consonant in "bdg")


@pytest.mark.parametrize("n_letters", [2, 3])
def test_counting(n_letters):
    X, y = make_counting([1, 4], n_letters)
    alphabet = "|abc"[: n_letters + 1]
    strings = ["".join(alphabet[k] for k in x.argmax(axis=1)) for x in X]
    assert strings == ["|" + "".join(a * n for a in alphabet[1:]) for n in (1, 4)]
    for s, possible in zip(strings, y, strict=True):
        for k, (row, after) in enumerate(zip(possible, s[1:] + "|", strict=True)):
            allowed = {alphabet[j] for j in np.flatnonzero(row)}
            assert after in allowed
            assert allowed == ({"a", "b"} if s[k] == "a" else {after})


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: make_embedded_reber(0), "n_strings must be a whole number of at least 1; got 0"),
        (lambda: make_counting([]), "counts must be a whole number of at least 1; got 0"),
        (lambda: make_counting([1], 1), "n_letters must be a whole number of at least 2; got 1"),
    ],
)
def test_errors_say_what_was_expected(make, match):
    with pytest.raises(ValueError, match=match):
        make()


def test_reber_successors_are_the_letters_that_come():
    _, letters = make_continual_reber(2000, random_state=0)
    stream = ["B", *letters[:-1]]
    possible = reber_successors(stream)
    assert all(letter in may_come for letter, may_come in zip(letters, possible, strict=True))
    for pair in ("TP", "SX", "TV", "XS", "PV"):  # and both of two come, each about every other time
        first = [letter == pair[0] for letter, may_come in zip(letters, possible, strict=True) if may_come == pair]
        assert 0.4 < np.mean(first) < 0.6
    assert reber_successors("".join(stream[:50])) == possible[:50]


def test_reber_successors_refuse_other_strings():
    with pytest.raises(ValueError, match=r"letters\[3\] must be one of \['T', 'P'\] here; got 'X'"):
        reber_successors("BTBX")
