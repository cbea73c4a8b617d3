import numpy as np
import pytest
from numba import njit

from skrnn.kernels._jit import EXACT, JIT


def scale(a, out):
    for j in range(len(a)):
        out[j] = 3 * a[j]


def llvm_of(options):
    compiled = njit(**options)(scale)
    out = np.empty(5, np.float32)
    compiled(np.arange(5, dtype=np.float32), out)
    np.testing.assert_array_equal(out, [0, 3, 6, 9, 12])
    return compiled.inspect_llvm(compiled.signatures[0])


@pytest.mark.parametrize("options", [JIT, EXACT])
def test_vectors_are_as_wide_as_the_cpu_has_them(options):
    assert '"prefer-vector-width"="512"' in llvm_of(options)


@pytest.mark.parametrize("options", [JIT, EXACT])
def test_nothing_is_promised_about_arrays_that_may_overlap(options):
    signature = next(line for line in llvm_of(options).splitlines() if line.startswith("define") and "scale" in line)
    assert signature.count("noalias") <= 2  # numba says it of the returned value and of the error
