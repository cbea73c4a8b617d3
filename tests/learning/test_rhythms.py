"""Rhythms told apart without labels (Klapper-Rybicka, Schraudolph & Schmidhuber, 2001)."""

import pytest

from benchmarks import _experiments as experiments

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.parametrize("seed", [0, 1, 2])]


@pytest.mark.parametrize("algorithm", ["local", "joint"])
def test_bits_find_the_kinds_of_rhythms_and_each_bit_a_factor(algorithm, seed):
    clusters, bits = experiments.rhythms_found(seed, algorithm)
    assert clusters >= 0.8
    assert bits >= 0.8


def test_features_of_least_entropy_crowd_by_the_kinds_of_rhythms(seed):
    assert experiments.rhythms_crowd(seed) >= 0.5
