"""Names that a package has before it loads where they are defined (PEP 562): they are read from its source."""

import ast
from importlib.util import find_spec
from typing import Any


def homes(package: str) -> dict[str, str]:
    """The module of each name that a package imports under ``if TYPE_CHECKING``, which type checkers and editors follow."""
    block = next(line.body for line in _lines(package) if isinstance(line, ast.If) and ast.unparse(line.test) == "TYPE_CHECKING")
    found = {}
    for line in block:
        if isinstance(line, ast.ImportFrom):
            module = f"{package}.{line.module}"
            names = [alias.name for alias in line.names]
            found.update(dict.fromkeys(_listed(module) if names == ["*"] else names, module))
    return found


def _listed(package: str) -> list[str]:
    """The names in ``__all__`` of a package, which is read and not imported."""
    lines = [line for line in _lines(package) if isinstance(line, ast.Assign)]
    return next(ast.literal_eval(line.value) for line in lines if ast.unparse(line.targets[0]) == "__all__")


def _lines(package: str) -> list[ast.stmt]:
    spec: Any = find_spec(package)
    return ast.parse(spec.loader.get_source(spec.name)).body
