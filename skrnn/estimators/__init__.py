"""Recurrent networks as scikit-learn estimators."""

from .reservoirs._echo_state_classifier import EchoStateClassifier
from .reservoirs._echo_state_regressor import EchoStateRegressor
from .reservoirs._echo_state_transformer import EchoStateTransformer
from .reservoirs._liquid_classifier import LiquidStateClassifier
from .reservoirs._liquid_transformer import LiquidStateTransformer
from .reservoirs._ridge import RidgeReadout
from .reservoirs._search import ReservoirSearchCV as ReservoirSearchCV  # not of those that can be made without arguments
from .sequences._classifier import RNNClassifier
from .sequences._regressor import RNNRegressor
from .steps._regressor import RNNSequenceRegressor
from .steps._tagger import RNNTagger

__all__ = [
    "EchoStateClassifier",
    "EchoStateRegressor",
    "EchoStateTransformer",
    "LiquidStateClassifier",
    "LiquidStateTransformer",
    "RNNClassifier",
    "RNNRegressor",
    "RNNSequenceRegressor",
    "RNNTagger",
    "RidgeReadout",
]
