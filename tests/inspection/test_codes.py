"""The map shows where the codes of sequences lie, and which are alike."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrnn import BingoCluster, RNNAutoencoder
from skrnn.datasets import make_pulse_trains
from skrnn.inspection import CodesDisplay
from skrnn.preprocessing import SequenceImputer

X, FACTORS = make_pulse_trains(30, random_state=0)


@pytest.fixture(scope="module")
def autoencoder():
    return RNNAutoencoder(hidden_size=5, max_epochs=2, random_state=0).fit(X)


def test_codes_of_two_numbers_are_drawn_as_they_are():
    model = BingoCluster(n_bits=2, n_init=1, max_epochs=2, random_state=0).fit(X)
    display = CodesDisplay.from_estimator(model, X)
    np.testing.assert_array_equal(display.points, model.transform(X))
    np.testing.assert_array_equal(display.points_[0].get_offsets(), display.points)
    assert display.figure_ is display.ax_.figure
    assert display.ax_.get_xlabel() == "code 1"


def test_longer_codes_are_drawn_by_their_principal_components_or_by_what_is_asked(autoencoder):
    codes = autoencoder.transform(X)
    np.testing.assert_array_equal(CodesDisplay.from_estimator(autoencoder, X).points, PCA(2).fit_transform(codes))
    asked = make_pipeline(StandardScaler(), TruncatedSVD(2, random_state=0))
    display = CodesDisplay.from_estimator(autoencoder, X, projection=asked)
    np.testing.assert_array_equal(display.points, asked.fit_transform(codes))
    fresh = TruncatedSVD(2)
    CodesDisplay.from_codes(codes, projection=fresh)
    assert not hasattr(fresh, "components_")


def test_labels_have_a_colour_each_and_numbers_a_scale(autoencoder):
    names = np.where(FACTORS[:, 0], "slow", "fast")
    display = CodesDisplay.from_estimator(autoencoder, X, names)
    assert [text.get_text() for text in display.ax_.get_legend().get_texts()] == ["fast", "slow"]
    for name, part in zip(["fast", "slow"], display.points_, strict=True):
        np.testing.assert_array_equal(part.get_offsets(), display.points[names == name])
    heights = X.max(axis=(1, 2))
    display = CodesDisplay.from_estimator(autoencoder, X, heights)
    np.testing.assert_array_equal(display.points_[0].get_array(), heights)
    many = CodesDisplay.from_codes(display.points, np.arange(30) % 15).points_
    assert len({tuple(part.get_facecolor()[0]) for part in many}) == 15


def test_pipelines_frames_of_codes_and_given_axes_are_drawn(autoencoder):
    piped = make_pipeline(SequenceImputer(), RNNAutoencoder(hidden_size=3, max_epochs=1, random_state=0)).fit(X)
    piped[-1].set_output(transform="pandas")
    _, ax = plt.subplots()
    assert CodesDisplay.from_estimator(piped, X, list("abc") * 10, ax=ax).ax_ is ax


def test_what_cannot_be_drawn_is_refused(autoencoder):
    with pytest.raises(TypeError, match="must have transform"):
        CodesDisplay.from_estimator(object(), X)
    with pytest.raises(ValueError, match="values for each step"):
        CodesDisplay.from_estimator(SequenceImputer().fit(X), X)
    with pytest.raises(ValueError, match="two or more numbers"):
        CodesDisplay.from_codes(np.ones((4, 1)))
    with pytest.raises(ValueError, match="projection must have two components"):
        CodesDisplay.from_codes(autoencoder.transform(X), projection=PCA(3))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CodesDisplay.from_codes(np.ones((4, 2)), [1, 2])
    with pytest.raises(ValueError, match="codes contains NaN"):
        CodesDisplay.from_codes([[np.nan, 1.0]])
    with pytest.raises(ValueError, match="points must have shape"):
        CodesDisplay(np.ones((4, 3)))
    with pytest.raises(ValueError, match="y must have a value for each"):
        CodesDisplay(np.ones((4, 2)), [1])
    with pytest.raises(ValueError, match="y must be finite"):
        CodesDisplay(np.ones((2, 2)), [1.5, np.nan])
