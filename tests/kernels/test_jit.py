import numpy as np
import pytest
from numba import njit

from skrnn.kernels._jit import EXACT, JIT, ROW, SUMS


def scale(a, out):
    for j in range(len(a)):
        out[j] = 3 * a[j]


def llvm_of(options):
    compiled = njit(**options)(scale)
    out = np.empty(5, np.float32)
    compiled(np.arange(5, dtype=np.float32), out)
    np.testing.assert_array_equal(out, [0, 3, 6, 9, 12])
    return compiled.inspect_llvm(compiled.signatures[0])


@pytest.mark.parametrize("options", [JIT, EXACT, ROW, SUMS])
def test_vectors_are_as_wide_as_the_cpu_has_them(options):
    assert '"prefer-vector-width"="512"' in llvm_of(options)


@pytest.mark.parametrize(("options", "told"), [(JIT, False), (EXACT, False), (ROW, True), (SUMS, True)])
def test_only_functions_of_rows_tell_that_their_arrays_do_not_overlap(options, told):
    code = llvm_of(options)
    signature = next(line for line in code.splitlines() if line.startswith("define") and "scale" in line)
    assert (signature.count("noalias") > 2) == told  # numba says it of the returned value and of the error
    assert "vector.memcheck" not in code or not told
