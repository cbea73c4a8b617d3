"""The picture shows what was not expected, and what is left."""

import numpy as np
import pytest
from matplotlib import pyplot as plt
from sklearn.pipeline import make_pipeline

from skrnn import HistoryCompressor
from skrnn.inspection import SurpriseDisplay
from skrnn.preprocessing import TokenEncoder

X = ["abcabc", "xbcxbc"] * 10


@pytest.fixture(scope="module")
def compressor():
    return HistoryCompressor(hidden_size=8, max_epochs=20, random_state=0).fit(X)


def test_surprises_are_those_of_the_compressor_and_what_is_left_is_marked(compressor):
    display = SurpriseDisplay.from_estimator(compressor, X, sequence=1)
    np.testing.assert_array_equal(display.line_.get_ydata(), compressor.surprise(X)[1])
    np.testing.assert_array_equal(display.kept_.get_xdata(), compressor.kept_steps(X)[1] + 1)
    assert [text.get_text() for text in display.ax_.texts] == list("xbcxbc")
    assert display.threshold == 0.9
    assert display.figure_ is display.ax_.figure
    _, ax = plt.subplots()
    assert display.plot(ax).ax_ is ax


def test_of_long_sequences_only_what_is_left_is_named(compressor):
    long = ["abc" * 20]
    display = SurpriseDisplay.from_estimator(compressor, long)
    assert [text.get_text() for text in display.ax_.texts] == [long[0][k] for k in compressor.kept_steps(long)[0]]


def test_numbers_have_no_names_and_tokens_are_read_by_the_steps_before():
    waves = np.sin(0.5 * np.arange(20) + np.random.default_rng(0).uniform(0, 6, size=(10, 1)))
    of_numbers = HistoryCompressor(hidden_size=4, max_epochs=2, random_state=0, threshold=0).fit(waves)
    assert not SurpriseDisplay.from_estimator(of_numbers, waves).ax_.texts
    piped = make_pipeline(TokenEncoder(), HistoryCompressor(hidden_size=4, max_epochs=2, random_state=0)).fit(["one two", "two one"] * 5)
    assert len(SurpriseDisplay.from_estimator(piped, ["one two one"]).ax_.texts) == 3


def test_what_is_no_surprise_is_refused(compressor, tagger):
    with pytest.raises(ValueError, match="sequence must be between 0 and 19"):
        SurpriseDisplay.from_estimator(compressor, X, sequence=20)
    with pytest.raises(TypeError, match="RNNTagger expects no steps"):
        SurpriseDisplay.from_estimator(tagger, X)
    with pytest.raises(ValueError, match=r"surprise must have shape \(n_steps,\); got \(2, 2\)"):
        SurpriseDisplay(np.ones((2, 2)), kept=[])
    with pytest.raises(ValueError, match=r"kept must hold steps of the sequence, 0 to 1; got \[2\]"):
        SurpriseDisplay([1, 2], kept=[2])
    with pytest.raises(ValueError, match="labels must be one for each of the 2 steps"):
        SurpriseDisplay([1, 2], kept=[0], labels="a")
