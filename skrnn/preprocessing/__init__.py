"""What stands in front of an estimator in a scikit-learn pipeline: transformers of sequences and of series."""

from ._calendar import CalendarFeatures
from ._conceptor import Conceptor, conceptor_adapt_aperture, conceptor_and, conceptor_morph, conceptor_not, conceptor_or
from ._differencer import Differencer
from ._fourier import FourierFeatures
from ._imputer import SequenceImputer
from ._nvar import NVARTransformer
from ._padder import SequencePadder
from ._per_step import PerStep
from ._spikes import DeltaEncoder, LatencyEncoder, RateEncoder
from ._stories import StoryVectorizer
from ._tokens import TokenEncoder
from ._windows import SlidingWindow, make_windows

__all__ = [
    "CalendarFeatures",
    "Conceptor",
    "DeltaEncoder",
    "Differencer",
    "FourierFeatures",
    "LatencyEncoder",
    "NVARTransformer",
    "PerStep",
    "RateEncoder",
    "SequenceImputer",
    "SequencePadder",
    "SlidingWindow",
    "StoryVectorizer",
    "TokenEncoder",
    "conceptor_adapt_aperture",
    "conceptor_and",
    "conceptor_morph",
    "conceptor_not",
    "conceptor_or",
    "make_windows",
]
