"""Pointing: sorting numbers (Vinyals, Bengio & Kudlur, 2016), and the corners of convex hulls (Vinyals et al., 2015)."""

import pytest

from benchmarks import _experiments as experiments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.parametrize("seed", [0, 1, 2])]


@pytest.mark.parametrize(("n_numbers", "least"), [(5, 0.95), (10, 0.85)])
def test_numbers_are_sorted(n_numbers, least, seed):
    """The paper has 0.81 of 5 and 0.08 of 10 numbers after 10,000 updates of a pointer network."""
    assert experiments.sorted_right(n_numbers, seed) >= least


def test_one_network_finds_the_convex_hulls_of_five_to_ten_points(seed):
    assert experiments.hulls_right(seed) >= 0.85
