"""Networks of recurrent layers and readouts, usable without the estimators."""

from ._network import Network
from ._readout import POOLINGS
from ._recurrent import Recurrent
from ._reservoirs import Reservoirs
from ._sequence import SequenceNetwork
from ._steps import StepNetwork

__all__ = ["Recurrent", "Reservoirs", "SequenceNetwork", "StepNetwork"]
