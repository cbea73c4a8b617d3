"""The generated pages of the documentation have every public name, once, and say what it is. No Sphinx is needed."""

import re
import sys
from collections import Counter
from importlib import import_module
from inspect import ismodule
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

import skrnn

EXTENSIONS = Path(__file__).parents[1] / "docs" / "_ext"


class Row(NamedTuple):
    heading: str
    name: str
    what: str


def public_names() -> list[str]:
    """What can be reached from ``skrnn.__all__`` through the ``__all__`` of modules, and of public modules inside them, as ``cells.trees``.

    Each under the first path found, which is the shortest.
    """
    first: dict[tuple[str, int], str] = {}
    waiting = [skrnn]
    while waiting:
        module = waiting.pop(0)
        for name in module.__all__:
            thing = getattr(module, name)
            if ismodule(thing):
                waiting.append(thing)
            else:
                first.setdefault((name, id(thing)), f"{module.__name__}.{name}")
        waiting += [thing for name, thing in vars(module).items() if ismodule(thing) and not name.startswith("_") and is_inside(thing, module)]
    return list(first.values())


def is_inside(thing: ModuleType, package: ModuleType) -> bool:
    """Whether a module that lists its names stands in a package, which is not ``skrnn`` itself."""
    return package is not skrnn and thing.__name__.startswith(f"{package.__name__}.") and "__all__" in vars(thing)


NAMES = public_names()


@pytest.fixture(scope="module")
def extensions():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXTENSIONS)
        yield import_module


@pytest.fixture(scope="module")
def page(extensions):
    return extensions("names_page").names_page()


@pytest.fixture(scope="module")
def rows(page):
    sections = re.split(r"^(.+)\n-+\n", page, flags=re.MULTILINE)[1:]
    return [
        Row(heading, *row)
        for heading, text in zip(sections[::2], sections[1::2], strict=True)
        for row in re.findall(r"^   \* - :obj:`~([\w.]+)`\n     - (.*)$", text, re.MULTILINE)
    ]


def test_names_are_found_in_every_corner():
    corners = {"skrnn.RNNClassifier", "skrnn.cells.GRU", "skrnn.datasets.REBER_LETTERS", "skrnn.adapters.sktime.SktimeForecaster"}
    assert corners <= set(NAMES)


def test_the_page_has_every_public_name_once(rows):
    assert Counter(row.name for row in rows) == Counter(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_sentence_says_what_a_name_is(name, rows):
    (what,) = [row.what for row in rows if row.name == name]
    assert what[-1] in ".!?"
    assert len(what.split()) > 1


def test_the_page_says_where_names_are_imported_from(page):
    assert set(re.findall(r"Import from ``([\w.]+)``", page)) == {name.rpartition(".")[0] for name in NAMES}


def test_no_heading_comes_twice(page):
    headings = re.findall(r"^(.+)\n-+\n", page, re.MULTILINE)
    assert len(headings) == len(set(headings))


def test_an_estimator_stands_under_its_room(extensions, monkeypatch):
    room = ModuleType("skrnn.estimators._of_steps")
    monkeypatch.setitem(sys.modules, room.__name__, room)
    monkeypatch.setattr(skrnn.RNNTagger, "__module__", f"{room.__name__}._tagger")
    assert extensions("groups").group(skrnn, skrnn.RNNTagger).title == "Estimators: of steps"


def test_wrappers_stand_apart_from_cells(rows):
    headings = {row.name: row.heading for row in rows}
    assert headings["skrnn.cells.GRU"] == "Cells"
    assert headings["skrnn.cells.Leaky"] == "Cells: wrappers"


def test_the_api_pages_have_every_public_name_once(extensions):
    api, found = extensions("api_page"), extensions("groups").groups()
    pages = [api.group_page(*item).partition(".. currentmodule:: ")[2] for item in found.items()]
    entries = [f"{page.split()[0]}.{name}" for page in pages for name in page.partition(":nosignatures:")[2].split()]
    assert Counter(entries) == Counter(NAMES)
    overview = api.api_page()
    assert Counter(re.findall(r":obj:`~([\w.]+)`", overview)) == Counter(NAMES)
    assert re.findall(r"^   api/(\w+)$", overview, re.MULTILINE) == [api.page_of(group) for group in found]


def test_estimators_come_first_and_every_group_has_a_shelf(extensions):
    groups = extensions("groups")
    found = list(groups.groups())
    assert found[0].path[0] == "estimators"
    assert groups.LAST_SHELF not in {group.shelf for group in found}


def test_a_table_of_methods_says_what_each_does(extensions):
    sentence_of = extensions("groups").sentence_of
    assert sentence_of("skrnn", "RNNTagger", "predict").endswith(".")
    assert sentence_of("skrnn", "RNNTagger", "predict") == extensions("groups").first_sentence(skrnn.RNNTagger.predict.__doc__)


@pytest.mark.parametrize(
    ("docstring", "sentence"),
    [
        ("A vector (Vinyals et al., 2015). Sources have\n    one step.\n\n    More.", "A vector (Vinyals et al., 2015)."),
        ("After J. Elman and M. I. Jordan\n    et al. (1990). More.", "After J. Elman and M. I. Jordan et al. (1990)."),
        ("As Hinton et al. Have it", "As Hinton et al. Have it"),
        (None, ""),
    ],
)
def test_only_the_first_sentence_is_taken(docstring, sentence, extensions):
    assert extensions("groups").first_sentence(docstring) == sentence
