"""Running cells over ragged batches, and the rules by which they learn."""

from ._pack import as_packed, pack, packed_rows, unpack
from ._rules import BPTT, Rule, TruncatedBPTT, resolve_rule
from ._scan import TimeSlices, put_first, scan
from ._threads import limit_threads

__all__ = ["BPTT", "TruncatedBPTT", "pack", "scan", "unpack"]
