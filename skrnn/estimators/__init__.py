"""Recurrent networks as scikit-learn estimators."""

from ._classifier import RNNClassifier
from ._regressor import RNNRegressor
from ._sequence_regressor import RNNSequenceRegressor
from ._tagger import RNNTagger

__all__ = ["RNNClassifier", "RNNRegressor", "RNNSequenceRegressor", "RNNTagger"]
