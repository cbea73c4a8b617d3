"""Write ``api.rst`` and a page for each group of names, from ``skrnn.*.__all__``: a new public name appears without a list to edit."""

from itertools import groupby
from pathlib import Path

from generated_page import write_page
from groups import Group, groups

INTRODUCTION = """\
API
===

Every public name, grouped by what it is for, under the shortest path that it can be imported from. :doc:`names` has all of them on one page, in
one line each.

.. toctree::
   :hidden:

   names
"""


def page_of(group: Group) -> str:
    return "_".join(group.path)


def shelf(title: str, found: dict[Group, list[str]]) -> str:
    """A table of the groups of one shelf, and their pages for the navigation."""
    rows = [
        f"   * - :doc:`api/{page_of(key)}`\n     - {key.sentence}\n     - {', '.join(f':obj:`~{key.importable_from}.{name}`' for name in names)}"
        for key, names in found.items()
    ]
    pages = "\n".join(f"   api/{page_of(key)}" for key in found)
    return f"""
{title}
{"-" * len(title)}

.. list-table::
   :widths: 16 28 56

{chr(10).join(rows)}

.. toctree::
   :hidden:
   :caption: {title}

{pages}
"""


def api_page() -> str:
    found = groups()
    shelves = groupby(found, key=lambda key: key.shelf)
    return INTRODUCTION + "".join(shelf(title, {key: found[key] for key in keys}) for title, keys in shelves)


def group_page(group: Group, names: list[str]) -> str:
    entries = "\n".join(f"   {name}" for name in names)
    title = group.title.removeprefix("Estimators: ").capitalize()
    return f"""\
{title}
{"=" * len(title)}

{group.sentence} Import from ``{group.importable_from}``.

.. currentmodule:: {group.importable_from}

.. autosummary::
   :toctree: ../generated/
   :nosignatures:

{entries}
"""


def setup(app) -> dict[str, bool]:
    source = Path(app.srcdir)  # before Sphinx looks for the pages
    (source / "api").mkdir(exist_ok=True)
    write_page(source / "api.rst", api_page())
    for group, names in groups().items():
        write_page(source / "api" / f"{page_of(group)}.rst", group_page(group, names))
    return {"parallel_read_safe": True}
