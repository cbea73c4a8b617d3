"""Compiled loops over time for CPUs: numpy arrays in and out, no torch."""

from ._clockwork import clockwork
from ._draws import bernoulli
from ._graph import OVER_ROWS, Graph, Node, above
from ._loop import Kernel, Layout
from ._machine import lay_panels
from ._moments import centre_rows
from ._product import big_matmul, column_sums, tall_product
from ._program import Arrays, Program
from ._reservoir import Candidates, reservoir, run_candidates
from ._rls import RLSState, rls
from ._rows import row_additions, row_logistic, row_mixtures, row_product, row_scores, row_softmax, time_sums
from ._sparse import Sparse, count_entries
from ._spiking import spiking
from ._threads import WORTH_THREADS, allow_threads, n_threads, single_blas
