"""Running cells over ragged batches, and the rules by which they learn."""

from ._beam import BeamSearch, Hypotheses
from ._chunked import ChunkedScan, scan_chunked
from ._generated import explain, generating
from ._guessing import Guessing
from ._names import RULES, check_rule, resolve_rule
from ._pack import as_packed, longest_first, pack, packed_rows, unpack
from ._prefix_search import BeginningsSaid, PrefixSearch
from ._rollout import rollout
from ._rtrl import RTRL
from ._rules import BPTT, Rule, Stream, TruncatedBPTT
from ._runnable import PiecewiseRunnable, Runnable
from ._scan import GRAD_PATHS, TimeSlices, scan
from ._teaching import (
    TEACHINGS,
    ConstantTeaching,
    ExponentialTeaching,
    InverseSigmoidTeaching,
    LinearTeaching,
    TeacherForcing,
    resolve_teaching,
)
from ._threads import limit_threads
from ._tree import Forest, Grove, climb
from ._watch import scan_watched

__all__ = [
    "BPTT",
    "RTRL",
    "BeamSearch",
    "ConstantTeaching",
    "ExponentialTeaching",
    "Guessing",
    "InverseSigmoidTeaching",
    "LinearTeaching",
    "PiecewiseRunnable",
    "PrefixSearch",
    "Runnable",
    "TruncatedBPTT",
    "explain",
    "pack",
    "rollout",
    "scan",
    "scan_chunked",
    "unpack",
]
