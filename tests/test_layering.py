"""The rules of the house that can be read off the source: floors, ceilings, docstrings, things that nobody calls."""

import ast
import inspect
import pkgutil
import re
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

import skrnn
from skrnn import cells, estimators, frontends

ROOT = Path(skrnn.__file__).parent
FLOORS = {
    "_bases": 0,  # scikit-learn's own, with types
    "_constraints": 0,
    "_lazy": 0,
    "data": 0,
    "kernels": 0,
    "cells": 1,
    "preprocessing": 1,  # like datasets and metrics: on floor 0, and nothing stands on them
    "datasets": 1,
    "metrics": 1,
    "model_selection": 1,
    "engine": 2,
    "frontends": 2,
    "networks": 3,
    "training": 4,
    "estimators": 5,
    "persistence": 6,
    "adapters": 6,
    "inspection": 6,
}
WITHOUT = {  # heavy packages that a floor does without
    "_constraints": {"torch"},
    "data": {"torch"},
    "kernels": {"torch", "sklearn", "scipy"},
    "preprocessing": {"torch"},
    "datasets": {"torch"},
    "metrics": {"torch"},
    "model_selection": {"torch"},
}
GLOBAL_SEEDS = {
    f"{module}.{name}"
    for module, names in {
        "torch": ["manual_seed", "seed", "set_rng_state"],
        "torch.random": ["manual_seed", "seed", "set_rng_state", "fork_rng"],
        "torch.cuda": ["manual_seed", "manual_seed_all", "seed", "set_rng_state"],
        "np.random": ["seed", "set_state"],
        "random": ["seed", "setstate"],
    }.items()
    for name in names
}
FILES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(text) for name, text in FILES.items()}
every_file = pytest.mark.parametrize("file", FILES)


def part(file):
    """The package of skrnn in which a file stands, or its own name if it stands in none."""
    return Path(file).parts[0].removesuffix(".py")


def imported(file):
    """Absolute names of all modules that a file imports, also inside functions."""
    package = ["skrnn", *Path(file).parts[:-1]]
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def nodes(file, kind):
    return [node for node in ast.walk(TREES[file]) if isinstance(node, kind)]


def code_lines(file, function):
    """Lines of a function without its docstring, blank lines and comments."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    lines = FILES[file].splitlines()[body[0].lineno - 1 : function.end_lineno] if body else []
    return sum(1 for line in lines if line.strip() and not line.strip().startswith("#"))


# -- floors --------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", [file for file in FILES if file != "__init__.py"])
def test_imports_point_downward(file):
    here = part(file)
    assert here in FLOORS, f"{here} stands on no floor"
    above = {name for name in imported(file) if name.startswith("skrnn.") and (there := name.split(".")[1]) != here and FLOORS[there] >= FLOORS[here]}
    assert not above


def test_no_module_imports_itself_by_way_of_others():
    """Not inside functions either, where a circle would go unnoticed."""
    modules = {"skrnn." + file.removesuffix(".py").replace("/", "."): file for file in FILES if not file.endswith("__init__.py")}
    graph = {file: {modules[m] for name in imported(file) if (m := name.rpartition(".")[0]) in modules} for file in modules.values()}
    TopologicalSorter(graph).prepare()


@every_file
def test_what_a_floor_does_without(file):
    assert not {name.split(".")[0] for name in imported(file)} & WITHOUT.get(part(file), set())


def test_the_package_itself_imports_nothing_heavy():
    assert {name.split(".")[0] for name in imported("__init__.py")} <= {"ast", "importlib", "skrnn", "typing"}  # skrnn: for type checkers alone


# -- ceilings ------------------------------------------------------------------------------------------------------------------------------------


@every_file
def test_a_file_has_at_most_400_lines(file):
    assert len(FILES[file].splitlines()) <= 400


@every_file
def test_a_function_has_at_most_40_code_lines_and_6_arguments(file):
    for function in nodes(file, ast.FunctionDef):
        assert code_lines(file, function) <= 40, function.name
        arguments = [a.arg for a in function.args.posonlyargs + function.args.args if a.arg not in ("self", "cls")]
        stores_parameters = function.name == "__init__" and part(file) in ("cells", "estimators", "preprocessing")
        is_kernel = arguments[:2] == ["layout", "reverse"]  # and then all weights and states of the recurrence
        assert len(arguments) <= 6 or stores_parameters or is_kernel, (function.name, arguments)


@every_file
def test_a_class_has_at_most_12_public_methods(file):
    for kind in nodes(file, ast.ClassDef):
        assert len({f.name for f in kind.body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_")}) <= 12, kind.name


@pytest.mark.parametrize("file", [file for file in FILES if part(file) == "cells"])
def test_a_step_has_at_most_15_lines(file):
    for function in nodes(file, ast.FunctionDef):
        assert function.name != "step" or code_lines(file, function) <= 15


# -- what nobody does ----------------------------------------------------------------------------------------------------------------------------


@every_file
def test_nobody_seeds_what_is_global(file):
    calls = {ast.unparse(node.func) for node in ast.walk(TREES[file]) if isinstance(node, ast.Call)}
    assert not calls & GLOBAL_SEEDS


@every_file
def test_only_the_platform_is_asked_what_it_has(file):
    calls = {ast.unparse(node) for node in ast.walk(TREES[file]) if isinstance(node, ast.Call)}
    assert not {call for call in calls if call.startswith("hasattr(") and not call.startswith("hasattr(os, ")}


@pytest.mark.parametrize("file", [file for file in FILES if part(file) not in ("engine", "kernels")])
def test_the_loop_over_time_stands_in_the_engine_and_the_kernels(file):
    loops = [ast.unparse(node.target) for node in ast.walk(TREES[file]) if isinstance(node, ast.For | ast.comprehension)]
    assert "t" not in loops


def defined(file):
    """Names that a module defines, but for its helpers: classes, public functions, and what else is called like a class."""
    for node in TREES[file].body:
        if isinstance(node, ast.ClassDef) or (isinstance(node, ast.FunctionDef) and not node.name.startswith("_")):
            yield node.name, True
        elif isinstance(node, ast.Assign):
            yield from ((target.id, False) for target in node.targets if isinstance(target, ast.Name))


def test_no_name_is_defined_twice():
    """An alias of a type may have the same name in several modules, as ``Array``, if nothing else has it."""
    files, things = {}, set()
    for file in FILES:
        for name, is_thing in defined(file):
            files.setdefault(name, []).append(file)
            things |= {name} if is_thing else set()
    assert not {name: where for name, where in files.items() if name in things and len(where) > 1}


# -- docstrings ----------------------------------------------------------------------------------------------------------------------------------


def _public():
    modules = [skrnn, *(import_module(m.name) for m in pkgutil.walk_packages(skrnn.__path__, "skrnn."))]
    named = [(f"{m.__name__}.{name}", getattr(m, name)) for m in modules for name in vars(m).get("__all__", ())]
    return {
        id(thing): (name, thing) for name, thing in named if inspect.isclass(thing) or inspect.isfunction(thing) or inspect.ismodule(thing)
    }.values()


PUBLIC = [pytest.param(thing, id=name) for name, thing in _public()]
CELLS = [pytest.param(getattr(cells, name), id=name) for name in cells.__all__]
FRONTENDS = [pytest.param(getattr(frontends, name), id=name) for name in frontends.__all__ if inspect.isclass(getattr(frontends, name))]
ESTIMATORS = [pytest.param(getattr(estimators, name), id=name) for name in estimators.__all__ if inspect.isclass(getattr(estimators, name))]


def section(thing, title):
    """The text of a numpydoc section, or nothing."""
    lines = inspect.cleandoc(thing.__doc__).splitlines()
    starts = [k for k in range(len(lines) - 1) if lines[k + 1] and set(lines[k + 1]) == {"-"}]
    ends = dict(zip(starts, [*starts[1:], len(lines)], strict=False))
    return "\n".join(line for k in starts if lines[k] == title for line in lines[k + 2 : ends[k]])


def described(text):
    """The names before the colons of a list of parameters."""
    heads = [line.split(" : ")[0] for line in text.splitlines() if line and not line.startswith(" ")]
    return {name.strip() for head in heads for name in head.split(",")}


def assert_parameters_are_described(thing):
    given = {name for name, p in inspect.signature(thing).parameters.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    assert given <= described(section(thing, "Parameters"))


@pytest.mark.parametrize("thing", PUBLIC)
def test_every_public_name_says_in_a_sentence_what_it_is(thing):
    assert thing.__doc__
    assert inspect.cleandoc(thing.__doc__).split("\n\n")[0].endswith((".", ":"))


@pytest.mark.parametrize("thing", [p for p in PUBLIC if inspect.isfunction(p.values[0]) and not p.id.startswith("skrnn.kernels.")])
def test_every_public_function_describes_its_parameters(thing):
    assert_parameters_are_described(thing)


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_has_equations_references_and_an_example(cell):
    assert "::\n\n" in section(cell, "Notes")
    assert "(t) = " in section(cell, "Notes")
    assert section(cell, "References").strip()
    assert_parameters_are_described(cell)


@pytest.mark.parametrize("frontend", FRONTENDS)
def test_a_frontend_has_equations_references_and_described_parameters(frontend):
    assert re.search(r"::\n\n    y\([tk]\) = ", section(frontend, "Notes"))
    assert section(frontend, "References").strip()
    assert_parameters_are_described(frontend)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_an_estimator_describes_its_parameters_and_attributes(estimator):
    assert_parameters_are_described(estimator)
    by_epochs = {"n_iter_", "loss_curve_"} if "max_epochs" in inspect.signature(estimator).parameters else set()
    assert {"n_features_in_"} | by_epochs <= described(section(estimator, "Attributes"))


@pytest.mark.parametrize("thing", CELLS + FRONTENDS + ESTIMATORS)
def test_an_example_has_at_most_8_statements_that_fit_in_a_page_and_ends_in_a_result(thing):
    lines = [line for line in section(thing, "Examples").splitlines() if line]
    assert 1 <= sum(line.startswith(">>>") for line in lines) <= 8
    assert not [line for line in lines if line.startswith((">>>", "...")) and len(line) > 75]
    assert not lines[-1].startswith((">>>", "..."))
