"""The liquid state machine remembers: which of two spike templates was played, segments ago, is read off the final state of the column."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

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
