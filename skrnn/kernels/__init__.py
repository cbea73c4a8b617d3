"""Compiled loops over time for CPUs: numpy arrays in and out, no torch."""

from ._elman import elman
from ._gru import gru_after, gru_before
from ._loop import Kernel, Layout
from ._lstm import lstm
from ._product import big_matmul, column_sums, tall_product
from ._threads import WORTH_THREADS, allow_threads, n_threads
