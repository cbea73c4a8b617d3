"""Networks of recurrent layers and readouts, usable without the estimators."""

from ._attention import ATTENTIONS, Attending
from ._autoencoder import Autoencoder, Retelling
from ._copying import PointerGenerator
from ._dual_stage import DualStage
from ._encoder import Encoder, Regions, Vector
from ._feedback import Feedback, Tokens, Values
from ._language import LanguageNetwork, Passage
from ._memory_network import TYINGS, MemoryNetwork
from ._network import Network
from ._next import AdaptiveNextToken, Next, NextFrame, NextToken, cutoffs_for
from ._pointing import Choices, Pointing
from ._readout import POOLINGS, WHOLE_POOLINGS
from ._recurrent import Recurrent
from ._reservoirs import Reservoirs
from ._seq2seq import CONTEXTS, Pair, Seq2Seq
from ._sequence import SequenceNetwork
from ._steps import StepNetwork
from ._transducer import Transducer, Writing
from ._tree import TreeNetwork

__all__ = [
    "AdaptiveNextToken",
    "Attending",
    "Autoencoder",
    "DualStage",
    "Encoder",
    "Feedback",
    "LanguageNetwork",
    "MemoryNetwork",
    "NextFrame",
    "NextToken",
    "Pair",
    "Passage",
    "PointerGenerator",
    "Pointing",
    "Recurrent",
    "Regions",
    "Reservoirs",
    "Retelling",
    "Seq2Seq",
    "SequenceNetwork",
    "StepNetwork",
    "Tokens",
    "Transducer",
    "TreeNetwork",
    "Values",
    "Vector",
]
