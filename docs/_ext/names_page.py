"""Write ``names.rst`` from ``skrnn.*.__all__`` and the docstrings: every public name with what it is, in one line."""

import inspect
import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from api_page import sections
from generated_page import write_page

from skrnn import cells

# In which order a reader wants the packages; what is not here comes last.
ORDER = ("estimators", "cells", "preprocessing", "engine", "networks", "datasets", "metrics", "inspection", "adapters", "model_selection")
ORDER += ("training", "data")
INTRODUCTION = """\
All names
=========

Everything public, in one line each. A name leads to its parameters, its equations and an example; :doc:`choosing_a_cell`
says more about the cells.
"""
# Not behind "al.", nor behind the initial of a name.
END_OF_SENTENCE = re.compile(r"(?<=[^A-Z][.!?])(?<!\bal\.)\s+(?=[A-Z])")


class Group(NamedTuple):
    """Names under one heading, which is that of the package, the room of a package or the module that they belong to."""

    home: ModuleType
    importable_from: str

    @property
    def path(self) -> list[str]:
        return [word.strip("_") for word in self.home.__name__.split(".")[1:]]

    @property
    def title(self) -> str:
        return ": ".join(self.path).replace("_", " ").capitalize()

    @property
    def place(self) -> tuple[int, list[str]]:
        return ORDER.index(self.path[0]) if self.path[0] in ORDER else len(ORDER), self.path


def first_sentence(docstring: str | None) -> str:
    paragraph = inspect.cleandoc(docstring or "").split("\n\n")[0].replace("\n", " ")
    return END_OF_SENTENCE.split(paragraph, maxsplit=1)[0]


def description(thing: Any) -> str:
    """Its own first sentence, not one that is inherited; of a constant, the value."""
    return first_sentence(thing.__doc__) if inspect.isclass(thing) or inspect.isroutine(thing) else f"The constant ``{thing!r}``."


def group(module: ModuleType, thing: Any) -> Group:
    """Names stand in the package that exports them; those that ``skrnn`` itself exports, where they are defined; wrappers apart from cells."""
    home = module
    if module.__name__ == "skrnn":
        home = import_module(thing.__module__.rpartition(".")[0])
    elif module is cells and issubclass(thing, cells.Wrapper):
        home = import_module(cells.Wrapper.__module__)
    return Group(home, module.__name__)


def table(group: Group, rows: list[tuple[str, str]]) -> str:
    lines = "\n".join(f"   * - :obj:`~{name}`\n     - {what}" for name, what in rows)
    return f"""
{group.title}
{"-" * len(group.title)}

{first_sentence(group.home.__doc__)} Import from ``{group.importable_from}``.

.. list-table::
   :widths: 30 70

{lines}
"""


def names_page() -> str:
    groups: dict[Group, list[tuple[str, str]]] = {}
    for module, names in sections():
        for name in names:
            thing = getattr(module, name)
            groups.setdefault(group(module, thing), []).append((f"{module.__name__}.{name}", description(thing)))
    return INTRODUCTION + "".join(table(group, groups[group]) for group in sorted(groups, key=attrgetter("place")))


def setup(app) -> dict[str, bool]:
    write_page(Path(app.srcdir) / "names.rst", names_page())  # before Sphinx looks for the pages
    return {"parallel_read_safe": True}
