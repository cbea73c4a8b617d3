"""Data that come with the package: as they were published, with their licence, ready for ``fit``."""

from importlib.resources import files
from inspect import getdoc

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from skrnn import EchoStateClassifier, RNNForecaster, datasets

LOADERS = [name for name in datasets.__all__ if name.startswith("load_")]
FOLDER = files("skrnn.datasets") / "files"


@pytest.mark.parametrize("name", LOADERS)
def test_every_loader_says_the_licence_of_its_file(name):
    load = getattr(datasets, name)
    licence = "CC BY 4.0" if "vowels" in name else "public domain"
    assert licence in getdoc(load)
    assert licence in load().DESCR
    (row,) = [line for line in (FOLDER / "LICENSES.md").read_text(encoding="utf-8").splitlines() if name.removeprefix("load_") in line]
    assert licence in row


@pytest.mark.parametrize("name", LOADERS)
def test_a_pair_is_the_data_and_the_target_of_the_bunch(name):
    bunch, (X, y) = getattr(datasets, name)(), getattr(datasets, name)(return_X_y=True)
    assert len(X) == len(y) == len(bunch.data)
    np.testing.assert_array_equal(y, bunch.target)
    assert X[0].shape[-1] == len(bunch.feature_names)


@pytest.mark.parametrize("name", LOADERS)
def test_what_is_changed_is_not_changed_for_others(name):
    load = getattr(datasets, name)
    load().target[:] = 0
    assert np.nanmax(load().target) > 0


def test_the_files_are_small_and_each_has_a_loader():
    names = {path.name for path in FOLDER.iterdir()}
    assert names == {"LICENSES.md", *(f"{name.removeprefix('load_')}.npz" for name in LOADERS)}
    assert sum(len((FOLDER / name).read_bytes()) for name in names) < 3e6


def test_japanese_vowels_are_those_of_the_literature():
    X, y = datasets.load_japanese_vowels(return_X_y=True)
    assert (len(X), X.lengths.min(), X.lengths.max()) == (640, 7, 29)
    assert np.bincount(y[:270]).tolist() == [30] * 9
    assert np.bincount(y[270:]).tolist() == [31, 35, 88, 44, 29, 24, 40, 50, 29]
    np.testing.assert_array_equal(X[0][0, :3], [1.860936, -0.207383, 0.261557])


def test_subsets_are_the_parts_of_all():
    train, test = (datasets.load_japanese_vowels(subset=part) for part in ("train", "test"))
    every = datasets.load_japanese_vowels()
    np.testing.assert_array_equal(np.concatenate([train.data.values, test.data.values]), every.data.values)
    np.testing.assert_array_equal(np.concatenate([train.target, test.target]), every.target)
    with pytest.raises(ValueError, match="subset should be one of all, train, test; got 'validation'"):
        datasets.load_japanese_vowels(subset="validation")


def test_speakers_are_told_apart():
    X, y = datasets.load_japanese_vowels(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    model = EchoStateClassifier(hidden_size=50, spectral_radius=0.9, leak_rate=0.2, input_scaling=0.3, random_state=0)
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.9


def test_weeks_that_were_not_measured_are_nan():
    co2 = datasets.load_mauna_loa_co2()
    assert np.isnan(co2.target).sum() == 59
    assert (co2.dates[0], co2.dates[-1], co2.target[-1]) == (np.datetime64("1958-03-29"), np.datetime64("2001-12-29"), 371.5)
    assert set(np.diff(co2.dates)) == {np.timedelta64(7, "D")}


def test_a_forecaster_takes_time_and_series():
    X, y = datasets.load_sunspots(return_X_y=True)
    assert (X[0, 0], X[-1, 0], y.argmax(), len(y)) == (1700, 2008, 257, 309)
    model = RNNForecaster(horizon=5, time_column=0, max_epochs=1, hidden_size=4, random_state=0)
    assert model.fit(X, y).predict(X[-1:] + np.arange(1, 6)[:, None]).shape == (5,)
