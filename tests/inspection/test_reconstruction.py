"""The picture shows sequences beside what is written of their codes."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.pipeline import make_pipeline

from skrnn import RNNAutoencoder, RNNRegressor
from skrnn.inspection import ReconstructionDisplay
from skrnn.preprocessing import SequenceImputer

X = [np.random.default_rng(k).normal(size=(6 + k, 2)) for k in range(5)]


@pytest.fixture(scope="module")
def autoencoder():
    return RNNAutoencoder(hidden_size=4, max_epochs=2, random_state=0).fit(X)


def test_the_first_sequences_stand_beside_what_is_written_of_them(autoencoder):
    display = ReconstructionDisplay.from_estimator(autoencoder, X, n_sequences=3)
    assert len(display.axes_) == 3
    assert display.figure_ is display.axes_[0].figure
    for axes, x, again in zip(display.axes_, X, autoencoder.predict(X), strict=False):
        drawn = [line.get_ydata() for line in axes.lines]
        np.testing.assert_array_equal(drawn[::2], x.T)
        np.testing.assert_array_equal(drawn[1::2], again.T)


def test_rows_pipelines_and_fewer_sequences_than_asked_are_drawn():
    rows = np.random.default_rng(0).normal(size=(3, 8))
    piped = make_pipeline(SequenceImputer(), RNNAutoencoder(hidden_size=3, max_epochs=1, random_state=0)).fit(rows)
    display = ReconstructionDisplay.from_estimator(piped, rows)
    np.testing.assert_array_equal(np.squeeze(display.original), rows)
    np.testing.assert_array_equal(np.squeeze(display.reconstructed), piped.predict(rows).reshape(3, 8))


def test_sequences_of_many_channels_are_pictures_side_by_side_in_the_same_colours():
    wide = np.random.default_rng(0).normal(size=(3, 4, 7))
    model = RNNAutoencoder(hidden_size=3, max_epochs=1, random_state=0).fit(wide)
    display = ReconstructionDisplay.from_estimator(model, wide, n_sequences=2)
    images = [axes.images[0] for axes in display.axes_]
    for image, x, again in zip(images, wide, model.predict(wide), strict=False):
        np.testing.assert_array_equal(image.get_array()[:, :4], x.T)
        np.testing.assert_array_equal(image.get_array()[:, 5:], again.T)
    assert images[0].get_clim() == images[1].get_clim()


def test_what_cannot_be_drawn_is_refused(autoencoder):
    with pytest.raises(ValueError, match="n_sequences must be a whole number of at least 1; got 0"):
        ReconstructionDisplay.from_estimator(autoencoder, X, n_sequences=0)
    regressor = RNNRegressor(hidden_size=2, max_epochs=1).fit(X, np.arange(5.0))
    with pytest.raises(TypeError, match="needs an RNNAutoencoder"):
        ReconstructionDisplay.from_estimator(regressor, X)
    with pytest.raises(ValueError, match="ax must hold 2 axes, one for each sequence; got 1"):
        ReconstructionDisplay.from_estimator(autoencoder, X, n_sequences=2, ax=plt.subplots()[1])
    with pytest.raises(ValueError, match="same shapes"):
        ReconstructionDisplay(X[:1], X[1:2])
    with pytest.raises(ValueError, match="original must hold arrays of shape"):
        ReconstructionDisplay([[1, 2]], X[:1])
