"""Every recurrent network of the literature as a scikit-learn estimator.

Importing this package loads neither torch nor scikit-learn: each part is loaded when it is first used.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

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
    "ReservoirSearchCV",
    "RidgeReadout",
    "SeasonalNaiveDetector",
    "Seq2SeqRegressor",
    "Seq2SeqTranslator",
    "Sequences",
    "Vec2SeqRegressor",
    "adapters",
    "as_sequences",
    "backtest",
    "cells",
    "data",
    "datasets",
    "engine",
    "estimators",
    "frontends",
    "inspection",
    "metrics",
    "networks",
    "preprocessing",
    "training",
]

_MODULES = {
    "adapters",
    "cells",
    "data",
    "datasets",
    "engine",
    "estimators",
    "frontends",
    "inspection",
    "metrics",
    "networks",
    "preprocessing",
    "training",
}

try:
    __version__ = version("skrnn")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in __all__:
        home = "data" if name in import_module(".data", __name__).__all__ else "estimators"
        return getattr(import_module(f".{home}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
