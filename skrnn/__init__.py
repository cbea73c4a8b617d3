"""Every recurrent network of the literature as a scikit-learn estimator.

Importing this package loads neither torch nor scikit-learn: each part is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._lazy import homes

if TYPE_CHECKING:  # what type checkers and editors see; at run time the same names are loaded when they are used
    from .data import *
    from .estimators import *


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
    "model_selection",
    "networks",
    "preprocessing",
    "training",
}
_HOMES = homes(__name__)

__all__ = sorted([*_MODULES, *_HOMES])

__version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # takes longer than all the rest of this import

    try:
        return version(__name__)
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
