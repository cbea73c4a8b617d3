"""Boolean formulas: what was learned from up to four levels holds for six (Tai, Socher & Manning, 2015)."""

import pytest

from benchmarks import _experiments as experiments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("per_node", [False, True], ids=["roots", "nodes"])
def test_formulas_deeper_than_any_that_were_seen_are_right(seed, per_node):
    depth_4, depth_6 = experiments.formulas_right(seed, per_node)
    assert depth_4 >= 0.99
    assert depth_6 >= 0.97


def test_levels_are_nodes_and_many_times_as_fast():
    found = experiments.levels_beside_nodes()
    assert found["nodes"] >= 1500
    assert found["largest difference in millionths"] <= 10
    assert found["times as fast"] >= 10
