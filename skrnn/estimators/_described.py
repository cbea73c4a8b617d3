"""Parameters that several estimators share are described once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sklearn.base import BaseEstimator

from ..cells import resolve

parameters = dataclass(eq=False, repr=False)


class Described(BaseEstimator):
    """Fills ``<shared parameters>`` and ``<shared attributes>`` of its children's docstrings: the entries of the parameters that they have."""

    _descriptions: ClassVar[str]
    _attributes: ClassVar[str]

    def set_params(self, **params: Any) -> Self:
        """Set parameters, ``cell__…`` too where the cell is a name.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self
        """
        own = self.get_params(deep=False)
        if "cell" in own and any(name.startswith("cell__") for name in params):
            cell = params.get("cell", own["cell"])
            if cell is None:
                raise ValueError(f"Parameters cell__… of {type(self).__name__} are those of its cell; got {sorted(params)} with cell=None")
            params = params | {"cell": resolve(cell)}
        return super().set_params(**params)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__doc__ and "<shared parameters>" in cls.__doc__:
            annotated: dict[str, str] = {}
            for parent in reversed(cls.__mro__):
                annotated |= vars(parent).get("__annotations__", {})
            known = {name for name, kind in annotated.items() if not str(kind).startswith("ClassVar")}  # what a child fixes is no parameter
            entries = [entry for entry in re.split(r"\n(?=    \w)", cls._descriptions) if entry.split()[0] in known]
            text = re.sub(r"<(\w+)>", lambda match: _shown(getattr(cls, match[1])), "\n".join(entries))
            cls.__doc__ = cls.__doc__.replace("    <shared parameters>", text).replace("    <shared attributes>", cls._attributes)


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
