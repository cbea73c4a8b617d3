"""Estimators as declarations: parameters, constraints and fitted state with their descriptions, each said in one place."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field, fields
from inspect import Parameter, Signature
from typing import Any, TypeVar, dataclass_transform

Declared = TypeVar("Declared", bound=type)

NETWORK, TASK, TRAINING, DATA, COMPUTATION = range(5)  # the order in which signatures and docstrings list groups of parameters

_SECTIONS = ("Parameters", "Attributes", "Raises", "Notes", "References", "Examples")
_HEADING = re.compile(rf"^({'|'.join(_SECTIONS)})\n-+\n", re.MULTILINE)
_ENTRY = re.compile(r"\n(?=\w)")


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(field,))
def parameters(cls: Declared) -> Declared:
    """Make the constructor of a class from its annotations and those of the groups that it inherits.

    All parameters are keyword-only but one that is declared with ``field(default=…, kw_only=False)``. What the class and its groups declare is
    put together: ``_parameter_constraints``; the parameters that a network is ``_built_from``, and those that ``_may_change`` between fit and
    predictions; what a fit ``_leaves``; and the docstring, in which each describes its own parameters alone.
    """
    made: Any = dataclass(eq=False, repr=False, kw_only=True)(cls)
    ancestry = made.__mro__[::-1]
    made._descriptions = _merged(ancestry, "_descriptions") | _entries(cls.__doc__ or "", "Parameters")
    made._parameter_constraints = _merged(ancestry, "_parameter_constraints")
    made._built_from, made._may_change = (_united(ancestry, kind) for kind in ("_built_from", "_may_change"))
    made._fitted = tuple({entry.names: entry for part in ancestry for entry in vars(part).get("_leaves", ())}.values())
    made.__init__.__signature__ = _in_order(made)
    made.__doc__ = _completed(made)
    return cls


def _merged(ancestry: tuple[type, ...], name: str) -> dict[str, Any]:
    return {key: value for part in ancestry for key, value in vars(part).get(name, {}).items()}


def _united(ancestry: tuple[type, ...], name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry for part in ancestry for entry in vars(part).get(name, ())))


def _in_order(cls: Any) -> Signature:
    """The signature of the constructor, group after group, the positional parameter first."""
    places = {name: vars(part)["_place"] for part in cls.__mro__ if "_place" in vars(part) for name in inspect.get_annotations(part)}
    given = inspect.signature(cls.__init__)
    own, *rest = given.parameters.values()
    positional = {f.name for f in fields(cls) if not f.kw_only}
    ordered = sorted(rest, key=lambda p: (p.name not in positional, places.get(p.name, TASK)))
    return given.replace(parameters=[own, *(p.replace(annotation=Parameter.empty) for p in ordered)], return_annotation=Signature.empty)


def _completed(cls: Any) -> str:
    """The docstring with all parameters and all that a fit leaves."""
    text = inspect.cleandoc(cls.__doc__ or "")
    heads = [*_HEADING.finditer(text)]
    ends = [match.start() for match in heads[1:]] + [len(text)]
    sections = {match[1]: text[match.end() : end].strip("\n") for match, end in zip(heads, ends, strict=True)}
    names = list(inspect.signature(cls).parameters)
    sections["Parameters"] = "\n".join(_with_default(cls._descriptions[name], getattr(cls, name)) for name in names if name in cls._descriptions)
    sections["Attributes"] = "\n".join(entry.described() for entry in cls._fitted if not entry.names.startswith("_"))
    summary = (text[: heads[0].start()] if heads else text).rstrip()
    return "\n\n".join([summary, *(f"{title}\n{'-' * len(title)}\n{sections[title]}" for title in _SECTIONS if sections.get(title))]) + "\n"


def _entries(doc: str, title: str) -> dict[str, str]:
    """The entries of a section by their names."""
    text = inspect.cleandoc(doc)
    for match in _HEADING.finditer(text):
        if match[1] == title:
            following = _HEADING.search(text, match.end())
            body = text[match.end() : following.start() if following else len(text)].strip("\n")
            return {entry.split()[0]: entry for entry in _ENTRY.split(body) if entry}
    return {}


def _with_default(entry: str, default: Any) -> str:
    """An entry whose first line says the default of the class it stands in."""
    shown = f'"{default}"' if isinstance(default, str) else str(default)
    return re.sub(r"default=.*", lambda _: f"default={shown}", entry, count=1)
