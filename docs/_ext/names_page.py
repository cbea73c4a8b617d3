"""Write ``names.rst`` from ``skrnn.*.__all__`` and the docstrings: every public name with what it is, in one line."""

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

from generated_page import write_page
from groups import Group, first_sentence, groups

INTRODUCTION = """\
All names
=========

Everything public, in one line each. A name leads to its parameters, its equations and an example; :doc:`choosing_a_cell`
says more about the cells.
"""


def description(thing: Any) -> str:
    """Its own first sentence, not one that is inherited; of a constant, the value."""
    return first_sentence(thing.__doc__) if inspect.isclass(thing) or inspect.isroutine(thing) else f"The constant ``{thing!r}``."


def table(group: Group, names: list[str]) -> str:
    module = import_module(group.importable_from)
    lines = "\n".join(f"   * - :obj:`~{group.importable_from}.{name}`\n     - {description(getattr(module, name))}" for name in names)
    return f"""
{group.title}
{"-" * len(group.title)}

{group.sentence} Import from ``{group.importable_from}``.

.. list-table::
   :widths: 30 70

{lines}
"""


def names_page() -> str:
    return INTRODUCTION + "".join(table(group, names) for group, names in groups().items())


def setup(app) -> dict[str, bool]:
    write_page(Path(app.srcdir) / "names.rst", names_page())  # before Sphinx looks for the pages
    return {"parallel_read_safe": True}
