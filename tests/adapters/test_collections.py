"""Layouts of other libraries: what goes there and back is the same."""

import numpy as np
import pytest

from skrnn import as_sequences
from skrnn.adapters import from_aeon, from_tslearn, to_aeon, to_tslearn

RNG = np.random.default_rng(0)
EQUAL = RNG.normal(size=(5, 7, 2))
RAGGED = [RNG.normal(size=(n, 2)) for n in (3, 7, 1)]
every_collection = pytest.mark.parametrize("X", [EQUAL, RAGGED], ids=["equal", "ragged"])


@every_collection
@pytest.mark.parametrize(("there", "back"), [(to_aeon, from_aeon), (to_tslearn, from_tslearn)])
def test_there_and_back(X, there, back):
    given = as_sequences(back(there(X)))
    np.testing.assert_array_equal(given.values, as_sequences(X).values)
    np.testing.assert_array_equal(given.lengths, as_sequences(X).lengths)


def test_channels_stand_before_steps_in_aeon():
    assert to_aeon(EQUAL).shape == (5, 2, 7)
    assert [x.shape for x in to_aeon(RAGGED)] == [(2, 3), (2, 7), (2, 1)]
    array = to_aeon(EQUAL)
    assert np.shares_memory(from_aeon(array), array)


def test_tslearn_itself():
    utils = pytest.importorskip("tslearn.utils")
    given = from_tslearn(utils.to_time_series_dataset(RAGGED))
    np.testing.assert_array_equal(given.values, as_sequences(RAGGED).values)
    np.testing.assert_array_equal(to_tslearn(RAGGED), utils.to_time_series_dataset(RAGGED))
