"""Recurrent networks as scikit-learn estimators."""

from .sequences._classifier import RNNClassifier
from .sequences._regressor import RNNRegressor
from .steps._regressor import RNNSequenceRegressor
from .steps._tagger import RNNTagger

__all__ = [
    "RNNClassifier",
    "RNNRegressor",
    "RNNSequenceRegressor",
    "RNNTagger",
]
