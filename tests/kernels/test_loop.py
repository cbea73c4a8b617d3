"""Loops that are kept on disk."""

import os
import subprocess
import sys

import numpy as np

LOOP = """
import sys
import numpy as np
from skrnn.kernels import Layout
from skrnn.kernels._reservoir import reservoir

u, R, h = np.linspace(-1, 1, 60).reshape(20, 3), np.full((3, 3), 0.2), np.zeros((1, 3))
for leak in map(float, sys.argv[1:]):
    rate = None if leak == 1 else np.full(3, leak)
    y, _ = reservoir["tanh"](Layout.of(np.ones(20, dtype=np.int64)), False, u.copy(), R, h, rate)
    print(*y[-1].tolist())
"""


def last_outputs(cache, *leaks):
    """Of reservoirs of these rates, in a process of its own. Compiled functions are named alike in all of them."""
    env = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONHASHSEED": "0"}
    done = subprocess.run([sys.executable, "-c", LOOP, *map(str, leaks)], env=env, capture_output=True, text=True, check=True)
    return [[float(number) for number in line.split()] for line in done.stdout.splitlines()]


def by_hand(leak):
    u, h = np.linspace(-1, 1, 60).reshape(20, 3), np.zeros(3)
    for x in u:
        h = (1 - leak) * h + leak * np.tanh(x + np.full((3, 3), 0.2) @ h)
    return h


def test_variants_of_a_loop_from_several_processes_do_not_take_each_others_place(tmp_path):
    (plain,), (leaky,) = last_outputs(tmp_path, 1.0), last_outputs(tmp_path, 0.5)
    np.testing.assert_allclose([plain, leaky], [by_hand(1.0), by_hand(0.5)], rtol=1e-12)
    assert last_outputs(tmp_path, 1.0, 0.5) == [plain, leaky]  # both from files: the second was what the first one is
