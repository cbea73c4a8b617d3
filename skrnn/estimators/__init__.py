"""Recurrent networks as scikit-learn estimators."""

from .sequences._classifier import RNNClassifier
from .sequences._regressor import RNNRegressor
from .steps._regressor import RNNSequenceRegressor
from .steps._tagger import RNNTagger
from .writing._captioner import RNNCaptioner
from .writing._seq2seq_regressor import Seq2SeqRegressor
from .writing._translator import Seq2SeqTranslator
from .writing._vector_regressor import Vec2SeqRegressor

__all__ = [
    "RNNCaptioner",
    "RNNClassifier",
    "RNNRegressor",
    "RNNSequenceRegressor",
    "RNNTagger",
    "Seq2SeqRegressor",
    "Seq2SeqTranslator",
    "Vec2SeqRegressor",
]
