"""The one container for sequences, and the door through which data come in."""

from ._checks import as_sequences
from ._checks import check_sequences as check_sequences  # for the estimators and transformers of this package, not for users
from ._sequences import Sequences

__all__ = ["Sequences", "as_sequences"]
