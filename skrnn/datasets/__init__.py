"""Generated sequences: the tasks on which recurrent networks were first compared, ready for ``fit``.

Every function draws from ``random_state`` alone, and gives X and y in the forms that the estimators take.
"""

from ._grammars import REBER_LETTERS, make_continual_reber, make_counting, make_embedded_reber, make_letters, reber_successors
from ._recall import (
    make_adding,
    make_delayed_recall,
    make_delayed_xor,
    make_parity,
    make_temporal_order,
    make_waveform,
    make_xor_in_time,
)

__all__ = [
    "REBER_LETTERS",
    "make_adding",
    "make_continual_reber",
    "make_counting",
    "make_delayed_recall",
    "make_delayed_xor",
    "make_embedded_reber",
    "make_letters",
    "make_parity",
    "make_temporal_order",
    "make_waveform",
    "make_xor_in_time",
    "reber_successors",
]
