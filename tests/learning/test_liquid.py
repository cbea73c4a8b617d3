"""The liquid state machine remembers: which of two spike templates was played, segments ago, is read off the final state of the column."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from skrnn import LiquidStateClassifier
from skrnn.cells import Spiking
from skrnn.data import as_sequences
from skrnn.datasets import make_spike_templates
from skrnn.engine import pack, scan

SEEDS = range(10)  # of templates and columns: templates whose last spikes come early are hard to tell apart in every segment


def final_states(cell, X):
    """A hundred sequences at a time, as the outputs of all steps are much larger than the last states."""
    return np.concatenate([scan(cell, pack(as_sequences(part)))[1].h for part in np.split(X, len(X) // 100)])


def recall(seed, **settings):
    """Accuracy for each segment of a linear readout, almost without penalty, that learned from 600 inputs, on 200 others."""
    X, y = make_spike_templates(800, random_state=seed)
    h = final_states(Spiking(**settings).build(1, 135, torch.Generator().manual_seed(seed)), X)
    return [LogisticRegression(C=1000, max_iter=3000).fit(h[:600], labels[:600]).score(h[600:], labels[600:]) for labels in y.T]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_column_recalls_the_segment_before_the_last():
    """Maass, Natschläger & Markram (2002): one spike train of 20 Hz, jitter 4 ms, four segments of 250 ms, 135 neurons."""
    column, unconnected = (np.mean([recall(seed, **settings) for seed in SEEDS], axis=0) for settings in ({}, {"connection_length": 0.0}))
    assert column[2] >= 0.68, column
    assert column[3] >= 0.99, column
    assert column[2] >= unconnected[2] + 0.1, (column, unconnected)


def classified(seed, segment):
    """Accuracy for a segment of the estimator as it is, but for what the task says: the input is spikes, and the end of it is what counts."""
    X, y = make_spike_templates(800, random_state=seed)
    y = y[:, segment - 1]
    model = LiquidStateClassifier(encoder=None, pooling="last", random_state=seed).fit(X[:600], y[:600])
    return model.score(X[600:], y[600:])


def test_the_estimator_recalls_the_segment_before_the_last():
    assert np.mean([classified(seed, segment=3) for seed in (0, 1)]) >= 0.68


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("segment", "at_least"), [(3, 0.68), (4, 0.99)])
def test_the_estimator_recalls_segments(segment, at_least):
    """With ridge regression, its penalty chosen on folds, where the test of the column has logistic regression almost without penalty."""
    accuracy = [classified(seed, segment) for seed in SEEDS]
    assert np.mean(accuracy) >= at_least, accuracy
