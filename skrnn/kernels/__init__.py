"""Compiled loops over time for CPUs: numpy arrays in and out, no torch.

Most are generated from the steps of cells (:class:`Program`). Those that are written by hand are compiled by numba, which takes a third of a second
to load: they are loaded when they are first asked for, as attributes of this package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._arrays import Arrays
from ._big_product import big_matmul, column_sums, tall_product
from ._draws import bernoulli
from ._graph import OVER_ROWS, Graph, Node, above
from ._layout import Kernel, Layout
from ._machine import announcing, lay_panels
from ._program import Program
from ._rows import row_additions, row_logistic, row_mixtures, row_product, row_scores, row_softmax, time_sums
from ._threads import WORTH_THREADS, allow_threads, n_threads, single_blas

if TYPE_CHECKING:
    from ._clockwork import clockwork
    from ._ctc import Prefixes, align_labels, best_first, extend_prefixes, search_prefixes
    from ._hopfield import store_patterns, update_in_turn, update_together
    from ._moments import centre_rows
    from ._reservoir import Candidates, reservoir, run_candidates
    from ._rls import RLSState, rls
    from ._sparse import Sparse, count_entries
    from ._spiking import spiking
    from ._transduction import align_lattice, lattice_losses

_BY_HAND = {
    "Candidates": "_reservoir",
    "Prefixes": "_ctc",
    "RLSState": "_rls",
    "Sparse": "_sparse",
    "align_labels": "_ctc",
    "align_lattice": "_transduction",
    "best_first": "_ctc",
    "centre_rows": "_moments",
    "clockwork": "_clockwork",
    "count_entries": "_sparse",
    "extend_prefixes": "_ctc",
    "lattice_losses": "_transduction",
    "reservoir": "_reservoir",
    "rls": "_rls",
    "run_candidates": "_reservoir",
    "search_prefixes": "_ctc",
    "spiking": "_spiking",
    "store_patterns": "_hopfield",
    "update_in_turn": "_hopfield",
    "update_together": "_hopfield",
}


def __getattr__(name: str) -> Any:
    if name not in _BY_HAND:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_BY_HAND[name]}", __name__), name)
