"""Recurrent networks as scikit-learn estimators."""

from ._anomaly_detector import RNNAnomalyDetector
from ._backtest import backtest as backtest  # a function
from ._captioner import RNNCaptioner
from ._classifier import RNNClassifier
from ._dual_stage_regressor import DualStageAttentionRegressor
from ._echo_state_classifier import EchoStateClassifier
from ._echo_state_regressor import EchoStateRegressor
from ._echo_state_transformer import EchoStateTransformer
from ._forecaster import RNNForecaster
from ._liquid_state import LiquidStateClassifier, LiquidStateTransformer
from ._regressor import RNNRegressor
from ._reservoir_search import ReservoirSearchCV as ReservoirSearchCV  # not of those that can be made without arguments
from ._ridge_readout import RidgeReadout
from ._seasonal_naive_detector import SeasonalNaiveDetector
from ._seq2seq_regressor import Seq2SeqRegressor
from ._seq2seq_translator import Seq2SeqTranslator
from ._sequence_regressor import RNNSequenceRegressor
from ._tagger import RNNTagger
from ._vec2seq_regressor import Vec2SeqRegressor

__all__ = [
    "DualStageAttentionRegressor",
    "EchoStateClassifier",
    "EchoStateRegressor",
    "EchoStateTransformer",
    "LiquidStateClassifier",
    "LiquidStateTransformer",
    "RNNAnomalyDetector",
    "RNNCaptioner",
    "RNNClassifier",
    "RNNForecaster",
    "RNNRegressor",
    "RNNSequenceRegressor",
    "RNNTagger",
    "RidgeReadout",
    "SeasonalNaiveDetector",
    "Seq2SeqRegressor",
    "Seq2SeqTranslator",
    "Vec2SeqRegressor",
]
