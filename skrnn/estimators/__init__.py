"""Recurrent networks as scikit-learn estimators."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .._lazy import homes

if TYPE_CHECKING:  # at run time an estimator is loaded when it is used: whoever classifies waits for no forecaster
    from .anomalies._detector import RNNAnomalyDetector
    from .anomalies._seasonal_naive import SeasonalNaiveDetector
    from .codes._autoencoder import RNNAutoencoder
    from .codes._bingo import BingoCluster
    from .codes._history_compressor import HistoryCompressor
    from .codes._neo import NeoTransformer
    from .forecasting._backtest import backtest as backtest  # a function
    from .forecasting._dual_stage import DualStageAttentionRegressor
    from .forecasting._echo_state_forecaster import EchoStateForecaster
    from .forecasting._forecaster import RNNForecaster
    from .memories._hopfield import HopfieldNetwork
    from .memories._memory_network import MemoryNetworkClassifier
    from .memories._modern_hopfield import ModernHopfield
    from .memories._turing import NeuralTuringMachine
    from .reservoirs._echo_state_classifier import EchoStateClassifier
    from .reservoirs._echo_state_regressor import EchoStateRegressor
    from .reservoirs._echo_state_transformer import EchoStateTransformer
    from .reservoirs._liquid_classifier import LiquidStateClassifier
    from .reservoirs._liquid_transformer import LiquidStateTransformer
    from .reservoirs._ridge import RidgeReadout
    from .reservoirs._search import ReservoirSearchCV
    from .sequences._classifier import RNNClassifier
    from .sequences._regressor import RNNRegressor
    from .steps._regressor import RNNSequenceRegressor
    from .steps._tagger import RNNTagger
    from .structures._tree_classifier import TreeClassifier
    from .structures._tree_regressor import TreeRegressor
    from .writing._captioner import RNNCaptioner
    from .writing._language_model import RNNLanguageModel
    from .writing._pointer import PointerNetwork
    from .writing._seq2seq_regressor import Seq2SeqRegressor
    from .writing._transcriber import SequenceTranscriber
    from .writing._translator import Seq2SeqTranslator
    from .writing._vector_regressor import Vec2SeqRegressor

__all__ = [
    "BingoCluster",
    "DualStageAttentionRegressor",
    "EchoStateClassifier",
    "EchoStateForecaster",
    "EchoStateRegressor",
    "EchoStateTransformer",
    "HistoryCompressor",
    "HopfieldNetwork",
    "LiquidStateClassifier",
    "LiquidStateTransformer",
    "MemoryNetworkClassifier",
    "ModernHopfield",
    "NeoTransformer",
    "NeuralTuringMachine",
    "PointerNetwork",
    "RNNAnomalyDetector",
    "RNNAutoencoder",
    "RNNCaptioner",
    "RNNClassifier",
    "RNNForecaster",
    "RNNLanguageModel",
    "RNNRegressor",
    "RNNSequenceRegressor",
    "RNNTagger",
    "ReservoirSearchCV",
    "RidgeReadout",
    "SeasonalNaiveDetector",
    "Seq2SeqRegressor",
    "Seq2SeqTranslator",
    "SequenceTranscriber",
    "TreeClassifier",
    "TreeRegressor",
    "Vec2SeqRegressor",
    "backtest",
]

_HOMES = homes(__name__)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
