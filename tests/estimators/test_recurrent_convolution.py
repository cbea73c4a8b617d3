"""Recurrent convolution over texts (Lai et al., 2015) as a pooling of sequence-level networks."""

import pickle

import numpy as np
import pytest

from skrnn import RNNClassifier, RNNRegressor
from skrnn.datasets import make_reviews
from skrnn.frontends import Conv1d, Embedding
from tests.estimators.samples import EQUAL, RAGGED

Y = np.array([x[:, 0].max() for x in RAGGED])
SMALL = {"pooling": "recurrent_convolution", "hidden_size": 4, "max_epochs": 2, "random_state": 0}


def test_the_order_of_words_counts():
    X, y = make_reviews(800, random_state=0)
    model = RNNClassifier(pooling="recurrent_convolution", frontend=Embedding(16), hidden_size=16, max_epochs=15, random_state=0)
    tokens = [text.split() if isinstance(text, str) else text for text in X]
    assert model.fit(tokens[:600], y[:600]).score(tokens[600:], y[600:]) > 0.95


@pytest.mark.parametrize("settings", [{}, {"bidirectional": False}, {"frontend": Conv1d(4, 2, stride=2)}, {"n_layers": 2, "cell": "lstm"}])
def test_company_does_not_change_a_bit(settings):
    model = RNNRegressor(**SMALL | settings).fit(RAGGED, Y)
    every = model.predict(RAGGED)
    np.testing.assert_array_equal(np.concatenate([model.predict([x]) for x in RAGGED]), every)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(RAGGED[::-1]), every[::-1])


def test_features_are_as_many_as_ever():
    model = RNNRegressor(**SMALL).fit(EQUAL, Y)
    assert model.transform(EQUAL).shape == (40, 8) == (40, len(model.get_feature_names_out()))


def test_a_long_sequence_is_read_as_a_whole():
    model = RNNRegressor(**SMALL).fit(RAGGED, Y)
    long = np.random.default_rng(0).normal(size=(3000, 3))
    np.testing.assert_array_equal(model.predict([long, *RAGGED])[0], model.predict([long])[0])
    assert np.isfinite(RNNRegressor(rule="truncated_bptt", **SMALL).fit([long, *RAGGED], [0.0, *Y]).loss_curve_).all()


def test_a_rule_that_goes_forward_in_time_is_refused():
    with pytest.raises(ValueError, match="pooling='recurrent_convolution' needs all of a sequence at once: use rule='bptt' or 'truncated_bptt'"):
        RNNRegressor(rule="rtrl", bidirectional=False, **SMALL).fit(RAGGED, Y)
