"""Networks of recurrent layers and readouts, usable without the estimators."""

from ._attention import ATTENTIONS, Attending
from ._dual_stage import DualStage
from ._encoder import Encoder, Vector
from ._feedback import Feedback, Tokens, Values
from ._network import Network
from ._pointing import Choices, Pointing
from ._readout import POOLINGS
from ._recurrent import Recurrent
from ._reservoirs import Reservoirs
from ._seq2seq import CONTEXTS, Pair, Seq2Seq
from ._sequence import SequenceNetwork
from ._steps import StepNetwork

__all__ = [
    "Attending",
    "DualStage",
    "Encoder",
    "Feedback",
    "Pair",
    "Pointing",
    "Recurrent",
    "Reservoirs",
    "Seq2Seq",
    "SequenceNetwork",
    "StepNetwork",
    "Tokens",
    "Values",
    "Vector",
]
