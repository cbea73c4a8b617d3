import numpy as np
import pytest

from skrnn.datasets import make_pages

NAMES, NOUNS = {"John", "Mary", "Ada"}, {"boy", "girl", "cat", "dog"}
NEEDS, MAY, WITHOUT = {"chase", "feed"}, {"see", "hear"}, {"live", "walk"}


class Reader:
    """Reads a sentence in the only way there is, and multiplies what each choice was worth."""

    def __init__(self, sentence):
        assert sentence.endswith(".")
        self.words, self.p = sentence[:-1].split(" "), 1.0
        self.verb(self.noun())
        assert not self.words

    def noun(self):
        word = self.words.pop(0)
        if word in NAMES:
            self.p *= 0.25 / 3
            return False
        many = word.removesuffix("s") in NOUNS and word.endswith("s")
        assert word.removesuffix("s") in NOUNS
        self.p *= 0.75 * 0.5 / 4
        if self.words[:1] != ["who"]:
            self.p *= 0.75
            return many
        self.p *= 0.25
        self.words.pop(0)
        if self.words[0] in NAMES or self.words[0].removesuffix("s") in NOUNS:
            self.p *= 0.4 / 4
            assert self.number(self.noun()) in NEEDS | MAY
        else:
            self.p *= 0.6
            self.verb(many)
        return many

    def number(self, many):
        word = self.words.pop(0)
        assert word.endswith("s") != many
        return word.removesuffix("s")

    def verb(self, many):
        verb = self.number(many)
        self.p *= 1 / 3 / 2
        follows = bool(self.words) and (self.words[0] in NAMES or self.words[0].removesuffix("s") in NOUNS)
        if verb in MAY:
            self.p *= 0.5
        assert follows == (verb in NEEDS or (verb in MAY and follows))
        if follows:
            self.noun()
        assert verb in NEEDS | MAY | WITHOUT


def test_verbs_agree_and_pages_are_as_probable_as_they_say():
    X, y = make_pages(200, 5, random_state=0)
    for page, log_p in zip(X, y, strict=True):
        readers = [Reader(sentence.removesuffix(".") + ".") for sentence in page.split(". ")]
        assert len(readers) == 5
        assert np.log([reader.p for reader in readers]).sum() == pytest.approx(log_p, abs=1e-9)


def test_sentences_come_as_often_as_they_are_probable():
    X, _ = make_pages(30_000, 1, random_state=1)
    for sentence in ("Mary walks.", "boys live.", "Ada sees."):
        p = Reader(sentence).p
        assert np.mean([page == sentence for page in X]) == pytest.approx(p, abs=5 * np.sqrt(p / 30_000))
    assert np.mean(["who" in page for page in X]) > 0.2


def test_the_seed_decides_all():
    first, again, other = (make_pages(5, random_state=seed) for seed in (1, 1, 2))
    assert first[0] == again[0] != other[0]
    np.testing.assert_array_equal(first[1], again[1])
    for argument in ("n_pages", "n_sentences"):
        with pytest.raises(ValueError, match=argument):
            make_pages(**{argument: 0})
