"""Where tests find what they share; settings that have to stand before numpy, scipy and torch are imported; the profile of the property tests."""

import gc
import os
import sys
from pathlib import Path

# `tests` and `benchmarks` stand beside `skrnn`. Their place comes last, so that an installed `skrnn` is the one that is tested.
sys.path.append(str(Path(__file__).parents[1]))

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # else scikit-learn skips its array API checks
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # tests are small: a second thread only spins

import pytest
from hypothesis import settings

# The same examples in every run; `--hypothesis-profile=default` looks for new ones.
settings.register_profile("ci", derandomize=True, deadline=None, database=None)
settings.load_profile("ci")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and tests stay to the end: who looks for garbage need not walk through millions of objects each time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
