"""Attention in two stages follows an index of 81 drivers, as ``benchmarks/drivers.py`` generates it."""

import pytest

from benchmarks import drivers


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_beats_persistence_by_far_where_the_drivers_of_the_moment_are_known(seed):
    found = drivers.compared(seed)
    assert found["DualStageAttentionRegressor"] < 0.25 * found["persistence"], found
    assert found["DualStageAttentionRegressor"] < 1.5 * found["ridge"], found


@pytest.mark.slow
def test_no_drivers_of_the_past_beat_persistence():
    found = drivers.compared(0, include_current=False)
    assert found["DualStageAttentionRegressor"] > 0.9 * found["persistence"], found
