import numpy as np
import pytest

from skrnn.datasets import make_reviews


def test_not_before_blame_is_praise_and_the_bags_of_words_are_alike():
    X, y = make_reviews(2000, random_state=0)
    assert len(X) == 2000
    assert abs(y.mean() - 0.5) < 0.05
    words = [text.lower().replace(",", "").replace(".", "").split() for text in X]
    praise = {"good", "kind", "fresh", "clean", "lovely", "quick"}
    assert all((row[row.index("not") + 1] in praise) != label for row, label in zip(words, y, strict=True))
    assert all(row.count("not") == 1 and len(praise & set(row)) == 1 for row in words)
    for word in ("good", "bad", "very", "food", "and"):
        shares = [np.mean([word in row for row, label in zip(words, y, strict=True) if label == which]) for which in (0, 1)]
        assert abs(shares[0] - shares[1]) < 0.07


def test_the_seed_decides_all():
    first, again, other = (make_reviews(20, random_state=seed) for seed in (1, 1, 2))
    assert first[0] == again[0] != other[0]
    np.testing.assert_array_equal(first[1], again[1])
    with pytest.raises(ValueError, match="n_texts"):
        make_reviews(0)
