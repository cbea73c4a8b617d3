"""Recurrent networks as scikit-learn estimators."""

from .anomalies._detector import RNNAnomalyDetector
from .anomalies._seasonal_naive import SeasonalNaiveDetector
from .forecasting._backtest import backtest as backtest  # a function
from .forecasting._dual_stage import DualStageAttentionRegressor
from .forecasting._forecaster import RNNForecaster
from .sequences._classifier import RNNClassifier
from .sequences._regressor import RNNRegressor
from .steps._regressor import RNNSequenceRegressor
from .steps._tagger import RNNTagger

__all__ = [
    "DualStageAttentionRegressor",
    "RNNAnomalyDetector",
    "RNNClassifier",
    "RNNForecaster",
    "RNNRegressor",
    "RNNSequenceRegressor",
    "RNNTagger",
    "SeasonalNaiveDetector",
]
