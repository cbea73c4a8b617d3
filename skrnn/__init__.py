"""Every recurrent network of the literature as a scikit-learn estimator.

Importing this package loads neither torch nor scikit-learn: each part is loaded when it is first used.
"""

import ast
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers and editors see; at run time the same names are loaded when they are used
    from .data import *
    from .estimators import *


def _listed(package: str) -> list[str]:
    """The names in ``__all__`` of a package, which is read and not imported."""
    spec: Any = find_spec(f"{__name__}.{package}")
    lines = ast.parse(spec.loader.get_source(spec.name)).body
    return next(ast.literal_eval(line.value) for line in lines if isinstance(line, ast.Assign) and ast.unparse(line.targets[0]) == "__all__")


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
_HOMES = {name: package for package in ("data", "estimators") for name in _listed(package)}

__all__ = sorted([*_MODULES, *_HOMES])

__version__: str


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # takes longer than all the rest of this import

    try:
        return version(__name__)
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
