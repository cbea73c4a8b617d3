"""The defaults are good: mean accuracy of three seeds on real sequences, nothing tuned."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from benchmarks._tasks import DATA, read_ts
from skrnn import RNNClassifier

pytestmark = pytest.mark.slow


def mean_accuracy(X_train, X_test, y_train, y_test):
    return np.mean([RNNClassifier(random_state=seed).fit(X_train, y_train).score(X_test, y_test) for seed in range(3)])


def test_digits_by_rows():
    digits = load_digits()
    assert mean_accuracy(*train_test_split(digits.images, digits.target, random_state=0)) >= 0.96


@pytest.mark.parametrize(
    ("name", "n_train", "n_test", "n_channels", "accuracy"),
    [
        ("JapaneseVowels", 270, 370, 12, 0.96),
        ("BasicMotions", 40, 40, 6, 0.97),
        ("ItalyPowerDemand", 67, 1029, 1, 0.95),
    ],
)
def test_archive(name, n_train, n_test, n_channels, accuracy):
    if not (DATA / f"{name}_TRAIN.ts").exists():
        pytest.skip("the files are not there; SKRNN_DATA may name their folder")
    (X_train, y_train), (X_test, y_test) = (read_ts(DATA / f"{name}_{part}.ts") for part in ("TRAIN", "TEST"))
    assert (len(X_train), len(X_test)) == (n_train, n_test)
    assert {x.shape[1] for x in X_train + X_test} == {n_channels}
    assert mean_accuracy(X_train, X_test, y_train, y_test) >= accuracy


def test_reader(tmp_path):
    path = tmp_path / "a.ts"
    path.write_text("# comment\n@problemName a\n@data\n1,2,3:4,5,6:up\n\n7:8:down\n")
    X, y = read_ts(path)
    assert [x.tolist() for x in X] == [[[1, 4], [2, 5], [3, 6]], [[7, 8]]]
    assert y.tolist() == ["up", "down"]
