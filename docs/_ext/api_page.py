"""Write ``api.rst`` from ``skrnn.*.__all__``: a new public name appears without a list to edit."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from generated_page import write_page

INTRODUCTION = """\
API reference
=============

Every public name, under the shortest path that it can be imported from.
"""


def public_modules() -> Iterator[ModuleType]:
    """``skrnn``, then its public packages and modules, from the top of the tree down."""
    names, waiting = ["skrnn"], ["skrnn"]
    while waiting:
        package = importlib.import_module(waiting.pop(0))
        found = [f"{package.__name__}.{m.name}" for m in pkgutil.iter_modules(getattr(package, "__path__", ())) if not m.name.startswith("_")]
        names += found
        waiting += found
    return map(importlib.import_module, names)


def sections() -> Iterator[tuple[ModuleType, list[str]]]:
    """The names that each module's section documents; a name that two modules export belongs to the upper one."""
    seen: set[int] = set()
    for module in public_modules():
        exported = {name: getattr(module, name) for name in getattr(module, "__all__", ()) if not name.startswith("_")}
        fresh = {name: thing for name, thing in exported.items() if not inspect.ismodule(thing) and id(thing) not in seen}
        seen |= {id(thing) for thing in fresh.values()}
        if fresh:
            yield module, sorted(fresh, key=str.lower)


def section(module: ModuleType, names: list[str]) -> str:
    title = module.__name__
    summary = (inspect.getdoc(module) or "").split("\n\n")[0].replace("\n", " ")
    entries = "\n".join(f"   {name}" for name in names)
    return f"""
{title}
{"-" * len(title)}

{summary}

.. currentmodule:: {title}

.. autosummary::
   :toctree: generated/
   :nosignatures:

{entries}
"""


def api_page() -> str:
    return INTRODUCTION + "".join(section(module, names) for module, names in sections())


def setup(app) -> dict[str, bool]:
    write_page(Path(app.srcdir) / "api.rst", api_page())  # before Sphinx looks for the pages
    return {"parallel_read_safe": True}
