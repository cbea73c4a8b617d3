"""Transformers that keep sequences sequences: they stand in front of an estimator in a scikit-learn pipeline."""

from ._imputer import SequenceImputer
from ._padder import SequencePadder
from ._per_step import PerStep

__all__ = ["PerStep", "SequenceImputer", "SequencePadder"]
