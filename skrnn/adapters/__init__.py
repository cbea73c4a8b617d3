"""Bridges to other libraries of the time-series world. What needs one of them is in the module of its name, which is loaded when it is first used."""

from importlib import import_module
from typing import Any

from ._collections import from_aeon, from_tslearn, to_aeon, to_tslearn
from ._nixtla import NixtlaPanel, from_nixtla
from ._nixtla_forecaster import NixtlaForecaster

__all__ = ["NixtlaForecaster", "NixtlaPanel", "aeon", "from_aeon", "from_nixtla", "from_tslearn", "sktime", "to_aeon", "to_tslearn"]


def __getattr__(name: str) -> Any:
    if name in ("aeon", "sktime"):
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
