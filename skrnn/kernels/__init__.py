"""Compiled loops over time for CPUs: numpy arrays in and out, no torch."""

from ._clockwork import clockwork
from ._draws import bernoulli
from ._elman import elman
from ._graph import OVER_ROWS, Graph, Node, above
from ._gru import gru_after, gru_before
from ._indrnn import indrnn
from ._jordan import jordan
from ._linear import linear_complex, min_gru, min_lstm, quasi
from ._loop import Kernel, Layout
from ._lstm import lstm
from ._moments import centre_rows
from ._product import big_matmul, column_sums, tall_product
from ._program import Program
from ._reservoir import Candidates, dense_reservoir, reservoir, run_candidates
from ._rls import RLSState, rls
from ._rows import row_additions, row_logistic, row_mixtures, row_product, row_scores, row_softmax, time_sums
from ._sparse import Sparse, count_entries
from ._spiking import spiking
from ._sru import sru
from ._threads import WORTH_THREADS, allow_threads, n_threads, single_blas
