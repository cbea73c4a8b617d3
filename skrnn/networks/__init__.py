"""Networks of recurrent layers and readouts, usable without the estimators."""

from ._readout import POOLINGS
from ._recurrent import Recurrent
from ._sequence import SequenceNetwork

__all__ = ["Recurrent", "SequenceNetwork"]
