"""Every public name, found from ``skrnn.*.__all__``, and the groups in which the documentation shows them: no list to edit."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from operator import attrgetter
from types import ModuleType
from typing import Any, NamedTuple

from skrnn import cells

# In which order a reader wants the packages, and the shelves that they stand on; what is not here comes last.
SHELVES = {
    "Estimators by task": ("estimators",),
    "What networks are made of": ("cells", "frontends", "engine", "networks", "training"),
    "Data": ("preprocessing", "data", "datasets"),
    "Choosing, measuring and looking inside": ("model_selection", "metrics", "inspection"),
    "Other libraries": ("adapters",),
}
ROOMS = ("sequences", "steps", "writing", "forecasting", "anomalies", "codes", "structures", "memories", "reservoirs")  # of the estimators, likewise
LAST_SHELF = "Further"
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
    def shelf(self) -> str:
        return next((shelf for shelf, packages in SHELVES.items() if self.path[0] in packages), LAST_SHELF)

    @property
    def place(self) -> tuple[int, int, list[str]]:
        """What is in no order comes behind all that is, by name."""
        package, room = self.path[0], self.path[-1]
        packages = [name for shelf in SHELVES.values() for name in shelf]
        places = [order.index(name) if name in order else len(order) for name, order in ((package, packages), (room, list(ROOMS)))]
        return places[0], places[1], self.path

    @property
    def sentence(self) -> str:
        return first_sentence(self.home.__doc__)


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
    """The names that each module exports; a name that two modules export belongs to the upper one."""
    seen: set[int] = set()
    for module in public_modules():
        exported = {name: getattr(module, name) for name in getattr(module, "__all__", ()) if not name.startswith("_")}
        fresh = {name: thing for name, thing in exported.items() if not inspect.ismodule(thing) and id(thing) not in seen}
        seen |= {id(thing) for thing in fresh.values()}
        if fresh:
            yield module, sorted(fresh, key=str.lower)


def group(module: ModuleType, thing: Any) -> Group:
    """Names stand in the package that exports them; those that ``skrnn`` itself exports, where they are defined; wrappers apart from cells."""
    home = module
    if module.__name__ == "skrnn":
        home = importlib.import_module(thing.__module__.rpartition(".")[0])
    elif module is cells and issubclass(thing, cells.Wrapper):
        home = importlib.import_module(cells.Wrapper.__module__)
    return Group(home, module.__name__)


def groups() -> dict[Group, list[str]]:
    """The names of each group, in the order in which a reader wants them."""
    found: dict[Group, list[str]] = {}
    for module, names in sections():
        for name in names:
            found.setdefault(group(module, getattr(module, name)), []).append(name)
    return {key: found[key] for key in sorted(found, key=attrgetter("place"))}


def sentence_of(module: str, *path: str) -> str:
    """What the thing behind a path in a module is, in its own first sentence, or in that of the class that it is inherited from."""
    return first_sentence(inspect.getdoc(attrgetter(".".join(path))(importlib.import_module(module))))


def first_sentence(docstring: str | None) -> str:
    paragraph = inspect.cleandoc(docstring or "").split("\n\n")[0].replace("\n", " ")
    return END_OF_SENTENCE.split(paragraph, maxsplit=1)[0]
